"""The turn that belongs to an exercise: whether this one does, and what it leaves behind.

Danger comes first: any sign of it in the message, and any level from moderate on, leaves the exercise at
once. No model, no retrieval. Knows nothing of how one is talked through (agent/responders/practising.py).
"""

from collections.abc import Mapping
from typing import Any

from agent.brief import Draft
from agent.errors import WordsError
from agent.reading.opinion import WONDER
from agent.responders import handoff as handing
from agent.responders.exercise_calls import Call, heard
from agent.responders.practising import practised
from agent.words import tongue
from graph.conversation import history, said, said_by, seed
from graph.services import Services
from graph.state import State

__all__ = ["practice", "practises"]


def practises(state: State) -> bool:
    """Whether this turn is for an exercise. Never raises: what cannot be told is not for one."""
    risk: object = state.get("risk")
    reading: object = state.get("reading")
    if not (isinstance(risk, dict) and isinstance(reading, dict) and said_by(state, "human")):
        return False
    if risk.get("fresh") is not False or risk.get("escalate") is not False:
        return False
    # Stricter than the safety plan: what is heard at all is answered, and no exercise is put over it. Strong
    # feeling alone is what exercises are for.
    cues = (reading.get("cues") or [[]])[-1]
    if risk.get("level") not in {"none", "low"} or any(map(_told, cues)):
        return False
    try:
        return bool(_call(state).act)
    except WordsError:
        return False


def _told(cue: Mapping[str, Any]) -> bool:
    """Whether a cue tells of more than strong feeling; a doubt tells nothing."""
    return cue.get("kind") != "distress" and WONDER not in cue.get("marks", [])


def _call(state: State) -> Call:
    texts = said_by(state, "human")
    last = next((m for m in reversed(state.get("messages") or []) if m.type == "ai"), None)
    return heard(
        texts[-1],
        state.get("practice"),
        turn=len(texts),
        wants=state["reading"]["wants"],
        history=history(state),
        ours=last is None or last.name != handing.OPERATOR,
        language=tongue(state["reading"]["language"]),
    )


def practice(state: State, services: Services) -> State:
    """Take the message into the exercise and say its next step."""
    texts = said_by(state, "human")
    done = practised(
        state.get("practice") or {},
        _call(state),
        turn=len(texts),
        history=history(state),
        said=said(state),
        seed=seed(texts),
        language=tongue(state["reading"]["language"]),
    )
    # An operator who gave the turn back or did not answer is spoken of first, as in every other reply.
    opened = handing.opening(state.get("operator") or "", said(state))
    told = [handing.truthful(one) for one in done.sentences] if services.operator else done.sentences
    draft = Draft(sentences=[*opened, *told], card=[], replaced=[], responder="practice", offered="")
    return {"practice": done.practice, "draft": draft, "plan": done.turn_plan}
