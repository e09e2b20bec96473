"""A learned turn of a question's vector towards the answers such questions get.

An answer speaks of what to do and a question of what hurts, so they are not as near as they belong. One
matrix, trained on questions and their own answers (`hearken train retrieval`; agent/train/LOG.md), turns the
vector that is searched for; what is stored stays as it is. It fits one encoder alone: with any other,
vectors are searched for as they are. It knows nothing of texts.
"""

import logging
import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["turn_for", "turning"]

NAME = "asking.npz"  # beside this module

Vectors = NDArray[np.float32]
Turn = Callable[[Vectors], Vectors]

_log = logging.getLogger(__name__)


@cache
def turn_for(encoder: str) -> Turn:
    """The shipped turn for vectors of this encoder; the vectors themselves when it has none."""
    try:
        path = Path(__file__).parent / NAME
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["encoder"]) == encoder:
                return turning(file["left"].astype(np.float32), file["right"].astype(np.float32))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("%s cannot be used (%s); answers are found a little worse.", NAME, error)
    return lambda vectors: vectors


def turning(left: Vectors, right: Vectors) -> Turn:
    """Unit vectors v -> v + v·left·right, unit again."""

    def turned(vectors: Vectors) -> Vectors:
        moved = vectors + vectors @ left @ right
        unit = moved / np.maximum(np.linalg.norm(moved, axis=1, keepdims=True), 1e-12)
        return np.asarray(unit, dtype=np.float32)

    return turned
