"""The safety plan talked through: what each message of the person's does to it, and what is said back.

Deterministic, over `words/safety_plan.yaml`. It asks for one step at a time, keeps what is written word
for word, repeats none of it, and puts in no word of its own; of helplines it offers those it is given.
It knows nothing of danger: whoever calls it has made sure that the turn is free for the plan.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from agent.brief import Plan, Step
from agent.reading.ladder import Answer
from agent.safety_plan import (
    CONTACTS,
    PlanWords,
    SafetyPlan,
    chosen,
    filled,
    first_open,
    folded,
    lines_of,
    live,
    load_plan_words,
    step_ids,
)

__all__ = ["Built", "asks_for", "built", "takes"]

# A message about being alone is no entry where people are asked for.
COMPANY = frozenset({"places", "people"})
WORDS = 90


class Built(NamedTuple):
    """The plan after this message, what is said, and the helplines shown beside it."""

    plan: SafetyPlan
    sentences: list[str]
    card: list[dict[str, str]]
    turn_plan: Plan


def asks_for(text: str, language: str = "en") -> bool:
    """Whether a message asks for the safety plan, or to go on with it."""
    words, plain = load_plan_words(language), folded(text, language)
    return any(re.search(pattern, plain) for pattern in words.begins) and not any(
        re.search(pattern, plain) for pattern in words.unless
    )


def takes(  # noqa: PLR0913 - what the choice depends on, each by name
    text: str,
    plan: object,
    *,
    turn: int,
    offered: bool,
    wants: Sequence[str],
    answers: Sequence[Answer],
    language: str = "en",
) -> bool:
    """Whether a message is for the plan: it asks for it, accepts the offer, or answers the open step.

    offered: our last question was whether to write one. A question, an aside and, at the step of the
    helplines, a barrier to calling are for someone else to answer; the plan rests meanwhile.
    """
    words = load_plan_words(language)
    if asks_for(text, language) or (offered and folded(text, language) in words.accepts):
        return True
    if not live(plan, turn):
        return False
    if _command(text, language) or _named(text, language):
        return True
    at_lines = isinstance(plan, dict) and plan.get("step") == CONTACTS
    named = {"unclear", "help_line"} if at_lines else set()  # a line may be named by its number alone
    if "?" in text or words.asides.intersection(wants) - named:
        return False
    return not (at_lines and words.barriers.intersection(answers))


def built(  # noqa: PLR0913 - what the reply depends on, each by name
    text: str,
    plan: SafetyPlan,
    *,
    turn: int,
    contacts: Sequence[Mapping[str, str]],
    answers: Sequence[Answer],
    said: Iterable[str],
    seed: int,
    language: str = "en",
) -> Built:
    """Take one message into the plan and ask for what comes next. contacts: the country's helplines."""
    words, voice = load_plan_words(language), _Voice(said, seed, language)
    now: SafetyPlan = {**plan, "turn": turn}
    if not live(plan, turn) or asks_for(text, language):
        now["step"] = plan.get("step") or first_open(plan)
        if re.search(words.asked, folded(text, language)):
            voice.say(words.explained)
        else:
            voice.say(words.resumed if plan else words.opening)
        if not plan:
            voice.say(words.manual)
    else:
        _take(now, text, contacts, answers, voice)
    card: list[dict[str, str]] = []
    step = next((each for each in words.steps if each.id == now["step"]), None)
    if step is not None and not voice.hinting:
        card = [dict(row) for row in contacts] if step.id == CONTACTS else []
        voice.say(step.lead)
        if not voice.say(step.ask):
            voice.say(words.again)
    elif step is None and not voice.closed:
        voice.say(words.complete)
    return Built(now, voice.out or [words.again[0]], card, _turn_plan(words))


