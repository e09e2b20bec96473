"""The risk ladder: five levels, what each cue is about, and the plain-data shapes that carry them.

One ladder for code, cards and tests, aligned with the C-SSRS screener and one step stricter than
it, because nobody examines the person afterwards. Knows nothing of how a cue is found.
"""

from collections.abc import Iterable
from typing import Literal, TypedDict

__all__ = [
    "ANSWERS",
    "KINDS",
    "LEVELS",
    "Answer",
    "Cue",
    "Kind",
    "Level",
    "Risk",
    "Subject",
    "at_least",
    "worst",
]

Level = Literal["none", "low", "moderate", "high", "imminent"]
Kind = Literal[
    "suicide",
    "self_harm",
    "overdose",
    "medical",
    "harm_to_others",
    "psychosis",
    "mania",
    "abuse",
    "sexual_assault",
    "minor",
    "eating_disorder",
    "substance",
    "medication",
    "perinatal",
    "bereaved",
    "distress",
]
Subject = Literal["self", "other", "child"]
Sign = Literal[
    "finished",
    "leaving",
    "no_tomorrow",
    "means",
    "burden",
    "parting",
    "shift",
    "unasked",
    "stopped",
    "shakes",
    "pictures",
    "unreal",
    "command",
    "chest",
    "arm",
    "sweat",
    "starving",
    "faint",
    "thrown_out",
    "nowhere",
    "sleepless",
    "grand",
    "spending",
]
Answer = Literal[
    "yes",
    "no",
    "denial",
    "explained",
    "misheard",
    "safer",
    "refusal",
    "alone",
    "with_someone",
    "hold_time",
    "police_fear",
    "cannot_speak",
    "nobody",
    "tried_already",
    "no_credit",
    "no_phone",
    "reached",
]

LEVELS: tuple[Level, ...] = ("none", "low", "moderate", "high", "imminent")
KINDS: tuple[Kind, ...] = Kind.__args__  # type: ignore[attr-defined]
ANSWERS: tuple[Answer, ...] = Answer.__args__  # type: ignore[attr-defined]


class Cue(TypedDict):
    """One sign found in one message.

    span: [start, end) in the message as typed. escalate: whether the cue alone calls for the
    crisis branch. past: told as clearly over. marks: what makes it worse or shapes the reply
    (`means`, `time`, `plan`, `command_voice`, `afraid_of_reader`, `language`, ...; `context:high`:
    counts as high once there is danger already). Level `none` says nothing by itself.
    """

    rule: str
    kind: Kind
    subject: Subject
    level: Level
    escalate: bool
    past: bool
    marks: list[str]
    span: list[int]


class Risk(TypedDict):
    """What the conversation, up to this turn, says about danger. Plain data, kept in the checkpoint.

    level: of this turn, the floor carried from earlier turns included. escalate: routes to the
    crisis branch. fresh: a cue was heard in this very message. kinds and subject: worst first.
    peak: the highest level so far. floor: the
    level this turn may not fall below. quiet: turns since the last cue. relieved: turns since the
    person gave a reason why the danger has passed, that one counted; 0 when they gave none.
    seen: how many of the person's messages are folded in. reasons: plain sentences for the panel.
    degraded: a part that should have looked could not. answers: how the person answered what was asked.
    lately: for each of the last messages, oldest first, `loss` when it told of one and
    `sign:NAME:SUBJECT` for each sign in it, else empty.
    """

    level: Level
    escalate: bool
    fresh: bool
    kinds: list[Kind]
    subject: Subject
    marks: list[str]
    cues: list[Cue]
    answers: list[Answer]
    peak: Level
    floor: Level
    quiet: int
    relieved: int
    seen: int
    reasons: list[str]
    degraded: bool
    lately: list[str]


def worst(levels: Iterable[Level]) -> Level:
    """The highest of the levels given; `none` when there is none."""
    return max(levels, key=LEVELS.index, default="none")


def at_least(level: Level, bar: Level) -> bool:
    """Whether `level` stands at or above `bar` on the ladder."""
    return LEVELS.index(level) >= LEVELS.index(bar)
