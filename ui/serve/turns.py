"""Who is answered when: ordinary turns wait for a seat, or are asked to come back; danger does neither.

The rules hear a message before anything is limited or queued, on threads that do nothing else: not even a
store that hangs keeps them from it. Danger, and a conversation under care, have workers of their own, and
ordinary turns stand aside for them (`cores`). A turn once begun runs to its end, even when nobody listens
any more: its reply is there for whoever asks again. Knows nothing of HTTP.
"""

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from functools import partial
from typing import Literal, TypeVar

from graph.hosted import Answered, urgent
from graph.services import Services
from graph.shared import AHEAD
from graph.turn import Done, StepStarted
from ui.serve.cores import Cores
from ui.serve.errors import Refused
from ui.serve.metrics import Metrics
from ui.serve.words import serve_words

__all__ = ["Turns", "Urgency"]

T = TypeVar("T")
# danger: heard, or the conversation is under care. unknown: the store cannot say; it is not refused either.
Urgency = Literal["danger", "unknown", "ordinary"]
# Workers for danger. Each such turn takes some tens of milliseconds, but may wait for a store that hangs.
URGENT = 32
# Threads for the rules alone, and for looking up whether a conversation is under care.
DOORS, LOOKUPS = 2, 16
# Texts longer than this are heard by a thread of their own: megabytes take seconds, and others wait behind.
LONG = 20_000
# What a text costs besides, in characters: thousands of short ones take seconds too.
EACH = 250
# Ordinary turns that are begun at once; most of them wait for a seat or for a language model.
MOST = 256
# Owners whose pace is remembered; the one longest silent is forgotten first.
OWNERS = 10_000


class _Over:
    """The last item of a turn: how it ended."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


class Turns:
    """The workers of one process. rate: turns a minute of one owner; workers + waiting: ordinary turns
    that are answered or wait, before others are asked to come back; cores: who may compute."""

    def __init__(  # noqa: PLR0913 - settings, by name
        self,
        services: Services,
        metrics: Metrics,
        *,
        workers: int,
        waiting: int,
        rate: int,
        cores: Cores,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._services, self._metrics, self._clock = services, metrics, clock
        self._cores = cores
        self._door, self._long = _threads(DOORS, "door"), _threads(1, "long")
        self._lookups = _threads(LOOKUPS, "lookup")
        self._ordinary = _threads(min(workers + waiting, MOST), "turn")
        self._urgent = ThreadPoolExecutor(URGENT, "hearken-urgent", AHEAD.set, (True,))
        self._most, self._rate, self._now = workers + waiting, rate, Counter[Urgency]()
        self._pace: OrderedDict[str, tuple[float, float]] = OrderedDict()

    async def looked_up(self, call: Callable[[], T]) -> T:
        """The result of something short that may have to wait for the store."""
        return await asyncio.get_running_loop().run_in_executor(self._lookups, call)

    async def heard(self, texts: list[str]) -> bool:
        """Whether the rules hear danger in any of them; in the last, which is new, before all others."""
        *before, new = texts
        return await self._hears([new]) or (bool(before) and await self._hears(before))

    async def _hears(self, texts: list[str]) -> bool:
        pool = self._door if sum(len(text) + EACH for text in texts) <= LONG else self._long
        call = partial(any, (urgent(self._services, text) for text in texts))
        return await asyncio.get_running_loop().run_in_executor(pool, call)

    async def begin(self, owner: str, how: Urgency, produce: Callable[[], Iterator[T]]) -> AsyncIterator[T]:
        """Have a turn answered, and give its events once the first is there.

        Raises Refused when it has to wait its turn, and what `produce` raises before its first event.
        """
        self._admit(owner, how)
        loop, events = asyncio.get_running_loop(), asyncio.Queue[T | _Over]()
        way, begun = "crisis" if how == "danger" else "ordinary", time.perf_counter()

        def put(item: T | _Over) -> None:
            with suppress(RuntimeError):  # the server has stopped listening
                loop.call_soon_threadsafe(events.put_nowait, item)

        def work() -> None:
            with self._metrics.turn(way, begun) as span:
                for event in self._ahead(produce) if how == "danger" else self._seated(produce):
                    turn = event.turn if isinstance(event, Answered | Done) else None
                    if turn is not None:
                        self._metrics.answered(span, turn)
                    put(event)

        def ended(future: "Future[None]") -> None:
            put(_Over(future.exception()))
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._count, how, -1)

        self._count(how, 1)
        (self._urgent if how == "danger" else self._ordinary).submit(work).add_done_callback(ended)
        first = await events.get()
        if isinstance(first, _Over) and first.error is not None:
            raise first.error
        return _from(first, events)

    def _admit(self, owner: str, how: Urgency) -> None:
        within_pace, words = self._paced(owner), serve_words()
        if how != "ordinary":
            return
        if not within_pace:
            self._metrics.refused.labels("limited").inc()
            raise Refused(429, "limited", words.limited, again=max(1, 60 // self._rate))
        if self._now["ordinary"] >= self._most:
            self._metrics.refused.labels("crowded").inc()
            raise Refused(503, "crowded", words.crowded, again=5)

    def _ahead(self, produce: Callable[[], Iterator[T]]) -> Iterator[T]:
        """The events of a turn in danger, for which the others stand aside while it computes."""
        with ExitStack() as ahead:
            ahead.enter_context(self._cores.urgent())
            for event in produce():
                yield event
                ahead.close()
                if event != StepStarted("handoff"):  # a person is waited for: that may take a minute
                    ahead.enter_context(self._cores.urgent())

    def _seated(self, produce: Callable[[], Iterator[T]]) -> Iterator[T]:
        """The events of an ordinary turn, which stands aside between two steps."""
        with self._cores.ordinary() as aside:
            for event in produce():
                yield event
                if isinstance(event, StepStarted):
                    aside()

    def _count(self, how: Urgency, more: int) -> None:
        self._now[how] += more
        self._metrics.waiting.set(self._now.total())

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
        for pool in (self._door, self._long, self._lookups, self._ordinary, self._urgent):
            pool.shutdown(wait=True, cancel_futures=True)


def _threads(most: int, name: str) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(most, f"hearken-{name}")


async def _from(first: "T | _Over", events: "asyncio.Queue[T | _Over]") -> AsyncIterator[T]:
    item = first
    while not isinstance(item, _Over):
        yield item
        item = await events.get()
    if item.error is not None:
        raise item.error
