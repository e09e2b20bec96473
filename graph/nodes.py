"""What happens in each step of a turn: (state, services) -> the keys that step owns.

Plain functions; this module imports no LangGraph. The two long steps have modules of their own, `perceiving`
and `responding`. What each may write is in `state.WRITERS`, what happens when one raises is in `fallbacks`.
A node never logs or raises what a person wrote.
"""

import logging
import uuid
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice

from langchain_core.messages import AIMessage

from agent import guard as guarding
from agent.brief import Draft, Reading
from agent.choosing import checked, moment_of
from agent.errors import ResponderError
from agent.reading import assess as assessing
from agent.reading.ladder import Answer, Level
from agent.reading.tonguecare import answers as tongue_answers
from agent.reading.tonguecare import cared
from agent.responders import crisis as crises
from agent.responders import guided
from agent.responders import handoff as handing
from agent.safety_plan import standing
from agent.supporter import Chances
from graph.briefing import bounds_of, brief_of, opening, planned, true_here
from graph.conversation import history, said, said_by, seed, theirs, whose
from graph.deadline import PartFailed, within
from graph.perceiving import READ_LANGUAGES, perceive
from graph.responding import LATELY, looks_up, respond
from graph.services import Services
from graph.state import State

__all__ = ["assess", "crisis", "guard", "perceive", "plan", "recall", "respond"]

log = logging.getLogger("hearken")

# Questions about ourselves that are owed a true answer on any turn.
OWED = frozenset({"identity", "privacy", "capability"})


def assess(state: State, services: Services) -> State:
    """Weigh it: the highest of what was heard, what an answer meant, and what is carried."""
    texts = said_by(state, "human")
    reading = state["reading"]
    return {
        "risk": assessing.assess(
            reading["cues"],
            answers=_answers(texts[-1], reading, services) if texts else [],
            before=state.get("risk"),
            pending=_pending(state),
            degraded=reading["degraded"]
            and all(c["level"] == "none" for cues in reading["cues"] for c in cues),
        )
    }


def _answers(text: str, reading: Reading, services: Services) -> list[Answer]:
    """How the message answers a question about safety, in the language spoken and else as ever."""
    own: list[Answer] = []
    if cared(reading["language"]):
        own = tongue_answers(text, reading["language"])
        if any(cue["escalate"] for cue in reading["cues"][-1]):
            own = [each for each in own if each not in {"no", "denial"}]  # "no, I can't go on" clears nothing
    return own or services.answers(text)


def plan(state: State, services: Services) -> State:
    """Decide what the reply should do, before any word is chosen."""
    decided = planned(state, restricted=services.restricted, foresee=lambda: _foreseen(state, services))
    return {"plan": decided}


def recall(state: State, services: Services) -> State:
    """Look up what people were answered who asked something similar; nothing when risk is about."""
    decided = state["plan"]
    texts = said_by(state, "human")
    if not looks_up(decided) or not texts:
        return {"passages": []}
    try:
        found = within(services.part_seconds, lambda: services.search(texts[-1], services.passages))
    except PartFailed as error:
        log.warning("replying without retrieval: %s", error)
        found = []
    return {"passages": found}


def crisis(state: State, services: Services) -> State:
    """Answer danger with authored sentences and the country's helplines; no model, no retrieval."""
    risk, care = state["risk"], state.get("care") or {}
    texts = said_by(state, "human")
    away = theirs(state, services)
    country = away or whose(state, services)
    contacts = services.contacts(
        country,
        risk["kinds"],
        level=risk["level"],
        young="minor" in risk["marks"] or "minor" in risk["kinds"],
        cannot_speak="cannot_speak" in risk["answers"],
    )
    helped: list[str] = []
    if not crises.holds(risk, care):
        helped = list(guided.respond(brief_of({**state, "plan": planned(state)}, [])))
    composed = crises.compose(
        text=texts[-1] if texts else "",
        risk=risk,
        care=care,
        contacts=contacts,
        said=said(state),
        turn=len(texts),
        seed=seed(texts),
        country=country,
        elsewhere=bool(away),
        helped=helped,
        language=state["reading"]["language"],
        plan=standing(state.get("safety_plan")),
    )
    draft = Draft(
        sentences=[
            *opening(state),
            *true_here([*(() if helped else _truth(state)), *composed["sentences"]], services),
        ],
        card=composed["card"],
        replaced=[],
        responder="crisis",
        offered="",
    )
    return {"draft": draft, "care": composed["care"], "plan": composed["plan"]}


def guard(state: State, services: Services) -> State:
    """Judge the whole once more and say it; the only step that writes the assistant's message."""
    draft = state["draft"]
    if (state.get("operator"), draft["responder"]) == ("said", handing.OPERATOR):
        written = " ".join(draft["sentences"])  # a person's own words, which are not ours to judge
        return {"messages": [AIMessage(written, id=uuid.uuid4().hex, name=handing.OPERATOR)]}
    bounds = bounds_of(state, services)
    judged = guarding.fold(draft["sentences"], bounds)
    if not judged.sentences:
        judged = guarding.fold(draft["sentences"], replace(bounds, said=bounds.said[-LATELY:]))
    if not judged.sentences:
        raise ResponderError("nothing of the draft may be said")
    return {"messages": [AIMessage(" ".join(judged.sentences), id=uuid.uuid4().hex)]}


def _foreseen(state: State, services: Services) -> Chances | None:
    """What people who support others would do next; None when nothing can tell, and the rules plan alone."""
    foresee, moment = services.foresee, moment_of(history(state), state.get("plan"))
    if state["reading"]["language"] not in READ_LANGUAGES:
        return None
    try:
        return within(services.part_seconds, lambda: checked(foresee(moment))) if foresee else None
    except PartFailed as error:
        log.warning("planning by the rules alone: %s", error)
        return None


def _truth(state: State) -> list[str]:
    """What we are, when this very message asks: danger is no reason to leave that unanswered."""
    if state["risk"]["fresh"] or not OWED.intersection(state["reading"]["wants"]):
        return []
    if crises.answers_itself(said_by(state, "human")[-1]):
        return []
    spoken = guided.respond(brief_of({**state, "plan": planned(state)}, []))
    return list(islice((sentence for sentence in spoken if "?" not in sentence), 1))


def _pending(state: State) -> Mapping[str, Level]:
    """What an answer would mean: as the crisis branch noted, or as its question in the history tells."""
    care = state.get("care")
    last = next((m for m in reversed(state.get("messages") or []) if m.type == "ai"), None)
    if last is not None and last.name == handing.OPERATOR:
        return {}  # what is answered now is what the operator asked, which nobody noted
    spoke = (state.get("safety_plan") or {}).get("turn", 0), (state.get("practice") or {}).get("turn", 0)
    if max(spoke) > (care or {}).get("turn", 0):
        return {}  # the plan or an exercise spoke since, and asks nothing that a yes or no could answer
    before = state.get("risk") or assessing.no_risk()
    let_go = "misheard" in before["marks"] and not before["escalate"]  # what was asked then is asked no more
    if care is not None and not let_go:
        return care.get("pending", {})
    replies = said_by(state, "ai")
    return crises.pending_of(guarding.split(replies[-1]), state["reading"]["language"]) if replies else {}
