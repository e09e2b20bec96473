"""The deterministic risk floor: plain rules that read one message, the whole of it, and never raise.

Every statement they know is in agent/words/risk.yaml with sentences it must and must not catch. They know
one message at a time: what earlier turns said, and what the level should be in the end, is assess's part.
They cannot see tone, irony or what is left unsaid.

Appending text never lowers what was found: a frame ("in my novel") or a denial only changes the sentence
it stands in, and only when it stands before the cue or is part of a fixed idiom.
"""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from agent.errors import WordsError
from agent.reading.ladder import ANSWERS, LEVELS, Answer, Cue, Kind, Level, Subject, at_least
from agent.reading.normalise import Folded, Lexicon, forms, normalise
from agent.reading.patterns import Index, Pattern, compile_pattern
from agent.reading.plainest import plainest
from agent.words import Strict, load

__all__ = ["RiskWords", "Rules", "compile_rules", "load_rules", "minimal_rules"]

Turned = Literal["keep", "drop", "none", "low", "moderate", "high", "imminent"]


class Twin(Strict):
    """A sentence that resembles a rule's own and must come out at another level."""

    say: str
    level: Level
    subject: Subject | None = None
    past: bool | None = None


class RuleWords(Strict):
    """One rule. negated, past, invented: the level when the cue is denied, long over, or said by a character.

    needs: scenes that must appear in the message as well. unless: patterns that silence it in a sentence.
    escalate: by default, whether the level is moderate or above.
    """

    id: str
    kind: Kind
    level: Level
    subject: Subject = "self"
    marks: tuple[str, ...] = ()
    escalate: bool | None = None
    negated: Turned = "low"
    past: Turned = "low"
    invented: Turned = "drop"
    needs: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    patterns: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    twins: tuple[Twin, ...] = ()


class AnswerWords(Strict):
    """How a kind of answer to a safety question sounds; `most` is the longest message read so, in words."""

    most: int = 400
    patterns: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]


class ContextWords(Strict):
    """What may stand around a cue and change its meaning.

    negation, used_to, reported, reported_child, invented: patterns that end right before the cue.
    doubtful: what makes a negation none ("a reason not to").
    long_ago, again: patterns anywhere in its sentence. past_words: verbs that tell of the past.
    """

    negation: tuple[str, ...]
    doubtful: tuple[str, ...]
    used_to: tuple[str, ...]
    reported: tuple[str, ...]
    reported_child: tuple[str, ...]
    invented: tuple[str, ...]
    long_ago: tuple[str, ...]
    again: tuple[str, ...]
    past_words: tuple[str, ...]


class RiskWords(Strict):
    """agent/words/risk.yaml."""

    reviewed_by: str | None
    macros: dict[str, str]
    typos: dict[str, str]
    keep: tuple[str, ...]
    idioms: tuple[str, ...]
    context: ContextWords
    scenes: dict[str, tuple[str, ...]]
    rules: tuple[RuleWords, ...]
    answers: dict[Answer, AnswerWords]


@dataclass(frozen=True)
class _Found:
    """A cue in one sentence, by word numbers of that sentence."""

    rule: RuleWords
    level: Level
    subject: Subject
    past: bool
    first: int
    last: int


@dataclass(frozen=True)
class _Bank:
    """Patterns with the name each belongs to, and the index over them."""

    owners: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    index: Index

    @classmethod
    def of(cls, named: Mapping[str, tuple[str, ...]], macros: Mapping[str, str]) -> "_Bank":
        owners = tuple(name for name, sources in named.items() for _ in sources)
        patterns = tuple(compile_pattern(source, macros) for sources in named.values() for source in sources)
        return cls(owners, patterns, Index(list(patterns)))

    def matches(self, sentence: str, words: frozenset[str]) -> Iterator[tuple[str, int, int]]:
        """(owner, start, end) of every pattern found in the sentence."""
        for number in self.index.candidates(words):
            for start, end in self.patterns[number].find(sentence):
                yield self.owners[number], start, end


