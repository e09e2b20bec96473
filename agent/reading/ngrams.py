"""Which words and pairs of words speak for a label: the wide half of the reading model.

A linear layer on the distinct tokens of a text and their neighbouring pairs, beside the encoder's own (wide
and deep; Cheng et al., 2016): it remembers the very words that small sets turn on, which a mean over an
encoder's states blurs. Each label is told by both in fixed shares. Knows nothing of texts or ONNX.
"""

import io
from collections.abc import Sequence
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

__all__ = ["NGrams", "Table", "dump", "grams", "load"]

TOKENS = 30522  # of the tokenizer; a pair's key stands behind all of them
Vector = NDArray[np.float32]
Keys = NDArray[np.uint32]


@dataclass(frozen=True)
class Table:
    """One head's half.

    place: its columns among the outputs. keys: (n,) sorted. rows: (n, labels), times scale (labels,) a
    weight each. bias: (labels,).
    """

    place: slice
    keys: Keys
    rows: NDArray[np.int8]
    scale: Vector
    bias: Vector

    def scores(self, keys: Keys) -> Vector:
        """Logits (labels,) of a text's distinct keys; those never met in training say nothing."""
        at = np.minimum(np.searchsorted(self.keys, keys), len(self.keys) - 1)
        met = at[self.keys[at] == keys]
        told: Vector = self.rows[met].sum(axis=0, dtype=np.float32) * self.scale
        return told / np.float32(np.sqrt(max(1, len(keys)))) + self.bias


@dataclass(frozen=True)
class NGrams:
    """The tables of all heads. share: (outputs,), their part of a logit; the rest is the encoder's."""

    tables: tuple[Table, ...]
    share: Vector

    def logits(self, ids: Sequence[int]) -> Vector:
        """What the tables alone say of token ids without marks: (outputs,)."""
        found, keys = np.zeros_like(self.share), grams(ids)
        for table in self.tables:
            found[table.place] = table.scores(keys)
        return found

    def mixed(self, deep: Vector, ids: Sequence[int]) -> Vector:
        """The encoder's logits (outputs,) of those ids with the tables' share in them."""
        result: Vector = deep * (1 - self.share) + self.logits(ids) * self.share
        return result


def grams(ids: Sequence[int]) -> Keys:
    """The distinct tokens and neighbouring pairs as numbers, sorted."""
    tokens = np.array(ids, dtype=np.uint32)
    pairs = (tokens[:-1] + np.uint32(1)) * np.uint32(TOKENS) + tokens[1:]
    return np.unique(np.concatenate([tokens, pairs]))


def dump(ngrams: NGrams) -> bytes:
    """The file of `ngrams`: compressed arrays, the same bytes for the same arrays."""
    arrays: dict[str, NDArray[np.generic]] = {"share": ngrams.share}
    for number, table in enumerate(ngrams.tables):
        arrays[f"{number}.place"] = np.array([table.place.start, table.place.stop])
        # Differences of sorted keys are small numbers, which compress better.
        arrays[f"{number}.steps"] = np.diff(table.keys, prepend=np.uint32(0))
        arrays |= {f"{number}.{name}": getattr(table, name) for name in ("rows", "scale", "bias")}
    raw = io.BytesIO()
    np.savez_compressed(raw, allow_pickle=False, **arrays)
    return raw.getvalue()


def load(raw: bytes) -> NGrams:
    """What `dump` wrote. Raises KeyError or ValueError when it is something else."""
    try:
        return _read(raw)
    except (BadZipFile, EOFError) as error:
        raise ValueError("not a file of arrays") from error


def _read(raw: bytes) -> NGrams:
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        tables: list[Table] = []
        while f"{len(tables)}.place" in arrays:
            part = f"{len(tables)}."
            start, stop = map(int, arrays[f"{part}place"])
            keys = np.cumsum(arrays[f"{part}steps"], dtype=np.uint32)
            rest = (arrays[f"{part}{name}"] for name in ("rows", "scale", "bias"))
            tables.append(Table(slice(start, stop), keys, *rest))
        return NGrams(tuple(tables), arrays["share"])
