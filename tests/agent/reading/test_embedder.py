"""A sentence-transformers model in the encoder's place, with a made-up one; and what is said without."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.errors import EncoderError
from agent.reading.embedder import load_embedder


class Fake:
    """As much of SentenceTransformer as is used."""

    def __init__(self, model: str) -> None:
        self.model = model

    def get_sentence_embedding_dimension(self) -> int:
        return 4

    def encode(self, texts: Sequence[str], *, normalize_embeddings: bool, show_progress_bar: bool) -> Any:
        assert normalize_embeddings
        assert not show_progress_bar
        return np.tile([1.0, 0.0, 0.0, 0.0], (len(texts), 1))


def test_its_vectors_are_a_row_for_each_text_and_go_by_its_name() -> None:
    found = load_embedder("somebody/some-model", make=Fake)
    assert found.name == "somebody/some-model"
    vectors = found.embed(["one", "two"])
    assert vectors.shape == (2, 4)
    assert vectors.dtype == np.float32
    assert found.embed([]).shape == (0, 4)


def test_other_weights_in_a_folder_are_another_model(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"one")
    first = load_embedder(str(tmp_path), make=Fake).name
    assert load_embedder(str(tmp_path), make=Fake).name == first
    (tmp_path / "model.safetensors").write_bytes(b"two")
    assert load_embedder(str(tmp_path), make=Fake).name != first


def test_without_the_extra_the_command_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    with pytest.raises(EncoderError, match=r"pip install 'hearken\[local\]'"):
        load_embedder("somebody/some-model")


def test_a_model_that_is_not_there_is_named_with_the_fix() -> None:
    def missing(model: str) -> Any:
        raise OSError(f"no file {model}")

    with pytest.raises(EncoderError, match=r"nowhere/none.*HEARKEN_EMBEDDER"):
        load_embedder("nowhere/none", make=missing)
