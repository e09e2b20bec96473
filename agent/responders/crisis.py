"""The crisis reply: sentences authored in `words/crisis.yaml`, assembled around the helplines given.

A frame says what the reply must hold at this level; each element is the first authored sentence that
fits the person, the danger and what they just said, and was not said before; the whole stays under a
word cap. No model, no retrieval, no network, no clock. It knows nothing of where the contacts come
from nor how the risk was found, and it never judges the risk itself.

What a question's answer would mean is left in `care["pending"]`, so that a later "yes" is understood.
"""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Literal, TypedDict

from agent.brief import Plan
from agent.errors import WordsError
from agent.reading.ladder import KINDS, Level, Risk, at_least, worst
from agent.reading.opinion import FAINT, WONDER
from agent.reading.spanish import plain
from agent.reading.tonguecare import cared
from agent.reading.tonguecare import heard as tongue_heard
from agent.reading.tonguewords import bare
from agent.responders.crisis_care import (
    CHECK_TURNS,
    CLOSING,
    PARTING,
    STAY_TURNS,
    Care,
    Question,
    after,
    asks_in,
    card_due,
    counted,
    holds,
    may_name,
    named_question,
    next_question,
    number_said,
    offers_plan,
    unanswered,
)
from agent.responders.crisis_tongues import load_tongue_words
from agent.responders.crisis_words import (
    Phase,
    Scene,
    Words,
    echo,
    fits,
    heard,
    load_words,
    marks_of,
    oldest,
    options,
    same,
    slots_of,
    universal,
)
from agent.words import tongue

__all__ = ["Care", "Composed", "answers_itself", "compose", "holds", "misheard", "pending_of", "wonder"]

log = logging.getLogger("hearken")

# What was heard that belongs to the danger remembered, and has words here.
NEAR_DANGER = frozenset(
    {
        *("crazy", "how_cope", "what_now", "what_to_say", "wants_line", "wants_text", "might", "will"),
        *("secret", "ally", "will_tell", "should_go", "fears_cross"),
        *("asking_plants", "betray", "has_way", "at_door", "in_room", "asked_them_done", "not_tonight"),
        *("their_family", "stay_night", "helper_tired", "near_by", "means_near", "has_key", "locked_in"),
        *("could_give", "safe_hands", "took_it", "drinking", "pictures", "never_would", "knives_away"),
        *("take_baby", "quiets", "not_adult", "minimise", "neck", "on_bill", "delete", "window", "go_to"),
        *("near", "watched", "worse", "no_police", "calling", "lets_pass", "day_chosen", "ok", "in_spanish"),
    }
)
CAP, CAP_IMMINENT, CAP_HELPED = 120, 80, 70
# What may be left out is left out above these.
AIM, AIM_IMMINENT = 96, 70
# A later reply is shorter than the first.
CAP_AGAIN, AIM_AGAIN = 80, 78


def pending_of(sentences: Sequence[str], language: str = "en", *, soft: bool = True) -> dict[str, Level]:
    """What an answer would mean to the authored question among our own last sentences, if there is one.

    For callers without a checkpoint, whose history is all that tells what was asked. language: of the
    answer. soft: those asked in doubt count too.
    """
    said = {same(sentence) for sentence in sentences}
    wonders = load_words().wonders if soft else ()
    simply = _simply(language)
    for ask in (*load_words().asks, *wonders, *load_words("es").asks, *(simply.asks if simply else ())):
        if any(same(line) in said for line in ask.say):
            return {str(answer): level for answer, level in ask.pending.items()}
    return {}


def wonder(risk: Risk, said: Sequence[str]) -> str:
    """The one soft question for a message of which the reading model was not sure; "" where none is due.

    Once a conversation, and only where nothing called for care: an answer that does is understood by
    `pending_of`, and the turn after it is ours.
    """
    cue = next((cue for cue in risk["cues"] if WONDER in cue["marks"] and FAINT not in cue["marks"]), None)
    asked, wonders = {same(sentence) for sentence in said}, load_words().wonders
    known = any(same(line) in asked for ask in wonders for line in ask.say)
    if cue is None or risk["level"] != "low" or known:
        return ""
    apt = (ask for ask in wonders if cue["subject"] in ask.subjects and cue["kind"] in (ask.kinds or KINDS))
    ask = next(apt, None)
    return ask.say[len(said) % len(ask.say)] if ask else ""


