"""What happens in each step of a turn: (state, services) -> the keys that step owns.

Plain functions; this module imports no LangGraph. What each may write is in `state.WRITERS`, what
happens when one raises is in `fallbacks`. A node never logs or raises what a person wrote.
"""

import logging
import time
import uuid
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain, islice, takewhile
from typing import Literal

from langchain_core.messages import AIMessage, BaseMessage

from agent import guard as guarding
from agent.brief import Brief, Draft, Evidence, Passage, Person, Plan, Reading, Replaced, Respond, Score
from agent.choosing import checked, moment_of, weighed
from agent.errors import ResponderError
from agent.exercises import for_rules
from agent.plan import make_plan
from agent.reading import assess as assessing
from agent.reading import spanish
from agent.reading.heads import Heard
from agent.reading.ladder import LEVELS, Answer, Cue, Level, at_least
from agent.reading.opinion import BRIEF, WONDER, opinion, second
from agent.reading.speaking import spoken
from agent.reading.tonguecare import answers as tongue_answers
from agent.reading.tonguecare import cared, sample
from agent.reading.tonguecare import country as tongue_country
from agent.reading.wants import wants, wishes
from agent.responders import crisis as crises
from agent.responders import guided
from agent.responders import handoff as handing
from agent.safety_plan import standing
from agent.supporter import Chances
from agent.themes import theme_of
from agent.words import tongue
from graph.deadline import PartFailed, pump, within
from graph.places import told_country
from graph.retelling import Again, retell
from graph.services import Services
from graph.state import State

__all__ = ["assess", "crisis", "guard", "looks_up", "perceive", "plan", "recall", "respond"]

log = logging.getLogger("hearken")

Emit = Callable[[dict[str, str]], object]
# A message of so few words says little about its language; the one before it is heard with it.
SHORT = 3
# Questions about ourselves that are owed a true answer on any turn.
OWED = frozenset({"identity", "privacy", "capability"})
# Sentences that may not return; words are finite, and a very long conversation must not run dry.
REMEMBERED = 100
# Where nothing else is left to say, only these may not return.
LATELY = 20
# A reply of this many sentences is cut, whatever a responder goes on to yield.
MOST_SENTENCES = 40
# The moves in which an idea from similar answers may have a place.
RECALLED = frozenset({"support", "advice", "information", "complaint", "decline", "library"})
# Earlier messages that the reading model hears too when the risk is rebuilt, the newest ones.
MOST_READ = 20
# What the reading model was taught, and what may well be that.
READ_LANGUAGES = frozenset({"en", "und"})
# Wants the reading model may add where the rules heard none, by what the plan calls them.
MEANT = {
    want: [want]
    for want in (
        "advice",
        "information",
        "greeting",
        "thanks",
        "goodbye",
        "complaint",
        "identity",
        "off_topic",
    )
}
# Messages read together for danger, and the characters of them: what one pass of the reading model takes in.
STORY, STORY_READ = 3, 500
# How far over the plan's budget a reply may run before the guard cuts it.
SLACK = 1.4


def perceive(state: State, services: Services) -> State:
    """Hear the message: danger first and on the whole text, then feelings, language and wishes."""
    texts = said_by(state, "human")
    cues = [services.scan(unseen) for unseen in unfolded(state)]
    reading = Reading(
        emotions=[],
        intents=[],
        sure=False,
        wants=["vent"],
        language="und",
        cues=cues,
        degraded=False,
        heads={},
        evidence=[],
    )
    person = state.get("person") or Person()
    # What the rules heard of danger stands, whatever breaks from here on.
    try:
        language, wanted, person = within(
            services.step_seconds, lambda: _asked_for(state, texts, person, services, cues[-1])
        )
        reading = {**reading, "language": language, "wants": wanted}
        read = within(
            services.part_seconds,
            lambda: _read(unfolded(state)[-MOST_READ:], language, services),
        )
        exercised = bool(texts) and for_rules(state.get("practice"), len(texts), texts[-1], language)
        alone = not (exercised or at_least(_floor(state), "moderate"))
        reading = _joined(reading, read, unfolded(state)[-MOST_READ:], alone=alone)
        if (
            alone
            and language in READ_LANGUAGES
            and not any(cue["escalate"] for cue in reading["cues"][-1])
            and (story := _story(state, texts))
        ):
            told = within(services.part_seconds, lambda: _heard(services.read(story)))
            reading = _with_story(reading, told, services.scan(story))
        if alone:
            reading = _with_second(reading, texts, services)
        if services.restricted:  # danger is still heard, feelings and facets are not
            reading = {**reading, "emotions": [], "sure": False, "heads": {}, "evidence": []}
    except PartFailed as error:
        log.warning("reading without a part: %s", error)
        reading["degraded"] = True
    return {"reading": reading, "person": person}


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
    decided = _plan(state, restricted=services.restricted, foresee=lambda: _foreseen(state, services))
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


