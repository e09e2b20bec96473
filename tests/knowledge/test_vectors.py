"""The shipped vectors are those of today's lines; where they are not, lines are embedded."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.reading.encoder import load_encoder
from knowledge.library import Library, starter_lines
from knowledge.starter.vectors import SHIPPED, fast, load_vectors, stale, write_vectors
from tests.knowledge.test_library import embed_words

LINES = ["The ferry is too loud for me", "Owls keep me up"]


def never(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError(f"nothing had to be embedded, but {len(texts)} were")


def test_every_line_of_the_starter_library_has_its_vector() -> None:
    missing = stale(starter_lines(), load_vectors(load_encoder().name))
    assert not missing, f"run `hearken train vectors`: {len(missing)} lines changed, such as {missing[0]}"
    assert SHIPPED.stat().st_size <= 900_000


def test_they_are_the_encoders_own() -> None:
    lines = starter_lines()[::300]
    encoder = load_encoder()
    shipped = fast(never, load_vectors(encoder.name))(lines)
    assert ((shipped * encoder.embed(lines)).sum(axis=1) > 0.97).all()  # int8 differs by processor


def test_a_first_start_embeds_nothing(tmp_path: Path) -> None:
    library = Library.open(tmp_path, never, load_encoder().name)
    assert library.count()["starter"] >= 310
    library.close()


def test_a_changed_line_is_embedded_and_the_others_are_not(tmp_path: Path) -> None:
    path = tmp_path / "vectors.npz"
    write_vectors(path, LINES, embed_words, "words")
    known = load_vectors("words", path)
    asked: list[str] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        asked.extend(texts)
        return embed_words(texts)

    texts = [LINES[1], "A new line", LINES[0]]
    assert fast(embed, known)(texts) == pytest.approx(embed_words(texts), abs=1e-3)
    assert asked == ["A new line"] == stale(texts, known)


@pytest.mark.parametrize("spoil", ["other encoder", "cut", "gone", "text"])
def test_a_file_that_does_not_fit_is_as_if_not_there(tmp_path: Path, spoil: str) -> None:
    path = tmp_path / "vectors.npz"
    write_vectors(path, LINES, embed_words, "words")
    if spoil == "cut":
        path.write_bytes(path.read_bytes()[:100])
    elif spoil == "text":
        path.write_text("not an archive")
    elif spoil == "gone":
        path.unlink()
    assert load_vectors("other" if spoil == "other encoder" else "words", path) == {}
