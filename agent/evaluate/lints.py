"""Counts what a reply must never do and must show: lints.yaml, read turn by turn.

What a pattern can tell stands in the file; what has to be counted, in `agent.evaluate.counted`, which it
calls by name. Written apart from the guard, and as deaf as it to wording that nobody thought of.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from agent import sentences
from agent.errors import WordsError
from agent.evaluate import style
from agent.evaluate.counted import MEASURES
from agent.evaluate.metrics import wilson
from agent.evaluate.turns import Reply, Turn
from agent.reading.ladder import Level
from agent.words import Strict, load

__all__ = ["Compiled", "Example", "Lint", "load_lints", "measured", "per_hundred", "struck", "turn_of"]

FILE = Path(__file__).parent / "lints.yaml"


class Example(Strict):
    """A turn that a lint must find or leave alone; a bare string in the file is the reply."""

    reply: str
    heard: str = ""
    before: tuple[tuple[str, str], ...] = ()
    escalated: bool = False
    risk: Level = "none"
    before_risk: Level = "none"
    intent: str = ""
    lines: int = 0
    sources: tuple[str, ...] = ()


class Check(Strict):
    """One detector; see the head of lints.yaml."""

    heard: tuple[str, ...] = ()
    unheard: tuple[str, ...] = ()
    heard_before: tuple[str, ...] = ()
    lifted: tuple[str, ...] = ()
    escalated: bool | None = None
    afresh: bool = False
    risk: tuple[Level, ...] = ()
    says: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    echo: bool = False
    measure: str = ""


class Lint(Strict):
    """One thing never to do (N) or to show (M)."""

    id: str = Field(pattern=r"^[NM]\d{1,2}$")
    what: str
    held: str = ""
    checks: tuple[Check, ...] = ()
    hits: tuple[str | Example, ...] = ()
    misses: tuple[str | Example, ...] = ()

    @property
    def kind(self) -> Literal["never", "must"]:
        """What the letter of its id stands for."""
        return "never" if self.id.startswith("N") else "must"


class Lints(Strict):
    """The file lints.yaml."""

    parts: dict[str, str]
    lints: tuple[Lint, ...]


@dataclass(frozen=True)
class _Detector:
    """A check, compiled."""

    check: Check
    heard: tuple[re.Pattern[str], ...]
    unheard: tuple[re.Pattern[str], ...]
    heard_before: tuple[re.Pattern[str], ...]
    lifted: tuple[re.Pattern[str], ...]
    says: tuple[re.Pattern[str], ...]
    lacks: tuple[re.Pattern[str], ...]
    unless: tuple[re.Pattern[str], ...]

    def due(self, turn: Turn) -> bool:
        """Whether the check has anything to say of this turn."""
        heard, check = _folded(turn.heard), self.check
        if check.escalated not in (None, turn.reply.escalated) or _any(self.unheard, heard):
            return False
        if check.afresh and turn.before and turn.before[-1].reply.escalated:
            return False  # care goes on, which is no alarm
        if (check.risk and turn.reply.risk not in check.risk) or (self.heard and not _any(self.heard, heard)):
            return False
        return not self.heard_before or self._wished([*(_folded(one.heard) for one in turn.before), heard])

    def _wished(self, messages: Sequence[str]) -> bool:
        """Whether the person asked for it in one of these and has not taken it back since."""
        wished = False
        for one in messages:
            wished = (wished or _any(self.heard_before, one)) and not _any(self.lifted, one)
        return wished

    def strikes(self, turn: Turn) -> bool:
        """Whether a turn for which it is due breaks it."""
        said = _cut(_folded(sentences.unquoted(turn.said)), self.unless)
        known = style.content(" ".join(one.heard for one in (*turn.before, turn)) if self.check.echo else "")
        for pattern in self.says:
            if any(not known or not style.content(found[0]) <= known for found in pattern.finditer(said)):
                return True
        if self.lacks and not _any(self.lacks, said):
            return True
        return bool(self.check.measure) and MEASURES[self.check.measure](turn)


@dataclass(frozen=True)
class Compiled:
    """A lint with its detectors."""

    lint: Lint
    detectors: tuple[_Detector, ...]


@cache
def load_lints(path: Path = FILE) -> tuple[Compiled, ...]:
    """The lints. Raises WordsError when the file breaks its schema or names an unknown measure."""
    found = load(path.name, Lints, path.parent)
    for lint in found.lints:
        for check in lint.checks:
            if check.measure and check.measure not in MEASURES:
                raise WordsError(f"{path.name}, {lint.id}: no measure is called {check.measure!r}.")
        if bool(lint.held) == bool(lint.checks):
            raise WordsError(f"{path.name}, {lint.id}: it needs checks, or says where it is held.")
    return tuple(
        Compiled(lint, tuple(_detector(check, found.parts) for check in lint.checks)) for lint in found.lints
    )


def _detector(check: Check, parts: Mapping[str, str]) -> _Detector:
    def compiled(patterns: Sequence[str]) -> tuple[re.Pattern[str], ...]:
        return tuple(sentences.pattern(one, parts) for one in patterns)

    return _Detector(
        check,
        compiled(check.heard),
        compiled(check.unheard),
        compiled(check.heard_before),
        compiled(check.lifted),
        compiled(check.says),
        compiled(check.lacks),
        compiled(check.unless),
    )


def turn_of(example: str | Example) -> Turn:
    """The turn that an example of the file describes."""
    one = Example(reply=example) if isinstance(example, str) else example
    before = tuple(
        Turn(heard, Reply(said, risk=one.before_risk, escalated=one.before_risk != "none"))
        for heard, said in one.before
    )
    reply = Reply(one.reply, one.risk, one.escalated, lines=one.lines, intent=one.intent, sources=one.sources)
    return Turn(one.heard, reply, before)


def struck(lint: Compiled, turn: Turn) -> bool | None:
    """Whether the turn breaks the lint; None when it has nothing to say of it."""
    due = [one for one in lint.detectors if one.due(turn)]
    return any(one.strikes(turn) for one in due) if due else None


def measured(turns: Sequence[Turn]) -> dict[str, tuple[int, int]]:
    """By lint: turns that break it, and turns of which it had something to say. Those held elsewhere lack."""
    table: dict[str, tuple[int, int]] = {}
    for lint in load_lints():
        if lint.detectors:
            found = [one for one in (struck(lint, turn) for turn in turns) if one is not None]
            table[lint.lint.id] = (sum(found), len(found))
    return table


def per_hundred(turns: Sequence[Turn]) -> dict[str, Any]:
    """Hits of each kind per hundred turns, and by lint its share of the turns it had a say in."""
    found, many = measured(turns), max(1, len(turns))
    kinds = {one.lint.id: one.lint.kind for one in load_lints()}
    per = {
        kind: round(100 * sum(hits for name, (hits, _) in found.items() if kinds[name] == kind) / many, 2)
        for kind in ("never", "must")
    }
    each = {name: round(100 * hits / many, 2) for name, (hits, _) in found.items()}
    return {**per, "per_hundred": each, "of_due": {name: wilson(*told) for name, told in found.items()}}


def _folded(text: str) -> str:
    """A text as the patterns expect it; a line stays a line, so that a list can be told."""
    return "\n".join(map(sentences.fold_text, text.splitlines()))


def _any(patterns: Sequence[re.Pattern[str]], text: str) -> bool:
    return any(pattern.search(text) for pattern in patterns)


def _cut(text: str, patterns: Sequence[re.Pattern[str]]) -> str:
    for pattern in patterns:
        text = pattern.sub(" ~ ", text)
    return text
