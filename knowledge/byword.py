"""Search by words, for the languages that the shipped encoder does not know well.

The words of a text, folded, stemmed and brought together as `byword_<language>.yaml` says, against
those of each entry: BM25 over its fields, and over all that is asked under its topic, so that an entry
is helped by its neighbours. Nothing is found below a floor. It knows nothing of vectors or models, and
keeps and logs no text that is searched for.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import Field

from knowledge.entries import Entry, Passage, passage_of
from knowledge.starter import load_starter
from knowledge.tables import Strict, load, startling_margin

__all__ = ["LANGUAGES", "WordIndex", "search_starter", "starter_index", "stems", "word_index"]

LANGUAGES = frozenset({"es"})

FIELDS = (2.0, 1.0, 0.5)  # what a word weighs in `asked`, in the question, in the answer
TOPIC = 0.5  # what the whole topic weighs beside the entry itself
SOFT, LENGTH = 2.0, 0.3  # of BM25: how soon a repeated word stops to count, and how much length does
# Set on half of the messages of tests/knowledge/asked_es.yaml, on the other half of which and on as many
# written before any Spanish entry tests/knowledge/test_byword.py measures. Lower finds little more.
FLOOR = 0.18
WORDS = 3  # as in knowledge.library
# An entry must share a word of its `asked` with the text, and another word unless that one is as rare.
RARE = 3.5


class Lexicon(Strict):
    """How the words of one language are compared; see the comments of the file."""

    stem: int = Field(ge=2)
    stop: str
    endings: str
    vowels: dict[str, str]
    same: list[str]


@dataclass(frozen=True)
class WordIndex:
    """Entries with what their words weigh. Make one with `word_index`."""

    language: str
    entries: Sequence[Entry]
    asked: Sequence[frozenset[str]]
    weights: Sequence[Mapping[str, float]]
    topics: Mapping[str, Mapping[str, float]]
    rare: Mapping[str, float]

    def search(self, text: str, k: int = 3, floor: float = FLOOR) -> list[Passage]:
        """The k entries that explain most of the words of `text`, best first; [] when none reaches `floor`.

        A passage's score is that share, 0..1; a topic that would startle needs more of it.
        """
        said = set(stems(text, self.language))
        unknown = max(self.rare.values(), default=0.0)
        whole = sum(self.rare.get(word, unknown) for word in said)
        if not whole or k < 1 or len(_words(text)) < WORDS:
            return []
        scores = {n: self._score(n, said) / whole for n in range(len(self.entries)) if self._meets(n, said)}
        enough = [
            n for n, score in scores.items() if score >= floor + startling_margin(self.entries[n].topic)
        ]
        best = sorted(enough, key=lambda n: (-scores[n], n))[:k]
        return [passage_of(self.entries[n], scores[n]) for n in best]

    def _meets(self, number: int, said: Iterable[str]) -> bool:
        """Whether text and entry share enough to be about one thing."""
        shared = [word for word in said if word in self.weights[number]]
        asked = [self.rare[word] for word in shared if word in self.asked[number]]
        return bool(asked) and (len(shared) > 1 or max(asked) >= RARE)

    def _score(self, number: int, said: Iterable[str]) -> float:
        own, around = self.weights[number], self.topics[self.entries[number].topic]
        return sum(
            self.rare[word] * (own.get(word, 0.0) + TOPIC * around.get(word, 0.0)) / (1 + TOPIC)
            for word in said
            if word in self.rare
        )


def word_index(entries: Iterable[Entry], language: str) -> WordIndex:
    """The entries, ready to be searched by words of that language."""
    kept = list(entries)
    counted = [_counted(entry, language) for entry in kept]
    topics: dict[str, dict[str, float]] = {}
    for entry, counts in zip(kept, counted, strict=True):
        around = topics.setdefault(entry.topic, {})
        for word, weight in counts.items():
            around[word] = around.get(word, 0.0) + weight
    holders = Counter(word for counts in counted for word in counts)
    rare = {word: math.log(1 + (len(kept) - n + 0.5) / (n + 0.5)) for word, n in holders.items()}
    names = list(topics)
    return WordIndex(
        language=language,
        entries=kept,
        asked=[frozenset(stems(" ".join(entry.asked), language)) for entry in kept],
        weights=_softened(counted),
        topics=dict(zip(names, _softened([topics[name] for name in names]), strict=True)),
        rare=rare,
    )


@cache
def starter_index(language: str) -> WordIndex:
    """Our own entries in that language, read and indexed once a process."""
    return word_index(
        (
            Entry(
                each.question,
                each.answer,
                topic.topic,
                tuple(each.techniques),
                asked=tuple(each.asked),
                language=language,
            )
            for topic in load_starter(language=language)
            for each in topic.entries
        ),
        language,
    )


def search_starter(text: str, language: str, k: int = 3) -> list[Passage]:
    """What our own entries in one of LANGUAGES hold for `text`, best first.

    Raises TableError when a file of that language breaks its schema.
    """
    return starter_index(language).search(text, k)


def stems(text: str, language: str) -> list[str]:
    """The words of a text that say something, each brought to the form it is compared in."""
    stop, endings, same = _lexicon(language)
    found = (_stem(word, endings, language) for word in _words(text) if word not in stop)
    return [same.get(word, word) for word in found]


def _counted(entry: Entry, language: str) -> dict[str, float]:
    fields = (" ".join(entry.asked), entry.question, entry.text)
    counts: dict[str, float] = {}
    for weight, field in zip(FIELDS, fields, strict=True):
        for word in stems(field, language):
            counts[word] = counts.get(word, 0.0) + weight
    return counts


def _softened(counted: Sequence[Mapping[str, float]]) -> list[dict[str, float]]:
    """BM25's weight of each word, 0..1: it grows ever slower with its number, and less in a longer text."""
    sizes = [sum(counts.values()) for counts in counted]
    usual = sum(sizes) / max(len(sizes), 1) or 1.0
    return [
        {word: n / (n + SOFT * (1 - LENGTH + LENGTH * size / usual)) for word, n in counts.items()}
        for counts, size in zip(counted, sizes, strict=True)
    ]


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFD", text.casefold())
    return re.findall(r"[a-z]+", "".join(char for char in plain if not unicodedata.combining(char)))


@cache
def _lexicon(language: str) -> tuple[frozenset[str], tuple[str, ...], dict[str, str]]:
    table = _table(language)
    endings = tuple(sorted(set(_words(table.endings)), key=len, reverse=True))
    same: dict[str, str] = {}
    for line in table.same:
        group = [_stem(word, endings, language) for word in _words(line)]
        for word in group:
            same.setdefault(word, same.get(group[0], group[0]))
    return frozenset(_words(table.stop)), endings, same


@cache
def _table(language: str) -> Lexicon:
    return load(f"byword_{language}.yaml", Lexicon)


def _stem(word: str, endings: Sequence[str], language: str) -> str:
    table = _table(language)
    for ending in endings:
        if word.endswith(ending) and len(word) - len(ending) >= table.stem:
            word = word[: -len(ending)]
            break
    for change, into in table.vowels.items():
        word = word.replace(change, into)
    return word
