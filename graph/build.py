"""The wiring of a turn. Reads like the picture in the README.

    START -> perceive -> assess --no escalation--> plan -> recall -> respond -> guard -> END
                            \\--------escalate--------> crisis ------------------^
                             \\-------safety plan-----> safety ------------------^
                              \\------exercise--------> practice ----------------^

With `handoff`, a conversation that an operator took over goes from assess to handoff, which pauses for
their words: then guard says those, or the turn goes on as drawn.

The compiled graph never raises to its caller: a step that breaks is replaced by its fallback, and
the last fallback is a reply baked into the package. Knows nothing of what the steps do.
"""

import contextvars
import copy
import logging
import threading
from collections.abc import Callable, Hashable
from functools import lru_cache, partial
from typing import Any, Literal, Protocol

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.types import StreamWriter, interrupt

from agent.settings import load_settings
from graph import fallbacks, nodes
from graph import handoff as handing
from graph.deadline import PartFailed, within
from graph.practice import practice, practises
from graph.safety import builds, safety
from graph.services import Services, from_settings
from graph.sound import fitting, sound
from graph.state import State

__all__ = ["Graph", "build_graph", "rebuilt", "route", "studio"]

log = logging.getLogger("hearken")

Graph = CompiledStateGraph[State, None, State, State]
Step = Callable[[State, Services], State]
Way = Literal["plan", "crisis", "safety", "practice"]


class _Node(Protocol):
    def __call__(self, state: State, *, writer: StreamWriter) -> State: ...


def build_graph(
    services: Services | None = None,
    *,
    checkpointer: BaseCheckpointSaver[Any] | None = None,
    handoff: bool = False,
) -> Graph:
    """The compiled graph, by default with the services that the environment asks for.

    Its input is `{"messages": [...]}`; add `"person": {"country": "GB"}` for the right helplines.
    With a checkpointer the risk of a conversation is kept; without one it is rebuilt from every
    message of the person's that is passed in. May be added as a node to another graph.

    handoff: pass `"operator": "taken"` in the input of a turn that a person is to answer. The run then
    ends with `__interrupt__`, after the danger was weighed and before a word is chosen; go on with
    `Command(resume="their words")`, "" when nobody answered, `{"said": "", "back": True}` when they
    handed it back. Needs a checkpointer, here or in the graph around this one.
    """
    bound = services or from_settings(load_settings())
    graph = StateGraph(State)
    graph.add_node("perceive", _step("perceive", nodes.perceive, bound))
    graph.add_node("assess", _step("assess", nodes.assess, bound))
    graph.add_node("plan", _step("plan", nodes.plan, bound))
    graph.add_node("recall", _step("recall", nodes.recall, bound))
    graph.add_node("respond", _respond(bound))
    graph.add_node("crisis", _step("crisis", nodes.crisis, bound))
    graph.add_node("safety", _step("safety", safety, bound))
    graph.add_node("practice", _step("practice", practice, bound))
    graph.add_node("guard", _step("guard", nodes.guard, bound))

    graph.add_edge(START, "perceive")
    graph.add_edge("perceive", "assess")
    ways: dict[Hashable, str] = {name: name for name in ("plan", "crisis", "safety", "practice")}
    # where the jurisdiction is restricted there are no exercises: the way to the library is shown instead
    ahead = partial(route, practising=not bound.restricted)
    if handoff:
        graph.add_node("handoff", _step("handoff", partial(handing.handoff, ask=interrupt), bound))
        graph.add_conditional_edges(
            "assess", partial(_route_taken, ahead=ahead), {**ways, "handoff": "handoff"}
        )
        graph.add_conditional_edges(
            "handoff", partial(_route_answered, ahead=ahead), {**ways, "guard": "guard"}
        )
    else:
        graph.add_conditional_edges("assess", ahead, ways)
    graph.add_edge("plan", "recall")
    graph.add_edge("recall", "respond")
    graph.add_edge("respond", "guard")
    graph.add_edge("crisis", "guard")
    graph.add_edge("safety", "guard")
    graph.add_edge("practice", "guard")
    graph.add_edge("guard", END)
    return graph.compile(checkpointer=checkpointer, name="hearken")


@lru_cache(maxsize=8)
def _once(services: Services, handoff: bool) -> Graph:
    return build_graph(services, handoff=handoff)


def rebuilt(
    services: Services, *, checkpointer: BaseCheckpointSaver[Any] | None = None, handoff: bool = False
) -> Graph:
    """`build_graph` for hosts of many conversations: compiled once for the same services, which costs as
    much time as the rest of a turn, and copied for each checkpointer."""
    graph = copy.copy(_once(services, handoff))
    graph.checkpointer = checkpointer
    return graph


def route(state: State, *, practising: bool = True) -> Way:
    """The ordinary way only when risk says plainly that nothing escalates; else the careful one.

    A safety plan that the person is writing goes on where no new danger was heard, and an exercise where
    no danger is about at all.
    """
    if builds(sane := fitting(state)):
        return "safety"
    if practising and practises(sane):
        return "practice"
    risk: object = state.get("risk")
    return "plan" if isinstance(risk, dict) and risk.get("escalate") is False else "crisis"


def _route_taken(state: State, *, ahead: Callable[[State], Way]) -> Way | Literal["handoff"]:
    return "handoff" if state.get("operator") == "taken" else ahead(state)


def _route_answered(state: State, *, ahead: Callable[[State], Way]) -> Way | Literal["guard"]:
    return "guard" if state.get("operator") == "said" else ahead(state)


def studio() -> Graph:
    """The graph for LangGraph's own tooling, named in langgraph.json; it brings its own checkpoints."""
    return build_graph()


def _step(name: str, step: Step, services: Services) -> _Node:
    seconds = 2 * services.step_seconds + services.part_seconds

    def run(state: State, *, writer: StreamWriter) -> State:
        given = fitting(state)
        return _held(name, writer, given, services, seconds, lambda: step(given, services))

    return run


def _respond(services: Services) -> _Node:
    # A responder may use up its time, and then the guided one has as much.
    seconds = services.step_seconds + 2 * services.reply_seconds

    def run(state: State, *, writer: StreamWriter) -> State:
        given, gone = fitting(state), threading.Event()

        def emit(chunk: dict[str, str]) -> None:
            if not gone.is_set():  # nobody waits any more for what a reply given up goes on to say
                writer(chunk)

        try:
            return _held(
                "respond", writer, given, services, seconds, lambda: nodes.respond(given, services, emit)
            )
        finally:
            gone.set()

    return run


def _held(  # noqa: PLR0913, PLR0917 - one private boundary
    name: str,
    writer: StreamWriter,
    state: State,
    services: Services,
    seconds: float,
    call: Callable[[], State],
) -> State:
    """What the step wrote, or its fallback when it raised, overran or handed on what is out of shape."""
    writer({"type": "step", "name": name})
    # LangGraph's own calls inside a step (interrupt) look for their run in the context.
    context = contextvars.copy_context()
    try:
        written = within(seconds, lambda: context.run(call))
        if sound(name, written, state):
            return written
        log.warning("step %s handed on what is out of shape; its fallback answers", name)
    except Exception as error:  # noqa: BLE001 - the boundary: nothing that breaks inside may reach the person
        cause = error.__cause__ if isinstance(error, PartFailed) and error.__cause__ else error
        if isinstance(cause, GraphBubbleUp):  # LangGraph's own signals (interrupt, resume) are not failures
            raise cause from None
        log.warning("step %s failed (%s); its fallback answers", name, type(cause).__name__)
    return fallbacks.FALLBACKS[name](state, services)
