"""A cross-encoder's scores, with a made-up one; and what is said without."""

import sys
from collections.abc import Sequence
from typing import Any

import pytest

from agent.errors import EncoderError
from agent.reading.reranker import load_reranker


class Fake:
    """As much of CrossEncoder as is used: the more letters, the better."""

    def __init__(self, model: str) -> None:
        self.model = model

    def predict(self, pairs: Sequence[tuple[str, str]], *, show_progress_bar: bool) -> Any:
        assert not show_progress_bar
        return [len(answer) for _, answer in pairs]


def test_each_answer_gets_a_score_of_its_own() -> None:
    rerank = load_reranker("somebody/some-model", make=Fake)
    assert rerank("a text", ["one", "three"]) == [3.0, 5.0]
    assert rerank("a text", []) == []


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match=r"pip install 'hearken\[local\]'"):
        load_reranker("somebody/some-model")


def test_a_model_that_is_not_there_is_named_with_the_fix() -> None:
    def missing(model: str) -> Any:
        raise OSError(f"no file {model}")

    with pytest.raises(EncoderError, match=r"nowhere/none.*HEARKEN_RERANKER"):
        load_reranker("nowhere/none", make=missing)
