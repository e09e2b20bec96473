"""Fitting a probe: heads it speaks of, facets, and those it leaves alone; on made-up vectors."""

import numpy as np
import pytest

pytest.importorskip("torch", reason="hearken[train] is not installed")

from agent.reading.probe import Probe
from agent.train.data import Example
from agent.train.model import Layout
from agent.train.probe import _beside, fit

LAYOUT = Layout({"want": ("vent", "advice"), "facets": ("stress",), "danger": ("none", "high")})


def example(number: int) -> Example:
    first = float(number % 2)
    targets = {
        "want": {"vent": 1 - first, "advice": first},
        "facets": {"stress": first},
        "danger": {"none": 1 - first, "high": first},
    }
    return Example(f"text {number}", "train", "wants", targets)


def test_it_tells_what_the_vectors_tell_and_never_speaks_of_danger() -> None:
    training = [example(number) for number in range(60)]
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(60, 6)).astype(np.float32) * 0.2
    vectors[:, 0] += np.arange(60) % 2
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    probe = fit(training, vectors, LAYOUT, ["want", "facets"])
    told = probe.logits(vectors)
    odd = np.arange(60) % 2 == 1
    assert ((told[:, 1] > told[:, 0]) == odd).mean() > 0.9
    assert ((told[:, 2] > 0) == odd).mean() > 0.9
    assert not told[:, 3:].any()
    assert not probe.share.any()


def test_a_head_without_a_text_says_nothing() -> None:
    rows = [Example("text", "train", "wants", {"want": {"vent": 1.0}})] * 12
    probe = fit(rows, np.eye(12, dtype=np.float32), LAYOUT, ["want", "facets"])
    assert not probe.weight[2:].any()


def test_a_head_fitted_alone_leaves_the_others_as_they_were() -> None:
    kept = Probe(np.ones((3, 4), np.float32), np.ones(3, np.float32), np.full(3, 0.5, np.float32))
    fresh = Probe(np.full((5, 4), 7, np.float32), np.full(5, 7, np.float32), np.full(5, 0.2, np.float32))
    both = _beside(kept, fresh, LAYOUT, ["danger"])
    assert both.weight[:, 0].tolist() == [1, 1, 1, 7, 7]
    assert both.share.tolist() == pytest.approx([0.5, 0.5, 0.5, 0.2, 0.2])
