"""The cues a sentence was found to hold, and which of them only repeat what it tells of somebody else.

Plain values and small functions for agent/reading/rules.py; knows nothing of patterns.
"""

from dataclasses import dataclass, replace

from agent.reading.ladder import Cue, Level, Subject, at_least
from agent.reading.riskwords import RuleWords, Turned

__all__ = ["Found", "Read", "Sentence", "as_cue", "owned", "set_aside", "turn"]


_REACH = 6  # words; what excuses a cue must stand near it
_OWN = frozenset({"i", "me", "us", "we", "myself"})
# What one person at a time does or suffers, so that a third-person cue says whose it is.
_BODILY = frozenset({"suicide", "self_harm", "overdose", "medical", "substance"})


@dataclass(frozen=True)
class Found:
    """A cue in one sentence, by word numbers of that sentence."""

    rule: RuleWords
    level: Level
    subject: Subject
    past: bool
    first: int
    last: int


@dataclass(frozen=True)
class Sentence:
    """A folded sentence, the offset of each of its words, and (name, start, end) of what stands in it."""

    text: str
    starts: tuple[int, ...]
    around: tuple[tuple[str, int, int], ...]

    def has(self, name: str) -> bool:
        return any(name == other for other, _, _ in self.around)

    def silences(self, name: str, start: int, end: int) -> bool:
        """Whether an `unless` of the rule overlaps the match or stands a few words from it."""
        near = (
            self.text[min(end, stop) : max(start, begin)]
            for other, begin, stop in self.around
            if other == name
        )
        return any(between.count(" ") <= _REACH for between in near)


@dataclass(frozen=True)
class Read:
    """A sentence read: its cues, its scenes (first and last word), and matches of rules that join."""

    sentence: Sentence
    found: list[Found]
    scenes: list[tuple[str, int, int]]
    joining: list[tuple[RuleWords, int, int]]


def owned(found: list[Found], words: list[str]) -> list[Found]:
    """The cues of a sentence, those that only repeat what it tells of somebody else made theirs.

    "My brother says he has a gun and will end it": with no "I" in between, the gun is the brother's.
    """
    others = [cue for cue in found if cue.rule.subject != "self" and cue.rule.kind in _BODILY]
    kept: list[Found] = []
    for cue in found:
        owner = next((other for other in others if _repeats(cue, other, words)), None)
        if owner is None:
            kept.append(cue)
        elif cue.rule.kind in _BODILY:
            kept.append(replace(cue, subject=owner.subject))
    return kept


def _repeats(cue: Found, other: Found, words: list[str]) -> bool:
    near = cue.subject == "self" and other.first <= cue.first <= other.last + _REACH
    theirs = cue.rule.kind in _BODILY or cue.rule.id == "abuse.danger_now"
    between = words[other.first : max(cue.last, other.last) + 1]
    return near and theirs and at_least(other.level, "moderate") and _OWN.isdisjoint(between)


def turn(level: Level, turned: Turned) -> Level:
    """What is left of a level once its cue is denied, over or invented: never more than it was."""
    if turned == "keep":
        return level
    lower: Level = "none" if turned == "drop" else turned
    return level if at_least(lower, level) else lower


def set_aside(found: Found) -> list[Found]:
    """What is left of a plain statement once something sets it aside: as much as if it were long over."""
    level = turn(found.level, "drop" if found.rule.past == "keep" else found.rule.past)
    return [] if level == "none" else [replace(found, level=level, past=True)]


def as_cue(found: Found, span: list[int]) -> Cue:
    rule = found.rule
    loud = at_least(found.level, "moderate")
    return Cue(
        rule=rule.id,
        kind=rule.kind,
        subject=found.subject,
        level=found.level,
        escalate=loud and rule.escalate if rule.escalate is not None else loud,
        past=found.past,
        marks=[
            *rule.marks,
            *([f"context:{rule.in_context}"] if rule.in_context else []),
            *([f"sign:{rule.sign}"] if rule.sign else []),
        ],
        span=span,
    )
