"""Labels name known techniques, hold no text, and are compared with what a tagger finds."""

import csv
import re
from pathlib import Path

import pytest

from knowledge import labelled
from knowledge.errors import IngestError
from knowledge.ingest import fit_entries
from knowledge.labelled import Label, labels, techniques
from knowledge.sources import read_rows
from knowledge.starter import StarterTopic
from knowledge.tables import techniques as known
from tests.knowledge.test_library import embed_words

ANSWER = " ".join(["Take slow deep breaths and make each breath out longer than the breath in."] * 4)


def test_there_are_enough_of_them_and_they_hold_ids_and_names_alone() -> None:
    found = labels()
    assert len(found) >= 100
    assert all(re.fullmatch(r"[0-9a-f]{24}", id_) for id_ in found)
    assert {label.part for label in found.values()} == {"open", "sealed"}
    names = set(known().techniques)
    assert all(label.suggests | label.may <= names for label in found.values())
    assert not any(label.suggests & label.may for label in found.values())


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def starter() -> list[StarterTopic]:
        return []

    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        rows = csv.writer(file)
        rows.writerow(["questionTitle", "questionText", "topic", "answerText"])
        rows.writerow(["How do I calm down?", "", "anxiety", ANSWER])
    monkeypatch.setattr(labelled, "load_starter", starter)
    return path


def test_tags_are_counted_against_the_labels(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (entry,) = fit_entries(read_rows(data), "counselchat")
    label = Label("open", frozenset({"paced-breathing", "movement"}), frozenset())
    monkeypatch.setattr(labelled, "labels", lambda: {entry.id: label, "0" * 24: label})
    found = techniques(data, embed_words, "words")["open"]
    assert (found["answers"], found["with_a_tag"]) == (1, 1)
    assert (found["precision"], found["recall"]) == (1.0, 0.5)


def test_a_file_without_labelled_answers_is_named(data: Path) -> None:
    with pytest.raises(IngestError, match=r"a\.csv holds none"):
        techniques(data, embed_words, "words")
