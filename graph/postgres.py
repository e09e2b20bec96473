"""`graph.shared` on PostgreSQL: a pool of connections, LangGraph's own checkpoint tables, ours beside them.

Every failure of the database comes as OSError, so that a turn is answered without it. Needs the extra
`postgres`. Knows nothing of owners or turns.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.postgres import PostgresSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from psycopg_pool import ConnectionPool, PoolTimeout

from graph.shared import FENCE, SCHEMA, Gone, Run, Shared

__all__ = ["open_postgres"]

TABLES = ("checkpoints", "checkpoint_writes", "checkpoint_blobs")
# A worker that waits longer for a connection answers without the store.
PATIENCE = 3.0
MIGRATING = 7_204_113  # any number that nobody else locks: two workers that start at once take turns


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (psycopg.Error, PoolTimeout) as error:
        raise OSError(f"The database failed ({type(error).__name__}).") from error


class _Fenced(PostgresSaver):
    """Writes nothing once the conversation is gone or taken over."""

    def __init__(self, pool: "ConnectionPool[Any]", thread: str, token: str) -> None:
        super().__init__(pool, serde=JsonPlusSerializer(pickle_fallback=False))
        self.supports_pipeline = False  # a real transaction, so that the fence holds until the commit
        self._fence = (thread, token)

    @contextmanager
    def _cursor(self, *, pipeline: bool = False) -> Iterator[Any]:
        with _told(), super()._cursor(pipeline=pipeline) as cursor:
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


def open_postgres(url: str) -> Shared:
    """The database at `url`. Nothing is connected before the first use."""
    lock = threading.Lock()
    pools: list[ConnectionPool[Any]] = []

    def pool() -> "ConnectionPool[Any]":
        with lock:
            if not pools:
                options = {"autocommit": True, "connect_timeout": 3, "prepare_threshold": None}
                pools.append(
                    ConnectionPool(
                        url,
                        kwargs=options,
                        min_size=1,
                        max_size=16,
                        timeout=PATIENCE,
                        open=True,
                        check=ConnectionPool.check_connection,
                    )
                )
            return pools[0]

    @contextmanager
    def transaction() -> Iterator[Run]:
        with _told(), pool().connection() as connection, connection.transaction():

            def run(statement: str, *values: object) -> list[tuple[Any, ...]]:
                cursor = connection.execute(statement.replace("?", "%s"), values)
                return cursor.fetchall() if cursor.description else []

            yield run

    @contextmanager
    def saver(thread: str, token: str) -> Iterator[BaseCheckpointSaver[Any]]:
        with _told():
            yield _Fenced(pool(), thread, token)

    def migrate() -> None:
        with _told(), pool().connection() as connection:
            connection.execute("SELECT pg_advisory_lock(%s)", (MIGRATING,))
            try:
                PostgresSaver(pool()).setup()
                for statement in SCHEMA:
                    connection.execute(statement)
            finally:
                connection.execute("SELECT pg_advisory_unlock(%s)", (MIGRATING,))

    def scrub() -> None:
        with _told(), pool().connection() as connection:
            for table in (*TABLES, "conversations", "turns", "feedback"):
                connection.execute(f"VACUUM {table}")

    def close() -> None:
        with lock:
            for one in pools:
                one.close()
            pools.clear()

    return Shared("postgresql", transaction, saver, TABLES, scrub, migrate, close)
