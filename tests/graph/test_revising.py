"""A message taken back, a reply worded otherwise, a plan written by hand, an age told at the start."""

from pathlib import Path
from typing import Any

import pytest

from agent.guard import split
from graph import Session
from graph.store import listed
from graph.turn import Turn
from tests import fakes

WANTS_TO_DIE = "I want to kill myself"


def opened(**changes: Any) -> Session:
    return Session.open(**{"country": "GB", "services": fakes.services(), **changes})


def finished(session: Session) -> Turn:
    return session.say(session.turn_down())


def test_the_last_message_can_be_taken_back_and_said_otherwise() -> None:
    session = opened()
    session.say("my cat died yesterday")
    session.say("and my boss shouted at me")
    assert session.take_back() == "and my boss shouted at me"
    assert [m.type for m in session.messages] == ["human", "ai"]
    session.say("and my sister called")
    assert [m.content for m in session.messages if m.type == "human"] == [
        "my cat died yesterday",
        "and my sister called",
    ]


def test_nothing_said_is_nothing_to_take_back() -> None:
    assert opened().take_back() == ""


def test_danger_is_not_unlearnt_by_taking_the_message_back() -> None:
    session = opened()
    session.say(WANTS_TO_DIE)
    session.take_back()
    turn = session.say("what a day")
    assert turn.escalated
    assert session.contacts


def test_what_is_taken_back_is_gone_from_the_disk(tmp_path: Path) -> None:
    session = opened(keep=True)
    session.say("my cat died yesterday")
    session.say("CANARY-77bb happened at work")
    session.take_back()
    files = [p for p in tmp_path.rglob("*") if p.is_file()]
    assert files
    assert not any(b"CANARY-77bb" in p.read_bytes() for p in files)
    again = opened(thread=session.thread)
    assert [m.type for m in again.messages] == ["human", "ai"]


def test_a_resumed_conversation_can_take_its_last_message_back() -> None:
    session = opened(keep=True)
    session.say("my cat died yesterday")
    session.close()
    again = opened(thread=session.thread)
    assert again.take_back() == "my cat died yesterday"
    assert again.say("hello there").text


def test_another_wording_repeats_no_sentence_of_the_first() -> None:
    session = opened()
    first = session.say("I moved here for work in spring and know nobody")
    second = finished(session)
    assert second.text
    assert not set(split(first.text)).intersection(split(second.text))
    third = finished(session)
    assert not set(split(third.text)).intersection([*split(first.text), *split(second.text)])
    assert [m.type for m in session.messages] == ["human", "ai"]


def test_another_wording_is_what_is_kept(tmp_path: Path) -> None:
    session = opened(keep=True)
    session.say("I moved here for work in spring and know nobody")
    second = finished(session)
    again = opened(thread=session.thread)
    assert [m.content for m in again.messages if m.type == "ai"] == [second.text]
    assert len(listed(tmp_path / "data" / "conversations.sqlite")) == 1


def test_the_plan_can_be_written_by_hand_and_is_the_conversations_own() -> None:
    session = opened(keep=True)
    session.say("hello")
    session.write_plan("signs", "I stop answering messages\nI sleep badly")
    again = opened(thread=session.thread)
    plan = again.safety_plan()
    assert plan
    assert plan["steps"][0]["entries"] == ["I stop answering messages", "I sleep badly"]
    again.write_plan("signs", "")
    emptied = again.safety_plan()
    assert emptied
    assert emptied["steps"][0]["entries"] == []


def test_a_plan_may_be_written_before_a_word_was_said() -> None:
    session = opened(keep=True)
    session.write_plan("coping", "tea")
    assert session.say("safety plan").text
    plan = session.safety_plan()
    assert plan
    assert plan["steps"][1]["entries"] == ["tea"]


def test_a_step_that_does_not_exist_is_refused() -> None:
    with pytest.raises(KeyError):
        opened().write_plan("seventh", "x")


def test_words_outside_the_conversation_are_heard_for_danger() -> None:
    session = opened()
    assert session.alarmed(WANTS_TO_DIE)
    assert not session.alarmed("tea at the window")


def test_who_is_young_gets_lines_for_the_young() -> None:
    session, other = opened(), opened()
    session.set_young()
    assert "PAPYRUS" in str(session.say(WANTS_TO_DIE).card)
    assert "PAPYRUS" not in str(other.say(WANTS_TO_DIE).card)


def test_the_length_of_replies_can_be_set() -> None:
    session = opened()
    session.set_length("brief")
    assert session.person.get("brief") is True
    session.set_length("usual")
    assert "brief" not in session.person
