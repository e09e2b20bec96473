"""The step that words a reply: a responder's sentences, guarded one by one before anyone sees them.

A responder that fails, stalls or says too little that may be said gives way to the guided one. What a reply
should do was decided before (`plan`), and danger is never answered here (`nodes.crisis`).
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice

from agent import guard as guarding
from agent.brief import Brief, Draft, Plan, Replaced, Respond
from agent.choosing import moment_of, weighed
from agent.reading.tonguecare import cared
from agent.responders import crisis as crises
from agent.responders import guided
from agent.themes import theme_of
from graph.briefing import bounds_of, brief_of, opening, true_here
from graph.conversation import history, said
from graph.deadline import PartFailed, pump, within
from graph.perceiving import READ_LANGUAGES
from graph.retelling import Again, retell
from graph.services import Services
from graph.state import State

__all__ = ["looks_up", "respond"]

log = logging.getLogger("hearken")

Emit = Callable[[dict[str, str]], object]
# Where nothing else is left to say, only these may not return.
LATELY = 20
# A reply of this many sentences is cut, whatever a responder goes on to yield.
MOST_SENTENCES = 40
# The moves in which every sentence is weighed against the others.
WEIGHED = frozenset({"support", "correction"})
# The moves in which an idea from similar answers may have a place.
RECALLED = frozenset({"support", "advice", "information", "complaint", "decline", "library"})


def looks_up(decided: Plan) -> bool:
    """Whether this turn searches at all: an idea has a place in it, and no danger is about."""
    return not decided["careful"] and decided["move"] in RECALLED


def respond(state: State, services: Services, emit: Emit) -> State:
    """Word the reply, sentence by sentence; each one passes the guard before anyone sees it."""
    brief = brief_of(state, state.get("passages") or [])
    doubt = _doubt(state)
    bounds = bounds_of(state, services)
    bounds = replace(bounds, words=bounds.words + len(doubt.split()))
    kept: list[str] = []
    replaced: list[Replaced] = []

    repairs: list[str] = []
    opened = opening(state)

    def shown(respond: Respond, brief: Brief, bounds: guarding.Bounds) -> None:
        first = () if kept else opened
        repair = _repair(brief, repairs)
        sentences = pump(
            services.reply_seconds, lambda: true_here(chain(first, _asking(respond(brief), doubt)), services)
        )
        again = _again(brief, services) if respond is services.respond else None
        for sentence in retell(sentences, bounds, kept, replaced, again=again, repair=repair):
            emit({"type": "sentence", "text": sentence})

    name = services.responder or ("guided" if services.respond is guided.respond else "custom")
    own_words = brief["plan"]["careful"] or services.restricted or services.respond is guided.respond
    language = brief["reading"]["language"]
    own_words = own_words or language == "es" or cared(language)  # a model's Spanish cannot be judged
    if not own_words:
        try:
            shown(services.respond, brief, bounds)
        except PartFailed as error:
            log.warning("the %s responder failed: %s", name, error)
            own_words = True
    if own_words or len(kept) <= len(repairs) + len(opened):
        name = "guided"
        suits = _suiting(state, services)
        worded = partial(guided.respond, fit={} if suits else _fitting(state, services), suits=suits)
        try:
            shown(worded, brief, bounds)
            if len(kept) <= len(opened):
                shown(worded, _lately(brief), replace(bounds, said=bounds.said[-LATELY:]))
        except PartFailed:
            if len(kept) <= len(opened):  # what was already shown stands as the reply
                raise
    offered = guided.offered(brief) if name == "guided" else ""
    return {"draft": Draft(sentences=kept, card=[], replaced=replaced, responder=name, offered=offered)}


def _doubt(state: State) -> str:
    """The soft question for a message of which the reading was not sure; "" where it is out of place."""
    unwanted = (state.get("person") or {}).get("questions") is False or theme_of(history(state)) == "grief"
    if unwanted or state.get("care") or state["plan"]["move"] != "support":
        return ""
    return crises.wonder(state["risk"], said(state))


def _asking(reply: Iterable[object], doubt: str) -> Iterator[str]:
    """The sentences of a reply; where there is doubt it ends with that question and asks no other."""
    sentences = _sentences(reply)
    if not doubt:
        return sentences
    return chain((sentence for sentence in sentences if not sentence.endswith("?")), [doubt])


def _fitting(state: State, services: Services) -> dict[str, float]:
    """How well the authored sentences answer what was said; {} where the seed alone shall choose."""
    fit, decided = services.fit, state["plan"]
    language, moment = state["reading"]["language"], moment_of(history(state), None)
    if fit is None or services.restricted or not looks_up(decided) or language not in READ_LANGUAGES:
        return {}
    try:
        return within(services.part_seconds, lambda: weighed(fit(moment)))
    except PartFailed as error:
        log.warning("choosing sentences by the seed alone: %s", error)
        return {}


def _suiting(state: State, services: Services) -> dict[str, float]:
    """What authored sentences are worth in a reply that supports; {} where rules and seed shall choose."""
    suit, decided = services.suit, state["plan"]
    apt = decided["move"] in WEIGHED and not decided["careful"]
    if suit is None or services.restricted or not apt or state["reading"]["language"] not in READ_LANGUAGES:
        return {}
    moment = moment_of(history(state), None)
    try:
        return within(services.part_seconds, lambda: weighed(suit(moment, state["reading"])))
    except PartFailed as error:
        log.warning("choosing sentences by rules alone: %s", error)
        return {}


def _lately(brief: Brief) -> Brief:
    """The brief of somebody who remembers the last few replies only."""
    return {**brief, "said": brief["said"][-LATELY:], "history": brief["history"][-LATELY // 2 :]}


def _again(brief: Brief, services: Services) -> Again | None:
    """The model asked for the rest of a reply, within what is left of its time; None where it cannot be."""
    end, ask = time.monotonic() + services.reply_seconds, services.again
    if ask is None:
        return None

    def again(kept: Sequence[str], why: str) -> Iterator[str]:
        left = max(end - time.monotonic(), 0.0)
        rest: Brief = {**brief, "seconds": left}
        return pump(left, lambda: true_here(_sentences(ask(rest, kept, why)), services))

    return again


def _repair(brief: Brief, used: list[str]) -> Callable[[int, str], str | None]:
    """One authored sentence in the place of one that may not be said; more would be a patchwork."""

    def repair(position: int, rule: str) -> str | None:
        if used or rule in {"repeat", "length", "empty", "questions"}:
            return None
        used.append(rule)
        return guided.sentence_for(brief, position)

    return repair


def _sentences(reply: Iterable[object]) -> Iterator[str]:
    """What a responder gave, cut into sentences: a string, or any iterable of strings."""
    given: Iterable[object] = [reply] if isinstance(reply, str) else reply
    cut = (one for part in given for one in (guarding.split(part) if isinstance(part, str) else [""]))
    return islice(cut, MOST_SENTENCES)
