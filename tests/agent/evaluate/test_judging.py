"""Two judges, their agreement, and one report against another."""

from typing import Any

import pytest

from agent.errors import DataError
from agent.evaluate.judging import judged, kappa, load_questions
from agent.evaluate.pairs import paired
from agent.evaluate.turns import Reply, Turn


def test_kappa_is_agreement_beyond_chance() -> None:
    # Cohen's textbook table: 20 yes-yes, 5 yes-no, 10 no-yes, 15 no-no -> (0.7 - 0.5) / 0.5
    one = [True] * 25 + [False] * 25
    other = [True] * 20 + [False] * 5 + [True] * 10 + [False] * 15
    assert kappa(one, other) == pytest.approx(0.4)
    assert kappa(one, one) == 1
    assert kappa([True, False], [False, True]) == -1
    assert kappa([True], [True]) is None
    assert kappa([], []) is None


def test_both_are_asked_everything_and_what_is_neither_is_no_answer() -> None:
    turns = [Turn("my dog died", Reply("That is sad.")), Turn("hm", Reply("What is on your mind?"))]
    heard: list[str] = []

    def kind(prompt: str) -> str:
        heard.append(prompt)
        return "**Yes**, it does."

    def unsure(prompt: str) -> str:
        return "No." if "my dog died" in prompt else "It depends."

    report = judged(turns, {"a": kind, "b": unsure})
    assert len(report["rows"]) == len(load_questions().questions)
    assert len(heard) == 2 * len(report["rows"])
    row = report["rows"][0]
    assert (row["both answered"]["hits"], row["yes by a"]["hits"], row["yes by b"]["n"]) == (1, 2, 1)
    assert row["kappa"] == 0
    assert "Advisory" in report["advisory"]
    assert "dog" not in str(report)


def test_reports_are_compared_item_by_item() -> None:
    ours: dict[str, Any] = {"task": "generation", "items": {"rouge1": [0.5] * 20, "x": [1, 2]}}
    theirs = {"task": "generation", "items": {"rouge1": [0.4] * 20, "x": [1]}}
    told = paired(ours, theirs)
    assert set(told) == {"rouge1"}
    assert told["rouge1"]["sure"]
    assert told["rouge1"]["more"] == pytest.approx(0.1)
    with pytest.raises(DataError, match="different tasks"):
        paired(ours, {**theirs, "task": "imhi-asked"})
    with pytest.raises(DataError, match="no items"):
        paired(ours, {"task": "generation"})


def test_two_backends_are_compared_by_the_people_they_let_down() -> None:
    def report(*shares: float) -> dict[str, Any]:
        rows = [
            {"view": f"p{at}", "checks": {"share": share}, "failures": {} if share == 1 else {"x": [1]}}
            for at, share in enumerate(shares)
        ]
        return {"task": "conversations", "rows": [{"view": "everybody"}, *rows]}

    told = paired(report(1.0, 1.0, 0.9), report(0.5, 0.5, 0.5))
    assert [one["more"] for one in told.values()] == pytest.approx([0.4667, 0.6667], abs=1e-3)
    with pytest.raises(DataError):
        paired(report(1.0, 1.0), report(1.0, 1.0, 1.0))
