"""A cross-encoder that reads a message and an answer together: any of sentence-transformers, by id or folder.

Slower and often better than comparing vectors, so it puts in order only the few answers that are near
already. The `local` extra brings sentence-transformers. It knows nothing of libraries, and keeps no text.
"""

import importlib
from collections.abc import Callable, Sequence
from typing import Any

from agent.errors import EncoderError

__all__ = ["load_reranker"]

Rerank = Callable[[str, Sequence[str]], list[float]]


def load_reranker(model: str, *, make: Callable[[str], Any] | None = None) -> Rerank:
    """A function (text, answers) -> how well each fits the text, higher is better.

    make: what builds it, sentence_transformers.CrossEncoder if left out. Raises EncoderError, naming the
    fix, when the extra is not installed or there is no such model.
    """
    make = make or _maker()
    try:
        built = make(model)
    except (OSError, ValueError) as error:
        raise EncoderError(
            f"{model} is no cross-encoder that can be loaded; set HEARKEN_RERANKER to the hub id of one "
            "(fetched once, with internet) or to its folder, or unset it."
        ) from error

    def rerank(text: str, answers: Sequence[str]) -> list[float]:
        pairs = [(text, answer) for answer in answers]
        return [float(score) for score in built.predict(pairs, show_progress_bar=False)] if pairs else []

    return rerank


def _maker() -> Callable[[str], Any]:
    try:
        found: Callable[[str], Any] = importlib.import_module("sentence_transformers").CrossEncoder
    except ImportError as error:
        raise EncoderError(
            "HEARKEN_RERANKER needs sentence-transformers; run `pip install 'hearken[local]'`, or unset it."
        ) from error
    return found
