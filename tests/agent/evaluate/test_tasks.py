"""Emotions and intents on small made-up files in the public formats, judged by a made-up reading."""

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from agent.errors import DataError, EncoderError
from agent.evaluate import report as reporting
from agent.evaluate import tasks
from agent.evaluate.sources import even
from agent.reading.encoder import Encoder
from agent.reading.heads import Choice, Facets, Heads, Marks
from tests.agent.evaluate.reading import look, write_csv, write_jsonl

TALK = ("conv_id", "utterance_idx", "context", "prompt", "role", "utterance", "auto_intent")
FILMS = ("Count", "Dialog", "Agreed emotion (2/3 vote)", "Worker 1 answer")


def by_view(report: tasks.Report) -> dict[str, dict[str, Any]]:
    return {row["view"]: row for row in report["rows"]}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_csv(
        tmp_path / "empathetic_intents" / "valid.csv",
        ("label", "text"),
        [("sad", "[sad] a"), ("Lonely", "[sad] b"), ("wishing", "[wishing] c"), ("neutral", "[neutral] d")],
    )
    talk = [("c1", "sad", "[sad] it rained"), ("c2", "proud", "[angry] she_comma_ won")]
    turns = [
        (name, str(turn), label, told, role, said, intent)
        for name, label, told in talk
        for turn, role, said, intent in (
            (1, "speaker", "hello", "proud"),
            (2, "listener", "oh?", "questioning"),
            (3, "speaker", f"[{label}] yes [next_intent:consoling]", "joyful"),
            (4, "listener", "there", "consoling"),
        )
    ]
    write_csv(tmp_path / "empathetic_dialogues" / "valid.csv", TALK, turns)
    films = [
        ("1", "what?\n[sad] alas", "Sad", ""),
        ("2", "a\nb [next_intent:agreeing]\n[agreeing] yes", "Agreeing", ""),
        ("3", "[wishing] luck", "Wishing", ""),
        ("4", "hm", "-", ""),
        ("5", "hm", "Disagreeing (Other)", ""),
    ]
    write_csv(tmp_path / "edos" / "groundtruth.csv", FILMS, films)
    dialog = [
        {"speaker": "sys", "text": "hi", "strategy": "Question"},
        {"speaker": "usr", "text": "hi there"},
        {"speaker": "usr", "text": "[next_intent:questioning] well"},
        {"speaker": "sys", "text": "how?", "strategy": "Question"},
        {"speaker": "usr", "text": "so"},
        {"speaker": "sys", "text": "I too", "strategy": "Self-disclosure"},
    ]
    write_jsonl(tmp_path / "esconv" / "valid.jsonl", [{"dialog": dialog}])
    write_csv(tmp_path / "other" / "answers.csv", ("question", "answer"), [("a", "b")])
    return tmp_path


def test_emotions_are_judged_in_every_view(data: Path) -> None:
    report = tasks.emotions(data, look, sure=0.05)
    rows = by_view(report)
    assert set(rows) == {"first turns", "conversations", "films", "situations"}
    assert len(report["rows"]) == 5  # situations of both sets
    assert (rows["first turns"]["n"], rows["first turns"]["accuracy"]) == (2, 0.0)
    assert (rows["conversations"]["n"], rows["conversations"]["accuracy"]) == (2, 1.0)
    assert (rows["films"]["n"], rows["films"]["accuracy"]) == (1, 1.0)
    intents_set, dialogues = sorted(
        (row for row in report["rows"] if row["view"] == "situations"),
        key=lambda row: row["file"],
        reverse=True,
    )
    assert intents_set["file"] == "empathetic_intents/valid.csv"
    assert [row["accuracy"] for row in (intents_set, dialogues)] == [0.5, 0.5]
    assert intents_set["classes"]["lonely"]["taken_for"] == "sad"
    assert report["skipped"] == ["esconv/valid.jsonl", "other/answers.csv"]
    assert report["speed"]["texts"] == 9


def test_an_emotion_is_judged_among_emotions_alone(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ("label", "text"), [("sad", "[wishing] [sad] [expressed:agreeing]")])
    row = tasks.emotions(path, look, sure=0.5)["rows"][0]
    assert row["accuracy"] == 1
    assert row["ece"] == pytest.approx(1 - 0.8 / (0.8 + 31 * 0.05), abs=1e-3)
    assert row["sure"] == 0  # among all 41 it is not likely enough


