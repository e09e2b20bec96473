"""Work that overruns or raises is given up, and what came before it stands."""

import math
import threading
from collections.abc import Iterator

import pytest

from graph.deadline import PartFailed, pump, settle, within


def test_the_result_comes_through() -> None:
    assert within(5, lambda: 7) == 7
    assert list(pump(5, lambda: [1, 2, 3])) == [1, 2, 3]


def test_what_overruns_is_given_up_after_what_it_already_gave() -> None:
    release = threading.Event()

    def slow() -> Iterator[int]:
        yield 1
        release.wait(10)
        yield 2

    items = pump(0.1, slow)
    assert next(items) == 1
    with pytest.raises(PartFailed, match="within"):
        next(items)
    release.set()


def test_what_raises_is_told_by_kind_and_not_by_content() -> None:
    def broken() -> int:
        raise ValueError("what the person wrote")

    for seconds in (5, math.inf):
        with pytest.raises(PartFailed, match="ValueError") as failed:
            within(seconds, broken)
        assert "person" not in str(failed.value)


def test_endless_time_needs_no_thread() -> None:
    assert within(math.inf, threading.current_thread) is threading.current_thread()
    assert within(5, threading.current_thread) is not threading.current_thread()


def test_the_end_of_a_program_may_wait_for_what_was_given_up_but_not_for_ever() -> None:
    release, done = threading.Event(), threading.Event()

    def slow() -> None:
        release.wait(10)
        done.set()

    with pytest.raises(PartFailed, match="within"):
        within(0.05, slow)
    settle(0.05)
    assert not done.is_set()
    release.set()
    settle(10)
    assert done.is_set()
