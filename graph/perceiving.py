"""The first step of a turn: what is heard in a message, by rules, by the reading model, and by both together.

Danger comes first and on the whole text; what the rules heard stands, whatever breaks afterwards. Weighing it
is `agent.reading.assess`'s, and no word of a reply is known here.
"""

import logging
from collections.abc import Iterable, Sequence

from agent.brief import Evidence, Person, Reading, Score, unread
from agent.exercises import for_rules
from agent.reading import assess as assessing
from agent.reading import spanish
from agent.reading.heads import Heard
from agent.reading.ladder import LEVELS, Cue, Level, at_least
from agent.reading.opinion import BRIEF, opinion, second
from agent.reading.reply_language import asked_for, spoken
from agent.reading.tonguecare import cared
from agent.reading.tonguecare import country as tongue_country
from agent.reading.wants import wants, wishes
from graph.conversation import said_by, unfolded, whose
from graph.deadline import PartFailed, within
from graph.places import told_country
from graph.services import Services
from graph.state import State

__all__ = ["READ_LANGUAGES", "perceive"]

log = logging.getLogger("hearken")

# A message of so few words says little about its language; the one before it is heard with it.
SHORT = 3
# What the reading model was taught, and what may well be that.
READ_LANGUAGES = frozenset({"en", "und"})
# Earlier messages that the reading model hears too when the risk is rebuilt, the newest ones.
MOST_READ = 20
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
# Messages that the rules with this mark may join, and the characters of them.
TOGETHER, PIECES, PIECES_READ = "together", 6, 1000


def perceive(state: State, services: Services) -> State:
    """Hear the message: danger first and on the whole text, then feelings, language and wishes."""
    texts = said_by(state, "human")
    cues = [services.scan(unseen) for unseen in unfolded(state)]
    reading = _with_pieces(unread(cues), state, texts, services)
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
        marks = (state.get("risk") or assessing.no_risk())["marks"]
        reading = _joined(reading, read, unfolded(state)[-MOST_READ:], marks, alone=alone)
        if (
            alone
            and language in READ_LANGUAGES
            and "misheard" not in marks
            and not any(cue["escalate"] for cue in reading["cues"][-1])
            and (story := _story(state, texts, STORY, STORY_READ))
        ):
            told = within(services.part_seconds, lambda: _heard(services.read(story)))
            reading = _with_story(reading, told, services.scan(story))
        if alone:
            reading = _with_second(reading, texts, services)
        if services.restricted:  # danger is still heard, feelings and facets are not
            reading = {**reading, "emotions": [], "sure": False, "heads": {}, "evidence": [], "telling": ""}
    except PartFailed as error:
        log.warning("reading without a part: %s", error)
        reading["degraded"] = True
    return {"reading": reading, "person": person}


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
    return language, ["greeting"] if asked_for(text) else wants(text, language), person


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
        telling=str(heard.get("telling", "")),
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


def _joined(
    reading: Reading, read: Sequence[Heard], texts: Sequence[str], marks: Sequence[str], *, alone: bool
) -> Reading:
    """The reading with what the model heard: of this message everything, of those before it danger.

    It was taught on messages that stand alone: an answer given under care, or a word to an exercise, is
    left to the rules. marks: of the risk so far.
    """
    if not read:
        return reading
    last = read[-1]
    unread = len(reading["cues"]) - len(read)
    heeded, wrong = reading["language"] in READ_LANGUAGES and alone, "misheard" in marks
    opinions: list[list[Cue]] = [[] for _ in range(unread)] + [
        opinion(heard, cues, brief=len(text.split()) < BRIEF, misheard=wrong) if heeded else []
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
        "telling": last.get("telling", ""),
    }


def _story(state: State, texts: Sequence[str], most: int, length: int) -> str:
    """The person's last messages as one text, "" where there is only this one or too much to read at once.

    What was met with care before, and cleared up since, is no part of it.
    """
    count = min(most, (state.get("risk") or assessing.no_risk())["quiet"] + 1)
    story = "\n".join(texts[-count:]) if len(texts) > 1 and count > 1 else ""
    return story if len(story) <= length else ""


def _with_story(reading: Reading, told: Heard, cues: Sequence[Cue]) -> Reading:
    """What each message leaves open the last few together may tell: a loss, who is better off, a gun.

    cues: what the rules hear in all of it; what they alone make nothing of may set the model right.
    """
    *before, last = reading["cues"]
    silent = [cue for cue in cues if cue["level"] == "none"]
    more = opinion(told, [*last, *silent], story=True) if reading["language"] in READ_LANGUAGES else []
    return {**reading, "cues": [*before, [*last, *more]]}


def _with_pieces(reading: Reading, state: State, texts: Sequence[str], services: Services) -> Reading:
    """What rules that join pieces hear in the last messages as one, beside what was said last."""
    *before, last = reading["cues"]
    story = _story(state, texts, PIECES, PIECES_READ)
    if not story or any(cue["escalate"] for cue in last) or at_least(_floor(state), "moderate"):
        return reading
    known = {cue["rule"] for cue in last}
    pieces = [cue for cue in services.scan(story) if TOGETHER in cue["marks"] and cue["rule"] not in known]
    return {**reading, "cues": [*before, [*last, *pieces]]} if pieces else reading


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
