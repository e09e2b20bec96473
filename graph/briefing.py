"""What a responder and the guard are told of a state: the plan, the brief, the bounds of a reply.

Also what a reply of any kind opens with, and which authored sentences do not hold where this runs. Words
themselves are the responders'.
"""

from collections.abc import Callable, Iterable, Iterator
from functools import partial

from agent import guard as guarding
from agent.brief import Brief, Passage, Plan
from agent.plan import make_plan
from agent.reading.opinion import WONDER
from agent.reading.tonguecare import cared, sample
from agent.responders import handoff as handing
from agent.responders.crisis import misheard
from agent.supporter import Chances
from agent.words import tongue
from graph.conversation import history, said, said_by, seed, theirs, whose
from graph.services import Services
from graph.state import State

__all__ = ["bounds_of", "brief_of", "opening", "planned", "true_here"]

# How far over the plan's budget a reply may run before the guard cuts it.
SLACK = 1.4


def planned(
    state: State, *, restricted: bool = False, foresee: Callable[[], Chances | None] | None = None
) -> Plan:
    """What the reply should do; a kind of danger that is only a doubt counts for nothing."""
    texts = said_by(state, "human")
    risk = state["risk"]
    doubted = all(WONDER in cue["marks"] for cue in risk["cues"])  # a doubt is no kind to plan for
    return make_plan(
        text=texts[-1] if texts else "",
        reading=state["reading"],
        level=risk["level"],
        kinds=[] if risk["cues"] and doubted else risk["kinds"],
        escalate=risk["escalate"],
        person=state.get("person") or {},
        history=history(state),
        before=state.get("plan"),
        restricted=restricted,
        foresee=foresee,
    )


def brief_of(state: State, passages: list[Passage]) -> Brief:
    """All that a responder may know of the turn."""
    texts = said_by(state, "human")
    return Brief(
        text=texts[-1] if texts else "",
        history=history(state),
        reading=state["reading"],
        level=state["risk"]["level"],
        peak=state["risk"]["peak"],
        plan=state["plan"],
        passages=passages,
        person=state.get("person") or {},
        said=said(state),
        seed=seed(texts),
    )


def bounds_of(state: State, services: Services) -> guarding.Bounds:
    """What the guard holds the reply to: numbers and links, words, and what was said already."""
    texts = said_by(state, "human")
    in_crisis = bool(state["risk"]["escalate"])
    budget = 150 if in_crisis else int(state["plan"]["words"] * SLACK)
    budget += sum(len(sentence.split()) for sentence in opening(state))
    language, away = state["reading"]["language"], theirs(state, services)
    return guarding.Bounds(
        allowed=services.allowed(whose(state, services)) | (services.allowed(away) if away else frozenset()),
        said=tuple(said(state)),
        heard=" ".join(texts[-3:]),
        words=budget,
        crisis=in_crisis,
        language=language if cared(language) else tongue(language),
        letters=sample(language),
    )


def opening(state: State) -> list[str]:
    """What a person who had taken over left to say, that they gave it back or did not answer; and that we
    took a message for worse than it was."""
    wrong = misheard(state["risk"], said(state)) if state.get("risk") else ""
    return [*handing.opening(state.get("operator") or "", said(state)), *([wrong] if wrong else [])]


def true_here(sentences: Iterable[str], services: Services) -> Iterator[str]:
    """The sentences, without those that do not hold where people read along or words leave the machine."""
    if not (services.operator or services.away):
        return iter(sentences)
    return map(partial(handing.truthful, away=not services.operator), sentences)
