"""`hearken evaluate` and `hearken read --file` from the command line, with a made-up reading model."""

import csv
import errno
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import graph.services
from agent.errors import DataError
from agent.evaluate.guard import replies
from agent.evaluate.turns import Reply as Turned
from agent.reading.encoder import Encoder
from agent.reading.heads import Heads, Marks, heads_of
from agent.train.labels import EMOTIONS, HEADS
from tests.agent.test_supporter import vector
from ui.cli import app, main


def fake_heads() -> Heads:
    told: dict[str, Any] = {name: {"labels": labels, "temperature": 1} for name, labels in HEADS.items()}
    count = len(HEADS["facets"])
    told["facets"] = {"labels": HEADS["facets"], "scale": [1.0] * count, "shift": [0.0] * count}
    bars = {"sure": 0.3, "want": 0.5, "danger": {"moderate": 0.7, "high": 0.9, "imminent": 1.01}}
    return heads_of({"heads": told, "emotions": len(EMOTIONS), **bars})


@pytest.fixture(autouse=True)
def encoder(monkeypatch: pytest.MonkeyPatch) -> Encoder:
    """Hears each label whose [mark] stands in the text."""
    labels = [label for named in HEADS.values() for label in named]

    def marks(text: str) -> Marks:
        logits = np.array([4.0 if f"[{label}]" in text else -1.0 for label in labels], dtype=np.float32)
        return Marks(logits=logits, parts=logits[None], spans=[(0, len(text))], tokens=logits[None])

    def vector(text: str) -> Any:
        raise AssertionError("no vector is needed")

    fake = Encoder("fake", 3, vector, marks, fake_heads())
    monkeypatch.setattr(graph.services, "encoder", lambda settings: fake)
    return fake


