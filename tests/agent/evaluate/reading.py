"""A made-up reading that hears the labels standing in a text, and made-up files in the public formats."""

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from agent.train.labels import HEADS


def look(text: str) -> dict[str, dict[str, float]]:
    """Gives most probability to the labels named in the text: `[head:label]`, or `[label]` for every head."""
    read: dict[str, dict[str, float]] = {}
    for head, labels in HEADS.items():
        marks = {label: f"[{label}]" in text or f"[{head}:{label}]" in text for label in labels}
        weight = {label: 0.8 if marked else 0.05 for label, marked in marks.items()}
        total = 1 if head == "facets" else sum(weight.values())
        read[head] = {label: value / total for label, value in weight.items()}
    return read


def write_csv(path: Path, columns: Sequence[str], lines: Iterable[Sequence[str]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(columns)
        writer.writerows(lines)
    return path


def write_jsonl(path: Path, lines: Iterable[Mapping[str, object]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path
