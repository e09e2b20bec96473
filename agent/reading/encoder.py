"""Small ONNX models: two forward passes read a message for every head, a third gives its vector.

`reading.onnx` is all-MiniLM-L6-v2 fine-tuned on many tasks at once, with `ngrams.npz` beside it for the
very words (`agent.reading.ngrams`); `danger.onnx` the same model fine-tuned on danger alone, a second
opinion where most hangs on it; `encoder.onnx` the model as published, whose vectors retrieval compares and
`probe.npz` reads (`agent.reading.probe`). model/MODEL_CARD.md has why they are several. All are int8 and
read English, one text at a time, so that a text reads the same in any batch. They know nothing of the
conversation before, and what they say of danger is an opinion beside the rules. No text is kept.
"""

import functools
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from agent.errors import EncoderError
from agent.reading import forward_pass, ngrams, probe
from agent.reading.evidence import carried
from agent.reading.forward_pass import Shared, framed, windows
from agent.reading.heads import Heads, Heard, Marks, heads_of
from agent.reading.ngrams import NGrams
from agent.reading.probe import Probe

__all__ = ["Encoder", "Second", "load_encoder", "marker", "vectoriser"]

WINDOW, WINDOWS = 256, 4  # of retrieval: tokens, [CLS] and [SEP] included, and how many of them
READ_WINDOW, READ_WINDOWS = 128, 8  # of reading, whose weights were trained on texts of that length
FIX = "reinstall hearken, or rebuild it with `hearken train encoder`"

Vector = NDArray[np.float32]
Found = TypeVar("Found")


@dataclass(frozen=True)
class Encoder:
    """Vectors and readings of texts, one text at a time, so that a text reads the same in any batch.

    name goes with every stored vector: vectors of different encoders must never be mixed.
    vector: text -> unit vector (dimension,). marks: text -> what each head is told, token by token.
    together: the marks of many texts, the same as of each alone but sooner.
    """

    name: str
    dimension: int
    vector: Callable[[str], Vector]
    marks: Callable[[str], Marks]
    heads: Heads
    together: Callable[[Sequence[str]], list[Marks]] | None = None

    def embed(self, texts: Sequence[str]) -> Vector:
        """Unit vectors (n, dimension) of n texts; see `vectoriser` for how long ones are read."""
        vectors = np.zeros((len(texts), self.dimension), dtype=np.float32)
        for row, text in enumerate(texts):
            vectors[row] = self.vector(text)
        return vectors

    def read(self, text: str) -> Heard:
        """What the text says by itself. Never raises; a text without a letter is never `sure`."""
        return self._heard(text, self.marks(text))

    def read_all(self, texts: Sequence[str]) -> list[Heard]:
        """What `read` says of each of many texts."""
        found = self.together(texts) if self.together else map(self.marks, texts)
        return [self._heard(text, marks) for text, marks in zip(texts, found, strict=True)]

    def _heard(self, text: str, marks: Marks) -> Heard:
        heard = self.heads.read(marks.logits, marks.parts)
        if not any(map(str.isalpha, text)):
            return {**heard, "sure": False, "want": "", "danger": "none", "telling": ""}
        column = self.heads.column("expressed", heard["emotions"][0]["label"])
        return {**heard, "evidence": carried(text, marks, column)}


