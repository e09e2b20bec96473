"""Rows of vector, text and facts in a Chroma collection, found by nearness.

Whatever goes wrong inside Chroma leaves as a LibraryError, and processes that write at once take
turns. It knows nothing of what the rows mean, of opening or mending, and embeds nothing.
"""

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from knowledge.errors import LibraryError

if TYPE_CHECKING:
    from chromadb.api.client import Client
    from chromadb.api.models.Collection import Collection

__all__ = ["PATIENCE", "Index", "Row", "collection_named", "guarded", "turn"]

PATIENCE = 30.0  # seconds to wait for another process; it fills the starter library in three
NEXT = "passages-next"
PAGE = 1000  # rows to ask for at a time; Chroma takes at most 5,461


class Row(NamedTuple):
    """One row. facts: flat strings; empty for a row that only points to another."""

    id: str
    text: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Index:
    """An open collection. place: its folder, None in memory or on a server. temporary: it goes with the
    process. release: lets go of what Chroma's client leaves open.

    Every method raises LibraryError when Chroma fails.
    """

    client: "Client"
    collection: "Collection"
    place: Path | None
    temporary: bool = False
    release: Callable[[], object] = lambda: None

    @property
    def encoder(self) -> str:
        """The name of the encoder whose vectors these are."""
        return str((self.collection.metadata or {}).get("encoder", ""))

    def of(self, encoder: str, where: str) -> "Index":
        """This index, closed and refused with LibraryError when its vectors are another encoder's."""
        if self.encoder == encoder:
            return self
        self.close()
        raise LibraryError(
            f"The library {where} was indexed with another reading model; "
            "run `hearken ingest starter --rebuild` to index it again."
        )

    def nearest(self, vector: NDArray[np.float32], rows: int) -> list[tuple[str, float]]:
        """Ids and cosine similarities of the rows nearest to one unit vector (1, d), nearest first."""
        with guarded("searching"):
            answer = self.collection.query(query_embeddings=vector, n_results=rows, include=["distances"])
        return [
            (id_, 1.0 - distance)
            for id_, distance in zip(answer["ids"][0], (answer["distances"] or [[]])[0], strict=True)
        ]

    def rows(self, ids: Sequence[str] | None = None, **facts: str) -> list[Row]:
        """The rows with these ids, or those with these facts, or all."""
        with guarded("reading"):
            answer = self.collection.get(
                ids=None if ids is None else list(ids),
                where=dict(facts) or None,
                include=["documents", "metadatas"],
            )
        columns = (answer["ids"], answer["documents"] or [], answer["metadatas"] or [])
        return [
            Row(id_, text or "", {key: str(value) for key, value in (known or {}).items()})
            for id_, text, known in zip(*columns, strict=True)
        ]

    def has(self, ids: Sequence[str]) -> set[str]:
        """Those of the ids that are there."""
        found: set[str] = set()
        with guarded("reading"):
            for start in range(0, len(ids), PAGE):
                found.update(self.collection.get(ids=list(ids[start : start + PAGE]), include=[])["ids"])
        return found

    def write(self, rows: Sequence[Row], vectors: NDArray[np.float32]) -> None:
        """Add the rows with their unit vectors (n, d), or replace those with the same ids."""
        with self._turn(), guarded("writing"):
            self.collection.upsert(
                ids=[row.id for row in rows],
                embeddings=vectors,
                documents=[row.text for row in rows],
                metadatas=[dict(row.facts) or {"of": row.id} for row in rows],
            )

    def remove(self, ids: Sequence[str]) -> None:
        """Remove the rows with these ids."""
        with self._turn(), guarded("writing"):
            for start in range(0, len(ids), PAGE):
                self.collection.delete(ids=list(ids[start : start + PAGE]))

    def renewed(self, encoder: str) -> "Index":
        """An empty collection beside this one, for another encoder's vectors; see `take_over`."""
        with self._turn(), guarded("writing"):
            if any(known.name == NEXT for known in self.client.list_collections()):
                self.client.delete_collection(NEXT)
            return replace(self, collection=collection_named(self.client, NEXT, encoder))

    def take_over(self, old: "Index") -> None:
        """Put this collection in the place of the one it was renewed from."""
        with self._turn(), guarded("writing"):
            name = old.collection.name
            self.client.delete_collection(name)
            self.collection.modify(name=name)

    def close(self) -> None:
        """Let go of the files, or of the server."""
        self.client.close()
        self.release()

    def _turn(self) -> AbstractContextManager[None]:
        return turn(self.place.parent) if self.place else nullcontext()


class guarded(AbstractContextManager[None]):  # noqa: N801 - reads as a statement, like suppress
    """Chroma's failures become LibraryError.

    A panic of its Rust core is a BaseException without an importable class: it is known by name.
    """

    def __init__(self, doing: str) -> None:
        self.doing = doing

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            return
        import httpx  # noqa: PLC0415 - Chroma brings it, and lets its errors through where it is a server
        from chromadb.errors import ChromaError  # noqa: PLC0415 - half a second, only where it is needed

        known = (ChromaError, httpx.HTTPError, sqlite3.Error, OSError, ValueError, AttributeError)
        # a client that another turn has closed raises a bare RuntimeError
        if issubclass(kind, (*known, RuntimeError)) or kind.__name__ == "PanicException":
            raise LibraryError(f"The library failed while {self.doing}; run `hearken check`.") from error


def collection_named(client: "Client", name: str, encoder: str) -> "Collection":
    """The collection of that name, made for that encoder when it is not there."""
    if any(known.name == name for known in client.list_collections()):
        return client.get_collection(name, embedding_function=None)
    return client.create_collection(
        name,
        embedding_function=None,
        configuration={"hnsw": {"space": "cosine"}},
        metadata={"encoder": encoder},
    )


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """An exclusive SQLite transaction as a lock: portable, and freed when its process dies."""
    try:
        lock = sqlite3.connect(folder / "index.lock", timeout=PATIENCE, isolation_level=None)
    except sqlite3.Error as error:
        raise LibraryError("The library cannot be written there.") from error
    with closing(lock):
        try:
            lock.execute("BEGIN EXCLUSIVE")
        except sqlite3.Error as error:
            raise LibraryError(
                "The library cannot be written now; close other windows of hearken."
            ) from error
        yield
