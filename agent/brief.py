"""The plain-data shapes that pass between reading, plan, responder and guard.

Knows nothing of who fills them. Everything here is dict, list, str, int, float or bool, so that a
checkpoint keeps it exactly and a host application can read it without importing us.
"""

from collections.abc import Callable, Iterable
from typing import Literal, NotRequired, TypedDict

from agent.reading.ladder import Cue, Level

__all__ = [
    "Brief",
    "Draft",
    "Evidence",
    "Passage",
    "Person",
    "Plan",
    "Reading",
    "Replaced",
    "Respond",
    "Score",
    "Step",
    "unread",
]


class Score(TypedDict):
    """A label and its probability, 0..1."""

    label: str
    p: float


class Evidence(TypedDict):
    """A piece of the message: [start, end) in characters, and its share of what carried a call, 0..1."""

    start: int
    end: int
    weight: float


class Reading(TypedDict):
    """What one message expresses.

    emotions: the five likeliest of the 32 EmpatheticDialogues emotions, likeliest first.
    intents: the likeliest of the 9 response intents of the message's own text.
    sure: whether the first emotion is likely enough to be named. wants: what the person wants of
    this turn (`vent`, `advice`, `greeting`, ...; see agent/words/wants.yaml). language: ISO 639-1,
    `und` when it cannot be told. cues: one list per message not yet folded into the risk, the
    last one being this message's. degraded: the encoder could not look. heads: the reading model's
    other heads (see agent/reading/heads.py). evidence: the clauses that carried the first emotion.
    telling: what the message does (agent/words/replies_told.yaml), "" or absent when not sure.
    """

    emotions: list[Score]
    intents: list[Score]
    sure: bool
    wants: list[str]
    language: str
    cues: list[list[Cue]]
    degraded: bool
    heads: dict[str, list[Score]]
    evidence: list[Evidence]
    telling: NotRequired[str]


def unread(cues: list[list[Cue]], *, degraded: bool = False) -> Reading:
    """The reading of messages in which nothing but what the rules heard is known."""
    return Reading(
        emotions=[],
        intents=[],
        sure=False,
        wants=["vent"],
        language="und",
        cues=cues,
        degraded=degraded,
        heads={},
        evidence=[],
    )


class Person(TypedDict, total=False):
    """What the person told us to keep in mind in this conversation.

    country: ISO 3166-1 alpha-2, or absent when not known. name: what to call them. advice,
    questions: False when they asked for none. brief, longer: True when they asked for shorter or for
    fuller replies. plain: True when they asked for simpler words.
    language: ISO 639-1, the one chosen or last answered in; what they write plainly in another changes it.
    """

    country: str
    language: str
    name: str
    advice: bool
    questions: bool
    brief: bool
    longer: bool
    plain: bool


class Passage(TypedDict):
    """A retrieved answer, cleaned; never spoken, only shown as a source in the panel.

    score: cosine similarity, 0..1. techniques: ids of agent/words/ideas.yaml. source: where it
    comes from, in words a person can read.
    """

    id: str
    question: str
    text: str
    topic: str
    techniques: list[str]
    source: str
    score: float


class Step(TypedDict):
    """One step of EMPATHY and the reason why this turn takes it."""

    step: Literal["emotion", "mirroring", "perspective", "listening", "tailored", "helping", "yielding"]
    why: str


class Plan(TypedDict):
    """What the reply should do, decided before any word is chosen.

    move: which family of reply (`support`, `greeting`, `identity`, `frustrated`, `crisis`, ...).
    intent: one of the 9 response intents. stage: ESConv's three. topic: counselchat topic or
    `general`. feeling: the emotion to name, or "" when not sure. ask: whether one question is
    due. offer: technique id offered, or "". words: budget for the whole reply. careful: risk
    calls for authored words only (no model, no retrieval). levels: strengths that a model is asked for
    (agent/steering.py), where they do not follow from the rest.
    """

    move: str
    steps: list[Step]
    intent: str
    stage: Literal["explore", "comfort", "act"]
    topic: str
    feeling: str
    ask: bool
    offer: str
    words: int
    careful: bool
    levels: NotRequired[dict[str, int]]


class Brief(TypedDict):
    """All a responder gets. history: (role, text) pairs, oldest first, this message last.

    said: sentences the assistant already used. seed: stable for a conversation, so that the same
    conversation is answered in the same words. peak: the worst level this conversation had. seconds: how
    long wording it may take, where that is less than the responder's own limit.
    """

    text: str
    history: list[tuple[Literal["user", "assistant"], str]]
    reading: Reading
    level: Level
    plan: Plan
    passages: list[Passage]
    person: Person
    said: list[str]
    seed: int
    peak: NotRequired[Level]
    seconds: NotRequired[float]


class Replaced(TypedDict):
    """A sentence the guard took out: the rule it broke, never its text.

    by: what stands in its place, the same model asked again or the guided responder; absent for nothing.
    """

    rule: str
    position: int
    by: NotRequired[Literal["model", "guided"]]


class Draft(TypedDict):
    """What `respond` or `crisis` hands to the guard: sentences, and the helplines to show.

    offered: the technique whose idea was spoken, "" for none; it may differ from the plan's when a
    retrieved answer brought a better one.
    """

    sentences: list[str]
    card: list[dict[str, str]]
    replaced: list[Replaced]
    responder: str
    offered: str


Respond = Callable[[Brief], Iterable[str]]
