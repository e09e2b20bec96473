"""Another model's vectors for retrieval: any sentence-transformers model, by hub id or folder.

The reading of a message stays with the shipped model; only what the library compares is replaced. The
`local` extra brings sentence-transformers. It knows nothing of libraries, and keeps no text.
"""

import hashlib
import importlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import EncoderError

__all__ = ["Embedder", "load_embedder"]

Vectors = NDArray[np.float32]


@dataclass(frozen=True)
class Embedder:
    """name goes with every stored vector. embed: n texts -> unit vectors (n, dimension)."""

    name: str
    embed: Callable[[Sequence[str]], Vectors]


def load_embedder(model: str, *, make: Callable[[str], Any] | None = None) -> Embedder:
    """The sentence-transformers model of that hub id or folder.

    make: what builds it, sentence_transformers.SentenceTransformer if left out. Raises EncoderError,
    naming the fix, when the extra is not installed or there is no such model.
    """
    make = make or _maker()
    try:
        built = make(model)
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{model} is no sentence-transformers model that can be loaded; set HEARKEN_EMBEDDER to the "
            "hub id of one (fetched once, with internet) or to its folder, or unset it."
        ) from error

    def embed(texts: Sequence[str]) -> Vectors:
        if not texts:
            return np.zeros((0, int(built.get_sentence_embedding_dimension())), dtype=np.float32)
        found = built.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(found, dtype=np.float32)

    return Embedder(f"{model}{_state(Path(model))}", embed)


def _maker() -> Callable[[str], Any]:
    try:
        found: Callable[[str], Any] = importlib.import_module("sentence_transformers").SentenceTransformer
    except ImportError as error:
        raise EncoderError(
            "HEARKEN_EMBEDDER needs sentence-transformers; run `pip install 'hearken[local]'`, "
            "or unset it for the shipped model."
        ) from error
    return found


def _state(folder: Path) -> str:
    """Of a folder, what tells that other weights were put into it since."""
    digest = hashlib.sha256()
    weights = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    for path in weights:
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return f"@{digest.hexdigest()[:8]}" if weights else ""
