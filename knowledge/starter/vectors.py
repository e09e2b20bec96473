"""Vectors of the starter library's lines, shipped so that a first start has next to nothing to embed.

`vectors.npz` holds a hash of each line, its unit vector in half precision, and the name of the encoder
they are by. A line that changed since, or another encoder, is simply not there and gets embedded. It
knows nothing of models: `hearken train vectors` writes the file with the shipped encoder.
"""

import hashlib
import logging
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

__all__ = ["SHIPPED", "fast", "load_vectors", "stale", "write_vectors"]

SHIPPED = Path(__file__).parent / "vectors.npz"

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]

_log = logging.getLogger(__name__)


def load_vectors(encoder: str, path: Path | None = None) -> Mapping[str, Vectors]:
    """Hash of a line -> its unit vector by this encoder; empty when they are another's, or unreadable.

    path: another file than the shipped one.
    """
    try:
        with (path or SHIPPED).open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["encoder"]) != encoder:
                return {}
            vectors = file["vectors"].astype(np.float32)
            names = [name.decode() for name in file["lines"].tolist()]
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        _log.warning("The shipped vectors cannot be used (%s); the lines are embedded.", error)
        return {}
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.float32(1e-12))
    return dict(zip(names, vectors, strict=True))


def fast(embed: Embed, known: Mapping[str, Vectors]) -> Embed:
    """`embed`, asked only for the texts whose vectors are not known."""

    def embedded(texts: Sequence[str]) -> Vectors:
        found = [known.get(_hash(text)) for text in texts]
        missing = [text for text, vector in zip(texts, found, strict=True) if vector is None]
        fresh = iter(embed(missing) if missing else ())
        return np.stack([next(fresh) if vector is None else vector for vector in found])

    return embedded if known else embed


def stale(lines: Sequence[str], known: Mapping[str, Vectors]) -> list[str]:
    """Those of the lines that have no vector."""
    return [line for line in lines if _hash(line) not in known]


def write_vectors(path: Path, lines: Sequence[str], embed: Embed, encoder: str) -> int:
    """Embed the lines and write the file; its size in bytes."""
    np.savez(
        path,
        encoder=np.array(encoder),
        lines=np.array([_hash(line).encode() for line in lines]),
        vectors=embed(lines).astype(np.float16),
    )
    return path.stat().st_size


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()[:16]