def respond(state: State, services: Services, emit: Emit) -> State:
    """Word the reply, sentence by sentence; each one passes the guard before anyone sees it."""
    brief = _brief(state, state.get("passages") or [])
    doubt = _doubt(state)
    bounds = _bounds(state, services)
    bounds = replace(bounds, words=bounds.words + len(doubt.split()))
    kept: list[str] = []
    replaced: list[Replaced] = []

    repairs: list[str] = []
    opened = _opening(state)

    def shown(respond: Respond, brief: Brief, bounds: guarding.Bounds) -> None:
        first = () if kept else opened
        repair = _repair(brief, repairs)
        sentences = pump(
            services.reply_seconds, lambda: _true(chain(first, _asking(respond(brief), doubt)), services)
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
        worded = partial(guided.respond, fit=_fitting(state, services))
        try:
            shown(worded, brief, bounds)
            if len(kept) <= len(opened):
                shown(worded, _lately(brief), replace(bounds, said=bounds.said[-LATELY:]))
        except PartFailed:
            if len(kept) <= len(opened):  # what was already shown stands as the reply
                raise
    offered = guided.offered(brief) if name == "guided" else ""
    return {"draft": Draft(sentences=kept, card=[], replaced=replaced, responder=name, offered=offered)}


def crisis(state: State, services: Services) -> State:
    """Answer danger with authored sentences and the country's helplines; no model, no retrieval."""
    risk, care = state["risk"], state.get("care") or {}
    texts = said_by(state, "human")
    country = whose(state, services)
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
        plan=standing(state.get("safety_plan")),
    )
    draft = Draft(
        sentences=[
            *_opening(state),
            *_true([*(() if helped else _truth(state)), *composed["sentences"]], services),
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
    bounds = _bounds(state, services)
    judged = guarding.fold(draft["sentences"], bounds)
    if not judged.sentences:
        judged = guarding.fold(draft["sentences"], replace(bounds, said=bounds.said[-LATELY:]))
    if not judged.sentences:
        raise ResponderError("nothing of the draft may be said")
    return {"messages": [AIMessage(" ".join(judged.sentences), id=uuid.uuid4().hex)]}


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


def _truth(state: State) -> list[str]:
    """What we are, when this very message asks: danger is no reason to leave that unanswered."""
    if state["risk"]["fresh"] or not OWED.intersection(state["reading"]["wants"]):
        return []
    if crises.answers_itself(said_by(state, "human")[-1]):
        return []
    spoken = guided.respond(_brief({**state, "plan": _plan(state)}, []))
    return list(islice((sentence for sentence in spoken if "?" not in sentence), 1))


def _opening(state: State) -> list[str]:
    """What a person who had taken over left to say: that they gave it back, or did not answer."""
    return handing.opening(state.get("operator") or "", said(state))


def _true(sentences: Iterable[str], services: Services) -> Iterator[str]:
    """The sentences, without those that do not hold where people read along or words leave the machine."""
    if not (services.operator or services.away):
        return iter(sentences)
    return map(partial(handing.truthful, away=not services.operator), sentences)


def looks_up(decided: Plan) -> bool:
    """Whether this turn searches at all: an idea has a place in it, and no danger is about."""
    return not decided["careful"] and decided["move"] in RECALLED


def said_by(state: State, kind: Literal["human", "ai"]) -> list[str]:
    """The texts of one side, oldest first. System and tool messages are nobody's words here."""
    return [_text(message) for message in state.get("messages") or [] if message.type == kind]


def unfolded(state: State) -> list[str]:
    """The person's messages that the risk has not seen: this turn's, or all when it starts anew.

    Whatever was written since our last reply is among them, even where a host has shortened the history.
    """
    texts = said_by(state, "human")
    seen = (state.get("risk") or assessing.no_risk())["seen"]
    since = takewhile(lambda message: message.type != "ai", reversed(state.get("messages") or []))
    fresh = sum(message.type == "human" for message in since)
    return texts[-max(len(texts) - seen, fresh, 1) :]


def said(state: State) -> list[str]:
    """The sentences the assistant used lately, so many that none returns within some thirty turns.

    Those of a reply that the person wanted worded otherwise are among them.
    """
    replies = [*said_by(state, "ai"), *(state.get("turned_down") or [])]
    sentences = [sentence for text in replies for sentence in guarding.split(text)]
    return sentences[-REMEMBERED:]


def seed(texts: Sequence[str]) -> int:
    """Stable for a conversation: the same first message is answered in the same words."""
    return zlib.crc32(texts[0].encode("utf-8", "replace")) if texts else 0


def _asked_for(
    state: State, texts: Sequence[str], person: Person, services: Services, cues: Sequence[Cue]
) -> tuple[str, list[str], Person]:
    """The language, what is wanted of this turn, and what is to be kept in mind."""
    text = texts[-1] if texts else ""
    before = person.get("language", services.language)
    short = len(text.split()) <= SHORT and before != "es"
    language, kept = spoken(text, cues, before, texts[-2] if short and len(texts) > 1 else "")
    known = whose(state, services)
    for unseen in unfolded(state):
        person = wishes(unseen, person)
        told = told_country(unseen) or (tongue_country(unseen, language) if cared(language) else "")
        if known is None and told:
            person = {**person, "country": told}
        person = wishes(unseen, person, "es") if language == "es" else person
    # A line in a third language changes nothing of the one that is spoken here.
    if language != before and (kept or "es" in {language, before} <= {"en", "es", ""}):
        person = {**person, "language": language}
    return language, wants(text, language), person


def _read(texts: Sequence[str], language: str, services: Services) -> list[Heard]:
    """What is heard in each message; the model was taught English, so a Spanish one is left to cue words."""
    if cared(language):
        return []  # nothing that it was taught helps here
    if language != "es":
        return [_heard(services.read(one)) for one in texts]
    return [*(_heard(services.read(one)) for one in texts[:-1]), spanish.read(texts[-1])]


def _heard(heard: Heard) -> Heard:
    """What a reader gave, as plain data; a host's own may leave out what it does not know."""
    danger = heard.get("danger", "none")
    return Heard(
        emotions=_scores(heard["emotions"]),
        intents=_scores(heard["intents"]),
        sure=bool(heard["sure"]),
        want=str(heard.get("want", "")),
        danger=danger if danger in LEVELS else "none",
        heads={str(name): _scores(scores) for name, scores in heard.get("heads", {}).items()},
        evidence=[
            Evidence(start=int(e["start"]), end=int(e["end"]), weight=float(e["weight"]))
            for e in heard.get("evidence", [])
        ],
    )


def _scores(scores: Iterable[Score]) -> list[Score]:
    found = [Score(label=str(s["label"]), p=float(s["p"])) for s in scores]
    if not all(0 <= score["p"] <= 1 for score in found):  # NaN too is no probability
        raise ValueError("a probability out of bounds")
    return found


def _floor(state: State) -> Level:
    risk = state.get("risk")
    return risk["floor"] if risk else "none"


def _joined(reading: Reading, read: Sequence[Heard], texts: Sequence[str], *, alone: bool) -> Reading:
    """The reading with what the model heard: of this message everything, of those before it danger.

    It was taught on messages that stand alone: an answer given under care, or a word to an exercise, is
    left to the rules.
    """
    if not read:
        return reading
    last = read[-1]
    unread = len(reading["cues"]) - len(read)
    heeded = reading["language"] in READ_LANGUAGES and alone
    opinions: list[list[Cue]] = [[] for _ in range(unread)] + [
        opinion(heard, cues, brief=len(text.split()) < BRIEF) if heeded else []
        for heard, cues, text in zip(read, reading["cues"][unread:], texts, strict=True)
    ]
    return {
        **reading,
        "emotions": last["emotions"],
        "intents": last["intents"],
        "sure": last["sure"],
        "wants": reading["wants"] or MEANT.get(last["want"], []),
        "cues": [
            [*cues, *more] if more else cues for cues, more in zip(reading["cues"], opinions, strict=True)
        ],
        "heads": last["heads"],
        "evidence": last["evidence"],
    }


def _story(state: State, texts: Sequence[str]) -> str:
    """The person's last messages as one text, "" where there is only this one or too much to read at once.

    What was met with care before, and cleared up since, is no part of it.
    """
    count = min(STORY, (state.get("risk") or assessing.no_risk())["quiet"] + 1)
    story = "\n".join(texts[-count:]) if len(texts) > 1 and count > 1 else ""
    return story if len(story) <= STORY_READ else ""


def _with_story(reading: Reading, told: Heard, cues: Sequence[Cue]) -> Reading:
    """What each message leaves open the last few together may tell: a loss, who is better off, a gun.

    cues: what the rules hear in all of it; what they alone make nothing of may set the model right.
    """
    *before, last = reading["cues"]
    silent = [cue for cue in cues if cue["level"] == "none"]
    more = opinion(told, [*last, *silent], story=True) if reading["language"] in READ_LANGUAGES else []
    return {**reading, "cues": [*before, [*last, *more]]}


def _with_second(reading: Reading, texts: Sequence[str], services: Services) -> Reading:
    """What a language model makes of the message, where one is asked and nothing called for care yet."""
    *before, last = reading["cues"]
    fears = services.fears
    if fears is None or not texts or any(cue["escalate"] for cue in last):
        return reading
    try:
        level = within(services.reply_seconds / 2, lambda: fears(texts[-1]))
    except PartFailed as error:  # rules and reading model have spoken; this was one more
        log.warning("reading without a second opinion: %s", error)
        return reading
    more = second(level, last) if level in LEVELS else []
    return {**reading, "cues": [*before, [*last, *more]]} if more else reading


def _text(message: BaseMessage) -> str:
    content = message.content
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else str(part.get("text", "")) for part in content)
    return " ".join(parts)


def history(state: State) -> list[tuple[Literal["user", "assistant"], str]]:
    roles: dict[str, Literal["user", "assistant"]] = {"human": "user", "ai": "assistant"}
    return [(roles[m.type], _text(m)) for m in state.get("messages") or [] if m.type in roles]


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


def _plan(
    state: State, *, restricted: bool = False, foresee: Callable[[], Chances | None] | None = None
) -> Plan:
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


def _brief(state: State, passages: list[Passage]) -> Brief:
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


def _lately(brief: Brief) -> Brief:
    """The brief of somebody who remembers the last few replies only."""
    return {**brief, "said": brief["said"][-LATELY:], "history": brief["history"][-LATELY // 2 :]}


def _bounds(state: State, services: Services) -> guarding.Bounds:
    texts = said_by(state, "human")
    in_crisis = bool(state["risk"]["escalate"])
    budget = 150 if in_crisis else int(state["plan"]["words"] * SLACK)
    budget += sum(len(sentence.split()) for sentence in _opening(state))
    language = state["reading"]["language"]
    return guarding.Bounds(
        allowed=services.allowed(whose(state, services)),
        said=tuple(said(state)),
        heard=" ".join(texts[-3:]),
        words=budget,
        crisis=in_crisis,
        language=language if cared(language) else tongue(language),
        letters=sample(language),
    )


def _again(brief: Brief, services: Services) -> Again | None:
    """The model asked for the rest of a reply, within what is left of its time; None where it cannot be."""
    end, ask = time.monotonic() + services.reply_seconds, services.again
    if ask is None:
        return None

    def again(kept: Sequence[str], why: str) -> Iterator[str]:
        left = max(end - time.monotonic(), 0.0)
        rest: Brief = {**brief, "seconds": left}
        return pump(left, lambda: _true(_sentences(ask(rest, kept, why)), services))

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


def _pending(state: State) -> Mapping[str, Level]:
    """What an answer would mean: as the crisis branch noted, or as its question in the history tells."""
    care = state.get("care")
    last = next((m for m in reversed(state.get("messages") or []) if m.type == "ai"), None)
    if last is not None and last.name == handing.OPERATOR:
        return {}  # what is answered now is what the operator asked, which nobody noted
    spoke = (state.get("safety_plan") or {}).get("turn", 0), (state.get("practice") or {}).get("turn", 0)
    if max(spoke) > (care or {}).get("turn", 0):
        return {}  # the plan or an exercise spoke since, and asks nothing that a yes or no could answer
    if care is not None:
        return care.get("pending", {})
    replies = said_by(state, "ai")
    return crises.pending_of(guarding.split(replies[-1]), state["reading"]["language"]) if replies else {}


def whose(state: State, services: Services) -> str | None:
    """The country whose helplines count: two letters, or None when not known."""
    person: object = state.get("person")
    named = person.get("country") if isinstance(person, dict) else None
    code = str(named or services.country or "").strip().upper()
    return {"UK": "GB"}.get(code, code) or None
