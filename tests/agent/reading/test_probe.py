"""A probe's file and its share in the logits."""

import numpy as np
import pytest

from agent.reading.probe import Probe, dump, load


def made(share: float = 0.25) -> Probe:
    rng = np.random.default_rng(0)
    weight = rng.normal(size=(3, 8)).astype(np.float16).astype(np.float32)
    return Probe(weight, np.arange(3, dtype=np.float32), np.full(3, share, dtype=np.float32))


def test_what_is_written_is_read_again_and_always_the_same_bytes() -> None:
    again = load(dump(made()))
    for name in ("weight", "bias", "share"):
        assert np.array_equal(getattr(again, name), getattr(made(), name))
    assert dump(made()) == dump(again)


def test_its_share_is_mixed_into_the_logits_and_nothing_else() -> None:
    vector, logits = np.eye(8, dtype=np.float32)[2], np.array([1.0, 2.0, 3.0], dtype=np.float32)
    assert np.array_equal(made(0).mixed(logits, vector), logits)
    assert made(1).mixed(logits, vector) == pytest.approx(made().weight[:, 2] + [0, 1, 2])
    assert made().mixed(logits, vector) == pytest.approx(0.75 * logits + 0.25 * made().logits(vector))


@pytest.mark.parametrize("raw", [b"", b"no arrays", dump(made())[:-20]])
def test_another_file_is_refused(raw: bytes) -> None:
    with pytest.raises((KeyError, ValueError)):
        load(raw)


def test_arrays_that_do_not_fit_one_another_are_refused() -> None:
    odd = Probe(made().weight, made().bias[:2], made().share[:2])
    with pytest.raises(ValueError, match="do not fit"):
        load(dump(odd))


def test_heads_added_behind_those_it_knows_are_left_as_they_are() -> None:
    vector, logits = np.eye(8, dtype=np.float32)[2], np.array([1.0, 2.0, 3.0, 4.0, 5.0], dtype=np.float32)
    mixed = made().mixed(logits, vector)
    assert mixed[:3] == pytest.approx(made().mixed(logits[:3], vector))
    assert mixed[3:].tolist() == [4.0, 5.0]
