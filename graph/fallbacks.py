"""What each step leaves behind when it breaks: always a reply, never a calmer reading of danger.

Every fallback is simpler than the step it stands in for and leans only on what needs no file:
the minimal risk lexicon and the baked reply. Knows nothing of why the step broke.
"""

from collections.abc import Callable

from langchain_core.messages import AIMessage

from agent.brief import Draft, Person, Plan, unread
from agent.reading import assess as assessing
from agent.reading.ladder import LEVELS, Cue, Risk
from agent.reading.rules import minimal_rules
from agent.responders.static import static_reply
from graph.conversation import said_by, unfolded, whose
from graph.services import Services
from graph.state import State

__all__ = ["FALLBACKS"]


def _perceive(state: State, services: Services) -> State:
    del services
    cues = [minimal_rules().scan(text) for text in unfolded(state)]
    return {"reading": unread(cues, degraded=True), "person": state.get("person") or Person()}


def _assess(state: State, services: Services) -> State:
    """Never less than the reading heard, nor than the minimal lexicon hears now."""
    del services
    texts = said_by(state, "human")
    heard = [*_heard(state), *(cue for text in unfolded(state) for cue in minimal_rules().scan(text))]
    return {"risk": {**assessing.careful(heard, _before(state)), "seen": len(texts)}}


def _plan(state: State, services: Services) -> State:
    del state, services
    return {"plan": _plainest("support")}


def _crisis(state: State, services: Services) -> State:
    return {**_draft(state, services), "plan": _plainest("crisis"), "care": state.get("care") or {}}


def _safety(state: State, services: Services) -> State:
    kept = state.get("safety_plan") or {}
    return {**_draft(state, services), "plan": _plainest("crisis"), "safety_plan": kept}


def _practice(state: State, services: Services) -> State:
    kept = state.get("practice") or {}
    return {**_draft(state, services), "plan": _plainest("support"), "practice": {**kept, "step": ""}}


def _plainest(move: str) -> Plan:
    return Plan(
        move=move,
        steps=[],
        intent="acknowledging",
        stage="explore",
        topic="general",
        feeling="",
        ask=False,
        offer="",
        words=60,
        careful=True,
    )


def _recall(state: State, services: Services) -> State:
    del state, services
    return {"passages": []}


def _draft(state: State, services: Services) -> State:
    sentences, card = _static(state, services)
    return {"draft": Draft(sentences=sentences, card=card, replaced=[], responder="static", offered="")}


def _handoff(state: State, services: Services) -> State:
    del state, services
    return {"operator": "missed"}


def _guard(state: State, services: Services) -> State:
    sentences, _ = _static(state, services)
    return {"messages": [AIMessage(" ".join(sentences))]}


def _static(state: State, services: Services) -> tuple[list[str], list[dict[str, str]]]:
    risk: object = state.get("risk")
    level = risk.get("level") if isinstance(risk, dict) else None
    return static_reply(whose(state, services), level if level in LEVELS else "moderate")


def _heard(state: State) -> list[Cue]:
    reading: object = state.get("reading")
    heard = reading.get("cues") if isinstance(reading, dict) else None
    return (
        [cue for cues in heard if isinstance(cues, list) for cue in cues] if isinstance(heard, list) else []
    )


def _before(state: State) -> Risk | None:
    before: object = state.get("risk")
    return state["risk"] if isinstance(before, dict) and before.get("level") in LEVELS else None


FALLBACKS: dict[str, Callable[[State, Services], State]] = {
    "perceive": _perceive,
    "assess": _assess,
    "plan": _plan,
    "recall": _recall,
    "respond": _draft,
    "crisis": _crisis,
    "safety": _safety,
    "practice": _practice,
    "guard": _guard,
    "handoff": _handoff,
}
