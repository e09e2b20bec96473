"""The small pattern language of the risk words, compiled to bounded regular expressions.

Written for people who do not write regular expressions; everything is matched word by word on folded
text (agent/reading/normalise.py), commas in between being ignored:

    kill myself      these words          kill*       a word that begins so
    (a|b c)          either               [very]      may be missing
    {name}           a macro              ..  ..6     up to three (six) words between, but no "not";
                                           from ..10 on over anything
    #  ##  ####      a number, one of 5 or more, one of four digits or more
    ^  $        begin (after a greeting, if any) and end of the sentence
    -(of|for)        not followed by

No pattern can look further than its own words and gaps, so cost is linear in the text.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property

from agent.errors import WordsError
from agent.reading.normalise import spelling

__all__ = ["Bank", "Index", "Pattern", "compile_pattern", "tokens"]

_TOKEN = re.compile(r"\s*(-\(|[()\[\]|^$]|#+|\{[a-z_]+\}|\.\.\d*|[^\s()\[\]|{}#^$]+)")
_NUMBERED = re.compile(r"\d+|\D+")  # "8th" is folded to two words
_SEP = " (?:, )?"
# Words too common to single out a sentence by.
_COMMON = frozenset({
    "i", "me", "my", "a", "the", "to", "of", "in", "on", "is", "am", "are", "was", "be", "it", "that", "this",
    "and", "or", "so", "not", "no", "do", "have", "has", "had", "you", "he", "she", "they", "him", "her",
    "his", "for", "with", "at", "just", "all", "can", "will", "would", "if", "what", "how", "about", "want",
    "going", "feel", "like", "get", "up",
})  # fmt: skip
_MARKS = {
    "#": _SEP + r"\d+",
    "##": _SEP + r"(?:[5-9]|\d\d+)",
    "####": _SEP + r"\d{4,}",
    "^": r"\A(?: ,)?(?: (?:hi|hey|hello|hiya|there|ok|okay|so|well|um|uh|honestly)(?: ,)?){0,3}",
    "$": r"(?= \Z)",
}
# A gap steps over any word but a denial; "can not stop", "not just" and the like are none.
_DENIALS = "(?:not|never) (?!(?:, )?(?:stop|help|just|only|sure) )"
_FAR = 10  # a gap this long only says that two things are told together, so a denial in it is no matter
_CLOSES = {"(": ")", "-(": ")", "[": "]"}


@dataclass(frozen=True)
class _Part:
    """A piece of pattern: its expression, and sets of words of which each must have one in the text."""

    regex: str
    needs: tuple[frozenset[str], ...] = ()
    words: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Pattern:
    """One compiled pattern; the expression itself is only built when a sentence first calls for it."""

    source: str
    regex: str
    needs: tuple[frozenset[str], ...]
    words: frozenset[str]

    @cached_property
    def _compiled(self) -> re.Pattern[str]:
        return re.compile(self.regex)

    def search(self, sentence: str) -> re.Match[str] | None:
        """First match in a sentence with a space at either end."""
        return self._compiled.search(sentence)

    def find(self, sentence: str) -> list[tuple[int, int]]:
        """Every match, as offsets that leave out the leading space."""
        return [(match.start() + 1, match.end()) for match in self._compiled.finditer(sentence)]


def tokens(source: str) -> list[str]:
    """The marks and words of a pattern; raises WordsError when one is not understood."""
    found = _TOKEN.findall(source)
    if "".join(found) != re.sub(r"\s", "", source):
        raise WordsError(f"The risk pattern {source!r} has a mark that is not understood.")
    return found


class _Parser:
    def __init__(
        self, source: str, macros: Mapping[str, str], known: dict[str, _Part], trail: tuple[str, ...] = ()
    ) -> None:
        self.source, self.macros, self.known, self.trail = source, macros, known, trail
        self.tokens = tokens(source)
        self.at = 0

    def parse(self) -> _Part:
        part = self.either()
        if self.at < len(self.tokens):
            raise WordsError(f"The risk pattern {self.source!r} has a bracket too many.")
        return part

    def either(self) -> _Part:
        branches = [self.sequence()]
        while self.at < len(self.tokens) and self.tokens[self.at] == "|":
            self.at += 1
            branches.append(self.sequence())
        return branches[0] if len(branches) == 1 else _alternatives(branches)

    def sequence(self) -> _Part:
        parts: list[_Part] = []
        while self.at < len(self.tokens) and self.tokens[self.at] not in {"|", ")", "]"}:
            parts.append(self.item())
        if not parts:
            raise WordsError(f"The risk pattern {self.source!r} has an empty choice.")
        return _Part(
            "".join(part.regex for part in parts),
            tuple(need for part in parts for need in part.needs),
            frozenset().union(*(part.words for part in parts)),
        )

    def item(self) -> _Part:
        mark = self.tokens[self.at]
        self.at += 1
        if mark in _CLOSES:
            return self.bracket(mark)
        if mark.startswith("{"):
            return self.macro(mark[1:-1])
        if mark.startswith(".."):
            words = int(mark[2:] or 3)
            ahead = f"(?!{_DENIALS})" if words < _FAR else ""
            return _Part(rf"(?: (?:, )?{ahead}[^ ,]+){{0,{words}}}?")
        return _Part(_MARKS[mark]) if mark in _MARKS else _word(mark)

    def bracket(self, opened: str) -> _Part:
        inner = self.either()
        if self.at >= len(self.tokens) or self.tokens[self.at] != _CLOSES[opened]:
            raise WordsError(f"The risk pattern {self.source!r} has a bracket that is not closed.")
        self.at += 1
        if opened == "(":
            return inner
        regex = f"(?:{inner.regex})?" if opened == "[" else f"(?!{inner.regex}(?= ))"
        return _Part(regex, (), inner.words)

    def macro(self, name: str) -> _Part:
        if name not in self.macros or name in self.trail:
            raise WordsError(
                f"The risk pattern {self.source!r} uses {{{name}}}, which is unknown or names itself."
            )
        if name not in self.known:
            self.known[name] = _Parser(
                self.macros[name], self.macros, self.known, (*self.trail, name)
            ).parse()
        return self.known[name]


@cache  # the same few thousand words stand in tens of thousands of places
def _word(token: str) -> _Part:
    prefix = token.endswith("*")
    words = [part for word in spelling(token.rstrip("*")).split() for part in _NUMBERED.findall(word)]
    if not words or not set(token.rstrip("*")).isdisjoint('?+*.!/\\";:@'):
        raise WordsError(f"The risk pattern word {token!r} is no word.")
    regex = "".join(_SEP + re.escape(word) for word in words) + ("[^ ]*" if prefix else "")
    needs = [frozenset({word}) for word in words]
    if prefix:
        needs[-1] = frozenset({words[-1] + "*"})
    return _Part(regex, tuple(needs), frozenset(words[:-1] if prefix else words))


def _alternatives(branches: list[_Part]) -> _Part:
    words = frozenset().union(*(branch.words for branch in branches))
    # What a branch certainly needs, by its rarest word; the choice as a whole needs one of these.
    keys = [_rarest(branch.needs) for branch in branches]
    needs = (frozenset().union(*keys),) if all(keys) else ()
    bare = all(branch.regex.startswith(_SEP) for branch in branches)
    inner = "|".join(branch.regex.removeprefix(_SEP) if bare else branch.regex for branch in branches)
    return _Part(f"{_SEP if bare else ''}(?:{inner})", needs, words)


def _rarest(needs: tuple[frozenset[str], ...]) -> frozenset[str]:
    return min(needs, key=lambda need: (len(need & _COMMON), len(need)), default=frozenset())


def compile_pattern(source: str, macros: Mapping[str, str], known: dict[str, _Part] | None = None) -> Pattern:
    """Read one pattern; raises WordsError, naming it, when a bracket or a macro is wrong.

    known: what is kept of macros that were read before, for a caller with many patterns.
    """
    part = _Parser(source, macros, {} if known is None else known).parse()
    if not part.needs:
        raise WordsError(f"The risk pattern {source!r} would match anything; name at least one word.")
    regex = part.regex
    if regex.startswith(_SEP):
        regex = " " + regex.removeprefix(_SEP)
    return Pattern(source, regex + "(?= )", part.needs, part.words)


class Index:
    """Finds, for the words of a sentence, the few patterns that can match it at all."""

    def __init__(self, patterns: list[Pattern]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._begins: dict[str, list[int]] = {}
        self._rest: list[tuple[frozenset[str], ...]] = []
        for number, pattern in enumerate(patterns):
            key = _rarest(pattern.needs)
            for word in key:
                target = self._begins if word.endswith("*") else self._exact
                target.setdefault(word.rstrip("*"), []).append(number)
            self._rest.append(
                tuple(n for n in pattern.needs if n is not key and not any(word.endswith("*") for word in n))
            )
        # The lengths of the beginnings, by their first letter, so that most words are never cut.
        self._lengths: dict[str, list[int]] = {}
        for length, head in sorted({(len(word), word[0]) for word in self._begins}):
            self._lengths.setdefault(head, []).append(length)

    def candidates(self, words: frozenset[str]) -> list[int]:
        """Numbers of the patterns whose every needed word may be among `words`."""
        found: set[int] = set()
        for word in words:
            exact = self._exact.get(word)
            if exact:
                found.update(exact)
            for length in self._lengths.get(word[0], ()):
                begun = self._begins.get(word[:length])
                if begun:
                    found.update(begun)
        rest, fits = self._rest, []
        for number in found:
            for need in rest[number]:
                if words.isdisjoint(need):
                    break
            else:
                fits.append(number)
        return sorted(fits)


@dataclass(frozen=True)
class Bank:
    """Patterns with the name each belongs to, and the index over them."""

    owners: tuple[str, ...]
    patterns: tuple[Pattern, ...]
    index: Index

    @classmethod
    def of(cls, named: Mapping[str, tuple[str, ...]], macros: Mapping[str, str]) -> "Bank":
        owners = tuple(name for name, sources in named.items() for _ in sources)
        known: dict[str, _Part] = {}
        patterns = tuple(
            compile_pattern(source, macros, known) for sources in named.values() for source in sources
        )
        return cls(owners, patterns, Index(list(patterns)))

    def matches(self, sentence: str, words: frozenset[str]) -> Iterator[tuple[str, int, int]]:
        """(owner, start, end) of every pattern found in the sentence."""
        for number in self.index.candidates(words):
            for start, end in self.patterns[number].find(sentence):
                yield self.owners[number], start, end
