"""Word vectors as a file, and the windows over a long text."""

import numpy as np
import pytest

from agent.reading.forward_pass import CLS, SEP, WordVectors, dump, framed, load, windows

VECTORS = WordVectors(
    table=np.array([[0, 255], [128, 64]], dtype=np.uint8),
    scale=np.float32(0.5),
    zero=np.uint8(128),
    places=np.array([[1, 1], [2, 2], [3, 3]], dtype=np.float32),
)


def test_a_vector_is_a_word_and_its_place() -> None:
    assert VECTORS([1, 0]).tolist() == [[1.0, -31.0], [-62.0, 65.5]]


def test_the_file_gives_them_back_and_its_bytes_are_the_same_each_time() -> None:
    again = load(dump(VECTORS))
    assert np.array_equal(again([0, 1, 1]), VECTORS([0, 1, 1]))
    assert dump(again) == dump(VECTORS)


@pytest.mark.parametrize("raw", [b"", b"PK", b"not a file"])
def test_another_file_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        load(raw)


def test_tables_of_two_widths_are_refused() -> None:
    other = WordVectors(VECTORS.table, VECTORS.scale, VECTORS.zero, np.zeros((3, 5), dtype=np.float32))
    with pytest.raises(ValueError, match="do not fit"):
        load(dump(other))


def test_windows_reach_from_the_first_token_to_the_last() -> None:
    assert windows(3, 8, 4) == [(0, 3)]
    assert windows(20, 8, 4) == [(0, 6), (5, 11), (9, 15), (14, 20)]
    assert windows(0, 8, 4) == [(0, 0)]


def test_a_sentence_stands_between_its_marks() -> None:
    assert framed([7, 8]) == [CLS, 7, 8, SEP]
