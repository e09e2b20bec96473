"""How much of a text's own words each of a few others has: BM25 among those few.

Nearness of meaning knows what a text is about and forgets its rare words, and those tell an answer to this
question from one to its neighbour. How rare a word is, is counted among the texts at hand, so there is no
second index; what is kept in memory is of the library's texts. It knows nothing of vectors or entries.
"""

import re
from collections import Counter
from collections.abc import Sequence
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from knowledge.tables import Strict, load

__all__ = ["overlap", "stems"]

SATURATION, LENGTH = 1.5, 0.75  # BM25's k1 and b
KEPT = 1024  # of the library's answers, in whose stems most searches begin
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")


class _Words(Strict):
    """lexical.yaml; see its comments."""

    stem: int
    stop: str
    endings: list[str]


def overlap(text: str, others: Sequence[str]) -> NDArray[np.float64]:
    """For each of the others 0..1, how much it says in the words of `text`; the one with most has 1."""
    asked = Counter(stems(text))
    column = {stem: at for at, stem in enumerate(asked)}
    found, length = np.zeros((len(others), len(asked))), np.zeros(len(others))
    for row, other in enumerate(others):
        said = _counted(other)
        length[row] = said.total()
        for stem in said.keys() & asked.keys():
            found[row, column[stem]] = said[stem]
    if not found.any():
        return np.zeros(len(others))
    having = (found > 0).sum(axis=0)
    rarity = np.log(1 + (len(others) - having + 0.5) / (having + 0.5))
    fold = 1 - LENGTH + LENGTH * length / max(length.mean(), 1.0)
    times = np.array(list(asked.values()), dtype=float)
    scores = (found / (found + SATURATION * fold[:, None])) @ (rarity * times / (times + SATURATION))
    return np.asarray(scores / scores.max(), dtype=float)


def stems(text: str) -> list[str]:
    """The words that say what it is about, in their order and without their endings."""
    return [stem for word in _WORD.findall(text.lower()) if (stem := _stem(word))]


@lru_cache(maxsize=KEPT)
def _counted(text: str) -> Counter[str]:
    return Counter(stems(text))


@cache
def _words() -> tuple[int, frozenset[str], list[tuple[str, str]]]:
    table = load("lexical.yaml", _Words)
    endings = [(end, new) for end, _, new in (line.partition(">") for line in table.endings)]
    return table.stem, frozenset(table.stop.split()), endings


@lru_cache(maxsize=20_000)  # single words; most of a text's are common
def _stem(word: str) -> str:
    """The word without its ending; "" for one that says nothing of the subject."""
    least, stop, endings = _words()
    word = word.replace("’", "'")
    if word in stop or len(word) < 2:
        return ""
    for end, new in endings:
        if word.endswith(end) and len(word) - len(end) >= least:
            word = word.removesuffix(end) + new
            if len(word) > least and word[-1] == word[-2] and word[-1] not in "aeioulsz":
                word = word[:-1]
            break
    return word.removesuffix("e") if len(word) > least + 1 else word
