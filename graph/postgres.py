"""`graph.shared` on PostgreSQL: a pool of connections, LangGraph's own checkpoint tables, ours beside them.

Every failure of the database comes as OSError, so that a turn is answered without it. After one nobody
waits for it again: a thread asks until it is back. What hangs is cut off. Needs the extra `postgres`. Knows
nothing of owners or turns.
"""

import os
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import psycopg
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from graph.shared import FENCE, SCHEMA, Gone, Run, Shared

__all__ = ["open_postgres"]

TABLES = ("checkpoints", "checkpoint_writes", "checkpoint_blobs")
# A worker that waits longer for a connection, or for one use of it, answers without the store.
PATIENCE, USE = 3.0, 5.0
# Connections that a process opens.
MOST = 16
# What it says when it cannot go on (connection, resources, shut down); without any word it is gone too.
GONE = frozenset({"08", "53", "57"})
# Seconds between two looks for a database that is away.
AGAIN = 0.5
MIGRATING = 7_204_113  # any number that nobody else locks: two workers that start at once take turns


class _Away:
    """Whether the database is known to be away: then nobody waits for it, and a thread looks for it."""

    def __init__(self, look: Callable[[], object]) -> None:
        self._look, self._lock = look, threading.Lock()
        self._looking, self._closed = False, threading.Event()

    @contextmanager
    def told(self) -> Iterator[None]:
        """One use of the database. Raises OSError when it fails, or is away."""
        if self._looking:
            raise OSError("The database is away.")
        try:
            yield
        except (psycopg.Error, PoolTimeout) as error:
            code = error.sqlstate if isinstance(error, psycopg.Error) else None
            # a pool that was closed is one that others have begun anew: no news of the database
            if not isinstance(error, PoolClosed) and (code is None or code[:2] in GONE):
                self._missed()
            raise OSError(f"The database failed ({type(error).__name__}).") from error

    def _missed(self) -> None:
        with self._lock:
            if self._looking or self._closed.is_set():
                return
            self._looking = True
        threading.Thread(target=self._until_back, daemon=True, name="hearken-postgres").start()

    def _until_back(self) -> None:
        while not self._closed.is_set():
            try:
                self._look()  # at once: it may only have been busy
            except psycopg.Error:
                self._closed.wait(AGAIN)
            else:
                break
        self._looking = False

    def close(self) -> None:
        """Look no more."""
        self._closed.set()


@contextmanager
def _cut_off(connection: "psycopg.Connection[Any]") -> Iterator[None]:
    """Ends a use that takes too long: a server that hangs would otherwise be waited for without end."""

    def cut() -> None:
        with suppress(OSError, psycopg.Error), socket.socket(fileno=os.dup(connection.pgconn.socket)) as link:
            link.shutdown(socket.SHUT_RDWR)

    watch = threading.Timer(USE, cut)
    watch.daemon = True
    watch.start()
    try:
        yield
    finally:
        watch.cancel()


def _alive(connection: "psycopg.Connection[Any]") -> None:
    with _cut_off(connection):
        ConnectionPool.check_connection(connection)


class _Fenced(PostgresSaver):
    """Writes nothing once the conversation is gone or taken over."""

    def __init__(self, pool: "ConnectionPool[Any]", away: _Away, thread: str, token: str) -> None:
        super().__init__(pool, serde=JsonPlusSerializer(pickle_fallback=False))
        self._away = away
        self.supports_pipeline = False  # a real transaction, so that the fence holds until the commit
        self._fence = (thread, token)

    @contextmanager
    def _cursor(self, *, pipeline: bool = False) -> Iterator[Any]:
        with self._away.told(), ExitStack() as watched, super()._cursor(pipeline=pipeline) as cursor:
            watched.enter_context(_cut_off(cursor.connection))  # to its end, the commit included
            if pipeline and not cursor.execute(FENCE.replace("?", "%s"), self._fence).fetchall():
                raise Gone("The conversation is not this turn's any more.")
            yield cursor

    def prune(self, thread_ids: Sequence[str], *, strategy: str = "keep_latest") -> None:
        """Keep the newest checkpoint only, and of the blobs those that it names."""
        del strategy
        for thread in thread_ids:
            with self._cursor(pipeline=True) as cursor:
                for table in ("checkpoint_writes", "checkpoints"):
                    cursor.execute(
                        f"DELETE FROM {table} WHERE thread_id = %s AND checkpoint_id <"  # noqa: S608 - fixed names
                        " (SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = %s)",
                        (thread, thread),
                    )
                cursor.execute(
                    "DELETE FROM checkpoint_blobs b WHERE b.thread_id = %s AND NOT EXISTS"
                    " (SELECT 1 FROM checkpoints c, jsonb_each_text(c.checkpoint -> 'channel_versions') v"
                    " WHERE c.thread_id = b.thread_id AND v.key = b.channel AND v.value = b.version)",
                    (thread,),
                )


class _Pool:
    """The connections of a process, opened when first asked for."""

    def __init__(self, url: str) -> None:
        self._url, self._lock, self._open = url, threading.Lock(), list[ConnectionPool[Any]]()

    def get(self) -> "ConnectionPool[Any]":
        with self._lock:
            if not self._open:
                options = {"autocommit": True, "connect_timeout": 3, "prepare_threshold": None}
                self._open.append(
                    ConnectionPool(
                        self._url,
                        kwargs=options,
                        min_size=1,
                        max_size=MOST,
                        timeout=PATIENCE,
                        open=True,
                        check=_alive,
                    )
                )
            return self._open[0]

    def look(self) -> None:
        """Raises psycopg.Error while the database does not answer; when it does, begin anew."""
        with psycopg.connect(self._url, connect_timeout=3) as connection, _cut_off(connection):
            connection.execute("SELECT 1")
        self.close()  # the old connections may have learnt to wait long between two tries

    def close(self) -> None:
        with self._lock:
            old = self._open[:]
            self._open.clear()
        for one in old:
            one.close()


def open_postgres(url: str) -> Shared:
    """The database at `url`. Nothing is connected before the first use."""
    connections = _Pool(url)
    pool, away = connections.get, _Away(connections.look)

    @contextmanager
    def transaction() -> Iterator[Run]:
        with (
            away.told(),
            pool().connection() as connection,
            _cut_off(connection),
            connection.transaction(),
        ):

            def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
                cursor = connection.execute(statement.replace("?", "%s"), values)
                return cursor.fetchall() if cursor.description else []

            yield run

    @contextmanager
    def saver(thread: str, token: str) -> Iterator[BaseCheckpointSaver[Any]]:
        with away.told():
            yield _Fenced(pool(), away, thread, token)

    def migrate() -> None:
        with away.told(), pool().connection() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))
            try:
                PostgresSaver(pool()).setup()
                for statement in SCHEMA:
                    connection.execute(statement)
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATING,))

    def scrub() -> None:
        with away.told(), pool().connection() as connection:
            for table in (*TABLES, "conversations", "turns", "leases", "feedback"):
                connection.execute(f"VACUUM {table}")

    def close() -> None:
        away.close()
        connections.close()

    return Shared("postgresql", transaction, transaction, saver, TABLES, scrub, migrate, close)
