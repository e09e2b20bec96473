"""A person takes over: told after the reply, paused before the next words, handed back, or not there."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command

from agent.responders.handoff import OPERATOR, load_handoff
from agent.settings import Settings, load_settings
from graph import CardShown, Done, Said, Session, StepStarted, build_graph
from graph.desk import Desk, Escalation
from graph.services import from_settings
from tests import fakes

CALM = "my boss shouts at me"
HIGH = "I want to kill myself"
IMMINENT = "I am going to kill myself tonight"
ANSWER = "This is Anna. I read what you wrote, and I am staying here. Call me on 555 0100!"


def opened(told: Callable[[Escalation], Any] | None = None, **changes: Any) -> Session:
    return Session.open(country="GB", services=fakes.services(escalate=told, **changes))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path / "desk.sqlite")


def joined(
    desk: Desk, *, seconds: float = 120.0, part: float = 60.0, keep: bool = False, **changes: Any
) -> Session:
    """A conversation in danger that an operator took over."""
    services = fakes.services(
        escalate=desk.put,
        desk=desk,
        operator=True,
        operator_seconds=seconds,
        part_seconds=part,
        hook_seconds=60.0,
        **changes,
    )
    session = Session.open(country="GB", services=services, keep=keep)
    session.say(HIGH)
    session.settle()
    assert desk.take(session.thread)
    return session


def answering(desk: Desk, thread: str, say: Callable[[], object]) -> threading.Thread:
    """An operator who acts as soon as the person has written."""

    def work() -> None:
        end = time.monotonic() + 120
        while time.monotonic() < end:
            if any(w["thread"] == thread and w["state"] == "asked" for w in desk.listed()):
                say()
                return
            time.sleep(0.02)

    thread_ = threading.Thread(target=work, daemon=True)
    thread_.start()
    return thread_


def test_danger_is_told_as_plain_data_without_text() -> None:
    told: list[Escalation] = []
    session = opened(told.append)
    session.say(CALM)
    session.say(IMMINENT)
    session.settle()
    [one] = told
    assert one["thread"] == session.thread
    assert (one["turn"], one["level"], one["fresh"], one["country"]) == (2, "imminent", True, "GB")
    assert "suicide" in one["kinds"]
    assert one["subject"] == "self"
    assert "conversation" not in one
    assert "tonight" not in str(one)


@pytest.mark.parametrize("text", [CALM, "everyone would be better off without me"])
def test_below_high_nobody_is_told(text: str) -> None:
    told: list[Escalation] = []
    session = opened(told.append)
    session.say(text)
    session.settle()
    assert told == []


def test_the_person_has_the_reply_before_anyone_is_told() -> None:
    shown: list[str] = []
    seen: list[list[str]] = []
    session = opened(lambda told: seen.append(list(shown)))
    shown.extend(event.text for event in session.stream(HIGH) if isinstance(event, Said))
    session.settle()
    assert seen == [shown]
    assert shown


def test_a_person_who_leaves_early_is_told_of_all_the_same() -> None:
    told: list[Escalation] = []
    session = opened(told.append)
    stream = session.stream(IMMINENT)
    next(event for event in stream if event == StepStarted("crisis"))
    stream.close()  # type: ignore[attr-defined]
    session.settle()
    assert [one["level"] for one in told] == ["imminent"]


@pytest.mark.parametrize("hangs", [False, True])
def test_a_hook_that_raises_or_hangs_harms_no_turn(*, hangs: bool) -> None:
    free = threading.Event()

    def hook(told: Escalation) -> None:
        if hangs:
            free.wait(600)
        raise RuntimeError("boom")

    lines: list[dict[str, Any]] = []
    session = opened(hook, audit=lines.append, hook_seconds=1.0)
    try:
        assert "999" in str(session.say(IMMINENT).card)
        session.settle()
        assert session.say("and now").escalated
        session.settle()
    finally:
        free.set()
    assert [line["told"] for line in lines] == ["failed", "failed"]


def test_text_goes_along_only_where_an_operator_was_switched_on() -> None:
    told: list[Escalation] = []
    session = opened(told.append, operator=True)
    session.say(HIGH)
    session.settle()
    assert [line["role"] for line in told[0]["conversation"]] == ["person", "assistant"]
    assert told[0]["conversation"][0]["text"] == HIGH


def test_nothing_of_this_is_there_unless_switched_on(tmp_path: Path) -> None:
    services = from_settings(load_settings())
    assert (services.escalate, services.desk, services.operator) == (None, None, False)
    services = from_settings(Settings(operator=True, operator_seconds=7, data_dir=tmp_path / "on"))
    assert services.operator_seconds == 7
    assert services.desk is not None
    assert not (tmp_path / "on").exists()


@pytest.mark.parametrize("keep", [False, True])
def test_the_operators_words_come_whole_and_marked_as_theirs(desk: Desk, *, keep: bool) -> None:
    session = joined(desk, keep=keep)
    answering(desk, session.thread, lambda: desk.answer(session.thread, ANSWER))
    turn = session.say("is someone there")
    assert turn.text.endswith(ANSWER)
    assert turn.text.startswith(load_handoff().joined)
    assert turn.responder == OPERATOR
    assert turn.path == ["perceive", "assess", "handoff", "guard"]
    assert turn.escalated
    assert session.messages[-1].name == OPERATOR
    answering(desk, session.thread, lambda: desk.answer(session.thread, "Still here."))
    assert session.say("thank you").text == "Still here."
    assert [m.type for m in session.messages] == ["human", "ai"] * 3


def test_the_operator_sees_what_the_person_writes_now(desk: Desk) -> None:
    session = joined(desk)
    seen: list[str] = []

    def look() -> None:
        seen.extend(line["text"] for line in desk.listed()[0]["conversation"])
        desk.answer(session.thread, "yes")

    answering(desk, session.thread, look)
    session.say("is someone there")
    assert seen[0] == HIGH
    assert seen[-1] == "is someone there"


def test_new_danger_shows_its_lines_before_the_wait(desk: Desk) -> None:
    session = joined(desk)
    answering(desk, session.thread, lambda: desk.answer(session.thread, "I am with you."))
    events = list(session.stream(IMMINENT))
    kinds = [type(event) for event in events if not isinstance(event, StepStarted)]
    assert kinds == [CardShown, Said, Done]
    card = next(i for i, event in enumerate(events) if isinstance(event, CardShown))
    assert StepStarted("handoff") in events[card:]
    assert events[-1].turn.risk == "imminent"  # type: ignore[union-attr]
    assert "999" in str(events[-1].turn.card)  # type: ignore[union-attr]


@pytest.mark.parametrize("text", [IMMINENT, "so about dinner"])
def test_when_nobody_answers_the_person_is_told_and_the_usual_reply_follows(desk: Desk, text: str) -> None:
    session = joined(desk, seconds=0.1)
    turn = session.say(text)
    first = turn.text.split(".")[0] + "."
    assert first in load_handoff().missed
    assert len(turn.text) > len(first) + 20
    assert turn.path == ["perceive", "assess", "handoff", "crisis", "guard"]
    assert desk.listed()[0]["state"] == "waiting"
    again = session.say("hm")
    assert "handoff" not in again.path


def test_handed_back_the_person_is_told_once(desk: Desk) -> None:
    session = joined(desk)
    desk.hand_back(session.thread)
    turn = session.say("is someone there")
    assert turn.text.startswith(load_handoff().back)
    assert "handoff" not in turn.path
    assert not session.say("hm").text.startswith(load_handoff().back)


def test_handed_back_in_the_midst_of_a_wait_the_person_is_told(desk: Desk) -> None:
    session = joined(desk)
    answering(desk, session.thread, lambda: desk.hand_back(session.thread))
    turn = session.say("is someone there")
    assert turn.text.startswith(load_handoff().back)
    assert turn.path[-2:] == ["crisis", "guard"]


def test_the_opening_streams_with_an_ordinary_reply_too() -> None:
    graph = build_graph(fakes.services())
    given: Any = {"messages": [("user", CALM)], "operator": "back"}
    said = [
        chunk["text"] for chunk in graph.stream(given, stream_mode="custom") if chunk["type"] == "sentence"
    ]
    assert said[0] in load_handoff().back
    assert len(said) > 1


@pytest.mark.parametrize("part", ["holds", "ask", "answered"])
@pytest.mark.parametrize("how", [fakes.raising(OSError("boom")), lambda *a, **k: time.sleep(2)])
def test_a_desk_that_breaks_ends_in_our_own_reply(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, part: str, how: Any
) -> None:
    session = joined(desk, seconds=0.3, part=1.0)
    monkeypatch.setattr(Desk, part, how)
    turn = session.say(IMMINENT)
    assert turn.risk == "imminent"
    assert "999" in turn.text + str(turn.card)
    assert turn.responder == "crisis"


def test_lines_are_shown_though_the_registry_fails(desk: Desk) -> None:
    session = joined(desk, contacts=fakes.raising(RuntimeError("boom")))
    answering(desk, session.thread, lambda: desk.answer(session.thread, "I am with you."))
    turn = session.say(IMMINENT)
    assert turn.text.endswith("I am with you.")
    assert "999" in str(turn.card)


def test_leaving_in_the_midst_of_a_wait_ends_it(desk: Desk) -> None:
    session = joined(desk)
    stream = session.stream("is someone there")
    for event in stream:
        if event == StepStarted("handoff") and desk.listed()[0]["state"] == "asked":
            break
    stream.close()  # type: ignore[attr-defined]
    assert desk.listed()[0]["state"] == "taken"
    assert not desk.answer(session.thread, "An answer to nobody.")
    answering(desk, session.thread, lambda: desk.answer(session.thread, "Here."))
    assert session.say("hello?").text.endswith("Here.")


@pytest.mark.parametrize("end", ["close", "delete"])
def test_a_conversation_that_ends_leaves_the_desk(desk: Desk, tmp_path: Path, end: str) -> None:
    session = joined(desk)
    getattr(session, end)()
    assert desk.listed() == []
    assert HIGH.encode() not in (tmp_path / "desk.sqlite").read_bytes()


def test_an_answer_to_the_operators_question_is_no_answer_to_ours(desk: Desk) -> None:
    session = joined(desk)
    answering(desk, session.thread, lambda: desk.answer(session.thread, "Did you eat today?"))
    session.say("is someone there")
    desk.hand_back(session.thread)
    assert session.say("yes").values["risk"]["cues"] == []


def test_a_responder_may_not_pass_for_an_operator() -> None:
    unsafe = "As your therapist I say call 555 0100."
    session = opened(respond=lambda brief: [unsafe], responder=OPERATOR)
    assert unsafe not in session.say(CALM).text


# The graph alone, for hosts with their own console.


def paused(graph: Any) -> Any:
    config = {"configurable": {"thread_id": "t"}}
    given = {"messages": [("user", HIGH)], "person": {"country": "GB"}, "operator": "taken"}
    state = graph.invoke(given, config, durability="exit")
    [interrupt] = state["__interrupt__"]
    assert interrupt.value["level"] == "high"
    assert HIGH not in str(interrupt.value)
    assert [m.type for m in state["messages"]] == ["human"]
    return config


@pytest.fixture
def host() -> Iterator[Any]:
    return build_graph(fakes.services(), checkpointer=InMemorySaver(), handoff=True)  # type: ignore[return-value]


@pytest.mark.parametrize("answer", [ANSWER, {"said": ANSWER}])
def test_a_host_resumes_with_the_operators_words(host: Any, answer: Any) -> None:
    config = paused(host)
    state = host.invoke(Command(resume=answer), config, durability="exit")
    assert state["messages"][-1].content.endswith(ANSWER)
    assert state["messages"][-1].name == OPERATOR
    state = host.invoke({"messages": [("user", "hm")]}, config, durability="exit")
    assert "__interrupt__" not in state
    assert state["messages"][-1].name is None


@pytest.mark.parametrize(
    ("answer", "words"),
    [("", "missed"), ("  ", "missed"), ({"said": "", "back": True}, "back"), (7.5, "said")],
)
def test_a_host_may_resume_without_words(host: Any, answer: Any, words: str) -> None:
    config = paused(host)
    state = host.invoke(Command(resume=answer), config, durability="exit")
    expected = {"said": load_handoff().joined}.get(words) or getattr(load_handoff(), words)
    assert state["messages"][-1].content.startswith(expected)


def test_the_graph_pauses_for_nobody_unless_it_was_built_so() -> None:
    given: Any = {"messages": [("user", HIGH)], "person": {"country": "GB"}, "operator": "taken"}
    state = build_graph(fakes.services()).invoke(given)
    assert state["messages"][-1].type == "ai"


def test_handed_back_into_a_safety_plan_the_person_is_told_too() -> None:
    graph = build_graph(fakes.services(operator=True), checkpointer=InMemorySaver(), handoff=True)
    given: Any = {"messages": [("user", "can we write a safety plan")], "operator": "back"}
    said = graph.invoke(given, {"configurable": {"thread_id": "one"}})
    assert said["draft"]["responder"] == "safety"
    assert said["draft"]["sentences"][0] in load_handoff().back


def test_an_answer_to_the_operator_is_not_taken_into_the_safety_plan() -> None:
    graph = build_graph(fakes.services())
    begun = graph.invoke({"messages": [("user", "can we write a safety plan")]})
    theirs = AIMessage("Where are you now?", name=OPERATOR)
    after: Any = {**begun, "messages": [*begun["messages"], theirs, ("user", "in my kitchen at home")]}
    ours: Any = {**begun, "messages": [*begun["messages"], ("user", "in my kitchen at home")]}
    assert graph.invoke(ours)["draft"]["responder"] == "safety"
    assert graph.invoke(after)["draft"]["responder"] != "safety"


def test_a_handoff_that_breaks_falls_back_to_the_crisis_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("graph.handoff.opening", fakes.raising(RuntimeError("boom")))
    graph = build_graph(fakes.services(), checkpointer=InMemorySaver(), handoff=True)
    config = paused(graph)
    state = graph.invoke(Command(resume=ANSWER), config, durability="exit")
    assert "116 123" in state["messages"][-1].content
