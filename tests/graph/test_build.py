"""The wiring: routes, the drawing, one writer per key, embedding, and what the caller never sees."""

import json
from pathlib import Path
from typing import Any, TypedDict

import pytest
from langchain_core.messages import AIMessage, AnyMessage, HumanMessage, RemoveMessage, SystemMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.graph import END, START, StateGraph

from graph.build import build_graph, route, studio
from graph.state import WRITERS
from tests import fakes

ROOT = Path(__file__).parents[2]
WANTS_TO_DIE = "I want to kill myself"


def run(*texts: str, **changes: Any) -> dict[str, Any]:
    graph = build_graph(fakes.services(**changes))
    return graph.invoke({"messages": [HumanMessage(text) for text in texts], "person": {"country": "GB"}})


def test_the_readme_shows_the_compiled_graph() -> None:
    drawing = build_graph(fakes.services()).get_graph().draw_mermaid(with_styles=False).strip()
    assert drawing in (ROOT / "README.md").read_text("utf-8")


def test_an_ordinary_message_takes_the_ordinary_way() -> None:
    updates = list(
        build_graph(fakes.services()).stream({"messages": [("user", "my cat died")]}, stream_mode="updates")
    )
    assert [next(iter(u)) for u in updates] == ["perceive", "assess", "plan", "recall", "respond", "guard"]


def test_danger_takes_the_crisis_branch() -> None:
    updates = list(
        build_graph(fakes.services()).stream({"messages": [("user", WANTS_TO_DIE)]}, stream_mode="updates")
    )
    assert [next(iter(u)) for u in updates] == ["perceive", "assess", "crisis", "guard"]


@pytest.mark.parametrize("text", ["my cat died", WANTS_TO_DIE])
def test_each_step_writes_only_the_keys_it_owns(text: str) -> None:
    for update in build_graph(fakes.services()).stream({"messages": [("user", text)]}, stream_mode="updates"):
        for node, written in update.items():
            assert set(written) <= WRITERS[node]


@pytest.mark.parametrize(
    "risk", [None, "nonsense", [], {}, {"escalate": None}, {"escalate": True}, {"escalate": "no"}]
)
def test_whatever_is_not_plainly_calm_takes_the_careful_way(risk: object) -> None:
    assert route({"risk": risk}) == "crisis"  # type: ignore[typeddict-item]


def test_plainly_calm_takes_the_ordinary_way() -> None:
    assert route({"risk": {"escalate": False}}) == "plan"  # type: ignore[typeddict-item, typeddict-unknown-key]


def test_without_a_checkpoint_the_risk_is_rebuilt_from_every_message_supplied() -> None:
    state = run(WANTS_TO_DIE, "anyway, what should I cook")
    assert state["risk"]["escalate"]
    assert state["risk"]["seen"] == 2
    assert state["risk"]["peak"] in {"high", "imminent"}


def test_without_a_checkpoint_an_answer_still_means_what_was_asked() -> None:
    graph = build_graph(fakes.services())
    history: list[AnyMessage] = [HumanMessage("everyone would be better off without me")]
    history.append(graph.invoke({"messages": history, "person": {"country": "GB"}})["messages"][-1])
    state = graph.invoke({"messages": [*history, HumanMessage("yes")], "person": {"country": "GB"}})
    assert state["risk"]["level"] == "high"


@pytest.mark.parametrize("code", ["gb", " GB ", "UK"])
def test_a_country_is_understood_however_a_host_writes_it(code: str) -> None:
    state = build_graph(fakes.services()).invoke(
        {"messages": [("user", WANTS_TO_DIE)], "person": {"country": code}}
    )
    assert "116 123" in state["messages"][-1].content


def test_wishes_are_rebuilt_from_every_message_too() -> None:
    assert run("please don't give me advice", "my boss shouts at me")["person"]["advice"] is False


def test_system_and_assistant_messages_are_never_evidence() -> None:
    messages: list[AnyMessage] = [SystemMessage(WANTS_TO_DIE), AIMessage(WANTS_TO_DIE), HumanMessage("hello")]
    state = build_graph(fakes.services()).invoke({"messages": messages})
    assert state["risk"]["level"] == "none"