def misheard(risk: Risk, said: Sequence[str]) -> str:
    """What an ordinary reply says first where a danger that was only guessed was put right; else ""."""
    right = "misheard" in risk["marks"] and not {"misheard", "explained", "no"}.isdisjoint(risk["answers"])
    fresh = [line for line in load_words().misheard if line not in said]
    return fresh[len(said) % len(fresh)] if right and fresh and not risk["escalate"] else ""


def answers_itself(text: str) -> bool:
    """Whether what a message asks of us is answered here, so that no other word on it is owed."""
    return "calling" in heard(load_words(), text)


class Composed(TypedDict):
    """The reply. elements: what each sentence is for, "a+b" where it does both, "help" for a guided one."""

    sentences: list[str]
    elements: list[str]
    card: list[dict[str, str]]
    care: Care
    intent: str
    plan: Plan


def compose(  # noqa: PLR0913 - the whole of what a crisis reply may depend on, each by name
    *,
    text: str,
    risk: Risk,
    care: Care,
    contacts: Sequence[Mapping[str, str]],
    said: Sequence[str],
    turn: int,
    seed: int,
    country: str | None,
    elsewhere: bool = False,
    helped: Sequence[str] = (),
    language: str = "en",
    plan: Literal["", "begun", "done"] = "",
) -> Composed:
    """The crisis reply to one message, whole.

    contacts: already selected and ordered. said: the assistant's sentences so far, oldest first.
    turn: number of this message. elsewhere: country and contacts are of where the one they worry about is.
    helped: the guided responder's sentences, for a turn that only memory escalates. language: ISO 639-1 of
    the message; one with words in crisis.yaml gets the short universal reply. plan: how far their safety plan
    is. Raises WordsError when crisis.yaml is damaged.
    """
    simply = _simply(language)
    words = simply or load_words(tongue(language))
    told = tongue_heard(text, language) if simply else set[str]()
    text = bare(text) if simply else plain(text) if tongue(language) == "es" else text
    scene = _scene(words, told or heard(words, text), risk, care, contacts, said, turn, seed)
    if elsewhere:
        scene = _marked(scene, "elsewhere")
    elif not country:
        scene = _marked(scene, "no_country")
    elif country != care.get("country", country):
        scene = _marked(scene, "new_place")
    scene = _marked(scene, *offers_plan(care, plan, turn))
    card = card_due(words, scene, risk, care, contacts, text, turn)
    question = Question()
    if scene.phase == "memory":
        lines, question = _remembered(words, scene, care, turn, helped)
    elif (short := language.partition("_")[0]) in words.languages:
        lines = [("step", line) for line in universal(words.languages[short], scene, contacts)]
    else:
        if "ask" in _frame(words, scene):
            question = next_question(words, scene, risk, care)
        scene = _marked(scene, "asking") if question.id else scene
        lines = _assemble(words, scene, text, question.line)
    question = question if question.line in dict(lines).values() else Question()
    asks = bool(question.id) or any(asks_in(line) for _, line in lines)
    return Composed(
        sentences=[line for _, line in lines],
        elements=[name for name, _ in lines],
        card=card,
        care={**after(care, scene, card, lines, turn, question), "country": country or ""},
        intent=_intent(scene, asks=asks),
        plan=_plan(words, lines, scene, asks=asks),
    )


def _simply(language: str) -> Words | None:
    """The words of a language that is spoken simply; None where it has none, or they are broken."""
    if not cared(language):
        return None
    try:
        return load_tongue_words(language)
    except WordsError as error:
        log.error("%s; the few lines of crisis.yaml stand in for it.", error)
        return None


def _marked(scene: Scene, *marks: str) -> Scene:
    return replace(scene, marks=scene.marks | set(marks))


