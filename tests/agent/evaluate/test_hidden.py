"""Talks with danger in the middle: what is met once it shows, and what too soon."""

from pathlib import Path

import pytest

from agent.errors import DataError
from agent.evaluate.hidden import Message, hidden, told
from agent.evaluate.turns import Reply, Say
from agent.train.own_messages import own_rows
from agent.train.sets import key
from tests.agent.train.public import write_csv


def opened() -> Say:
    """A talk in which "bridge" and "bees" are met as a crisis."""

    def say(text: str) -> Reply:
        return Reply("I hear you.", escalated="bridge" in text or "bees" in text)

    return say


def test_talks_and_messages_that_show_danger_are_counted_by_level() -> None:
    talks = [
        [Message("hello", "none"), Message("the bridge again", "high"), Message("the tram", "moderate")],
        [Message("my bees", "none"), Message("they can have the hives", "moderate")],
    ]
    found = hidden(talks, opened)
    assert (found["talks heard"]["hits"], found["talks heard"]["n"]) == (1, 2)
    assert (found["high under care"]["hits"], found["high under care"]["n"]) == (1, 1)
    assert (found["moderate under care"]["hits"], found["moderate under care"]["n"]) == (0, 2)
    assert found["met as a crisis before"]["hits"] == 1
    assert "imminent under care" not in found


def test_a_level_that_is_none_is_refused_with_the_fix(tmp_path: Path) -> None:
    path = tmp_path / "talks.csv"
    write_csv(path, ("talk", "level", "text"), [("1", "grave", "hello")])
    with pytest.raises(DataError, match="'grave'; it must be one of none, low"):
        told(path)


def test_no_shipped_talk_is_learned_from() -> None:
    talks = told()
    assert len(talks) >= 40
    ours = {key(one.text) for talk in talks for one in talk if len(one.text.split()) > 3}
    assert ours.isdisjoint(key(row["text"]) for name in ("ordinary", "oblique") for row in own_rows(name))
