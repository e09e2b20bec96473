"""Where kept conversations live: one SQLite file, the newest checkpoint of each only.

Knows nothing of what a checkpoint holds. Deleting is meant: freed pages are overwritten, the
write-ahead log is emptied, the file is rewritten.
"""

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from langchain_core.messages import AnyMessage
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.responders.handoff import OPERATOR

__all__ = [
    "FAILURES",
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


def open_store(path: Path) -> SqliteSaver:
    """The saver on `path`, created where it is missing; the file is readable by its owner alone.

    Raises OSError or sqlite3.Error when the disk will not have it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, check_same_thread=False, timeout=5)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=NORMAL")
    connection.execute("PRAGMA secure_delete=ON")
    saver = SqliteSaver(connection, serde=JsonPlusSerializer(pickle_fallback=False))
    saver.setup()
    return saver


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


def threads(saver: SqliteSaver) -> list[tuple[str, str]]:
    """(thread id, ISO time of its last turn) of every kept conversation, newest first."""
    with saver.lock:
        ids = [row[0] for row in saver.conn.execute("SELECT DISTINCT thread_id FROM checkpoints")]
    found = []
    for thread in ids:
        try:
            saved = saver.get_tuple({"configurable": {"thread_id": thread}})
            ended = str(saved.checkpoint["ts"]) if saved else ""
        except FAILURES:
            ended = "1970-01-01T00:00:00"  # listed last all the same, so that it can be deleted
        if ended:
            found.append((thread, ended))
    return sorted(found, key=lambda pair: pair[1], reverse=True)


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
    saver.delete_thread(thread)
    scrub(saver)


def scrub(saver: SqliteSaver) -> None:
    """Leave nothing behind of what was deleted."""
    with saver.lock:
        saver.conn.commit()
        scrubbed(saver.conn)


def scrubbed(connection: sqlite3.Connection) -> None:
    """The same for any connection to the file: log emptied, pages rewritten."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.execute("VACUUM")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def listed(path: Path) -> list[tuple[str, str]]:
    """`threads` of the store on `path`; none when there is no store, or it cannot be read."""
    if not path.exists():
        return []
    try:
        saver = open_store(path)
    except FAILURES:
        return []
    with closing(saver.conn):
        return threads(saver)


def erase(path: Path, thread: str) -> None:
    """`delete` a conversation of the store on `path`."""
    saver = open_store(path)
    with closing(saver.conn):
        delete(saver, thread)
