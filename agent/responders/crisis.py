"""The crisis reply: sentences authored in `words/crisis.yaml`, assembled around the helplines given.

A frame says what the reply must hold at this level; each element is the first authored sentence that
fits the person, the danger and their last answer and was not said before; the whole stays under a
word cap. No model, no retrieval, no network, no clock. It knows nothing of where the contacts come
from nor how the risk was found, and it never judges the risk itself.

What a question's answer would mean is left in `care["pending"]`, so that a later "yes" is understood.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from string import Template
from typing import Literal, TypedDict

from pydantic import Field

from agent.brief import Plan, Step
from agent.reading.ladder import Answer, Kind, Level, Risk, Subject, at_least, worst
from agent.words import Strict, load

__all__ = ["Care", "Composed", "compose", "holds"]

CAP, CAP_IMMINENT, CAP_HELPED = 120, 80, 70
STAY_TURNS = 3
BARRIERS = ("hold_time", "police_fear", "cannot_speak", "nobody", "tried_already", "no_credit")
# Once a person asked not to be asked, only what a new and high danger makes necessary is asked.
URGENT_ASKS = ("with_someone", "safe", "apart", "done", "body")
REPEATABLE = ("", "try", "check_in")
Phase = Literal["first", "again", "memory"]
StepName = Literal["emotion", "mirroring", "perspective", "listening", "tailored", "helping", "yielding"]


class Care(TypedDict, total=False):
    """What the crisis branch did so far. Plain data, kept in the checkpoint, written only by crisis.

    turn: the last turn it spoke in. asked: id of the question asked then, or "" (`suicide`, `intent`,
    `means`, `done`, `with_someone`, `safe`, `apart`, `harm`, `body`, `check_in`, ... as in crisis.yaml).
    pending: what an answer to it would mean. questions: ids asked so far. shown, shown_turn,
    shown_level: names on cards, when, and the level they were chosen for. refused: what the person
    asked not to be asked. check_in_turn: last soft check-in. barriers: what stands between them and
    help. eased: they have cleared the danger up as a misunderstanding since.
    """

    turn: int
    asked: str
    pending: dict[str, Level]
    questions: list[str]
    shown: list[str]
    shown_turn: int
    shown_level: Level
    refused: list[str]
    check_in_turn: int
    barriers: list[str]
    eased: bool


class Composed(TypedDict):
    """The reply. elements: the name of each sentence's element ("help" for a guided sentence)."""

    sentences: list[str]
    elements: list[str]
    card: list[dict[str, str]]
    care: Care
    intent: str
    plan: Plan


class _Match(Strict):
    phase: tuple[Phase, ...] = ()
    kinds: tuple[Kind, ...] = ()
    subjects: tuple[Subject, ...] = ()
    levels: tuple[Level, ...] = ()
    marks: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    asked: tuple[str, ...] = ()


class _Entry(_Match):
    say: tuple[str, ...]


class _Frame(_Match):
    say: str


class _Ask(_Entry):
    id: str
    pending: dict[Answer, Level] = Field(default_factory=dict)


class _Echo(Strict):
    hears: tuple[str, ...]
    say: tuple[str, ...]


class _Tongue(Strict):
    emergency: str
    reply: tuple[str, ...]
    again: tuple[str, ...]


class _Why(Strict):
    step: StepName
    why: str


class Words(Strict):
    """crisis.yaml; see its header."""

    version: int
    reviewed_by: str | None
    date: object
    grade: int
    emergency: str
    ways: dict[str, str]
    wants_card: tuple[str, ...]
    frames: tuple[_Frame, ...]
    elements: dict[str, tuple[_Entry, ...]]
    asks: tuple[_Ask, ...]
    echoes: tuple[_Echo, ...]
    steps: dict[str, _Why]
    languages: dict[str, _Tongue]


@dataclass(frozen=True)
class _Scene:
    """Everything the choice of a sentence may depend on."""

    phase: Phase
    level: Level
    kinds: tuple[Kind, ...]
    subject: Subject
    marks: frozenset[str]
    answers: frozenset[Answer]
    asked: str
    slots: Mapping[str, str]
    said: Mapping[str, int]
    seed: int


