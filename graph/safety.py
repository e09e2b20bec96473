"""The turn that belongs to the safety plan: whether this one does, and what it leaves behind.

Danger comes first: a fresh sign of it, or a danger that is imminent, is never answered with a plan.
No model, no retrieval. Knows nothing of how the plan is talked through (agent/responders/planning.py).
"""

from agent.brief import Draft
from agent.errors import WordsError
from agent.responders import handoff as handing
from agent.responders.planning import built, takes
from agent.words import tongue
from graph.conversation import said, said_by, seed, whose
from graph.services import Services
from graph.state import State

__all__ = ["builds", "safety"]


def builds(state: State) -> bool:
    """Whether this turn is for the plan. Never raises: what cannot be told is not for the plan."""
    risk: object = state.get("risk")
    reading: object = state.get("reading")
    texts = said_by(state, "human")
    if not (isinstance(risk, dict) and isinstance(reading, dict) and texts):
        return False
    if risk.get("fresh") is not False or risk.get("level") not in {"none", "low", "moderate", "high"}:
        return False
    if risk.get("escalate") and risk.get("subject") != "self":
        return False
    care = state.get("care") or {}
    last = next((m for m in reversed(state.get("messages") or []) if m.type == "ai"), None)
    asked_by_us = last is None or last.name != handing.OPERATOR  # else the open step is not what is answered
    try:
        return takes(
            texts[-1],
            state.get("safety_plan") if asked_by_us else None,
            turn=len(texts),
            offered=care.get("asked") == "plan" and care.get("turn") == len(texts) - 1,
            wants=reading.get("wants") or [],
            answers=risk.get("answers") or [],
            language=tongue(reading.get("language") or ""),
        )
    except WordsError:
        return False


def safety(state: State, services: Services) -> State:
    """Take the message into the plan and ask for the next step; only registry helplines are offered."""
    texts, risk = said_by(state, "human"), state["risk"]
    country = whose(state, services)
    done = built(
        texts[-1],
        state.get("safety_plan") or {},
        turn=len(texts),
        contacts=services.contacts(
            country, risk["kinds"] or ["suicide"], level="high", young="minor" in risk["marks"]
        ),
        answers=risk["answers"],
        said=said(state),
        seed=seed(texts),
        language=tongue(state["reading"]["language"]),
    )
    # An operator who gave the turn back or did not answer is spoken of first, as in every other reply.
    opened = handing.opening(state.get("operator") or "", said(state))
    told = [handing.truthful(one) for one in done.sentences] if services.operator else done.sentences
    draft = Draft(sentences=[*opened, *told], card=done.card, replaced=[], responder="safety", offered="")
    return {"safety_plan": done.plan, "draft": draft, "plan": done.turn_plan}
