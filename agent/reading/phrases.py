"""Many word classes found in one pass over a sentence, for rules that join them.

Reads the pattern language of patterns.py, but turns each pattern into chains of phrase sets (`a|b c` is one
set, `..3` the gap before the next) and looks phrases up by their words, so that a class of a hundred words
costs no more than one of three. Knows nothing of risk.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import product

from agent.errors import WordsError
from agent.reading.normalise import spelling
from agent.reading.patterns import tokens

__all__ = ["PhraseBank"]

Phrase = tuple[str, ...]
_NOT = "\x00"  # begins the last word of a phrase that a certain word may not follow
_GOES_ON = frozenset({"stop", "help", "just", "only", "sure"})
_FEW = 240  # phrases that two sets may make together; more are kept apart
_FAR = 10  # a gap this long only says that two things are told together, so a denial in it is no matter
_EMPTY: frozenset[Phrase] = frozenset({()})

# Sets of phrases, each with the gap allowed before it.
_Chain = tuple[tuple[int, frozenset[Phrase]], ...]


class _Reader:
    def __init__(self, source: str, macros: Mapping[str, str], known: dict[str, list[_Chain]]) -> None:
        self.source, self.macros, self.known = source, macros, known
        self.tokens, self.at = tokens(source), 0

    def either(self) -> list[_Chain]:
        chains = self.sequence()
        while self.at < len(self.tokens) and self.tokens[self.at] == "|":
            self.at += 1
            chains += self.sequence()
        return _merged(chains)

    def sequence(self) -> list[_Chain]:
        chains: list[_Chain] = [((0, _EMPTY),)]
        while self.at < len(self.tokens) and self.tokens[self.at] not in {"|", ")", "]"}:
            mark = self.tokens[self.at]
            self.at += 1
            if mark.startswith(".."):
                chains = [(*chain, (int(mark[2:] or 3), _EMPTY)) for chain in chains]
            else:
                items = self.item(mark)
                chains = [way for chain in chains for item in items for way in self.append(chain, item)]
        return chains

    def append(self, chain: _Chain, item: _Chain) -> list[_Chain]:
        """The chain carried on by the item: as longer phrases while they are few, else as its own step."""
        gap, last = chain[-1]
        first = item[0][1]
        if len(last) * len(first) <= _FEW or any(part[0][0] == _NOT for part in first if part):
            return [(*chain[:-1], (gap, frozenset((*a, *b) for a, b in product(last, first))), *item[1:])]
        begun = [(*chain[:-1], (gap, last - _EMPTY))] if last - _EMPTY else []
        ways = [(*head, (0, first - _EMPTY), *item[1:]) for head in begun]
        if () in first:
            ways += [(*head, *item[1:]) for head in begun]
        if () in last:
            ways.append((*chain[:-1], (gap, first), *item[1:]))
        return ways

    def item(self, mark: str) -> list[_Chain]:
        if mark in {"(", "[", "-("}:
            inner = self.either()
            if self.at >= len(self.tokens):
                raise WordsError(f"The risk pattern {self.source!r} has a bracket that is not closed.")
            self.at += 1
            if mark == "-(":
                return [((0, frozenset({(_NOT + "|".join(" ".join(p) for p in sorted(inner[0][0][1])),)})),)]
            return inner if mark == "(" else _merged([((0, _EMPTY),), *inner])
        if mark.startswith("{"):
            name = mark[1:-1]
            if name not in self.macros:
                raise WordsError(f"The risk pattern {self.source!r} uses {mark}, which is unknown.")
            if name not in self.known:
                self.known[name] = _Reader(self.macros[name], self.macros, self.known).either()
            return self.known[name]
        return [((0, frozenset({_words(mark)})),)]


@cache
def _words(mark: str) -> Phrase:
    """The words of a pattern word, folded; "8th" is two, and the last may end in `*`."""
    if set(mark) <= {"#"}:
        return ("#",)
    found = re.findall(r"\d+|\D+", spelling(mark.rstrip("*")).replace(" ", ""))
    if not found or not set(mark.rstrip("*")).isdisjoint('?+*!/\\";:@$^'):
        raise WordsError(f"The risk pattern word {mark!r} is no word.")
    return (*found[:-1], found[-1] + "*") if mark.endswith("*") else tuple(found)


def _merged(chains: list[_Chain]) -> list[_Chain]:
    """The chains, those of a single set made one."""
    plain = [chain[0][1] for chain in chains if len(chain) == 1]
    rest = [chain for chain in chains if len(chain) > 1]
    return [((0, frozenset[Phrase]().union(*plain)),), *rest] if plain else rest


@dataclass(slots=True)
class _Node:
    """A place in the tree. ends: the sets of the phrase ended here; barred: what may not follow it."""

    following: dict[str, "_Node"] = field(default_factory=dict)
    ends: list[int] = field(default_factory=list)
    barred: list[tuple[tuple[Phrase, ...], list[int]]] = field(default_factory=list)


@dataclass(frozen=True)
class PhraseBank:
    """Named classes: a tree of all their phrases, and the chains that begin with a set.

    chains: by the number of their first set, the name and the (gap, set) that must follow. begins: by its
    first two letters, the lengths at which a word may be cut to stand for a class word such as `faint*`.
    """

    root: _Node
    words: frozenset[str]
    begins: Mapping[str, tuple[int, ...]]
    chains: Mapping[int, tuple[tuple[str, tuple[tuple[int, int], ...]], ...]]

    @classmethod
    def of(cls, named: Mapping[str, tuple[str, ...]], macros: Mapping[str, str]) -> "PhraseBank":
        known: dict[str, list[_Chain]] = {}
        numbers: dict[frozenset[Phrase], int] = {}
        chains: dict[int, list[tuple[str, tuple[tuple[int, int], ...]]]] = {}
        for name, sources in named.items():
            for source in sources:
                for chain in _Reader(source, macros, known).either():
                    if any(() in phrases for _, phrases in chain):
                        raise WordsError(f"The risk pattern {source!r} would match anything.")
                    steps = tuple((gap, numbers.setdefault(phrases, len(numbers))) for gap, phrases in chain)
                    chains.setdefault(steps[0][1], []).append((name, steps[1:]))
        root = _Node()
        words: set[str] = set()
        for phrases, number in numbers.items():
            for phrase in phrases:
                _plant(root, phrase, number)
                words.update(part for part in phrase if part[0] != _NOT)
        begins: dict[str, set[int]] = {}
        for word in words:
            if word[-1] == "*":
                begins.setdefault(word[:2], set()).add(len(word) - 1)
        rows = {first: tuple(dict.fromkeys(found)) for first, found in chains.items()}
        cuts = {head: tuple(sorted(lengths)) for head, lengths in begins.items()}
        return cls(root, frozenset(words), cuts, rows)

    def matches(self, sentence: str) -> Iterator[tuple[str, int, int]]:
        """(name, first word, last word + 1) of every class in a folded sentence; commas do not count."""
        every = sentence.split()
        at = [number for number, word in enumerate(every) if word != ","]
        words = [every[number] for number in at]
        keys = [self._keys(word) for word in words]
        hits: dict[int, list[tuple[int, int]]] = {}
        for start in range(len(words)):
            if keys[start]:
                _walk(self.root, words, keys, start, hits)
        for number, begun in hits.items():
            for name, steps in self.chains.get(number, ()):
                found = begun
                for gap, following in steps:
                    found = _after(found, gap, hits[following], words) if found and following in hits else []
                for start, end in found:
                    yield name, at[start], at[end - 1] + 1

    def _keys(self, word: str) -> list[str]:
        """What a word may be called in the tree: itself, a number, a word that begins so."""
        keys = [word] if word in self.words else []
        if word[0].isdigit():
            keys.append("#")
        cuts = self.begins.get(word[:2], ())
        return [*keys, *(key for cut in cuts if (key := f"{word[:cut]}*") in self.words)] if cuts else keys


def _walk(
    root: _Node, words: list[str], keys: list[list[str]], start: int, hits: dict[int, list[tuple[int, int]]]
) -> None:
    """Add to `hits`, by set, the (first word, word after) of every phrase that begins at `start`."""
    open_ = [(root, start)]
    while open_:
        node, at = open_.pop()
        end = at + 1
        for key in keys[at]:
            after = node.following.get(key)
            if after is None:
                continue
            for number in after.ends:
                hits.setdefault(number, []).append((start, end))
            for out, numbers in after.barred:
                if not any(tuple(words[end : end + len(phrase)]) == phrase for phrase in out):
                    for number in numbers:
                        hits.setdefault(number, []).append((start, end))
            if after.following and end < len(words):
                open_.append((after, end))


def _plant(root: _Node, phrase: Phrase, number: int) -> None:
    node = root
    barred: tuple[Phrase, ...] = ()
    for part in phrase:
        if part[0] == _NOT:
            barred = tuple(tuple(out.split()) for out in part[1:].split("|"))
        else:
            node = node.following.setdefault(part, _Node())
    if not barred:
        node.ends.append(number)
        return
    for out, numbers in node.barred:
        if out == barred:
            numbers.append(number)
            return
    node.barred.append((barred, [number]))


def _after(
    begun: list[tuple[int, int]], gap: int, following: "list[tuple[int, int]] | tuple[()]", words: list[str]
) -> list[tuple[int, int]]:
    """What is begun, carried on by what follows within the gap; a gap steps over any word but a denial."""
    return [
        (start, stop)
        for start, end in begun
        for other, stop in following
        if 0 <= other - end <= gap and (gap >= _FAR or not _denied(words, end, other))
    ]


def _denied(words: list[str], first: int, last: int) -> bool:
    return any(
        words[at] in {"not", "never"} and words[at + 1] not in _GOES_ON
        for at in range(first, last)
        if at + 1 < len(words)
    )