def test_intents_of_a_line_and_of_the_reply_to_it(data: Path) -> None:
    report = tasks.intents(data, look)
    rows = by_view(report)
    assert set(rows) == {"listener turns", "answers", "films", "film answers", "support talks"}
    assert (rows["listener turns"]["n"], rows["listener turns"]["accuracy"]) == (2, 1.0)
    assert (rows["answers"]["n"], rows["answers"]["accuracy"]) == (4, 0.5)
    assert (rows["films"]["n"], rows["films"]["accuracy"]) == (2, 1.0)
    assert (rows["film answers"]["n"], rows["film answers"]["accuracy"]) == (1, 1.0)
    assert (rows["support talks"]["n"], rows["support talks"]["accuracy"]) == (1, 1.0)
    assert rows["answers"]["head"] == "next_intent"


def test_what_was_said_before_a_reply_is_all_it_is_judged_by(data: Path) -> None:
    heard: list[str] = []

    def spy(text: str) -> dict[str, dict[str, float]]:
        heard.append(text)
        return look(text)

    tasks.intents(data / "empathetic_dialogues", spy)
    assert heard[:2] == ["hello", "hello [sad] yes [next_intent:consoling]"]
    heard.clear()
    tasks.emotions(data / "empathetic_dialogues", spy)
    assert "[angry] she, won" in heard


def test_the_published_dialogues_name_no_role(tmp_path: Path) -> None:
    rows = [("c1", str(turn), "sad", "p", "9", f"turn {turn}") for turn in (1, 2, 3)]
    columns = ("conv_id", "utterance_idx", "context", "prompt", "speaker_idx", "utterance")
    heard: list[str] = []

    def spy(text: str) -> dict[str, dict[str, float]]:
        heard.append(text)
        return look(text)

    tasks.emotions(write_csv(tmp_path / "test.csv", columns, rows), spy)
    assert heard == ["p", "turn 1", "turn 1 turn 3"]


def test_a_limit_takes_lines_evenly() -> None:
    assert even(range(10), 5) == [0, 2, 4, 6, 8]
    assert even(range(3), 5) == range(3)
    assert even(range(3), None) == range(3)


def test_a_limit_holds_for_every_source(data: Path) -> None:
    report = tasks.emotions(data, look, limit=1)
    assert {row["n"] for row in report["rows"]} == {1}


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "", r"a\.csv is empty"),
        ("a.csv", "label,text\n", r"a\.csv has a header and no rows"),
        ("a.csv", "mood,words\nsad,hm\n", "needed: .*label, text"),
        ("a.csv", "label,text\nblue,hm\n", "column 'label': label 'blue' is not one of afraid"),
        ("a.csv", "label,text\nwishing,hm\n", "no such label"),
        ("readme.txt", "hello", "holds no file of this task"),
    ],
)
def test_data_that_cannot_be_used_is_named_before_anything_is_read(
    name: str, content: str, told: str, tmp_path: Path
) -> None:
    def never(text: str) -> dict[str, dict[str, float]]:
        raise AssertionError("nothing should be read")

    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=told):
        tasks.emotions(tmp_path / name if name.endswith(".csv") else tmp_path, never)


def test_a_path_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere is missing"):
        tasks.emotions(tmp_path / "nowhere", look)


def test_a_model_without_the_head_is_refused(data: Path) -> None:
    with pytest.raises(EncoderError, match="no head 'expressed'"):
        tasks.emotions(data, lambda text: {})


def test_an_encoder_is_looked_at_by_head_and_label() -> None:
    one = np.ones(1, dtype=np.float32)
    heads = Heads(
        {
            "expressed": Choice(("sad", "wishing"), slice(0, 2), 1.0),
            "facets": Facets(("stress",), slice(2, 3), one, one),
        },
        emotions=1,
        sure=0.5,
    )
    logits = np.array([0.0, np.log(3.0), -1.0], dtype=np.float32)

    def never(text: str) -> Any:
        raise AssertionError(text)

    encoder = Encoder("fake", 3, never, lambda text: Marks(logits, logits[None], [], logits[None]), heads)
    read = tasks.looking(encoder)("hello")
    assert read["expressed"] == pytest.approx({"sad": 0.25, "wishing": 0.75})
    assert read["facets"] == pytest.approx({"stress": 0.5})


def test_a_report_is_printed_and_written_without_any_text(data: Path, tmp_path: Path) -> None:
    report = tasks.emotions(data, look, sure=0.05)
    console = Console(width=80, record=True, file=io.StringIO())
    for table in reporting.tables(report):
        console.print(table)
    printed = console.export_text()
    assert "weighted" in printed
    assert "p95 ms" in printed
    assert "0.500" in printed
    assert ".00-1.00" in printed
    out = tmp_path / "report.json"
    reporting.write(report, out)
    assert json.loads(out.read_text("utf-8"))["rows"][0]["n"] == report["rows"][0]["n"]
    assert "it rained" not in printed + out.read_text("utf-8")
    with pytest.raises(DataError, match="cannot be written"):
        reporting.write(report, tmp_path / "nowhere" / "report.json")
