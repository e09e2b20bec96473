"""Scores of a reply to a message: EPITOME's three mechanisms (levels 0 to 2), and how likely it is unsafe.

Linear models on the published encoder's vectors of message and reply, their products, and the reply's words
and pairs of words, hashed; `agent.train.scorers` fits them, and scorers/scorers.json tells how well they do.
They read short English replies as people wrote them on forums, and are unsure of any other voice.
"""

import hashlib
import io
import json
import re
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from agent.errors import DataError
from agent.reading.encoder import load_encoder

__all__ = [
    "FOLDER", "MECHANISMS", "SAFETY", "Scorer", "Scorers", "features", "hashed", "held_back", "load_scorers",
]  # fmt: skip

FOLDER = Path(__file__).parent / "scorers"
MECHANISMS = ("emotional reactions", "interpretations", "explorations")
SAFETY = "unsafe"
BUCKETS = 1 << 13
CACHED = 4096  # vectors of texts that are scored more than once
FIX = "fit them again with `hearken train scorers`"

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Scorer:
    """One linear model. dense: (k, width) and sparse: (k, BUCKETS) weights; bias: (k,)."""

    dense: Vector
    sparse: Vector
    bias: Vector

    def likely(self, dense: Vector, words: Mapping[int, float]) -> Vector:
        """Probabilities (k,) of its classes."""
        logits = self.dense @ dense + self.bias
        if words:
            logits = logits + self.sparse[:, list(words)] @ np.fromiter(
                words.values(), np.float32, len(words)
            )
        shares = np.exp(logits - logits.max())
        result: Vector = (shares / shares.sum()).astype(np.float32)
        return result


@dataclass(frozen=True)
class Scorers:
    """Every scorer by name, and the card with labels, figures and hashes."""

    named: Mapping[str, Scorer]
    card: Mapping[str, Any]
    vector: Callable[[str], Vector]

    def score(self, heard: str, said: str) -> dict[str, Vector]:
        """The probabilities that each scorer gives `said`, as a reply to `heard`."""
        dense, words = features(self.vector(heard), self.vector(said)), hashed(said)
        return {name: one.likely(dense, words) for name, one in self.named.items()}


def features(heard: Vector, said: Vector) -> Vector:
    """The dense features of a message's and a reply's vectors."""
    root = np.float32(np.sqrt(len(heard)))
    return np.concatenate([heard, said, heard * said * root]).astype(np.float32)


def hashed(text: str) -> dict[int, float]:
    """Words, pairs of words and question marks of a text, by bucket; their squares sum to one."""
    told = re.findall(r"[a-z]+(?:'[a-z]+)?|[?!]", text.lower().replace("’", "'"))
    grams = {*told, *(f"{a} {b}" for a, b in zip(["<", *told], [*told, ">"], strict=True))}
    found = {zlib.crc32(gram.encode()) % BUCKETS for gram in grams}
    return dict.fromkeys(found, 1 / np.sqrt(max(1, len(found))))


def held_back(name: str) -> bool:
    """Whether a post of EPITOME is held back from fitting: one in five, by a hash of its id."""
    return zlib.crc32(name.encode()) % 5 == 0


@cache
def load_scorers(folder: Path = FOLDER) -> Scorers:
    """The scorers. Raises DataError, naming file and fix, when they are damaged or not of this encoder."""
    path = folder / "scorers.npz"
    try:
        card = json.loads((folder / "scorers.json").read_text("utf-8"))
        raw = path.read_bytes()
        if hashlib.sha256(raw).hexdigest() != card["sha256"]:
            raise DataError(f"{path} is not the file that scorers.json was written for; {FIX}.")
        named = {name: _read(raw, name) for name in card["scorers"]}
    except (OSError, ValueError, KeyError, TypeError, EOFError, BadZipFile) as error:
        raise DataError(f"{path} is missing or damaged; {FIX}.") from error
    encoder = load_encoder()  # the shipped one, whatever reads messages: weights fit no other's vectors
    if encoder.name != card["encoder"]:
        raise DataError(f"{path} was fitted on vectors of {card['encoder']}; {FIX}.")
    return Scorers(named, card, lru_cache(CACHED)(encoder.vector))


def _read(raw: bytes, name: str) -> Scorer:
    with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
        dense, sparse = (
            arrays[f"{name}.{part}"].astype(np.float32) * arrays[f"{name}.{part}_scale"][:, None]
            for part in ("dense", "sparse")
        )
        return Scorer(dense, sparse, arrays[f"{name}.bias"])