def holds(risk: Risk, care: Care) -> bool:
    """Whether this turn must stay on safety; False when only memory escalates it.

    True for a cue in this message, an answer to (or silence on) the question just asked, a barrier to
    getting help, and the three turns after a high or imminent cue, unless they cleared that up as a
    misunderstanding.
    """
    if risk["fresh"] or set(risk["answers"]) & set(BARRIERS):
        return True
    recent = risk["quiet"] <= STAY_TURNS
    if risk["answers"] and (care.get("asked") or recent):
        return True
    if care.get("eased"):
        return False
    unanswered = care.get("asked", "") not in {"", "check_in"} and risk["quiet"] <= 1
    return unanswered or (recent and at_least(risk["level"], "moderate") and at_least(risk["peak"], "high"))


def compose(  # noqa: PLR0913 - the whole of what a crisis reply may depend on, each by name
    *,
    text: str,
    risk: Risk,
    care: Care,
    contacts: Sequence[Mapping[str, str]],
    said: Sequence[str],
    turn: int,
    seed: int,
    country: str | None,
    helped: Sequence[str] = (),
    language: str = "en",
) -> Composed:
    """The crisis reply to one message, whole.

    contacts: already selected and ordered. said: the assistant's sentences so far, oldest first.
    turn: number of this message. helped: the guided responder's sentences, for a turn that only
    memory escalates. language: ISO 639-1 of the message; one with words in crisis.yaml gets the short
    universal reply. Raises WordsError when crisis.yaml is damaged.
    """
    words = _words()
    scene = _scene(words, risk, care, contacts, said, seed, country)
    card = _card(words, scene, risk, care, contacts, text, turn)
    question: tuple[str, str, dict[str, Level]] = ("", "", {})
    if scene.phase != "memory" and language in words.languages:
        lines = [("step", line) for line in _universal(words.languages[language], scene, contacts)]
    else:
        if "ask" in _frame(words, scene):
            question = _question(words, scene, risk, care, turn)
        if question[0]:
            scene = replace(scene, marks=scene.marks | {"asking"})
        if care.get("refused") and _due(care, turn):
            scene = replace(scene, marks=scene.marks | {"refused"})
        lines = _assemble(words, scene, text, question[1], helped if scene.phase == "memory" else ())
    sentences = [line for _, line in lines]
    asked = question[0] if question[1] in sentences else ""
    after = _after(care, scene, card, turn, asked, question[2])
    if asked == "check_in" or "open" in dict(lines):
        after["check_in_turn"] = turn
    return Composed(
        sentences=sentences,
        elements=[name for name, _ in lines],
        card=card,
        care=after,
        intent=_intent(lines, scene),
        plan=_plan(words, lines, scene),
    )


@cache
def _words() -> Words:
    return load("crisis.yaml", Words)


def _scene(  # noqa: PLR0913, PLR0917
    words: Words,
    risk: Risk,
    care: Care,
    contacts: Sequence[Mapping[str, str]],
    said: Sequence[str],
    seed: int,
    country: str | None,
) -> _Scene:
    level = risk["level"] if at_least(risk["level"], "moderate") else "moderate"
    kinds = tuple(risk["kinds"]) or ("distress",)
    phase: Phase = (
        "first" if worst([level, care.get("shown_level", "none")]) != care.get("shown_level") else "again"
    )
    if not holds(risk, care):
        phase = "memory"
    lines = [contact for contact in contacts if contact["category"] != "emergency"]
    marks = set(risk["marks"]) | ({"no_country"} if not country else set())
    subject = risk["subject"]
    if subject == "child" and kinds[0] in {"harm_to_others", "perinatal"}:
        subject = "self"  # the person speaking is the one who may act
        marks.add("child")
    if subject == "self" and ("minor" in kinds or "minor" in marks):
        marks.add("young")
    if "cannot_speak" in (*risk["answers"], *care.get("barriers", [])):
        marks.add("cannot_speak")
    if lines:
        marks |= {"directory"} if lines[0]["category"] == "directory" else set()
        marks |= {"all_hours"} if lines[0]["hours"].startswith("24/7") else set()
        marks |= {"can_text"} if _texts(lines[0]) else set()
    return _Scene(
        phase=phase,
        level=level,
        kinds=kinds,
        subject=subject,
        marks=frozenset(marks),
        answers=frozenset(risk["answers"]),
        asked=care.get("asked", ""),
        slots=_slots(words, contacts, care.get("shown", [])),
        said={_same(sentence): place for place, sentence in enumerate(said)},
        seed=seed,
    )


