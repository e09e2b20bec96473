"""In what order entries that are near are shown, and which of them would say the same again.

What an entry is found by counts first: its nearest row, the question a little less than what it says, since
two people may ask in the same words and mean different things. To that is added how much of the person's
own rare words the answer has. Where nothing reaches the floor nothing is shown, whatever its words; beside
an entry that does, others may be a little less near. It knows nothing of an index or of vectors.
"""

from collections.abc import Mapping, Sequence

from knowledge.entries import QUESTION, Entry, alike
from knowledge.lexical import overlap, stems
from knowledge.tables import startling_margin

__all__ = ["EASE", "best", "distinct", "ranked"]

# Chosen on the train part of counselchat alone; agent/train/LOG.md has what was tried.
WORDS = 0.15  # what the answer with most of the person's words gains, as cosine
ENOUGH = 12  # words that say what a text is about; of fewer, each gives by chance what it gives
ASKED = 0.15  # what the row of a question loses
EASE = 0.12  # how far under the floor an entry may be beside one that reaches it

Rows = Mapping[str, float]  # row id -> cosine


def best(rows: Rows) -> float:
    """How near the nearest of an entry's rows is."""
    return max(rows.values())


def ranked(text: str, near: Sequence[tuple[Entry, Rows]], floor: float) -> list[tuple[Entry, float]]:
    """The entries near enough with their cosines, best first; a topic that would startle is eased nothing."""
    near = [(entry, rows) for entry, rows in near if best(rows) >= _least(entry, floor)]
    if not any(best(rows) >= floor for _, rows in near):
        return []
    said = overlap(text, [entry.text for entry, _ in near])
    gain = WORDS * min(1.0, len(stems(text)) / ENOUGH)
    order = sorted(
        range(len(near)), key=lambda at: _nearness(*near[at]) + gain * float(said[at]), reverse=True
    )
    return [(near[at][0], best(near[at][1])) for at in order]


def _least(entry: Entry, floor: float) -> float:
    margin = startling_margin(entry.topic)
    return floor + margin if margin else floor - EASE


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
