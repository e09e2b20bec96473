"""Text as typed -> plain words that the risk rules can match, each tied to where it stood in the original.

Undoes what people do to words by haste, by habit or to get past a filter: odd Unicode, lookalike
letters, missing apostrophes, k1ll, k*ll, s u i c i d e, kiiiill. Knows nothing of risk: which words
are worth undoing a disguise for is given to it. Nothing is ever cut off, and no input raises.
"""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from agent.reading.disguise import Lexicon, contraction, join_spelt_out, mend, spell, undisguised
from agent.reading.spellings import ALONE, EDGE, GLYPH, IS, LETTERS, MARKS, SPECIAL

__all__ = ["Folded", "forms", "normalise", "spelling"]

_CHUNK = re.compile(r"\n\s*|\S+")
_ASCII_ODD = re.compile(r"[\x00-\x08\x0b-\x1f\x7f`]")
_ELLIPSIS = re.compile(r"\.{2,}")
# Vowel signs of Indic scripts are no letters to Python, so a word is whatever is not ASCII punctuation.
_INSIDE = re.compile(r"[^\s\d\x01!-/:-@\[-`{-~]+|\d+|[.?!]+|\S")
_LONG = 80  # words in one stretch before it is read in overlapping windows, so that cost stays linear
_OVERLAP = 30

_Words = tuple[tuple[str, int, int], ...]


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
    """The folded form, one with no disguise undone, and ones in which dots in a row, or a new line, end the
    sentence.

    Those that differ; rules read all of them.
    """
    folded, origin = _fold_all(text)
    found = _forms(folded, origin, lexicon)
    if _ELLIPSIS.search(folded):  # "and then... nothing" goes on, "tonight... sorry" may not
        found += _forms(_ELLIPSIS.sub(_stop, folded), origin, lexicon)
    if "\n" in folded.strip():  # a line may go on with the one before it, or be another thought
        found += _forms(folded, origin, lexicon, lines=True)
    return found


def _stop(dots: re.Match[str]) -> str:
    return ".".ljust(len(dots.group()))


def _forms(folded: str, origin: list[int] | None, lexicon: Lexicon, *, lines: bool = False) -> list[Folded]:
    """lines: every new line ends a sentence, and does not just pause."""
    chunks = [(chunk.start(), chunk.group()) for chunk in _CHUNK.finditer(folded)]
    unique = {raw for _, raw in chunks}
    read = {raw: _read(raw, lexicon, True) for raw in unique}
    # A word that came out as it was typed has no disguise, so it need not be read again without undoing one.
    bare = {
        raw: words if len(words) == 1 and words[0][0] == raw else _read(raw, lexicon, False)
        for raw, words in read.items()
    }
    if lines:
        ended: dict[str, _Words] = {raw: ((".", 0, len(raw)),) for raw in unique if raw[0] == "\n"}
        read, bare = {**read, **ended}, {**bare, **ended}
    words, spans = _lay_out(chunks, read, origin)
    plain = (words, spans) if bare == read else _lay_out(chunks, bare, origin)
    joined = join_spelt_out(words, spans, lexicon)
    found = [Folded(tuple(mend(joined[0])), tuple(joined[1]))]
    if plain[0] != joined[0] or not LETTERS.keys().isdisjoint(plain[0]):
        found.append(Folded(tuple(mend(plain[0], letters=False)), tuple(plain[1])))
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
        return tuple((word, 0, len(raw)) for word in spell(raw, lexicon, undisguise))
    if raw.isascii() and len(raw) < 40 and raw[:-1].isalpha() and raw[-1] in ".,!?;:":  # a plain word
        body = tuple((word, 0, len(raw) - 1) for word in spell(raw[:-1], lexicon, undisguise))
        return (*body, (_pause(raw[-1]), len(raw) - 1, len(raw)))
    if undisguise and len(raw) < 60:
        bare = raw.rstrip(".,!?;:\"')")
        words = undisguised(bare, lexicon)
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
        return [(word, shift, shift + len(core)) for word in contraction(core, lexicon, undisguise)]
    out: list[tuple[str, int, int]] = []
    previous = ""
    for piece in _INSIDE.finditer(core.replace(GLYPH, " ")):
        text, start, end = piece.group(), shift + piece.start(), shift + piece.end()
        if text == "s" and previous == "'":
            out.append(("is" if out and out[-1][0] in IS else "'s", start, end))
        elif text[0].isalnum() or not text.isascii():
            out += [(word, start, end) for word in spell(text, lexicon, undisguise)]
        elif text[0] in '.?!,:;"()':
            out.append((_pause(text), start, end))
        previous = text
    return out