def _take(
    now: SafetyPlan,
    text: str,
    contacts: Sequence[Mapping[str, str]],
    answers: Sequence[Answer],
    voice: "_Voice",
) -> None:
    """Change `now` by a message that answers its open step, and say what became of it."""
    language, ids, step = voice.language, step_ids(), now["step"]
    words, plain = load_plan_words(language), folded(text, language)
    command = _command(text, language)
    lines = chosen(text, contacts, language) if step == CONTACTS else []
    refuses = "refusal" in answers and re.match(words.refusal, plain)
    if command == "stop" or refuses:
        now["step"] = ""
        voice.close(words.paused, words.stay)
    elif target := _named(text, language):
        now["step"] = target
        voice.say(words.revisited if filled(now, target) else words.resumed)
    elif command == "back":
        now["step"] = ids[max(ids.index(step) - 1, 0)]
        voice.say(words.revisited)
    elif (command == "hint" and not lines) or not lines_of(text):
        voice.hint(next(each.hint for each in words.steps if each.id == step), words.again)
    elif command == "skip" or (step in COMPANY and "nobody" in answers):
        now["skipped"] = [*dict.fromkeys([*now.get("skipped", []), step])]
        voice.say(words.skipped if command == "skip" else words.nobody)
        _onward(now, step, words, voice)
    else:
        names = {word for row in lines for word in folded(row["name"], language).split()}
        only_names = plain in words.commands["all"] or names.issuperset(plain.split())
        own = [] if lines and only_names else lines_of(text)
        now["entries"] = {**now.get("entries", {}), step: own}
        if step == CONTACTS:
            now["contacts"] = lines
        now["skipped"] = [each for each in now.get("skipped", []) if each != step]
        voice.say(words.noted)
        _onward(now, step, words, voice)


def _onward(now: SafetyPlan, step: str, words: PlanWords, voice: "_Voice") -> None:
    """To the next step that nothing was said to yet; past the last of them, the plan is done."""
    ids = step_ids()
    later = [*ids[ids.index(step) + 1 :], *ids[: ids.index(step)]]
    left = [each for each in later if not filled(now, each) and each not in now.get("skipped", [])]
    now["step"] = left[0] if left else ""
    if not left:
        voice.close(words.finished, words.keep, words.share)


def _command(text: str, language: str) -> str:
    plain = folded(text, language)
    commands = load_plan_words(language).commands
    return next((name for name, phrases in commands.items() if name != "all" and plain in phrases), "")


def _named(text: str, language: str) -> str:
    """The step that a message names by its number, or ""."""
    words = load_plan_words(language)
    match = re.fullmatch(words.goto, folded(text, language))
    number = words.numbers.get(match[1], 0) if match else 0
    return step_ids()[number - 1] if number else ""


class _Voice:
    """One reply in the making; a sentence said before in the conversation is passed over."""

    def __init__(self, said: Iterable[str], seed: int, language: str) -> None:
        self.out: list[str] = []
        self.language = language
        self.hinting = self.closed = False
        self._said = set(said)
        self._seed = seed

    def say(self, lines: Sequence[str]) -> bool:
        """Add the first of the lines, in this seed's order, that was not said yet; False when all were."""
        start = self._seed % len(lines)
        fresh = (line for line in (*lines[start:], *lines[:start]) if line not in self._said)
        line = next(fresh, "")
        if line:
            self.out.append(line)
            self._said.add(line)
        return bool(line)

    def hint(self, *banks: Sequence[str]) -> None:
        """Help with the step that stays open, without naming it once more."""
        self.hinting = True
        for lines in banks:
            self.say(lines)

    def close(self, *banks: Sequence[str]) -> None:
        """End this round of the plan."""
        self.closed = True
        for lines in banks:
            self.say(lines)


def _turn_plan(words: PlanWords) -> Plan:
    return Plan(
        move="safety_plan",
        steps=[Step(step="helping", why=words.why)],
        intent="suggesting",
        stage="act",
        topic="general",
        feeling="",
        ask=False,
        offer="",
        words=WORDS,
        careful=True,
    )
