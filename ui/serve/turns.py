"""Who is answered when: ordinary turns wait for a worker, or are asked to come back; danger does neither.

The rules hear a message before anything is limited or queued. Danger, and a conversation under care, have
workers of their own, so that they never stand behind a language model. A turn once begun runs to its end,
even when nobody listens any more: its reply is there for whoever asks again. Knows nothing of HTTP.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from graph.hosted import Answered, urgent
from graph.services import Services
from graph.session import Done
from ui.serve.errors import Refused
from ui.serve.metrics import Metrics
from ui.serve.words import serve_words

__all__ = ["Turns"]

T = TypeVar("T")
# Workers for danger: each such turn takes some tens of milliseconds.
URGENT = 4
# Owners whose pace is remembered; the one longest silent is forgotten first.
OWNERS = 10_000


class _Over:
    """The last item of a turn: how it ended."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Turns:
    """The workers of one process. rate: turns a minute of one owner; waiting: turns that may queue."""

    def __init__(  # noqa: PLR0913 - settings, by name
        self,
        services: Services,
        metrics: Metrics,
        *,
        workers: int,
        waiting: int,
        rate: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services, self._metrics, self._clock = services, metrics, clock
        self._ordinary = ThreadPoolExecutor(workers, "hearken-turn")
        self._urgent = ThreadPoolExecutor(URGENT, "hearken-urgent")
        self._most, self._rate, self._now = workers + waiting, rate, 0
        self._pace: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def quickly(self, call: Callable[[], T]) -> T:
        """The result of something short, from the workers for danger."""
        return await asyncio.get_running_loop().run_in_executor(self._urgent, call)

    async def heard(self, texts: list[str]) -> bool:
        """Whether the rules hear danger in any of them."""
        return await self.quickly(lambda: any(urgent(self._services, text) for text in texts))

    async def begin(self, owner: str, danger: bool, produce: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """Have a turn answered, and give its events once the first is there.

        Raises Refused when it has to wait its turn, and what `produce` raises before its first event.
        """
        within_pace = self._paced(owner)
        words = serve_words()
        if not danger and not within_pace:
            self._metrics.refused.labels("limited").inc()
            raise Refused(429, "limited", words.limited, again=max(1, 60 // self._rate))
        if not danger and self._now >= self._most:
            self._metrics.refused.labels("crowded").inc()
            raise Refused(503, "crowded", words.crowded, again=5)
        loop, events = asyncio.get_running_loop(), asyncio.Queue[T | _Over]()
        way = "crisis" if danger else "ordinary"
        begun = time.perf_counter()

        def put(item: T | _Over) -> None:
            with suppress(RuntimeError):  # the server has stopped listening
                loop.call_soon_threadsafe(events.put_nowait, item)

        def work() -> None:
            with self._metrics.turn(way, begun) as span:
                for event in produce():
                    turn = event.turn if isinstance(event, Answered | Done) else None
                    if turn is not None:
                        self._metrics.answered(span, turn)
                    put(event)

        def ended(future: "Future[None]") -> None:
            put(_Over(future.exception()))
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._leave)

        self._now += 1
        self._metrics.waiting.set(self._now)
        (self._urgent if danger else self._ordinary).submit(work).add_done_callback(ended)
        first = await events.get()
        if isinstance(first, _Over) and first.error is not None:
            raise first.error
        return _from(first, events)

    def _leave(self) -> None:
        self._now -= 1
        self._metrics.waiting.set(self._now)

    def _paced(self, owner: str) -> bool:
        """Whether the owner keeps to the rate; a minute's worth may come at once."""
        now = self._clock()
        left, before = self._pace.pop(owner, (float(self._rate), now))
        left = min(float(self._rate), left + (now - before) * self._rate / 60)
        self._pace[owner] = (max(0.0, left - 1), now)
        if len(self._pace) > OWNERS:
            self._pace.popitem(last=False)
        return left >= 1

    def close(self) -> None:
        """Let the turns that run come to their end."""
        for pool in (self._ordinary, self._urgent):
            pool.shutdown(wait=True, cancel_futures=True)


async def _from(first: "T | _Over", events: "asyncio.Queue[T | _Over]") -> AsyncIterator[T]:
    item = first
    while not isinstance(item, _Over):
        yield item
        item = await events.get()
    if item.error is not None:
        raise item.error
