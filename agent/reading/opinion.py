"""What the reading model says of danger, as cues beside those of the rules. It may raise, never lower.

The bars behind `Heard["danger"]` were set so that few harmless texts pass them (labels.json); a call
below its bar says nothing here. Knows nothing of the conversation: `assess` folds it in.
"""

from collections.abc import Sequence

from agent.reading.heads import Heard
from agent.reading.ladder import KINDS, LEVELS, Cue, Kind, Level, Subject, at_least

__all__ = ["RULE", "SECOND", "opinion", "second"]

# Stands where a rule's id would, so that a cue tells who heard it.
RULE = "reading model"
SECOND = "language model"
# At moderate these call for somebody with training, not for a crisis card (safety ladder).
ROUTED: frozenset[Kind] = frozenset(
    {"medication", "psychosis", "mania", "eating_disorder", "medical", "substance"}
)
# A rule's mark on an end that is placed a lifetime away: the model hears only the end in it.
FAR_OFF = "far_off"
KIND_SURE = 0.5  # below it the kind is a guess among fifteen, and its words could miss
SUBJECTS: tuple[Subject, ...] = ("self", "other", "child")


def opinion(heard: Heard, rules: Sequence[Cue] = ()) -> list[Cue]:
    """One cue when the model is confident of moderate danger or worse, and of more than the rules; else none.

    rules: what the rules heard in the same message. They know better what kind of danger it is and to
    whom, so the model only says how much. Alone, a kind it is not sure of is distress, and moderate is
    not held against a mark that the end spoken of is a lifetime away.
    """
    level = heard["danger"]
    known = max(
        (cue for cue in rules if not cue["past"] and at_least(cue["level"], "moderate")),
        key=lambda cue: LEVELS.index(cue["level"]),
        default=None,
    )
    if not at_least(level, "moderate") or (known and known["escalate"] and at_least(known["level"], level)):
        return []
    if level == "moderate" and any(FAR_OFF in cue["marks"] for cue in rules):
        return []
    if known:
        kind, subject = known["kind"], known["subject"]
    else:
        told = _first(heard, "danger_kind", KIND_SURE), _first(heard, "danger_subject")
        kind = next((k for k in KINDS if k == told[0]), "distress")
        subject = next((s for s in SUBJECTS if s == told[1]), "self")
    return [
        Cue(
            rule=RULE,
            kind=kind,
            subject=subject,
            level=level,
            escalate=at_least(level, "high") or kind not in ROUTED,
            past=False,
            marks=[],
            span=[0, 0],
        )
    ]


def second(level: Level, rules: Sequence[Cue] = ()) -> list[Cue]:
    """The same for a language model that was asked: it says how much, and nothing of what kind."""
    heard = Heard(
        emotions=[], intents=[], sure=False, want="", danger=level, heads={}, evidence=[]
    )  # fmt: skip
    return [Cue(**{**cue, "rule": SECOND}) for cue in opinion(heard, rules)]


def _first(heard: Heard, head: str, least: float = 0.0) -> str:
    found = heard["heads"].get(head) or [{"label": "", "p": 0.0}]
    return found[0]["label"] if found[0]["p"] >= least else ""