@dataclass(frozen=True)
class Second:
    """A second model of the same outputs. share: (outputs,), its part of a logit; 0 where it says nothing."""

    model: bytes
    share: Vector


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
        heads = heads_of(card)
        shared = forward_pass.shared(files["tokenizer.json"], files["words.npz"])
        words, second = ngrams.load(files["ngrams.npz"]), None
        if len(words.share) not in {head.place.stop for head in heads.named.values()}:
            raise EncoderError(f"{folder / 'labels.json'} has other labels than reading.onnx: {FIX}.")
        if "danger.onnx" in files:  # a model folder has one once `hearken train danger` was there
            second = Second(files["danger.onnx"], _shares(card["second"], heads))
        marks = marker(files["reading.onnx"], shared, words, second, outputs=heads.outputs, threads=threads)
        vector = vectoriser(files["encoder.onnx"], shared, threads=threads)
        if "probe.npz" in files:  # a model folder has one once `hearken train probe` was there
            marks = _probed(marks, vector, probe.load(files["probe.npz"]))
        marks([""])  # a reading.onnx of other labels than the words' fails here, not in a conversation
        return Encoder(
            name=str(card["name"]),
            dimension=int(card["dimension"]),
            vector=vector,
            marks=_last(lambda text: marks([text])[0]),
            heads=heads,
            together=marks,
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise EncoderError(f"{folder / 'labels.json'} does not fit this version: {FIX}.") from error


def vectoriser(model: bytes, shared: Shared, *, threads: int = 1) -> Callable[[str], Vector]:
    """The function text -> unit vector (384,) of an ONNX model and what it reads with, as file contents.

    A text over 256 tokens is read in two to four windows spread evenly from its first token to its
    last, and their vectors are averaged: over some 1,000 tokens, what lies between is not read.
    """
    forward = forward_pass.forward(model, shared.words, "sentence", threads)

    def vector(text: str) -> Vector:
        ids, _ = shared.tokens(text)
        vectors = [forward(framed(ids[start:end])) for start, end in windows(len(ids), WINDOW, WINDOWS)]
        if len(vectors) == 1:
            return vectors[0]
        mean: Vector = np.mean(vectors, axis=0)
        unit: Vector = mean / np.maximum(np.linalg.norm(mean), np.float32(1e-12))
        return unit

    return _last(vector)


def marker(  # noqa: PLR0913 - the models of a folder, and what they share
    model: bytes,
    shared: Shared,
    words: NGrams | None = None,
    second: Second | None = None,
    *,
    outputs: int = 0,
    threads: int = 1,
) -> Callable[[Sequence[str]], list[Marks]]:
    """The function texts -> Marks of a reading model and what it reads with, as file contents.

    words: the wide half; without it the encoder speaks alone. second: a further model that has its part.
    outputs: how many numbers a text has in all, where heads were added behind those the first model knows;
    it says 0 of them.
    What a single token speaks for is told by the first encoder alone, which sees it in its context. A text
    over 128 tokens is read in two to eight windows spread evenly over it; its logits are the mean over
    them: of a text over some 1,000 tokens, what lies between is not read. One model reads all texts, each
    alone, before the next begins: its weights are then still where the processor has them soonest.
    """
    forward = forward_pass.forward(model, shared.words, "logits", threads)
    other = forward_pass.forward(second.model, shared.words, "logits", threads) if second else None

    def marks(texts: Sequence[str]) -> list[Marks]:
        cut = [shared.tokens(text) for text in texts]
        stretches = [windows(len(ids), READ_WINDOW, READ_WINDOWS) for ids, _ in cut]
        pieces = [[ids[a:b] for a, b in parts] for (ids, _), parts in zip(cut, stretches, strict=True)]
        read = [[forward(framed(piece)) for piece in part] for part in pieces]
        told = [[other(framed(piece)).mean(axis=0) for piece in part] for part in pieces] if other else []
        found = []
        for row, part in enumerate(pieces):
            parts = np.stack([tokens.mean(axis=0) for tokens in read[row]])
            if words:
                parts = np.stack([words.mixed(p, ids) for p, ids in zip(parts, part, strict=True)])
            if outputs > parts.shape[1]:
                parts = np.pad(parts, ((0, 0), (0, outputs - parts.shape[1])))
            if second:
                parts = parts * (1 - second.share) + np.stack(told[row]) * second.share
            spans = cut[row][1]
            found.append(
                Marks(
                    logits=parts.mean(axis=0),
                    parts=parts,
                    spans=[span for start, end in stretches[row] for span in spans[start:end]],
                    tokens=np.concatenate([tokens[1:-1] for tokens in read[row]]),
                )
            )
        return found

    return marks


def _probed(
    marks: Callable[[Sequence[str]], list[Marks]], vector: Callable[[str], Vector], third: Probe
) -> Callable[[Sequence[str]], list[Marks]]:
    """`marks` with the probe's share in the logits of the whole text."""

    def probed(texts: Sequence[str]) -> list[Marks]:
        vectors = [vector(text) for text in texts]
        return [
            replace(found, logits=third.mixed(found.logits, one))
            for found, one in zip(marks(texts), vectors, strict=True)
        ]

    return probed


def _last(read: Callable[[str], Found]) -> Callable[[str], Found]:
    """`read`, remembering its last result: a turn asks for one message more than once.

    A salted hash is kept, never a text.
    """
    last: tuple[int, Found] | None = None

    def again(text: str) -> Found:
        nonlocal last
        known, key = last, hash(text)
        if known is None or known[0] != key:
            known = last = (key, read(text))
        return known[1]

    return again


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


def _shares(told: Mapping[str, Sequence[float]], heads: Heads) -> Vector:
    """Head -> the second model's share of each of its labels, as one row of all outputs."""
    found = np.zeros(heads.outputs, dtype=np.float32)
    for name, shares in told.items():
        found[heads.named[name].place] = shares
    return found
