"""Run something that may block, and stop waiting for it in time.

Python cannot stop a thread, so work that overruns is abandoned and no turn waits for it: its result is
thrown away and it holds no lock of ours. A program that ends may `settle` first. Knows nothing of what it
runs.
"""

import math
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from agent.errors import HearkenError

__all__ = ["PartFailed", "pump", "settle", "within"]

T = TypeVar("T")

# How far a producer may run ahead of who takes.
AHEAD = 16
WORKER = "hearken-worker"


class PartFailed(HearkenError):
    """A part of a turn raised or overran; the cause says which. The turn goes on without it."""


class _End:
    """What the worker puts last: how it ended."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


def pump(seconds: float, produce: Callable[[], Iterable[T]]) -> Iterator[T]:
    """Yield what `produce` yields, from a worker thread.

    Raises PartFailed once `seconds` have passed since the start, whatever else is pending, and
    when `produce` raised anything.
    """
    items: queue.Queue[T | _End] = queue.Queue(maxsize=AHEAD)
    abandoned = threading.Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            for item in produce():
                if not _handed(items, item, abandoned):
                    return
        except BaseException as raised:  # noqa: BLE001 - raised in the caller's thread as PartFailed
            error = raised
        _handed(items, _End(error), abandoned)

    # A bare thread: the caller's LangChain callbacks must not see what a model inside says unguarded.
    threading.Thread(target=work, daemon=True, name=WORKER).start()
    end = time.monotonic() + seconds
    try:
        while True:
            left = end - time.monotonic()
            try:
                item = items.get(timeout=left) if left > 0 else _End(TimeoutError())
            except queue.Empty:
                item = _End(TimeoutError())
            if isinstance(item, _End) and isinstance(item.error, TimeoutError):
                raise PartFailed(f"No answer within {seconds:g} s.")
            if isinstance(item, _End):
                if item.error is not None:
                    raise PartFailed(f"It raised {type(item.error).__name__}.") from item.error
                return
            yield item
    finally:
        abandoned.set()


def _handed(items: "queue.Queue[T | _End]", item: T | _End, abandoned: threading.Event) -> bool:
    """Put `item` where the caller takes it; False once the caller has gone."""
    while not abandoned.is_set():
        try:
            items.put(item, timeout=0.1)
        except queue.Full:
            continue
        return True
    return False


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call`, or PartFailed when it raised or once `seconds` have passed.

    Endless `seconds` need no thread of their own.
    """
    if math.isinf(seconds):
        try:
            return call()
        except Exception as raised:
            raise PartFailed(f"It raised {type(raised).__name__}.") from raised
    return next(iter(pump(seconds, lambda: (call(),))))


def settle(seconds: float) -> None:
    """Wait for abandoned work, at most `seconds` for all of it.

    For the end of a program: native code that is torn down while it loads may crash it.
    """
    end = time.monotonic() + seconds
    for thread in threading.enumerate():
        if thread.name == WORKER:
            thread.join(max(0.0, end - time.monotonic()))
