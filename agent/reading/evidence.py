"""Which of the person's words carried a call of the reading model.

The model's logits are the mean of its tokens' (the head is linear), so each word's share of a label
is read off the pass that made the reading, at no further cost; up to PASSES further passes then leave
out the likeliest clauses one at a time (occlusion; Zeiler and Fergus, 2014) and rank them by what the
label loses without them. Compared with human evidence in model/MODEL_CARD.md. Knows nothing of what
the labels mean, and says what the model looked at, not why the person wrote it.
"""

import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from agent.brief import Evidence
from agent.reading.heads import Marks

__all__ = ["carried", "clauses", "evidence", "word_weights"]

PASSES = 5
_CUT = re.compile(
    r"[^.!?;:,\n…—–()]+?(?=\s+(?:and|but|because|since|when|while|although|though|if|that|which|who)\b|[.!?;:,\n…—–()]|$)",
    re.IGNORECASE,
)
_WORD = re.compile(r"\S+")


def clauses(text: str) -> list[tuple[int, int]]:
    """[start, end) of the message's clauses, cut at punctuation and joining words."""
    found = []
    for match in _CUT.finditer(text):
        start, end = match.span()
        start += len(match.group()) - len(match.group().lstrip())
        end -= len(match.group()) - len(match.group().rstrip())
        if start < end and any(map(str.isalnum, text[start:end])):
            found.append((start, end))
    return found


def word_weights(text: str, marks: Marks, column: int) -> list[Evidence]:
    """Each word with how far it speaks for output `column`, above the message's mean.

    Only words above it are given; weights sum to 1.
    """
    scores: list[float] = marks.tokens[:, column].tolist() if len(marks.tokens) else []
    found: list[tuple[int, int, float]] = []
    for match in _WORD.finditer(text):
        start, end = match.span()
        mine = [s for s, (a, b) in zip(scores, marks.spans, strict=True) if a < end and b > start]
        if mine and any(map(str.isalnum, match.group())):
            found.append((start, end, sum(mine) / len(mine)))
    return _shares(found)


def carried(text: str, marks: Marks, column: int) -> list[Evidence]:
    """The clauses with the words that speak for output `column`, heaviest first; no further pass."""
    words, parts = word_weights(text, marks, column), clauses(text)
    found = [
        (start, end, sum(w["weight"] for w in words if start <= w["start"] < end)) for start, end in parts
    ]
    return sorted(_shares(found, base=0.0), key=lambda piece: -piece["weight"])[:3]


def evidence(
    text: str, read: Callable[[str], Marks], likely: Callable[[NDArray[np.float32]], float], column: int
) -> list[Evidence]:
    """The clauses that carried a label, heaviest first, each with its share.

    read: text -> Marks, called once for the message and at most PASSES times more. likely: logits ->
    the label's probability or logit. column: its output, which chooses the clauses to try.
    """
    marks = read(text)
    parts = clauses(text)
    if len(parts) < 2:
        return [Evidence(start=start, end=end, weight=1.0) for start, end in parts]
    tried = [(piece["start"], piece["end"]) for piece in carried(text, marks, column)]
    tried = [*tried, *(part for part in parts if part not in tried)][:PASSES]
    whole = likely(marks.logits)
    lost = [(start, end, whole - likely(read(text[:start] + text[end:]).logits)) for start, end in tried]
    found = _shares(lost, base=0.0)
    return sorted(found, key=lambda piece: -piece["weight"])


def _shares(found: list[tuple[int, int, float]], base: float | None = None) -> list[Evidence]:
    """What stands above `base` (default: the mean), as shares of 1."""
    if not found:
        return []
    base = sum(score for _, _, score in found) / len(found) if base is None else base
    above = [(start, end, score - base) for start, end, score in found if score > base]
    total = sum(score for _, _, score in above)
    return [Evidence(start=start, end=end, weight=round(score / total, 4)) for start, end, score in above]
