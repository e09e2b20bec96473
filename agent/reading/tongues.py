"""The risk rules over a message in any language: those of risk.yaml, and of every tongue it may hold.

A tongue is a file of agent/words/tongues: a language, or a way to write one. It knows only words; what each
of its rules means stands once for all in tongues/rules.yaml. Spanish, which is also answered, has rules of
its own in es/risk.yaml, and a tongue beside them. The few plain statements that risk.yaml has for a language
give way where its tongue heard the same danger, denied or not, or a saying. Knows one message at a time.
"""

import logging
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache

from agent.errors import WordsError
from agent.reading import rules_spanish
from agent.reading.disguise import Lexicon
from agent.reading.ladder import LEVELS, Cue
from agent.reading.language import LanguageWords
from agent.reading.normalise import normalise
from agent.reading.patterns import tokens
from agent.reading.rules import Rules, compile_rules
from agent.reading.spanish import load_spanish
from agent.reading.tonguewords import TongueWords, bare, load_meanings, load_words, risk_words
from agent.words import load

__all__ = ["TONGUES", "Spelling", "Tongue", "called", "load_spelling", "load_tongue", "scan"]

log = logging.getLogger("hearken")

TONGUES = ("ar", "ar_latn", "de", "es_plus", "fr", "hi", "it", "pt")
# Tongues that may take a Spanish saying at its word.
_LIKE_SPANISH = ("es_plus.", "pt.", "it.")
_PLAINEST = "language."  # ids of the plain statements of risk.yaml in other languages
_RUN = re.compile(r"[^\s!-&(-/:-@\[-_{-~“”„«»؟،؛।…¿¡]+")
_APOSTROPHES = re.compile("['’‘`´ʼ]")
_SHARE = 2  # a tongue with so many times fewer words in the message than another one is not asked
_SHORT = 10  # words of a message in which one word is enough to ask a tongue


@dataclass(frozen=True)
class Spelling:
    """How a tongue compares its words."""

    letters: Mapping[int, str]
    folds: tuple[tuple[re.Pattern[str], str], ...]

    def fold(self, word: str) -> str:
        """One word as this tongue compares it."""
        return self.all([word])[0]

    def all(self, words: list[str]) -> list[str]:
        """The words, each on a line of its own while all of them are folded together."""
        lines = _APOSTROPHES.sub("'", bare("\n".join(words)).translate(self.letters))
        for pattern, place in self.folds:
            lines = pattern.sub(place, lines)
        return [line.strip() for line in lines.replace("'", "").split("\n")]

    def each(self, words: str) -> str:
        return " ".join(self.all(words.split())) if words else ""


@dataclass(frozen=True)
class Tongue:
    """Compiled words of a tongue."""

    rules: Rules
    spelling: Spelling

    def folded(self, text: str) -> tuple[str, Callable[[list[int]], list[int]]]:
        """The text with each word folded, and what gives a span in it back as one of the original."""
        pieces: list[str] = []
        at: list[int] = []
        runs: list[tuple[int, int]] = []
        length = end = 0
        found = list(dict.fromkeys(_RUN.findall(text)))
        known = dict(zip(found, self.spelling.all(found), strict=True))
        for run in _RUN.finditer(text):
            gap, word = text[end : run.start()], known[run[0]]
            pieces += (gap, word)
            at.append(length + len(gap))
            runs.append(run.span())
            length, end = length + len(gap) + len(word), run.end()
        pieces.append(text[end:])

        def back(span: list[int]) -> list[int]:
            first = max(bisect_right(at, span[0]) - 1, 0)
            last = max(bisect_left(at, span[1]) - 1, first)
            return [runs[first][0], runs[last][1]] if runs else [0, len(text)]

        return "".join(pieces), back

    def read(self, text: str) -> list[Cue]:
        """The cues it hears in the message."""
        plain, back = self.folded(text)
        return [Cue(**{**cue, "span": back(cue["span"])}) for cue in self.rules.scan(plain)]

    def is_saying(self, text: str) -> bool:
        words = normalise(self.folded(text)[0], self.rules.lexicon).words
        return any(True for _ in self.rules.idioms.matches(f" {' '.join(words)} ", frozenset(words)))


@cache
def load_spelling(name: str) -> Spelling:
    """How a tongue compares its words, without its rules. Raises WordsError when its file is broken."""
    words = load_words(name)
    folds = tuple((re.compile(pattern, re.MULTILINE), place) for pattern, place in words.folds)
    return Spelling(str.maketrans(words.letters), folds)


