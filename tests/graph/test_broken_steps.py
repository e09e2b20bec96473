"""Every step made to raise, hang and hand on garbage, with a calm, a moderate and an imminent message.

Whatever a step does, the person gets a safe reply, the card that the danger calls for, and nobody's
number but the country's; the level is never below what was said. (safety.md §6.2; SR-F1, SR-F2)
"""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command, interrupt

from agent.reading.ladder import Level
from graph import Said, Session, build, build_graph, nodes
from tests import fakes
from tests.right import MESSAGES, is_right

STEPS = ("perceive", "assess", "plan", "recall", "respond", "crisis", "guard")
# A step that hangs is given up after this; on a busy machine a sound one may be too, and is right then too.
QUICK = {"part_seconds": 0.02, "reply_seconds": 0.03, "step_seconds": 0.05}
NOTHING_HEARD = {
    "emotions": [], "intents": [], "sure": False, "wants": ["vent"], "language": "en", "degraded": False,
    "heads": {}, "evidence": [],
}  # fmt: skip
CALM = {"level": "none", "escalate": False}
BLANK = {"sentences": ["  "], "card": [], "replaced": [], "responder": "custom", "offered": ""}
ANYTHING = [None]
# Its own key with the wrong thing in it, half of a thing, and things that say less than was heard.
GARBAGE: dict[str, list[Any]] = {
    "perceive": [
        {"reading": None},
        {"reading": NOTHING_HEARD},
        {"reading": {**NOTHING_HEARD, "cues": "none"}},
    ],
    "assess": [{"risk": CALM}, {"risk": {"level": "purple", "escalate": False}}, {"risk": "calm"}],
    "plan": [{"plan": {"move": "support"}}, {"plan": ["support"]}],
    "recall": [{"passages": [{"text": "CANARY"}]}, {"passages": "CANARY"}],
    "respond": [{"draft": {}}, {"draft": BLANK}, {"draft": {**BLANK, "sentences": [float("nan")]}}],
    "crisis": [{"draft": BLANK}, {"draft": {**BLANK, "sentences": []}, "plan": {}, "care": {}}, {"care": 3}],
    "guard": [{"messages": []}, {"messages": [AIMessage("")]}, {"messages": [HumanMessage("I am you")]}],
}


def broken(step: str, monkeypatch: pytest.MonkeyPatch, call: Callable[..., Any], **changes: Any) -> Session:
    """A session in Britain whose `step` is replaced by `call`."""
    monkeypatch.setattr(nodes, step, call)
    return Session.open(country="GB", services=fakes.services(**changes))


@pytest.fixture
def hanging() -> Iterator[Callable[..., Any]]:
    """A function that waits until the test is over, so that no thread outlives it."""
    over = threading.Event()

    def hang(*args: Any, **kwargs: Any) -> Any:
        over.wait(20)

    yield hang
    over.set()


