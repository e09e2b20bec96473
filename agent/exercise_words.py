"""The files of the exercises as they are read: words/exercises/, and what is common to them in practice.yaml.

Strict: a key that is missing, unknown or of the wrong kind is refused with its name. Nothing is decided here.
"""

from functools import cache
from typing import Literal

from agent.words import Strict, load, named

__all__ = ["Exercise", "ExerciseStep", "PracticeWords", "exercises", "load_practice_words"]

Command = Literal["go", "stop", "other", "hint", "back", "resume"]


class ExerciseStep(Strict):
    """One step: what is said (a variant for each round), and more for who is unsure."""

    id: str
    reply: Literal["done", "list", "words"]
    takes: Literal["", "telling", "letter"] = ""
    keeps: Literal["", "chosen"] = ""
    heard: tuple[str, ...] = ()
    say: tuple[str, ...]
    hint: tuple[str, ...]


class Exercise(Strict):
    """One file of words/exercises/; its keys are explained at the top of words/practice.yaml."""

    reviewed_by: str | None
    date: object
    grade: int
    title: str
    idea: str
    source: str
    why: str
    reason: tuple[str, ...]
    named: tuple[str, ...]
    needs: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    begins: tuple[str, ...]
    steps: tuple[ExerciseStep, ...]
    ends: tuple[str, ...]
    worse: tuple[str, ...] = ()
    instead: str = ""
    offered: tuple[str, ...] = ()


class Listing(Strict):
    """Words around the printed exercises."""

    title: str
    lead: str
    source: str
    unreviewed: str
    either: str
    unknown: str


class PracticeWords(Strict):
    """agent/words/practice.yaml; see its header."""

    reviewed_by: str | None
    date: object
    grade: int
    order: tuple[str, ...]
    general: tuple[str, ...]
    request: str
    around: frozenset[str]
    unless: tuple[str, ...]
    keeps_asking: str
    commands: dict[Command, frozenset[str]]
    refuses: frozenset[str]
    tried: tuple[str, ...]
    whys: tuple[str, ...]
    news: tuple[str, ...]
    leaves: tuple[str, ...]
    to_us: tuple[str, ...]
    asides: frozenset[str]
    always: frozenset[str]
    myself: frozenset[str]
    most: dict[Literal["done", "list", "words"], int]
    worse: tuple[str, ...]
    hurts: tuple[str, ...]
    better: tuple[str, ...]
    same: tuple[str, ...]
    manual: tuple[str, ...]
    onward: tuple[str, ...]
    told: tuple[str, ...]
    later: frozenset[str] = frozenset()
    resumed: tuple[str, ...]
    above: tuple[str, ...]
    free: tuple[str, ...]
    back: tuple[str, ...]
    again: tuple[str, ...]
    slowly: tuple[str, ...]
    paused: tuple[str, ...]
    stay: tuple[str, ...]
    others: tuple[str, ...]
    none_left: tuple[str, ...]
    said_better: tuple[str, ...]
    said_same: tuple[str, ...]
    said_worse: tuple[str, ...]
    said_other: tuple[str, ...]
    chosen: tuple[str, ...]
    known: tuple[str, ...]
    list: Listing


@cache
def load_practice_words(language: str = "en") -> PracticeWords:
    """practice.yaml, read once a language. Raises WordsError when it is damaged."""
    return load(named("practice.yaml", language), PracticeWords)


@cache
def exercises(language: str = "en") -> dict[str, Exercise]:
    """Every exercise by its name (its file's), in the order of choice. Raises WordsError."""
    order = load_practice_words(language).order
    return {name: load(named(f"exercises/{name}.yaml", language), Exercise) for name in order}
