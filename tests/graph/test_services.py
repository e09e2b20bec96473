"""Which model the library compares by, and that vectors of another one are refused."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.reading.embedder import Embedder
from agent.settings import Settings
from graph import services
from knowledge import library as library_module
from knowledge.errors import LibraryError
from knowledge.library import Entry

KETTLE = Entry("Why does my kettle sing?", "Steam leaves through the spout of the kettle.", "stress")


@pytest.fixture(autouse=True)
def made_up(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.array([[1.0, "kettle" in text, 1e-3] for text in texts], dtype=np.float32)
        return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)

    monkeypatch.setattr(services, "load_embedder", lambda model: Embedder(model, embed))
    monkeypatch.setattr(library_module, "_starter", lambda: [KETTLE])
    services._embedder.cache_clear()
    services._library.cache_clear()
    yield
    services._embedder.cache_clear()
    services._library.cache_clear()


def test_a_model_of_the_settings_takes_the_encoders_place(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path, embedder="some/model", floor=0.99)
    assert services.embedder(settings).name == "some/model"
    search = services.from_settings(settings).search
    assert [passage["question"] for passage in search("about the kettle", 3)] == [KETTLE.question]
    assert search("about the ferry", 3) == []


def test_another_models_library_is_refused_with_the_command_and_indexed_again_by_it(tmp_path: Path) -> None:
    first, second = (Settings(data_dir=tmp_path, embedder=name) for name in ("some/model", "other/model"))
    services.library(first).close()
    with pytest.raises(LibraryError, match="hearken ingest starter --rebuild"):
        services.library(second)
    assert services.ingest(second, "starter", "", rebuild=True) == {"starter": 1}
    assert services.library(second).search("about the kettle")


def test_a_floor_of_the_settings_is_used(tmp_path: Path) -> None:
    low = Settings(data_dir=tmp_path, embedder="some/model", floor=0.1)
    assert services.from_settings(low).search("about the ferry", 3)
