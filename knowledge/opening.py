"""Opening the index so that it always opens.

A damaged index is moved aside (`index.broken-<n>`) and begun anew, a disk that cannot be written gives
way to a temporary copy, and processes that open at once take turns. It knows nothing of what the rows
mean, and logs paths and reasons, never a text.

What it cannot see: bytes changed inside Chroma's graph file (`data_level0.bin`) while its size stays
right. Chroma 1.5.9 checks none of it and may end the process.
"""

import logging
import os
import shutil
import sqlite3
import tempfile
import uuid
import weakref
from contextlib import closing
from dataclasses import replace
from functools import cache
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, cast

from knowledge.errors import LibraryError
from knowledge.index import PATIENCE, Index, collection_named, guarded, turn

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

__all__ = ["NAME", "open_index", "quiet"]

NAME = "passages"
_log = logging.getLogger(__name__)


def open_index(folder: Path, encoder: str, *, whatever_encoder: bool = False) -> Index:
    """Open the index under `folder`, or create it there, or create a temporary one.

    Raises LibraryError when its vectors are another encoder's, unless whatever_encoder.
    """
    place = folder / "index"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with turn(folder):
            index = _open_or_replace(place, encoder)
    except (OSError, LibraryError) as error:
        _log.warning("The library cannot be kept in %s (%s) Using a temporary copy.", folder, error)
        index = _temporary(place, encoder)
    return index if whatever_encoder else index.of(encoder, f"in {folder}")


def _open_or_replace(place: Path, encoder: str) -> Index:
    try:
        return _open(place, encoder)
    except LibraryError as error:
        aside = next(path for n in count(1) if not (path := place.with_name(f"index.broken-{n}")).exists())
        place.rename(aside)
        try:
            index = _open(place, encoder)
        except LibraryError:  # a full disk, say: not the index's fault, so it goes back to its place
            shutil.rmtree(place, ignore_errors=True)
            aside.rename(place)
            raise
        why = error.__cause__ or error
        _log.warning("The library was damaged (%s): moved to %s. Ingest your sources again.", why, aside)
        return index


def _open(place: Path, encoder: str) -> Index:
    _check_database(place / "chroma.sqlite3")
    respell = _respellings(place)
    with guarded("opening"):
        quiet()
        from chromadb import PersistentClient  # noqa: PLC0415
        from chromadb.config import Settings  # noqa: PLC0415

        path = str(place) + "/." * respell[0]
        respell[0] += 1  # taken back below, unless Chroma fails and so keeps a dead client for this path
        client = cast("Client", PersistentClient(path, settings=Settings(anonymized_telemetry=False)))
        index = Index(client, collection_named(client, NAME, encoder), place)
        _probe(index.collection)
        respell[0] -= 1
    return index


def _check_database(database: Path) -> None:
    """On a damaged file Chroma panics, or fails for as long as the process lives; SQLite just tells."""
    if not database.exists():
        return
    try:
        with closing(sqlite3.connect(database, timeout=PATIENCE)) as connection:
            verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.OperationalError:  # locked, or a disk that cannot be written, is not damaged
        return
    except sqlite3.DatabaseError as error:
        raise LibraryError("The library's database is damaged.") from error
    if verdict != "ok":
        raise LibraryError("The library's database is damaged.")


def _probe(collection: "Collection") -> None:
    """A row must find itself: graph files that are gone or cut find nothing, or something else."""
    vectors = collection.get(limit=1, include=["embeddings"])["embeddings"]
    if vectors is None or not len(vectors):
        return
    found = collection.query(query_embeddings=vectors, n_results=1, include=["distances"])["distances"]
    if not found or not found[0] or found[0][0] > 0.01:
        raise ValueError("a row does not find itself")


@cache
def _respellings(place: Path) -> list[int]:  # noqa: ARG001 - one counter a place
    """How often to add `/.` to a path: Chroma keeps one client a spelling, a dead one included."""
    return [0]


def _temporary(place: Path, encoder: str) -> Index:
    try:
        folder = Path(tempfile.mkdtemp(prefix="hearken-"))
    except OSError:
        return _in_memory(encoder)
    copy = folder / "index"
    try:
        shutil.copytree(place, copy)
        index = _open(copy, encoder)
    except (OSError, LibraryError):
        shutil.rmtree(copy, ignore_errors=True)
        index = _open(copy, encoder)
    weakref.finalize(index.client, shutil.rmtree, folder, ignore_errors=True)
    return replace(index, temporary=True)


def _in_memory(encoder: str) -> Index:
    quiet()
    from chromadb import EphemeralClient  # noqa: PLC0415
    from chromadb.config import Settings  # noqa: PLC0415

    with guarded("opening"):
        client = cast("Client", EphemeralClient(settings=Settings(anonymized_telemetry=False)))
        # All in-memory clients of a process share their rows: only the name keeps this one apart.
        name = f"{NAME}-{uuid.uuid4().hex}"
        return Index(client, collection_named(client, name, encoder), None, temporary=True)


def quiet() -> None:
    """Chroma brings onnxruntime, which would keep a device id on disk and ask an outside host."""
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
