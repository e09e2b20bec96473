"""A question with its answer: as an entry, as two rows of an index, and as a passage to show.

It knows nothing of vectors or of how anything is found.
"""

import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypedDict

from knowledge.index import Row
from knowledge.tables import source_words

__all__ = [
    "ANSWER",
    "QUESTION",
    "Entry",
    "Passage",
    "alike",
    "entries_of",
    "passage_of",
    "rows_of",
    "words",
]

QUESTION, ANSWER = ":q", ":a"  # ends of the ids of the two rows of an entry
ALIKE = 0.7  # share of the words of two answers that are the same, above which only one is shown


class Passage(TypedDict):
    """A retrieved answer, cleaned; never spoken, only shown as a source in the panel.

    score: cosine similarity, 0..1. techniques: ids of techniques.yaml. source: where it comes
    from, in words a person can read.
    """

    id: str
    question: str
    text: str
    topic: str
    techniques: list[str]
    source: str
    score: float


@dataclass(frozen=True)
class Entry:
    """One question and one answer. kind: a key of `sources` in sources.yaml; name: its file, if any."""

    question: str
    text: str
    topic: str = "general"
    techniques: tuple[str, ...] = ()
    kind: str = "starter"
    name: str = ""

    @property
    def id(self) -> str:
        """A hash of what it says: the same entry has the same id on every run and machine."""
        said = "\x1f".join((self.kind, self.name, self.question, self.text))
        return hashlib.sha256(said.encode()).hexdigest()[:24]


def rows_of(entry: Entry) -> tuple[Row, Row]:
    """The two rows of an entry; the facts stand with the answer."""
    facts = {
        "question": entry.question,
        "topic": entry.topic,
        "techniques": " ".join(entry.techniques),
        "kind": entry.kind,
        "name": entry.name,
    }
    return Row(f"{entry.id}{QUESTION}", "", {}), Row(f"{entry.id}{ANSWER}", entry.text, facts)


def entries_of(rows: Iterable[Row]) -> list[Entry]:
    """The entries whose answers are among the rows."""
    return [
        Entry(
            question=row.facts["question"],
            text=row.text,
            topic=row.facts["topic"],
            techniques=tuple(row.facts["techniques"].split()),
            kind=row.facts["kind"],
            name=row.facts["name"],
        )
        for row in rows
        if row.id.endswith(ANSWER)
    ]


def passage_of(entry: Entry, score: float) -> Passage:
    """The entry as it is shown. score: cosine."""
    return {
        "id": entry.id,
        "question": entry.question,
        "text": entry.text,
        "topic": entry.topic,
        "techniques": list(entry.techniques),
        "source": source_words(entry.kind, entry.topic, entry.name),
        "score": round(min(max(score, 0.0), 1.0), 4),
    }


def words(text: str) -> list[str]:
    """Its words in lower case, without numbers and signs."""
    return re.findall(r"[^\W\d_]+(?:['’][^\W\d_]+)*", text.lower())


def alike(one: Entry, other: Entry) -> bool:
    """Whether showing both would show the same twice."""
    if words(one.question) == words(other.question):
        return True
    a, b = set(words(one.text)), set(words(other.text))
    return len(a & b) > ALIKE * len(a | b)
