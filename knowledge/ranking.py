"""In what order entries that are near are shown, and which of them would say the same again.

What an entry is found by counts first: its nearest row, the question a little less than what it says, since
two people may ask in the same words and mean different things. To that is added how much of the person's
own rare words the answer has. An entry under the floor is out, whatever its words. It knows nothing of an
index or of vectors.
"""

from collections.abc import Mapping, Sequence

from knowledge.entries import QUESTION, Entry, alike
from knowledge.lexical import overlap
from knowledge.tables import startling_margin

__all__ = ["best", "distinct", "ranked"]

# Chosen on the train part of counselchat alone; agent/train/LOG.md has what was tried.
WORDS = 0.2  # what the answer with most of the person's words gains, as cosine
ASKED = 0.15  # what the row of a question loses

Rows = Mapping[str, float]  # row id -> cosine


def best(rows: Rows) -> float:
    """How near the nearest of an entry's rows is."""
    return max(rows.values())


def ranked(text: str, near: Sequence[tuple[Entry, Rows]], floor: float) -> list[tuple[Entry, float]]:
    """The entries that reach `floor` with their cosines, best first; a topic that would startle needs more."""
    fit = [(entry, rows) for entry, rows in near if best(rows) >= floor + startling_margin(entry.topic)]
    if not fit:
        return []
    said = overlap(text, [entry.text for entry, _ in fit])
    order = sorted(
        range(len(fit)), key=lambda at: _nearness(*fit[at]) + WORDS * float(said[at]), reverse=True
    )
    return [(fit[at][0], best(fit[at][1])) for at in order]


def distinct(entries: Sequence[tuple[Entry, float]], k: int) -> list[tuple[Entry, float]]:
    """The first k that differ in question and in answer."""
    found: list[tuple[Entry, float]] = []
    for entry, score in entries:
        if len(found) == k:
            break
        if not any(alike(entry, other) for other, _ in found):
            found.append((entry, score))
    return found


def _nearness(entry: Entry, rows: Rows) -> float:
    less = 0.0 if entry.asked else ASKED  # plain lines are written to be asked in, each like any other
    return max(score - (less if id_.endswith(QUESTION) else 0.0) for id_, score in rows.items())