def _scene(  # noqa: PLR0913, PLR0917
    words: Words,
    told: set[str],
    risk: Risk,
    care: Care,
    contacts: Sequence[Mapping[str, str]],
    said: Sequence[str],
    turn: int,
    seed: int,
) -> Scene:
    level = risk["level"] if at_least(risk["level"], "moderate") else "moderate"
    if level == "imminent" and risk["quiet"] > STAY_TURNS and not risk["fresh"]:
        level = "high"  # the words ease, so as not to press the same step for ever; the level does not
    kinds = tuple(risk["kinds"]) or ("distress",)
    shown = care.get("shown_level", "none")
    phase: Phase = "first" if worst([level, shown]) != shown else "again"
    if not holds(risk, care):
        phase = "memory"
    marks = set(risk["marks"]) | told | marks_of(contacts)
    marks -= {"coming", "will"} if "calling" in marks else set()  # "is help coming?" tells of none
    marks |= {"neck_before"} if {"neck", "days_ago"} <= marks else set()
    subject = risk["subject"]
    if subject == "child" and kinds[0] in {"harm_to_others", "perinatal"}:
        subject = "self"  # the person speaking is the one who may act
        marks.add("child")
    if subject == "self" and ("minor" in kinds or "minor" in marks):
        marks.add("young")
    marks |= {"cannot_speak", "no_phone"}.intersection((*risk["answers"], *care.get("barriers", [])))
    worse = [cue["level"] for cue in risk["cues"] if cue["escalate"]]
    marks |= {"held"} if not risk["fresh"] or (worse and worst(worse) != risk["level"]) else set()
    if risk["fresh"]:
        marks |= {"fresh"} | ({"refused"} if care.get("refused") else set())
    marks |= {"risen"} if phase == "first" and shown != "none" else set()
    answers = counted(risk, care, marks, first=phase == "first")
    marks -= {"means_near"} if answers & {"safer", "no", "denial", "explained"} else set()
    waits = unanswered(risk, care, turn, answers, marks)
    marks |= {"unanswered"} if waits else set()
    marks |= {"name_line"} if may_name(risk, care, turn) else set()
    marks |= {"number_said"} if number_said(risk, care, turn, answers) else set()
    return Scene(
        phase=phase,
        level=level,
        kinds=kinds,
        subject=subject,
        marks=frozenset(marks),
        answers=answers,
        asked=care.get("asked", ""),
        unanswered=waits,
        slots=slots_of(words, contacts, care.get("shown", [])),
        said={same(sentence): place for place, sentence in enumerate(said)},
        seed=seed,
    )


def _frame(words: Words, scene: Scene) -> list[str]:
    return next(frame.say for frame in words.frames if fits(frame, scene)).split()


def _assemble(words: Words, scene: Scene, text: str, question: str) -> list[tuple[str, str]]:
    """(element, sentence) pairs in the frame's order, within the cap for the level."""
    slots = _frame(words, scene)
    echoes = [*echo(words, text, scene.said)][:1] if scene.subject == "self" else []
    if echoes and "echo?" in slots:
        scene = _marked(scene, "echoed")
    chosen: dict[str, list[str]] = {}
    for name in (slot.rstrip("?") for slot in slots):
        if name == "ack" and scene.answers:
            name = "answer"  # noqa: PLW2901 - what they just answered is taken up first
        if name == "ask":
            chosen[name] = [question] if question else []
        elif name == "echo":
            chosen[name] = echoes
        elif name == "answer" and echoes and not _met(words, scene):
            chosen["echo"] = echoes  # what they said weighs on them, rather than a general word
        elif (name == "step" and _listens(scene, chosen)) or (name == "stay" and chosen.get("still")):
            continue
        else:
            chosen[name] = [*options(words, name, scene)]
    if not any(chosen.values()):
        chosen["answer"] = [oldest(words, "answer", scene)]
    return _fit(chosen, [slot.rstrip("?") for slot in slots if slot.endswith("?")], scene)


