"""What the ONNX models share: the tokenizer, the table of word vectors, windows, and a forward pass.

The word vectors are the published ones in every model (the fine-tuned ones left them frozen), so they stand
once, in `words.npz`, and a model's graph begins with what is added up here: a token's vector and its place's.
Int8, one text at a time. Knows nothing of labels. No text is kept.
"""

import io
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "CLS",
    "INPUT",
    "SEP",
    "Forward",
    "Shared",
    "WordVectors",
    "dump",
    "forward",
    "framed",
    "load",
    "shared",
    "tokens",
    "windows",
]

CLS, SEP = 101, 102  # the marks around a sentence in this vocabulary
INPUT = "embedded"  # of every graph: (n, width) float32

Vector = NDArray[np.float32]
Span = tuple[int, int]
Forward = Callable[[Sequence[int]], Vector]
"""Token ids with their marks -> what a model says of them."""


@dataclass(frozen=True)
class WordVectors:
    """table: (tokens, width) uint8, (table - zero) * scale a vector. places: (most, width), by position."""

    table: NDArray[np.uint8]
    scale: np.float32
    zero: np.uint8
    places: Vector

    def __call__(self, ids: Sequence[int]) -> Vector:
        """What a graph begins with: (n, width) of n ids."""
        rows = (self.table[np.asarray(ids)].astype(np.int32) - self.zero).astype(np.float32) * self.scale
        found: Vector = rows + self.places[: len(ids)]
        return found


@dataclass(frozen=True)
class Shared:
    """What every model of a folder reads with. tokens: text -> token ids without marks, and their spans."""

    tokens: Callable[[str], tuple[list[int], list[Span]]]
    words: WordVectors


def shared(tokenizer: bytes, words: bytes) -> Shared:
    """What the contents of tokenizer.json and words.npz give. Raises KeyError or ValueError as `load`
    does."""
    return Shared(tokens(tokenizer), load(words))


def dump(words: WordVectors) -> bytes:
    """The file of word vectors: the same bytes for the same vectors."""
    raw = io.BytesIO()
    np.savez(
        raw, allow_pickle=False, table=words.table, scale=words.scale, zero=words.zero, places=words.places
    )
    return raw.getvalue()


def load(raw: bytes) -> WordVectors:
    """What `dump` wrote. Raises KeyError or ValueError when it is something else."""
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            table, places = arrays["table"], arrays["places"]
            scale, zero = np.float32(arrays["scale"]), np.uint8(arrays["zero"])
    except (BadZipFile, EOFError) as error:
        raise ValueError("not a file of arrays") from error
    if table.ndim != 2 or places.ndim != 2 or table.shape[1] != places.shape[1]:
        raise ValueError("the arrays of word vectors do not fit one another")
    return WordVectors(table, scale, zero, places)


def tokens(raw: bytes) -> Callable[[str], tuple[list[int], list[Span]]]:
    """The function text -> token ids without marks, and where in the text each stands."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - 0.1 s that importing this module must not cost

    tokenizer = Tokenizer.from_buffer(raw)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True  # "[SEP]" typed by a person is text

    def found(text: str) -> tuple[list[int], list[Span]]:
        plain = text.encode("utf-8", "replace").decode("utf-8")  # a lone surrogate is not a character
        encoding = tokenizer.encode(plain, add_special_tokens=False)
        return encoding.ids, encoding.offsets

    return found


def windows(count: int, size: int, most: int) -> list[Span]:
    """[start, end) of at most `most` windows of `size` tokens over `count` tokens."""
    room = size - 2
    windows = min(most, max(1, -(-count // room)))
    last = max(0, count - room)
    starts = [round(i * last / max(1, windows - 1)) for i in range(windows)]
    return [(start, min(count, start + room)) for start in starts]


def framed(ids: Sequence[int]) -> list[int]:
    """Token ids with the marks around a sentence."""
    return [CLS, *ids, SEP]


def forward(model: bytes, words: WordVectors, output: str, threads: int) -> Forward:
    """The forward pass of a graph to its output of that name."""
    # Without this the library keeps a device id and events on disk and asks an outside host, every run.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime  # noqa: PLC0415 - as above

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # the arena keeps hundreds of megabytes of its largest run
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])

    def passed(ids: Sequence[int]) -> Vector:
        (found,) = session.run([output], {INPUT: words(ids)})
        result: Vector = found
        return result

    return passed
