"""Which part is well: rules, encoder, store, index, llm, each by itself and in its time. Names no words."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from graph.deadline import PartFailed, within
from graph.hosted import Hosted, urgent

__all__ = ["readiness"]

PARTS = ("rules", "encoder", "store", "index", "llm")


def readiness(hosted: Hosted, only: Sequence[str] = PARTS) -> dict[str, dict[str, Any]]:
    """{part: {"ok", "ms"}}. llm: well too where none is used, and then `used` is false."""
    services = hosted.services

    def store() -> bool:
        with hosted.shared.transaction() as run:
            run("SELECT count(*) FROM conversations WHERE thread = ?", "")
        return True

    checks: dict[str, Callable[[], object]] = {
        "rules": lambda: urgent(services, "I want to kill myself"),
        "encoder": lambda: services.read("hello")["emotions"],
        "store": store,
        "index": lambda: services.search("hello", 1) is not None,
        "llm": lambda: True,
    }
    found = {name: _tried(services.part_seconds, checks[name]) for name in only}
    if "llm" in found:
        found["llm"]["used"] = bool(services.responder)
    return found


def _tried(seconds: float, check: Callable[[], object]) -> dict[str, Any]:
    begun = time.perf_counter()
    try:
        ok = bool(within(seconds, check))
    except PartFailed:
        ok = False
    return {"ok": ok, "ms": round((time.perf_counter() - begun) * 1000, 1)}
