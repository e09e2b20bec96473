"""The words of a tongue: the shape of agent/words/tongues, and what they are as risk words.

Schema and spelling only; which tongue a message may hold, and what is heard in it, is tongues.py.
"""

import re
import unicodedata
from collections.abc import Callable
from functools import cache

from pydantic import Field

from agent.reading.ladder import Kind, Level, Subject
from agent.reading.patterns import tokens
from agent.reading.riskwords import ContextWords, RiskWords, RuleWords, Turned, Twin
from agent.words import SPOKEN, Strict, load

__all__ = ["Meanings", "Said", "TongueWords", "bare", "load_meanings", "load_words", "risk_words"]

_MARK = re.compile(r"-?\(|[)\[\]|^$]|#+|\{[a-z_]+\}|\.\.\d*")


class Said(Strict):
    """How one rule of tongues/rules.yaml is said in a tongue; keys as in risk.yaml."""

    patterns: tuple[str, ...]
    unless: tuple[str, ...] = ()
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    twins: tuple[Twin, ...] = ()


class Meaning(Strict):
    """What a rule means in every tongue; keys as in risk.yaml."""

    kind: Kind
    level: Level
    in_context: Level | None = None
    subject: Subject = "self"
    marks: tuple[str, ...] = ()
    escalate: bool | None = None
    negated: Turned = "low"
    past: Turned = "low"


class Meanings(Strict):
    """Schema of tongues/rules.yaml. english: words that ask no tongue, for they are English too."""

    reviewed_by: str | None
    english: frozenset[str]
    macros: dict[str, str]
    rules: dict[str, Meaning]


class TongueWords(Strict):
    """Schema of a tongue. calls: words that say it may be spoken; script: a regular expression that
    does.

    letters, folds: what is done to every word of the message, and of this file, before they are
    compared: letters of another script written in this one; then regular expressions and what takes
    their place, in this order; apostrophes that are left go. typos: words with their plain ones. like:
    a tongue whose words it has as well, written its own way, but for the rules in `alone`.
    """

    reviewed_by: str | None
    language: str
    script: str = ""
    calls: tuple[str, ...]
    letters: dict[str, str] = Field(default_factory=dict)
    folds: tuple[tuple[str, str], ...] = ()
    typos: dict[str, str] = Field(default_factory=dict)
    like: str = ""
    alone: tuple[str, ...] = ()
    macros: dict[str, str] = Field(default_factory=dict)
    idioms: tuple[str, ...] = ()
    context: ContextWords | None = None
    rules: dict[str, Said] = Field(default_factory=dict)


@cache
def load_meanings() -> Meanings:
    return load("tongues/rules.yaml", Meanings)


def load_words(name: str) -> TongueWords:
    """The words of a tongue, with those of the one it is like."""
    words = load(f"tongues/{name}.yaml", TongueWords)
    if not words.like:
        return words
    other = load(f"tongues/{words.like}.yaml", TongueWords)
    own = words.rules
    none = Said(patterns=(), hits=(), misses=())  # the other's examples and excuses are in its own letters
    rules = {
        key: own.get(key, none).model_copy(
            update={
                "patterns": (*(() if key in words.alone else said.patterns), *own.get(key, none).patterns)
            }
        )
        for key, said in other.rules.items()
        if key in own or key not in words.alone
    }
    return words.model_copy(
        update={
            "macros": {**other.macros, **words.macros},
            "idioms": (*other.idioms, *words.idioms),
            "context": words.context or other.context,
            "rules": rules,
        }
    )


def risk_words(name: str, words: TongueWords, fold: Callable[[str], str]) -> RiskWords:
    """The words of a tongue as risk words, each folded."""
    means = load_meanings()
    foreign = () if words.language in SPOKEN else ("language",)

    def one(source: str) -> str:
        return " ".join(part if _MARK.fullmatch(part) else _folded(part, fold) for part in tokens(source))

    def each(sources: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(one, sources))

    rules = [
        RuleWords(
            id=f"{name}.{key}",
            **{**means.rules[key].model_dump(), "marks": (*means.rules[key].marks, *foreign)},
            patterns=each(said.patterns),
            unless=each(said.unless),
            hits=said.hits,
            misses=said.misses,
            twins=said.twins,
        )
        for key, said in words.rules.items()
    ]
    around = words.context.model_dump() if words.context else dict.fromkeys(ContextWords.model_fields, ())
    context = {key: each(sources) for key, sources in around.items() if key != "past_words"}
    return RiskWords(
        reviewed_by=words.reviewed_by,
        macros={key: one(source) for key, source in {**means.macros, **words.macros}.items()},
        typos={},
        keep=(),
        idioms=each(words.idioms),
        context=ContextWords(**context, past_words=tuple(map(fold, around["past_words"]))),
        scenes={},
        rules=tuple(rules),
        answers={},
    )


def _folded(word: str, fold: Callable[[str], str]) -> str:
    stem = word.rstrip("*")
    return (fold(bare(stem)) or stem) + word[len(stem) :]


def bare(text: str) -> str:
    if text.isascii():
        return text.lower()
    marks = unicodedata.normalize("NFD", text.lower())
    return "".join(char for char in marks if not "\u0300" <= char < "\u0370")
