"""Stand-ins for services: functions, nothing more."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from agent.brief import Brief, Passage, Plan, Reading, Score
from agent.reading.heads import Heard
from graph.services import Services


def heard(label: str = "sad", p: float = 0.9, *, sure: bool = True, **changes: Any) -> Heard:
    """An encoder's reading with one feeling."""
    base = Heard(
        emotions=[Score(label=label, p=p)],
        intents=[Score(label="neutral", p=0.9)],
        sure=sure,
        want="",
        danger="none",
        heads={},
        evidence=[],
    )
    return {**base, **changes}  # type: ignore[typeddict-item]


def passage(**changes: Any) -> Passage:
    """A retrieved answer about grief."""
    base = Passage(
        id="p1",
        question="How do people get through the first weeks?",
        text="Small routines can carry a day.",
        topic="grief-and-loss",
        techniques=["routine"],
        source="a test library",
        score=0.8,
    )
    return {**base, **changes}  # type: ignore[typeddict-item]


def plan(**changes: Any) -> Plan:
    """A supportive turn that mirrors, then asks."""
    base = Plan(
        move="support",
        steps=[
            {"step": "mirroring", "why": "It shows what was heard."},
            {"step": "listening", "why": "Room."},
        ],
        intent="acknowledging",
        stage="explore",
        topic="general",
        feeling="lonely",
        ask=True,
        offer="",
        words=60,
        careful=False,
    )
    return {**base, **changes}  # type: ignore[typeddict-item]


def brief(text: str = "I feel alone even around people.", **changes: Any) -> Brief:
    """What a responder gets for a first message."""
    base = Brief(
        text=text,
        history=[("user", text)],
        reading=Reading(
            emotions=[Score(label="lonely", p=0.9)],
            intents=[],
            sure=True,
            wants=["vent"],
            language="en",
            cues=[[]],
            degraded=False,
            heads={},
            evidence=[],
        ),
        level="none",
        plan=plan(),
        passages=[],
        person={},
        said=[],
        seed=7,
    )
    return {**base, **changes}  # type: ignore[typeddict-item]


def danger(
    level: str = "high", kinds: Sequence[str] = ("suicide",), subject: str = "self", **more: Any
) -> Any:
    """A risk as it stands in the turn in which it was heard."""
    return {
        "level": level,
        "escalate": True,
        "fresh": True,
        "kinds": list(kinds),
        "subject": subject,
        "marks": [],
        "cues": [],
        "answers": [],
        "peak": level,
        "floor": level,
        "quiet": 0,
        "seen": 1,
        "reasons": [],
        "degraded": False,
    } | more


def services(**changes: Any) -> Services:
    """The real rules, plan, words, helplines and guard; a fake encoder, an empty library, no supporters."""
    return Services(**{"read": lambda text: heard(), "foresee": None, "fit": None, **changes})


def scripted(*replies: Sequence[str]) -> Callable[[Brief], Iterable[str]]:
    """A responder that gives each reply in turn."""
    queue = iter(replies)
    return lambda brief: next(queue)


def raising(error: Exception) -> Callable[..., Any]:
    """A function that always raises `error`."""

    def call(*args: Any, **kwargs: Any) -> Any:
        raise error

    return call
