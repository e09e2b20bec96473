"""The model of human supporters: whole and damaged files, the same words for the same moment, and no more."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.errors import SupporterError
from agent.responders.replies import bank
from agent.supporter import (
    FILES,
    STRATEGIES,
    Moment,
    Nets,
    bank_of,
    deeds_of,
    dump,
    features,
    key_of,
    load_supporter,
    stage_chances,
)

TEXTS = ("What weighs most?", "That sounds lonely.", "I'm with you so far.")
Vector = NDArray[np.float32]


def vector(text: str) -> Vector:
    """Some unit vector that depends on the text alone."""
    made = np.random.default_rng(key_of(text) % 2**32).normal(size=384).astype(np.float32)
    return made / np.float32(np.linalg.norm(made))


def nets() -> Nets:
    chance = np.random.default_rng(0)
    inputs = features(Moment(("hello",), 1), vector).shape[0]

    def some(*shape: int) -> Vector:
        return chance.normal(size=shape).astype(np.float32)

    return Nets(some(inputs, 4), some(4), some(4, 16), some(16), some(768, 8), some(384, 8), some(8) * 0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    raw = dump(nets(), [key_of(text) for text in TEXTS], bank_of(TEXTS, nets(), vector))
    import hashlib

    told = {"labels": STRATEGIES, "encoder": "e", "sha256": hashlib.sha256(raw).hexdigest()}
    (tmp_path / "plan.npz").write_bytes(raw)
    (tmp_path / "plan.json").write_text(json.dumps(told))
    return tmp_path


def test_it_tells_chances_and_how_sentences_fit(folder: Path) -> None:
    supporter, moment = load_supporter(vector, TEXTS, folder, "e"), Moment(("my boss shouts", "I cry"), 2)
    told = supporter.foresee(moment)
    assert tuple(told["next"]) == tuple(told["reply"]) == STRATEGIES
    assert sum(told["next"].values()) == pytest.approx(1, abs=1e-5)
    assert sum(stage_chances(told["next"]).values()) == pytest.approx(1)
    assert set(supporter.fit(moment)) == set(TEXTS)
    assert supporter.fit(moment) == load_supporter(vector, TEXTS, folder, "e").fit(moment)


def test_nothing_said_is_no_error(folder: Path) -> None:
    supporter = load_supporter(vector, TEXTS, folder)
    assert sum(supporter.foresee(Moment((), 0))["next"].values()) == pytest.approx(1, abs=1e-5)
    assert len(supporter.fit(Moment((), 0))) == len(TEXTS)


def test_sentences_that_changed_since_are_weighed_all_the_same(folder: Path) -> None:
    asked: list[str] = []

    def counting(text: str) -> Vector:
        asked.append(text)
        return vector(text)

    supporter = load_supporter(counting, (*TEXTS, "A new one."), folder)
    assert asked == ["A new one."]
    assert "A new one." in supporter.fit(Moment(("I cry",), 1))


def test_a_message_is_embedded_once_and_the_last_one_last(folder: Path) -> None:
    asked: list[str] = []

    def counting(text: str) -> Vector:
        asked.append(text)
        return vector(text)

    supporter = load_supporter(counting, TEXTS, folder)
    supporter.foresee(Moment(("one", "two"), 2))
    supporter.fit(Moment(("one", "two", "three"), 3))
    assert asked == ["one", "two", "three"]


DAMAGE: dict[str, Callable[[Path], object]] = {
    "no card": lambda folder: (folder / "plan.json").unlink(),
    "no numbers": lambda folder: (folder / "plan.npz").unlink(),
    "a card that is no JSON": lambda folder: (folder / "plan.json").write_text("{"),
    "a card of something else": lambda folder: (folder / "plan.json").write_text("{}"),
    "a list": lambda folder: (folder / "plan.json").write_text("[]"),
    "other numbers": lambda folder: (folder / "plan.npz").write_bytes(b"PK"),
}


@pytest.mark.parametrize("how", DAMAGE)
def test_damaged_files_are_refused_by_name(folder: Path, how: str) -> None:
    DAMAGE[how](folder)
    with pytest.raises(SupporterError, match="reinstall"):
        load_supporter(vector, TEXTS, folder)


def test_vectors_of_another_encoder_are_refused(folder: Path) -> None:
    with pytest.raises(SupporterError, match="another encoder"):
        load_supporter(vector, TEXTS, folder, "f")


def test_a_reply_is_remembered_by_what_it_did() -> None:
    assert deeds_of(["Question", "Others", "Information"]) == {"asked", "offered"}
    assert deeds_of(["Reflection of feelings"]) == {"comforted"}


def test_what_ships_is_small_whole_and_knows_most_sentences() -> None:
    told = json.loads((FILES / "plan.json").read_text("utf-8"))
    assert sum(file.stat().st_size for file in FILES.iterdir()) <= 2_500_000
    assert {"recipe", "data", "report", "rows", "sha256"} <= set(told)
    with np.load(FILES / "plan.npz", allow_pickle=False) as arrays:
        known = set(arrays["keys"].tolist())
    fresh = [text for text in bank() if key_of(text) not in known]
    assert len(fresh) <= len(bank()) // 2, "renew them: hearken train plan --out agent/supporter_model"
