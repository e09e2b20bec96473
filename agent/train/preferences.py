"""Pairs of replies to one moment, of which the first is preferred, as files: what DPO learns from.

A moment is the very brief of a turn, so that a pair is learned behind the prompt that the app asks with.
What comes from use is learned only where a named person has reviewed it. Knows nothing of models and of how
a pair comes about (agent.train.pairing); prints no text.
"""

import hashlib
import json
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NotRequired, TypedDict

from agent.brief import Brief
from agent.errors import DataError
from agent.train.dialogue_rows import Malformed

__all__ = ["USE", "Gathered", "Preference", "load", "reviewed", "write"]

USE = "use"  # the source of what people marked or reported


class Preference(TypedDict):
    """brief: the moment. chosen, rejected: whole replies. why: rules broken, or what else spoke against it.

    reviewed_by: whoever read it, for what comes from use; without a name nothing is learned from it.
    """

    brief: Brief
    chosen: str
    rejected: str
    why: list[str]
    source: str
    group: str
    reviewed_by: NotRequired[str | None]


@dataclass
class Gathered:
    """The two parts, and what became of the rest. rules: how often each was broken."""

    train: list[Preference] = field(default_factory=list)
    valid: list[Preference] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    malformed: list[Malformed] = field(default_factory=list)
    read: int = 0


def write(gathered: Gathered, folder: Path) -> dict[str, Any]:
    """train.jsonl, valid.jsonl and report.json in `folder`; the report."""
    told: dict[str, Any] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, pairs in (("train", gathered.train), ("valid", gathered.valid)):
            text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in pairs)
            (folder / f"{part}.jsonl").write_text(text, "utf-8")
            told[part] = {
                "pairs": len(pairs),
                "groups": len({one["group"] for one in pairs}),
                "sources": dict(Counter(one["source"] for one in pairs)),
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
        told |= {
            "read": gathered.read,
            "left out": dict(gathered.left.most_common()),
            "why": dict(gathered.rules.most_common()),
            "malformed": [one._asdict() for one in gathered.malformed],
        }
        (folder / "report.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}; choose another folder.") from error
    return told


def load(folder: Path) -> dict[str, list[Preference]]:
    """The parts that `write` wrote. DataError when one is missing or empty, or was reviewed by nobody."""
    parts: dict[str, list[Preference]] = {}
    for part in ("train", "valid"):
        path = folder / f"{part}.jsonl"
        if not path.is_file():
            raise DataError(f"{path} is missing; make it with `hearken data preferences … --out {folder}`.")
        try:
            parts[part] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            fit = all(one["brief"]["plan"] and one["chosen"] and one["rejected"] for one in parts[part])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} was not written by `hearken data preferences`; make it again."
            ) from error
        if not parts[part] or not fit:
            raise DataError(f"{path} holds no pair of replies; give more data.")
        unread = sum(one["source"] == USE and not one.get("reviewed_by") for one in parts[part])
        if unread:
            raise DataError(
                f"{path} holds {unread} pairs from use that nobody has reviewed: read them, write your name "
                "into `reviewed_by` of those that are right, and take the others out."
            )
    return parts


def reviewed(path: Path) -> list[Preference]:
    """The pairs from use that somebody put their name to; the others are left alone."""
    try:
        rows: list[Preference] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        return [one for one in rows if str(one.get("reviewed_by") or "").strip() and one["brief"]]
    except (OSError, ValueError, AttributeError, KeyError) as error:
        raise DataError(f"{path} cannot be read; make it again with `hearken data feedback`.") from error