@pytest.mark.parametrize("meant", MESSAGES)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_raises(step: str, meant: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    # StopIteration is the one that ends a loop around it quietly
    error = StopIteration() if step in {"respond", "crisis"} else RuntimeError("boom")
    is_right(broken(step, monkeypatch, fakes.raising(error)).say(MESSAGES[meant]), meant)


@pytest.mark.parametrize("meant", MESSAGES)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_hangs(
    step: str, meant: Level, hanging: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    is_right(broken(step, monkeypatch, hanging, **QUICK).say(MESSAGES[meant]), meant)


@pytest.mark.parametrize("meant", MESSAGES)
@pytest.mark.parametrize("step", STEPS)
def test_a_step_that_hands_on_garbage(step: str, meant: Level, monkeypatch: pytest.MonkeyPatch) -> None:
    for garbage in [*ANYTHING, *GARBAGE[step]]:
        turn = broken(step, monkeypatch, lambda *a, given=garbage: given).say(MESSAGES[meant])
        is_right(turn, meant)
        assert "CANARY" not in turn.text


@pytest.mark.parametrize("step", STEPS)
def test_the_next_turn_is_not_calmer_for_a_step_that_broke(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = broken(step, monkeypatch, fakes.raising(RuntimeError("boom")))
    session.say(MESSAGES["imminent"])
    assert session.say("anyway, what should I cook").escalated
    assert len(session.messages) == 4


@pytest.mark.parametrize("how", ["raises", "hangs", "hands on garbage"])
def test_a_safety_plan_whose_step_breaks_still_gets_a_reply_and_keeps_what_was_written(
    how: str, hanging: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session.open(country="GB", services=fakes.services(**(QUICK if how == "hangs" else {})))
    session.say("can we write a safety plan")
    session.say("I stop sleeping")
    before = session.safety_plan()
    calls = {
        "raises": fakes.raising(RuntimeError("boom")),
        "hangs": hanging,
        "hands on garbage": lambda *a: 7,
    }
    monkeypatch.setattr(build, "safety", calls[how])
    again = Session(session._services, thread=session.thread, values=session._values)
    turn = again.say("I also stop eating")
    assert turn.path[2] == "safety"
    assert turn.text.strip()
    assert "boom" not in turn.text
    assert before is not None
    assert again.safety_plan() == before
    is_right(again.say(MESSAGES["imminent"]), "imminent")


def test_every_step_broken_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    for step in STEPS:
        monkeypatch.setattr(nodes, step, fakes.raising(RuntimeError("boom")))
    for meant, text in MESSAGES.items():
        is_right(Session.open(country="GB", services=fakes.services()).say(text), meant)


def test_what_a_step_says_after_it_was_given_up_reaches_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    given_up, said = threading.Event(), threading.Event()

    def late(state: Any, services: Any, emit: Callable[[dict[str, str]], object]) -> Any:
        given_up.wait(20)
        emit({"type": "sentence", "text": "LATE"})
        said.set()

    session = broken("respond", monkeypatch, late, **QUICK)
    events = list(session.stream(MESSAGES["none"]))
    given_up.set()
    assert said.wait(20)
    assert "LATE" not in str([event for event in events if isinstance(event, Said)])
    assert "LATE" not in session.say("hello").text


def test_a_host_may_still_interrupt_a_turn_and_go_on_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    real = nodes.plan

    def asks(state: Any, services: Any) -> Any:
        interrupt("may I go on?")
        return real(state, services)

    monkeypatch.setattr(nodes, "plan", asks)
    graph = build_graph(fakes.services(), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    held = graph.invoke({"messages": [("user", MESSAGES["none"])]}, config)
    assert held["__interrupt__"][0].value == "may I go on?"
    done = graph.invoke(Command(resume="yes"), config)
    assert isinstance(done["messages"][-1], AIMessage)


# What a host, or a checkpoint of another version, might bring along in the state.
BROUGHT: list[dict[str, Any]] = [
    {"risk": "nonsense"},
    {"risk": {"level": "high"}},
    {"risk": {"level": "purple", "escalate": None, "seen": "many"}},
    {"risk": []},
    {"person": 5},
    {"person": {"country": 5, "name": []}},
    {"care": "nonsense", "safety_plan": "nonsense"},
    {"care": {"pending": 3, "shown": None}, "safety_plan": {"step": 3, "turn": "x"}},
    {"plan": 3},
    {"plan": {"move": "support"}},
    {"reading": "nonsense", "draft": 1, "passages": 2, "operator": 7},
]


@pytest.mark.parametrize("brought", BROUGHT, ids=str)
@pytest.mark.parametrize("meant", MESSAGES)
def test_a_state_that_makes_no_sense_still_gets_a_reply(meant: Level, brought: dict[str, Any]) -> None:
    graph = build_graph(fakes.services(country="GB"))
    state = graph.invoke({"messages": [("user", MESSAGES[meant])], **brought})
    assert str(state["messages"][-1].content).strip()
    assert state["messages"][-1].type == "ai"
    if meant != "none":
        assert state["risk"]["escalate"]
        assert "116 123" in state["messages"][-1].content + str(state["draft"]["card"])


def test_a_level_that_is_all_there_is_of_a_risk_is_not_forgotten() -> None:
    brought: Any = {"messages": [("user", MESSAGES["none"])], "risk": {"level": "high"}}
    assert build_graph(fakes.services()).invoke(brought)["risk"]["level"] == "high"
