"""Own answers are told from others, whatever the question's own vector would have found."""

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge import library as library_module
from knowledge.errors import IngestError
from knowledge.library import Entry
from knowledge.measure import COLUMNS, off_topic, retrieval
from tests.knowledge.test_library import embed_words

Row = tuple[str, str, str, str, str, str]
OWN = "Owls call when the moon is bright over barns, so hang a curtain."
ROWS: list[Row] = [
    ("1", "Why do owls call over barns?", "The moon is bright", "stress", OWN, "val"),
    ("2", "The ferry makes my stomach turn", "", "anxiety", "Look at the horizon and breathe.", "train"),
    ("3", "Purple paint on my shed", "", "nothing known", "Ask him over for tea and say so.", "train"),
]


@pytest.fixture(autouse=True)
def starter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "_starter", lambda: [Entry("Who hid my tall hat?", "A magpie.")])


def write(path: Path, rows: Sequence[Sequence[str]], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_an_own_answer_that_comes_first_counts_in_full(tmp_path: Path) -> None:
    report = retrieval(write(tmp_path / "a.csv", ROWS), embed_words, "words", floor=0.2)
    found = report["found"]
    assert (found["questions"], found["passages"]) == (1, 3)
    assert (found["mrr10"], found["hit1"], found["hit5"]) == (1.0, 1.0, 1.0)
    assert report["encoder"] == "words"
    assert "owls" not in str(report).lower()


def test_what_the_question_alone_would_find_is_not_found(tmp_path: Path) -> None:
    rows = [("1", ROWS[0][1], ROWS[0][2], "stress", "Nothing alike stands here at all.", "val"), *ROWS[1:]]
    found = retrieval(write(tmp_path / "a.csv", rows), embed_words, "words", floor=0.4)["found"]
    assert (found["mrr10"], found["hit5"]) == (0.0, 0.0)


def test_an_own_answer_that_was_given_to_another_question_too_is_an_own_answer(tmp_path: Path) -> None:
    rows = [*ROWS, ("4", "Why do owls call over barns by a bright moon?", "", "stress", OWN, "train")]
    found = retrieval(write(tmp_path / "a.csv", rows), embed_words, "words", floor=0.2)["found"]
    assert found["mrr10"] == 1.0


def test_off_topic_texts_find_nothing_above_the_floor_and_something_without(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", ROWS)
    assert retrieval(data, embed_words, "words", floor=0.9)["off_topic"]["nothing"] == 1.0
    told = retrieval(data, embed_words, "words", floor=-1.0)["off_topic"]
    assert told["texts"] == 200
    assert told["nothing"] < 0.1


def test_there_are_two_hundred_different_off_topic_texts_half_of_them_tricky() -> None:
    texts = off_topic()
    assert len({text.lower() for text, _ in texts}) == 200
    assert [kind for _, kind in texts].count("tricky") == 100


@pytest.mark.parametrize(
    ("columns", "rows", "says"),
    [(COLUMNS[:-1], [ROWS[0][:-1]], "no column split"), (COLUMNS, ROWS[1:], "no question with val")],
)
def test_a_file_that_does_not_fit_is_named_with_what_it_lacks(
    tmp_path: Path, columns: Sequence[str], rows: Sequence[Sequence[str]], says: str
) -> None:
    with pytest.raises(IngestError, match=rf"a\.csv.*{says}"):
        retrieval(write(tmp_path / "a.csv", rows, columns), embed_words, "words")


def test_only_what_ingestion_keeps_may_be_indexed(tmp_path: Path) -> None:
    kept = " ".join(["It may help to take a slow walk before you go to bed and to rest for a while."] * 3)
    rows = [("1", "How can I sleep at night?", "", "stress", kept, "val"), *ROWS[1:]]
    found = retrieval(write(tmp_path / "a.csv", rows), embed_words, "words", cleaned=True)["found"]
    assert (found["questions"], found["passages"]) == (1, 1)


def test_vectors_of_any_width_do(tmp_path: Path) -> None:
    def narrow(texts: Sequence[str]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
        return embed_words(texts)[:, :64] / np.linalg.norm(embed_words(texts)[:, :64], axis=1, keepdims=True)

    assert retrieval(write(tmp_path / "a.csv", ROWS), narrow, "narrow")["found"]["questions"] == 1
