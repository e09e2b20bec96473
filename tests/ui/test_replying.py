"""What can be done with a reply: other words, another message, a mark, a report; no disk unasked."""

import json
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from graph import shelf
from graph.store import listed
from tests.ui.pages import WANTS_TO_DIE, everything, opened, replies, say
from ui.wording import load_ui_words

CANARY = "CANARY-33ee"


@pytest.fixture
def page(filled: Path, monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return opened(monkeypatch, HEARKEN_COUNTRY="GB")


def on_disk(folder: Path) -> bool:
    return any(CANARY.encode() in p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_the_same_reply_in_other_words(page: AppTest) -> None:
    say(page, "I moved here for work in spring and know nobody")
    first = replies(page)
    page.button(key="again").click().run()
    assert not page.exception
    assert [m.name for m in page.chat_message] == ["user", "assistant"]
    assert replies(page) != first


def test_the_last_message_can_be_changed_and_sent_again(page: AppTest) -> None:
    say(page, "my cat died yesterday")
    say(page, f"{CANARY} and my boss")
    page.button(key="edit").click().run()
    assert page.text_area(key="edited-text").value == f"{CANARY} and my boss"
    page.text_area(key="edited-text").set_value("and my sister called")
    next(b for b in page.button if b.label == load_ui_words().talk.edit_send).click().run()
    assert not page.exception
    said = [m.text[0].value for m in page.chat_message if m.name == "user"]
    assert said == ["my cat died yesterday", "and my sister called"]
    assert len(replies(page)) == 2


def test_danger_has_no_other_wording_and_is_not_taken_back(page: AppTest) -> None:
    say(page, WANTS_TO_DIE)
    assert "again" not in [b.key for b in page.button]
    page.button(key="edit").click().run()
    assert load_ui_words().talk.danger_stays in everything(page)
    page.text_area(key="edited-text").set_value("what a day")
    next(b for b in page.button if b.label == load_ui_words().talk.edit_send).click().run()
    assert "tel:116123" in everything(page)
    assert load_ui_words().card_title in everything(page)


def test_a_mark_is_kept_only_where_the_conversation_is(page: AppTest, tmp_path: Path) -> None:
    say(page, "my cat died yesterday")
    reply = page.session_state.session.messages[-1].id
    page.feedback(key=f"mark-{reply}").set_value(1).run()
    assert page.session_state.marks == {reply: 1}
    assert not (tmp_path / "data" / "conversations.sqlite").exists()


def test_a_mark_of_a_kept_conversation_comes_back_with_it(page: AppTest, tmp_path: Path) -> None:
    database = tmp_path / "data" / "conversations.sqlite"
    page.toggle(key="keep").set_value(True).run()
    say(page, "my cat died yesterday")
    reply = page.session_state.session.messages[-1].id
    page.feedback(key=f"mark-{reply}").set_value(0).run()
    [(thread, _)] = listed(database)
    assert shelf.marks(database, thread) == {reply: 0}
    page.button(key="new").click().run()
    page.switch_page("screens/talks.py").run()
    page.button(key=f"open-{thread}").click().run()
    assert page.feedback(key=f"mark-{reply}").value == 0


def test_a_report_is_kept_only_when_they_say_so(page: AppTest, tmp_path: Path) -> None:
    say(page, f"{CANARY} my cat died")
    reply = page.session_state.session.messages[-1]
    page.button(key=f"report-{reply.id}").click().run()
    assert load_ui_words().talk.report_lead in everything(page)
    assert not on_disk(tmp_path)
    page.text_area(key="report-text").set_value("it was cold")
    page.button(key="report-keep").click().run()
    assert not page.exception
    assert [load_ui_words().talk.reported] == [e.value for e in page.toast]
    [one] = shelf.reports(tmp_path / "data" / "conversations.sqlite")
    assert (one.said, one.reply, one.why) == (f"{CANARY} my cat died", reply.content, "it was cold")


def test_a_long_conversation_shows_its_end_first(page: AppTest) -> None:
    session = page.session_state.session
    say(page, "hello")
    for number in range(24):
        session.say(f"on day {number} it was my sister again")
    page.run()
    assert len(page.chat_message) == 40
    page.button(key="earlier").click().run()
    assert len(page.chat_message) == 50


def test_an_exported_conversation_says_what_a_machine_wrote(page: AppTest) -> None:
    from graph.store import spoken
    from ui import export

    say(page, "**bold** [a](http://b.example) my cat died")
    said = spoken(page.session_state.session.messages)
    data = json.loads(export.as_json("t", said))
    assert [one["ai_generated"] for one in data["messages"]] == [False, True]
    assert data["messages"][0]["content"] == "**bold** [a](http://b.example) my cat died"
    text = export.as_markdown("t", said, load_ui_words())
    assert "](http" not in text
    assert load_ui_words().talks.assistant in text


def test_a_page_to_print_shows_what_was_written_as_text(page: AppTest) -> None:
    from ui import export

    said = (("user", "<script>alert(1)</script> & <img src=http://b.example>"), ("assistant", "I hear you."))
    made = export.as_html("<b>t</b>", said, load_ui_words())
    assert "<script" not in made
    assert "<img" not in made
    assert "&lt;script&gt;" in made
    assert load_ui_words().talks.assistant in made
    assert [ending for _, _, ending, _ in export.files("t", said, load_ui_words())] == ["md", "html", "json"]