def _frame(words: Words, scene: _Scene) -> list[str]:
    return next(frame.say for frame in words.frames if _fits(frame, scene)).split()


def _assemble(
    words: Words, scene: _Scene, text: str, question: str, helped: Sequence[str]
) -> list[tuple[str, str]]:
    """(element, sentence) pairs in the frame's order, within the cap for the level."""
    slots = _frame(words, scene)
    cap = CAP_IMMINENT if scene.level == "imminent" and scene.phase != "memory" else CAP
    chosen: dict[str, list[str]] = {}
    for name in (slot.rstrip("?") for slot in slots):
        if name == "ack" and scene.answers:
            name = "answer"  # noqa: PLW2901 - what they just answered is taken up first
        if name == "ask":
            chosen[name] = [question] if question else []
        elif name == "listen" and helped:
            chosen["help"] = [" ".join(_trim(helped, without_questions=bool(question)))]
        elif name == "echo":
            chosen[name] = [*_echo(words, text, scene)][:1] if scene.subject == "self" else []
        else:
            chosen[name] = [*_options(words, name, scene)]
    if not any(chosen.values()):
        chosen["answer"] = [_oldest(words, "answer", scene)]
    optional = [slot.rstrip("?") for slot in slots if slot.endswith("?")]
    return _fit(chosen, optional, cap)


def _fit(chosen: dict[str, list[str]], optional: list[str], cap: int) -> list[tuple[str, str]]:
    """Take the first option of each; over the cap, leave out what may be, then take shorter ones."""
    picked = {name: options[0] for name, options in chosen.items() if options and options[0]}

    def over() -> int:
        return sum(len(sentence.split()) for sentence in picked.values()) - cap

    for name in reversed(optional):
        if over() > 0:
            picked.pop(name, None)
    for name in sorted(picked, key=lambda each: len(picked[each].split()), reverse=True):
        if over() > 0:
            picked[name] = min(chosen[name], key=lambda option: len(option.split()))
    return list(picked.items())


def _options(words: Words, element: str, scene: _Scene) -> Iterator[str]:
    """Filled sentences of the most specific entry that still has one unsaid, in this seed's order."""
    for entry in words.elements.get(element, ()):
        if _fits(entry, scene):
            unsaid = [line for line in _filled(entry.say, scene) if _same(line) not in scene.said]
            if unsaid:
                yield from unsaid
                return
    if element == "emergency":
        yield _oldest(words, element, scene)


def _oldest(words: Words, element: str, scene: _Scene) -> str:
    """When every wording is spent: the one said longest ago."""
    lines = [
        line for entry in words.elements[element] if _fits(entry, scene) for line in _filled(entry.say, scene)
    ]
    return min(lines, key=lambda line: scene.said.get(_same(line), -1), default="")


def _filled(say: Sequence[str], scene: _Scene) -> list[str]:
    turned = [*say[scene.seed % len(say) :], *say[: scene.seed % len(say)]]
    templates = [Template(line) for line in turned]
    return [t.substitute(scene.slots) for t in templates if set(t.get_identifiers()) <= scene.slots.keys()]


def _fits(entry: _Match, scene: _Scene, kinds: Iterable[Kind] | None = None) -> bool:
    mine = set(kinds) if kinds is not None else {scene.kinds[0]}
    wanted: list[tuple[Sequence[str], Iterable[str]]] = [
        (entry.phase, {scene.phase}),
        (entry.kinds, mine),
        (entry.subjects, {scene.subject}),
        (entry.levels, {scene.level}),
        (entry.marks, scene.marks),
        (entry.answers, scene.answers),
        (entry.asked, {scene.asked}),
    ]
    return all(not needs or not set(needs).isdisjoint(have) for needs, have in wanted)


