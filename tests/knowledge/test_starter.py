"""The starter library is well formed, covers every topic, and a broken file is named."""

import re
from pathlib import Path

import pytest

from knowledge.errors import TableError
from knowledge.starter import load_starter
from knowledge.tables import source_words, startling_margin, techniques, topics

GOOD = """\
topic: stress
entries:
  - id: stress-1
    question: Why is the ferry so loud on Mondays?
    asked:
      - The ferry is too loud for me
      - I can't stand all that noise
    answer: >-
      Ferries are loud when the deck is full, and a full deck can feel like too much. You could stand
      at the rail, look far out, and let the noise be somebody else's for a while.
    techniques: [grounding]
    reviewed_by: null
"""


def write(folder: Path, text: str = GOOD, name: str = "stress.yaml") -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (topic,) = load_starter(write(tmp_path))
    assert topic.topic == "stress"
    assert topic.entries[0].techniques == ["grounding"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("reviewed_by: null", "reviewed_by: null\n    extra: 1", "entries.0.extra"),
        ("    reviewed_by: null\n", "", "entries.0.reviewed_by"),
        ("[grounding]", "[juggling]", "juggling"),
        ("topic: stress", "topic: weather", "weather"),
        ("      - I can't stand all that noise\n", "", "entries.0.asked"),
        ("The ferry is too loud for me", "Too loud ferry", "entries.0.asked.0"),
        (
            "too loud for me",
            "so loud that I forget what I meant to say to the man there",
            "entries.0.asked.0",
        ),
        ("too loud for me", "too loud at 7", "entries.0.asked.0"),
        ("too loud for me", "too loud for me!", "entries.0.asked.0"),
        ("id: stress-1", "id: Stress One", "entries.0.id"),
        ("question: Why is the ferry so loud on Mondays?", 'question: ""', "entries.0.question"),
        ("topic: stress", "topic: [", "not valid YAML"),
        ("topic: stress", "topic: anxiety", "anxiety.yaml"),
    ],
)
def test_a_broken_file_is_named_with_what_breaks(tmp_path: Path, old: str, new: str, says: str) -> None:
    with pytest.raises(TableError, match=r"stress\.yaml") as raised:
        load_starter(write(tmp_path, GOOD.replace(old, new)))
    assert says in str(raised.value)


def test_an_id_is_used_once(tmp_path: Path) -> None:
    write(write(tmp_path), GOOD.replace("topic: stress", "topic: anxiety"), "anxiety.yaml")
    with pytest.raises(TableError, match="stress-1 is used 2 times"):
        load_starter(tmp_path)


def test_a_line_is_asked_once(tmp_path: Path) -> None:
    other = GOOD.replace("topic: stress", "topic: anxiety").replace("id: stress-1", "id: anxiety-1")
    write(write(tmp_path), other, "anxiety.yaml")
    with pytest.raises(TableError, match=r"too loud for me.*asked 2 times"):
        load_starter(tmp_path)


def test_our_own_covers_every_topic() -> None:
    assert {topic.topic for topic in load_starter()} == set(topics()) - {"general"}


def test_nothing_claims_a_review() -> None:
    assert not [entry.id for topic in load_starter() for entry in topic.entries if entry.reviewed_by]
    assert "not reviewed by a professional" in source_words("starter", "stress")


def test_every_source_can_be_said_for_every_topic() -> None:
    for kind in ("starter", "counselchat", "folder"):
        for topic in topics():
            said = source_words(kind, topic, "notes.md")
            assert said
            assert "{" not in said


def test_what_would_startle_must_be_nearer() -> None:
    assert startling_margin("self-harm") > 0
    assert startling_margin("sleep-improvement") == 0


def test_there_are_thirty_techniques_each_with_its_cue_in_its_own_description() -> None:
    table = techniques().techniques
    assert len(table) == 30
    for name, technique in table.items():
        assert any(re.search(technique.cue, sentence, re.IGNORECASE) for sentence in technique.about), name
