"""What may lower the level of a conversation, and what may not: safety.md §2 as three small functions.

Knows the risk so far, this message's alarms and how it answers what was asked; nothing of words.
"""

from collections.abc import Mapping, Sequence

from agent.reading.ladder import LEVELS, Answer, Cue, Level, Risk, at_least, worst
from agent.reading.opinion import RULE, SECOND

__all__ = ["GUESSED", "anew", "disowned", "floor_after", "guessed", "reasoned_change"]

# Turns without a cue that must follow a reasoned change before the floor steps down.
SETTLED = 2
# Whose word alone is a guess: nobody said it.
GUESSES = frozenset({RULE, SECOND})
# The lasting mark of a conversation whose danger rests on a guess.
GUESSED = "guessed"


def guessed(risk: Risk, cues: Sequence[Cue], alarms: Sequence[Cue]) -> bool:
    """Whether the danger now on the floor rests on a model's word alone, and the rules hear none of it."""
    before = at_least(risk["floor"], "moderate")
    if before and GUESSED not in risk["marks"]:
        return False
    if not alarms:
        return before
    return all(cue["rule"] in GUESSES for cue in (alarms if before else cues))


def disowned(risk: Risk, answers: Sequence[Answer], pending: Mapping[str, Level]) -> bool:
    """Whether a danger that was only guessed is said, when asked, to be none of theirs: by a no to the
    question itself, or in so many words.

    A bare "I'm fine" or "forget it" is not: who hides it says that as well. It holds nothing against what was
    told.
    """
    if not pending or not at_least(risk["floor"], "moderate") or "admitted" in risk["marks"]:
        return False
    asked = "yes" in pending and "no" not in pending  # of a "no" to "are you safe?" the contrary is true
    said = {"misheard", "explained"} | ({"no"} if asked else set())
    return GUESSED in risk["marks"] and not said.isdisjoint(answers)


def anew(alarms: list[Cue], risk: Risk, answers: Sequence[Answer]) -> list[Cue]:
    """The alarms without those that an explanation only says over: "no, I meant the boss is killing me"."""
    if "explained" not in answers or not risk["fresh"]:
        return alarms
    told = {
        cue["rule"]: cue["level"] for cue in risk["cues"] if cue["escalate"] and cue["rule"] != "answered"
    }
    return [cue for cue in alarms if not at_least(told.get(cue["rule"], "none"), cue["level"])]


def reasoned_change(risk: Risk, answers: Sequence[Answer], pending: Mapping[str, Level]) -> bool:
    """Whether they said, when asked, why the danger has passed or never was.

    Who has once said yes to being asked was not misread: then only what makes it safer is a reason.
    """
    if "safer" in answers and not pending.keys() <= {"explained"}:
        return True
    return "explained" in answers and bool(pending) and "admitted" not in risk["marks"]


def floor_after(floor: Level, alarms: Sequence[Cue], relieved: int) -> Level:
    """The level the next turns may not fall below.

    An alarm raises it. Time alone never lowers it: only a reasoned change, given when asked, and SETTLED
    further turns without a cue do, one level each time (safety.md §2).
    """
    if alarms:
        return worst([floor, *(cue["level"] for cue in alarms)])
    if at_least(floor, "moderate") and relieved > 1 and (relieved - 1) % SETTLED == 0:
        return LEVELS[LEVELS.index(floor) - 1]
    return floor