@cache
def load_tongue(name: str) -> Tongue:
    """A tongue, compiled once. Raises WordsError when its file is broken."""
    words, spelling = load_words(name), load_spelling(name)
    rules = compile_rules(risk_words(name, words, spelling.fold))
    typos = {spelling.fold(wrong): spelling.each(right) for wrong, right in words.typos.items()}
    return Tongue(replace(rules, lexicon=_lexicon(rules, typos)), spelling)


@cache
def _calling(name: str) -> tuple[frozenset[str], re.Pattern[str] | None]:
    words = load_words(name)
    return _calls(name, words), re.compile(words.script, re.IGNORECASE) if words.script else None


def _invited(name: str) -> tuple[frozenset[str], re.Pattern[str] | None]:
    """The words, and the script, that ask for a tongue; none where its file is broken, which is logged.

    That is not remembered: a file that can be read again is heard again.
    """
    try:
        return _calling(name)
    except WordsError as error:
        log.error("%s; the plain statements of risk.yaml stand in for it.", error)
        return frozenset(), None


def _loaded(names: Iterable[str]) -> Iterator[Tongue]:
    """Those of the tongues whose words are sound."""
    for name in names:
        try:
            yield load_tongue(name)
        except WordsError as error:
            log.error("%s; the plain statements of risk.yaml stand in for it.", error)


def _lexicon(rules: Rules, typos: Mapping[str, str]) -> Lexicon:
    """The words of the tongue alone, so that no English spelling is undone in it."""
    banks = (rules.cues, rules.idioms, rules.around, rules.before)
    known = frozenset(word for bank in banks for pattern in bank.patterns for word in pattern.words)
    latin = sorted(word for word in known if word.isascii())
    squeezed = {re.sub(r"(.)\1+", r"\1", word): word for word in latin}
    return Lexicon(known, typos, frozenset(), squeezed, max(map(len, latin), default=1))


def _calls(name: str, words: TongueWords) -> frozenset[str]:
    """The words that ask for a tongue: its small ones, and those of its patterns that English has not."""
    means, common = load_meanings(), load("languages.yaml", LanguageWords).words
    sources = (*words.macros.values(), *(way for said in words.rules.values() for way in said.patterns))
    own = {part for source in sources for part in tokens(source) if part.isalpha() and len(part) > 3}
    own = set(filter(str.isascii, own)) if words.like else own
    calls = own.union(words.calls, common.get(name, ())) - means.english - set(common["en"])
    return frozenset(map(bare, calls))


def scan(text: str, base: Rules) -> list[Cue]:
    """Every cue in the message, worst first; one per rule, level and subject."""
    asked = list(_loaded(_asked(text)))
    spanish = not asked or not load_spanish().spanish.isdisjoint(_RUN.findall(bare(text)))
    cues = rules_spanish.scan(text, base) if spanish else base.scan(text)
    heard = [cue for tongue in asked for cue in tongue.read(text)]
    if heard and not any(cue["rule"].startswith("es.") for cue in cues) and rules_spanish.is_saying(text):
        heard = [cue for cue in heard if not cue["rule"].startswith(_LIKE_SPANISH)]
    plainest = [cue for cue in cues if cue["rule"].startswith(_PLAINEST)]
    if plainest:
        kinds = {
            "suicide" if cue["kind"] == "bereaved" else cue["kind"] for cue in heard if not cue["escalate"]
        }
        said = not heard and any(tongue.is_saying(text) for tongue in asked)
        cues = [cue for cue in cues if cue not in plainest or not (said or cue["kind"] in kinds)]
    return sorted([*cues, *heard], key=lambda cue: (-LEVELS.index(cue["level"]), not cue["escalate"]))


def _asked(text: str) -> list[str]:
    """The tongues that may be spoken in the message; generous, for one that is not asked hears nothing."""
    words = _words(text)
    invited = {name: _invited(name) for name in TONGUES}
    found = {name: len(words & calls) for name, (calls, _) in invited.items()}
    enough = max(1 if len(words) <= _SHORT else 2, max(found.values()) / _SHARE)
    return [
        name
        for name, (_, script) in invited.items()
        if found[name] >= enough or (script is not None and script.search(text))
    ]


def _words(text: str) -> set[str]:
    """The different words of a message, as tongues are called by them."""
    return {_APOSTROPHES.sub("", word) for word in set(_RUN.findall(bare(text)))}


def called(text: str) -> dict[str, int]:
    """How many words of the message each tongue may claim."""
    words = _words(text)
    return {name: len(words & _invited(name)[0]) for name in TONGUES}
