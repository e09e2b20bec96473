"""Text as typed -> plain words that the risk rules can match, each tied to where it stood in the original.

Undoes what people do to words by haste, by habit or to get past a filter: odd Unicode, lookalike
letters, missing apostrophes, k1ll, k*ll, s u i c i d e, kiiiill. Knows nothing of risk: which words
are worth undoing a disguise for is given to it. Nothing is ever cut off, and no input raises.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from agent.reading.spellings import (
    ALONE,
    CONTRACTED,
    EDGE,
    GLYPH,
    IS,
    KNOWN,
    LEET,
    LOOKALIKES,
    MARKS,
    MENDED,
    SPECIAL,
    SPELLINGS,
)

__all__ = ["Folded", "Lexicon", "forms", "normalise", "spelling"]

_CHUNK = re.compile(r"\n\s*|\S+")
_ASCII_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f`]")
_ELLIPSIS = re.compile(r"\.{2,}")
# Vowel signs of Indic scripts are no letters to Python, so a word is whatever is not ASCII punctuation.
_INSIDE = re.compile(r"[^\s\d\x01!-/:-@\[-`{-~]+|\d+|[.?!]+|\S")
_LETTERED = re.compile(r"[a-z](?:[.\-_*~,+|/\x01]+[a-z])+")
_DOUBLE = re.compile(r"(.)\1+")
_LONG = 80  # words in one stretch before it is read in overlapping windows, so that cost stays linear
_OVERLAP = 30

_Words = tuple[tuple[str, int, int], ...]


@dataclass(frozen=True)
class Lexicon:
    """Words worth recognising under a disguise.

    words: the known ones. spellings: how a word is (mis)spelt -> the plain words it stands for. keep: real
    words that only look like a stretched known word ("good" for "god"). squeezed: known words without
    doubled letters -> the word.
    """

    words: frozenset[str] = KNOWN
    spellings: Mapping[str, str] = field(default_factory=lambda: SPELLINGS)
    keep: frozenset[str] = frozenset()
    squeezed: Mapping[str, str] = field(default_factory=dict)
    longest: int = 12

    @classmethod
    def of(cls, words: Iterable[str], typos: Mapping[str, str], keep: Iterable[str]) -> "Lexicon":
        """The built-in words plus those given; long cue words also in their commonest slips."""
        known = KNOWN.union(words)
        slips = _slips(("suicide", "suicidal", "myself", "overdose", "overdosed", "killing"))
        spellings = {slip: word for slip, word in slips.items() if slip not in known}
        spellings |= SPELLINGS | dict(typos)
        longest_first = sorted((*known, *spellings), key=lambda word: (-len(word), word))
        squeezed = {_squeeze(word): word for word in longest_first}
        return cls(known, spellings, frozenset(keep), squeezed, max(map(len, known)))


@dataclass(frozen=True)
class Folded:
    """Plain words and where each one came from.

    text: words with one space between them; `,` a pause, `.` the end of a sentence. spans: [start, end)
    in the original of each word.
    """

    words: tuple[str, ...]
    spans: tuple[tuple[int, int], ...]

    @property
    def text(self) -> str:
        return " ".join(self.words)

    def sentences(self) -> list[tuple[int, int]]:
        """[first, last) word numbers of each stretch to read on its own; long ones overlap."""
        found: list[tuple[int, int]] = []
        begin = 0
        for at, word in enumerate((*self.words, ".")):
            if word != ".":
                continue
            while at - begin > _LONG:
                found.append((begin, begin + _LONG))
                begin += _LONG - _OVERLAP
            last = at - 1 if at > begin and self.words[at - 1] == "," else at
            if last > begin:
                found.append((begin, last))
            begin = at + 1
        return found

    def span(self, first: int, last: int) -> list[int]:
        """[start, end) in the original of the words first to last, last included."""
        covered = self.spans[first : last + 1]
        return [min(start for start, _ in covered), max(end for _, end in covered)]


@cache
def _builtin() -> Lexicon:
    return Lexicon.of((), {}, ())


def spelling(word: str) -> str:
    """One word folded letter by letter (accents, width, case), with no disguise undone."""
    return "".join(map(_fold, word)).replace(GLYPH, " ").strip()


def normalise(text: str, lexicon: Lexicon | None = None) -> Folded:
    """Fold `text`, every disguise undone that hides a word of `lexicon` (default: the built-in one).

    Any string is accepted; the cost grows linearly with its length.
    """
    return forms(text, lexicon or _builtin())[0]


def forms(text: str, lexicon: Lexicon) -> list[Folded]:
    """The folded form, and the one with no disguise undone when it differs; rules read both."""
    folded, origin = _fold_all(text)
    chunks = [(chunk.start(), chunk.group()) for chunk in _CHUNK.finditer(folded)]
    unique = {raw for _, raw in chunks}
    bare = {raw: _read(raw, lexicon, False) for raw in unique}
    read = {raw: _read(raw, lexicon, True) for raw in unique}
    words, spans = _lay_out(chunks, read, origin)
    plain = (words, spans) if bare == read else _lay_out(chunks, bare, origin)
    mended = _join_spelt_out(_mend(words), spans, lexicon)
    found = [Folded(tuple(mended[0]), tuple(mended[1]))]
    if plain[0] != mended[0]:
        found.append(Folded(tuple(plain[0]), tuple(plain[1])))
    return found


def _lay_out(
    chunks: list[tuple[int, str]], read: Mapping[str, _Words], origin: list[int] | None
) -> tuple[list[str], list[tuple[int, int]]]:
    """All words in order, marks of punctuation never two in a row, and their places in the original."""
    words: list[str] = []
    spans: list[tuple[int, int]] = []
    last = "."
    for at, raw in chunks:
        for word, start, end in read[raw]:
            if word in ",." and last in ",.":
                if word == "." and words:
                    words[-1] = last = "."
                continue
            words.append(word)
            last = word
            spans.append(
                (at + start, at + end) if origin is None else (origin[at + start], origin[at + end - 1] + 1)
            )
    return words, spans


def _fold_all(text: str) -> tuple[str, list[int] | None]:
    """Letters folded one by one, and for each the place it came from (None: places unchanged)."""
    if text.isascii() and not _ASCII_ODD.search(text):
        return text.lower(), None
    known = {char: _fold(char) for char in set(text)}
    pieces = [known[char] for char in text]
    origin = [index for index, piece in enumerate(pieces) for _ in piece]
    return "".join(pieces), origin


def _fold(char: str) -> str:
    code = ord(char)
    if char in SPECIAL:
        return SPECIAL[char]
    if code < 0x80:
        return "" if code < 0x20 or code == 0x7F else char.lower()
    if any(code in block for block in ALONE):
        return f" {unicodedata.normalize('NFKC', char)} "
    return _fold_rare(char, code, unicodedata.category(char))


def _fold_rare(char: str, code: int, category: str) -> str:
    invisible = category in {"Cf", "Cc", "Cs", "Co", "Cn", "Me"} or char in "\u115f\u3164\u2800\ufe0f\ufe0e"
    if invisible or any(code in marks for marks in MARKS):
        return ""
    if category[0] == "Z":
        return " "
    plain = "".join(
        SPECIAL.get(part, part)
        for part in unicodedata.normalize("NFKD", char)
        if not any(ord(part) in marks for marks in MARKS)
    )
    if category in {"So", "Sk", "Sm"} and not plain.isascii():
        return GLYPH
    return unicodedata.normalize("NFC", plain.lower())


def _read(raw: str, lexicon: Lexicon, undisguise: bool) -> _Words:
    """The words of one unbroken run of characters: (word, start, end), places within the run."""
    if raw[0] == "\n":
        return ((("." if raw.count("\n") > 1 else ","), 0, len(raw)),)
    if raw.isalpha() and len(raw) < 40:
        return tuple((word, 0, len(raw)) for word in _spell(raw, lexicon, undisguise))
    if undisguise and len(raw) < 60:
        bare = raw.rstrip(".,!?;:\"')")
        words = _undisguise(bare, lexicon)
        if words:
            out: _Words = tuple((word, 0, len(bare)) for word in words)
            return out if bare == raw else (*out, (_pause(raw[len(bare) :]), len(bare), len(raw)))
    left = len(raw) - len(raw.lstrip(EDGE))
    core = raw.strip(EDGE)
    if not core:
        return ((_pause(raw), 0, len(raw)),)
    right = left + len(core)
    before: _Words = ((",", 0, left),) if any(mark in raw[:left] for mark in '"([:,-') else ()
    loud = right < len(raw) and not set(raw[right:]) <= set("'*_~#\x01")
    after: _Words = ((_pause(raw[right:]), right, len(raw)),) if loud else ()
    return (*before, *_inside(core, left, lexicon, undisguise), *after)


def _pause(marks: str) -> str:
    marks = _ELLIPSIS.sub(",", marks)
    return "." if any(mark in marks for mark in ".?!") else ","


def _inside(core: str, shift: int, lexicon: Lexicon, undisguise: bool) -> list[tuple[str, int, int]]:
    if "'" in core and core.replace("'", "").isalpha():
        return [(word, shift, shift + len(core)) for word in _contraction(core, lexicon, undisguise)]
    out: list[tuple[str, int, int]] = []
    previous = ""
    for piece in _INSIDE.finditer(core.replace(GLYPH, " ")):
        text, start, end = piece.group(), shift + piece.start(), shift + piece.end()
        if text == "s" and previous == "'":
            out.append(("'s", start, end))
        elif text[0].isalnum() or not text.isascii():
            out += [(word, start, end) for word in _spell(text, lexicon, undisguise)]
        elif text[0] in '.?!,:;"()':
            out.append((_pause(text), start, end))
        previous = text
    return out


def _contraction(core: str, lexicon: Lexicon, undisguise: bool) -> list[str]:
    if core in lexicon.spellings:
        return lexicon.spellings[core].split()
    base, _, tail = core.rpartition("'")
    base = base.replace("'", "")
    if tail == "t" and base.endswith("n"):
        return [*_spell(base[:-1], lexicon, undisguise), "not"]
    if tail in CONTRACTED:
        return [*_spell(base, lexicon, undisguise), CONTRACTED[tail]]
    if tail == "s":
        return [base, "is" if base in IS else "'s"]
    return [part for piece in core.split("'") for part in _spell(piece, lexicon, undisguise)]


def _spell(word: str, lexicon: Lexicon, undisguise: bool) -> list[str]:
    plain = lexicon.spellings.get(word)
    if plain is not None:
        return plain.split()
    if not undisguise or word in lexicon.words or word in lexicon.keep:
        return [word]
    if not word.isascii():
        swapped = word.translate(LOOKALIKES)
        mixed = any("a" <= char <= "z" for char in word)
        fits = swapped.isascii() and swapped.isalpha() and (mixed or swapped in lexicon.words)
        return _spell(swapped, lexicon, True) if fits else [word]
    squeezed = _squeeze(word)
    if squeezed != word and squeezed in lexicon.squeezed:
        found = lexicon.squeezed[squeezed]
        return lexicon.spellings.get(found, found).split()
    return [word]


def _squeeze(word: str) -> str:
    return _DOUBLE.sub(r"\1", word)


def _undisguise(raw: str, lexicon: Lexicon) -> list[str]:
    """The known words hidden in a run that is not plain letters, or nothing."""
    if raw in lexicon.spellings:
        return lexicon.spellings[raw].split()
    bare = raw.replace(GLYPH, "").translate(LOOKALIKES).strip("#*_~")
    if len(bare) < 3 or not any("a" <= char <= "z" for char in bare):
        return []
    tries = [bare, *(bare.translate(table) for table in LEET)]
    if _LETTERED.fullmatch(raw):
        tries.append(re.sub(r"[^a-z]", "", raw))
    for guess in tries:
        if not (guess.isascii() and guess.isalpha()) or guess == raw:
            continue
        word = guess if guess in lexicon.words else lexicon.squeezed.get(_squeeze(guess), "")
        if word and guess not in lexicon.keep and (guess == word or len(guess) > 3):
            return lexicon.spellings.get(word, word).split()
    return _unmask(bare)


def _unmask(bare: str) -> list[str]:
    """`k*ll`, `su-icide`: the built-in known word that fits, or nothing."""
    if "*" in bare and len(bare) < 12 and bare[0] != "*":
        hidden = re.compile("".join("[a-z]" if char == "*" else re.escape(char) for char in bare))
        word = next((word for word in sorted(KNOWN) if len(word) > 2 and hidden.fullmatch(word)), "")
        if word:
            return [word]
    joined = re.sub(r"[*\-_.]", "", bare)
    return [joined] if joined != bare and len(joined) > 3 and joined in KNOWN else []


def _mend(words: list[str]) -> list[str]:
    """`i m`, `don t` -> `i am`, `do not`; places stay as they are."""
    mended = list(words)
    for at in range(1, len(words)):
        pair = MENDED.get((words[at - 1], words[at]))
        if pair:
            mended[at - 1], mended[at] = pair
    return mended


def _join_spelt_out(
    words: list[str], spans: list[tuple[int, int]], lexicon: Lexicon
) -> tuple[list[str], list[tuple[int, int]]]:
    """`k i l l  m y s e l f` -> `kill myself`, when the letters make known words."""
    single = [len(word) == 1 and "a" <= word <= "z" for word in words]
    if not any(map(all, zip(single, single[1:], single[2:], strict=False))):
        return words, spans
    new_words: list[str] = []
    new_spans: list[tuple[int, int]] = []
    at = 0
    while at < len(words):
        end = at
        while end < len(words) and end - at < 60 and single[end]:
            end += 1
        cuts = _segment("".join(words[at:end]), lexicon) if end - at >= 3 else []
        for first, last in cuts:
            new_words.append("".join(words[at + first : at + last]))
            new_spans.append((spans[at + first][0], spans[at + last - 1][1]))
        if not cuts:
            end = max(end, at + 1)
            new_words += words[at:end]
            new_spans += spans[at:end]
        at = end
    return new_words, new_spans


def _segment(letters: str, lexicon: Lexicon) -> list[tuple[int, int]]:
    """The letters cut into the fewest known words, or nothing; at most 60 letters are given."""
    best: dict[int, list[tuple[int, int]]] = {0: []}
    for end in range(1, len(letters) + 1):
        for start in range(max(0, end - lexicon.longest), end):
            shorter = start in best and (end not in best or len(best[start]) + 1 < len(best[end]))
            if shorter and letters[start:end] in lexicon.words:
                best[end] = [*best[start], (start, end)]
    cuts = best.get(len(letters), [])
    return cuts if any(last - first > 2 for first, last in cuts) else []


def _slips(words: Iterable[str]) -> dict[str, str]:
    """Each word with one letter left out or two neighbours swapped."""
    found: dict[str, str] = {}
    for word in words:
        for at in range(1, len(word)):
            found[word[:at] + word[at + 1 :]] = word
            found[word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]] = word
    return {slip: word for slip, word in found.items() if slip != word}