def _listens(scene: Scene, chosen: Mapping[str, list[str]]) -> bool:
    """Whether to leave advice for another turn: they told what hurts, with no new danger in it."""
    return (
        "echo" in chosen
        and "answer" not in chosen
        and "fresh" not in scene.marks
        and scene.level != "imminent"
    )


def _met(words: Words, scene: Scene) -> bool:
    """Whether they answered, or did something that has its own words."""
    return bool(scene.answers) or not scene.marks.isdisjoint({*words.heard, "silent", "new_place"})


def _fit(chosen: dict[str, list[str]], optional: list[str], scene: Scene) -> list[tuple[str, str]]:
    """Take the first option of each; when long, leave out what may be, and over the cap take shorter ones."""
    aim, cap = (AIM, CAP) if scene.phase == "first" else (AIM_AGAIN, CAP_AGAIN)
    if scene.level == "imminent":
        aim, cap = AIM_IMMINENT, CAP_IMMINENT
    picked = {name: lines[0] for name, lines in chosen.items() if lines and lines[0]}

    def length() -> int:
        return sum(len(sentence.split()) for sentence in picked.values())

    for name in reversed(optional):
        if length() > aim:
            picked.pop(name, None)
    for name in sorted(picked, key=lambda each: len(picked[each].split()), reverse=True):
        if length() > cap:
            picked[name] = min(chosen[name], key=lambda option: len(option.split()))
    return list(picked.items())


def _remembered(
    words: Words, scene: Scene, care: Care, turn: int, helped: Sequence[str]
) -> tuple[list[tuple[str, str]], Question]:
    """Help with what they bring first; then, now and then and where it fits, one soft check-in."""
    lines = [("help", sentence) for sentence in _trim(helped)]
    # The guided responder has no words as near to it as these.
    near = [(name, next(options(words, name, scene, NEAR_DANGER), "")) for name in ("answer", "step")]
    near = [each for each in near if each[1]]
    if [name for name, _ in near] in (["answer"], ["step"]):
        near.append(("listen", next(options(words, "listen", scene), "")))
    lines = near or lines
    question, open_door, offer = Question(), "", ""
    due = turn - care.get("check_in_turn", -CHECK_TURNS) >= CHECK_TURNS and not scene.unanswered
    if near:
        pass  # what they brought is near enough to it
    elif due and scene.marks.isdisjoint(PARTING):
        if care.get("refused"):
            open_door = next(options(words, "open", scene), "")
        else:
            question = named_question(words, scene, "check_in")
    elif scene.marks.isdisjoint(PARTING) and not scene.unanswered:
        offer = next(options(words, "offer", scene), "")
    if question.id and any(asks_in(line) for _, line in lines):
        if turn - care.get("check_in_turn", care.get("shown_turn", turn)) > 2 * STAY_TURNS:
            lines = [each for each in lines if not asks_in(each[1])]  # too long since anyone asked
        else:
            question = Question()
    lines = lines or [("listen", next(options(words, "listen", scene), ""))]
    more = [("ask", question.line), ("open", open_door), ("offer", offer)]
    lines = [each for each in [*lines, *more] if each[1]]
    return lines or [("listen", oldest(words, "listen", scene))], question


def _trim(helped: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for sentence in helped:
        if sum(len(each.split()) for each in (*kept, sentence)) > CAP_HELPED:
            break
        kept.append(sentence)
    return kept


def _intent(scene: Scene, *, asks: bool) -> str:
    soft = scene.phase == "memory" or scene.answers & CLOSING
    return "questioning" if asks else "consoling" if soft else "suggesting"


def _plan(words: Words, lines: Sequence[tuple[str, str]], scene: Scene, *, asks: bool) -> Plan:
    return Plan(
        move="crisis",
        steps=[step for name, _ in lines for step in words.step(name)],
        intent=_intent(scene, asks=asks),
        stage="act" if scene.level == "imminent" else "explore" if asks else "comfort",
        topic="general",
        feeling="",
        ask=asks,
        offer="",
        words=CAP_IMMINENT if scene.level == "imminent" else CAP,
        careful=True,
    )
