"""What may be said: a pure judge of one sentence, and its fold over a whole reply.

Every sentence, whoever wrote it, passes here before anyone reads it. The rules are data
(agent/words/guard.yaml); this module only matches and counts. It fails closed: what it cannot read
(another language outside a crisis reply, a strange script, a half sentence) is not said.

It does not know whether a sentence is true, kind or apt. It judges English wording, sentence by sentence;
a harm spread over several harmless sentences, or put in words nobody thought of, passes.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Literal

from pydantic import Field, field_validator

from agent import sentences as text
from agent.brief import Replaced
from agent.sentences import clean, contacts, registered, split
from agent.words import Strict, load

__all__ = ["Bounds", "Judged", "breaches", "clean", "contacts", "fold", "judge", "load_guard", "registered", "sift", "split"]

_LONGEST = 600  # characters; bounds the work of every pattern, whatever a model emits
_RECENT = 8  # sentences that a crisis reply may not say again; older ones may be all that is left to say
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
    heard: list[str] = []
    unheard: list[str] = []
    patterns: list[str] = Field(min_length=1)
    unless: list[str] = []
    hits: list[str] = Field(min_length=1)
    misses: list[str] = Field(min_length=1)

    @field_validator("patterns", "unless", "heard", "unheard")
    @classmethod
    def _bounded(cls, patterns: list[str]) -> list[str]:
        for pattern in patterns:
            if _UNBOUNDED.search(pattern):
                raise ValueError(f"{pattern} repeats a group or '.' without a bound, or refers back")
        return patterns


class GuardWords(Strict):
    """The file guard.yaml; its comments say what each part is for."""

    reviewed_by: str | None
    limits: dict[str, str]
    parts: dict[str, str]
    asks_contact: str
    tongues: list[str]
    rules: list[Rule]


@dataclass(frozen=True)
class _Compiled:
    rule: Rule
    patterns: tuple[re.Pattern[str], ...]
    unless: re.Pattern[str] | None
    heard: re.Pattern[str] | None
    unheard: re.Pattern[str] | None


@dataclass(frozen=True)
class Guard:
    """guard.yaml, checked and compiled. why: the reason of every rule by id, the counted ones included."""

    words: GuardWords
    rules: tuple[_Compiled, ...]
    asks_contact: re.Pattern[str]
    tongues: frozenset[str]

    @property
    def why(self) -> dict[str, str]:
        return self.words.limits | {compiled.rule.id: compiled.rule.why for compiled in self.rules}


@cache
def load_guard() -> Guard:
    """The rules of agent/words/guard.yaml, compiled once. Raises WordsError when the file is broken."""
    words = load("guard.yaml", GuardWords)

    def build(sources: Sequence[str], start: str = r"\b") -> re.Pattern[str] | None:
        return text.pattern(f"{start}(?:{'|'.join(sources)})", words.parts) if sources else None

    def rule(each: Rule) -> _Compiled:
        start = "" if each.view == "raw" else r"\b"
        # An echo rule needs each pattern's own `term`; the others run faster as one alternation.
        groups = [[pattern] for pattern in each.patterns] if each.echo else [each.patterns]
        patterns = tuple(filter(None, (build(group, start) for group in groups)))
        return _Compiled(each, patterns, build(each.unless, start), build(each.heard), build(each.unheard))

    return Guard(
        words=words,
        rules=tuple(map(rule, words.rules)),
        asks_contact=text.pattern(words.asks_contact, words.parts),
        tongues=frozenset(words.tongues),
    )


@dataclass(frozen=True)
class Bounds:
    """What this reply may hold.

    allowed: contacts of the active country in normal form (see `registered`). said: sentences already used
    in the conversation. heard: the person's own words; a disorder, drug or emoji in them may be echoed.
    words, questions: budgets of the whole reply. crisis: the crisis branch speaks (authored words only):
    it may name suicide and give numbers unasked, and may answer in the person's own language.
    """

    allowed: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    heard: str = ""
    words: int = 130
    questions: int = 1
    crisis: bool = False

    @cached_property
    def _heard(self) -> str:
        return text.fold_text(self.heard)

    @cached_property
    def _asked(self) -> bool:
        return bool(load_guard().asks_contact.search(self._heard))

    @cached_property
    def _rules(self) -> tuple[_Compiled, ...]:
        """The rules that hold for this reply."""

        def holds(each: _Compiled) -> bool:
            apt = each.rule.when == "always" or (each.rule.when == "crisis") == self.crisis
            heard = each.heard is None or each.heard.search(self._heard)
            return bool(apt and heard and not (each.unheard and each.unheard.search(self._heard)))

        return tuple(filter(holds, load_guard().rules))

    @cached_property
    def _said(self) -> list[frozenset[str]]:
        said = self.said[-_RECENT:] if self.crisis else self.said
        return [self._words(sentence) for sentence in said]

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {}

    def _words(self, sentence: str) -> frozenset[str]:
        """The words of a sentence of ours; remembered with this reply's bounds and gone with them."""
        if sentence not in self._known:
            self._known[sentence] = text.words_of(text.fold_text(sentence))
        return self._known[sentence]


