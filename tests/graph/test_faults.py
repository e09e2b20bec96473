"""Whatever breaks inside a turn, the person gets a safe reply, and danger is never read as calmer."""

import time
from typing import Any

import pytest

from graph import Session
from graph.services import Services
from tests import fakes

CALM, PASSIVE, IMMINENT = (
    "my boss shouts at me",
    "everyone would be better off without me",
    "I am going to kill myself tonight",
)


def hang(*args: Any, **kwargs: Any) -> Any:
    time.sleep(1)


FAULTS = {
    f"{part} {how}": {part: fault}
    for part in ("scan", "answers", "read", "search", "contacts", "allowed", "respond")
    for how, fault in {
        "raises": fakes.raising(RuntimeError("boom")),
        "runs out of memory": fakes.raising(MemoryError()),
        "returns nothing": lambda *a, **k: None,
        "returns nonsense": lambda *a, **k: {"what": float("nan")},
    }.items()
} | {f"{part} hangs": {part: hang} for part in ("read", "search", "respond")}


def opened(**changes: Any) -> Session:
    services: Services = fakes.services(part_seconds=0.1, reply_seconds=0.2, **changes)
    return Session.open(country="GB", services=services)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("text", [CALM, PASSIVE, IMMINENT])
def test_a_broken_part_still_answers_and_never_calms(fault: str, text: str) -> None:
    turn = opened(**FAULTS[fault]).say(text)
    assert turn.text.strip()
    assert "boom" not in turn.text
    if text != CALM:
        assert turn.escalated
        assert turn.card
    if text == IMMINENT:
        assert turn.risk in {"high", "imminent"}
        assert "999" in turn.text + str(turn.card)


@pytest.mark.parametrize("fault", FAULTS)
def test_the_conversation_goes_on_after_a_fault(fault: str) -> None:
    session = opened(**FAULTS[fault])
    session.say(IMMINENT)
    assert session.say("what now").escalated
    assert len(session.messages) == 4


def test_a_responder_that_fails_half_way_is_completed_by_the_guided_one() -> None:
    def half(brief: Any) -> Any:
        yield "That sounds heavy."
        raise RuntimeError("gone")

    turn = opened(respond=half, responder="half").say(CALM)
    assert turn.text.startswith("That sounds heavy.")
    assert turn.text != "That sounds heavy."
    assert turn.responder == "guided"


def test_the_crisis_path_calls_no_model_and_no_retrieval() -> None:
    def never(*args: Any) -> Any:
        raise AssertionError("the crisis path asked a model or the library")

    turn = opened(respond=never, search=never).say(IMMINENT)
    assert turn.path == ["perceive", "assess", "crisis", "guard"]
    assert turn.responder == "crisis"
