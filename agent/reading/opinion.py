"""What the reading model says of danger, as cues beside those of the rules. It may raise, never lower.

The bars behind `Heard["danger"]` were set so that few harmless texts pass them (labels.json); a call
below its bar says nothing here. Knows nothing of the conversation: `assess` folds it in.
"""

from agent.reading.heads import Heard
from agent.reading.ladder import KINDS, Cue, Kind, Subject, at_least

__all__ = ["RULE", "opinion"]

# Stands where a rule's id would, so that a cue tells who heard it.
RULE = "reading model"
# At moderate these call for somebody with training, not for a crisis card (safety ladder).
ROUTED: frozenset[Kind] = frozenset(
    {"medication", "psychosis", "mania", "eating_disorder", "medical", "substance"}
)
SUBJECTS: tuple[Subject, ...] = ("self", "other", "child")


def opinion(heard: Heard) -> list[Cue]:
    """One cue when the model is confident of moderate danger or worse, else none."""
    level = heard["danger"]
    if not at_least(level, "moderate"):
        return []
    told = _first(heard, "danger_kind"), _first(heard, "danger_subject")
    kind: Kind = next((k for k in KINDS if k == told[0]), "distress")
    subject: Subject = next((s for s in SUBJECTS if s == told[1]), "self")
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


def _first(heard: Heard, head: str) -> str:
    found = heard["heads"].get(head) or [{"label": "", "p": 0.0}]
    return found[0]["label"]