def _question(
    words: Words, scene: _Scene, risk: Risk, care: Care, turn: int
) -> tuple[str, str, dict[str, Level]]:
    """(id, sentence, what an answer would mean) of the one question due, or empty ones."""
    none: tuple[str, str, dict[str, Level]] = ("", "", {})
    refused = bool(care.get("refused")) or "refusal" in scene.answers
    if scene.phase == "memory" and (refused or not _due(care, turn)):
        return none
    waiting = scene.phase == "again" and scene.asked and not scene.answers and scene.level != "imminent"
    if waiting or scene.answers & {"refusal", "denial", "explained"}:
        return none
    done = {*care.get("questions", []), *_closed(scene)}
    urgent = risk["fresh"] and at_least(scene.level, "high")
    for ask in words.asks:
        if ask.id in done or not _fits(ask, scene, scene.kinds):
            continue
        if refused and not (urgent and ask.id in URGENT_ASKS):
            continue
        if _answered(ask.id, scene.answers):
            done.add(ask.id)
            continue
        for line in _filled(ask.say, scene):
            if _same(line) not in scene.said:
                return ask.id, line, {str(answer): level for answer, level in ask.pending.items()}
    return none


def _due(care: Care, turn: int) -> bool:
    return turn - care.get("check_in_turn", -STAY_TURNS) >= STAY_TURNS


def _answered(ask: str, answers: frozenset[Answer]) -> bool:
    return ask == "with_someone" and bool(answers & {"alone", "with_someone", "nobody"})


def _closed(scene: _Scene) -> list[str]:
    """Questions their last answer made needless: no thought of suicide, so no means to ask about."""
    return ["means"] if "no" in scene.answers and scene.asked in {"suicide", "intent", "check_in"} else []


def _echo(words: Words, text: str, scene: _Scene) -> Iterator[str]:
    """A sentence on what the person said weighs on them, unless they deny it."""
    heard = " ".join(text.lower().replace("’", "'").split())
    for echo in words.echoes:
        found = re.search(rf"(?<!\w)(?:{'|'.join(map(re.escape, echo.hears))})(?!\w)", heard)
        if found and not re.search(
            r"\b(not|never|isn't|no longer|wasn't)(\s\w+){0,2}\s$", heard[: found.start()]
        ):
            yield from (line for line in echo.say if _same(line) not in scene.said)


def _trim(helped: Sequence[str], *, without_questions: bool) -> Iterator[str]:
    total = 0
    for sentence in helped:
        total += len(sentence.split())
        if total > CAP_HELPED:
            return
        if not (without_questions and "?" in sentence):
            yield sentence


def _universal(tongue: _Tongue, scene: _Scene, contacts: Sequence[Mapping[str, str]]) -> list[str]:
    slots = {"emergency": tongue.emergency}
    for contact in contacts:
        name = "emergency" if contact["category"] == "emergency" else "line"
        reach = contact["phone"] or contact["sms"] or _site(contact)
        slots.setdefault("line", f"{_name(contact)} ({reach})") if name == "line" else slots.update(
            emergency=reach
        )
    local = replace(scene, slots=slots, seed=0)
    for block in (tongue.reply, tongue.again):
        unsaid = [line for line in _filled(block, local) if _same(line) not in scene.said]
        if unsaid:
            return unsaid
    return _filled(tongue.reply, local)


def _slots(words: Words, contacts: Sequence[Mapping[str, str]], shown: Sequence[str]) -> dict[str, str]:
    lines = [contact for contact in contacts if contact["category"] != "emergency"]
    fresh = [contact for contact in lines[1:] if contact["name"] not in shown] or lines[1:]
    slots = {
        "emergency": next((c["phone"] for c in contacts if c["category"] == "emergency"), words.emergency)
    }
    chosen = {
        "line": lines[:1],
        "second": fresh[:1],
        "text": [contact for contact in lines if _texts(contact)][:1],
    }
    slots |= {name: _line(words, found[0]) for name, found in chosen.items() if found}
    pages = [_site(contact) for contact in lines if contact["chat_url"]]
    return slots | ({"site": pages[0]} if pages else {})


