"""The wide half learns words that turn a label, keeps annotators' shares, and leaves the unknown alone."""

from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="hearken[train] is not installed")

from agent.reading.ngrams import NGrams
from agent.train.data import Example
from agent.train.model import Layout, tokenised
from agent.train.ngrams import fit
from tests.agent.train.tiny import tiny_model

LAYOUT = Layout({"want": ("vent", "advice", "thanks")})


def example(text: str, targets: Mapping[str, Mapping[str, float]]) -> Example:
    return Example(text, "train", "wants", targets)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "tiny")


def logits(words: NGrams, text: str, source: Path) -> list[float]:
    (ids,) = tokenised([text], source, 64)
    return words.logits(ids[1:-1]).tolist()


def test_a_word_turns_the_label_it_came_with(source: Path) -> None:
    training = [example(f"cause {n % 7}", {"want": {"vent": 1.0}}) for n in range(20)]
    training += [example(f"film {n % 7}", {"want": {"advice": 1.0}}) for n in range(20)]
    words = fit(training, LAYOUT, source)
    cause, film = logits(words, "cause thing", source), logits(words, "film thing", source)
    assert cause[0] > cause[1]
    assert film[1] > film[0]
    assert cause[2] < min(cause[:2])  # a label nobody gave
    assert words.share.tolist() == [0.0] * LAYOUT.outputs


def test_each_facet_learns_only_from_texts_where_it_was_judged(source: Path) -> None:
    training = [example(f"cause {n % 5}", {"facets": {"stress": 1.0}}) for n in range(10)]
    training += [example(f"film {n % 5}", {"facets": {"stress": 0.0}}) for n in range(10)]
    words = fit(training, Layout({"facets": ("stress", "depression")}), source)
    stress, unjudged = logits(words, "cause", source)
    assert stress > logits(words, "film", source)[0]
    assert unjudged == pytest.approx(0.0)
