"""`hearken words`: check and preview for those who edit sentences and not Python."""

import pytest
from typer.testing import CliRunner

from agent.evaluate import wording
from agent.evaluate.wording import Line
from ui.cli import app


def test_every_sentence_is_checked_and_the_files_are_counted() -> None:
    done = CliRunner().invoke(app, ["words", "check"])
    assert done.exit_code == 0, done.output
    assert done.stdout.rstrip().endswith(" 0 stopped")


def test_a_sentence_that_the_guard_would_stop_fails_the_check(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = Line("replies_told.yaml#tellings.low.say.0", "You have depression.", "diagnosis")
    monkeypatch.setattr(wording, "lines", lambda under="": [bad])
    done = CliRunner().invoke(app, ["words", "check"])
    assert done.exit_code == 1
    assert "stopped by diagnosis  replies_told.yaml#tellings.low.say.0" in done.stdout


def test_the_sentences_of_a_place_are_shown_filled_in() -> None:
    done = CliRunner().invoke(app, ["words", "preview", "replies_support.yaml#banks.mirroring.clause"])
    assert done.exit_code == 0
    assert "So your manager keeps giving you his shifts." in done.stdout
    assert "$" not in done.stdout


def test_replies_to_a_talk_are_shown_with_the_place_of_each_sentence() -> None:
    done = CliRunner().invoke(app, ["words", "preview", "--say", "hello", "--say", "my boss shouts at me"])
    assert done.exit_code == 0
    assert "> my boss shouts at me" in done.stdout
    assert "[replies_moves.yaml#moves.greeting" in done.stdout