def _line(words: Words, contact: Mapping[str, str]) -> str:
    """A name and how to reach it: "988 Suicide & Crisis Lifeline (call or text 988)"."""
    phone, sms = contact["phone"], contact["sms"]
    digits = [re.sub(r"\D", "", number) for number in (phone, sms)]
    way = "call" if phone else "site"
    if "via site" in sms or not sms:
        pass
    elif not phone:
        way = "only_app" if sms.startswith("WhatsApp") else "text"
    elif sms.startswith("WhatsApp"):
        way = "app" if digits[1] else "same_app"
    else:
        way = "both" if digits[0] == digits[1] else "either"
    reach = Template(words.ways[way]).substitute(phone=phone, sms=sms, site=_site(contact))
    return reach if contact["category"] == "directory" else f"{_name(contact)} ({reach})"


def _name(contact: Mapping[str, str]) -> str:
    return re.split(r"\s*(?:\(|\s/\s)", contact["name"])[0].rstrip("?").strip()


def _site(contact: Mapping[str, str]) -> str:
    return re.sub(r"^https?://(www\.)?", "", contact["chat_url"]).rstrip("/")


def _texts(contact: Mapping[str, str]) -> bool:
    return bool(contact["sms"]) and "via site" not in contact["sms"]


def _same(sentence: str) -> str:
    return " ".join(sentence.casefold().split())


def _card(  # noqa: PLR0913, PLR0917
    words: Words,
    scene: _Scene,
    risk: Risk,
    care: Care,
    contacts: Sequence[Mapping[str, str]],
    text: str,
    turn: int,
) -> list[dict[str, str]]:
    """All contacts when the level rises or they ask; unseen ones at a barrier; else none for 3 turns."""
    everything = [dict(contact) for contact in contacts]
    lowered = text.lower()
    if "shown_turn" not in care or scene.phase == "first" or any(ask in lowered for ask in words.wants_card):
        return everything
    if risk["fresh"] and turn - care["shown_turn"] > STAY_TURNS:
        return everything
    if risk["fresh"] or scene.answers & set(BARRIERS):
        return [contact for contact in everything if contact["name"] not in care.get("shown", [])]
    return []


def _after(  # noqa: PLR0913, PLR0917
    care: Care,
    scene: _Scene,
    card: Sequence[Mapping[str, str]],
    turn: int,
    asked: str,
    pending: dict[str, Level],
) -> Care:
    after: Care = {
        **care,
        "turn": turn,
        "asked": asked,
        "pending": pending if asked else {},
        "questions": [
            *care.get("questions", []),
            *([asked] if asked not in REPEATABLE else []),
            *_closed(scene),
        ],
        "barriers": sorted({*care.get("barriers", []), *(scene.answers & set(BARRIERS))}),
    }
    if card:
        after["shown"] = list(dict.fromkeys([*care.get("shown", []), *(contact["name"] for contact in card)]))
        after["shown_turn"] = turn
    if card or scene.phase == "first":
        after["shown_level"] = worst([scene.level, care.get("shown_level", "none")])
    if "refusal" in scene.answers:
        after["refused"] = list(dict.fromkeys([*care.get("refused", []), scene.asked or "questions"]))
    if "explained" in scene.answers:
        after["eased"] = True
    elif scene.phase == "first":
        after["eased"] = False
    return after


def _intent(lines: Sequence[tuple[str, str]], scene: _Scene) -> str:
    if any("?" in line for _, line in lines):
        return "questioning"
    soft = scene.phase == "memory" or scene.answers & {"refusal", "denial", "explained"}
    return "consoling" if soft else "suggesting"


def _plan(words: Words, lines: Sequence[tuple[str, str]], scene: _Scene) -> Plan:
    steps = [
        Step(step=words.steps[name].step, why=words.steps[name].why)
        for name, _ in lines
        if name in words.steps
    ]
    asks = any("?" in line for _, line in lines)
    return Plan(
        move="crisis",
        steps=steps,
        intent=_intent(lines, scene),
        stage="act" if scene.level == "imminent" else "explore" if asks else "comfort",
        topic="general",
        feeling="",
        ask=asks,
        offer="",
        words=CAP_IMMINENT if scene.level == "imminent" else CAP,
        careful=True,
    )
