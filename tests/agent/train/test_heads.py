"""Training on a made-up folder in the public formats, with made-up labels and a made-up encoder."""

import csv
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.errors import SettingsError

pytest.importorskip("sklearn", reason="hearken[train] is not installed")

from agent.train.heads import train
from agent.train.measure import error_table, figures
from agent.train.sources import embedded

EMOTIONS, INTENTS = ("blue", "green", "red"), ("nod", "shrug")
WORDS = (*EMOTIONS, *INTENTS)


def fake_vector(text: str) -> NDArray[np.float32]:
    """A unit vector that points to the label words of the text, with noise of its own."""
    seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:4], "big")
    vector = np.random.default_rng(seed).normal(0, 0.3, 8)
    for index, word in enumerate(WORDS):
        vector[index] += 2 * text.split().count(word)
    return (vector / np.linalg.norm(vector)).astype(np.float32)


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(rows)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    def lines(mark: str, labels: Sequence[str], count: int) -> list[tuple[str, str]]:
        return [(label, f"{mark} thing {i} is {label}") for label in labels for i in range(count)]

    intents = tmp_path / "empathetic_intents"
    repeated = [("red", "Valid thing 0 is... blue")]  # also held out, and wrongly labelled here
    write_csv(intents / "train.csv", ("label", "text"), lines("train", WORDS, 40) + repeated)
    write_csv(intents / "valid.csv", ("label", "text"), lines("valid", WORDS, 60))
    write_csv(
        tmp_path / "empathetic_dialogues" / "valid.csv",
        ("conv_id", "utterance_idx", "context", "prompt", "role", "utterance", "auto_intent"),
        [
            (f"{label}{i}", str(turn), label, f"told thing {i} {label}", "speaker", f"said {i} {label}", "")
            for label in EMOTIONS
            for i in range(60)
            for turn in (1, 2)
        ],
    )
    write_csv(
        tmp_path / "edos" / "groundtruth.csv",
        ("Dialog", "Agreed emotion (2/3 vote)"),
        [(f"green green\nfilm {i} is {label}", label.title()) for label in (*WORDS, "-") for i in range(120)],
    )
    return tmp_path


def test_it_learns_both_tasks_and_reports_them_by_source(data: Path) -> None:
    arrays, card = train(data, fake_vector, EMOTIONS, INTENTS)
    assert arrays["weights"].shape == (8, len(WORDS))
    assert arrays["weights"].dtype == arrays["bias"].dtype == np.float32
    assert set(card["report"]["emotions"]) == {"situations", "first turns", "films"}
    assert set(card["report"]["intents"]) == {"situations", "films"}
    for sources in card["report"].values():
        for measured in sources.values():
            assert measured["accuracy"] > 0.95
            low, high = measured["accuracy_95"]
            assert low <= measured["accuracy"] <= high


def test_an_emotion_is_sure_where_one_is_told_and_not_elsewhere(data: Path) -> None:
    card = train(data, fake_vector, EMOTIONS, INTENTS)[1]
    assert card["report"]["emotions"]["situations"]["sure_right"] >= 0.70
    assert card["report"]["intents"]["situations"]["sure"] <= 0.05


def test_nothing_is_sure_when_the_labels_are_noise(data: Path) -> None:
    card = train(data, lambda text: fake_vector(text[::-1]), EMOTIONS, INTENTS)[1]
    assert card["threshold"] > 1


def test_training_twice_gives_the_same(data: Path) -> None:
    first, again = (train(data, fake_vector, EMOTIONS, INTENTS) for _ in range(2))
    assert np.array_equal(first[0]["weights"], again[0]["weights"])
    assert first[1] == again[1]


def test_held_out_lines_are_not_trained_on(data: Path) -> None:
    rows = {(r.source, r.part): r for r in embedded(data, fake_vector, set(WORDS))}
    assert len(rows["train", "train"].labels) == 40 * len(WORDS)  # the repeated line is gone
    parts = {part for source, part in rows if source == "situations"}
    assert parts == {"tune", "report"}
    seen = {vector.tobytes() for r in rows.values() if r.part == "train" for vector in r.vectors}
    held = {vector.tobytes() for r in rows.values() if r.part != "train" for vector in r.vectors}
    assert not seen & held


def test_only_the_first_turn_and_the_last_line_of_a_film_are_read(data: Path) -> None:
    read: list[str] = []

    def spy(text: str) -> NDArray[np.float32]:
        read.append(text)
        return fake_vector(text)

    embedded(data, spy, set(WORDS))
    assert sum(text.startswith("said") for text in read) == 60 * len(EMOTIONS)
    assert not any("green green" in text for text in read)


def test_a_missing_file_is_named(data: Path) -> None:
    (data / "edos" / "groundtruth.csv").unlink()
    with pytest.raises(SettingsError, match=r"groundtruth\.csv is missing"):
        train(data, fake_vector, EMOTIONS, INTENTS)


def test_figures_of_a_known_case() -> None:
    likely = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]], dtype=np.float32)
    labels = np.array(["yes", "yes", "no", "no"])
    measured = figures(likely, labels, ("yes", "no"), np.array([True, False, True, True]))
    assert measured["accuracy"] == 0.75
    assert measured["top3"] == 1
    assert measured["macro_f1"] == pytest.approx((4 / 5 + 2 / 3) / 2, abs=1e-4)
    assert measured["ece"] == pytest.approx((0.1 + 0.4 + 0.2 + 0.7) / 4, abs=1e-4)
    assert (measured["sure"], measured["sure_right"]) == (0.75, pytest.approx(2 / 3, abs=1e-4))
    assert error_table(likely, labels, ("yes", "no"))["no"] == {
        "n": 2,
        "precision": 1.0,
        "recall": 0.5,
        "taken_for": "yes",
    }
