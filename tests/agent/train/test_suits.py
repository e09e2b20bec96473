"""Grades become a net: what is read of a file, what is refused, and that it learns what readers liked."""

import json
from pathlib import Path

import numpy as np
import pytest

from agent.errors import DataError
from agent.responders.replies import placed
from agent.train.suits import GRADED, Recipe, figures, fit, graded
from agent.train.suits import _Rows as Rows


def line(**change: object) -> str:
    row = {"talk": "a", "before": ["hi"], "last": "How so?", "text": "well", "grades": [["Go on.", 1]]}
    return json.dumps({**row, **change})


def test_a_line_becomes_a_moment(tmp_path: Path) -> None:
    file = tmp_path / "graded.jsonl"
    file.write_text(line() + "\n" + line(last="", before=[]) + "\n")
    first, second = graded(file)
    assert first.moment.said == ("hi", "well")
    assert first.moment.deeds == (frozenset({"asked"}),)
    assert second.moment.deeds == ()
    assert first.grades == (("Go on.", 1),)


@pytest.mark.parametrize(
    "broken", ["not json", line(grades=[["Go on.", 3]]), line(before=None), '{"talk": 1}']
)
def test_a_broken_line_is_named(tmp_path: Path, broken: str) -> None:
    file = tmp_path / "graded.jsonl"
    file.write_text(line() + "\n" + broken + "\n")
    with pytest.raises(DataError, match=r"graded\.jsonl, line 2"):
        graded(file)


def test_the_shipped_grades_are_whole_and_of_our_sentences() -> None:
    moments, known = graded(), {one.text for one in placed()}
    grades = [(text, grade) for one in moments for text, grade in one.grades]
    assert len(moments) > 1000
    assert {grade for _, grade in grades} == {0, 1, 2}
    assert sum(text in known for text, _ in grades) > 0.9 * len(grades)
    assert GRADED.stat().st_size < 6_000_000


def test_it_learns_which_sentence_suits_which_message() -> None:
    chance = np.random.default_rng(1)
    messages, sentences = chance.normal(size=(2, 8)), chance.normal(size=(2, 384))
    which = chance.integers(0, 2, size=(600, 2))
    rows = Rows(
        said=messages[which[:, 0]].astype(np.float32),
        told=chance.normal(size=(600, 3)).astype(np.float32),
        vectors=sentences[which[:, 1]].astype(np.float32),
        grades=np.where(which[:, 0] == which[:, 1], 2, 0).astype(np.float32),
        moments=np.arange(600) // 2,
    )
    recipe = Recipe(epochs=20, decay=0.01)
    found = figures(rows, [str(number) for number in range(300)], recipe)
    assert found["AUROC, 2"] > 0.95
    assert found["first"]["worth"] > found["all"]["worth"]
    again = fit(rows, recipe)
    assert (again.asked == fit(rows, recipe).asked).all()
