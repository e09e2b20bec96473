"""A passphrase on the page: set, asked for, changed, taken away, forgotten; help and talk do without it."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph import moods, sealing, shelf, vault
from tests.ui.pages import APP, WANTS_TO_DIE, everything, literal, opened, replies, say, turn_to
from ui.wording import load_ui_words

CANARY = "CANARY-27bd"
PASSPHRASE, ANOTHER = "four quiet words here", "another long one"

WORDS = load_ui_words().locking


@pytest.fixture
def page(filled: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setattr(vault, "COST", 2**10)
    return opened(monkeypatch, HEARKEN_COUNTRY="GB")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations.sqlite"


def anew() -> AppTest:
    """Another browser session on the same server."""
    at = AppTest.from_file(APP, default_timeout=30).run()
    assert not at.exception
    return at


def on_disk(folder: Path) -> bool:
    return any(CANARY.encode() in p.read_bytes() for p in folder.rglob("*") if p.is_file())


def kept(at: AppTest, text: str) -> str:
    turn_to(at, "talk")
    if at.chat_message:
        at.button(key="new").click().run()
    at.toggle(key="keep").set_value(True).run()
    say(at, text)
    return str(at.session_state.session.thread)


def write(at: AppTest, form: str, **typed: str) -> None:
    for name, value in typed.items():
        at.text_input(key=f"{form}-{name}").set_value(value)
    at.button(key=f"{form}-do").click().run()
    assert not at.exception


def encrypt(at: AppTest, passphrase: str = PASSPHRASE) -> None:
    turn_to(at, "choices")
    write(at, "lock-set", new=passphrase, again=passphrase)


def unlock(at: AppTest, passphrase: str = PASSPHRASE) -> None:
    write(at, "unlock", passphrase=passphrase)


def keys(at: AppTest) -> set[str]:
    return {str(one.key) for one in [*at.button, *at.text_input]}


def test_a_talk_that_is_kept_in_the_clear_goes_on_encrypted(
    page: AppTest, database: Path, tmp_path: Path
) -> None:
    thread = kept(page, f"{CANARY} my cat died")
    assert on_disk(tmp_path)
    encrypt(page)
    assert literal(WORDS.on) in literal(everything(page))
    assert not on_disk(tmp_path)
    turn_to(page, "talk")
    say(page, f"{CANARY} her name was Minou")
    assert page.session_state.session.saved
    assert not on_disk(tmp_path)
    found = shelf.conversations(database, sealing.unlock(database, PASSPHRASE))
    assert [one.thread for one in found] == [thread]
    assert "Minou" in str(found[0].said)


def test_a_plan_a_check_in_and_a_report_leave_no_byte_in_the_clear(page: AppTest, tmp_path: Path) -> None:
    encrypt(page)
    kept(page, f"{CANARY} my cat died")
    turn_to(page, "plan")
    page.text_area(key="plan-signs").set_value(f"{CANARY} sleepless").run()
    page.button(key="plan-next").click().run()
    turn_to(page, "moods")
    page.session_state["face"] = 1
    page.text_area(key="mood-note").set_value(f"{CANARY} tired").run()
    page.checkbox(key="mood-keep").set_value(True).run()
    page.session_state["face"] = 1
    page.button(key="mood-do").click().run()
    assert f"{CANARY} tired" in everything(page)
    assert len(moods.moods(tmp_path / "data" / "conversations.sqlite", page.session_state["vault-key"])) == 1
    assert not on_disk(tmp_path)


def test_it_is_asked_for_at_the_start_and_help_and_a_temporary_talk_do_without(
    page: AppTest, database: Path, tmp_path: Path
) -> None:
    kept(page, f"{CANARY} my cat died")
    encrypt(page)
    before = database.read_bytes()
    other = anew()
    assert WORDS.asked in everything(other)
    assert "tel:116123" in everything(other)
    assert other.toggle(key="keep").disabled
    say(other, WANTS_TO_DIE)
    assert len(replies(other)) == 1
    assert not other.session_state.session.keeps
    for name in ("talks", "moods", "choices"):
        turn_to(other, name)
        assert WORDS.asked in everything(other)
        assert CANARY not in everything(other)
        assert "tel:116123" in everything(other)
    assert database.read_bytes() == before


def test_a_wrong_one_is_one_sentence_and_the_right_one_opens_and_finds_words(page: AppTest) -> None:
    thread = kept(page, f"{CANARY} my cat died")
    encrypt(page)
    other = anew()
    unlock(other, ANOTHER)
    assert [one.value for one in other.warning] == [literal(WORDS.wrong).replace(".", "\\.")]
    unlock(other)
    assert WORDS.asked not in everything(other)
    turn_to(other, "talks")
    other.text_input(key="search").set_value("CAT DIED").run()
    assert f"open-{thread}" in keys(other)
    other.text_input(key="search").set_value("no such words").run()
    assert f"open-{thread}" not in keys(other)
    other.text_input(key="search").set_value("").run()
    other.button(key=f"open-{thread}").click().run()
    assert f"{CANARY} my cat died" in str(other.session_state.session.messages)
    say(other, "her name was Minou")
    assert other.session_state.session.saved


def test_it_is_open_in_one_browser_session_alone_and_until_it_is_locked(page: AppTest) -> None:
    thread = kept(page, f"{CANARY} my cat died")
    encrypt(page)
    assert WORDS.asked in everything(anew())
    turn_to(page, "choices")
    page.button(key="lock-now").click().run()
    assert WORDS.asked in everything(page)
    assert page.session_state.session.thread != thread
    turn_to(page, "talk")
    assert CANARY not in everything(page)


def test_leaving_locks(page: AppTest) -> None:
    encrypt(page)
    page.button(key="leave").click().run()
    assert "vault-key" not in page.session_state


def test_two_that_differ_or_are_short_change_nothing(page: AppTest, database: Path) -> None:
    turn_to(page, "choices")
    write(page, "lock-set", new=PASSPHRASE, again=ANOTHER)
    assert literal(WORDS.differ) in literal(everything(page))
    write(page, "lock-set", new="short", again="short")
    assert not database.exists()


def test_it_is_changed_and_taken_away_with_the_one_until_now(page: AppTest, database: Path) -> None:
    kept(page, f"{CANARY} my cat died")
    encrypt(page)
    write(page, "lock-change", current=ANOTHER, new=ANOTHER, again=ANOTHER)
    assert literal(WORDS.wrong) in literal(everything(page))
    write(page, "lock-change", current=PASSPHRASE, new=ANOTHER, again=ANOTHER)
    assert sealing.unlock(database, ANOTHER)
    write(page, "lock-remove", current=PASSPHRASE)
    assert sealing.encrypted(database)
    write(page, "lock-remove", current=ANOTHER)
    assert not sealing.encrypted(database)
    turn_to(page, "talk")
    say(page, "her name was Minou")
    assert page.session_state.session.saved
    assert "Minou" in str(shelf.conversations(database))


def test_a_forgotten_one_can_be_begun_anew_without(page: AppTest, database: Path) -> None:
    kept(page, f"{CANARY} my cat died")
    encrypt(page)
    other = anew()
    turn_to(other, "talks")
    assert literal(WORDS.lost) in literal(everything(other))
    other.button(key="delete-all-do").click().run()
    assert not sealing.encrypted(database)
    kept(other, "a new beginning")
    assert other.session_state.session.saved


def test_deleting_everything_keeps_a_passphrase_that_is_known(
    page: AppTest, database: Path, tmp_path: Path
) -> None:
    kept(page, "my cat died")
    encrypt(page)
    turn_to(page, "talks")
    page.button(key="delete-all-do").click().run()
    kept(page, f"{CANARY} once more")
    assert page.session_state.session.saved
    assert not on_disk(tmp_path)


def test_whoever_runs_it_may_set_it_and_nobody_is_asked(
    filled: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(vault, "COST", 2**10)
    at = opened(monkeypatch, HEARKEN_COUNTRY="GB", HEARKEN_STORE_KEY=PASSPHRASE)
    assert not (tmp_path / "data" / "conversations.sqlite").exists()
    thread = kept(at, f"{CANARY} my cat died")
    assert not on_disk(tmp_path)
    turn_to(at, "choices")
    assert WORDS.by_server in everything(at)
    assert PASSPHRASE not in everything(at)
    at.button(key="check").click().run()
    assert PASSPHRASE not in everything(at)
    other = turn_to(anew(), "talks")
    assert f"open-{thread}" in keys(other)
    st.cache_resource.clear()
    monkeypatch.setenv("HEARKEN_STORE_KEY", ANOTHER)
    assert CANARY not in everything(turn_to(anew(), "talks"))
