"""Authored sentences that people did not find helpful: where each stands, how often, and what was said of it.

A list for a person to decide on. Nothing here changes a word; proposals.md says so at the head of the file.
Knows nothing of how feedback came about.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from agent.guard import split
from agent.responders.replies import particular

__all__ = ["Heard", "Proposal", "places", "proposed", "written"]

HEAD = Path(__file__).with_suffix(".md")
# Where a reply's sentences stand; prompts, rules and what the page says are no replies.
FILES = (
    *("replies_support.yaml", "replies_moves.yaml", "replies_heard.yaml", "replies_told.yaml"),
    *("ideas.yaml", "crisis.yaml"),
    *("es/replies_support.yaml", "es/replies_moves.yaml", "es/replies_heard.yaml", "es/ideas.yaml"),
    "es/crisis.yaml",
)
SHORT = 8  # letters of a sentence beside its slots, below which anything would match it


class Heard(NamedTuple):
    """A reply and what was said of it."""

    reply: str
    helpful: bool
    why: str = ""


@dataclass
class Proposal:
    """sentence: FILE#path of the words. text: as it stands there. why: what reports said."""

    sentence: str
    text: str
    unhelpful: int = 0
    helpful: int = 0
    why: list[str] = field(default_factory=list)


def proposed(found: Iterable[Heard]) -> list[Proposal]:
    """The sentences in replies that did not help, the most often blamed first."""
    told: dict[str, Proposal] = {}
    for one in found:
        for sentence in dict.fromkeys(split(one.reply)):
            place, text = _place(sentence)
            if not place:
                continue
            mine = told.setdefault(place, Proposal(place, text))
            mine.helpful += one.helpful
            mine.unhelpful += not one.helpful
            if one.why and one.why not in mine.why:
                mine.why.append(one.why)
    blamed = [one for one in told.values() if one.unhelpful]
    return sorted(blamed, key=lambda one: (one.helpful - one.unhelpful, one.sentence))


def written(found: Iterable[Proposal], path: Path) -> None:
    """The list as YAML, with room for what a person decides."""
    rows = [
        {
            "sentence": one.sentence,
            "text": one.text,
            "not helpful": one.unhelpful,
            "helpful": one.helpful,
            "why": one.why,
            "instead": None,
            "accepted_by": None,
        }
        for one in found
    ]
    head = "".join(f"# {line}".rstrip() + "\n" for line in HEAD.read_text("utf-8").splitlines())
    path.write_text(head + yaml.safe_dump(rows, sort_keys=False, allow_unicode=True, width=110), "utf-8")


@cache
def places() -> dict[str, tuple[str, str]]:
    """Sentence, as it stands in the words -> (FILE#path, whole variant)."""
    found: dict[str, tuple[str, str]] = {}
    for name in (*FILES, *particular()):
        source = files("agent.words") / name
        if not source.is_file():
            continue
        for path, text in _leaves(yaml.load(source.read_text("utf-8"), Loader=yaml.CSafeLoader), ""):
            for sentence in split(text):
                found.setdefault(sentence, (f"{name}#{path}", text))
    return found


def _leaves(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, str):
        if " " in node and re.search(r"[.?…]$", node.strip()):
            yield path.removeprefix("."), node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _leaves(value, f"{path}.{key}")
    elif isinstance(node, list):
        for at, value in enumerate(node):
            yield from _leaves(value, f"{path}.{at}")


@cache
def _slotted() -> list[tuple[re.Pattern[str], str]]:
    """Sentences with something of the person's in them, those that say most of their own first."""
    found = []
    for sentence in places():
        parts = re.split(r"\$\{?[A-Za-z_]+\}?", sentence)
        if len(parts) > 1 and sum(map(len, parts)) >= SHORT:
            found.append((sum(map(len, parts)), ".+".join(map(re.escape, parts)), sentence))
    return [(re.compile(pattern), sentence) for _, pattern, sentence in sorted(found, reverse=True)]


def _place(sentence: str) -> tuple[str, str]:
    known = places()
    if sentence in known:
        return known[sentence]
    return next((known[text] for pattern, text in _slotted() if pattern.fullmatch(sentence)), ("", ""))
