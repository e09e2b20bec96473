"""Where the word classes of a message stand, and what rules that join several of them may conclude from it.

A message that tells of danger in passing names it in pieces: the tablets, the hour, the letter on the
table. Each piece is harmless alone. Rules with `reach` hear them together. Knows the places of named
scenes in one message; nothing of levels, and nothing of other messages.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cache

from agent.reading.ladder import Subject

__all__ = ["Spots", "any_of", "owner", "turns_to_self"]

_SELF = frozenset({"i", "we", "me", "myself"})
_OTHER = frozenset({
    "he", "she", "they", "him", "her", "them", "himself", "herself", "someone", "somebody", "friend", "mate",
    "pal", "bestie", "roommate", "flatmate", "housemate", "girlfriend", "boyfriend", "partner", "wife",
    "husband", "mom", "mother", "dad", "father", "brother", "sister", "cousin", "aunt", "uncle", "grandma",
    "grandpa", "gran", "nan", "nana", "granny", "granda", "grandad", "granddad", "grandmother", "grandfather",
    "neighbor", "coworker", "colleague", "fiance", "fiancee", "ex", "widow", "widower", "tenant", "lodger",
    "bloke", "guy", "man", "woman", "lad", "lass", "patient", "client", "boss", "teammate", "sibling",
})  # fmt: skip
_GIVES = frozenset({"gave", "give", "given", "giving", "handed", "told", "sent", "texted"})
_CHILD = frozenset({
    "son", "daughter", "kid", "child", "baby", "toddler", "newborn", "infant", "boy", "girl", "nephew",
    "niece", "pupil", "student", "stepson", "stepdaughter", "grandson", "granddaughter", "twins", "teenager",
})  # fmt: skip

_JOINS = frozenset({"and", "but", "so", "now", "because", ","})
_THINKS = frozenset({"think", "know", "believe", "heard", "guess", "fear", "worry", "suspect"})


@dataclass
class Spots:
    """Every scene found in a message: name -> places, each (form, first word, last word)."""

    places: dict[str, list[tuple[int, int, int]]] = field(default_factory=dict)

    def add(self, name: str, form: int, first: int, last: int) -> None:
        self.places.setdefault(name, []).append((form, first, last))

    def near(self, wanted: Sequence[str], form: int, cue: tuple[int, int], reach: int | None) -> bool:
        """Whether one of `wanted` stands within `reach` words of the cue; with None, anywhere at all.

        What is joined to a cue must be told in words of its own: a place that shares words with it is none.
        """
        spots = (spot for name in wanted for spot in self.places.get(name, ()))
        if reach is None:
            return any(True for _ in spots)
        begin, end = cue
        return any(
            other == form and abs(first - begin) <= reach and (first > end or last < begin)
            for other, first, last in spots
        )

    def told(self, names: Iterable[str], form: int, since: int, until: int) -> bool:
        """Whether one of `names` stands among the words from `since` up to `until`.

        What comes after the sentence of a cue is never asked for, so that appending text takes nothing back.
        """
        spots = (spot for name in names for spot in self.places.get(name, ()))
        return any(other == form and since <= first < until for other, first, _ in spots)


@cache
def any_of(need: str) -> tuple[str, ...]:
    """The scenes of which a need asks for one: "a | b"."""
    return tuple(name.strip() for name in need.split("|"))


def owner(words: Sequence[str], last: int, fallback: Subject) -> Subject:
    """Whom the cue that ends at word `last` is about, by the person named last before its end; who is given
    or told something ("gave my sister the cat") is not."""
    for at in range(last, -1, -1):
        word = words[at]
        if word in _SELF:
            return "self"
        if not _GIVES.isdisjoint(words[max(0, at - 2) : at]):
            continue
        if word in _CHILD:
            return "child"
        if word in _OTHER:
            return "other"
    return fallback


def acts(words: Sequence[str], first: int) -> bool:
    """Whether the one who writes does what is told from word `first` on: "I know where he drinks".

    Whom it is done to is often named in the words themselves, and is not whom the danger comes from.
    """
    return not {"i", "we"}.isdisjoint(words[max(0, first - 2) : first + 1])


def turns_to_self(words: Sequence[str]) -> bool:
    """Whether a match that begins with somebody else is in the end about the one who writes.

    "My girlfriend dumped me and I want to die": joined on with "and I", and nobody else is named after it.
    """
    turned = False
    for before, word, after in zip(words, words[1:], (*words[2:], ""), strict=False):
        if word == "i" and before in _JOINS and after not in _THINKS:
            turned = True
        elif word in _OTHER or word in _CHILD:
            turned = False
    return turned
