"""The search of a library that is on a server: opened when first asked, and anew after it failed.

A failure rests for some seconds in which nobody asks again, so that turns do not queue up before a server
that is away; they go on without the library. Knows nothing of turns.
"""

import threading
from collections.abc import Callable
from contextlib import suppress

from agent.llm.endpoint import Breaker
from knowledge.entries import Passage
from knowledge.errors import LibraryError
from knowledge.library import Library

__all__ = ["Find", "reopened"]

# (text, how many, floor) -> passages, best first; see Library.search
Find = Callable[[str, int, float], list[Passage]]
REST = 5.0
# Searches at once; more than that means the server has stopped answering.
SEATS = 16


def reopened(opened: Callable[[], Library], breaker: Breaker | None = None) -> Find:
    """`search` of the library that `opened` gives. Raises LibraryError, also while it rests."""
    guard = breaker or Breaker(most=1, rest=REST)
    opening, seats, held = threading.Lock(), threading.BoundedSemaphore(SEATS), list[Library]()

    def current() -> Library:
        with opening:
            if not held:
                held.append(opened())
            return held[0]

    def search(text: str, k: int, floor: float) -> list[Passage]:
        if wait := guard.wait():
            raise LibraryError(f"The library's server failed and is asked again in {wait:.0f} s.")
        if not seats.acquire(blocking=False):
            raise LibraryError("The library's server is slow: too many searches wait for it.")
        try:
            library = current()
            try:
                found = library.search(text, k, floor)
            except LibraryError:
                _forget(held, library)
                raise
        except LibraryError:
            guard.note(failed=True)
            raise
        finally:
            seats.release()
        guard.note(failed=False)
        return found

    return search


def _forget(held: list[Library], library: Library) -> None:
    """The server may come back without the collection, or with another: the next search looks anew."""
    with suppress(ValueError):  # another turn has forgotten it already
        held.remove(library)
        with suppress(LibraryError, OSError):
            library.close()
