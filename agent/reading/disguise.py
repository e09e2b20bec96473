"""Words that are hidden: by a slip, by chat spelling, or on purpose to get past a filter.

Gives back the plain word for k1ll, k*ll, kiiiill, s u i c i d e, dont. It only ever undoes a disguise that
hides a word of the lexicon, and leaves everything else as it was typed.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from agent.reading.spellings import (
    CONTRACTED,
    GLYPH,
    IS,
    KNOWN,
    LEET,
    LETTERS,
    LOOKALIKES,
    LOST,
    MENDED,
    REAL,
    SLIPPED,
    SPELLINGS,
    SWAPPED,
)

__all__ = ["Lexicon", "contraction", "join_spelt_out", "mend", "spell", "undisguised"]

_LETTERED = re.compile(r"[a-z](?:[.\-_*~,+|/\x01]+[a-z])+")
_DOUBLE = re.compile(r"(.)\1+")


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
        slips = _unfinished(known) | _slips(SLIPPED) | _swaps(SWAPPED)
        spellings = {slip: word for slip, word in slips.items() if slip not in known and slip not in REAL}
        spellings |= SPELLINGS | dict(typos)
        longest_first = sorted((*known, *spellings), key=lambda word: (-len(word), word))
        squeezed = {_squeeze(word): word for word in longest_first}
        return cls(known, spellings, frozenset(keep), squeezed, max(map(len, known)))


def contraction(core: str, lexicon: Lexicon, undo: bool) -> list[str]:
    if not core.isascii() and any("a" <= char <= "z" for char in core):
        core = core.translate(LOOKALIKES)
    if core in lexicon.spellings:
        return lexicon.spellings[core].split()
    base, _, tail = core.rpartition("'")
    base = base.replace("'", "")
    if tail == "t" and base.endswith("n"):
        return [*spell(base[:-1], lexicon, undo), "not"]
    if tail in CONTRACTED:
        return [*spell(base, lexicon, undo), CONTRACTED[tail]]
    if tail == "s":
        return [*spell(base, lexicon, undo), "is" if base in IS else "'s"]
    joined = _squeeze(core.replace("'", ""))
    if undo and _DOUBLE.search(core) and joined in lexicon.squeezed:
        return spell(lexicon.squeezed[joined], lexicon, undo)
    return [part for piece in core.split("'") for part in spell(piece, lexicon, undo)]


def spell(word: str, lexicon: Lexicon, undo: bool) -> list[str]:
    plain = lexicon.spellings.get(word)
    if plain is not None:
        return plain.split()
    if undo and word in LOST:
        return LOST[word].split()
    if not undo or word in lexicon.words or word in lexicon.keep:
        return [word]
    if not word.isascii():
        swapped = word.translate(LOOKALIKES)
        mixed = any("a" <= char <= "z" for char in word)
        fits = swapped.isascii() and swapped.isalpha() and (mixed or swapped in lexicon.words)
        return spell(swapped, lexicon, True) if fits else [word]
    squeezed = _squeeze(word)
    if squeezed != word and squeezed in lexicon.squeezed:
        found = lexicon.squeezed[squeezed]
        return lexicon.spellings.get(found, found).split()
    return [word]


def _squeeze(word: str) -> str:
    return _DOUBLE.sub(r"\1", word)


def undisguised(raw: str, lexicon: Lexicon) -> list[str]:
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


def mend(words: list[str], *, letters: bool = True) -> list[str]:
    """`i m`, `don t` -> `i am`, `do not`; places stay as they are. letters: `n`, `r` for and, are."""
    short = {"u": "you", **LETTERS} if letters else {"u": "you"}
    mended = [short.get(word, word) for word in words]
    for at in range(1, len(words)):
        if words[at] == "s" and mended[at - 1] not in {",", "."}:
            mended[at] = "is" if words[at - 1] in IS else "'s"
        pair = MENDED.get((words[at - 1], words[at]))
        if pair:
            mended[at - 1], mended[at] = pair
    return mended


def join_spelt_out(
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


def _unfinished(words: Iterable[str]) -> dict[str, str]:
    """`jumpin`, `sittin`: each longer word on -ing without its last letter."""
    return {word[:-1]: word for word in words if len(word) > 5 and word.endswith("ing")}


def _swaps(words: Iterable[str]) -> dict[str, str]:
    """Each word with two neighbours swapped: of a short one that is all that stays recognisable."""
    swapped = {
        word[: at - 1] + word[at] + word[at - 1] + word[at + 1 :]: word
        for word in words
        for at in range(1, len(word))
    }
    return {slip: word for slip, word in swapped.items() if slip != word}
