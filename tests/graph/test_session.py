"""One conversation: what a Turn says, what streams, what is kept, and what a full disk cannot break."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent.errors import SettingsError
from agent.settings import Settings, load_settings
from graph import CardShown, Done, Said, Session, StepStarted
from graph.store import erase, listed
from tests import fakes

WANTS_TO_DIE = "I want to kill myself"


def opened(**changes: Any) -> Session:
    return Session.open(**{"country": "GB", "services": fakes.services(), **changes})


def test_a_turn_tells_what_happened() -> None:
    turn = opened(services=fakes.services(search=lambda text, k: [fakes.passage()])).say(
        "I miss my grandmother, what can I do"
    )
    assert turn.text
    assert turn.risk in {"none", "low"}
    assert not turn.escalated
    assert turn.card == []
    assert turn.path == ["perceive", "assess", "plan", "recall", "respond", "guard"]
    assert [p["id"] for p in turn.sources] == ["p1"]
    assert turn.plan["steps"]
    assert set(turn.milliseconds) == set(turn.path)


def test_a_crisis_turn_shows_the_countrys_lines() -> None:
    turn = opened().say(WANTS_TO_DIE)
    assert turn.escalated
    assert "Samaritans" in [contact["name"] for contact in turn.card]
    assert turn.sources == []


@pytest.mark.parametrize(
    ("country", "number"), [("US", "988"), ("GB", "116 123"), ("IN", "14416"), ("CA", "988")]
)
def test_numbers_are_the_countrys_own(country: str, number: str) -> None:
    turn = opened(country=country).say(WANTS_TO_DIE)
    assert number in turn.text + str(turn.card)


def test_without_a_country_no_number_is_guessed() -> None:
    turn = opened(country=None).say(WANTS_TO_DIE)
    assert turn.card
    assert not any(contact["phone"] for contact in turn.card)


@pytest.mark.parametrize("code", ["XX", "usa", "1", "🇬🇧"])
def test_a_country_that_does_not_exist_is_refused_with_the_fix(code: str) -> None:
    with pytest.raises(SettingsError, match="two letters"):
        opened(country=code)


def test_the_country_may_change_in_mid_conversation() -> None:
    session = opened(country="US")
    session.say(WANTS_TO_DIE)
    session.set_country("IE")
    session.say("I have the pills in my hand and I am going to take them now")
    assert session.person["country"] == "IE"
    assert "112" in str(session.messages[-1].content)


def test_streaming_shows_steps_then_sentences_then_the_turn() -> None:
    events = list(opened().stream("my cat died yesterday"))
    assert events[0] == StepStarted("perceive")
    assert isinstance(events[-1], Done)
    said = [event.text for event in events if isinstance(event, Said)]
    assert " ".join(said) == events[-1].turn.text
    assert len(said) > 1


def test_a_crisis_streams_its_card_first_and_its_words_whole() -> None:
    events = list(opened().stream(WANTS_TO_DIE))
    kinds = [type(event) for event in events if not isinstance(event, StepStarted)]
    assert kinds == [CardShown, Said, Done]


def test_stopping_a_reply_keeps_what_was_shown(tmp_path: Path) -> None:
    session = opened(keep=True, settings=load_settings())
    stream = session.stream("my cat died yesterday")
    shown = next(event.text for event in stream if isinstance(event, Said))
    stream.close()  # type: ignore[attr-defined]
    assert str(session.messages[-1].content) == shown
    again = Session.open(services=fakes.services(), thread=session.thread, settings=load_settings())
    assert [str(m.content) for m in again.messages] == ["my cat died yesterday", shown]


def test_nothing_is_written_unless_asked(tmp_path: Path) -> None:
    opened().say("CANARY-7f3a is my secret")
    assert not [p for p in tmp_path.rglob("*") if p.is_file()]


def test_a_kept_conversation_is_found_again_with_its_risk() -> None:
    session = opened(keep=True)
    session.say(WANTS_TO_DIE)
    again = Session.open(services=fakes.services(), thread=session.thread)
    assert [m.type for m in again.messages] == ["human", "ai"]
    assert again.person["country"] == "GB"
    assert again.say("so, about dinner").escalated


def test_only_the_newest_checkpoint_is_kept_and_it_stays_small() -> None:
    session = opened(keep=True)
    for number in range(30):
        session.say(f"and then on day {number} my manager changed the plan again and I stayed until nine")
    rows = sqlite3.connect(load_settings().conversations_db)
    sizes = [row[0] for row in rows.execute("SELECT length(checkpoint) FROM checkpoints")]
    rows.close()
    assert len(sizes) == 1
    assert sizes[0] <= 40 * 1024


def test_deleting_leaves_no_byte_behind() -> None:
    session = opened(keep=True)
    session.say("CANARY-7f3a happened to me")
    folder = load_settings().data_dir
    assert any(b"CANARY-7f3a" in p.read_bytes() for p in folder.iterdir())
    session.delete()
    assert session.messages == []
    assert not any(b"CANARY-7f3a" in p.read_bytes() for p in folder.iterdir() if p.is_file())


def test_kept_conversations_are_listed_and_erased_by_id() -> None:
    path = load_settings().conversations_db
    assert listed(path) == []
    session = opened(keep=True)
    session.say("hello")
    assert [thread for thread, _ in listed(path)] == [session.thread]
    erase(path, session.thread)
    assert listed(path) == []


def test_a_read_only_disk_loses_no_conversation(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    session = opened(keep=True, settings=Settings(data_dir=blocked / "below"))
    turn = session.say("hello")
    assert not turn.saved
    assert session.say("my cat died").text
    assert len(session.messages) == 4


def test_a_store_that_breaks_in_mid_conversation_loses_nothing() -> None:
    session = opened(keep=True)
    session.say(WANTS_TO_DIE)
    session._copy.saver.conn.close()  # type: ignore[union-attr]
    turn = session.say("are you still there")
    assert turn.text
    assert not turn.saved
    assert turn.escalated
    assert len(session.messages) == 4


def test_state_is_plain_data_under_the_strict_serializer() -> None:
    turn = opened(services=fakes.services(search=lambda text, k: [fakes.passage()])).say(
        "I miss my grandmother"
    )
    strict = JsonPlusSerializer(allowed_msgpack_modules=None)
    for key, value in turn.values.items():
        if key != "messages":
            assert strict.loads_typed(strict.dumps_typed(value)) == value


def test_two_sessions_never_see_each_other() -> None:
    services = fakes.services()
    first, second = opened(services=services), opened(services=services)
    first.say("CANARY-one")
    second.say("CANARY-two")
    assert "two" not in str(first.messages)
    assert "one" not in str(second.messages)


def test_turns_of_one_session_wait_for_each_other() -> None:
    session = opened()
    threads = [threading.Thread(target=session.say, args=(f"message {n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [m.type for m in session.messages] == ["human", "ai"] * 4


def test_a_new_turn_in_the_same_thread_stops_the_one_still_open() -> None:
    session = opened()
    open_stream = session.stream("my cat died yesterday")
    next(open_stream)
    assert session.say("are you there").text
    assert [m.type for m in session.messages][-1] == "ai"


def test_what_we_are_is_told_truly_in_the_midst_of_danger_too() -> None:
    session = opened()
    session.say(WANTS_TO_DIE)
    turn = session.say("are you a real person?")
    assert turn.escalated
    assert "program" in turn.text.split(".")[0]


def test_the_lines_follow_the_country_and_go_with_the_danger() -> None:
    session = opened(country="US")
    assert session.contacts == []
    session.say(WANTS_TO_DIE)
    session.set_country("IN")
    assert {contact["country"] for contact in session.contacts} == {"IN"}
    session.set_country(None)
    assert not any(contact["phone"] for contact in session.contacts)


@pytest.mark.parametrize("said", ["I worry about my exam again", "thanks"])
def test_one_theme_for_a_hundred_turns_never_runs_dry(said: str) -> None:
    session = opened()
    turns = [session.say(said) for _ in range(100)]
    assert {turn.responder for turn in turns} == {"guided"}
    assert not [turn.text for turn in turns if "went wrong" in turn.text]


def test_the_same_conversation_gets_the_same_words() -> None:
    def talk() -> list[str]:
        session = opened()
        return [session.say(text).text for text in ("my dog died", "I can't sleep", "thanks")]

    assert talk() == talk()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   \n\t",
        "😀😀😭",
        "?",
        "\x00\x00",
        "a" * 50_000,
        "I can't cope. " * 4_000,
        "<script>alert(1)</script>",
        "![x](http://evil.example/p.png) [a](javascript:alert(1))",
        "\u202e\u200b\ud7ff",
        "Je me sens très seul ce soir",
    ],
)
def test_odd_messages_get_a_kind_short_reply(text: str) -> None:
    turn = opened().say(text)
    assert turn.text.strip()
    assert len(turn.text.split()) <= 160
    assert "http" not in turn.text
    assert "<" not in turn.text


@pytest.mark.parametrize("keep", [False, True])
def test_who_words_the_replies_may_change_in_mid_conversation(keep: bool) -> None:
    session = opened(keep=keep)
    session.say("I feel alone even around people.")
    said = len(session.messages)
    mine = "It sounds lonely in the middle of them all. How long has it been like this?"
    stream = session.stream("My sister does not call any more.")
    next(stream)  # left open in this thread, and no reason to wait for ever
    session.use(fakes.services(respond=lambda brief: [mine], responder="model"))
    turn = session.say("It has been like this since spring.")
    assert turn.text == mine
    assert turn.responder == "model"
    assert turn.saved
    assert len(session.messages) > said
    assert session.say(WANTS_TO_DIE).responder == "crisis"
    if keep:
        again = opened(thread=session.thread)
        assert [m.content for m in again.messages] == [m.content for m in session.messages]


def test_two_at_once_in_one_kept_conversation_lose_nothing_and_double_nothing() -> None:
    first = Session.open(keep=True, services=fakes.services())
    first.say("my cat died")
    other = Session.open(thread=first.thread, services=fakes.services())
    stream = first.stream("I want to kill myself")
    next(stream)
    other.say("she was called Minou")
    for _ in stream:
        pass
    assert first.saved
    again = Session.open(thread=first.thread, services=fakes.services())
    said = [str(one.content) for one in again.messages if one.type == "human"]
    assert sorted(said) == ["I want to kill myself", "my cat died", "she was called Minou"]
    assert sum(one.type == "ai" for one in again.messages) == 3
    assert again.risk in {"high", "imminent"}


def test_a_late_turn_does_not_bring_back_what_was_deleted_elsewhere() -> None:
    first = Session.open(keep=True, services=fakes.services())
    first.say("my cat died")
    stream = first.stream("CANARY-late I miss her")
    next(stream)
    path = load_settings().conversations_db
    erase(path, first.thread)
    for _ in stream:
        pass
    assert not first.saved
    first.close()
    assert listed(path) == []
    assert b"CANARY-late" not in b"".join(one.read_bytes() for one in path.parent.glob("conversations*"))


@pytest.mark.parametrize("events", [1, 3])
def test_a_message_stays_when_its_reply_was_cut_off_before_its_first_word(events: int) -> None:
    first = Session.open(keep=True, services=fakes.services())
    stream = first.stream("my cat died")
    for _ in range(events):
        next(stream)
    stream.close()
    again = Session.open(thread=first.thread, services=fakes.services())
    assert [str(one.content) for one in again.messages] == ["my cat died"]
