"""One forward pass over a message: a sentence vector, the likeliest emotions, the reply intents.

all-MiniLM-L6-v2 (int8, ONNX) with a linear head on its frozen vectors; see model/MODEL_CARD.md.
It reads English, was taught on short situations people wrote down for a data set, and knows
nothing of danger, of who is meant, or of the conversation before. It keeps no text.
"""

import functools
import hashlib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from agent.brief import Score
from agent.errors import EncoderError

__all__ = ["Encoder", "Head", "Heard", "load_encoder", "vectoriser"]

WINDOW = 256  # tokens, [CLS] and [SEP] included; the weights were trained on shorter texts still
WINDOWS = 4
CLS, SEP = 101, 102  # the marks around a sentence in this vocabulary
EMOTIONS, INTENTS = 32, 9
FIX = "reinstall hearken, or rebuild with `python -m agent.train.export` and `python -m agent.train.heads`"

Vector = NDArray[np.float32]


class Heard(TypedDict):
    """What one message says by itself.

    emotions: the five likeliest of the 32, likeliest first, each with its probability if the text
    tells a feeling at all. intents: the same for the three likeliest of the 9. sure: whether the
    first emotion is likely enough, against emotions and intents alike, to be named to the person.
    """

    emotions: list[Score]
    intents: list[Score]
    sure: bool


@dataclass(frozen=True)
class Head:
    """One linear head over emotions and intents: weights (dimension, 41), bias (41,), emotions first.

    temperature divides the logits. threshold: probability among all 41 from which an emotion is
    `sure`; a greeting or a bare "yes" puts its probability on the intents, so it stays below.
    """

    emotions: tuple[str, ...]
    intents: tuple[str, ...]
    weights: Vector
    bias: Vector
    temperature: float
    threshold: float

    def read(self, vector: Vector) -> Heard:
        """The reading of one vector (dimension,)."""
        logits = (vector @ self.weights + self.bias) / self.temperature
        likely = np.exp(logits - logits.max())
        likely /= likely.sum()
        cut = len(self.emotions)
        return {
            "emotions": _likeliest(self.emotions, likely[:cut])[:5],
            "intents": _likeliest(self.intents, likely[cut:])[:3],
            "sure": float(likely[:cut].max()) >= self.threshold,
        }


def _likeliest(labels: Sequence[str], shares: Vector) -> list[Score]:
    order = np.argsort(-shares, kind="stable")
    return [{"label": labels[i], "p": round(float(shares[i] / shares.sum()), 4)} for i in order]


