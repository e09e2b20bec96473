"""What may be said: a pure judge of one sentence, and its fold over a whole reply.

Every sentence, whoever wrote it, passes here before anyone reads it. What never to say is in the rulebook
(agent/words/guard*.yaml); this module only matches and counts. It fails closed: what it cannot read
(another language outside a crisis reply, a strange script, a half sentence) is not said.

It does not know whether a sentence is true, kind or apt. It judges English and Spanish wording, sentence by
sentence; a harm spread over several harmless sentences, or put in words nobody thought of, passes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from agent import sentences as text
from agent.brief import Replaced
from agent.reading.spanish import is_spanish
from agent.rulebook import Compiled, load_guard
from agent.sentences import clean, contacts, registered, split
from agent.words import SPOKEN

__all__ = [
    "Bounds",
    "Judged",
    "breaches",
    "clean",
    "contacts",
    "fold",
    "judge",
    "load_guard",
    "registered",
    "sift",
    "split",
]

_LONGEST = 600  # characters; bounds the work of every pattern, whatever a model emits
_RECENT = 8  # sentences that a crisis reply may not say again; older ones may be all that is left to say


@dataclass(frozen=True)
class Bounds:
    """What this reply may hold.

    allowed: contacts of the active country in normal form (see `registered`). said: sentences already used
    in the conversation. heard: the person's own words; a disorder, drug or emoji in them may be echoed.
    words, questions: budgets of the whole reply.
    language: of the reply; in Spanish the rules of es/guard.yaml hold as well, and in one but that and
    English only authored words are spoken. letters: one of its script. crisis: the crisis branch
    speaks (authored words only): it may name suicide and give numbers unasked, and may answer in the
    person's own language.
    """

    allowed: frozenset[str] = frozenset()
    said: tuple[str, ...] = ()
    heard: str = ""
    words: int = 130
    questions: int = 1
    crisis: bool = False
    language: str = "en"
    letters: str = ""

    @cached_property
    def _heard(self) -> str:
        return text.fold_text(self.heard)

    @cached_property
    def _asked(self) -> bool:
        return bool(load_guard().asks_contact.search(self._heard))

    @cached_property
    def _rules(self) -> tuple[Compiled, ...]:
        """The rules that hold for this reply."""

        def holds(each: Compiled) -> bool:
            apt = each.rule.when == "always" or (each.rule.when == "crisis") == self.crisis
            heard = each.heard is None or each.heard.search(self._heard)
            return bool(apt and heard and not (each.unheard and each.unheard.search(self._heard)))

        book = load_guard()
        spoken = [each for each in book.rules if self.language == "en" or each.rule.id != "other_tongue"]
        return tuple(filter(holds, (*spoken, *(book.spanish if self.language == "es" else ()))))

    @cached_property
    def _known(self) -> dict[str, frozenset[str]]:
        return {}

    @cached_property
    def _said(self) -> list[frozenset[str]]:
        return [self._words(each) for each in (self.said[-_RECENT:] if self.crisis else self.said)]

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
    return next(breaches(sentence, kept, bounds), None)


def breaches(sentence: str, kept: Sequence[str], bounds: Bounds) -> Iterator[str]:
    """The ids of all rules broken: contacts, then those of guard*.yaml, then form and budgets."""
    if not sentence.strip() or len(sentence) > _LONGEST:
        yield "size" if sentence.strip() else "empty"
        return
    plain, found = text.fold_text(sentence), contacts(sentence)
    ours = sentence in load_guard().tongues
    if not ours and text.strange(sentence, bounds.letters + (bounds.heard if bounds.crisis else "")):
        yield "script"
    if not found <= bounds.allowed:
        yield "contact"
    if found and not bounds.crisis and not bounds._asked:
        yield "unasked_contact"
    if not ours:
        yield from _named(sentence, plain, bounds)
    yield from _misshapen(sentence, plain, ours, bounds)
    if _repeats(text.words_of(plain), found, kept, bounds):
        yield "repeat"
    asked = text.questions(sentence)
    if asked and sum(map(text.questions, kept)) + asked > bounds.questions:
        yield "questions"
    if sum(len(each.split()) for each in (*kept, sentence)) > bounds.words:
        yield "length"


def _misshapen(sentence: str, plain: str, ours: bool, bounds: Bounds) -> Iterator[str]:
    words = [word.strip(".,;:?!'()") for word in plain.split()]
    if not any(map(str.isalnum, sentence)):
        yield "empty"
    if not text.finished(sentence):
        yield "unfinished"
    if text.looping(words):
        yield "loop"
    spanish = bounds.language == "es" and is_spanish(words)
    other = bounds.language not in SPOKEN
    if not (ours or bounds.crisis or spanish or other) and (text.foreign(words) or text.switching(plain)):
        yield "language"
    if not bounds.crisis and text.disguised(sentence):
        yield "script"
    if "!" in sentence or "！" in sentence:
        yield "exclamation"
    if any(bounds.crisis or char not in bounds.heard for char in text.emoji(sentence)):
        yield "emoji"


def _named(sentence: str, plain: str, bounds: Bounds) -> Iterator[str]:
    own = plain if '"' not in sentence and "“" not in sentence else text.fold_text(text.unquoted(sentence))
    views = {"plain": plain, "own": own, "raw": sentence}
    for each in bounds._rules:
        if _hit(each, views[each.rule.view], bounds):
            yield each.rule.id


def _hit(each: Compiled, seen: str, bounds: Bounds) -> bool:
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
