"""A turn is learned from questions and their own answers, of the train part alone."""

import csv
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch", reason="training is in the `train` extra")

from agent.errors import DataError
from agent.train.retrieval import fit, pairs, run

COLUMNS = ("questionID", "questionTitle", "questionText", "answerText", "split")


def write(path: Path, *rows: tuple[str, ...]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([COLUMNS, *rows])
    return path


def test_questions_get_their_own_answers_and_what_is_asked_later_is_left_out(tmp_path: Path) -> None:
    data = write(
        tmp_path / "a.csv",
        ("1", "Why owls?", "At night", "They call.", "train"),
        ("1", "Why owls?", "At night", "The moon.", "train"),
        ("2", "Why ferries?", "", "Waves.", "train"),
        ("3", "Why sheds?", "", "Paint.", "val"),
    )
    questions, answers, own = pairs(data)
    assert questions == ["Why owls?\nAt night", "Why ferries?"]
    assert answers == ["They call.", "The moon.", "Waves."]
    assert own == [[0, 1], [2]]


def test_what_was_learned_brings_questions_nearer_to_their_answers(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    answers = rng.normal(size=(24, 12)).astype(np.float32)
    answers /= np.linalg.norm(answers, axis=1, keepdims=True)
    questions = np.roll(answers, 1, axis=1) * 0.7 + answers * 0.7
    questions /= np.linalg.norm(questions, axis=1, keepdims=True)
    left, right = fit(questions, answers, [[n] for n in range(24)], rank=4, passes=80)
    turned = questions + questions @ left @ right
    turned /= np.linalg.norm(turned, axis=1, keepdims=True)

    def likely(asked: np.ndarray[tuple[int, ...], np.dtype[np.float32]]) -> float:
        scores = np.exp(20 * asked @ answers.T)
        return float(np.log(np.diag(scores) / scores.sum(axis=1)).mean())

    assert likely(turned) > likely(questions)


def test_the_file_names_its_encoder(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", ("1", "Why owls?", "", "They call.", "train"))
    told = run(
        data, tmp_path / "b.npz", lambda texts: np.eye(4, dtype=np.float32)[: len(texts)], "some-encoder"
    )
    assert (told["questions"], told["answers"]) == (1, 1)
    assert str(np.load(tmp_path / "b.npz")["encoder"]) == "some-encoder"


@pytest.mark.parametrize("rows", [[], [("1", "Why owls?", "", "They call.", "val")]])
def test_a_file_without_a_train_part_is_named(tmp_path: Path, rows: list[tuple[str, ...]]) -> None:
    with pytest.raises(DataError, match=r"a\.csv"):
        pairs(write(tmp_path / "a.csv", *rows))