@dataclass(frozen=True)
class Encoder:
    """Vectors and readings of texts, one text at a time, so that a text reads the same in any batch.

    name goes with every stored vector: vectors of different encoders must never be mixed.
    vector: text -> unit vector (dimension,).
    """

    name: str
    dimension: int
    vector: Callable[[str], Vector]
    head: Head

    def embed(self, texts: Sequence[str]) -> Vector:
        """Unit vectors (n, dimension) of n texts; see `vectoriser` for how long ones are read."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self.vector(text)
        return vectors

    def read(self, text: str) -> Heard:
        """What the text says by itself. Never raises; a text without a letter is never `sure`."""
        heard = self.head.read(self.vector(text))
        heard["sure"] = heard["sure"] and any(map(str.isalpha, text))
        return heard


@functools.cache
def load_encoder(folder: Path | None = None, *, threads: int = 1) -> Encoder:
    """The encoder of `folder` (default: the one shipped), loaded once per process.

    threads: cores one forward pass may use. Raises EncoderError, naming file and fix, when a file
    is missing, damaged, not the one that labels.json was written for, or has the wrong labels.
    """
    folder = folder or Path(__file__).parent / "model"
    card = _card(folder)
    try:
        files = {name: _checked(folder / name, digest) for name, digest in card["sha256"].items()}
        return Encoder(
            name=str(card["name"]),
            dimension=int(card["dimension"]),
            vector=vectoriser(files["encoder.onnx"], files["tokenizer.json"], threads=threads),
            head=_head(folder, card),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EncoderError(f"{folder / 'labels.json'} does not fit this version: {FIX}.") from error


def vectoriser(model: bytes, tokenizer: bytes, *, threads: int = 1) -> Callable[[str], Vector]:
    """The function text -> unit vector (384,) of an ONNX model and a tokenizer, given as file contents.

    A text over 256 tokens is read in two to four windows spread evenly from its first token to its
    last, and their vectors are averaged: over some 1,000 tokens, what lies between is not read.
    """
    tokens, forward = _tokens(tokenizer), _forward(model, threads)

    def fresh(text: str) -> Vector:
        vectors = [forward(window) for window in _windows(tokens(text))]
        if len(vectors) == 1:
            return vectors[0]
        mean: Vector = np.mean(vectors, axis=0)
        unit: Vector = mean / np.maximum(np.linalg.norm(mean), np.float32(1e-12))
        return unit

    # Reading and retrieval ask for the same message in turn. A salted hash is kept, never a text.
    last: tuple[int, Vector] | None = None

    def vector(text: str) -> Vector:
        nonlocal last
        known, key = last, hash(text)
        if known is None or known[0] != key:
            known = last = (key, fresh(text))
        return known[1]

    return vector


def _card(folder: Path) -> dict[str, Any]:
    path = folder / "labels.json"
    try:
        card = json.loads(path.read_text("utf-8"))
    except FileNotFoundError as error:
        raise EncoderError(f"{path} is missing: {FIX}.") from error
    except ValueError as error:
        raise EncoderError(f"{path} is damaged: {FIX}.") from error
    if not isinstance(card, dict):
        raise EncoderError(f"{path} is damaged: {FIX}.")
    return card


def _checked(path: Path, digest: str) -> bytes:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        raise EncoderError(f"{path} is missing: {FIX}.") from error
    if hashlib.sha256(raw).hexdigest() != digest:
        raise EncoderError(f"{path} is not the file that labels.json was written for: {FIX}.")
    return raw


def _head(folder: Path, card: dict[str, Any]) -> Head:
    emotions, intents = tuple(card["emotions"]), tuple(card["intents"])
    with np.load(folder / "heads.npz", allow_pickle=False) as arrays:
        weights, bias = arrays["weights"], arrays["bias"]
    if (len(set(emotions)), len(set(intents))) != (EMOTIONS, INTENTS):
        raise EncoderError(
            f"{folder / 'labels.json'} needs {EMOTIONS} emotions and {INTENTS} intents: {FIX}."
        )
    if weights.shape != (card["dimension"], EMOTIONS + INTENTS) or bias.shape != weights.shape[1:]:
        raise EncoderError(f"{folder / 'heads.npz'} does not fit its labels.json: {FIX}.")
    return Head(emotions, intents, weights, bias, float(card["temperature"]), float(card["threshold"]))


def _tokens(raw: bytes) -> Callable[[str], list[int]]:
    from tokenizers import Tokenizer  # noqa: PLC0415 - 0.1 s that importing this module must not cost

    tokenizer = Tokenizer.from_buffer(raw)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True  # "[SEP]" typed by a person is text

    def tokens(text: str) -> list[int]:
        plain = text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is not a character
        ids: list[int] = tokenizer.encode(plain, add_special_tokens=False).ids
        return ids

    return tokens


def _windows(tokens: list[int]) -> list[list[int]]:
    room = WINDOW - 2
    count = min(WINDOWS, max(1, -(-len(tokens) // room)))
    last = max(0, len(tokens) - room)
    starts = [round(i * last / max(1, count - 1)) for i in range(count)]
    return [[CLS, *tokens[start : start + room], SEP] for start in starts]


def _forward(raw: bytes, threads: int) -> Callable[[list[int]], Vector]:
    # Without this the library keeps a device id and events on disk and asks an outside host, every run.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415 - as above

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps hundreds of megabytes of its largest run
    session = onnxruntime.InferenceSession(raw, options, providers=["CPUExecutionProvider"])

    def forward(ids: list[int]) -> Vector:
        (vector,) = session.run(["sentence"], {"tokens": np.array(ids, dtype=np.int64)})
        result: Vector = vector
        return result

    return forward
