"""The turn of a question's vector: for its encoder alone, still a unit vector, and not far."""

import numpy as np
import pytest

from agent.reading.encoder import load_encoder
from knowledge import asking
from knowledge.asking import turn_for, turning


def test_another_encoders_vectors_stay_as_they_are() -> None:
    vectors = np.eye(3, dtype=np.float32)
    assert turn_for("some other encoder")(vectors) is vectors


def test_the_shipped_encoder_has_one_that_keeps_most_of_a_vector() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(50, 384)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    turned = turn_for(load_encoder().name)(vectors)
    assert np.linalg.norm(turned, axis=1) == pytest.approx(1.0, abs=1e-5)
    kept = (turned * vectors).sum(axis=1)
    assert kept.min() > 0.7
    assert kept.max() < 0.9999


def test_it_moves_along_what_was_learned() -> None:
    turn = turning(np.array([[1.0], [0.0]], dtype=np.float32), np.array([[0.0, 1.0]], dtype=np.float32))
    assert turn(np.array([[1.0, 0.0]], dtype=np.float32)) == pytest.approx(
        np.array([[0.7071, 0.7071]]), abs=1e-3
    )


def test_without_its_file_vectors_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asking, "NAME", "not-there.npz")
    turn_for.cache_clear()
    vectors = np.eye(3, dtype=np.float32)
    assert turn_for(load_encoder().name)(vectors) is vectors
    turn_for.cache_clear()
