"""Vectors of texts in a file of the run, so that one that was stopped, or a second one, embeds only the rest.

The file holds a hash of each text and its vector as it was, to the last bit, and the name of the encoder
they are by; another encoder's are left alone and replaced. Knows nothing of what is measured with them.
"""

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import DataError

__all__ = ["Embed", "remembering"]

Vectors = NDArray[np.float32]
Embed = Callable[[Sequence[str]], Vectors]


@contextmanager
def remembering(embed: Embed, encoder: str, path: Path | None) -> Iterator[Embed]:
    """`embed`, asked only for texts that are not in the file; what it made is there when the block ends.

    However it ends: stopped in between, nothing is embedded twice. path: None to keep nothing. The function
    may be called from two threads at once. Raises DataError when the file cannot be written.
    """
    if path is None:
        yield embed
        return
    known = _read(path, encoder)
    before = len(known)

    def embedded(texts: Sequence[str]) -> Vectors:
        if len(texts) < 2:
            return embed(texts)  # a question that is asked, and timed
        names = [_hash(text) for text in texts]
        missing = {name: text for name, text in zip(names, texts, strict=True) if name not in known}
        if missing:
            known.update(zip(missing, embed(list(missing.values())), strict=True))
        return np.stack([known[name] for name in names])

    try:
        yield embedded
    finally:
        if len(known) > before:
            _write(path, encoder, known)


def _read(path: Path, encoder: str) -> dict[str, Vectors]:
    try:
        with path.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            if str(file["encoder"]) != encoder:
                return {}
            return dict(zip(map(str, file["texts"]), file["vectors"], strict=True))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return {}  # there is none, or it was cut off: everything is embedded


def _write(path: Path, encoder: str, known: dict[str, Vectors]) -> None:
    part = path.with_name(f"{path.name}.new")
    try:
        with part.open("wb") as file:
            np.savez(
                file,
                encoder=np.array(encoder),
                texts=np.array(list(known)),
                vectors=np.stack([*known.values()]),
            )
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise DataError(f"{path} cannot be written: is the disk full?") from error


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "replace")).hexdigest()
