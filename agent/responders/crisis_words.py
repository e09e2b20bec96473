"""The words of the crisis reply: their schema, which of them fit a moment, and how a helpline is put.

Reads `words/crisis.yaml`. It knows nothing of what a conversation needs next, nor of risk: it is told
the moment (`Scene`) and answers with sentences that fit it and were not said before.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from string import Template
from typing import Literal

from pydantic import Field

from agent.brief import Step
from agent.reading.ladder import Answer, Kind, Level, Subject
from agent.words import Strict, load, named

__all__ = [
    "Ask",
    "Entry",
    "Phase",
    "Scene",
    "Words",
    "echo",
    "fill",
    "fits",
    "heard",
    "load_words",
    "marks_of",
    "oldest",
    "options",
    "same",
    "slots_of",
    "universal",
]

# Characters read of either end of a message for what shapes the reply; for danger all of it is read.
_ENDS = 4000

Contact = Mapping[str, str]
Phase = Literal["first", "again", "memory"]
StepName = Literal["emotion", "mirroring", "perspective", "listening", "tailored", "helping", "yielding"]


class Entry(Strict):
    """Conditions, each met by any one of what it lists; an empty one is always met."""

    phase: tuple[Phase, ...] = ()
    kinds: tuple[Kind, ...] = ()
    subjects: tuple[Subject, ...] = ()
    levels: tuple[Level, ...] = ()
    marks: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    answers: tuple[Answer, ...] = ()
    asked: tuple[str, ...] = ()


class Spoken(Entry):
    """Sentences, and when they fit."""

    say: tuple[str, ...]


class Frame(Entry):
    """The elements of a reply in order; one ending in "?" may be left out."""

    say: str


class Ask(Spoken):
    """A question, and the level that an answer to it would mean."""

    id: str
    pending: dict[Answer, Level] = Field(default_factory=dict)


class Echo(Strict):
    """What to say when one of these phrases stands in the message."""

    hears: tuple[str, ...]
    say: tuple[str, ...]


class Tongue(Strict):
    """The short reply in another language."""

    emergency: str
    reply: tuple[str, ...]
    again: tuple[str, ...]


class Why(Strict):
    """How an element is shown in the panel."""

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
    frames: tuple[Frame, ...]
    elements: dict[str, tuple[Spoken, ...]]
    asks: tuple[Ask, ...]
    wonders: tuple[Ask, ...] = ()
    misheard: tuple[str, ...] = ()
    heard: dict[str, tuple[str, ...]]
    echoes: tuple[Echo, ...]
    steps: dict[str, Why]
    languages: dict[str, Tongue]

    def step(self, element: str) -> list[Step]:
        """What the panel says about an element; nothing for one that needs no word."""
        why = self.steps.get(element.split("+", maxsplit=1)[0])
        return [Step(step=why.step, why=why.why)] if why else []


@dataclass(frozen=True)
class Scene:
    """Everything the choice of a sentence may depend on.

    unanswered: the question in `asked` is a direct one and waits for its answer. said: every sentence
    said so far, in the form of `same`, and its place.
    """

    phase: Phase
    level: Level
    kinds: tuple[Kind, ...]
    subject: Subject
    marks: frozenset[str]
    answers: frozenset[Answer]
    asked: str
    unanswered: bool
    slots: Mapping[str, str]
    said: Mapping[str, int]
    seed: int


@cache
def load_words(language: str = "en") -> Words:
    """crisis.yaml of a language, read once. Raises WordsError when it is damaged."""
    return load(named("crisis.yaml", language), Words)


def fits(entry: Entry, scene: Scene, kinds: Iterable[Kind] | None = None) -> bool:
    """Whether the entry suits the scene; of the kinds only the worst counts unless others are given."""
    wanted: list[tuple[Sequence[str], Iterable[str]]] = [
        (entry.phase, {scene.phase}),
        (entry.kinds, scene.kinds[:1] if kinds is None else kinds),
        (entry.subjects, {scene.subject}),
        (entry.levels, {scene.level}),
        (entry.marks, scene.marks),
        (entry.answers, scene.answers),
        (entry.asked, {scene.asked}),
    ]
    if not scene.marks.isdisjoint(entry.unless):
        return False
    return all(not needs or not set(needs).isdisjoint(have) for needs, have in wanted)


def fill(say: Sequence[str], scene: Scene) -> list[str]:
    """The sentences in this seed's order, slots filled; one that names what we do not have is left out."""
    turned = [*say[scene.seed % len(say) :], *say[: scene.seed % len(say)]]
    templates = [Template(line) for line in turned]
    return [t.substitute(scene.slots) for t in templates if set(t.get_identifiers()) <= scene.slots.keys()]


def options(words: Words, element: str, scene: Scene, only: Collection[str] = ()) -> Iterator[str]:
    """Filled sentences of the first fitting entry that still has one unsaid.

    only: marks of which an entry must name one that stands in the scene; none where any entry will do.
    """
    for entry in words.elements.get(element, ()):
        if only and scene.marks.isdisjoint(set(only).intersection(entry.marks)):
            continue
        if fits(entry, scene):
            unsaid = [line for line in fill(entry.say, scene) if same(line) not in scene.said]
            if unsaid:
                yield from unsaid
                return
    if element == "emergency":
        yield oldest(words, element, scene)


