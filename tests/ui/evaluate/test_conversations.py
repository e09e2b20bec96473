"""The commands that hold whole conversations, put measures in a row and one backend against others."""

import csv
import itertools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

from agent.errors import DataError, ResponderError, SettingsError
from agent.evaluate.turns import Reply
from tests.agent.train.public import write_csv
from ui.cli import app, main
from ui.evaluate import everything

READ = [("sad", "My dog died."), ("proud", "I passed at last."), ("wishing", "All the best to you."),
        ("angry", "He lied to me again."), ("sad", "Nobody calls.")]  # fmt: skip


def run(*words: object) -> Any:
    return CliRunner().invoke(app, [str(word) for word in words])


@pytest.fixture
def people(tmp_path: Path) -> Path:
    folder = tmp_path / "people"
    folder.mkdir()
    for name in ("ann", "bob"):
        told = {"about": "Someone.", "style": "plain", "calm": "low", "turns": ["my secret", "so"]}
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(told), "utf-8")
    return folder


def answering(monkeypatch: pytest.MonkeyPatch, stop_at: int = 0) -> list[str]:
    """Conversations that give a new sentence each time, and are interrupted once at a message."""
    heard: list[str] = []

    def say(text: str) -> Reply:
        heard.append(text)
        if len(heard) == stop_at:
            raise KeyboardInterrupt
        return Reply(f"That is number {len(heard)} of what I hear.")

    monkeypatch.setattr("ui.evaluate.sessions.sessions", lambda services, country, watch=None: lambda: say)
    return heard


