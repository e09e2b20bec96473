"""The command line: what each command prints, and that an error is one sentence, never a traceback."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from ui.cli import app

ROOT = Path(__file__).parents[2]


def run(*arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "ui.cli", *arguments]
    return subprocess.run(command, input=typed, capture_output=True, text=True, cwd=ROOT, check=False)


def test_read_prints_one_messages_reading_as_json() -> None:
    done = CliRunner().invoke(app, ["read", "I am so worried about my exam tomorrow", "--json"])
    found = json.loads(done.stdout)
    assert len(found["reading"]["emotions"]) == 5
    assert found["risk"]["level"] == "none"


def test_read_is_for_people_too() -> None:
    done = CliRunner().invoke(app, ["read", "I want to kill myself"])
    assert "high" in done.stdout
    assert "crisis branch" in done.stdout


def test_check_says_what_loads_and_how_old_the_helplines_are() -> None:
    done = CliRunner().invoke(app, ["check", "--json"])
    report = json.loads(done.stdout)
    assert report["ok"], report
    assert set(report["parts"]) == {"rules", "words", "encoder", "index", "helplines", "responder", "store"}
    assert "0 of them dialled" in report["parts"]["helplines"]["says"]
    assert done.exit_code == 0


def test_check_fails_when_a_part_does_not_load(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HEARKEN_ENCODER_DIR", str(tmp_path))
    done = CliRunner().invoke(app, ["check", "--json"])
    report = json.loads(done.stdout)
    assert not report["parts"]["encoder"]["ok"]
    assert str(tmp_path) in report["parts"]["encoder"]["says"]
    assert report["parts"]["responder"]["ok"]
    assert done.exit_code == 1


def test_chat_holds_a_conversation_and_ends_kindly() -> None:
    done = run("chat", "--country", "GB", "--why", typed="I feel alone\nI want to kill myself\n")
    assert done.returncode == 0, done.stderr
    assert "Samaritans" in done.stdout
    assert "116 123" in done.stdout
    assert "Take care." in done.stdout


@pytest.mark.parametrize("wrong", [["wrods"], ["read", "--jsno", "hello"], ["test"]])
def test_a_command_that_does_not_exist_is_named_without_a_traceback(wrong: list[str]) -> None:
    done = run(*wrong)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert {"wrods": "wrods", "read": "--jsno", "test": "folder"}[wrong[0]] in done.stderr


def test_an_unknown_country_is_one_sentence_with_the_fix() -> None:
    done = run("chat", "--country", "Atlantis")
    assert done.returncode == 2
    assert "two letters" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("source", ["missing.csv", "empty.csv", "columns.csv"])
def test_a_file_that_cannot_be_ingested_is_named_with_the_fix(source: str, tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("")
    (tmp_path / "columns.csv").write_text("a,b\n1,2\n")
    done = run("ingest", "counselchat", "--from", str(tmp_path / source))
    assert done.returncode == 2
    assert source in done.stderr.replace("\n", "")
    assert "Traceback" not in done.stderr


def test_scripts_run_and_write_junit(tmp_path: Path) -> None:
    script = tmp_path / "hello.yaml"
    script.write_text(
        "about: A greeting is answered.\nturns:\n  - user: hello\n    expect: {risk: none, offers: []}\n"
    )
    report = tmp_path / "report.xml"
    done = CliRunner().invoke(app, ["test", str(tmp_path), "--junit", str(report)])
    assert "1 passed, 0 failed" in done.stdout
    assert 'tests="1"' in report.read_text("utf-8")


def test_a_failing_script_fails_the_command(tmp_path: Path) -> None:
    (tmp_path / "hello.yaml").write_text("about: x\nturns:\n  - user: hello\n    expect: {risk: imminent}\n")
    done = CliRunner().invoke(app, ["test", str(tmp_path)])
    assert done.exit_code == 1
    assert "expected imminent" in done.stdout


def test_a_safety_plan_is_printed_in_the_chat_and_of_a_kept_conversation() -> None:
    typed = "/plan\ncan we write a safety plan\nI stop sleeping\n/plan\n"
    done = run("chat", "--country", "GB", "--keep", typed=typed)
    assert done.returncode == 0, done.stderr
    assert "There is no safety plan" in done.stdout
    assert "- I stop sleeping" in done.stdout
    thread = done.stdout.split("--thread ")[1].split()[0]
    asked = CliRunner().invoke(app, ["plan", thread, "--json"])
    assert json.loads(asked.stdout)["steps"][0]["entries"] == ["I stop sleeping"]
    assert "# My safety plan" in CliRunner().invoke(app, ["plan", thread]).stdout


def test_an_unknown_conversation_has_no_plan_and_none_is_begun() -> None:
    done = CliRunner().invoke(app, ["plan", "unknown"])
    assert done.exit_code == 1
    assert "no safety plan" in done.output


def test_exercises_are_printed_for_reading() -> None:
    every = CliRunner().invoke(app, ["exercises"])
    one = CliRunner().invoke(app, ["exercises", "grounding"])
    assert every.exit_code == one.exit_code == 0
    assert one.stdout.count("## ") == 1
    assert every.stdout.count("## ") == 10
    assert CliRunner().invoke(app, ["exercises", "juggling"]).exit_code == 2


def test_notes_are_printed_in_the_chat_and_of_a_kept_conversation() -> None:
    done = run(
        "chat", "--country", "GB", "--keep", typed="/notes\nmy landlord raised the rent again\n/notes\n"
    )
    assert done.returncode == 0, done.stderr
    assert "nothing to note" in done.stdout
    assert "- my landlord raised the rent again" in done.stdout
    thread = done.stdout.split("--thread ")[1].split()[0]
    asked = CliRunner().invoke(app, ["notes", thread, "--json"])
    assert json.loads(asked.stdout)["told"] == ["my landlord raised the rent again"]
    assert CliRunner().invoke(app, ["notes", "unknown"]).exit_code == 1


def test_what_is_kept_is_encrypted_given_another_passphrase_and_made_plain_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.settings import load_settings
    from graph import sealing, shelf, vault
    from graph.moods import Mood, feel, moods
    from ui import serving

    monkeypatch.setattr(vault, "COST", 2**10)
    path = load_settings().conversations_db
    shelf.consent(path)
    feel(path, Mood(shelf.iso(), 1, "CANARY-3e tired"))
    refused = CliRunner().invoke(app, ["store", "encrypt"])
    assert "HEARKEN_STORE_KEY" in str(refused.exception)  # nobody can type here
    monkeypatch.setenv("HEARKEN_STORE_KEY", "four quiet words here")
    for _ in range(2):
        done = CliRunner().invoke(app, ["store", "encrypt"])
        assert json.loads(done.stdout) == {"encrypted": ["conversations.sqlite"]}
    assert b"CANARY" not in b"".join(one.read_bytes() for one in path.parent.iterdir())
    monkeypatch.setattr(serving, "_typed", lambda which, **how: "another long one")
    assert CliRunner().invoke(app, ["store", "passphrase"]).exit_code == 0
    assert sealing.unlock(path, "another long one")
    refused = CliRunner().invoke(app, ["store", "decrypt"])
    assert "does not open" in str(refused.exception)
    monkeypatch.delenv("HEARKEN_STORE_KEY")
    done = CliRunner().invoke(app, ["store", "decrypt"])
    assert json.loads(done.stdout) == {"decrypted": ["conversations.sqlite"]}
    assert moods(path)[0].note == "CANARY-3e tired"
