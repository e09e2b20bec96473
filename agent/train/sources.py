"""The labelled lines the heads learn from: public file formats, splits, and their vectors.

Splits depend on nothing but the text, so that a line stays on its side whatever else changes.
Knows nothing of models; holds texts only while it turns them into vectors.
"""

import csv
import hashlib
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import SettingsError

__all__ = ["SOURCES", "Rows", "embedded", "only"]

SOURCES = {
    "train": "empathetic_intents/train.csv",
    "situations": "empathetic_intents/valid.csv",
    "first turns": "empathetic_dialogues/valid.csv",
    "films": "edos/groundtruth.csv",
}
Vector = NDArray[np.float32]
Line = tuple[str, str, str]  # text, label, key: lines with one key stay on one side of every split


@dataclass(frozen=True)
class Rows:
    """Vectors (n, d) and labels of one part of one source. part: train, tune or report."""

    source: str
    part: str
    vectors: Vector
    labels: NDArray[np.str_]


def _lines(data: Path) -> Iterator[tuple[str, str, Line]]:
    """(source, part, line) of every usable line, held-out ones by the hash of their key."""
    for name in ("train", "situations"):
        for row in _csv(data, name):
            key = _normal(row["text"])
            yield name, "train" if name == "train" else _third(key), (row["text"], row["label"], key)
    for row in _csv(data, "first turns"):
        if row["utterance_idx"] == "1":
            key = _normal(row["prompt"])
            yield "first turns", _third(key), (row["utterance"], row["context"], key)
    for row in _csv(data, "films"):
        text = row["Dialog"].rsplit("\n", 1)[-1]  # the label is that of the last line
        key = _normal(text)
        label = row["Agreed emotion (2/3 vote)"].strip().lower()
        part = _third(key) if _bucket(key, "held") % 4 == 0 else "train"
        yield "films", part, (text, label, key)


def embedded(data: Path, vector: Callable[[str], Vector], known: set[str]) -> list[Rows]:
    """All lines of the folder `data` with a label in `known`, as vectors.

    Training lines whose normalised text also stands among held-out lines are dropped. Raises
    SettingsError, naming it, when a file is missing.
    """
    groups: dict[tuple[str, str], list[Line]] = {}
    for source, part, line in _lines(data):
        if line[1] in known:
            groups.setdefault((source, part), []).append(line)
    held = {_normal(text) for (_, part), lines in groups.items() if part != "train" for text, _, _ in lines}
    rows = []
    for (source, part), lines in groups.items():
        kept = [line for line in lines if part != "train" or line[2] not in held]
        sys.stdout.write(
            f"reading {len(kept)} lines of {source} ({part}), {len(lines) - len(kept)} dropped\n"
        )
        vectors = np.stack([vector(text) for text, _, _ in kept])
        rows.append(Rows(source, part, vectors, np.array([label for _, label, _ in kept])))
    return rows


def only(rows: Sequence[Rows], part: str, classes: Sequence[str]) -> list[Rows]:
    """The rows of one part that carry one of these labels, source by source, empty ones left out."""
    mine = [(r, np.isin(r.labels, classes)) for r in rows if r.part == part]
    return [Rows(r.source, part, r.vectors[keep], r.labels[keep]) for r, keep in mine if keep.any()]


def _csv(data: Path, name: str) -> list[dict[str, str]]:
    path = data / SOURCES[name]
    try:
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    except FileNotFoundError as error:
        raise SettingsError(f"{path} is missing; --data names a folder that holds it.") from error


def _normal(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _bucket(key: str, salt: str) -> int:
    return hashlib.sha256(f"{salt}:{key}".encode()).digest()[0]


def _third(key: str) -> str:
    return "tune" if _bucket(key, "tune") % 3 == 0 else "report"
