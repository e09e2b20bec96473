"""An exercise talked through: what a message that was heard as being for it leads to, and what is said back.

Deterministic, over words/practice.yaml and words/exercises/. One step a turn, to be left at any point, and
no step in the same words twice. It knows nothing of danger: whoever calls it has made sure that the turn
is free for an exercise.
"""

import re
from collections.abc import Iterable, Sequence
from string import Template
from typing import NamedTuple

from agent.brief import Plan, Step
from agent.exercises import (
    Exercise,
    ExerciseStep,
    Practice,
    answers_to,
    exercises,
    load_practice_words,
    matches,
    of_idea,
    step_of,
)
from agent.plan import turned_down
from agent.responders.exercise_calls import TOLD, Act, Call
from agent.responders.replies import sentences
from agent.safety_plan import folded
from agent.themes import History

__all__ = ["Practised", "practised"]

WORDS = 110
_OWN = 12  # words of the person's that are short enough to be said back whole


class Practised(NamedTuple):
    """Where the exercises stand after this message, what is said, and the plan of the turn."""

    practice: Practice
    sentences: list[str]
    turn_plan: Plan


def practised(  # noqa: PLR0913 - what the reply depends on, each by name
    practice: Practice,
    call: Call,
    *,
    turn: int,
    history: History,
    said: Iterable[str],
    seed: int,
    language: str = "en",
) -> Practised:
    """Take the last message of history, as `heard` understood it, into the exercise and say what is next."""
    words = load_practice_words(language)
    now: Practice = {**practice, "turn": turn, "instead": "", "resting": call.act == "stop"}
    start = seed + now.get("rounds", {}).get(call.name, 0) + (call.act == "begin")
    voice = _Voice(said, start, language)
    one = exercises(language)[call.name]
    match call.act:
        case "begin":
            _begin(now, call.name, voice)
        case "resume":
            now["name"] = call.name
            voice.say(words.resumed)
            _speak(one, step_of(one, now.get("step", "")), voice)
        case "stop":
            _turn_down(now, call.name, only_at_first=True)
            voice.say(words.paused)
            voice.say(words.stay)
        case "other":
            _another(now, history, voice)
        case "hint":
            if not voice.say(step_of(one, now["step"]).hint):
                voice.say(words.again)
        case "why":
            voice.say(one.reason)
            voice.say(words.free)
        case "back":
            ids = [step.id for step in one.steps]
            now["step"] = ids[max(ids.index(now["step"]) - 1, 0)]
            voice.say(words.back)
            _speak(one, step_of(one, now["step"]), voice)
        case "worse":
            _leave(now, one, voice)
        case _:
            _onward(now, one, call.act, history, voice)
    return Practised(now, voice.out or [words.again[0]], _turn_plan(one))


def _begin(now: Practice, name: str, voice: "_Voice") -> None:
    words, one = voice.words, exercises(voice.language)[name]
    first = not now.get("rounds")
    now["rounds"] = {**now.get("rounds", {}), name: now.get("rounds", {}).get(name, 0) + 1}
    now["declined"] = [each for each in now.get("declined", []) if each != name]
    now["name"], now["step"] = name, one.steps[0].id
    if not voice.fresh(one.steps[0].say):  # every wording of it was used
        now["step"] = ""
        voice.say(words.known)
        return
    voice.say(one.begins)
    if first:
        voice.say(words.manual)
    _speak(one, one.steps[0], voice)


def _speak(one: Exercise, step: ExerciseStep, voice: "_Voice") -> None:
    """The step, or where each of its wordings was used the way to it and its hint; then how to go on."""
    words = voice.words
    told = voice.say(step.say)
    if not told:  # every wording of it was used
        told = voice.say(words.above)
        told = voice.say(step.hint) or voice.say(words.again) or told
    if told and step.reply == "done" and step.id != one.steps[-1].id:
        voice.say(words.onward)