@dataclass(frozen=True)
class Rules:
    """Compiled risk words. `scan` and `answers` accept any string and keep nothing of it."""

    by_id: Mapping[str, RuleWords]
    lexicon: Lexicon
    past_words: frozenset[str]
    cues: _Bank
    idioms: _Bank
    around: _Bank
    before: _Bank
    replies: _Bank
    most: Mapping[str, int]

    def scan(self, text: str) -> list[Cue]:
        """Every cue in the message, worst first; one per rule, level and subject."""
        found: list[tuple[_Found, Folded, int]] = []
        scenes: set[str] = set()
        read: set[str] = set()
        for form in forms(text, self.lexicon):
            for first, last in form.sentences():
                sentence = f" {' '.join(form.words[first:last])} "
                if sentence not in read:
                    read.add(sentence)
                    cues, set_here = self._sentence(sentence)
                    scenes |= set_here
                    found += [(cue, form, first) for cue in cues]
        kept: dict[tuple[str, Level, Subject, bool], Cue] = {}
        for cue, form, first in found:
            key = (cue.rule.id, cue.level, cue.subject, cue.past)
            if key not in kept and scenes.issuperset(cue.rule.needs):
                kept[key] = _as_cue(cue, form.span(first + cue.first, first + cue.last))
        return sorted(kept.values(), key=lambda cue: (-LEVELS.index(cue["level"]), not cue["escalate"]))

    def answers(self, text: str) -> list[Answer]:
        """How the message answers a direct question about safety; several may hold, none may."""
        form = normalise(text, self.lexicon)
        count = sum(word not in ",." for word in form.words)
        found: set[str] = set()
        for first, last in form.sentences():
            sentence = f" {' '.join(form.words[first:last])} "
            for name, _, _ in self.replies.matches(sentence, frozenset(form.words[first:last])):
                if count <= self.most[name]:
                    found.add(name)
        if "explained" in found:
            found.discard("denial")
        return [answer for answer in ANSWERS if answer in found]

    def _sentence(self, sentence: str) -> tuple[list[_Found], set[str]]:
        """Cues and scenes of one folded sentence, idioms set aside first."""
        words = frozenset(sentence.split())
        spans = [(start, end) for _, start, end in self.idioms.matches(sentence, words)]
        if spans:
            for start, end in spans:
                masked = "".join(" " if char == " " else "_" for char in sentence[start:end])
                sentence = sentence[:start] + masked + sentence[end:]
            words = frozenset(sentence.split())
        matches = list(self.cues.matches(sentence, words))
        if not matches:
            return [], set()
        starts = [at + 1 for at, char in enumerate(sentence[:-1]) if char == " "]
        around = {name for name, _, _ in self.around.matches(sentence, words)}
        scenes = {name for name, _, _ in matches if name not in self.by_id}
        found: list[_Found] = []
        for name, start, end in matches:
            rule = self.by_id.get(name)
            if rule and f"unless {name}" not in around:
                cue = self._weigh(rule, sentence, start, end, around, starts)
                if cue:
                    found.append(cue)
        return found, scenes

    def _weigh(
        self, rule: RuleWords, sentence: str, start: int, end: int, around: set[str], starts: list[int]
    ) -> _Found | None:
        """The level and subject a match has in its surroundings, or None when it is no cue there."""
        left = sentence[:start]
        tail = left.split()[-4:]
        clause = left.rpartition(" , ")[2] if " , " in left else left
        names = {name for name, _, _ in self.before.matches(left, frozenset(left.split()))}
        denied = {
            name for name, _, _ in self.before.matches(f" {clause.lstrip()}", frozenset(clause.split()))
        }
        level, subject, past = rule.level, rule.subject, False
        if "negation" in denied and "doubtful" not in names and rule.negated != "keep":
            level = _turn(level, rule.negated)
        elif "invented" in names:
            level = _turn(level, rule.invented)
        elif rule.past != "keep" and "again" not in around:
            told = not self.past_words.isdisjoint((*tail, *sentence[start:end].split()))
            if "used_to" in names or ("long_ago" in around and told):
                level, past = _turn(level, rule.past), True
        if level == "none":
            return None
        if subject == "self" and not names.isdisjoint({"reported", "reported_child"}):
            subject = "child" if "reported_child" in names else "other"
        return _Found(rule, level, subject, past, bisect_left(starts, start), bisect_left(starts, end) - 1)


def _turn(level: Level, turned: Turned) -> Level:
    """What is left of a level once its cue is denied, over or invented: never more than it was."""
    if turned == "keep":
        return level
    lower: Level = "none" if turned == "drop" else turned
    return level if at_least(lower, level) else lower


def _as_cue(found: _Found, span: list[int]) -> Cue:
    rule = found.rule
    loud = at_least(found.level, "moderate")
    return Cue(
        rule=rule.id,
        kind=rule.kind,
        subject=found.subject,
        level=found.level,
        escalate=loud and rule.escalate if rule.escalate is not None else loud,
        past=found.past,
        marks=list(rule.marks),
        span=span,
    )


def compile_rules(words: RiskWords) -> Rules:
    """Rules from checked words; raises WordsError when a pattern, a scene or an id is wrong."""
    by_id = {rule.id: rule for rule in words.rules}
    if len(by_id) < len(words.rules) or not by_id.keys().isdisjoint(words.scenes):
        raise WordsError("The words file risk.yaml uses the same id twice.")
    for rule in words.rules:
        if not words.scenes.keys() >= set(rule.needs):
            raise WordsError(f"The risk rule {rule.id} needs a scene that is not defined.")
    macros, context = words.macros, words.context
    cues = _Bank.of({**words.scenes, **{rule.id: rule.patterns for rule in words.rules}}, macros)
    around = {f"unless {rule.id}": rule.unless for rule in words.rules}
    around |= {"long_ago": context.long_ago, "again": context.again}
    before = {
        "doubtful": tuple(f"({source}) {{bridge}} $" for source in context.doubtful),
        "negation": tuple(f"({source}) $" for source in context.negation),
        "used_to": tuple(f"({source}) $" for source in context.used_to),
        "reported": tuple(f"({source}) [,] $" for source in context.reported),
        "reported_child": tuple(f"({source}) [,] $" for source in context.reported_child),
        "invented": tuple(f"({source}) [,] $" for source in context.invented),
    }
    known = {word for pattern in cues.patterns for word in pattern.words if word.isascii()}
    return Rules(
        by_id=by_id,
        lexicon=Lexicon.of(known, words.typos, words.keep),
        past_words=frozenset(context.past_words),
        cues=cues,
        idioms=_Bank.of({"idiom": words.idioms}, macros),
        around=_Bank.of(around, macros),
        before=_Bank.of(before, macros),
        replies=_Bank.of({name: answer.patterns for name, answer in words.answers.items()}, macros),
        most={name: answer.most for name, answer in words.answers.items()},
    )


@cache
def load_rules() -> Rules:
    """The rules of agent/words/risk.yaml, compiled once; raises WordsError when the file is broken."""
    return compile_rules(load("risk.yaml", RiskWords))


@cache
def minimal_rules() -> Rules:
    """The plainest statements only, for a run whose risk.yaml is missing or broken; never raises."""
    return compile_rules(RiskWords.model_validate(plainest()))
