"""The operator's page: off by default; lists who waits, takes over, answers, hands back."""

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from typer.testing import CliRunner

from agent.errors import SettingsError
from agent.settings import load_settings
from graph import Session
from graph.audit import Trail
from graph.desk import Desk
from tests import fakes
from ui.cli import app
from ui.console import load_console_words

CONSOLE = str(Path(__file__).parents[2] / "ui" / "console.py")
WANTS_TO_DIE = "I want to kill myself"
HIGH = "I want to kill myself **now** <b>"


def shown(at: AppTest) -> str:
    return "\n".join(e.value for e in [*at.markdown, *at.caption, *at.text, *at.info, *at.warning])


@pytest.fixture
def desk(monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("HEARKEN_OPERATOR", "true")
    return Desk(load_settings().desk_db)


@pytest.fixture
def thread(desk: Desk) -> str:
    services = fakes.services(escalate=desk.put, desk=desk, operator=True)
    session = Session.open(country="GB", services=services)
    session.say(HIGH)
    session.settle()
    return session.thread


def page() -> AppTest:
    at = AppTest.from_file(CONSOLE, default_timeout=30).run()
    assert not at.exception
    return at


def test_it_shows_nothing_unless_switched_on(
    desk: Desk, thread: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARKEN_OPERATOR", "false")
    at = page()
    assert load_console_words().switched_off in shown(at)
    assert HIGH not in shown(at)
    assert not at.button


def test_nobody_waits(desk: Desk) -> None:
    assert load_console_words().none in shown(page())


def test_who_waits_is_listed_with_what_was_said_as_text(thread: str) -> None:
    at = page()
    assert "imminent" in shown(at)
    assert "GB" in shown(at)
    assert HIGH in [element.value for element in at.text]
    assert not [element for element in at.markdown if "kill" in element.value]


def test_taking_over_answering_and_handing_back(desk: Desk, thread: str) -> None:
    at = page()
    at.button(key=f"take-{thread}").click().run()
    assert desk.holds(thread) == "taken"
    assert load_console_words().states["taken"] in shown(at)
    assert not at.text_area
    desk.ask(thread, [{"role": "person", "text": "is someone there"}])
    at.run()
    assert "is someone there" in shown(at)
    at.text_area(key=f"answer-{thread}").set_value("I am here.")
    at.button(key=f"send-{thread}").click().run()
    assert not at.exception
    assert desk.answered(thread) == {"said": "I am here.", "back": False}
    at.button(key=f"back-{thread}").click().run()
    assert desk.holds(thread) == "back"
    assert load_console_words().none in shown(at)


def test_an_answer_that_comes_too_late_is_said_to_be(desk: Desk, thread: str) -> None:
    desk.take(thread)
    desk.ask(thread, [])
    at = page()
    at.text_area(key=f"answer-{thread}").set_value("I am here.")
    desk.answered(thread, last=True)
    at.button(key=f"send-{thread}").click().run()
    assert [toast.value for toast in at.toast] == [load_console_words().late]
    assert desk.answered(thread, last=True) == {"said": "", "back": False}


def test_a_desk_that_cannot_be_read_is_told_kindly(desk: Desk) -> None:
    path = load_settings().desk_db
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("no database, but long enough to be looked at as one" * 20)
    assert load_console_words().unreadable in shown(page())


def test_the_command_says_what_must_be_set() -> None:
    done = CliRunner().invoke(app, ["console"])
    assert isinstance(done.exception, SettingsError)
    assert "HEARKEN_OPERATOR" in str(done.exception)


def test_scripts_are_run_with_what_passed_what_failed_and_what_was_said(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "scripts"
    folder.mkdir()
    for name, risk in (("right", "none"), ("wrong", "imminent")):
        (folder / f"{name}.yaml").write_text(
            f"about: A greeting.\nturns:\n  - user: hello **you**\n    expect: {{risk: {risk}}}\n"
        )
    at = page()
    at.text_input(key="scripts").set_value(str(folder)).run()
    at.button(key="run-scripts").click().run()
    assert not at.exception
    words = load_console_words().scripts
    assert [e.value for e in at.warning] == ["1 passed, 1 failed"]
    assert len([e for e in at.expander if words.failed in e.label or words.passed in e.label]) == 2
    assert f"{words.they}: hello **you**" in [element.value for element in at.text]
    at.toggle(key="only-failed").set_value(True).run()
    assert [e.label for e in at.expander if words.failed in e.label or words.passed in e.label]
    assert not [e.label for e in at.expander if words.passed in e.label]


def test_a_made_up_danger_calls_nobody(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "one.yaml").write_text(f"about: Danger.\nturns:\n  - user: {WANTS_TO_DIE}\n")
    at = page()
    at.text_input(key="scripts").set_value(str(tmp_path / "one.yaml")).run()
    at.button(key="run-scripts").click().run()
    assert at.success
    assert desk.listed() == []


def test_a_folder_without_scripts_is_told_in_one_sentence(desk: Desk, tmp_path: Path) -> None:
    at = page()
    at.text_input(key="scripts").set_value(str(tmp_path / "nothing")).run()
    at.button(key="run-scripts").click().run()
    assert not at.exception
    assert len(at.warning) == 1


def test_every_part_can_be_checked(desk: Desk, filled: Path) -> None:
    at = page()
    at.button(key="run-check").click().run()
    assert not at.exception
    assert [e.value for e in at.success] == [load_console_words().checks.well]


def test_turns_are_counted_without_any_text(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert load_console_words().counts.missing in shown(page())
    monkeypatch.setenv("HEARKEN_AUDIT_DIR", str(tmp_path / "audit"))
    assert load_console_words().counts.none in shown(page())
    trail = Trail(tmp_path / "audit", lambda: b"a key of this test alone")
    services = fakes.services(audit=trail.write)
    session = Session.open(country="GB", services=services)
    session.say("hello there")
    session.say(HIGH)
    session.settle()
    at = page()
    assert "2 turns, 1 of them showed helplines" in shown(at)
    told = " ".join(str(one.value.to_dict()) for one in at.table)
    assert "GB" in told
    assert HIGH not in told + shown(at)
