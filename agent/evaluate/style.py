"""How replies are built: length, reading grade, variety of words, what comes back within a conversation.

The grade is Flesch and Kincaid's (1975), with syllables told by vowels: near enough for a mean, rough for
one sentence. distinct-1 and -2 are Li et al.'s (2016). Knows nothing of what a reply means.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from agent import sentences
from agent.evaluate.turns import Turn
from agent.words import Strict, load

__all__ = ["content", "distinct", "grade", "measured", "meets", "safety", "syllables", "words"]

SAMPLE = 2000  # words over which variety is counted, so that sources of any size compare
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


class Told(Strict):
    """The file style.yaml."""

    plain: str
    meets: tuple[str, ...]
    safety: tuple[str, ...]


@dataclass(frozen=True)
class _Reader:
    """style.yaml, compiled."""

    plain: frozenset[str]
    meets: re.Pattern[str]
    safety: re.Pattern[str]


@cache
def _reader() -> _Reader:
    told = load("style.yaml", Told, Path(__file__).parent)
    return _Reader(
        plain=frozenset(told.plain.split()),
        meets=re.compile(rf"\b(?:{'|'.join(map(re.escape, told.meets))})"),
        safety=re.compile(rf"\b(?:{'|'.join(map(re.escape, told.safety))})\b"),
    )


def words(text: str) -> list[str]:
    """The words of a text in lower case."""
    return [one.replace("’", "'") for one in _WORD.findall(text.lower())]


def content(text: str) -> set[str]:
    """The roots of the words that tell something; cut short, so that walk and walking are one."""
    found = (one.partition("'")[0] for one in words(text))
    return {_root(one) for one in found if len(one) > 2 and one not in _reader().plain}


def _root(word: str) -> str:
    cut = re.sub(r"(?:ing|ed|es|s|ly)$", "", word)
    return (cut if len(cut) > 2 else word)[:6]


def meets(text: str) -> bool:
    """Whether a feeling, or how hard something is, is met in these words."""
    return bool(_reader().meets.search(sentences.fold_text(text)))


def safety(text: str) -> bool:
    """Whether it speaks of safety, dying or harm."""
    return bool(_reader().safety.search(sentences.fold_text(text)))


def syllables(word: str) -> int:
    """Of an English word, by its groups of vowels; a silent e at the end does not count."""
    groups = len(re.findall(r"[aeiouy]+", word))
    silent = (word.endswith("e") and not word.endswith(("le", "ee"))) or re.search(r"[^aeioutd]ed$", word)
    return max(1, groups - bool(silent))


def grade(text: str) -> float:
    """The school year (US) that can read it."""
    told = words(text)
    if not told:
        return 0.0
    parts = max(1, len(sentences.split(text)))
    spoken = sum(syllables(re.sub("[^a-z]", "", one)) for one in told)
    return 0.39 * len(told) / parts + 11.8 * spoken / len(told) - 15.59


def distinct(texts: Iterable[str], size: int) -> float:
    """The share of different runs of `size` words among the first SAMPLE of all texts."""
    runs: list[tuple[str, ...]] = []
    for text in texts:
        told = words(text)
        runs += list(pairwise(told)) if size == 2 else [(one,) for one in told]
    runs = runs[:SAMPLE]
    return len(set(runs)) / max(1, len(runs))


def measured(talks: Sequence[Sequence[Turn]]) -> dict[str, Any]:
    """The figures of these conversations."""
    turns = [turn for talk in talks for turn in talk]
    lengths = [len(turn.said.split()) for turn in turns]
    told = [turn.said for turn in turns]
    again, openings, count = _again(talks)
    return {
        "words": round(float(np.mean(lengths)), 1),
        "words_p95": round(float(np.percentile(lengths, 95)), 1),
        "questions": round(float(np.mean([sentences.questions(one) for one in told])), 3),
        "grade": round(float(np.mean([grade(one) for one in told])), 2),
        "distinct_1": round(distinct(told, 1), 4),
        "distinct_2": round(distinct(told, 2), 4),
        "sentences": count,
        "repeated_sentences": again,
        "repeated_openings": openings,
    }


def _again(talks: Sequence[Sequence[Turn]]) -> tuple[int, int, int]:
    """Sentences and openings that came before in the same conversation, and all sentences."""
    again = openings = count = 0
    for talk in talks:
        said: set[str] = set()
        begun: set[tuple[str, ...]] = set()
        for turn in talk:
            for one in sentences.split(turn.said):
                again += one.casefold() in said
                said.add(one.casefold())
                count += 1
            opening = tuple(words(turn.said)[:3])
            openings += opening in begun
            begun.add(opening)
    return again, openings, count