def test_conversations_are_held_written_down_and_gone_on_with(
    tmp_path: Path, people: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard, out = answering(monkeypatch, stop_at=4), tmp_path / "report.json"
    words = ("evaluate", "conversations", "--personas", people, "--transcripts", tmp_path / "t", "--out", out)
    assert run(*words).exit_code == 130
    assert not out.exists()
    done = run(*words)
    assert done.exit_code == 0, done.output
    assert len(heard) == 6  # ann's two, bob's two of which the second was cut off, bob's two again
    everybody, ann, bob = json.loads(out.read_text("utf-8"))["rows"]
    assert (everybody["conversations"], everybody["nobody let down"]["hits"]) == (2, 2)
    assert (ann["view"], ann["turns"], bob["failures"]) == ("ann", 2, {})
    assert "my secret" in (tmp_path / "t" / "ann.md").read_text("utf-8")
    assert "my secret" not in done.output + out.read_text("utf-8")
    page = tmp_path / "page.html"
    assert run("report", tmp_path, "--out", page).exit_code == 0
    assert "nobody let down" in page.read_text("utf-8")


def test_all_goes_on_with_the_part_that_was_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []

    def made(name: str) -> dict[str, Any]:
        done.append(name)
        if done == ["a", "b"]:
            raise KeyboardInterrupt
        return {"task": "fake", "figure": len(done)}

    def parts(*_args: object, **_told: object) -> Iterator[Any]:
        yield from ((name, lambda name=name: made(name)) for name in "abc")

    monkeypatch.setattr("ui.evaluate.everything._parts", parts)
    words = ("evaluate", "all", "--data", tmp_path, "--out", tmp_path / "reports")
    stopped = run(*words)
    assert stopped.exit_code == 130
    assert (tmp_path / "reports" / "a.json").is_file()
    whole = run(*words)
    assert whole.exit_code == 0, whole.output
    assert done == ["a", "b", "b", "c"]
    assert "altogether" in whole.output
    assert "figure" in (tmp_path / "reports" / "report.html").read_text("utf-8")


def test_what_all_reads_on_two_cores_is_what_each_command_measures(tmp_path: Path) -> None:
    write_csv(tmp_path / "public/edos/a.csv", ("label", "text"), READ)
    write_csv(tmp_path / "public/empathetic_intents/a.csv", ("label", "text"), READ[1:])
    read: dict[str, Any] = {}
    parts = dict(everything._readings(tmp_path / "public", 9, read, quiet=True))
    for task, folder in itertools.product(("emotions", "intents"), ("edos", "empathetic_intents")):
        alone = run("evaluate", task, "--data", tmp_path / "public" / folder, "--json")
        told = json.loads(json.dumps(parts[f"{task}-{folder}"]()))
        assert told["rows"] == json.loads(alone.stdout)["rows"]
    assert set(read) == {text for _, text in READ}


def test_all_tells_of_data_it_cannot_use_before_it_measures_anything(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agent.evaluate.guard.canned", lambda part="open": pytest.fail("measured"))
    write_csv(tmp_path / "public/edos/a.csv", ("colour", "size"), [("red", "1")])
    done = run("evaluate", "all", "--data", tmp_path / "public", "--out", tmp_path / "reports")
    assert isinstance(done.exception, DataError)
    assert "edos" in str(done.exception)


def row(never: float = 0.0) -> dict[str, Any]:
    share = {"hits": 1, "n": 10, "share": 0.1, "share_95": [0.0, 0.3]}
    return {
        "view": "gate", "turns": 10, "lints": {"never": never, "must": 1.0},
        "style": {"repeated_sentences": 0},
        "unsafe": share, "escalated": share, "held_back": {"grave": 0.0},
    }  # fmt: skip


def test_the_gate_sets_the_same_conversations_before_every_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "adapter").mkdir()
    config = {"base_model_name_or_path": "the/base"}
    (tmp_path / "adapter" / "adapter_config.json").write_text(json.dumps(config), "utf-8")
    proxy = tmp_path / "proxy.json"
    proxy.write_text(json.dumps({"settings": {"base": "big/base"}}), "utf-8")
    asked: list[str] = []

    def answered(name: str, part: str, country: str, *, people: bool, quiet: bool) -> dict[str, Any]:
        asked.append(name)
        return row(3.0 if name == str(proxy) else 0.0)

    monkeypatch.setattr("ui.evaluate.gate._answered", answered)
    monkeypatch.setattr("ui.evaluate.gate.settings_of", lambda name: None)
    out = tmp_path / "gate.json"
    done = run("evaluate", "gate", "--candidate", tmp_path / "adapter", "--beside", proxy, "--out", out)
    assert done.exit_code == 0, done.output
    assert asked == [str(tmp_path / "adapter"), "guided", str(proxy), "the/base"]
    told = json.loads(out.read_text("utf-8"))
    assert list(told["lines"]) == asked
    assert told["lines"][str(proxy)] > told["lines"]["guided"]
    assert [one["view"] for one in told["rows"]] == asked
    refused = run("evaluate", "gate", "--candidate", proxy)
    assert refused.exit_code == 1
    assert "never be said" in refused.output
    assert f"refused: {proxy}" in refused.output
    assert f"admitted: {tmp_path / 'adapter'}" in done.output
    assert "big/base" in asked


@pytest.mark.parametrize(
    "words",
    [
        ("gate", "--candidate"),
        ("all", "--data", "DATA", "--model"),
        ("conversations", "--model"),
        ("latency", "--model"),
        ("judge", "--judge", "a", "--judge", "b", "--model"),
    ],
)
def test_a_model_that_is_not_there_is_told_and_not_measured_by_what_stands_in_for_it(
    words: tuple[str, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = answering(monkeypatch)
    monkeypatch.setattr("ui.evaluate.compare.writer", lambda name, tokens: (str, name))
    told = [str(tmp_path) if word == "DATA" else word for word in words]
    done = run("evaluate", *told, tmp_path / "no-model", "--out", tmp_path / "out")
    assert isinstance(done.exception, ResponderError)
    assert "no-model" in str(done.exception)
    assert not heard


def test_reports_are_compared_and_judges_must_be_two(tmp_path: Path) -> None:
    for name, score in (("a", 0.5), ("b", 0.25)):
        told = {"task": "generation", "items": {"rouge1": [score] * 9}}
        (tmp_path / f"{name}.json").write_text(json.dumps(told), "utf-8")
    done = run("evaluate", "compare", tmp_path / "a.json", tmp_path / "b.json", "--json")
    assert json.loads(done.stdout)["figures"]["rouge1"]["more"] == 0.25
    shown = run("evaluate", "compare", tmp_path / "a.json", tmp_path / "b.json").stdout
    assert "rouge1: n 9, more 0.25, more (0.25 to 0.25), sure True" in shown
    alone = run("evaluate", "judge", "--judge", "x", "--judge", "x")
    assert isinstance(alone.exception, SettingsError)


def test_a_question_needs_a_model_that_can_answer(tmp_path: Path) -> None:
    asked = run("evaluate", "imhi", "--data", tmp_path, "--model", "guided")
    assert isinstance(asked.exception, SettingsError)
    assert "name a model" in str(asked.exception)
    none = run("evaluate", "compare", tmp_path / "no.json", tmp_path / "no.json")
    assert isinstance(none.exception, DataError)


def test_ctrl_c_says_that_what_was_done_is_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stopped(*_args: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("agent.evaluate.guard.canned", stopped)
    monkeypatch.setattr("sys.argv", ["hearken", "evaluate", "guard"])
    with pytest.raises(SystemExit, match="130"):
        main()
    assert "goes on from there" in capsys.readouterr().err


def test_imhi_is_asked_of_a_model_in_this_process(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="hearken[local] is not installed")
    from tests.agent.llm.tiny_llms import llama

    model = llama(tmp_path / "tiny", width=352, hidden=32, seed=1)
    query = 'Consider this post: "a lake {}" Question: Does the poster suffer from stress?'
    with (tmp_path / "dreaddit.csv").open("w", newline="", encoding="utf-8") as file:
        posts = [(query.format(number), "Yes." if number % 2 else "No.") for number in range(3)]
        csv.writer(file).writerows([("query", "gpt-3.5-turbo"), *posts])
    words = ("evaluate", "imhi", "--data", tmp_path / "dreaddit.csv", "--model", model, "--tokens", 3)
    done = run(*words, "--out", tmp_path / "out.json")
    assert done.exit_code == 0, done.output
    told = json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert told["model"].startswith("huggingface")
    assert (told["rows"][0]["n"], told["rows"][0]["not parsed"]["n"]) == (3, 3)
    assert "lake" not in done.output + json.dumps(told)


def test_ordinary_talks_are_measured_and_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answering(monkeypatch)
    talks, out = tmp_path / "talks.csv", tmp_path / "calm.json"
    write_csv(talks, ("talk", "text"), [("1", "the bus was late"), ("1", "again"), ("2", "a new kettle")])
    done = run("evaluate", "calm", "--data", talks, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(out.read_text("utf-8"))["rows"]
    assert (row["met as a crisis"]["n"], row["messages under care"]["n"]) == (2, 3)


def test_talks_with_hidden_danger_are_measured_and_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answering(monkeypatch)
    talks, out = tmp_path / "talks.csv", tmp_path / "hidden.json"
    write_csv(talks, ("talk", "level", "text"), [("1", "none", "hello"), ("1", "high", "I want to die")])
    done = run("evaluate", "hidden", "--data", talks, "--out", out, "--json")
    assert done.exit_code == 0, done.output
    (row,) = json.loads(out.read_text("utf-8"))["rows"]
    assert (row["talks heard"]["n"], row["high under care"]["n"]) == (1, 1)
