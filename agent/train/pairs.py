"""Messages with replies that people judged: EPITOME and DiaSafety.

Sharma et al., EMNLP 2020, and Sun et al., ACL 2022. Each pair carries its label, what it must not be
parted from when the set is split, and whether it is held back. Knows no model.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from agent.evaluate.scoring import MECHANISMS, SAFETY, held_back
from agent.tables import known, rows

__all__ = ["LEVELS", "SAFE", "Pair", "apart", "by_category", "files_of", "levels", "safety"]

FILES = {name: f"epitome/{name.replace(' ', '-')}-reddit.csv" for name in MECHANISMS}
SAFE = ("Safe", "Unsafe")
LEVELS = ("0", "1", "2")


@dataclass(frozen=True)
class Pair:
    """A message, a reply to it, the reply's label, and what it must not be parted from."""

    heard: str
    said: str
    label: int
    group: str
    held: bool


def files_of(data: Path, name: str) -> list[Path]:
    """Where the pairs of a scorer stand; of two files the second is held back."""
    if name == SAFETY:
        return [data / "reply_safety" / f"diasafety_{part}.csv" for part in ("train", "val")]
    return [data / FILES[name]]


def levels(path: Path) -> list[Pair]:
    """The pairs of one mechanism of EPITOME, by level."""
    return [
        Pair(
            row["seeker_post"],
            row["response_post"],
            LEVELS.index(known(row["level"], LEVELS, path, "level")),
            row["sp_id"],
            held_back(row["sp_id"]),
        )
        for row in rows(path, "sp_id", "seeker_post", "response_post", "level")
    ]


def safety(paths: Sequence[Path]) -> list[Pair]:
    """DiaSafety's pairs, safe or not; those of its second file are held back."""
    return [
        Pair(
            row["context"],
            row["response"],
            SAFE.index(known(row["label"], SAFE, path, "label")),
            row["context"],
            held=at > 0,
        )
        for at, path in enumerate(paths)
        for row in rows(path, "context", "response", "category", "label")
    ]


def apart(data: Path) -> dict[str, Any]:
    """How far two people's replies to one post of EPITOME are apart, by the levels that annotators gave."""
    found: dict[str, list[float]] = {}
    for name, file in FILES.items():
        posts: dict[str, dict[str, int]] = {}
        for row in rows(data / file, "sp_id", "rp_id", "level"):
            posts.setdefault(row["sp_id"], {})[row["rp_id"]] = int(row["level"])
        for replies in posts.values():
            given = list(replies.values())
            found.setdefault(name, []).extend(
                abs(a - b) for at, a in enumerate(given) for b in given[at + 1 :]
            )
    every = [value for values in found.values() for value in values]
    means = {name: round(float(np.mean(values)), 3) if values else None for name, values in found.items()}
    return {
        "pairs": len(every) // len(FILES),
        "all": round(float(np.mean(every)), 3) if every else None,
        **means,
    }


def by_category(path: Path) -> dict[str, list[Pair]]:
    """DiaSafety's pairs, all held back, by what kind of danger they are judged for."""
    found: dict[str, list[Pair]] = {}
    for row in rows(path, "context", "response", "category", "label"):
        label = SAFE.index(known(row["label"], SAFE, path, "label"))
        pair = Pair(row["context"], row["response"], label, row["context"], held=True)
        found.setdefault(row["category"], []).append(pair)
    return dict(sorted(found.items()))
