"""Words and pairs as a model's wide half: what they add, what they ignore, and their file."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading.ngrams import NGrams, Table, dump, grams, load


def made(share: float = 0.5) -> NGrams:
    """One head of two labels that knows the token 7 and the pair 7 8, beside an output of another head."""
    keys = np.sort(np.array([7, *set(grams([7, 8])) - {7, 8}], dtype=np.uint32))
    table = Table(
        place=slice(1, 3),
        keys=keys,
        rows=np.array([[100, 0], [0, 50]], dtype=np.int8),
        scale=np.array([0.01, 0.02], dtype=np.float32),
        bias=np.array([0.0, 0.25], dtype=np.float32),
    )
    return NGrams((table,), np.array([0, share, share], dtype=np.float32))


def test_a_known_token_speaks_and_an_unknown_one_only_thins_it() -> None:
    alone, among = made().logits([7]), made().logits([7, 99])
    assert alone.tolist() == pytest.approx([0.0, 1.0, 0.25])
    assert among[1] == pytest.approx(1 / np.sqrt(3))  # 7, 99 and their pair


def test_a_pair_counts_in_its_order_only() -> None:
    assert made().logits([7, 8])[2] > made().logits([8, 7])[2] == pytest.approx(0.25)


def test_a_word_said_twice_counts_once() -> None:
    assert grams([7, 7, 7]).tolist() == grams([7, 7]).tolist()


def test_an_empty_text_has_the_bias_only() -> None:
    assert made().logits([]).tolist() == pytest.approx([0.0, 0.0, 0.25])


def test_the_share_mixes_both_and_leaves_other_heads_alone() -> None:
    mixed = made(0.25).mixed(np.array([3.0, 2.0, -1.0], dtype=np.float32), [7])
    assert mixed.tolist() == pytest.approx([3.0, 0.75 * 2 + 0.25 * 1.0, -0.75 + 0.25 * 0.25])


def test_the_file_holds_the_same_arrays_and_has_the_same_bytes_twice() -> None:
    raw = dump(made())
    again = load(raw)
    assert dump(again) == raw
    assert again.tables[0].place == slice(1, 3)
    assert again.logits([7, 8]).tolist() == made().logits([7, 8]).tolist()


@given(st.lists(st.integers(min_value=0, max_value=30521), max_size=40))
def test_different_pairs_never_share_a_number(ids: list[int]) -> None:
    pairs = set(pairwise(ids))
    assert len(grams(ids)) == len(set(ids)) + len(pairs)


@pytest.mark.parametrize("raw", [b"", b"PK\x03\x04 cut off"])
def test_something_else_than_its_file_is_refused(raw: bytes) -> None:
    with pytest.raises(ValueError, match=r"arrays|data|pickled"):
        load(raw)
