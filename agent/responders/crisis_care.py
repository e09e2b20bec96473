"""What the crisis branch did so far in a conversation, and what follows from it for this turn.

Whether the turn stays on safety, which of the person's answers count, what still waits for an answer,
which question and which card are due, and what to remember. It chooses among the questions of
`words/crisis.yaml` but composes no reply, and it never judges the risk itself.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypedDict

from agent.reading.easing import GUESSED
from agent.reading.ladder import Answer, Level, Risk, at_least, worst
from agent.responders.crisis_words import Ask, Scene, Words, fill, fits, same

__all__ = [
    "CHECK_TURNS",
    "CLOSING",
    "PARTING",
    "STAY_TURNS",
    "Care",
    "Question",
    "after",
    "asks_in",
    "card_due",
    "counted",
    "holds",
    "may_name",
    "named_question",
    "next_question",
    "number_said",
    "offers_plan",
    "unanswered",
]

STAY_TURNS = 3
# The same after an imminent danger; from the fourth on in the words for a high one.
EASING_TURNS = 6
# A direct question waits this many turns for its answer, and is put in other words at most once.
OPEN_TURNS, WORDINGS = 4, 2
# Replies in which the emergency number is said before it may rest for a while.
OFTEN = 3
# Kinds in which a body is in danger: there is one step, and it is the call.
BODY = frozenset({"overdose", "medical", "substance", "medication", "eating_disorder"})
BARRIERS = ("hold_time", "police_fear", "cannot_speak", "nobody", "tried_already", "no_credit", "no_phone")
# Once a person asked not to be asked, only what a new and high danger makes necessary is asked.
URGENT_ASKS = ("with_someone", "safe", "apart", "done", "body")
DIRECT = (
    "suicide",
    "intent",
    "now",
    "means",
    "done",
    "with_someone",
    "safe",
    "safe_them",
    "apart",
    "harm",
    "hurt",
    "body",
)
REPEATABLE = ("", "try", "check_in")
# Answers after which nothing more is asked in the same breath.
CLOSING: frozenset[Answer] = frozenset({"refusal", "denial", "explained", "reached"})
# The same for what was heard: they are about to act, or to go.
PARTING = frozenset({"coming", "might", "will", "thanks", "bye"})
# Nothing is asked then either, nor where an answer could be read by the one they fear.
QUIETLY = PARTING | {
    *("near", "watched", "afraid_of_reader", "wants_line", "wants_text", "at_door", "in_room"),
    *("asked_them_done", "delete", "on_bill", "took_it", "could_give", "stay_night", "what_to_say"),
    *("minimise", "neck", "no_police", "in_spanish", "go_to"),
}
# What they have at hand or see: told beside a yes or no, it is no answer to a question about help.
TOLD = frozenset({"means_near", "has_key", "locked_in"})
# Messages between two soft check-ins, and after a no.
CHECK_TURNS = 5


class Care(TypedDict, total=False):
    """What the crisis branch did so far. Plain data, kept in the checkpoint, written only by crisis.

    turn: the last turn it spoke in. asked: id of the question still to be answered, or "" (`suicide`,
    `intent`, `means`, `done`, `with_someone`, `safe`, `apart`, `harm`, `body`, `check_in`, ... as in
    crisis.yaml). asked_turn: when it was last put. pending: what an answer to it would mean. questions:
    ids asked so far. shown, shown_turn, shown_level: names on cards, when, and the level they were
    chosen for. named_turn: when the line was last named again. urged: when the emergency number was
    named. refused: what the person asked not to be asked. check_in_turn: last soft check-in.
    offered_turn: when a safety plan was spoken of. barriers: what stands between them and help. eased:
    they have cleared the danger up as a misunderstanding since. country: where they were, "" where
    nobody had said.
    """

    turn: int
    asked: str
    asked_turn: int
    pending: dict[str, Level]
    questions: list[str]
    shown: list[str]
    shown_turn: int
    shown_level: Level
    named_turn: int
    urged: list[int]
    refused: list[str]
    check_in_turn: int
    offered_turn: int
    barriers: list[str]
    eased: bool
    country: str


class Question(NamedTuple):
    """A question to put now, or (empty) none. pending: the level that an answer would mean."""

    id: str = ""
    line: str = ""
    pending: Mapping[str, Level] = {}


def asks_in(line: str) -> bool:
    """Whether something is asked in a sentence, in whichever script."""
    return "?" in line or "؟" in line


def holds(risk: Risk, care: Care) -> bool:
    """Whether this turn must stay on safety; False when only memory escalates it.

    True for a cue in this message, an answer to (or silence on) the question just asked, help reached or a
    barrier to it, a bare denial or means put away, and the three turns after a high or imminent cue (six
    after an imminent one), unless they cleared that up as a misunderstanding.
    """
    if risk["fresh"] or set(risk["answers"]) & {*BARRIERS, "reached"}:
        return True
    if GUESSED in risk["marks"] and risk["level"] != "imminent" and not risk["answers"]:
        return False  # nobody told of it: once asked about, what they go on to tell comes first
    recent = risk["quiet"] <= (EASING_TURNS if risk["level"] == "imminent" else STAY_TURNS)
    eased = bool(care.get("eased"))
    if risk["answers"] and (care.get("asked") or (recent and not eased)):
        return True
    if eased:
        return False
    if set(risk["answers"]) & {"denial", "safer"} and at_least(risk["level"], "moderate"):
        return True
    unanswered = care.get("asked", "") not in {"", "check_in"} and risk["quiet"] <= 1
    return unanswered or (recent and at_least(risk["level"], "moderate") and at_least(risk["peak"], "high"))


def counted(risk: Risk, care: Care, marks: set[str], *, first: bool) -> frozenset[Answer]:
    """What of their answers counts: one to nothing asked is none, and what is worse beats what is vague."""
    answers = set(risk["answers"])
    if not care.get("asked"):
        answers -= {"yes", "no"} | ({"denial", "safer"} if first else set())
    if "yes" in answers and care.get("asked") in {"safe", "safe_them", "apart", "with_someone"}:
        answers -= {"denial"}
    if "declines" in marks:
        answers = (answers - {"yes", "no"}) | {"refusal"}
    if marks & {"pictures", "day_chosen"} or (marks & TOLD and care.get("asked") not in DIRECT):
        answers -= {"yes", "no"}
    if "could_give" in marks:
        answers -= {"safer"}
    if "cannot_tell" in marks:
        answers -= {"refusal"}
    if answers & (set(BARRIERS) - {"tried_already"}):
        answers -= {"reached", "refusal"}
    if "reached" in answers:
        answers -= {"tried_already"}
    return frozenset(answers)


def unanswered(risk: Risk, care: Care, turn: int, answers: frozenset[Answer], marks: set[str]) -> bool:
    """Whether the direct question last asked still waits for its answer."""
    asked = care.get("asked", "")
    if asked not in DIRECT or turn - care.get("asked_turn", turn) >= OPEN_TURNS:
        return False
    answering: set[Answer] = {"yes", "no", "denial", "explained", "refusal", "safer"}
    if asked == "with_someone":
        answering |= {"alone", "with_someone", "nobody", "reached"}
    told = asked == "means" and bool(marks & {"means", "means_near"})
    if asked in {"suicide", "intent", "now"}:
        told = any(
            cue["kind"] == "suicide" and cue["subject"] == "self" and at_least(cue["level"], "high")
            for cue in risk["cues"]
        )
    return not told and answering.isdisjoint(answers)


def may_name(risk: Risk, care: Care, turn: int) -> bool:
    """Whether the line may be named once more: not to who refused it, and not every turn."""
    refused = bool(care.get("refused")) or "refusal" in risk["answers"]
    return not refused and turn - care.get("named_turn", -STAY_TURNS) >= STAY_TURNS


def number_said(risk: Risk, care: Care, turn: int, answers: frozenset[Answer]) -> bool:
    """Whether the emergency number may rest this turn: it was named in three replies, and lately.

    Not where they told something new, ran into a barrier, or where a body is in danger.
    """
    named = care.get("urged", [])
    rests = not (risk["fresh"] or answers & {*BARRIERS, "reached"} or BODY.intersection(risk["kinds"]))
    return rests and len(named) >= OFTEN and turn - named[-1] < STAY_TURNS


def offers_plan(care: Care, plan: str, turn: int) -> set[str]:
    """What may be said of a safety plan: it was never spoken of, or one begun was not for some turns."""
    if plan == "begun":
        return {"plan_paused"} if turn - care.get("offered_turn", -STAY_TURNS) >= STAY_TURNS else set()
    return set() if plan or "offered_turn" in care else {"plan_unknown"}


def next_question(words: Words, scene: Scene, risk: Risk, care: Care) -> Question:
    """The one question due; a direct one that waits for its answer comes before any other."""
    refused = bool(care.get("refused")) or "refusal" in scene.answers
    if scene.answers & CLOSING or (scene.phase == "again" and scene.marks & QUIETLY):
        return Question()
    held = scene.phase == "again" and scene.level != "imminent"
    if held and scene.unanswered and not scene.answers & {*BARRIERS, "alone"}:
        again = risk["fresh"] and not refused and care.get("questions", []).count(scene.asked) < WORDINGS
        return named_question(words, scene, scene.asked) if again else Question()
    if held and scene.asked and scene.asked not in DIRECT and not (scene.answers or risk["fresh"]):
        return Question()
    closed = {*care.get("questions", []), *_closed(scene)}
    if risk["fresh"] and not scene.answers and scene.level == "moderate":
        # A "no" is believed; a new sign of danger after it is still worth asking about once more.
        closed -= {"suicide"} if care.get("questions", []).count("suicide") < WORDINGS else set()
    urgent = risk["fresh"] and at_least(scene.level, "high")
    for ask in words.asks:
        if ask.id in closed or (refused and not (urgent and ask.id in URGENT_ASKS)):
            continue
        if (question := _wording(ask, scene)).id:
            return question
    return Question()


def named_question(words: Words, scene: Scene, name: str) -> Question:
    """The question of that id in words not used yet; an empty one when none is left."""
    asks = (_wording(ask, scene) for ask in words.asks if ask.id == name)
    return next((question for question in asks if question.id), Question())


def _wording(ask: Ask, scene: Scene) -> Question:
    """The question in words not used yet; an empty one when it does not fit or all are used."""
    if not fits(ask, scene, scene.kinds):
        return Question()
    unsaid = (line for line in fill(ask.say, scene) if same(line) not in scene.said)
    line = next(unsaid, "")
    pending = {str(answer): level for answer, level in ask.pending.items()}
    return Question(ask.id, line, pending) if line else Question()


def _closed(scene: Scene) -> list[str]:
    """Questions that what they said made needless."""
    closed = ["means"] if scene.marks & {"means", "means_near"} else []
    closed += ["body"] if "fainted" in scene.marks else []
    if scene.answers & {"yes", "no"} and scene.asked in {"suicide", "intent", "now", "check_in"}:
        closed += ["suicide", "intent"]
        closed += ["means", "now", "keeper"] if "no" in scene.answers else []
    if scene.answers & {"alone", "with_someone", "nobody", "reached"}:
        closed.append("with_someone")
    return closed


def _meant(question: Question, asked: Sequence[str]) -> dict[str, Level]:
    """What an answer would mean. Who was asked anything so far may also say that it was misunderstood."""
    return {**question.pending, **({"explained": "none"} if asked else {})}


def card_due(  # noqa: PLR0913, PLR0917
    words: Words,
    scene: Scene,
    risk: Risk,
    care: Care,
    contacts: Sequence[Mapping[str, str]],
    text: str,
    turn: int,
) -> list[dict[str, str]]:
    """All contacts when the level rises or they ask; unseen ones at a barrier; else none for 3 turns."""
    everything = [dict(contact) for contact in contacts]
    lowered = text.lower()
    if "shown_turn" not in care or scene.phase == "first" or any(ask in lowered for ask in words.wants_card):
        return everything
    if risk["fresh"] and turn - care["shown_turn"] > STAY_TURNS:
        return everything
    if everything and {contact["name"] for contact in everything}.isdisjoint(care.get("shown", [])):
        return everything  # lines of another place: they have only now said where they are
    if risk["fresh"] or scene.answers & set(BARRIERS):
        return [contact for contact in everything if contact["name"] not in care.get("shown", [])]
    return []


def after(  # noqa: PLR0913, PLR0917
    care: Care,
    scene: Scene,
    card: Sequence[Mapping[str, str]],
    lines: Sequence[tuple[str, str]],
    turn: int,
    question: Question,
) -> Care:
    """The care to keep. A direct question waits until another is put: a "yes" would then mean that one."""
    waits = scene.unanswered and not any(asks_in(line) for _, line in lines)
    overtaken = scene.unanswered and not waits and question.id != scene.asked and scene.level != "imminent"
    asked = [each for each in care.get("questions", []) if not (overtaken and each == scene.asked)]
    asked += [question.id] if question.id not in REPEATABLE else []
    now: Care = {
        **care,
        "turn": turn,
        "asked": scene.asked if waits else question.id,
        "pending": care.get("pending", {}) if waits else _meant(question, asked),
        "questions": [*asked, *(each for each in _closed(scene) if each not in asked)],
        "barriers": sorted({*care.get("barriers", []), *(scene.answers & set(BARRIERS))}),
    }
    spoken = {name for name, _ in lines}
    if question.id:
        now["asked_turn"] = turn
    cleared = "no" in scene.answers and scene.asked in {"suicide", "intent", "now", "check_in"}
    if question.id == "check_in" or "open" in spoken:
        now["check_in_turn"] = turn
    if cleared or "denial" in scene.answers:
        now["check_in_turn"] = turn + CHECK_TURNS - 2  # a clear answer holds for longer
    if question.id == "plan" or "offer" in spoken:
        now["offered_turn"] = turn
    if "line_again" in spoken:
        now["named_turn"] = turn
    if any(name.split("+")[0] == "emergency" for name in spoken):
        now["urged"] = [*care.get("urged", []), turn]
    if card:
        now["shown"] = list(dict.fromkeys([*care.get("shown", []), *(contact["name"] for contact in card)]))
        now["shown_turn"] = turn
    if card or scene.phase == "first":
        now["shown_level"] = worst([scene.level, care.get("shown_level", "none")])
    if "refusal" in scene.answers:
        now["refused"] = list(dict.fromkeys([*care.get("refused", []), scene.asked or "questions"]))
    if "explained" in scene.answers:
        now["eased"] = True
    elif scene.phase == "first":
        now["eased"] = False
    return now
