"""What happens in each step of a turn: (state, services) -> the keys that step owns.

Plain functions; this module imports no LangGraph. What each may write is in `state.WRITERS`, what
happens when one raises is in `fallbacks`. A node never logs or raises what a person wrote.
"""

import logging
import zlib
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage

from agent import guard as guarding
from agent.brief import Brief, Draft, Passage, Person, Plan, Reading, Replaced, Score
from agent.errors import ResponderError
from agent.plan import make_plan
from agent.reading import assess as assessing
from agent.reading.encoder import Heard
from agent.reading.language import detect
from agent.reading.wants import wants, wishes
from agent.responders import crisis as crises
from agent.responders import guided
from graph.deadline import PartFailed, pump, within
from graph.services import Services
from graph.state import State

__all__ = ["assess", "crisis", "guard", "looks_up", "perceive", "plan", "recall", "respond"]

log = logging.getLogger("hearken")

Emit = Callable[[dict[str, str]], object]
# A message of so few words says little about its language; the one before it is heard with it.
SHORT = 3
# The moves in which an idea from similar answers may have a place.
RECALLED = frozenset({"support", "advice", "information", "complaint", "decline"})
# How far over the plan's budget a reply may run before the guard cuts it.
SLACK = 1.4


def perceive(state: State, services: Services) -> State:
    """Hear the message: danger first and on the whole text, then feelings, language and wishes."""
    texts = said_by(state, "human")
    text = texts[-1] if texts else ""
    cues = [services.scan(unseen) for unseen in unfolded(state)]
    language = detect(text if len(text.split()) > SHORT else " ".join(texts[-2:]))
    reading = Reading(
        emotions=[],
        intents=[],
        sure=False,
        wants=wants(text, language),
        language=language,
        cues=cues,
        degraded=False,
    )
    try:
        feelings = within(services.part_seconds, lambda: _feelings(services.read(text)))
        reading = {**reading, **feelings}
    except PartFailed as error:
        log.warning("reading without the encoder: %s", error)
        reading["degraded"] = True
    return {"reading": reading, "person": wishes(text, state.get("person") or Person())}


def assess(state: State, services: Services) -> State:
    """Weigh it: the highest of what was heard, what an answer meant, and what is carried."""
    texts = said_by(state, "human")
    reading = state["reading"]
    return {
        "risk": assessing.assess(
            reading["cues"],
            answers=services.answers(texts[-1]) if texts else [],
            before=state.get("risk"),
            pending=(state.get("care") or {}).get("pending", {}),
            degraded=reading["degraded"] and not any(reading["cues"]),
        )
    }


def plan(state: State, services: Services) -> State:
    """Decide what the reply should do, before any word is chosen."""
    del services
    return {"plan": _plan(state)}


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


def respond(state: State, services: Services, emit: Emit) -> State:
    """Word the reply, sentence by sentence; each one passes the guard before anyone sees it."""
    brief = _brief(state, state.get("passages") or [])
    bounds = _bounds(state, services)
    kept: list[str] = []
    replaced: list[Replaced] = []

    def shown(sentences: Iterator[str]) -> None:
        for sentence in guarding.sift(sentences, bounds, kept, replaced, repair=_repair(brief)):
            emit({"type": "sentence", "text": sentence})

    name = services.responder
    own_words = brief["plan"]["careful"] or services.respond is guided.respond
    if not own_words:
        try:
            shown(pump(services.reply_seconds, lambda: services.respond(brief)))
        except PartFailed as error:
            log.warning("the %s responder failed: %s", name, error)
            own_words = True
    if own_words or not kept:
        name = "guided"
        shown(guided.respond(brief))
    offered = guided.offered(brief) if name == "guided" else ""
    return {"draft": Draft(sentences=kept, card=[], replaced=replaced, responder=name, offered=offered)}


