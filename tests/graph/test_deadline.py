"""Work that overruns or raises is given up, and what came before it stands."""

import threading
from collections.abc import Iterator

import pytest

from graph.deadline import PartFailed, pump, within


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

    with pytest.raises(PartFailed, match="ValueError") as failed:
        within(5, broken)
    assert "person" not in str(failed.value)
