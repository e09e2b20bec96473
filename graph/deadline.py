"""Run something that may block, and stop waiting for it in time.

Python cannot stop a thread, so work that overruns is abandoned, never joined: its result is thrown
away and it holds no lock of ours. Knows nothing of what it runs.
"""

import contextvars
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from agent.errors import HearkenError

__all__ = ["PartFailed", "pump", "within"]

T = TypeVar("T")


class PartFailed(HearkenError):
    """A part of a turn raised or overran; the cause says which. The turn goes on without it."""


class _End:
    """What the worker puts last: how it ended."""

    def __init__(self, error: Exception | None) -> None:
        self.error = error


def pump(seconds: float, produce: Callable[[], Iterable[T]]) -> Iterator[T]:
    """Yield what `produce` yields, from a worker thread.

    Raises PartFailed once `seconds` have passed since the start, whatever else is pending, and
    when `produce` raised anything.
    """
    items: queue.SimpleQueue[T | _End] = queue.SimpleQueue()
    abandoned = threading.Event()

    def work() -> None:
        error: Exception | None = None
        try:
            for item in produce():
                if abandoned.is_set():
                    return
                items.put(item)
        except Exception as raised:  # noqa: BLE001 - handed to the caller's thread, raised there as PartFailed
            error = raised
        items.put(_End(error))

    context = contextvars.copy_context()
    threading.Thread(target=context.run, args=(work,), daemon=True, name="hearken-worker").start()
    end = time.monotonic() + seconds
    try:
        while True:
            try:
                item = items.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise PartFailed(f"No answer within {seconds:g} s.") from None
            if isinstance(item, _End):
                if item.error is not None:
                    raise PartFailed(f"It raised {type(item.error).__name__}.") from item.error
                return
            yield item
    finally:
        abandoned.set()


def within(seconds: float, call: Callable[[], T]) -> T:
    """The result of `call`, or PartFailed when it raised or once `seconds` have passed."""
    return next(iter(pump(seconds, lambda: (call(),))))