def oldest(words: Words, element: str, scene: Scene) -> str:
    """When every wording is spent: the one said longest ago; "" when none fits."""
    lines = [
        line for entry in words.elements[element] if fits(entry, scene) for line in fill(entry.say, scene)
    ]
    return min(lines, key=lambda line: scene.said.get(same(line), -1), default="")


def same(sentence: str) -> str:
    """A sentence in the form in which two of them are compared."""
    return " ".join(sentence.casefold().split())


def echo(words: Words, text: str, said: Mapping[str, int]) -> Iterator[str]:
    """Sentences on what the person said weighs on them, unless they deny it."""
    plain = _plain(text)
    for each in words.echoes:
        if any(_hears(plain, phrase) for phrase in each.hears):
            yield from (line for line in each.say if same(line) not in said)


def heard(words: Words, text: str) -> set[str]:
    """Names of what a message does besides answering, as crisis.yaml lists them; "silent" for no words."""
    plain = _plain(text)
    bare = re.sub(r"[^\w' ]", "", plain).strip()
    found = {
        name
        for name, phrases in words.heard.items()
        if any(bare == phrase[1:] if phrase.startswith("=") else _hears(plain, phrase) for phrase in phrases)
    }
    return found if bare else {"silent"}


def _plain(text: str) -> str:
    if len(text) > 2 * _ENDS:
        text = f"{text[:_ENDS]}\n{text[-_ENDS:]}"
    return " ".join(text.lower().replace("’", "'").split())


@cache  # one for each phrase of the words: `re` itself keeps 512, and compiling costs more than a reply
def _whole(phrase: str) -> re.Pattern[str]:
    return re.compile(rf"(?<!\w){re.escape(phrase)}(?!\w)")


def _hears(plain: str, phrase: str) -> bool:
    found = _whole(phrase).search(plain)
    denied = r"\b(not|never|isn't|no longer|wasn't|ya no|nunca)(\s\w+){0,2}\s$"
    return bool(found) and not re.search(denied, plain[: found.start()] if found else "")


def universal(tongue: Tongue, scene: Scene, contacts: Sequence[Contact]) -> list[str]:
    """The short reply in another language, with the same numbers."""
    emergency = [contact for contact in contacts if contact["category"] == "emergency"]
    lines = [contact for contact in contacts if contact["category"] != "emergency"]
    slots = {"emergency": _reach(emergency[0]) if emergency else tongue.emergency}
    slots |= {"line": f"{_name(lines[0])} ({_reach(lines[0])})"} if lines else {}
    for block in (tongue.reply, tongue.again):
        unsaid = [line for line in _in_order(block, slots) if same(line) not in scene.said]
        if unsaid:
            return unsaid
    return _in_order(tongue.reply, slots)


def _in_order(block: Sequence[str], slots: Mapping[str, str]) -> list[str]:
    templates = [Template(line) for line in block]
    return [t.substitute(slots) for t in templates if set(t.get_identifiers()) <= slots.keys()]


def slots_of(words: Words, contacts: Sequence[Contact], shown: Sequence[str]) -> dict[str, str]:
    """What a sentence may name: $emergency, $line, $second, $text, $other_text, $site."""
    lines = [contact for contact in contacts if contact["category"] != "emergency"]
    fresh = [contact for contact in lines[1:] if contact["name"] not in shown] or lines[1:]
    slots = {
        "emergency": next((c["phone"] for c in contacts if c["category"] == "emergency"), words.emergency)
    }
    writing = [contact for contact in lines if _texts(contact)]
    chosen = {
        "line": lines[:1],
        "second": fresh[:1],
        "text": writing[:1],
        "other_text": [] if writing[:1] == lines[:1] else writing[:1],
    }
    slots |= {name: _line(words, found[0]) for name, found in chosen.items() if found}
    pages = [_site(contact) for contact in lines if contact["chat_url"]]
    return slots | ({"site": pages[0]} if pages else {})


def marks_of(contacts: Sequence[Contact]) -> set[str]:
    """What the first line can do: "directory", "all_hours", "can_text" and, for both, "text_any_hour"."""
    lines = [contact for contact in contacts if contact["category"] != "emergency"][:1]
    marks = {"directory" for line in lines if line["category"] == "directory"}
    marks |= {"all_hours" for line in lines if line["hours"].startswith("24/7")}
    marks |= {"can_text" for line in lines if _texts(line)}
    return marks | ({"text_any_hour"} if {"all_hours", "can_text"} <= marks else set())


def _line(words: Words, contact: Contact) -> str:
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


def _reach(contact: Contact) -> str:
    return contact["phone"] or contact["sms"] or _site(contact)


def _name(contact: Contact) -> str:
    return re.split(r"\s*(?:\(|\s/\s)", contact["name"])[0].rstrip("?").strip()


def _site(contact: Contact) -> str:
    return re.sub(r"^https?://(www\.)?", "", contact["chat_url"]).rstrip("/")


def _texts(contact: Contact) -> bool:
    return bool(contact["sms"]) and "via site" not in contact["sms"]
