"""Where kept conversations live: one SQLite file, the newest checkpoint of each only.

Knows nothing of what a checkpoint holds. Which conversations there are, when they ended, and deleting them
needs no key where the file is encrypted (graph/vault.py); reading and writing does. Deleting is meant: freed
pages are overwritten, the write-ahead log is emptied, the file is rewritten.
"""

import sqlite3
import uuid
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver, ChannelVersions, Checkpoint, CheckpointMetadata
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.responders.handoff import OPERATOR
from graph import vault
from graph.vault import Key

__all__ = [
    "FAILURES",
    "Overtaken",
    "Saver",
    "delete",
    "erase",
    "listed",
    "open_store",
    "prune",
    "said",
    "scrub",
    "scrubbed",
    "spoken",
    "threads",
]

# What the disk may raise, and what reading a checkpoint that was damaged on it may.
FAILURES = (OSError, sqlite3.Error, ValueError, TypeError, KeyError, NotImplementedError)


class Overtaken(OSError):
    """The conversation was gone on with elsewhere, or deleted, since this turn began."""


class Saver(SqliteSaver):
    """Writes only while the file is locked, or plain, as it was when this was opened; and a checkpoint only
    after the one it came from, so that no late turn hides a newer one or brings back what was deleted."""

    def __init__(self, connection: sqlite3.Connection, key: Key | None) -> None:
        super().__init__(connection, serde=vault.serializer(key))
        self._key = key
        self._after: tuple[str, str | None] | None = None

    def use(self, key: Key | None) -> None:
        """Write with this key from now on."""
        self._key, self.serde = key, vault.serializer(key)

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """A cursor; for a transaction the lock is looked at in that same transaction."""
        with super().cursor(transaction) as cursor:
            if transaction:
                if not self.conn.in_transaction:
                    cursor.execute("BEGIN IMMEDIATE")
                vault.check(cursor, self._key)
                self._in_turn(cursor)
            yield cursor

    def put(
        self,
        config: RunnableConfig,
        checkpoint: Checkpoint,
        metadata: CheckpointMetadata,
        new_versions: ChannelVersions,
    ) -> RunnableConfig:
        """Raises Overtaken besides what LangGraph's own may."""
        place = config["configurable"]
        self._after = (str(place["thread_id"]), place.get("checkpoint_id"))
        return super().put(config, checkpoint, metadata, new_versions)

    def _in_turn(self, cursor: sqlite3.Cursor) -> None:
        if self._after is None:
            return
        (thread, before), self._after = self._after, None
        newest = "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?"
        if cursor.execute(newest, (thread,)).fetchone()[0] != before:
            raise Overtaken("The conversation was gone on with, or deleted, elsewhere.")


def open_store(path: Path, key: Key | None = None) -> SqliteSaver:
    """The saver on `path`, created where it is missing; the file is readable by its owner alone.

    Raises OSError or sqlite3.Error when the disk will not have it, Locked for another key than the file's.
    """
    connection = _connected(path)
    try:
        vault.check(connection, key)
    except vault.Locked:
        connection.close()
        raise
    saver = Saver(connection, key)
    saver.setup()
    return saver


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")
    return connection


def prune(saver: BaseCheckpointSaver[Any], thread: str) -> None:
    """Keep only the newest checkpoint of a conversation: each one holds the whole history."""
    if not isinstance(saver, SqliteSaver):
        saver.prune([thread])
        return
    newest = "SELECT max(checkpoint_id) FROM checkpoints WHERE thread_id = ?1"
    with saver.lock, saver.conn:
        for table in ("checkpoints", "writes"):
            saver.conn.execute(
                f"DELETE FROM {table} WHERE thread_id = ?1 AND checkpoint_id < ({newest})",  # noqa: S608 - fixed names
                (thread,),
            )


def threads(rows: sqlite3.Connection) -> list[tuple[str, str]]:
    """(thread id, ISO time of its last turn) of every kept conversation, newest first."""
    found = rows.execute(
        "SELECT thread_id, max(checkpoint_id) FROM checkpoints GROUP BY thread_id"
    ).fetchall()
    ended = [(str(thread), _time(str(newest))) for thread, newest in found]
    return sorted(ended, key=lambda pair: pair[1], reverse=True)


def _time(checkpoint: str) -> str:
    """When a checkpoint was made: its id is a UUID of version 6, which begins with the time."""
    try:
        number = uuid.UUID(checkpoint).int
        ticks = (number >> 96 << 28) | (number >> 80 & 0xFFFF) << 12 | (number >> 64 & 0xFFF)
        return datetime.fromtimestamp(ticks / 10_000_000 - 12_219_292_800, UTC).isoformat()
    except (ValueError, OverflowError, OSError):
        return "1970-01-01T00:00:00+00:00"  # listed last all the same, so that it can be deleted


def said(saver: SqliteSaver, thread: str) -> tuple[tuple[str, str], ...]:
    """(role, text) of everything said in a kept conversation, oldest first; roles as in an export.

    None of it when the conversation cannot be read.
    """
    try:
        saved = saver.get_tuple({"configurable": {"thread_id": thread}})
        messages = saved.checkpoint["channel_values"].get("messages", []) if saved else []
        return spoken(messages)
    except FAILURES:
        return ()


def spoken(messages: Sequence[AnyMessage]) -> tuple[tuple[str, str], ...]:
    """(role, text) of each: `user`, `assistant`, or `operator` for a person who wrote in our place."""
    return tuple((_role(one), str(one.content)) for one in messages)


def _role(message: AnyMessage) -> str:
    if message.name == OPERATOR:
        return "operator"
    return "user" if message.type == "human" else "assistant"


def delete(saver: SqliteSaver, thread: str) -> None:
    """Erase a conversation: its rows, the log that still held them, and the pages they stood on."""
    with saver.lock, saver.conn:
        _remove(saver.conn, thread)
    scrub(saver)


def _remove(rows: sqlite3.Connection, thread: str) -> None:
    for table in ("checkpoints", "writes"):
        rows.execute(f"DELETE FROM {table} WHERE thread_id = ?", (thread,))  # noqa: S608 - fixed names


def scrub(saver: SqliteSaver) -> None:
    """Leave nothing behind of what was deleted."""
    with saver.lock:
        saver.conn.commit()
        scrubbed(saver.conn)


def scrubbed(connection: sqlite3.Connection) -> None:
    """The same for any connection to the file: log emptied, pages rewritten."""
    connection.execute("PRAGMA temp_store=MEMORY")  # a copy of what is left must not lie about elsewhere
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def listed(path: Path) -> list[tuple[str, str]]:
    """`threads` of the store on `path`; none when there is no store, or it cannot be read."""
    if not path.exists():
        return []
    try:
        with _tables(path) as rows:
            return threads(rows)
    except FAILURES:
        return []


def erase(path: Path, thread: str | None = None) -> None:
    """`delete` a conversation of the store on `path`; None: every one of them."""
    with _tables(path) as rows:
        if thread:
            _remove(rows, thread)
        else:
            rows.execute("DELETE FROM checkpoints")
            rows.execute("DELETE FROM writes")
        rows.commit()
        scrubbed(rows)


@contextmanager
def _tables(path: Path) -> Iterator[sqlite3.Connection]:
    """The file with LangGraph's tables in it."""
    with closing(_connected(path)) as rows:
        SqliteSaver(rows).setup()
        yield rows
