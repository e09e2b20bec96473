"""Word edits that people's marks propose: the sentence is found where it stands, and nothing is changed."""

from pathlib import Path

import yaml

from agent.responders.replies import bank
from agent.train.proposals import Heard, places, proposed, written

PLAIN = "I hear you."
SLOT = "Okay, so you sit in the kitchen and wait."


def test_a_sentence_is_named_by_the_file_and_the_place_where_it_stands() -> None:
    reply = f"{PLAIN} {SLOT} Nobody ever wrote this sentence of ours."
    edits = proposed([Heard(reply, helpful=False, why="Too smooth."), Heard(PLAIN, helpful=True)])
    assert [one.sentence for one in edits] == [
        "replies_support.yaml#banks.mirroring.clause.2",
        "replies_support.yaml#banks.mirroring.plain.2",
    ]  # the most often blamed first
    slot, plain = edits
    assert slot.text == "Okay, so $clause."
    assert (plain.unhelpful, plain.helpful, plain.why) == (1, 1, ["Too smooth."])
    assert proposed([Heard(reply, helpful=True)]) == []


def test_every_sentence_of_a_supportive_reply_can_be_found() -> None:
    told = [text for text in bank() if len(text) > 6]  # a nod of one word is nobody's to mend
    assert all(proposed([Heard(text, helpful=False)]) for text in told[::25])
    assert all("#" in place for place, _ in places().values())


def test_the_list_leaves_the_decision_to_a_person(tmp_path: Path) -> None:
    path = tmp_path / "proposals.yaml"
    written(proposed([Heard(PLAIN, helpful=False, why="Why:\n- odd # text")]), path)
    (row,) = yaml.safe_load(path.read_text("utf-8"))
    assert row["text"] == PLAIN
    assert row["why"] == ["Why:\n- odd # text"]
    assert row["instead"] is row["accepted_by"] is None
    assert "by hand" in path.read_text("utf-8")
