"""The guided responder's sentences, as data: banks per EMPATHY step, moves with their ways, and cues.

Schemas, one loader and a stable shuffle for agent/words/replies_*.yaml. Knows nothing of when a
sentence is said.
"""

import re
import zlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Literal

from agent.guesses import load_guesses
from agent.suits import KINDS, Placed
from agent.words import Strict, load, named

__all__ = [
    "Cues",
    "Heard",
    "Moves",
    "Replies",
    "Support",
    "Told",
    "Way",
    "bank",
    "load_replies",
    "particular",
    "placed",
    "sentences",
    "shuffled",
    "vague",
]


class Support(Strict):
    """replies_support.yaml: step -> theme or emotion family -> sentences.

    echoes: words that should not stand twice in a reply. views: words by which a clause is a forecast
    or an absolute, said back as the person's view and never as a fact; owned: beginnings of one that is
    theirs to say. passing: words of what was said in passing, which is not come back to. slight:
    beginnings of words that two messages may share without saying the same. moved: what weighs elsewhere and
    is joy behind good news ("dad cried").
    """

    reviewed_by: str | None
    echoes: tuple[str, ...]
    views: tuple[str, ...]
    owned: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    slight: tuple[str, ...] = ()
    moved: tuple[str, ...] = ()
    banks: dict[str, dict[str, tuple[str, ...]]]


class Way(Strict):
    """One way to make a move; the first whose conditions all hold is taken.

    kind: a risk kind, `other` for worry about someone else, or a language. hears: words of the message.
    when: `again` (the move was made before), `offered` (an idea was put last turn), `asked` (the last
    reply ended in a question), `question` (the message does), `no_advice`, `found` (the library had
    something), `untold` (nothing of what they told can be said back), `blank` (a first message that tells
    nothing yet), `may` (we asked whether an idea is wanted), `bare` (any that tells nothing beside what
    it asks), `repeats` (two messages before said the same; once a conversation). also: words of which one
    must stand there too; unless: none of these may. themes: only while the talk is about one of them.
    most: only where the message has no more words. say: parts in order, each with its variants. then:
    further steps.
    """

    kind: str = ""
    hears: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    most: int = 0
    when: Literal[
        "", "again", "offered", "asked", "question", "no_advice", "found", "untold", "blank", "bare",
        "repeats", "may",
    ] = ""  # fmt: skip
    say: tuple[tuple[str, ...], ...] = ()
    then: tuple[str, ...] = ()


class Moves(Strict):
    """replies_moves.yaml: move -> its ways, the most particular first."""

    reviewed_by: str | None
    moves: dict[str, tuple[Way, ...]]


class Heard(Strict):
    """Words of a message, and what answers them: said back, seen from there, asked.

    also: words of which one must stand there too. unless: words of which none may.
    """

    hears: tuple[str, ...]
    also: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    back: tuple[str, ...]
    say: tuple[str, ...]
    ask: tuple[str, ...]


class Cues(Strict):
    """replies_heard.yaml, and each file of heard/. never: words with which none of its cues is taken."""

    reviewed_by: str | None
    never: tuple[str, ...] = ()
    cues: tuple[Heard, ...]

    def all(self) -> tuple[Heard, ...]:
        """The cues, each with all the words that rule it out."""
        return tuple(cue.model_copy(update={"unless": (*cue.unless, *self.never)}) for cue in self.cues)


class Told(Strict):
    """What a message does, whatever its matter, and what answers that: said back, seen from there, asked.

    means: what it is, for people who tell messages apart. tone: of the reply. ends: the reply stops at
    what is said back and seen from there, and asks nothing. unasked: it holds only where our last reply put
    no question. sure: the probability from which it is taken, where that is more than the model's own bar.
    apt, apt_ask: further ones, true after some such messages only; said where `agent.suits` finds them to
    suit.
    """

    means: str
    tone: Literal["bright", "plain", "heavy"] = "heavy"
    ends: bool = False
    unasked: bool = False
    sure: float = 0.0
    back: tuple[str, ...] = ()
    say: tuple[str, ...] = ()
    ask: tuple[str, ...] = ()
    apt: tuple[str, ...] = ()
    apt_ask: tuple[str, ...] = ()


class Tellings(Strict):
    """replies_told.yaml: each telling by the name the reading model has for it. bright: for any of those of a
    bright tone."""

    reviewed_by: str | None
    bright: Told
    tellings: dict[str, Told]


@dataclass(frozen=True)
class Replies:
    """All authored sentences. particular: answers to particular words, by part of life (heard/). told: by
    what a message does; both English alone, as the model is. known: for each move, every sentence of it (to
    tell that it was made)."""

    banks: dict[str, dict[str, tuple[str, ...]]]
    echoes: frozenset[str]
    views: tuple[str, ...]
    owned: tuple[str, ...]
    passing: tuple[str, ...]
    slight: frozenset[str]
    moved: tuple[str, ...]
    moves: dict[str, tuple[Way, ...]]
    cues: tuple[Heard, ...]
    particular: tuple[Heard, ...]
    told: dict[str, Told]
    bright: Told
    known: dict[str, frozenset[str]]


