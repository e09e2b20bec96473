"""How well answers are tagged with techniques, in figures: against labels, and against our own entries' tags.

`labelled.csv` holds, for 140 answers of counselchat drawn at random after cleaning, what one reader found
them to suggest, by the id of the entry and without its text. `suggests`: what a tagger should find; `may`:
what it may find besides. Cues and threshold were chosen on the part `open`; `sealed` is only reported. It
knows nothing of models, and holds figures only.
"""

import csv
from collections.abc import Collection, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import IngestError
from knowledge.ingest import fit_entries, tagger
from knowledge.library import Embed
from knowledge.sources import read_rows
from knowledge.starter import load_starter

__all__ = ["Label", "labels", "techniques"]


class Label(NamedTuple):
    """What one answer suggests, and which part it is of."""

    part: str
    suggests: frozenset[str]
    may: frozenset[str]


def labels() -> dict[str, Label]:
    """Entry id -> its label."""
    with (files("knowledge") / "labelled.csv").open(encoding="utf-8") as file:
        return {
            row["answer"]: Label(
                row["part"], frozenset(row["suggests"].split()), frozenset(row["may"].split())
            )
            for row in csv.DictReader(file)
        }


def techniques(data: Path, embed: Embed, encoder_name: str) -> dict[str, Any]:
    """Tag the labelled answers of a counselchat file and our own entries; precision and recall of the tags.

    Raises IngestError when the file cannot be read or holds none of the labelled answers.
    """
    known, tag = labels(), tagger(embed)
    entries = {entry.id: entry for entry in fit_entries(read_rows(data), "counselchat")}
    there = {id_: label for id_, label in known.items() if id_ in entries}
    if not there:
        raise IngestError(f"{data} holds none of the labelled answers; give counselchat's file.")
    tags = {id_: frozenset(tag(entries[id_].text)) for id_ in there}
    parts = sorted({label.part for label in there.values()})
    report: dict[str, Any] = {"task": "techniques", "data": data.name, "encoder": encoder_name}
    for part in parts:
        mine = {id_: label for id_, label in there.items() if label.part == part}
        report[part] = _figures((tags[id_], label) for id_, label in mine.items())
    own = [entry for topic in load_starter() for entry in topic.entries]
    told = (Label("starter", frozenset(entry.techniques), frozenset()) for entry in own)
    report["starter"] = _figures(
        (frozenset(tag(entry.answer)), label) for entry, label in zip(own, told, strict=True)
    )
    return report


def _figures(pairs: Iterable[tuple[Collection[str], Label]]) -> dict[str, float]:
    found = right = wanted = met = answers = tagged = 0
    for tags, label in pairs:
        answers += 1
        tagged += bool(tags)
        found += len(tags)
        right += len(label.suggests.union(label.may).intersection(tags))
        wanted += len(label.suggests)
        met += len(label.suggests.intersection(tags))
    return {
        "answers": answers,
        "with_a_tag": tagged,
        "tags": found,
        "precision": round(right / found, 4) if found else 0.0,
        "suggested": wanted,
        "recall": round(met / wanted, 4) if wanted else 0.0,
    }
