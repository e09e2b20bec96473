"""Whether a backend answers: it is made ready and asked for one harmless reply.

Nothing is switched and nothing is kept. Knows nothing of how it is shown, nor of what there is to choose.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from agent.backends import Backend
from agent.brief import Brief, Plan, Reading
from agent.errors import ResponderError
from agent.sentences import split
from agent.settings import Settings
from graph.backends import Verdict, worded
from graph.deadline import PartFailed, pump

__all__ = ["Tried", "as_brief", "as_verdict", "try_backend"]

TICK = 0.5  # seconds between two words on how a trial goes
FIRST = 60.0  # seconds that a model may take to get ready in a trial


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial came to. says: a problem in one sentence, "" for none. Seconds from the request on."""

    ok: bool
    says: str
    ready: float = 0.0
    first: float = 0.0
    whole: float = 0.0
    sentences: int = 0
    words: int = 0


def _untold(doing: str, seconds: float) -> None:
    del doing, seconds


def try_backend(
    backend: Backend,
    settings: Settings,
    *,
    seconds: float | None = None,
    prepare: float = FIRST,
    told: Callable[[str, float], object] = _untold,
) -> Tried:
    """Make the backend ready and have it answer one harmless message; nothing is switched and nothing kept.

    told: hears what is being done (`loading`, `asking`) and for how many seconds. Never raises for a
    backend's own failures: `says` tells what to do.
    """
    limit = seconds or settings.reply_seconds
    wording, begun = worded(backend, limit), time.monotonic()
    wording.anew()  # a failure of before is no verdict on now
    trouble = wording.prepare(min(TICK, prepare))
    while trouble and wording.loading() and time.monotonic() - begun < prepare:
        told("loading", time.monotonic() - begun)
        trouble = wording.prepare(TICK)
    if trouble:
        return Tried(ok=False, says=trouble)
    ready, first = time.monotonic() - begun, 0.0
    said: list[str] = []
    told("asking", 0.0)
    begun = time.monotonic()
    try:
        for sentence in pump(limit, lambda: wording.respond(as_brief("I had a long day and feel tired."))):
            first = first or time.monotonic() - begun
            said.append(sentence)
    except PartFailed as error:
        cause = error.__cause__
        return Tried(ok=False, says=str(cause if isinstance(cause, ResponderError) else error), ready=ready)
    whole, words = time.monotonic() - begun, len(" ".join(said).split())
    ok = bool(said and split(" ".join(said)))
    return Tried(ok, "" if ok else "It said nothing.", ready, first, whole, len(said), words)


def as_brief(text: str, **changes: Any) -> Brief:
    """What a responder gets for a first message of somebody who wants to be heard."""
    step: Plan = {
        "move": "support",
        "steps": [{"step": "mirroring", "why": ""}, {"step": "listening", "why": ""}],
        "intent": "acknowledging",
        "stage": "explore",
        "topic": "general",
        "feeling": "",
        "ask": True,
        "offer": "",
        "words": 60,
        "careful": False,
    }
    reading = Reading(
        emotions=[], intents=[], sure=False, wants=["vent"], language="en", cues=[[]], degraded=False,
        heads={}, evidence=[],
    )  # fmt: skip
    base = Brief(
        text=text, history=[("user", text)], reading=reading, level="none", plan=step, passages=[],
        person={}, said=[], seed=0,
    )  # fmt: skip
    return {**base, **changes}  # type: ignore[typeddict-item]


def as_verdict(tried: Tried) -> Verdict:
    """A trial as plain data."""
    return {
        "ok": tried.ok,
        "says": tried.says,
        "ready_seconds": round(tried.ready, 2),
        "first_seconds": round(tried.first, 2),
        "seconds": round(tried.whole, 2),
        "words": tried.words,
    }
