"""What a run embedded another need not embed, and its vectors are the same to the last bit."""

import contextlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.errors import DataError
from agent.evaluate.vectors import Embed, remembering

TEXTS = ["one", "two", "ok \ud800?", "two"]


def embedding(asked: list[str]) -> Embed:
    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        if "stop" in texts:
            raise KeyboardInterrupt
        return np.array([[len(text) / 7, 1 / 3] for text in texts], dtype=np.float32).reshape(-1, 2)

    return embed


def test_a_run_that_was_stopped_embeds_the_rest_only(tmp_path: Path) -> None:
    path, asked = tmp_path / "vectors.npz", list[str]()
    embed = embedding(asked)
    first = np.zeros(0)
    with contextlib.suppress(KeyboardInterrupt), remembering(embed, "e", path) as known:
        first = known(TEXTS)
        known(["three", "stop"])
    del asked[:]
    with remembering(embed, "e", path) as known:
        again = known([*TEXTS, "four"])
        assert known([]).shape == (0, 2)
        known(["one"])
    assert asked == ["four", "one"]  # a single one is a question, whose time is taken
    assert np.array_equal(again[:4], first)
    assert again.dtype == np.float32
    assert [one.name for one in tmp_path.iterdir()] == ["vectors.npz"]
    assert b"four" not in path.read_bytes()


@pytest.mark.parametrize("damage", ["other", "cut", "words"])
def test_vectors_of_another_encoder_or_of_a_damaged_file_are_not_taken(tmp_path: Path, damage: str) -> None:
    path, asked = tmp_path / "vectors.npz", list[str]()
    with remembering(embedding(asked), "e", path) as known:
        known(TEXTS)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:200])
    if damage == "words":
        path.write_text("no vectors")
    del asked[:]
    with remembering(embedding(asked), "f" if damage == "other" else "e", path) as known:
        known(TEXTS)
    assert len(asked) == 3


def test_a_place_that_cannot_be_written_is_told_and_without_one_nothing_is_kept(tmp_path: Path) -> None:
    with remembering(embedding([]), "e", None) as known:
        assert known(TEXTS).shape == (4, 2)
    with (
        pytest.raises(DataError, match="is the disk full"),
        remembering(embedding([]), "e", tmp_path / "no" / "v.npz") as known,
    ):
        known(TEXTS)
