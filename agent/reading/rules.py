"""The deterministic risk floor: plain rules that read one message, the whole of it, and never raise.

Every statement they know is in agent/words/risk.yaml, and what they hear in pieces, by family or in few words
in the files of JOINED, with sentences each must and must not catch. They know one message
at a time: what earlier turns said, and what the level should be in the end, is assess's part. They cannot
see tone, irony or what is left unsaid.

Appending text never lowers what was found. For a plain statement a frame ("in my novel") or a denial only
changes the sentence it stands in, and only when it stands before the cue or is part of a fixed idiom; a rule
that joins hints is also set aside by a frame told in an earlier sentence.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from agent.errors import WordsError
from agent.reading.cues import Found, Read, Sentence, as_cue, owned, set_aside, turn
from agent.reading.disguise import Lexicon
from agent.reading.joined import Spots, acts, any_of, owner, turns_to_self
from agent.reading.ladder import ANSWERS, LEVELS, Answer, Cue, Level, Subject
from agent.reading.normalise import forms, normalise
from agent.reading.patterns import Bank
from agent.reading.phrases import PhraseBank
from agent.reading.plainest import plainest
from agent.reading.riskwords import JoinedWords, RiskWords, RuleWords, Turned, joined
from agent.words import load

__all__ = ["JOINED", "Rules", "compile_rules", "load_rules", "minimal_rules"]

JOINED = (
    "risk_joined.yaml",
    "risk_families.yaml",
    "risk_brief.yaml",
    "risk_signs.yaml",
    "risk_hints.yaml",
    "risk_pieces.yaml",
    "risk_said_aside.yaml",
    "risk_passing.yaml",
)


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
    not_of: Mapping[str, frozenset[str]]

    def scan(self, text: str) -> list[Cue]:
        """Every cue in the message, worst first; one per rule, level and subject."""
        folded = forms(text, self.lexicon)
        spots = Spots()
        read: dict[str, Read] = {}
        alone: list[tuple[Found, int, int, int]] = []
        joining: list[tuple[Read, int, int, int]] = []
        for number, form in enumerate(folded):
            for first, last in form.sentences():
                text = f" {' '.join(form.words[first:last])} "
                if text not in read:
                    read[text] = self._sentence(text)
                    alone += [(cue, number, first, last) for cue in read[text].found]
                for name, begin, end in read[text].scenes:
                    spots.add(name, number, first + begin, first + end)
                joining.append((read[text], number, first, last))
        found = [
            (left, number, first)
            for cue, number, first, last in alone
            if _joins(cue.rule, spots, number, (first + cue.first, first + cue.last))
            for left in (set_aside(cue) if _aside(cue.rule, spots, number, (first, last)) else [cue])
        ]
        found += [
            (cue, number, first)
            for one, number, first, last in joining
            for cue in self._joined(one, spots, number, first, last)
        ]
        kept: dict[tuple[str, Level, Subject, bool], Cue] = {}
        for cue, number, first in found:
            key = (cue.rule.id, cue.level, cue.subject, cue.past)
            if key not in kept:
                kept[key] = as_cue(cue, folded[number].span(first + cue.first, first + cue.last))
        return sorted(kept.values(), key=lambda cue: (-LEVELS.index(cue["level"]), not cue["escalate"]))

    def _joined(self, read: Read, spots: Spots, form: int, first: int, last: int) -> list[Found]:
        """The cues of rules that join what stands around them; weighed only where all of it stands."""
        found: list[Found] = []
        done: set[str] = set()
        for rule, start, end in read.joining:
            starts = read.sentence.starts
            cue = (first + bisect_left(starts, start), first + bisect_left(starts, end) - 1)
            if (
                rule.id not in done
                and _joins(rule, spots, form, cue)
                and not _aside(rule, spots, form, (first, last))
            ):
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
                others = self.not_of[name].intersection(sentence[:start].split()[-1:])
                if count <= self.most[name] and not others and not self._denied(sentence[:start]):
                    found.add(name)
        if "explained" in found:  # "no, I meant the game" puts right what was heard; it answers no question
            found -= {"denial", "no"}
        return [answer for answer in ANSWERS if answer in found]

    def _sentence(self, text: str) -> Read:
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
        told = any(name in self.by_id for name, _, _ in (*plain, *classed))
        around = tuple(self.around.matches(text, words)) if told else ()
        sentence = Sentence(text, starts, around)
        found: list[Found] = []
        scenes: list[tuple[str, int, int]] = []
        joining: list[tuple[RuleWords, int, int]] = []
        for name, start, end in (*plain, *classed):
            rule = self.by_id.get(name)
            if rule is None:
                scenes.append((name, bisect_left(starts, start), bisect_left(starts, end) - 1))
            elif not sentence.silences(f"unless {name}", start, end):
                if rule.reach is None:
                    found += self._weigh(rule, sentence, start, end)
                else:
                    joining.append((rule, start, end))
        return Read(sentence, owned(found, text.split()), scenes, joining)

    def _weigh(self, rule: RuleWords, sentence: Sentence, start: int, end: int) -> list[Found]:
        """The match with the level and subject it has in its surroundings; empty when it is no cue there."""
        if rule.subject != "self" and turns_to_self(sentence.text[start:end].split()):
            return []  # what the one who writes wishes for has rules of its own
        left = sentence.text[:start]
        # A rule that asks whom it is about and turns at nothing need not look at what stands before it.
        steady = rule.reach is not None and rule.negated == rule.past == "keep"
        before = (
            set() if steady else {name for name, _, _ in self.before.matches(left, frozenset(left.split()))}
        )
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
        level = turn(rule.level, turned)
        if level == "none" and (turned != "keep" or rule.level != "none"):
            return []  # a rule that is silent by itself is still told to assess, unless denied or over
        if subject == "self" and not before.isdisjoint({"reported", "reported_child"}):
            subject = "child" if "reported_child" in before else "other"
        first, last = bisect_left(sentence.starts, start), bisect_left(sentence.starts, end) - 1
        words = sentence.text.split()
        if rule.whose and subject == "self" and not (rule.kind == "harm_to_others" and acts(words, first)):
            subject = owner(words, last, subject)
        return [Found(rule, level, subject, past, first, last)]

    def _denied(self, left: str) -> bool:
        """Whether a denial reaches up to the cue; one before a comma does not ("no, I want to die")."""
        clause = f" {left.rpartition(' , ')[2].lstrip()}"
        return any(
            name == "negation" for name, _, _ in self.before.matches(clause, frozenset(clause.split()))
        )


def _joins(rule: RuleWords, spots: Spots, form: int, cue: tuple[int, int]) -> bool:
    """Whether all that the rule joins stands where it should."""
    return all(spots.near(any_of(need), form, cue, rule.reach) for need in rule.needs)


def _aside(rule: RuleWords, spots: Spots, form: int, sentence: tuple[int, int]) -> bool:
    """Whether something was told that sets the rule aside."""
    first, last = sentence
    return spots.told(rule.without, form, first, last) or spots.told(rule.unless_told, form, 0, last)


def compile_rules(words: RiskWords) -> Rules:
    """Rules from checked words; raises WordsError when a pattern, a scene or an id is wrong."""
    by_id = {rule.id: rule for rule in words.rules}
    if len(by_id) < len(words.rules) or not by_id.keys().isdisjoint({*words.scenes, *words.classes}):
        raise WordsError("The words file risk.yaml uses the same id twice.")
    for rule in words.rules:
        named = {name for need in (*rule.needs, *rule.without, *rule.unless_told) for name in any_of(need)}
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
        not_of={name: frozenset(answer.not_of) for name, answer in words.answers.items()},
    )


@cache
def load_rules() -> Rules:
    """The rules of all files, compiled once; raises WordsError when one is broken."""
    words = load("risk.yaml", RiskWords)
    for more in JOINED:
        words = joined(words, load(more, JoinedWords))
    return compile_rules(words)


@cache
def minimal_rules() -> Rules:
    """The plainest statements only, for a run whose risk.yaml is missing or broken; never raises."""
    return compile_rules(RiskWords.model_validate(plainest()))
