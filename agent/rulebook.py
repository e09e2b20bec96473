"""The rules of agent/words/guard*.yaml and agent/words/es/guard.yaml: their shape, checked and compiled.

It knows nothing of replies, budgets or people; `agent.guard` decides when a rule is asked.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from pydantic import Field, field_validator

from agent.sentences import pattern
from agent.words import Strict, load

__all__ = ["Compiled", "Guard", "GuardWords", "Rule", "load_guard"]

_MORE = ("guard_acts.yaml", "guard_topics.yaml")
_SPANISH = "es/guard.yaml"
_UNBOUNDED = re.compile(r"(?<!\\)[.)][*+]|\\[1-9]|\{\d+,\}")


class Rule(Strict):
    """One thing never to say.

    view: text matched against (`plain`: folded, lower case; `own`: the same without double quotes, which
    are words for someone else to say; `raw`: as written). Patterns of the first two start at a word.
    unless: spans cut out before the patterns run, so that a safe phrase cannot excuse an unsafe one
    beside it. heard, unheard: the rule holds only when the person's words match, or do not match, one of
    these. echo: a match whose `term` (or whole) the person said themselves is no hit.
    """

    id: str = Field(pattern=r"^[a-z_]+$")
    why: str
    view: Literal["plain", "own", "raw"] = "plain"
    when: Literal["always", "support", "crisis"] = "always"
    echo: bool = False
    heard: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    patterns: tuple[str, ...] = Field(min_length=1)
    unless: tuple[str, ...] = ()
    hits: list[str] = Field(min_length=1)
    misses: list[str] = Field(min_length=1)

    @field_validator("patterns", "unless", "heard", "unheard")
    @classmethod
    def _bounded(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for source in patterns:
            if _UNBOUNDED.search(source):
                raise ValueError(f"{source} repeats a group or '.' without a bound, or refers back")
        return patterns


class GuardWords(Strict):
    """The file guard.yaml; its comments say what each part is for."""

    reviewed_by: str | None
    limits: dict[str, str]
    parts: dict[str, str]
    asks_contact: str
    tongues: list[str]
    rules: list[Rule]


class MoreRules(Strict):
    """guard_acts.yaml or guard_topics.yaml: rules that use the parts of their own file and of guard.yaml."""

    reviewed_by: str | None
    parts: dict[str, str]
    rules: list[Rule]


class SpanishRules(MoreRules):
    """es/guard.yaml: rules for replies in Spanish, and how a number is asked for in it."""

    asks_contact: str


@dataclass(frozen=True)
class Compiled:
    """A rule, and what of it is matched."""

    rule: Rule
    patterns: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    heard: re.Pattern[str] | None
    unheard: re.Pattern[str] | None


@dataclass(frozen=True)
class Guard:
    """The rules, compiled. spanish: those for replies in Spanish only.

    words: guard.yaml. why: the reason of every rule by id, the counted ones too.
    """

    words: GuardWords
    rules: tuple[Compiled, ...]
    spanish: tuple[Compiled, ...]
    asks_contact: re.Pattern[str]
    tongues: frozenset[str]

    @property
    def why(self) -> dict[str, str]:
        return self.words.limits | {
            compiled.rule.id: compiled.rule.why for compiled in (*self.rules, *self.spanish)
        }


@cache
def load_guard() -> Guard:
    """The rules of agent/words/guard*.yaml, compiled once. Raises WordsError when a file is broken."""
    words = load("guard.yaml", GuardWords)
    books: list[GuardWords | MoreRules] = [words, *(load(name, MoreRules) for name in _MORE)]
    spanish = load(_SPANISH, SpanishRules)
    parts = {key: part for book in (*books, spanish) for key, part in book.parts.items()}

    def build(sources: Sequence[str], start: str = r"\b") -> re.Pattern[str] | None:
        return pattern(f"{start}(?:{'|'.join(sources)})", parts) if sources else None

    def rule(each: Rule) -> Compiled:
        start = "" if each.view == "raw" else r"\b"
        # An echo rule needs each pattern's own `term`; the others run faster as one alternation.
        groups = [(source,) for source in each.patterns] if each.echo else [each.patterns]
        patterns = tuple(filter(None, (build(group, start) for group in groups)))
        return Compiled(each, patterns, build(each.unless, start), build(each.heard), build(each.unheard))

    return Guard(
        words=words,
        rules=tuple(rule(each) for book in books for each in book.rules),
        spanish=tuple(map(rule, spanish.rules)),
        asks_contact=pattern(f"{words.asks_contact}|{spanish.asks_contact}", parts),
        tongues=frozenset(words.tongues),
    )
