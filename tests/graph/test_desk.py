"""The desk: who waits, who took over, what was answered, and that nothing stays longer than it must."""

from pathlib import Path

import pytest

from graph.desk import Desk, Escalation, Line

CANARY = "CANARY-7f3a"


def escalation(thread: str = "t", text: str = CANARY) -> Escalation:
    return Escalation(
        thread=thread,
        turn=1,
        level="high",
        fresh=True,
        kinds=["suicide"],
        subject="self",
        country="GB",
        conversation=[Line(role="person", text=text)],
    )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk.sqlite")


def content(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in folder.iterdir())


def test_nothing_is_made_by_looking(desk: Desk, tmp_path: Path) -> None:
    assert desk.listed() == []
    assert desk.holds("t") == ""
    desk.drop("t")
    assert not list(tmp_path.iterdir())


def test_what_waits_is_listed_and_the_file_is_its_owners_alone(desk: Desk, tmp_path: Path) -> None:
    desk.put(escalation())
    [waiting] = desk.listed()
    assert waiting["state"] == "waiting"
    assert waiting["level"] == "high"
    assert waiting["conversation"][0]["text"] == CANARY
    assert desk.holds("t") == ""
    assert (tmp_path / "desk.sqlite").stat().st_mode & 0o777 == 0o600


def test_an_operator_takes_over_is_asked_and_answers(desk: Desk) -> None:
    desk.put(escalation())
    assert desk.take("t")
    assert desk.holds("t") == "taken"
    assert not desk.answer("t", "too early")
    desk.ask("t", [Line(role="person", text="are you there")])
    assert desk.listed()[0]["state"] == "asked"
    assert desk.listed()[0]["conversation"] == [{"role": "person", "text": "are you there"}]
    assert desk.answered("t") is None
    assert desk.answer("t", "I am here")
    assert desk.answered("t") == {"said": "I am here", "back": False}
    assert desk.holds("t") == "taken"


def test_an_answer_that_just_made_it_is_not_lost(desk: Desk) -> None:
    desk.put(escalation())
    desk.take("t")
    desk.ask("t", [])
    desk.answer("t", "just in time")
    assert desk.answered("t", last=True) == {"said": "just in time", "back": False}


def test_unanswered_it_waits_again_and_a_late_answer_is_refused(desk: Desk) -> None:
    desk.put(escalation())
    desk.take("t")
    desk.ask("t", [])
    assert desk.answered("t", last=True) == {"said": "", "back": False}
    assert not desk.answer("t", "too late")
    assert desk.holds("t") == ""
    assert desk.listed()[0]["state"] == "waiting"


def test_a_person_who_left_is_not_answered_and_the_operator_keeps_the_conversation(desk: Desk) -> None:
    desk.put(escalation())
    desk.take("t")
    desk.ask("t", [])
    desk.left("t")
    assert not desk.answer("t", "to nobody")
    assert desk.holds("t") == "taken"


def test_new_danger_does_not_undo_a_take_over(desk: Desk) -> None:
    desk.put(escalation())
    desk.take("t")
    desk.put({**escalation(), "level": "imminent"})
    assert desk.holds("t") == "taken"
    assert desk.listed()[0]["level"] == "imminent"


def test_handing_back_erases_the_words_and_is_told_once(desk: Desk, tmp_path: Path) -> None:
    desk.put(escalation())
    desk.take("t")
    assert desk.hand_back("t")
    assert CANARY.encode() not in content(tmp_path)
    assert desk.listed() == []
    assert desk.holds("t") == "back"
    assert desk.holds("t") == ""


def test_handing_back_while_the_person_waits_ends_the_wait(desk: Desk) -> None:
    desk.put(escalation())
    desk.take("t")
    desk.ask("t", [])
    desk.hand_back("t")
    assert desk.answered("t") == {"said": "", "back": True}
    assert desk.holds("t") == ""


def test_dropping_leaves_no_byte(desk: Desk, tmp_path: Path) -> None:
    desk.put(escalation())
    desk.drop("t")
    assert CANARY.encode() not in content(tmp_path)
    assert desk.answered("t") == {"said": "", "back": False}


def test_what_nobody_touched_for_a_day_goes(tmp_path: Path) -> None:
    now = [1_000_000.0]
    desk = Desk(tmp_path / "desk.sqlite", now=lambda: now[0])
    desk.put(escalation("old"))
    now[0] += 25 * 60 * 60
    desk.put(escalation("new", "hello"))
    assert [waiting["thread"] for waiting in desk.listed()] == ["new"]
    assert CANARY.encode() not in content(tmp_path)
