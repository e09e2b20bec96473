"""What a conversation says about danger: cues folded message by message into one Risk.

Deterministic. The level of a turn is the highest of what the rules heard now, what an answer to a
safety question meant, and the floor carried from before (safety.md §2). Nothing lowers it within a
turn. Knows nothing of how cues are found, nor of what is said in reply.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import cache

from agent.reading.easing import GUESSED, GUESSES, anew, disowned, floor_after, guessed, reasoned_change
from agent.reading.gathering import SPAN, gathered, told
from agent.reading.ladder import KINDS, LEVELS, Answer, Cue, Kind, Level, Risk, Subject, at_least, worst
from agent.words import Strict, load

__all__ = ["Reasons", "assess", "careful", "load_reasons", "no_risk"]

# Messages for which a loss is remembered: a question about heights or means after it is no idle one.
WINDOW = 3
# Danger to oneself, in which a hint that means nothing alone counts (a cue's mark `context:LEVEL`).
DARK: frozenset[Kind] = frozenset({"suicide", "self_harm", "overdose", "distress"})
# What shapes the reply for good once it is known.
LASTING = ("minor", "afraid_of_reader", "language", "own_danger", "other_danger", "admitted", "misheard")


class Reasons(Strict):
    """Schema of agent/words/reasons.yaml."""

    reviewed_by: str | None
    kinds: dict[Kind, str]
    other: str
    answered: str
    carried: str
    stepped_down: str
    degraded: str
    nothing: str


@cache
def load_reasons() -> Reasons:
    """The panel's plain sentences, read once."""
    return load("reasons.yaml", Reasons)


def no_risk() -> Risk:
    """The risk of a conversation in which nothing was said yet."""
    return Risk(
        level="none",
        escalate=False,
        fresh=False,
        kinds=[],
        subject="self",
        marks=[],
        cues=[],
        answers=[],
        peak="none",
        floor="none",
        quiet=0,
        relieved=0,
        seen=0,
        reasons=[],
        degraded=False,
        lately=[],
    )


def assess(
    heard: Sequence[Sequence[Cue]],
    *,
    answers: Sequence[Answer],
    before: Risk | None,
    pending: Mapping[str, Level],
    degraded: bool = False,
) -> Risk:
    """Fold every message not yet seen into the risk.

    heard: the cues of each such message, this turn's last. answers: how this turn's message answers
    a question. pending: what an answer to the question last asked would mean, by answer.
    """
    risk = before or no_risk()
    for cues in heard[:-1]:
        risk = _fold(risk, list(cues), [], {})
    risk = _fold(risk, list(heard[-1]) if heard else [], list(answers), pending)
    if degraded:
        level = worst([risk["level"], "low"])
        risk = {**risk, "level": level, "degraded": True, "peak": worst([risk["peak"], level])}
    else:
        risk = {**risk, "degraded": False}
    risk["reasons"] = _reasons(risk, before)
    return risk


def careful(cues: Iterable[Cue], before: Risk | None) -> Risk:
    """The risk when assessing itself failed: never less than what was heard, never `none`."""
    risk = before or no_risk()
    heard = _in_context(risk, list(cues))
    level = worst(["low", risk["floor"], *(cue["level"] for cue in heard)])
    escalate = at_least(risk["floor"], "moderate") or any(cue["escalate"] for cue in heard)
    return {
        **risk,
        "level": level,
        "escalate": escalate,
        "fresh": bool(heard),
        "cues": heard,
        "kinds": _kinds(heard) or risk["kinds"],
        "subject": heard[0]["subject"] if heard else risk["subject"],
        "answers": [],
        "peak": worst([risk["peak"], level]),
        "floor": worst([risk["floor"], level]) if escalate else risk["floor"],
        "seen": risk["seen"] + 1,
        "degraded": True,
        "reasons": [],
    }


def _fold(risk: Risk, cues: list[Cue], answers: list[Answer], pending: Mapping[str, Level]) -> Risk:
    said = told(cues)
    cues = [*_in_context(risk, cues), *gathered(risk, cues, answers, asked=bool(pending))]
    calmed = pending and not {"no", "denial", "safer", "explained", "misheard"}.isdisjoint(answers)
    lately = [] if calmed else [*risk["lately"], said][-SPAN:]
    wrong = disowned(risk, answers, pending)
    answered = None if wrong else _answered(risk, answers, pending)
    if answered:
        cues = [answered, *cues]
    if wrong:  # what was only guessed is not guessed again from the words that put it right
        cues = [cue for cue in cues if cue["rule"] not in GUESSES]
    cues.sort(key=_weight, reverse=True)
    alarms = [cue for cue in cues if cue["escalate"]]
    alarms = anew(alarms, risk, answers)
    reasoned = reasoned_change(risk, answers, pending)
    relieved = 0 if alarms else risk["relieved"] + 1 if risk["relieved"] or reasoned else 0
    quiet = 0 if alarms else risk["quiet"] + 1
    guess = guessed(risk, cues, alarms)
    floor = floor_after(risk["floor"], alarms, relieved)
    if not alarms and guess:
        floor = "none" if wrong else floor
    level = worst([floor, *(cue["level"] for cue in cues)])
    marks = sorted({mark for cue in cues for mark in cue["marks"]} | (set(risk["marks"]) & set(LASTING)))
    marks = sorted({*marks, *_whose(alarms), *({"admitted"} if answered else ())})
    marks = sorted({*marks, *({GUESSED} if guess else ()), *({"misheard"} if wrong else ())})
    # Under care what is told in passing changes neither whom it is about nor what it is.
    held = not alarms and at_least(floor, "moderate")
    return {
        **risk,
        "level": level,
        "escalate": bool(alarms) or at_least(floor, "moderate"),
        "fresh": bool(alarms),
        "kinds": list(dict.fromkeys([*(risk["kinds"] if held else []), *_kinds(cues)])),
        "subject": _subject(risk, cues, marks, held=held),
        "marks": marks,
        "cues": cues,
        "answers": answers,
        "peak": worst([risk["peak"], level]),
        "floor": floor,
        "quiet": quiet,
        "relieved": relieved,
        "seen": risk["seen"] + 1,
        "reasons": [],
        "lately": lately,
    }