@dataclass(frozen=True)
class Judged:
    """The sentences that may be said, in order, and what was taken out (positions count from 0)."""

    sentences: tuple[str, ...]
    replaced: tuple[Replaced, ...] = field(default=())


def sift(
    sentences: Iterable[object],
    bounds: Bounds,
    kept: list[str],
    replaced: list[Replaced],
    *,
    repair: Callable[[int, str], str | None] | None = None,
) -> Iterator[str]:
    """Yield each sentence that may be said as soon as it is known, cleaned and judged against `kept`.

    kept: what this reply already said; grows by each sentence before it is yielded. replaced: grows by
    each sentence taken out. A failing sentence is offered once to `repair(position, rule)`, whose answer
    is cleaned and judged like any other; without an answer that passes, it is dropped. What is no string
    counts as an empty sentence. Raises what the iterable raises.
    """
    for position, sentence in enumerate(sentences):
        candidate = _cleaned(sentence)
        broken = judge(candidate, kept, bounds)
        if broken is not None:
            replaced.append({"rule": broken, "position": position})
            candidate = _cleaned(repair(position, broken) if repair else None)
            if judge(candidate, kept, bounds) is not None:
                continue
        kept.append(candidate)
        yield candidate


def fold(
    sentences: Iterable[object], bounds: Bounds, repair: Callable[[int, str], str | None] | None = None
) -> Judged:
    """A whole reply sifted at once; fold(fold(x).sentences) changes nothing."""
    kept: list[str] = []
    replaced: list[Replaced] = []
    for _ in sift(sentences, bounds, kept, replaced, repair=repair):
        pass
    return Judged(tuple(kept), tuple(replaced))


def _cleaned(sentence: object) -> str:
    return clean(sentence) if isinstance(sentence, str) else ""


def judge(sentence: str, kept: Sequence[str], bounds: Bounds) -> str | None:
    """The id of the first rule that `sentence` breaks after the sentences `kept`; None when it may be said.

    Pure and total: any text gets a verdict. Linear in the length, which is capped.
    """
    if not sentence.strip():
        return "empty"
    if len(sentence) > _LONGEST:
        return "size"
    return next(breaches(sentence, kept, bounds), None)


def breaches(sentence: str, kept: Sequence[str], bounds: Bounds) -> Iterator[str]:
    """The counted rules, then those of guard.yaml, then the budgets, in that order."""
    plain = text.fold_text(sentence)
    words = plain.split()
    ours = sentence in load_guard().tongues
    if not ours and text.strange(sentence, bounds.heard if bounds.crisis else ""):
        yield "script"
    if not any(map(str.isalnum, sentence)):
        yield "empty"
    found = contacts(sentence)
    if not found <= bounds.allowed:
        yield "contact"
    if found and not bounds.crisis and not bounds._asked:
        yield "unasked_contact"
    yield from _named(sentence, plain, bounds)
    if not text.finished(sentence):
        yield "unfinished"
    if text.looping(words):
        yield "loop"
    if not (ours or bounds.crisis) and text.foreign(words):
        yield "language"
    if "!" in sentence or "！" in sentence:  # noqa: RUF001
        yield "exclamation"
    if any(bounds.crisis or char not in bounds.heard for char in text.emoji(sentence)):
        yield "emoji"
    if _repeats(text.words_of(plain), found, kept, bounds):
        yield "repeat"
    asked = text.questions(sentence)
    if asked and sum(map(text.questions, kept)) + asked > bounds.questions:
        yield "questions"
    if sum(len(each.split()) for each in (*kept, sentence)) > bounds.words:
        yield "length"


def _named(sentence: str, plain: str, bounds: Bounds) -> Iterator[str]:
    own = plain if '"' not in sentence and "“" not in sentence else text.fold_text(text.unquoted(sentence))
    views = {"plain": plain, "own": own, "raw": sentence}
    for each in bounds._rules:
        if _hit(each, views[each.rule.view], bounds):
            yield each.rule.id


def _hit(each: _Compiled, seen: str, bounds: Bounds) -> bool:
    if not any(pattern.search(seen) for pattern in each.patterns):
        return False
    if each.unless is not None:
        seen = each.unless.sub(" ~ ", seen)
    for pattern in each.patterns:
        for match in pattern.finditer(seen):
            term = (match.groupdict().get("term") or match[0]).strip()
            if not each.rule.echo or term not in bounds._heard:
                return True
    return False


def _repeats(words: frozenset[str], found: set[str], kept: Sequence[str], bounds: Bounds) -> bool:
    """Said before in these words or, outside crisis, in nearly these (two numbers make two sentences).

    A number that may save a life is never held back for having been given earlier.
    """
    here = [bounds._words(sentence) for sentence in kept]
    for earlier in here if bounds.crisis and found else (*here, *bounds._said):
        if words == earlier:
            return True
        if bounds.crisis or found or not 5 < len(words) < 1.2 * len(earlier) < 1.4 * len(words):
            continue
        if len(words & earlier) > 0.85 * max(len(words), len(earlier)):
            return True
    return False