def test_with_a_checkpoint_the_risk_is_kept_and_retrieved_text_is_not() -> None:
    saver = InMemorySaver()
    graph = build_graph(
        fakes.services(search=lambda text, k: [fakes.passage(text="CANARY")]), checkpointer=saver
    )
    config: Any = {"configurable": {"thread_id": "t"}}
    graph.invoke(
        {"messages": [("user", "I miss my grandmother so much, what can I do?")]}, config, durability="exit"
    )
    saved = saver.get_tuple(config)
    assert saved is not None
    assert "CANARY" not in json.dumps(saved.checkpoint, default=str)
    assert {"passages", "draft"}.isdisjoint(saved.checkpoint["channel_values"])
    graph.invoke({"messages": [("user", WANTS_TO_DIE)]}, config, durability="exit")
    last = graph.invoke({"messages": [("user", "so, about dinner")]}, config, durability="exit")
    assert last["risk"]["escalate"]


class HostState(TypedDict, total=False):
    messages: list[AnyMessage]
    visits: int


def test_it_runs_as_a_step_of_somebody_elses_graph() -> None:
    def host(state: HostState) -> HostState:
        return {"visits": state.get("visits", 0) + 1}

    graph = StateGraph(HostState)
    graph.add_node("host", host)
    graph.add_node("support", build_graph(fakes.services()))
    graph.add_edge(START, "host")
    graph.add_edge("host", "support")
    graph.add_edge("support", END)
    state = graph.compile().invoke({"messages": [HumanMessage("hello there")]})
    assert state["visits"] == 1
    assert isinstance(state["messages"][-1], AIMessage)


def test_langgraph_tooling_finds_a_factory_without_arguments() -> None:
    target = json.loads((ROOT / "langgraph.json").read_text("utf-8"))["graphs"]["hearken"]
    assert target == "./graph/build.py:studio"
    assert studio().name == "hearken"


def test_sentences_stream_guarded_and_equal_what_is_stored() -> None:
    graph = build_graph(
        fakes.services(respond=fakes.scripted(["That is a lot to carry.", "Call 555-0100 now."]))
    )
    sentences, stored = [], ""
    for mode, chunk in graph.stream(
        {"messages": [("user", "my boss shouts at me")]}, stream_mode=["custom", "updates"]
    ):
        if mode == "custom" and chunk["type"] == "sentence":
            sentences.append(chunk["text"])
        if mode == "updates" and "guard" in chunk:
            stored = chunk["guard"]["messages"][-1].content
    assert sentences[0] == "That is a lot to carry."
    assert "555" not in stored
    assert stored == " ".join(sentences)


def test_a_crisis_reply_never_streams_in_pieces() -> None:
    graph = build_graph(fakes.services())
    chunks = list(graph.stream({"messages": [("user", WANTS_TO_DIE)]}, stream_mode="custom"))
    assert {chunk["type"] for chunk in chunks} == {"step"}


@pytest.mark.parametrize(
    "messages", [[], [("assistant", "hello")], [("user", "")], [("user", [{"type": "text", "text": "hi"}])]]
)
def test_odd_input_still_gets_a_reply(messages: list[Any]) -> None:
    state = build_graph(fakes.services()).invoke({"messages": messages})
    assert str(state["messages"][-1].content).strip()


def test_two_messages_sent_at_once_are_both_heard_though_the_history_was_shortened() -> None:
    graph = build_graph(fakes.services(), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    for text in ("hello", "I had soup", "it rained"):
        state = graph.invoke({"messages": [HumanMessage(text)]}, config)
    old = [RemoveMessage(message.id) for message in state["messages"][:4]]
    graph.update_state(config, {"messages": old}, as_node="guard")
    sent = [HumanMessage(WANTS_TO_DIE), HumanMessage("sorry, wrong window")]
    assert graph.invoke({"messages": sent}, config)["risk"]["escalate"]


def test_a_shortened_history_never_drops_what_was_heard_before() -> None:
    graph = build_graph(fakes.services(), checkpointer=InMemorySaver())
    config: Any = {"configurable": {"thread_id": "t"}}
    state = graph.invoke({"messages": [HumanMessage(WANTS_TO_DIE)]}, config)
    for text in ("it rained", "I had soup", "what a day"):
        old = [RemoveMessage(message.id) for message in state["messages"]]
        graph.update_state(config, {"messages": old}, as_node="guard")
        state = graph.invoke({"messages": [HumanMessage(text)]}, config)
        assert len(state["messages"]) == 2
        assert state["risk"]["escalate"]
        assert state["risk"]["peak"] == "high"