def crisis(state: State, services: Services) -> State:
    """Answer danger with authored sentences and the country's helplines; no model, no retrieval."""
    risk, care, person = state["risk"], state.get("care") or {}, state.get("person") or {}
    texts = said_by(state, "human")
    country = person.get("country") or services.country
    contacts = services.contacts(
        country,
        risk["kinds"],
        level=risk["level"],
        young="minor" in risk["marks"] or "minor" in risk["kinds"],
        cannot_speak="cannot_speak" in risk["answers"],
    )
    helped: list[str] = []
    if not crises.holds(risk, care):
        helped = list(guided.respond(_brief({**state, "plan": _plan(state)}, [])))
    composed = crises.compose(
        text=texts[-1] if texts else "",
        risk=risk,
        care=care,
        contacts=contacts,
        said=said(state),
        turn=len(texts),
        seed=seed(texts),
        country=country,
        helped=helped,
        language=state["reading"]["language"],
    )
    draft = Draft(
        sentences=composed["sentences"],
        card=composed["card"],
        replaced=[],
        responder="crisis",
        offered="",
    )
    return {"draft": draft, "care": composed["care"], "plan": composed["plan"]}


def guard(state: State, services: Services) -> State:
    """Judge the whole once more and say it; the only step that writes the assistant's message."""
    draft = state["draft"]
    judged = guarding.fold(draft["sentences"], _bounds(state, services))
    if not judged.sentences:
        raise ResponderError("nothing of the draft may be said")
    return {"messages": [AIMessage(" ".join(judged.sentences))]}


def looks_up(decided: Plan) -> bool:
    """Whether this turn searches at all: an idea has a place in it, and no danger is about."""
    return not decided["careful"] and decided["move"] in RECALLED


def said_by(state: State, kind: Literal["human", "ai"]) -> list[str]:
    """The texts of one side, oldest first. System and tool messages are nobody's words here."""
    return [_text(message) for message in state.get("messages") or [] if message.type == kind]


def unfolded(state: State) -> list[str]:
    """The person's messages that the risk has not seen: this turn's, or all when it starts anew."""
    texts = said_by(state, "human")
    seen = (state.get("risk") or assessing.no_risk())["seen"]
    return texts[seen:] if seen < len(texts) else texts[-1:]


def said(state: State) -> list[str]:
    """Every sentence the assistant already used in this conversation."""
    return [sentence for text in said_by(state, "ai") for sentence in guarding.split(text)]


def seed(texts: Sequence[str]) -> int:
    """Stable for a conversation: the same first message is answered in the same words."""
    return zlib.crc32(texts[0].encode("utf-8", "replace")) if texts else 0


def _feelings(heard: Heard) -> Heard:
    return Heard(
        emotions=[Score(label=str(s["label"]), p=float(s["p"])) for s in heard["emotions"]],
        intents=[Score(label=str(s["label"]), p=float(s["p"])) for s in heard["intents"]],
        sure=bool(heard["sure"]),
    )


def _text(message: BaseMessage) -> str:
    content = message.content
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else str(part.get("text", "")) for part in content)
    return " ".join(parts)


def _history(state: State) -> list[tuple[Literal["user", "assistant"], str]]:
    roles: dict[str, Literal["user", "assistant"]] = {"human": "user", "ai": "assistant"}
    return [(roles[m.type], _text(m)) for m in state.get("messages") or [] if m.type in roles]


def _plan(state: State) -> Plan:
    texts = said_by(state, "human")
    risk = state["risk"]
    return make_plan(
        text=texts[-1] if texts else "",
        reading=state["reading"],
        level=risk["level"],
        kinds=risk["kinds"],
        escalate=risk["escalate"],
        person=state.get("person") or {},
        history=_history(state),
        before=state.get("plan"),
    )


def _brief(state: State, passages: list[Passage]) -> Brief:
    texts = said_by(state, "human")
    return Brief(
        text=texts[-1] if texts else "",
        history=_history(state),
        reading=state["reading"],
        level=state["risk"]["level"],
        plan=state["plan"],
        passages=passages,
        person=state.get("person") or {},
        said=said(state),
        seed=seed(texts),
    )


def _bounds(state: State, services: Services) -> guarding.Bounds:
    texts = said_by(state, "human")
    person = state.get("person") or {}
    in_crisis = bool(state["risk"]["escalate"])
    budget = 150 if in_crisis else int(state["plan"]["words"] * SLACK)
    return guarding.Bounds(
        allowed=services.allowed(person.get("country") or services.country),
        said=tuple(said(state)),
        heard=" ".join(texts[-3:]),
        words=budget,
        crisis=in_crisis,
    )


def _repair(brief: Brief) -> Callable[[int, str], str | None]:
    def repair(position: int, rule: str) -> str | None:
        del rule
        return guided.sentence_for(brief, position)

    return repair
