"""The state of a conversation: plain data, and who writes which key.

    messages   the caller (the person's) and guard (ours)
    person     the caller (country), perceive (what they asked us to keep in mind)
    reading    perceive
    risk       assess
    plan       plan, or crisis, safety or practice when it took the turn
    passages   recall            not kept in checkpoints
    draft      respond, crisis, safety or practice  not kept in checkpoints
    care       crisis             what it asked, showed and was refused
    safety_plan  safety           the person's own safety plan
    practice   practice           where the exercises stand
    turned_down  the caller (replies the person wanted worded otherwise); not kept in checkpoints
    operator   the caller (`taken` or `back`) and handoff (what came of it); not kept in checkpoints

No enums, dataclasses or pydantic objects: a checkpoint keeps what is here exactly, under the
strict serializer too. Knows nothing of nodes.
"""

from typing import Annotated, Any, TypedDict

from langchain_core.messages import AnyMessage
from langgraph.channels import UntrackedValue
from langgraph.graph.message import add_messages

from agent.brief import Draft, Passage, Person, Plan, Reading
from agent.exercises import Practice
from agent.reading.ladder import Risk
from agent.responders.crisis import Care
from agent.responders.handoff import Handoff
from agent.safety_plan import SafetyPlan

__all__ = ["GIVEN", "WRITERS", "State", "kept"]


class State(TypedDict, total=False):
    """See the module's table; every key is optional, and `messages` alone is a valid input."""

    messages: Annotated[list[AnyMessage], add_messages]
    person: Person
    reading: Reading
    risk: Risk
    plan: Plan
    passages: Annotated[list[Passage], UntrackedValue]
    draft: Annotated[Draft, UntrackedValue]
    care: Care
    safety_plan: SafetyPlan
    practice: Practice
    turned_down: Annotated[list[str], UntrackedValue]
    operator: Annotated[Handoff, UntrackedValue]


WRITERS: dict[str, frozenset[str]] = {
    "perceive": frozenset({"reading", "person"}),
    "assess": frozenset({"risk"}),
    "plan": frozenset({"plan"}),
    "recall": frozenset({"passages"}),
    "respond": frozenset({"draft"}),
    "crisis": frozenset({"draft", "care", "plan"}),
    "safety": frozenset({"safety_plan", "draft", "plan"}),
    "practice": frozenset({"practice", "draft", "plan"}),
    "guard": frozenset({"messages"}),
    "handoff": frozenset({"operator", "draft", "plan"}),
}

# What no step writes: it comes with the input of a turn.
GIVEN = frozenset({"turned_down"})


def kept(values: dict[str, Any]) -> dict[str, Any]:
    """The part of the state that outlives a turn."""
    return {
        key: value
        for key, value in values.items()
        if key not in {"passages", "draft", "operator", "turned_down"}
    }
