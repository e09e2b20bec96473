"""The page as a person meets it: Streamlit's AppTest on the real script, real services."""

import time
from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from graph.store import listed
from tests.ui.pages import APP, WANTS_TO_DIE, everything, files, literal, say, turn_to
from ui.wording import load_ui_words


@pytest.fixture(autouse=True)
def _fresh_process(filled: Path) -> None:
    """What Streamlit caches for a process would carry one test's settings into the next."""
    st.cache_resource.clear()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    monkeypatch.setenv("HEARKEN_COUNTRY", "GB")
    at = AppTest.from_file(APP, default_timeout=30)
    at.run()
    assert not at.exception
    return at


def test_the_first_screen_says_what_this_is_before_the_first_word(page: AppTest) -> None:
    shown = literal(everything(page))
    for line in load_ui_words().about:
        assert line in shown
    assert not page.chat_message


def test_help_is_on_the_first_screen(page: AppTest) -> None:
    assert "tel:116123" in everything(page)
    assert "tel:999" in everything(page)


def test_a_message_gets_a_reply_and_the_panel_says_why(page: AppTest) -> None:
    say(page, "My manager keeps changing the plan and I stay until nine every night")
    assert [m.name for m in page.chat_message] == ["user", "assistant"]
    assert len(page.chat_message[1].text[0].value.split()) > 10
    assert any(e.label == load_ui_words().why_title for e in page.expander)
    assert literal(load_ui_words().why.ordinary) in literal(everything(page))


def test_ten_turns_in_a_row(page: AppTest) -> None:
    for number in range(10):
        say(page, f"Today was hard, and on day {number} it was my sister again")
    replies = [m.text[0].value for m in page.chat_message if m.name == "assistant"]
    assert len(replies) == 10
    assert len(set(replies)) == 10


def test_danger_shows_the_countrys_lines_and_keeps_them_in_sight(page: AppTest) -> None:
    say(page, WANTS_TO_DIE)
    assert load_ui_words().card_title in everything(page)
    assert "Samaritans" in everything(page)
    say(page, "I do not know what to say")
    assert everything(page).count(load_ui_words().card_title) >= 1


def test_the_country_can_be_changed_and_the_lines_follow(page: AppTest) -> None:
    page.selectbox(key="country-start").set_value("US").run()
    say(page, WANTS_TO_DIE)
    assert "tel:988" in everything(page)


def test_developer_depth_is_off_unless_offered(page: AppTest) -> None:
    say(page, "hello")
    assert not page.json
    assert not [t for t in page.toggle if t.key == "developer"]


def test_developer_depth_shows_the_reading_when_switched_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_DEVELOPER", "true")
    at = AppTest.from_file(APP, default_timeout=30).run()
    say(at, "I feel so alone")
    at.toggle(key="developer").set_value(True).run()
    assert "emotions" in at.json[0].value
    facets = [t.value for t in at.text if ". Reasoning: " in t.value]
    assert any("lonel" in facet.lower() for facet in facets)
    at.toggle(key="developer").set_value(False).run()
    assert not [t for t in at.text if ". Reasoning: " in t.value]


def test_nothing_is_kept_unless_switched_on(page: AppTest, tmp_path: Path) -> None:
    say(page, "CANARY-55aa is my secret")
    assert not any(b"CANARY-55aa" in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


def test_a_kept_conversation_can_be_opened_again_and_deleted(page: AppTest, tmp_path: Path) -> None:
    page.toggle(key="keep").set_value(True).run()
    say(page, "CANARY-55aa happened")
    database = tmp_path / "data" / "conversations.sqlite"
    [(thread, _)] = listed(database)
    page.button(key="new").click().run()
    assert not page.chat_message
    turn_to(page, "talks")
    page.button(key=f"open-{thread}").click().run()
    assert "CANARY-55aa" in literal(page.chat_message[0].text[0].value)
    page.button(key="delete").click().run()
    assert listed(database) == []
    assert not any(b"CANARY-55aa" in p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())


@pytest.mark.parametrize(
    "text", ["   ", "😭😭", "a" * 50_000, "\x00", "<img src=x onerror=alert(1)>", "![x](http://e.example/x)"]
)
def test_odd_input_gets_a_kind_reply_and_no_traceback(page: AppTest, text: str) -> None:
    say(page, text)
    assert page.chat_message[1].text[0].value.strip()


def test_what_a_person_writes_is_shown_as_text_and_never_as_markup(page: AppTest) -> None:
    wild = "**bold** <b>x</b> [a](http://b) ![i](j) $x$ :smile:"
    say(page, wild)
    assert page.chat_message[0].text[0].value == wild
    assert not page.chat_message[0].markdown


def test_a_setting_that_cannot_be_used_is_told_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_THREADS", "many")
    at = AppTest.from_file(APP, default_timeout=30).run()
    assert not at.exception
    assert "HEARKEN_THREADS" in at.warning[0].value


def test_who_may_read_along_is_said_before_the_first_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_OPERATOR", "true")
    at = AppTest.from_file(APP, default_timeout=30).run()
    shown = literal(everything(at))
    for line in load_ui_words().about_operator:
        assert line in shown
    assert load_ui_words().about[1] not in shown
    assert load_ui_words().operator_note in shown


def test_the_whole_protocol_is_one_click_away_from_the_first_screen_on(page: AppTest) -> None:
    for at in (page, say(page, "hello")):
        shown = everything(at)
        assert "## What is looked for" in shown
        assert "](agent/" not in shown


def test_what_this_is_stays_on_the_page_and_is_said_again(page: AppTest) -> None:
    say(page, "I moved house and it has been a long week")
    told = literal(load_ui_words().reminders.disclosure)
    assert [literal(e.value) for e in page.info] == [told]
    page.session_state.session._reminders.clock = lambda: time.monotonic() + 3 * 3600
    say(page, "and the boxes are still not unpacked")
    assert [literal(e.value) for e in page.info] == [told, told]
    say(page, "I put the books on the shelf")
    assert len(page.info) == 2


def test_a_restricted_place_gets_the_library_and_no_feelings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_JURISDICTION", "restricted")
    monkeypatch.setenv("HEARKEN_COUNTRY", "GB")
    at = AppTest.from_file(APP, default_timeout=30).run()
    assert load_ui_words().about_restricted in literal(everything(at))
    say(at, "I can't sleep at night since I moved house")
    assert literal(load_ui_words().why.not_read) in literal(everything(at))
    assert len(at.chat_message[1].expander) > 1
    say(at, WANTS_TO_DIE)
    assert "tel:116123" in everything(at)


def test_a_safety_plan_can_be_saved_once_it_is_begun(page: AppTest) -> None:
    assert load_ui_words().plan_save not in files(page)
    say(page, "can we write a safety plan")
    assert load_ui_words().plan_save in files(page)


def test_notes_can_be_saved_once_something_was_told(page: AppTest) -> None:
    say(page, "hello")
    assert load_ui_words().notes_save not in files(page)
    say(page, "my landlord put the rent up and I owe two months")
    assert load_ui_words().notes_save in files(page)
