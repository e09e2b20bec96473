"""Ordinary talks are held whole, and what is met in them as danger is counted."""

from pathlib import Path

import pytest

from agent.errors import DataError
from agent.evaluate.calm import calm, ordinary
from agent.evaluate.turns import Reply, Say
from agent.responders.crisis_words import load_words
from agent.train.own_messages import own_rows
from agent.train.sets import key
from tests.agent.train.public import write_csv

SOFT = load_words().wonders[0].say[0]


def opened() -> Say:
    """A talk in which "knife" is met as a crisis that lasts for two turns, and "night" with a question."""
    under_care = 0

    def say(text: str) -> Reply:
        nonlocal under_care
        under_care = 2 if "knife" in text else max(0, under_care - 1)
        said = f"I hear you. {SOFT}" if "night" in text else "I hear you."
        return Reply(said, "high" if under_care else "none", escalated=bool(under_care))

    return say


def test_talks_and_messages_are_counted() -> None:
    found = calm([["a knife for the cake", "it is blue", "bye"], ["last night", "yes"], ["my bus"]], opened)
    assert (found["met as a crisis"]["hits"], found["met as a crisis"]["n"]) == (1, 3)
    assert found["asked about danger"]["hits"] == 1
    assert (found["messages under care"]["hits"], found["messages under care"]["n"]) == (2, 6)
    assert found["levels"] == {"high": 2, "none": 4}


def test_a_question_under_care_is_no_soft_one() -> None:
    assert calm([["the night and the knife"]], opened)["asked about danger"]["hits"] == 0


def test_talks_are_read_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "talks.csv"
    write_csv(path, ("talk", "text"), [("1", "hello"), ("1", "the bus"), ("2", "hi")])
    assert ordinary(path) == [["hello", "the bus"], ["hi"]]
    write_csv(path, ("talk", "text"), [])
    with pytest.raises(DataError, match="no rows"):
        ordinary(path)


def test_no_shipped_talk_is_learned_from() -> None:
    talks = ordinary()
    assert len(talks) >= 40
    told = {key(text) for talk in talks for text in talk if len(text.split()) > 3}
    assert told.isdisjoint(key(row["text"]) for row in own_rows("ordinary"))
