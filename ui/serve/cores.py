"""Who computes when: danger at once, ordinary turns in the seats there are, and only while danger does not.

A process has few cores and one interpreter: turns that compute side by side make each other slow, danger's
too. So an ordinary turn takes a seat, and between two steps it stands up while danger is answered, for a
moment at most. What waits for a language model needs no seat and lends it on. Knows nothing of turns.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from agent.errors import ResponderError
from agent.reading.ladder import Level
from agent.responders import guided
from graph.services import Services

__all__ = ["Cores", "lending"]

# Seconds that an ordinary turn stands aside for danger, then it goes on: the stream of it may not end.
ASIDE = 1.0
# Seconds that a reply waits for a place at the model, before the guided words are said instead.
PLACE = 5.0


class Cores:
    """The seats of one process."""

    def __init__(self, seats: int) -> None:
        self._lock = threading.Lock()
        self._seats, self._taken, self._urgent = seats, 0, 0
        self._queue: deque[threading.Event] = deque()

    @contextmanager
    def urgent(self) -> Iterator[None]:
        """Compute at once; ordinary turns stand aside meanwhile."""
        with self._lock:
            self._urgent += 1
        try:
            yield
        finally:
            with self._lock:
                self._urgent -= 1
                self._seat()

    @contextmanager
    def ordinary(self) -> Iterator[Callable[[], None]]:
        """Take a seat; to be called between two steps: stands aside where danger is being answered."""
        self._take(first=False)
        try:
            yield self._aside
        finally:
            self._leave()

    @contextmanager
    def lent(self) -> Iterator[None]:
        """One seat more, while somebody who sits in one only waits."""
        with self._lock:
            self._seats += 1
            self._seat()
        try:
            yield
        finally:
            with self._lock:
                self._seats -= 1

    def _aside(self) -> None:
        with self._lock:
            if not (self._urgent or self._taken > self._seats):
                return
        self._leave()
        self._take(first=True)

    def _take(self, *, first: bool) -> None:
        mine, end = threading.Event(), time.monotonic() + ASIDE
        with self._lock:
            if first:  # what has begun goes on before what has not
                self._queue.appendleft(mine)
            else:
                self._queue.append(mine)
            self._seat()
        while not mine.wait(max(0.0, end - time.monotonic())):
            with self._lock:
                if mine.is_set():
                    return
                if self._taken < self._seats:  # it is danger alone that is in the way, and was long enough
                    self._queue.remove(mine)
                    self._taken += 1
                    return
            end = time.monotonic() + ASIDE

    def _leave(self) -> None:
        with self._lock:
            self._taken -= 1
            self._seat()

    def _seat(self) -> None:
        """Give free seats to those who have waited longest; the lock is held."""
        while self._queue and self._taken < self._seats and not self._urgent:
            self._taken += 1
            self._queue.popleft().set()


def lending(services: Services, cores: Cores, places: int) -> Services:
    """The same services, whose language model is asked at most `places` times at once, and from no seat.

    Who finds no place in time is answered in guided words.
    """
    if services.respond is guided.respond and services.fears is None:
        return services
    free = threading.BoundedSemaphore(places)

    @contextmanager
    def placed() -> Iterator[None]:
        with cores.lent():
            if not free.acquire(timeout=PLACE):
                raise ResponderError("Every place at the language model is taken.")
            try:
                yield
            finally:
                free.release()

    def worded(ask: Callable[..., Iterable[str]]) -> Callable[..., Iterator[str]]:
        def words(*given: Any) -> Iterator[str]:
            with placed():
                reply = ask(*given)
                yield from [reply] if isinstance(reply, str) else reply

        return words

    def judged(ask: Callable[[str], Level]) -> Callable[[str], Level]:
        def level(text: str) -> Level:
            with placed():
                return ask(text)

        return level

    respond, again, fears = services.respond, services.again, services.fears
    return replace(
        services,
        respond=respond if respond is guided.respond else worded(respond),
        again=worded(again) if again else None,
        fears=judged(fears) if fears else None,
    )