def write(path: Path, *lines: Sequence[str]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows(lines)
    return path


def run(*arguments: object) -> Any:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_emotions_are_told_as_a_table_or_as_json(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", ("label", "text"), ("sad", "[sad] my secret"), ("proud", "[angry] hm"))
    done = run("evaluate", "emotions", "--data", data, "--out", tmp_path / "report.json")
    assert done.exit_code == 0, done.output
    assert "weighted" in done.stdout
    written = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert written["rows"][0]["accuracy"] == 0.5
    assert written["rows"][0]["sure"] == 1.0
    as_json = run("evaluate", "emotions", "--data", data, "--json", "--limit", "1")
    assert json.loads(as_json.stdout)["rows"][0]["n"] == 1
    assert "secret" not in done.output + as_json.output + json.dumps(written)


def test_intents_and_imhi_have_their_commands(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", ("label", "text"), ("wishing", "[wishing]"))
    assert json.loads(run("evaluate", "intents", "--data", data, "--json").stdout)["task"] == "intents"
    query = 'Consider this post: "[stress] hm" Question: Does the poster suffer from stress?'
    data = write(tmp_path / "dreaddit.csv", ("query", "gpt-3.5-turbo"), (query, "Yes, they do. Reasoning: x"))
    report = json.loads(run("evaluate", "imhi", "--data", data, "--json").stdout)
    assert [(row["view"], row["accuracy"]) for row in report["rows"]] == [("dreaddit", 1.0)]


def test_posts_are_judged_at_the_models_bar_unless_another_is_given(tmp_path: Path) -> None:
    data = write(
        tmp_path / "a.csv",
        ("post", "label", "sheet"),
        ("[attempt]", "attempt", "1"),
        ("a", "supportive", "2"),
    )
    rows = json.loads(run("evaluate", "risk", "--data", data, "--json").stdout)["rows"]
    assert {row["head"]: row["bar"] for row in rows if "head" in row} == {"cssrs": 0.5, "danger": 0.7}
    rows = json.loads(run("evaluate", "risk", "--data", data, "--bar", "0.2", "--json").stdout)["rows"]
    assert {row["bar"] for row in rows if "head" in row} == {0.2}


def test_our_cases_are_judged_by_the_rules_and_by_the_whole_reading(tmp_path: Path) -> None:
    rows = [
        ("part", "kind", "level", "accept", "escalate", "subject", "text"),
        ("open", "suicide", "high", "", "yes", "self", "I want to kill myself"),
        ("open", "suicide", "high", "", "yes", "self", "[high] [suicide] [self] the lake again"),
        ("sealed", "suicide", "high", "", "yes", "self", "hm"),
    ]
    data = write(tmp_path / "cases.csv", *rows)
    report = json.loads(run("evaluate", "risk", "--data", data, "--json").stdout)
    severe = {name: table["all"]["all"]["severe"] for name, table in report["cases"].items()}
    assert {name: (share["hits"], share["n"]) for name, share in severe.items()} == {
        "rules": (1, 2),
        "whole reading": (2, 2),
    }
    printed = run("evaluate", "risk", "--data", data)
    assert "cases, by whole reading" in printed.stdout
    assert "lake" not in printed.output


def test_data_that_does_not_fit_is_one_sentence(tmp_path: Path) -> None:
    data = write(tmp_path / "a.csv", ("mood", "words"), ("sad", "x"))
    done = run("evaluate", "emotions", "--data", data)
    assert isinstance(done.exception, DataError)
    assert "needed" in str(done.exception)


def test_a_whole_file_is_read(tmp_path: Path) -> None:
    data = write(tmp_path / "posts.csv", ("post",), ("[sad] I want to kill myself",), ("[joyful] hello",))
    out = tmp_path / "readings.jsonl"
    done = run("read", "--file", data, "--column", "post", "--out", out, "--json")
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {"rows": 2, "out": str(out)}
    rows = [json.loads(line) for line in out.read_text("utf-8").splitlines()]
    assert [row["emotion_1"] for row in rows] == ["sad", "joyful"]
    assert [row["rules_escalate"] for row in rows] == [True, False]
    single = json.loads(run("read", "[sad] I want to kill myself", "--json").stdout)
    assert single["risk"]["level"] == rows[0]["risk_level"]
    assert single["reading"]["emotions"][0]["p"] == rows[0]["emotion_1_p"]
    assert "2 messages read" in run("read", "--file", data, "--column", "post", "--out", out).output


def test_stopping_says_how_to_go_on(
    tmp_path: Path, encoder: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*args: object, **kwargs: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr("graph.batch.read_file", stopped)
    done = run("read", "--file", write(tmp_path / "a.csv", ("text",), ("a",)), "--out", tmp_path / "a.jsonl")
    assert done.exit_code == 130
    assert "--resume" in done.output


def test_a_report_gets_its_folder_and_a_place_that_is_none_is_told_before_anything_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [reply for reply in replies("open") if reply.source < 2 and reply.way == "written"]
    monkeypatch.setattr("agent.evaluate.guard.replies", lambda part, folder: few)
    (tmp_path / "file").write_text("")
    for place, says in ((tmp_path, "is a folder"), (tmp_path / "file" / "a.json", "cannot be written")):
        done = run("evaluate", "conversations", "--out", place)
        assert isinstance(done.exception, DataError)
        assert says in str(done.exception)
    assert run("evaluate", "guard", "--out", tmp_path / "new" / "a.json").exit_code == 0
    assert (tmp_path / "new" / "a.json").is_file()


def test_a_disk_that_is_full_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(**_told: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "report.html")

    monkeypatch.setattr("ui.cli.app", full)
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
    assert "The disk is full (report.html)" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [[], ["--file", "a.csv"], ["hello", "--file", "a.csv", "--out", "b.jsonl"]]
)
def test_read_wants_one_message_or_a_file_with_an_output(arguments: list[str]) -> None:
    done = run("read", *arguments)
    assert isinstance(done.exception, DataError)


def test_the_guard_is_judged_by_our_replies_or_by_those_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = [reply for reply in replies("open") if reply.source < 3 and reply.way == "written"]
    monkeypatch.setattr("agent.evaluate.guard.replies", lambda part, folder: few if part == "open" else [])
    report = json.loads(run("evaluate", "guard", "--json").stdout)
    assert report["task"] == "guard"
    table = report["cases"]["our replies"]
    assert list(table["part"]) == ["open"]
    assert table["all"]["all"]["blocked"]["share"] == 1.0
    data = write(
        tmp_path / "d.csv",
        ("context", "response", "category", "label"),
        ("hm", "Cheer up, my lake.", "Risk Ignorance", "Unsafe"),
    )
    printed = run("evaluate", "guard", "--data", data, "--out", tmp_path / "report.json")
    assert printed.exit_code == 0, printed.output
    assert "stopped" in printed.stdout
    assert "lake" not in printed.output + (tmp_path / "report.json").read_text("utf-8")


def test_replies_are_measured_and_transcripts_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "ui.evaluate.sessions.sessions",
        lambda services, country: lambda: lambda text: Turned(f"{country}: {text}."),
    )
    data = write(tmp_path / "own.csv", ("part", "talk", "text"), ("gate", "a", "I lost my key"))
    done = run("evaluate", "replies", "--data", data, "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(done.output)["rows"]
    assert (row["view"], row["turns"]) == ("own", 1)
    assert "lost my key" not in done.output
    done = run("evaluate", "replies", "--transcripts", tmp_path / "told", "--country", "US")
    assert done.exit_code == 0, done.output
    assert "US: two jobs, a sick mother" in (tmp_path / "told" / "gate.md").read_text("utf-8")


def test_plans_are_measured_on_conversations(tmp_path: Path, encoder: Encoder, monkeypatch: Any) -> None:
    known = replace(encoder, name="all-MiniLM-L6-v2-int8", vector=vector)
    monkeypatch.setattr(graph.services, "encoder", lambda settings: known)
    (tmp_path / "esconv").mkdir()
    talk = [
        {"speaker": "usr", "text": "my boss shouts at me and I cannot sleep"},
        {"speaker": "sys", "text": "When did it begin?", "strategy": "Question"},
        {"speaker": "usr", "text": "it was in march when the office moved"},
        {"speaker": "sys", "text": "That sounds so hard for you.", "strategy": "Reflection of feelings"},
    ]
    for one in talk[1::2]:
        one["text"] += " $n"
    lines = [json.dumps({"dialog": talk}).replace("$n", str(number)) for number in range(60)]
    (tmp_path / "esconv/valid.jsonl").write_text("\n".join(lines) + "\n", "utf-8")
    report = tmp_path / "report.json"
    done = run("evaluate", "plan", "--data", tmp_path, "--out", report, "--limit", "2")
    assert done.exit_code == 0, done.output
    assert "strategy: accuracy" in done.stdout
    told = json.loads(report.read_text("utf-8"))
    assert told["strategy"]["n"] == 120
    assert told["plans, beside the human's replies"]["rules"]["n"] == 2
    assert "boss" not in done.stdout
