"""The deterministic risk floor: plain rules that read one message, the whole of it, and never raise.

Every statement they know is in agent/words/risk.yaml with sentences it must and must not catch. They know
one message at a time: what earlier turns said, and what the level should be in the end, is assess's part.
They cannot see tone, irony or what is left unsaid.

Appending text never lowers what was found: a frame ("in my novel") or a denial only changes the sentence
it stands in, and only when it stands before the cue or is part of a fixed idiom.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from agent.errors import WordsError
from agent.reading.disguise import Lexicon
from agent.reading.joined import Spots, owner
from agent.reading.ladder import ANSWERS, LEVELS, Answer, Cue, Level, Subject, at_least
from agent.reading.normalise import Folded, forms, normalise
from agent.reading.patterns import Bank
from agent.reading.phrases import PhraseBank
from agent.reading.plainest import plainest
from agent.reading.riskwords import JoinedWords, RiskWords, RuleWords, Turned, joined
from agent.words import load

__all__ = ["Rules", "compile_rules", "load_rules", "minimal_rules"]


_REACH = 6  # words; what excuses a cue must stand near it
_OWN = frozenset({"i", "me", "us", "we", "myself"})
# What one person at a time does or suffers, so that a third-person cue says whose it is.
_BODILY = frozenset({"suicide", "self_harm", "overdose", "medical", "substance"})


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
class _Sentence:
    """A folded sentence, the offset of each of its words, and (name, start, end) of what stands in it."""

    text: str
    starts: tuple[int, ...]
    around: tuple[tuple[str, int, int], ...]

    def has(self, name: str) -> bool:
        return any(name == other for other, _, _ in self.around)

    def silences(self, name: str, start: int, end: int) -> bool:
        """Whether an `unless` of the rule overlaps the match or stands a few words from it."""
        near = (
            self.text[min(end, stop) : max(start, begin)]
            for other, begin, stop in self.around
            if other == name
        )
        return any(between.count(" ") <= _REACH for between in near)


@dataclass(frozen=True)
class _Read:
    """A sentence read: its cues, its scenes with their first words, and matches of rules that join."""

    sentence: _Sentence
    found: list[_Found]
    scenes: list[tuple[str, int]]
    joining: list[tuple[RuleWords, int, int]]


@dataclass(frozen=True)
class Rules:
    """Compiled risk words. `scan` and `answers` accept any string and keep nothing of it."""

    by_id: Mapping[str, RuleWords]
    lexicon: Lexicon
    past_words: frozenset[str]
    cues: Bank
    classes: PhraseBank
    idioms: Bank
    around: Bank
    before: Bank
    replies: Bank
    most: Mapping[str, int]

    def scan(self, text: str) -> list[Cue]:
        """Every cue in the message, worst first; one per rule, level and subject."""
        folded = forms(text, self.lexicon)
        spots = Spots()
        read: dict[str, _Read] = {}
        found: list[tuple[_Found, int, int]] = []
        joining: list[tuple[_Read, int, int, int]] = []
        for number, form in enumerate(folded):
            for first, last in form.sentences():
                text = f" {' '.join(form.words[first:last])} "
                if text not in read:
                    read[text] = self._sentence(text)
                    found += [(cue, number, first) for cue in read[text].found]
                for name, at in read[text].scenes:
                    spots.add(name, number, first + at)
                joining.append((read[text], number, first, last))
        found = [one for one in found if _holds(one[0].rule, spots, one[1], one[2] + one[0].first, 0)]
        found += [(cue, number, first) for one, number, first, last in joining
                  for cue in self._joined(one, spots, number, first, last)]
        kept: dict[tuple[str, Level, Subject, bool], Cue] = {}
        for cue, number, first in found:
            key = (cue.rule.id, cue.level, cue.subject, cue.past)
            if key not in kept:
                kept[key] = _as_cue(cue, folded[number].span(first + cue.first, first + cue.last))
        return sorted(kept.values(), key=lambda cue: (-LEVELS.index(cue["level"]), not cue["escalate"]))

    def _joined(self, read: "_Read", spots: Spots, form: int, first: int, last: int) -> list[_Found]:
        """The cues of rules that join what stands around them; weighed only where all of it stands."""
        found: list[_Found] = []
        done: set[str] = set()
        for rule, start, end in read.joining:
            at = bisect_left(read.sentence.starts, start)
            if rule.id not in done and _holds(rule, spots, form, first + at, last):
                weighed = self._weigh(rule, read.sentence, start, end)
                found += weighed
                if any(cue.level == rule.level for cue in weighed):
                    done.add(rule.id)
        return found

    def answers(self, text: str) -> list[Answer]:
        """How the message answers a direct question about safety; several may hold, none may."""
        form = normalise(text, self.lexicon)
        count = sum(word not in ",." for word in form.words)
        found: set[str] = set()
        for first, last in form.sentences():
            sentence = f" {' '.join(form.words[first:last])} "
            for name, start, _ in self.replies.matches(sentence, frozenset(form.words[first:last])):
                if count <= self.most[name] and not self._denied(sentence[:start]):
                    found.add(name)
        if "explained" in found:
            found.discard("denial")
        return [answer for answer in ANSWERS if answer in found]

    def _sentence(self, text: str) -> "_Read":
        """What one folded sentence holds by itself, idioms set aside first."""
        words = frozenset(text.split())
        spans = [(start, end) for _, start, end in self.idioms.matches(text, words)]
        for start, end in spans:
            text = (
                text[:start] + "".join(" " if char == " " else "_" for char in text[start:end]) + text[end:]
            )
        words = frozenset(text.split()) if spans else words
        starts = tuple(at + 1 for at, char in enumerate(text[:-1]) if char == " ")
        ends = (*(at - 1 for at in starts[1:]), len(text) - 1)
        plain = list(self.cues.matches(text, words))
        classed = [(name, starts[at], ends[to - 1]) for name, at, to in self.classes.matches(text)]
        around = tuple(self.around.matches(text, words)) if plain or classed else ()
        sentence = _Sentence(text, starts, around)
        found: list[_Found] = []
        scenes: list[tuple[str, int]] = []
        joining: list[tuple[RuleWords, int, int]] = []
        for name, start, end in (*plain, *classed):
            rule = self.by_id.get(name)
            if rule is None:
                scenes.append((name, bisect_left(starts, start)))
            elif not sentence.silences(f"unless {name}", start, end):
                if rule.reach is None:
                    found += self._weigh(rule, sentence, start, end)
                else:
                    joining.append((rule, start, end))
        return _Read(sentence, _owned(found, text.split()), scenes, joining)

    def _weigh(self, rule: RuleWords, sentence: _Sentence, start: int, end: int) -> list[_Found]:
        """The match with the level and subject it has in its surroundings; empty when it is no cue there."""
        left = sentence.text[:start]
        before = {name for name, _, _ in self.before.matches(left, frozenset(left.split()))}
        turned: Turned = "keep"
        subject, past = rule.subject, False
        if rule.negated != "keep" and "doubtful" not in before and self._denied(left):
            turned = rule.negated
        elif "invented" in before:
            turned = rule.invented
        elif rule.past != "keep" and not sentence.has("again"):
            verbs = (*left.split()[-4:], *sentence.text[start:end].split())
            long_ago = sentence.has("long_ago") and not self.past_words.isdisjoint(verbs)
            if long_ago or "used_to" in before:
                turned, past = rule.past, True
        level = _turn(rule.level, turned)
        if level == "none" and (turned != "keep" or rule.level != "none"):
            return []  # a rule that is silent by itself is still told to assess, unless denied or over
        if subject == "self" and not before.isdisjoint({"reported", "reported_child"}):
            subject = "child" if "reported_child" in before else "other"
        first, last = bisect_left(sentence.starts, start), bisect_left(sentence.starts, end) - 1
        if rule.whose and subject == "self":
            subject = owner(sentence.text.split(), last, subject)
        return [_Found(rule, level, subject, past, first, last)]

    def _denied(self, left: str) -> bool:
        """Whether a denial reaches up to the cue; one before a comma does not ("no, I want to die")."""
        clause = f" {left.rpartition(' , ')[2].lstrip()}"
        return any(
            name == "negation" for name, _, _ in self.before.matches(clause, frozenset(clause.split()))
        )


def _owned(found: list[_Found], words: list[str]) -> list[_Found]:
    """The cues of a sentence, those that only repeat what it tells of somebody else made theirs.

    "My brother says he has a gun and will end it": with no "I" in between, the gun is the brother's.
    """
    others = [cue for cue in found if cue.rule.subject != "self" and cue.rule.kind in _BODILY]
    kept: list[_Found] = []
    for cue in found:
        owner = next((other for other in others if _repeats(cue, other, words)), None)
        if owner is None:
            kept.append(cue)
        elif cue.rule.kind in _BODILY:
            kept.append(replace(cue, subject=owner.subject))
    return kept


def _repeats(cue: _Found, other: _Found, words: list[str]) -> bool:
    near = cue.subject == "self" and other.first <= cue.first <= other.last + _REACH
    theirs = cue.rule.kind in _BODILY or cue.rule.id == "abuse.danger_now"
    between = words[other.first : max(cue.last, other.last) + 1]
    return near and theirs and at_least(other.level, "moderate") and _OWN.isdisjoint(between)


def _holds(rule: RuleWords, spots: Spots, form: int, at: int, until: int) -> bool:
    """Whether all that the rule joins stands where it should, and nothing that sets it aside was told."""
    return all(spots.near(need, form, at, rule.reach) for need in rule.needs) and not (
        rule.without and spots.told(rule.without, form, until)
    )


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
        marks=[*rule.marks, *([f"context:{rule.in_context}"] if rule.in_context else [])],
        span=span,
    )


def compile_rules(words: RiskWords) -> Rules:
    """Rules from checked words; raises WordsError when a pattern, a scene or an id is wrong."""
    by_id = {rule.id: rule for rule in words.rules}
    if len(by_id) < len(words.rules) or not by_id.keys().isdisjoint({*words.scenes, *words.classes}):
        raise WordsError("The words file risk.yaml uses the same id twice.")
    for rule in words.rules:
        named = {name.strip() for need in (*rule.needs, *rule.without) for name in need.split("|")}
        if not {*words.scenes, *words.classes} >= named:
            raise WordsError(f"The risk rule {rule.id} needs a scene that is not defined.")
    macros, context = words.macros, words.context
    plain = {rule.id: rule.patterns for rule in words.rules if rule.reach is None}
    joining = {rule.id: rule.patterns for rule in words.rules if rule.reach is not None}
    cues = Bank.of({**words.scenes, **plain}, macros)
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
        classes=PhraseBank.of({**words.classes, **joining}, macros),
        idioms=Bank.of({"idiom": words.idioms}, macros),
        around=Bank.of(around, macros),
        before=Bank.of(before, macros),
        replies=Bank.of({name: answer.patterns for name, answer in words.answers.items()}, macros),
        most={name: answer.most for name, answer in words.answers.items()},
    )


@cache
def load_rules() -> Rules:
    """The rules of risk.yaml and risk_joined.yaml, compiled once; raises WordsError when one is broken."""
    return compile_rules(joined(load("risk.yaml", RiskWords), load("risk_joined.yaml", JoinedWords)))


@cache
def minimal_rules() -> Rules:
    """The plainest statements only, for a run whose risk.yaml is missing or broken; never raises."""
    return compile_rules(RiskWords.model_validate(plainest()))
