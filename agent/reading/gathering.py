"""Signs that weigh little alone, heard within a few messages: when they together are danger.

After the warning signs of the American Association of Suicidology (Rudd et al., 2006): somebody who keeps
tablets, says that the boys would have the insurance and that tonight feels different has said it, though in
no message; so has one who stopped drinking and sees spiders. Knows the cues of the last messages; nothing of
words, nor of danger said plainly.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from agent.reading.ladder import Answer, Cue, Kind, Level, Risk, Sign, Subject, at_least, worst
from agent.reading.opinion import WONDER

__all__ = ["RULE", "SPAN", "gathered", "told"]

# Stands where a rule's id would.
RULE = "signs together"
# Messages for which a sign is remembered, the one at hand counted.
SPAN = 5
# The mark of words by which somebody says that the friend they spoke of is themself.
CONFESSES = "confesses"


@dataclass(frozen=True)
class _Family:
    """Signs of one kind of danger. many: so many different ones are `level`; fewer are a doubt."""

    kind: Kind
    signs: frozenset[Sign]
    many: int
    level: Level
    escalate: bool = True
    marks: tuple[str, ...] = ()


FAMILIES = (
    # Withdrawal from drink or benzodiazepines may kill within days.
    _Family("substance", frozenset({"stopped", "shakes"}), 2, "imminent", marks=("medical",)),
    _Family(
        "suicide",
        frozenset(
            {
                "finished",
                "leaving",
                "no_tomorrow",
                "means",
                "burden",
                "parting",
                "shift",
                "unasked",
            }
        ),
        3,
        "moderate",
    ),
    # A heart attack is told as stress, a piece at a time.
    _Family("medical", frozenset({"chest", "arm", "sweat"}), 2, "imminent", marks=("medical",)),
    # Thoughts of harm to a baby are common and pass; with a television that speaks of the baby they are not.
    _Family("psychosis", frozenset({"pictures", "unreal", "command"}), 2, "high"),
    _Family("eating_disorder", frozenset({"starving", "faint"}), 2, "high"),
    _Family("minor", frozenset({"thrown_out", "nowhere"}), 2, "moderate"),
    # As at that level anywhere: somebody with training, not a crisis card (safety ladder).
    _Family("mania", frozenset({"sleepless", "grand", "spending"}), 2, "moderate", escalate=False),
)


def told(cues: Sequence[Cue]) -> str:
    """What is remembered of a message (`Risk.lately`): a loss told of and the signs in it, as words."""
    words = {"loss"} if any("loss" in cue["marks"] for cue in cues) else set()
    for cue in cues:
        words |= {f"{mark}:{cue['subject']}" for mark in cue["marks"] if mark.startswith("sign:")}
    return " ".join(sorted(words))


def gathered(risk: Risk, cues: Sequence[Cue], answers: Sequence[Answer], *, asked: bool) -> list[Cue]:
    """The cue that lies in this message's signs and those of the messages before; at most one.

    asked: whether a question about safety is open. "I wouldn't do anything" is an answer then, else a
    sign. Where there is danger of the kind already each sign counts for itself, and this says nothing.
    """
    if any(CONFESSES in cue["marks"] for cue in cues):
        return _confessed(risk)
    if not {"explained", "misheard"}.isdisjoint(answers):
        return []
    now, before = told(cues).split(), " ".join(risk["lately"][-(SPAN - 1) :]).split()
    subjects: tuple[Subject, ...] = ("self", "other")
    for family in FAMILIES:
        held = at_least(risk["floor"], "moderate") and (
            family.kind in risk["kinds"] or family.kind == "suicide"
        )
        if held or any(cue["escalate"] and family.kind in {cue["kind"], "suicide"} for cue in cues):
            continue
        for subject in subjects:
            signs = _signs(family, now, subject) - ({"unasked"} if asked else set())
            together = signs | _signs(family, before, subject)
            if signs and len(together) > 1:
                # A means at hand, and something said that is more than a thank-you.
                close = subject == "self" and "means" in together and together - {"means", "parting"}
                loud = len(together) >= family.many or bool(close)
                if not loud:
                    return [_cue(family.kind, subject, "low", escalate=False, marks=(WONDER,))]
                return [
                    _cue(family.kind, subject, family.level, escalate=family.escalate, marks=family.marks)
                ]
    return []


def _confessed(risk: Risk) -> list[Cue]:
    """It is not a friend, they say: what was told of another is danger to oneself."""
    feared = at_least(risk["floor"], "moderate") and "other_danger" in risk["marks"]
    if not feared and ":other" not in " ".join(risk["lately"]):
        return []
    kinds: list[Kind] = [*(risk["kinds"] if feared else []), "suicide"]
    return [_cue(kinds[0], "self", worst([risk["floor"], "moderate"]), escalate=True)]


def _signs(family: _Family, words: Sequence[str], subject: Subject) -> set[Sign]:
    return {sign for sign in family.signs if f"sign:{sign}:{subject}" in words}


def _cue(kind: Kind, subject: Subject, level: Level, *, escalate: bool, marks: Sequence[str] = ()) -> Cue:
    return Cue(
        rule=RULE,
        kind=kind,
        subject=subject,
        level=level,
        escalate=escalate,
        past=False,
        marks=list(marks),
        span=[0, 0],
    )
