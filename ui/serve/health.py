"""Which part is well: rules, encoder, store, index, llm, each by itself and in its time. Names no words."""

import threading
import time
import urllib.request
from collections.abc import Callable, Sequence
from typing import Any

from agent.backends import Endpoint
from agent.settings import Settings
from graph.backends import chosen
from graph.deadline import PartFailed, within
from graph.hosted import Hosted, urgent
from graph.services import Services

__all__ = ["llm_check", "readiness", "remembered"]

PARTS = ("rules", "encoder", "store", "index", "llm")
# What is long enough for the library to look for, and told nobody.
ASKED = "I feel low and do not know what to do today"
# How long an answer about the language model holds, and how long its server may take to give one.
HOLDS, ASKING = 10.0, 1.5


def readiness(
    hosted: Hosted, llm: Callable[[], bool], only: Sequence[str] = PARTS
) -> dict[str, dict[str, Any]]:
    """{part: {"ok", "ms"}}. llm: well too where none is used, and then `used` is false."""
    services = hosted.services

    def store() -> bool:
        with hosted.shared.reading() as run:
            run("SELECT count(*) FROM conversations WHERE thread = ?", "")
        return True

    checks: dict[str, Callable[[], object]] = {
        "rules": lambda: urgent(services, "I want to kill myself"),
        "encoder": lambda: services.read("hello")["emotions"],
        "store": store,
        "index": lambda: services.search(ASKED, 1) is not None,
        "llm": llm,
    }
    found = {name: _tried(services.part_seconds, checks[name]) for name in only}
    if "llm" in found:
        found["llm"]["used"] = bool(services.responder)
    return found


def llm_check(settings: Settings, services: Services) -> Callable[[], bool]:
    """Whether the language model would answer, as cheaply as can be told: nothing is generated for it.

    A server is asked for the list of its models, at most once in ten seconds; a model of this process
    is well once it is loaded.
    """
    backend = chosen(settings)
    if not services.responder:
        return lambda: True
    if isinstance(backend, Endpoint):
        key = backend.key.get_secret_value() if backend.key else None
        return remembered(lambda: _answers(f"{backend.url.rstrip('/')}/models", key))
    return lambda: not services.prepare(0.0)


def remembered(
    check: Callable[[], bool], seconds: float = HOLDS, clock: Callable[[], float] = time.monotonic
) -> Callable[[], bool]:
    """The check, whose answer holds for a while; those who ask meanwhile wait for the same one."""
    lock, kept = threading.Lock(), dict[bool, float]()

    def checked() -> bool:
        with lock:
            for answer, at in kept.items():
                if clock() - at < seconds:
                    return answer
            found = check()
            kept.clear()
            kept[found] = clock()
            return found

    return checked


def _answers(url: str, key: str | None) -> bool:
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {key}"} if key else {})  # noqa: S310 - the settings' own
    try:
        with urllib.request.urlopen(request, timeout=ASKING) as answer:  # noqa: S310 - the settings' own
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def _tried(seconds: float, check: Callable[[], object]) -> dict[str, Any]:
    begun = time.perf_counter()
    try:
        ok = bool(within(seconds, check))
    except PartFailed:
        ok = False
    return {"ok": ok, "ms": round((time.perf_counter() - begun) * 1000, 1)}
