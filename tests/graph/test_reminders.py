"""What is owed to somebody who stays: when it falls due, that it is said once, and whom it spares."""

from collections.abc import Callable
from typing import Any

import pytest

from graph import Session
from graph.reminders import EVERY, EVERY_WHEN_YOUNG, REST, Reminder, Reminders
from tests import fakes

MINUTE = 60.0


class Clock:
    """A clock that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def staying(
    due: Callable[[], list[Reminder]], clock: Clock, minutes: int, step: int = 10
) -> list[tuple[int, str]]:
    """What falls due while somebody writes every `step` minutes: (minute, what)."""
    found: list[tuple[int, str]] = []
    for minute in range(step, minutes + 1, step):
        clock.now += step * MINUTE
        found += [(minute, name) for name in due()]
    return found


@pytest.mark.parametrize(
    ("young", "told"),
    [(False, [180, 360]), (True, [60, 120, 180, 240, 300, 360])],
    ids=["every three hours", "every hour when young"],
)
def test_what_this_is_is_said_at_the_start_and_again(young: bool, told: list[int]) -> None:
    clock = Clock()
    reminders = Reminders(clock)
    assert reminders.due(young=young, in_danger=False) == ["disclosure"]
    assert reminders.due(young=young, in_danger=False) == []
    found = staying(lambda: reminders.due(young=young, in_danger=False), clock, 370)
    assert [minute for minute, name in found if name == "disclosure"] == told


def test_a_break_is_suggested_after_an_hour_without_a_pause() -> None:
    clock = Clock()
    reminders = Reminders(clock)
    reminders.due(young=False, in_danger=False)
    found = staying(lambda: reminders.due(young=False, in_danger=False), clock, 130)
    assert [minute for minute, name in found if name == "rest"] == [60, 120]


def test_who_paused_by_themselves_is_not_told_to() -> None:
    clock = Clock()
    reminders = Reminders(clock)
    reminders.due(young=False, in_danger=False)
    found = staying(lambda: reminders.due(young=False, in_danger=False), clock, 170, step=40)
    assert found == []


def test_in_danger_nobody_is_sent_away_and_what_this_is_is_still_said() -> None:
    clock = Clock()
    reminders = Reminders(clock)
    reminders.due(young=False, in_danger=True)
    found = staying(lambda: reminders.due(young=False, in_danger=True), clock, 190)
    assert found == [(180, "disclosure")]


def test_a_pause_of_days_is_a_new_start() -> None:
    clock = Clock()
    reminders = Reminders(clock)
    reminders.due(young=False, in_danger=False)
    clock.now += 8 * 24 * 60 * MINUTE
    assert reminders.due(young=False, in_danger=False) == ["disclosure"]


def test_the_intervals_are_those_of_the_law() -> None:
    assert (EVERY, EVERY_WHEN_YOUNG, REST) == (3 * 3600, 3600, 3600)


def opened(clock: Clock, **changes: Any) -> Session:
    return Session.open(country="GB", services=fakes.services(clock=clock), **changes)


def test_a_conversation_knows_who_is_young_and_who_is_in_danger() -> None:
    clock = Clock()
    session = opened(clock)
    assert session.due() == ["disclosure"]
    session.say("I'm 14 and my friends left me out at school")
    clock.now += 61 * MINUTE
    assert "disclosure" in session.due()
    session = opened(clock)
    session.due()
    for _ in range(4):
        session.say("I want to kill myself")
        clock.now += 25 * MINUTE
        assert session.due() == []


def test_a_kept_conversation_that_is_opened_again_says_it_again() -> None:
    session = opened(Clock(), keep=True)
    session.due()
    session.say("hello")
    again = opened(Clock(), thread=session.thread)
    assert again.due() == ["disclosure"]
    assert len(again.messages) == 2
