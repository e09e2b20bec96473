"""How long turns take: by step, for whole turns, and on the way that danger takes. Figures only.

Own openings and the gate's messages of danger, each conversation in memory: no store, no network. The first
turn loads what is loaded once and stands by itself. Knows nothing of what a step does.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from agent.evaluate.turns import Open

__all__ = ["Taken", "latency"]

ROUNDS = 4  # times each message of danger is said, so that a p95 has something to stand on


class Taken(Protocol):
    """What of a turn is timed, as graph.Turn has it."""

    @property
    def path(self) -> list[str]:
        """The steps taken."""

    @property
    def milliseconds(self) -> dict[str, float]:
        """By step."""


def latency(
    opened: Callable[[Callable[[Taken], object]], Open],
    talks: Iterable[Sequence[str]],
    danger: Sequence[str],
    *,
    model: str,
) -> dict[str, Any]:
    """The report. opened(watch): opens conversations, `watch` being told of every turn."""
    taken: list[Taken] = []
    open_one = opened(taken.append)
    open_one()("hello")
    first = sum(taken.pop().milliseconds.values())
    for messages in [*talks, *([one] for _ in range(ROUNDS) for one in danger)]:
        say = open_one()
        for message in messages:
            say(message)
    steps: dict[str, list[float]] = {}
    ways: dict[str, list[float]] = {}
    for turn in taken:
        for step, spent in turn.milliseconds.items():
            steps.setdefault(step, []).append(spent)
        whole = sum(turn.milliseconds.values())
        for way in ("every turn", _way(turn)):
            ways.setdefault(way, []).append(whole)
    return {
        "task": "latency",
        "data": "own openings",
        "model": model,
        "first_turn_ms": round(first, 1),
        "rows": [{"view": name, **_figures(found)} for name, found in {**ways, **steps}.items()],
    }


def _way(turn: Taken) -> str:
    return next((f"turns by {step}" for step in ("crisis", "practice", "safety") if step in turn.path),
                "turns by respond")  # fmt: skip


def _figures(found: Sequence[float]) -> Mapping[str, float]:
    p50, p95 = np.percentile(found, [50, 95])
    return {"n": len(found), "p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}
