"""What a person chose to keep beside their conversations: titles, marks, reports, and for how long.

Plain tables in the SQLite file of the kept conversations, so that there is one file to look at, to back up
and to erase. Nothing here makes the file: whoever writes calls `consent` first, and reading where there is
no file finds nothing. Deleting overwrites. Where the file is encrypted (graph/vault.py), what somebody wrote
goes in and out with its key alone; ids, times and choices do without. Knows nothing of what the words mean.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from graph import store, vault
from graph.vault import Key

__all__ = [
    "CONSENT",
    "Kept",
    "Report",
    "Rows",
    "chosen",
    "consent",
    "conversations",
    "erase",
    "erase_all",
    "expire",
    "iso",
    "keep_for",
    "mark",
    "marks",
    "read",
    "rename",
    "report",
    "reports",
    "rows",
    "scrub",
]

# The wording of what is agreed to; a new wording asks anew.
CONSENT = "2026-11"
_TITLE = 60  # letters of a first message that stand for a title

_TABLES = """
CREATE TABLE IF NOT EXISTS shelf_choices (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shelf_titles (thread TEXT PRIMARY KEY, title TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shelf_marks
  (thread TEXT NOT NULL, message TEXT NOT NULL, mark INTEGER NOT NULL, PRIMARY KEY (thread, message));
CREATE TABLE IF NOT EXISTS shelf_reports
  (thread TEXT NOT NULL, at TEXT NOT NULL, said TEXT NOT NULL, reply TEXT NOT NULL, why TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shelf_moods (at TEXT NOT NULL, face INTEGER NOT NULL, note TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS shelf_heard (thread TEXT NOT NULL, at TEXT NOT NULL, feeling TEXT NOT NULL);
"""
_OF_A_CONVERSATION = ("shelf_titles", "shelf_marks", "shelf_reports", "shelf_heard")
_OWN = ("shelf_moods", "shelf_choices")


@dataclass(frozen=True, slots=True)
class Kept:
    """A kept conversation: its id, ISO time of its last turn, title, and (role, text) oldest first."""

    thread: str
    ended: str
    title: str
    said: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Report:
    """A reply that a person reported: ISO time, what they had said, the reply, and what was wrong."""

    at: str
    said: str
    reply: str
    why: str


@dataclass(frozen=True, slots=True)
class Rows:
    """One transaction on the file, and the seal that its values have at that moment."""

    execute: Callable[..., sqlite3.Cursor]
    seal: Callable[[str], str | bytes]
    unseal: Callable[[object], str]


def consent(path: Path, now: datetime | None = None) -> None:
    """Note that the person agreed to keep things on this device, once; makes the file.

    Raises OSError or sqlite3.Error when the disk will not have it.
    """
    with rows(path, make=True) as held:
        held.execute("INSERT OR IGNORE INTO shelf_choices VALUES ('consent', ?)", (f"{CONSENT} {iso(now)}",))


def chosen(path: Path, name: str) -> str:
    """What was chosen under `name` (`consent`, `days`), "" where nothing was."""
    found = read(path, "SELECT value FROM shelf_choices WHERE name = ?", (name,))
    return str(found[0][0]) if found else ""


def keep_for(path: Path, days: int) -> None:
    """How many days a conversation is kept after its last turn; 0: until it is deleted."""
    with rows(path) as held:
        held.execute("INSERT OR REPLACE INTO shelf_choices VALUES ('days', ?)", (str(days),))


def expire(path: Path, now: datetime | None = None) -> int:
    """Erase the conversations, moods and reports that are older than the person wanted them kept; how many.

    Raises OSError or sqlite3.Error when the disk will not have it.
    """
    days = int(chosen(path, "days") or 0)
    if not days:
        return 0
    limit = ((now or datetime.now(UTC)) - timedelta(days=days)).isoformat()
    old = [thread for thread, ended in store.listed(path) if ended < limit]
    for thread in old:
        erase(path, thread)
    with rows(path) as held:
        gone = [
            held.execute(f"DELETE FROM {table} WHERE at < ?", (limit,)).rowcount  # noqa: S608 - fixed names
            for table in ("shelf_moods", "shelf_reports", "shelf_heard")
        ]
    if any(gone):
        scrub(path)
    return len(old) + sum(gone)


def conversations(path: Path, key: Key | None = None) -> list[Kept]:
    """Every kept conversation, newest first; one that cannot be read is listed without words.

    None of them where the file is encrypted, and not with this key.
    """
    if not path.exists():
        return []
    titles = dict(read(path, "SELECT thread, title FROM shelf_titles", key=key))
    try:
        saver = store.open_store(path, key)
    except store.FAILURES:
        return []
    with closing(saver.conn):
        return [
            Kept(thread, ended, titles.get(thread) or _first(said), said)
            for thread, ended in store.threads(saver.conn)
            for said in [store.said(saver, thread)]
        ]


def rename(path: Path, thread: str, title: str, *, key: Key | None = None) -> None:
    """Give a conversation a title; an empty one takes it away."""
    with rows(path, key) as held:
        held.execute("DELETE FROM shelf_titles WHERE thread = ?", (thread,))
        if one := " ".join(title.split())[: 2 * _TITLE]:
            held.execute("INSERT INTO shelf_titles VALUES (?, ?)", (thread, held.seal(one)))


def mark(path: Path, thread: str, message: str, value: int | None) -> None:
    """Whether a reply helped (1) or did not (0); None takes it back."""
    with rows(path) as held:
        held.execute("DELETE FROM shelf_marks WHERE thread = ? AND message = ?", (thread, message))
        if value is not None:
            held.execute("INSERT INTO shelf_marks VALUES (?, ?, ?)", (thread, message, value))


def marks(path: Path, thread: str) -> dict[str, int]:
    """Message id -> whether that reply helped."""
    found = read(path, "SELECT message, mark FROM shelf_marks WHERE thread = ?", (thread,))
    return {str(row[0]): int(row[1]) for row in found}


def report(path: Path, thread: str, one: Report, *, key: Key | None = None) -> None:
    """Keep a reported exchange, and nothing else of its conversation."""
    with rows(path, key) as held:
        words = map(held.seal, (one.said, one.reply, one.why))
        held.execute("INSERT INTO shelf_reports VALUES (?, ?, ?, ?, ?)", (thread, one.at, *words))


def reports(path: Path, key: Key | None = None) -> list[Report]:
    """The reported exchanges, newest first."""
    found = read(path, "SELECT at, said, reply, why FROM shelf_reports ORDER BY at DESC", key=key)
    return [Report(*map(str, row)) for row in found]


def erase(path: Path, thread: str) -> None:
    """Erase a conversation and all that is kept about it."""
    if path.exists():
        with rows(path) as held:
            for table in _OF_A_CONVERSATION:
                held.execute(f"DELETE FROM {table} WHERE thread = ?", (thread,))  # noqa: S608 - fixed names
        store.erase(path, thread)


def erase_all(path: Path) -> None:
    """Erase everything: conversations, titles, marks, reports, moods, choices. Needs no key."""
    if not path.exists():
        return
    with rows(path) as held:
        for table in (*_OF_A_CONVERSATION, *_OWN):
            held.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
    store.erase(path)


def _first(said: Sequence[tuple[str, str]]) -> str:
    first = next((text for role, text in said if role == "user"), "")
    line = " ".join(first.split())
    return line if len(line) <= _TITLE else line[:_TITLE].rsplit(" ", 1)[0] + " …"


def iso(now: datetime | None = None) -> str:
    """A time as it is kept: UTC, to the second."""
    return (now or datetime.now(UTC)).isoformat(timespec="seconds")


def read(
    path: Path, query: str, given: tuple[str, ...] = (), *, key: Key | None = None
) -> list[tuple[Any, ...]]:
    """Rows of the file; none where there is no file, or it cannot be read, with this key or at all."""
    if not path.exists():
        return []
    try:
        with rows(path, key, writes=False) as held:
            found = held.execute(query, given).fetchall()
            return [
                tuple(held.unseal(one) if isinstance(one, bytes) else one for one in row) for row in found
            ]
    except store.FAILURES:
        return []


@contextmanager
def rows(path: Path, key: Key | None = None, *, make: bool = False, writes: bool = True) -> Iterator[Rows]:
    """One transaction on the file; what it deletes is overwritten."""
    if not (make or path.exists()):
        raise FileNotFoundError(path.name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with closing(sqlite3.connect(path, timeout=5)) as held:
        held.execute("PRAGMA journal_mode=WAL")
        held.execute("PRAGMA secure_delete=ON")
        held.executescript(_TABLES)
        with held:  # commits, or rolls back
            held.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            lock = vault.lock(held, key)
            yield Rows(held.execute, lock.seal, lock.unseal)


def scrub(path: Path) -> None:
    """Leave nothing behind of what was deleted."""
    with closing(sqlite3.connect(path, timeout=5)) as held:
        store.scrubbed(held)
