"""`hearken audit`: what it prints, and its exit status."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from agent.errors import SettingsError
from agent.settings import load_settings
from graph import Session, chain
from graph.services import from_settings
from tests import fakes
from ui.cli import app

ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HEARKEN_AUDIT_DIR", str(tmp_path / "audit"))
    audit = from_settings(load_settings()).audit
    session = Session.open(country="GB", services=fakes.services(audit=audit))
    for text in ("hello", "I want to kill myself", "yes"):
        session.say(text)
    session.settle()
    return tmp_path / "audit"


def test_a_whole_trail_verifies(folder: Path) -> None:
    done = CliRunner().invoke(app, ["audit", "verify"])
    assert done.exit_code == 0
    assert "3 lines, 0 problems" in done.stdout


def test_a_changed_line_is_named_and_fails_the_command(folder: Path) -> None:
    file = folder / "audit.jsonl"
    file.write_text(file.read_text("utf-8").replace('"turn":2', '"turn":5'), "utf-8")
    done = CliRunner().invoke(app, ["audit", "verify"])
    assert done.exit_code == 1
    assert "line 2 was changed" in done.stdout
    report = json.loads(CliRunner().invoke(app, ["audit", "verify", "--json"]).stdout)
    assert report["problems"] == [{"line": 2, "says": "was changed"}]


def test_counts_are_numbers_without_names(folder: Path) -> None:
    years = json.loads(CliRunner().invoke(app, ["audit", "counts", "--json"]).stdout)
    [year] = years.values()
    assert year["turns"] == 3
    assert year["countries"] == {"GB": year["referrals"]}
    text = CliRunner().invoke(app, ["audit", "counts"]).stdout
    assert "suicide" in text
    for line in chain.lines(folder):
        assert line["session"] not in json.dumps(years) + text


def test_purging_keeps_the_young(folder: Path) -> None:
    done = CliRunner().invoke(app, ["audit", "purge", "--days", "30"])
    assert "0 lines removed" in done.stdout
    done = CliRunner().invoke(app, ["audit", "purge", "--days", "0", "--json"])
    assert json.loads(done.stdout) == {"removed": 3}
    assert CliRunner().invoke(app, ["audit", "verify"]).exit_code == 0


@pytest.mark.parametrize("command", ["verify", "purge", "counts"])
def test_without_a_folder_the_setting_is_named(command: str) -> None:
    done = CliRunner().invoke(app, ["audit", command])
    assert isinstance(done.exception, SettingsError)
    assert "HEARKEN_AUDIT_DIR" in str(done.exception)


def test_no_key_is_made_by_asking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_AUDIT_DIR", str(tmp_path / "typo"))
    done = CliRunner().invoke(app, ["audit", "verify"])
    assert "audit.key" in str(done.exception)
    assert not (tmp_path / "typo").exists()


def test_a_program_that_ends_at_once_still_writes_its_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARKEN_AUDIT_DIR", str(tmp_path / "audit"))
    monkeypatch.setenv("HEARKEN_PART_SECONDS", "60")  # a machine under load loads the model slowly
    command = [sys.executable, "-m", "ui.cli", "chat", "--country", "GB"]
    done = subprocess.run(
        command, input="I want to kill myself\n", capture_output=True, text=True, cwd=ROOT, check=False
    )
    assert done.returncode == 0, done.stderr
    [line] = chain.lines(tmp_path / "audit")
    assert line["level"] == "high"
