"""Whatever breaks inside a turn, the person gets a safe reply, and danger is never read as calmer."""

import itertools
import time
from typing import Any

import pytest
from langchain_core.language_models.fake_chat_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from graph import Session, build_graph
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


@pytest.mark.parametrize("part", ["scan", "answers", "read", "contacts"])
def test_a_fault_never_forgets_what_was_said_before_without_a_checkpoint(part: str) -> None:
    graph = build_graph(fakes.services(**{part: fakes.raising(RuntimeError("boom"))}))
    state = graph.invoke(
        {"messages": [("user", IMMINENT), ("assistant", "I hear you."), ("user", "what a nice day")]}
    )
    assert state["risk"]["escalate"]


def test_a_responder_without_end_is_cut() -> None:
    endless = fakes.services(respond=lambda brief: itertools.repeat("That sounds heavy."), reply_seconds=0.5)
    begun = time.monotonic()
    turn = Session.open(country="GB", services=endless).say(CALM)
    assert turn.text.startswith("That sounds heavy.")
    assert time.monotonic() - begun < 5


def test_a_responder_may_give_one_string() -> None:
    given = "That is a lot to carry alone. You have been holding this for a long time."
    turn = opened(respond=lambda brief: given).say(CALM)
    assert turn.text == given
    assert turn.responder == "custom"


def test_a_reply_of_unsafe_sentences_becomes_the_guided_one_and_no_patchwork() -> None:
    turn = opened(respond=lambda brief: ["As your therapist I know this."] * 30).say(CALM)
    assert turn.responder == "guided"
    assert "therapist" not in turn.text


def test_a_chat_model_inside_does_not_leak_its_tokens_to_the_host() -> None:
    model = GenericFakeChatModel(
        messages=iter([AIMessage("As a licensed therapist I say call 0800 999 888.")])
    )
    graph = build_graph(fakes.services(respond=lambda brief: [str(model.invoke(brief["text"]).content)]))
    seen = [str(chunk) for chunk in graph.stream({"messages": [("user", CALM)]}, stream_mode="messages")]
    assert seen
    assert "licensed" not in " ".join(seen)


def test_the_crisis_path_calls_no_model_and_no_retrieval() -> None:
    def never(*args: Any) -> Any:
        raise AssertionError("the crisis path asked a model or the library")

    turn = opened(respond=never, search=never).say(IMMINENT)
    assert turn.path == ["perceive", "assess", "crisis", "guard"]
    assert turn.responder == "crisis"
