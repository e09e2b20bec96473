"""Whether what a step hands on has the shape that the steps after it lean on.

A step is ours, and a reading, a risk or a draft out of shape can only come of a defect or of what an
embedder's function gave; it must not travel. Nothing here judges whether a reply is good, only that it
is one, and that the level of a turn is not below what was heard in its message.
"""

from functools import cache
from typing import Any, Literal, get_args, get_origin, get_type_hints, is_typeddict

from langchain_core.messages import AIMessage

from agent.reading.assess import no_risk
from agent.reading.ladder import LEVELS, Risk, at_least, worst
from graph.state import State

__all__ = ["fitting", "sound"]

# What each step must hand on; the rest of what it may write, it may leave out.
_OWED: dict[str, tuple[str, ...]] = {
    "perceive": ("reading",),
    "assess": ("risk",),
    "plan": ("plan",),
    "recall": ("passages",),
    "respond": ("draft",),
    "crisis": ("draft", "plan"),
    "safety": ("draft", "plan"),
    "practice": ("draft", "plan"),
    "handoff": ("operator",),
    "guard": ("messages",),
}


def sound(step: str, written: object, state: State) -> bool:
    """Whether the step wrote what it owes, each key of it in its shape. state: what the step was given."""
    if not isinstance(written, dict) or not written.keys() >= set(_OWED.get(step, ())):
        return False
    hints = _hints(State)
    if not all(
        key in hints and _fits(value, hints[key]) for key, value in written.items() if key != "messages"
    ):
        return False
    match step:
        case "assess":
            return _not_calmed(written["risk"], state)
        case "respond" | "crisis" | "safety" | "practice":
            return any(sentence.strip() for sentence in written["draft"]["sentences"])
        case "guard":
            said = written["messages"]
            return isinstance(said, list) and [_spoken(message) for message in said] == [True]
    return True


def fitting(state: State) -> State:
    """The state without what is out of shape: a host's, or a checkpoint's of another version.

    What is left out is made anew from the messages; of a risk, its level is kept as the floor.
    """
    hints = _hints(State)
    sane: dict[str, Any] = {
        key: value
        for key, value in state.items()
        if key == "messages" or _fits(value, hints.get(key, object))
    }
    risk: object = state.get("risk")
    if "risk" not in sane and isinstance(risk, dict) and risk.get("level") in LEVELS:
        level = risk["level"]
        floor = Risk(**{**no_risk(), "level": level, "floor": level, "peak": level})
        sane["risk"] = {**floor, "escalate": at_least(level, "moderate")}
    return sane  # type: ignore[return-value]


def _not_calmed(risk: dict[str, Any], state: State) -> bool:
    cues = [cue for heard in state["reading"]["cues"][-1:] for cue in heard]
    level = worst([risk["level"], *(cue["level"] for cue in cues)])
    return bool(level == risk["level"] and (risk["escalate"] or not any(cue["escalate"] for cue in cues)))


def _spoken(message: object) -> bool:
    return (
        isinstance(message, AIMessage) and isinstance(message.content, str) and bool(message.content.strip())
    )


@cache
def _hints(shape: type) -> dict[str, Any]:
    return get_type_hints(shape)


def _fits(value: object, hint: Any) -> bool:
    if is_typeddict(hint):
        hints = _hints(hint)
        return (
            isinstance(value, dict)
            and value.keys() >= hint.__required_keys__
            and all(_fits(part, hints[key]) for key, part in value.items() if key in hints)
        )
    origin, inner = get_origin(hint), get_args(hint)
    if origin is Literal:
        return any(value == choice for choice in inner)
    if origin is list:
        return isinstance(value, list) and all(_fits(part, inner[0]) for part in value)
    if origin is dict:
        return isinstance(value, dict) and all(
            _fits(key, inner[0]) and _fits(part, inner[1]) for key, part in value.items()
        )
    if hint is float:
        return isinstance(value, int | float) and value == value  # noqa: PLR0124 - NaN alone differs from itself
    return not isinstance(hint, type) or isinstance(value, hint)
