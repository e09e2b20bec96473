"""A question with its answer: as an entry, as rows of an index, and as a passage to show.

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
    "entry_id",
    "found_by",
    "passage_of",
    "row_ids",
    "rows_of",
    "words",
]

QUESTION = ":q"  # end of the id of the row of an entry's question, or of the first line that is asked
ANSWER = ":a"  # end of the id of the row of an entry that holds what it says
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
    """One question and one answer. kind: a key of `sources` in sources.yaml; name: its file, if any.

    asked: short plain ways to say the same worry, by which it is found; they are not shown.
    language: of what it says. An index keeps it not: what stands there is in the encoder's language.
    """

    question: str
    text: str
    topic: str = "general"
    techniques: tuple[str, ...] = ()
    kind: str = "starter"
    name: str = ""
    asked: tuple[str, ...] = ()
    language: str = "en"

    @property
    def id(self) -> str:
        """A hash of what it says: the same entry has the same id on every run and machine."""
        said = "\x1f".join((self.kind, self.name, self.question, self.text))
        return hashlib.sha256(said.encode()).hexdigest()[:24]


def found_by(entry: Entry) -> list[str]:
    """The texts whose vectors find it, a row each: the lines of `asked`, or else its question and answer.

    A story of fifty words is near to much that is not its subject, and takes the longest to embed.
    """
    return list(entry.asked) or [entry.question, entry.text]


def row_ids(entry: Entry) -> list[str]:
    """The ids of its rows, in the order of `found_by`."""
    between = range(1, len(found_by(entry)) - 1)
    ends = ":q", *(f":{n}" for n in between), ANSWER
    return [f"{entry.id}{end}" for end in ends[-len(found_by(entry)) :]]


def entry_id(row_id: str) -> str:
    """The id of the entry that a row belongs to."""
    return row_id.rpartition(":")[0]


def rows_of(entry: Entry) -> list[Row]:
    """Its rows; what it says stands with the last, the others only point to it."""
    facts = {
        "question": entry.question,
        "topic": entry.topic,
        "techniques": " ".join(entry.techniques),
        "kind": entry.kind,
        "name": entry.name,
        "asked": "\n".join(entry.asked),
    }
    *others, last = row_ids(entry)
    return [*(Row(id_, "", {}) for id_ in others), Row(last, entry.text, facts)]


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
            asked=tuple(row.facts.get("asked", "").splitlines()),
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
        "source": source_words(entry.kind, entry.topic, entry.name, entry.language),
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
