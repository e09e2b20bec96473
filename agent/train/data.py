"""The labelled texts the reading encoder learns from, on one side or the other of one split.

A text that stands in several sets becomes one example with the labels of all, and lies on one side
of one split: held out when any set's own validation part holds it, or, where a set has none, by the
hash of its group (a conversation, a person, else the normalised text). Knows nothing of file formats
(`agent.train.sets`), models or tokens.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import DataError
from agent.train.own import OWN
from agent.train.sets import PERMISSIVE, READERS, Row, Targets, hashed, key

__all__ = ["Example", "Part", "examples"]

Part = Literal["train", "tune", "report"]


@dataclass(frozen=True)
class Example:
    """A text and what is known of it: head -> label -> weight.

    Weights of a choice sum to 1 (votes of several annotators are kept as shares); a facet is 0 or
    1, and one that is not named is not known. source: the set it was first met in.
    """

    text: str
    part: Part
    source: str
    targets: Targets

    def label(self, head: str) -> str:
        """The likeliest label of a choice, "" where nothing is known of it."""
        weights = self.targets.get(head, {})
        return max(weights, key=lambda name: weights[name], default="")


def examples(data: Path, *, permissive: bool = False) -> list[Example]:
    """All examples of the folder `data` and of our own messages, in a fixed order.

    permissive: only sets whose licence allows general use. Raises DataError, naming file, column or
    label and the fix, before anything is trained.
    """
    readers = {**(PERMISSIVE if permissive else READERS), **OWN}
    rows = [row for read in readers.values() for row in read(data)]
    if not rows:
        raise DataError(f"{data} holds no labelled text; the README of agent/train names the files.")
    held = {_group(row) for row in rows if row.held} | {key(row.text) for row in rows if row.held}
    split = {_group(row) for row in rows if row.held is None and hashed(_group(row), "held") % 7 == 0}
    return _merged(rows, held | split)


def _merged(rows: Iterable[Row], held: set[str]) -> list[Example]:
    """One example a text: a choice keeps the labels it met first, facets gather."""
    found: dict[str, Example] = {}
    for row in rows:
        text, group = key(row.text), _group(row)
        if not text:
            continue
        part: Part = "train"
        if {text, group} & held:
            part = "tune" if hashed(group, "tune") % 3 == 0 else "report"
        known = found.get(text)
        if known is None:
            found[text] = Example(row.text, part, row.source, row.targets)
            continue
        facets = {**row.targets.get("facets", {}), **known.targets.get("facets", {})}
        targets = {**row.targets, **known.targets, **({"facets": facets} if facets else {})}
        strict: Part = known.part if known.part != "train" else part
        found[text] = Example(known.text, strict, known.source, targets)
    return list(found.values())


def _group(row: Row) -> str:
    return row.group or key(row.text)