def load_replies(language: str = "en") -> Replies:
    """A language's sentences, read once; raises WordsError, naming file and key, for a broken one."""
    return _read(language)


@cache  # by the language alone, however it is called
def _read(language: str) -> Replies:
    support = load(named("replies_support.yaml", language), Support)
    moves = load(named("replies_moves.yaml", language), Moves).moves
    known = {
        move: frozenset(one for way in ways for part in way.say for text in part for one in sentences(text))
        for move, ways in moves.items()
    }
    cues = load(named("replies_heard.yaml", language), Cues).all()
    told = load("replies_told.yaml", Tellings)
    return Replies(
        banks=support.banks,
        echoes=frozenset(support.echoes),
        views=support.views,
        owned=support.owned,
        passing=support.passing,
        slight=frozenset(support.slight),
        moved=support.moved,
        moves=moves,
        cues=cues,
        particular=tuple(cue for name in particular() for cue in load(name, Cues).all())
        if language == "en"
        else (),
        told=told.tellings if language == "en" else {},
        bright=told.bright,
        known=known,
    )


def particular() -> list[str]:
    """The files of answers to particular words, one for each part of life."""
    names = sorted(one.name for one in (files("agent.words") / "heard").iterdir())
    return [f"heard/{name}" for name in names if name.endswith(".yaml")]


def bank() -> tuple[str, ...]:
    """What may be weighed by how it fits a moment: all of an ordinary supportive reply that has no slot."""
    replies = load_replies()
    banks = (text for keyed in replies.banks.values() for texts in keyed.values() for text in texts)
    cues = (text for cue in replies.cues for text in (*cue.back, *cue.say, *cue.ask))
    told = (
        text for one in (replies.bright, *replies.told.values()) for text in (*one.back, *one.say, *one.ask)
    )
    return tuple(dict.fromkeys(text for text in (*banks, *cues, *told) if "$" not in text))


def _toned(step: str, key: str) -> str:
    """The tone of a bank's sentences, "" where it is any."""
    if key in {"joy", "glad"}:
        return "bright"
    return "heavy" if step == "emotion" else ""


def placed() -> tuple[Placed, ...]:
    """Every sentence of an ordinary supportive reply, templates too, and where it stands."""
    replies = load_replies()
    banks = (
        Placed(text, step, tone=_toned(step, key))
        for step, keyed in replies.banks.items()
        if step in KINDS
        for key, texts in keyed.items()
        for text in texts
    )
    parts = ("back", "say", "ask")
    cues = (
        Placed(text, f"{kind}.{part}")
        for kind, each in (("cue", replies.cues), ("heard", replies.particular))
        for cue in each
        for part in parts
        for text in getattr(cue, part)
    )
    told = (
        Placed(text, f"told.{part}", name, one.tone)
        for name, one in (*replies.told.items(), ("", replies.bright))
        for part in (*parts, "apt", "apt_ask")
        for text in getattr(one, part)
    )
    guess = (Placed(text, "guess") for one in load_guesses().guesses for text in one.say)
    found: dict[str, Placed] = {}
    for one in (*banks, *cues, *told, *guess):
        found.setdefault(one.text, one)
    return tuple(found.values())


# Banks and keys whose sentences would fit whatever was said: they name nothing of the person's.
ANYBODY = {
    "mirroring": ("plain", "light"),
    "emotion": ("unsure",),
    "listening": ("general", "open", "light", "glad"),
    "invite": ("general", "light"),
    "yielding": ("general", "after"),
    "repair": ("first", "later"),
}


@cache
def vague(language: str = "en") -> frozenset[str]:
    """The sentences of a supportive reply that would fit whatever was said."""
    banks = load_replies(language).banks
    texts = (text for step, keys in ANYBODY.items() for key in keys for text in banks[step].get(key, ()))
    return frozenset(one for text in texts if "$" not in text for one in sentences(text))


def sentences(text: str) -> list[str]:
    """`text` cut after . ? … where a space follows."""
    return [part for part in re.split(r"(?<=[.?…])\s+", text.strip()) if part]


def shuffled(key: str, count: int) -> list[int]:
    """range(count) in an order that depends on `key` only, alike on every machine (splitmix64)."""
    start, mask = zlib.crc32(key.encode("utf-8", "replace")), 0xFFFFFFFFFFFFFFFF

    def place(at: int) -> int:
        number = (start + (at + 1) * 0x9E3779B97F4A7C15) & mask
        number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 & mask
        number = (number ^ number >> 27) * 0x94D049BB133111EB & mask
        return number ^ number >> 31

    return sorted(range(count), key=place)
