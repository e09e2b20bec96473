"""What is seen from outside: counts and times for Prometheus, spans for OpenTelemetry, a line a request.

Routes stand as they were declared, so no id is in them; nothing here ever carries an owner or a word.
"""

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry import trace
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

if TYPE_CHECKING:
    from graph import Turn

__all__ = ["Metrics"]

log = logging.getLogger("hearken.requests")
SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)


class Metrics:
    """The counters of one app."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        # the registry has to be given each by name
        of: dict[str, Any] = {"registry": self.registry}
        self.requests = Counter("hearken_requests", "Requests", ["route", "method", "status"], **of)
        self.seconds = Histogram(
            "hearken_request_seconds", "Seconds of a request", ["route"], buckets=SECONDS, **of
        )
        self.turns = Counter("hearken_turns", "Turns", ["risk", "escalated", "responder"], **of)
        self.turn_seconds = Histogram(
            "hearken_turn_seconds", "Seconds of a turn, waiting included", ["way"], buckets=SECONDS, **of
        )
        self.replaced = Counter("hearken_sentences_replaced", "Sentences the guard took out", **of)
        self.unsaved = Counter("hearken_turns_unsaved", "Turns answered without the store", **of)
        self.refused = Counter("hearken_refused", "Turns refused at the door", ["why"], **of)
        self.waiting = Gauge("hearken_turns_waiting", "Turns that wait for a worker or are answered", **of)

    def text(self) -> bytes:
        """Everything, as Prometheus reads it."""
        return generate_latest(self.registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """A request is over."""
        self.requests.labels(route, method, str(status)).inc()
        self.seconds.labels(route).observe(seconds)
        told = {"route": route, "method": method, "status": status, "ms": round(seconds * 1000, 1)}
        log.info("request", extra={"told": told})

    @contextmanager
    def turn(self, way: str, begun: float) -> Iterator[trace.Span]:
        """A turn; `way` is crisis or ordinary, `begun` when it was asked for (time.perf_counter)."""
        with trace.get_tracer("hearken").start_as_current_span(
            "turn", attributes={"hearken.way": way}, record_exception=False
        ) as span:
            yield span
        self.turn_seconds.labels(way).observe(time.perf_counter() - begun)

    def answered(self, span: trace.Span, turn: "Turn") -> None:
        """What a turn came to."""
        self.turns.labels(turn.risk, str(turn.escalated).lower(), turn.responder).inc()
        self.replaced.inc(len(turn.replaced))
        self.unsaved.inc(not turn.saved)
        span.set_attribute("hearken.risk", turn.risk)
        span.set_attribute("hearken.responder", turn.responder)
        for step, milliseconds in turn.milliseconds.items():
            span.set_attribute(f"hearken.ms.{step}", milliseconds)
