"""A conversation changed by the person's own hand: the last exchange undone, a step of the plan written.

Plain data in, plain data out; what is on disk is `Session`'s to change. What was told of danger is not
unlearnt by taking a message back. Knows nothing of how replies come about.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from langchain_core.messages import AnyMessage

from agent.reading.assess import no_risk
from agent.safety_plan import CONTACTS, SafetyPlan, lines_of, step_ids

__all__ = ["last_exchange", "with_step", "without_last", "young"]

# What a turn leaves behind besides the messages and the risk, as it is where none has left anything yet.
_LEFT: Mapping[str, Any] = {"care": {}, "safety_plan": {}, "practice": {}}


def last_exchange(messages: Sequence[AnyMessage]) -> list[AnyMessage]:
    """The person's last message and whatever came after it; none where they wrote none."""
    own = [place for place, message in enumerate(messages) if message.type == "human"]
    return list(messages[own[-1] :]) if own else []


def without_last(values: Mapping[str, Any], before: Mapping[str, Any] | None) -> dict[str, Any]:
    """The conversation as it was before its last exchange, but for the risk, which stays what it is now.

    before: the conversation before that turn; None when it is not known, and then only messages go.
    """
    gone = {message.id for message in last_exchange(values["messages"])}
    left = {**values, "messages": [one for one in values["messages"] if one.id not in gone]}
    if before is not None:
        left |= {key: before.get(key, empty) for key, empty in _LEFT.items() if key in values}
        left |= {key: before[key] for key in ("person", "plan") if key in before}
    return left


def with_step(
    plan: SafetyPlan | None, step: str, text: str, contacts: Sequence[Mapping[str, str]] = ()
) -> SafetyPlan:
    """The safety plan with what was written for one step in the place of what stood there.

    contacts: the helplines chosen, for the step that holds them. A step that is emptied is open again.
    """
    if step not in step_ids():
        raise KeyError(step)
    old: SafetyPlan = {**plan} if plan else {}
    lines = lines_of(text)
    entries = {**{key: kept for key, kept in old.get("entries", {}).items() if key != step}}
    if lines:
        entries[step] = lines
    new: SafetyPlan = {
        "step": old.get("step", ""),
        "turn": old.get("turn", 0),
        "entries": entries,
        "skipped": [one for one in old.get("skipped", []) if one != step],
        "contacts": list(old.get("contacts", [])),
    }
    if step == CONTACTS:
        new["contacts"] = [dict(row) for row in contacts]
    return new


def young(values: Mapping[str, Any]) -> dict[str, Any]:
    """The conversation of somebody who said that they are under 18."""
    risk = values.get("risk") or no_risk()
    return {**values, "risk": {**risk, "marks": sorted({*risk["marks"], "minor"})}}