def _whose(alarms: Sequence[Cue]) -> set[str]:
    """What is kept of whose danger it is: somebody who fears for another may be in danger too."""
    own = any(_own_danger(cue) for cue in alarms)
    other = any(cue["subject"] != "self" for cue in alarms)
    return ({"own_danger"} if own else set()) | ({"other_danger"} if other else set())


def _subject(risk: Risk, cues: Sequence[Cue], marks: Sequence[str], *, held: bool) -> Subject:
    """Whom it is about: what was heard now, and under care the person, if they are in danger as well."""
    if held:
        return "self" if "own_danger" in marks else risk["subject"]
    return cues[0]["subject"] if cues else risk["subject"]


def _in_context(risk: Risk, cues: Sequence[Cue]) -> list[Cue]:
    """The cues with hints raised by what stands around them; those that stay at `none` are left out.

    A hint counts in full once danger to oneself, or danger of its own kind, is on the floor or said in the
    same message; one of somebody else's, once theirs is on the floor. A question about a height, a place or
    an amount counts as moderate near a loss (safety.md F1), and words that mean more after one (a cue's mark
    `after_loss:LEVEL`) count so.
    """
    known_danger = at_least(risk["floor"], "moderate") and not DARK.isdisjoint(risk["kinds"])
    dark = (known_danger and risk["subject"] == "self") or any(_own_danger(cue) for cue in cues)
    loss = "loss" in " ".join([*risk["lately"][-WINDOW:], told(cues)]).split()
    raised: list[Cue] = []
    for cue in cues:
        levels = [cue["level"]]
        known = at_least(risk["floor"], "moderate") and cue["kind"] in risk["kinds"]
        theirs = known_danger and "self" not in {risk["subject"], cue["subject"]} and cue["kind"] in DARK
        if theirs or ((dark if cue["kind"] in DARK else known) and cue["subject"] == "self"):
            levels += [level for level in LEVELS if f"context:{level}" in cue["marks"]]
        if loss:
            levels += ["moderate"] if "method_question" in cue["marks"] else []
            levels += [level for level in LEVELS if f"after_loss:{level}" in cue["marks"]]
        level = worst(levels)
        escalate = cue["escalate"] or (level != cue["level"] and at_least(level, "moderate"))
        marks = [mark for mark in cue["marks"] if not mark.startswith(("context:", "sign:"))]
        if level != "none":
            raised.append({**cue, "level": level, "escalate": escalate, "marks": marks})
    return raised


def _own_danger(cue: Cue) -> bool:
    return cue["escalate"] and cue["subject"] == "self" and cue["kind"] in DARK


def _answered(risk: Risk, answers: Sequence[Answer], pending: Mapping[str, Level]) -> Cue | None:
    """The cue that lies in an answer: `yes` to being asked about suicide, `no` to being safe."""
    meant = [pending[answer] for answer in answers if answer in pending]
    level = worst(meant)
    if not meant or level == "none":
        return None
    return Cue(
        rule="answered",
        kind=risk["kinds"][0] if risk["kinds"] else "suicide",
        subject=risk["subject"],
        level=level,
        escalate=at_least(level, "moderate"),
        past=False,
        marks=[],
        span=[0, 0],
    )


def _weight(cue: Cue) -> tuple[bool, int, int]:
    """By which cues are ordered, worst last: among equals the kind whose words cannot wait counts more."""
    return cue["escalate"], LEVELS.index(cue["level"]), -KINDS.index(cue["kind"])


def _kinds(cues: Sequence[Cue]) -> list[Kind]:
    kinds = list(dict.fromkeys(cue["kind"] for cue in cues))
    if any("minor" in cue["marks"] for cue in cues) and {"sexual_assault", "minor"} <= set(kinds):
        kinds = ["minor", *(kind for kind in kinds if kind != "minor")]  # a child is spoken to as one
    return kinds


def _reasons(risk: Risk, before: Risk | None) -> list[str]:
    words = load_reasons()
    reasons = [words.kinds[kind] for kind in _kinds([c for c in risk["cues"] if c["rule"] != "answered"])]
    if any(cue["rule"] == "answered" for cue in risk["cues"]):
        reasons.append(words.answered)
    if risk["cues"] and risk["cues"][0]["subject"] != "self":
        reasons.append(words.other)
    if risk["escalate"] and not risk["fresh"]:
        reasons.append(words.carried)
    if before and LEVELS.index(risk["floor"]) < LEVELS.index(before["floor"]) and risk["relieved"]:
        reasons.append(words.stepped_down)
    if risk["degraded"]:
        reasons.append(words.degraded)
    return reasons or [words.nothing]
