"""A disk that is locked, full or damaged, and conversations that are cut off or sent twice.

The reply does not depend on the disk, the person is told when nothing is saved, and the danger known so
far outlives a restart. (safety.md §6.2; SR-S3, SR-S7)
"""

import sqlite3
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from agent.reading.ladder import Level
from agent.settings import load_settings
from graph import CardShown, Session, StepStarted, store
from tests import fakes
from tests.right import MESSAGES, is_right


def opened(**changes: Any) -> Session:
    return Session.open(**{"country": "GB", "services": fakes.services(), "keep": True, **changes})


def restarted(session: Session) -> Session:
    """The same conversation as another process would find it."""
    session.close()
    return Session.open(services=fakes.services(), thread=session.thread)


@pytest.fixture
def other() -> Iterator[sqlite3.Connection]:
    """Another program that has the file open."""
    path = load_settings().conversations_db
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path, isolation_level=None)
    yield connection
    connection.close()


@pytest.mark.parametrize("meant", MESSAGES)
def test_a_file_that_is_locked(meant: Level, other: sqlite3.Connection) -> None:
    session = opened()
    session._copy.saver.conn.execute("PRAGMA busy_timeout=1")  # type: ignore[union-attr]
    other.execute("BEGIN IMMEDIATE")
    turn = session.say(MESSAGES[meant])
    is_right(turn, meant)
    assert not turn.saved
    assert len(session.messages) == 2


def test_a_file_that_is_locked_from_the_start(
    other: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    other.execute("BEGIN EXCLUSIVE")
    real = sqlite3.connect
    monkeypatch.setattr(sqlite3, "connect", lambda path, **how: real(path, **{**how, "timeout": 0.01}))
    session = opened()
    assert not session.saved
    for meant, text in MESSAGES.items():
        is_right(session.say(text), meant)


@pytest.mark.parametrize("meant", MESSAGES)
def test_a_disk_that_is_full(meant: Level) -> None:
    session = opened()
    connection = session._copy.saver.conn  # type: ignore[union-attr]
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count={pages}")
    turn = session.say(MESSAGES[meant] + ". I had soup." * 500)
    is_right(turn, meant)
    assert not turn.saved
    assert session.say("what now").escalated == (meant != "none")


@pytest.mark.parametrize("content", [b"this is no database", b"\x00" * 5000])
def test_a_file_that_is_no_database(content: bytes) -> None:
    path = load_settings().conversations_db
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    session = opened()
    for meant, text in MESSAGES.items():
        turn = session.say(text)
        is_right(turn, meant)
        assert not turn.saved
    assert path.read_bytes() == content


@pytest.mark.parametrize("blob", [b"", b"\x00\xff garbage", b"\xc1" * 50], ids=["empty", "short", "invalid"])
def test_a_kept_conversation_that_cannot_be_read_begins_anew(blob: bytes, other: sqlite3.Connection) -> None:
    session = opened()
    session.say(MESSAGES["imminent"])
    other.execute("UPDATE checkpoints SET checkpoint = ?", (blob,))
    assert [thread for thread, _ in store.listed(load_settings().conversations_db)] == [session.thread]
    again = restarted(session)
    again.set_country("GB")
    assert not again.saved
    for meant, text in MESSAGES.items():
        is_right(again.say(text), meant)


@pytest.mark.parametrize("moment", [StepStarted("crisis"), StepStarted("guard"), CardShown], ids=str)
def test_a_restart_in_the_midst_of_a_crisis_turn_keeps_what_was_heard(moment: Any) -> None:
    session = opened()
    session.say("I had soup")
    stream = session.stream(MESSAGES["imminent"])
    next(event for event in stream if event == moment or type(event) is moment)
    stream.close()  # type: ignore[attr-defined]
    again = restarted(session)
    assert again.contacts
    turn = again.say("anyway, what should I cook")
    assert turn.escalated
    assert turn.values["risk"]["peak"] == "imminent"


def test_messages_sent_at_once_are_all_answered_and_all_heard() -> None:
    session = opened()
    turns: list[Any] = []
    texts = ["I had soup", MESSAGES["imminent"], "it rained"]
    threads = [threading.Thread(target=lambda t=text: turns.append(session.say(t))) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(turns) == 3
    assert all(turn.text.strip() for turn in turns)
    assert sorted(str(m.content) for m in session.messages if m.type == "human") == sorted(texts)
    assert session.say("what now").escalated


def test_a_second_window_on_the_same_conversation_knows_of_the_danger() -> None:
    first = opened()
    first.say("I had soup")
    second = Session.open(services=fakes.services(), thread=first.thread)
    first.say(MESSAGES["imminent"])
    assert second.say("anyway, what should I cook").escalated
    assert first.say("it rained").escalated


def test_an_ephemeral_conversation_is_gone_with_its_session() -> None:
    session = opened(keep=False)
    session.say(MESSAGES["imminent"])
    again = Session.open(services=fakes.services(), thread=session.thread)
    assert again.messages == []
    assert not again.say("what should I cook").escalated
