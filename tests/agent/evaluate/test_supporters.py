"""Figures of the model of supporters: right on what it knows, and no text in the report."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.evaluate.planning import agreement, variety
from agent.evaluate.supporters import bm25, measured, recall, summary
from agent.responders.replies import bank
from agent.supporter import STRATEGIES, Supporter
from agent.train.talks import answers, esconv, points
from tests.agent.test_plan import read
from tests.agent.test_supporter import folder, nets, vector

__all__ = ["folder"]

TALK = [
    ("usr", "my boss keeps giving me all of his shifts and I am tired", ""),
    ("sys", "That sounds hard.", "Reflection of feelings"),
    ("usr", "he shouted at me in front of everyone at the office", ""),
    ("sys", "What did you do then?", "Question"),
    ("usr", "I went home and I could not sleep the whole night", ""),
    ("sys", "You could tell his manager about it.", "Providing Suggestions"),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "esconv").mkdir()
    lines = [
        json.dumps({"dialog": [{"speaker": s, "text": f"{t} {n}", "strategy": g} for s, t, g in TALK]})
        for n in range(40)
    ]
    (tmp_path / "esconv/valid.jsonl").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_report_has_every_figure_and_no_text(data: Path, folder: Path) -> None:
    told = measured(data, folder, vector)
    assert told["strategy"]["n"] == 120
    assert told["stage"]["n"] == 120
    assert sum(sum(row.values()) for row in told["confusion, truth -> told"].values()) == 120
    assert told["recall at 1 of 100"]["n"] == 120
    assert "boss" not in json.dumps(told)
    assert "stage: accuracy" in summary(told)


def test_bm25_finds_the_words() -> None:
    scores = bm25(["the cat sat", "a dog ran", "my cat slept"])("where is the cat", np.arange(3))
    assert scores[0] > scores[2] > scores[1] == 0


def test_the_very_answer_is_found_where_vectors_tell_it(data: Path) -> None:
    pairs = list(answers(one for talk in esconv(data / "esconv/valid.jsonl") for one in points(talk)))
    found = recall(pairs, nets(), lambda text: vector(text.rsplit(maxsplit=1)[-1]))  # by the talk's number
    assert found["untrained vectors"] > 0.9


def test_plans_with_and_without_the_model_are_counted_apart(data: Path) -> None:
    told = {
        "next": dict.fromkeys(STRATEGIES, 0.0) | {"Question": 1.0},
        "reply": dict.fromkeys(STRATEGIES, 0.0),
    }

    def fit(moment: Any) -> dict[str, float]:
        return {text: float(len(text)) for text in bank()}

    supporter = Supporter(lambda moment: told, fit, {})  # type: ignore[arg-type, return-value]
    found = agreement(data, lambda text: (read("vent", emotion="sad"), "none"), supporter)
    assert found["rules"]["n"] == found["learned"]["n"] == 80
    assert found["learned"]["stages"]["explore"] == 80
    spread = variety(data, lambda text: (read("vent", emotion="sad"), "none"), supporter, openings=10)
    assert spread["by fit"]["different"] <= spread["seed alone"]["sentences"]
