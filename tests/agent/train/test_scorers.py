"""Fitting the scorers on a small set of made-up pairs, and reading them back."""

import json
import shutil
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.errors import DataError
from agent.evaluate.scoring import FOLDER, MECHANISMS, SAFETY, features, hashed, load_scorers
from agent.train.scorers import train
from tests.agent.evaluate.reading import write_csv

SAYS = ("Well then.", "That is sad.", "I feel so sad for you today.")


def _vector(text: str) -> Any:
    drawn = np.random.default_rng(zlib.crc32(text.encode())).normal(size=384).astype(np.float32)
    return drawn / np.linalg.norm(drawn)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    told = [(f"s{n}", f"r{n}", f"Post {n}", SAYS[n % 3], str(n % 3)) for n in range(90)]
    told += [("s0", "r0b", "Post 0", SAYS[2], "2")]
    (tmp_path / "epitome").mkdir()
    for name in MECHANISMS:
        write_csv(
            tmp_path / "epitome" / f"{name.replace(' ', '-')}-reddit.csv",
            ("sp_id", "rp_id", "seeker_post", "response_post", "level"),
            told,
        )
    (tmp_path / "reply_safety").mkdir()
    for part, count in (("train", 60), ("val", 20)):
        rows = [
            (
                f"c{part}{n}",
                ("Take care.", "Nobody cares.")[n % 2],
                "Risk Ignorance",
                ("Safe", "Unsafe")[n % 2],
            )
            for n in range(count)
        ]
        write_csv(
            tmp_path / "reply_safety" / f"diasafety_{part}.csv",
            ("context", "response", "category", "label"),
            rows,
        )
    return tmp_path


def test_what_is_fitted_is_what_is_read_back(data: Path, tmp_path: Path) -> None:
    card = train(data, tmp_path / "out", _vector)
    scorers = load_scorers(tmp_path / "out")
    assert card["scorers"][SAFETY]["figures"]["auroc"] == 1
    assert card["scorers"]["explorations"]["figures"]["accuracy"] > 0.9
    assert card["pairs"]["pairs"] == 1
    assert card["pairs"]["all"] == 2
    one = scorers.named["explorations"]
    likely = one.likely(features(_vector("Post 200"), _vector(SAYS[2])), hashed(SAYS[2]))
    assert int(likely.argmax()) == 2
    assert float(likely.sum()) == pytest.approx(1)


def test_the_same_data_gives_the_same_file(data: Path, tmp_path: Path) -> None:
    first, second = (train(data, tmp_path / name, _vector)["sha256"] for name in ("a", "b"))
    assert first == second


def test_damaged_scorers_are_refused(tmp_path: Path) -> None:
    shutil.copytree(FOLDER, tmp_path / "out")
    path = tmp_path / "out" / "scorers.npz"
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(DataError, match="hearken train scorers"):
        load_scorers(tmp_path / "out")
    with pytest.raises(DataError, match="missing or damaged"):
        load_scorers(tmp_path / "nowhere")


def test_the_shipped_scorers_are_small_hold_their_figures_and_no_text() -> None:
    card = json.loads((FOLDER / "scorers.json").read_text("utf-8"))
    assert (FOLDER / "scorers.npz").stat().st_size <= 300_000
    assert set(card["scorers"]) == {*MECHANISMS, SAFETY}
    assert card["scorers"]["explorations"]["figures"]["macro_f1"] > 0.5
    assert all(len(digest) == 64 for digest in card["data"].values())


def test_hashed_words_know_a_question_and_have_length_one() -> None:
    assert hashed("Is it so?") != hashed("Is it so.")
    assert sum(value**2 for value in hashed("So it is, it is.").values()) == pytest.approx(1)
    assert hashed("") != {}