def _onward(now: Practice, one: Exercise, act: Act, history: History, voice: "_Voice") -> None:
    """To the next step; past the last of them, the exercise is done."""
    words, ids = voice.words, [step.id for step in one.steps]
    plain = folded(history[-1][1], voice.language)
    at = ids.index(now["step"])
    if at + 1 < len(ids):
        step = one.steps[at]
        if act == "answer" and not voice.say(step.heard) and step.reply == "done":
            slow = matches(words.same, plain)
            voice.say(words.slowly if slow else words.told if len(plain.split()) >= TOLD else ())
        now["step"] = ids[at + 1]
        _speak(one, one.steps[at + 1], voice)
        return
    now["step"] = ""
    if matches(words.worse, plain) and not matches(words.same, plain):
        voice.say(words.said_worse)
        voice.say(words.stay)
        return
    kinds = ((words.same, words.said_same), (words.better, words.said_better))
    voice.say(next((bank for patterns, bank in kinds if matches(patterns, plain)), words.said_other))
    if own := _own(history):
        voice.say([Template(line).substitute(own=own) for line in words.chosen])
    voice.say(one.ends)


def _own(history: History) -> str:
    """The step the person chose in the exercise that ends now, in their words; "" for none or too much."""
    found, name = "", ""
    for at, step, text in answers_to(history):
        found, name = (found if at == name else ""), at
        if step.keeps == "chosen":
            found = " ".join(text.split()).strip(" .")
    plain = len(found.split()) <= _OWN and not re.search(r"[^\w\s,'’-]|\d", found)
    return found if plain else ""


def _another(now: Practice, history: History, voice: "_Voice") -> None:
    """Turn the open one down, and begin one of the same idea's neighbours that was not."""
    words = voice.words
    _turn_down(now, now["name"])
    down = {*now.get("declined", []), *map(of_idea, turned_down(history, voice.language))}
    every = dict.fromkeys([*words.general, *exercises()])
    left = (name for name in every if name not in down and not now.get("rounds", {}).get(name))
    if name := next(left, ""):
        voice.say(words.others)
        _begin(now, name, voice)
    else:
        now["step"] = ""
        voice.say(words.none_left)
        voice.say(words.stay)


def _leave(now: Practice, one: Exercise, voice: "_Voice") -> None:
    """The way out for whom it makes worse; that exercise is not offered again."""
    words = voice.words
    _turn_down(now, now["name"])
    now["step"] = ""
    if not voice.say(one.worse):
        voice.say(words.said_worse)
        voice.say(words.stay)
    elif one.instead and one.instead not in now.get("declined", []) and voice.say(one.offered):
        now["instead"] = one.instead


def _turn_down(now: Practice, name: str, *, only_at_first: bool = False) -> None:
    if only_at_first and now.get("step") != exercises()[name].steps[0].id:
        return
    now["declined"] = [*dict.fromkeys([*now.get("declined", []), name])]


class _Voice:
    """One reply in the making; a variant with a sentence said before is passed over."""

    def __init__(self, said: Iterable[str], seed: int, language: str) -> None:
        self.out: list[str] = []
        self.language = language
        self.words = load_practice_words(language)
        self._said = set(said)
        self._seed = seed

    def fresh(self, texts: Sequence[str]) -> list[str]:
        """The first variant, in this round's order, of which nothing was said yet, as sentences."""
        start = self._seed % len(texts) if texts else 0
        cut = (sentences(text) for text in (*texts[start:], *texts[:start]))
        return next((lines for lines in cut if not self._said.intersection(lines)), [])

    def say(self, texts: Sequence[str]) -> bool:
        """Say one; False when all were said."""
        lines = self.fresh(texts)
        self.out += lines
        self._said.update(lines)
        return bool(lines)


def _turn_plan(one: Exercise) -> Plan:
    return Plan(
        move="practice",
        steps=[Step(step="helping", why=one.why)],
        intent="suggesting",
        stage="act",
        topic="general",
        feeling="",
        ask=False,
        offer="",
        words=WORDS,
        careful=True,
    )
