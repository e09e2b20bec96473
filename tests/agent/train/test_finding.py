"""The trial of ways to find answers, on made-up vectors: the protocol, the parts of an answer, every row."""

import importlib
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason="hearken[train] is not installed")

COUNT, WIDE = 90, 12


@pytest.fixture
def finding(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    return importlib.import_module("finding")


@pytest.fixture
def texts(finding: ModuleType) -> Any:
    """A question each with an answer beside it; each answer's second window is the question itself."""
    rng = np.random.default_rng(0)
    asked = finding.unit(rng.normal(size=(COUNT, WIDE)))
    whole = finding.unit(asked + 0.6 * rng.normal(size=(COUNT, WIDE)))
    return finding.Texts(
        questions=[f"kettle ferry {i}" for i in range(COUNT)],
        answers=[f"a lantern, a shed {i}" for i in range(COUNT)],
        own=[[i] for i in range(COUNT)],
        titles=asked,
        asked=asked,
        said=list(asked[:, None]),
        whole=whole,
        windows=[np.stack([whole[i], asked[i]]) for i in range(COUNT)],
        sentences=[whole[i : i + 1] for i in range(COUNT)],
    )


def test_windows_and_sentences_are_means_of_their_tokens(finding: ModuleType) -> None:
    text = "a b c d e. f g h i j."
    spans = [(at, at + 1) for at in range(len(text)) if text[at] != " "]
    states = np.zeros((len(spans), 2), dtype=np.float32)
    first = [start <= text.index(".") for start, _ in spans]
    states[first, 0] = 1.0
    states[~np.array(first), 1] = 1.0
    windows, sentences = finding.parts_of(text, states, spans)
    assert sentences.tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert windows == pytest.approx(finding.unit(states.mean(axis=0, keepdims=True)))


def test_no_question_is_found_by_its_own_row(finding: ModuleType, texts: Any) -> None:
    trial = finding.Trial(texts)
    rows = trial.rows(texts.asked, texts.titles)
    assert (np.diag(rows) == -9.0).all()
    lost = replace(texts, whole=-texts.asked)
    assert np.median(finding.Trial(lost).order(texts.asked @ lost.whole.T, rows)) > 10


def test_windows_that_hold_what_was_asked_are_seen_in_every_figure(finding: ModuleType, texts: Any) -> None:
    found = dict(finding.tried(texts))
    base = found["as shipped"]
    told = finding.figures(found["windows only"], base)
    assert told["mrr10"] == 1.0
    assert told["mrr10_more"] > 0
    assert told["mrr10_more_95"][0] <= told["mrr10_more"] <= told["mrr10_more_95"][1]
    learned = [places for name, places in found.items() if "windows, sentences" in name]
    assert finding.figures(learned[-1], base)["mrr10"] > 0.9
    assert all(places.shape == (COUNT,) for places in found.values())
