"""Where the conversations of many people live: one database for all workers, SQLite or PostgreSQL.

Gives transactions, and savers that are fenced: one writes only while the conversation exists and no later
turn has taken it over. So a late write neither brings back what was deleted nor hides what came after.
Knows nothing of owners or turns.
"""

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite import SqliteSaver

from agent.errors import PassphraseError, SettingsError
from graph import store, vault
from graph.sealing import encrypted, own_key, tidy
from graph.vault import Key

__all__ = ["FENCE", "SCHEMA", "Gone", "Run", "Shared", "open_shared"]

SCHEMA = (
    """CREATE TABLE IF NOT EXISTS conversations (
        thread TEXT PRIMARY KEY, owner TEXT NOT NULL, token TEXT NOT NULL,
        country TEXT NOT NULL DEFAULT '', danger INTEGER NOT NULL DEFAULT 0,
        touched DOUBLE PRECISION NOT NULL, told DOUBLE PRECISION,
        since DOUBLE PRECISION, seen DOUBLE PRECISION)""",
    "CREATE INDEX IF NOT EXISTS conversations_owner ON conversations (owner)",
    """CREATE TABLE IF NOT EXISTS turns (
        thread TEXT NOT NULL, key TEXT NOT NULL, id TEXT NOT NULL, token TEXT NOT NULL,
        digest TEXT NOT NULL, text TEXT, reply TEXT, saved INTEGER NOT NULL DEFAULT 0,
        begun DOUBLE PRECISION NOT NULL, PRIMARY KEY (thread, key))""",
    """CREATE TABLE IF NOT EXISTS leases (
        id TEXT PRIMARY KEY, thread TEXT NOT NULL, renewed DOUBLE PRECISION NOT NULL)""",
    """CREATE TABLE IF NOT EXISTS feedback (
        thread TEXT NOT NULL, turn INTEGER NOT NULL, helpful INTEGER NOT NULL, PRIMARY KEY (thread, turn))""",
)
# What a caller of a Shared has to expect of it.
FAILURES = store.FAILURES
FENCE = "UPDATE conversations SET token = token WHERE thread = ? AND token = ? RETURNING thread"


class Gone(OSError):
    """The conversation was deleted, or a later turn has taken it over: nothing is written any more."""


class Run(Protocol):
    """One statement of a transaction, with `?` for its values; the rows it gives."""

    def __call__(self, statement: str, *values: object) -> list[tuple[Any, ...]]:
        """Raises OSError or sqlite3.Error when the database will not have it."""


@dataclass(frozen=True)
class Shared:
    """A database. reading: a transaction that writes nothing, and so waits for nobody who does.
    saver: the checkpoints of (thread, token), to be used by one turn.

    checkpoints: the tables that hold them. scrub: overwrite what deleted rows left behind, as far as
    the engine can. migrate: create or upgrade every table; safe to repeat. seal, unseal: how what somebody
    wrote goes into a row and comes out of it.
    """

    kind: str
    transaction: Callable[[], AbstractContextManager[Run]]
    reading: Callable[[], AbstractContextManager[Run]]
    saver: Callable[[str, str], AbstractContextManager[BaseCheckpointSaver[Any]]]
    checkpoints: tuple[str, ...]
    scrub: Callable[[], None]
    migrate: Callable[[], None]
    close: Callable[[], None]
    seal: Callable[[str], object] = str
    unseal: Callable[[object], str] = str


def open_shared(url: str, passphrase: str | None = None) -> Shared:
    """`sqlite:///PATH`, or `postgresql://…` where the extra `postgres` is installed. Connects to nothing yet.

    passphrase: an SQLite file is encrypted with it, and so is what it already holds. Raises SettingsError for
    another URL, PassphraseError for a passphrase that is not the file's.
    """
    scheme = urlsplit(url).scheme
    if scheme == "sqlite" and url.startswith("sqlite:///"):
        return _sqlite(Path(url.removeprefix("sqlite:///")), passphrase)
    if scheme in {"postgres", "postgresql"}:
        if passphrase:
            raise SettingsError(
                "HEARKEN_STORE_KEY encrypts SQLite files alone: unset it, and encrypt PostgreSQL's volume."
            )
        try:
            from graph.postgres import open_postgres  # noqa: PLC0415 - an extra of its own
        except ImportError as error:
            raise SettingsError("PostgreSQL needs the extra: pip install 'hearken[postgres]'.") from error
        return open_postgres(url)
    raise SettingsError("HEARKEN_STORE_URL begins with sqlite:/// or postgresql://.")


class _Fenced(SqliteSaver):
    """Writes nothing once the conversation is gone or taken over, or the file's lock is another."""

    def __init__(self, connection: sqlite3.Connection, thread: str, token: str, key: Key | None) -> None:
        super().__init__(connection, serde=vault.serializer(key))
        self._fence, self._key = (thread, token), key

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """A cursor; for a transaction the conversation's row is locked first, in that same transaction."""
        with super().cursor(transaction) as cursor:
            if transaction and not cursor.execute(FENCE, self._fence).fetchall():
                raise Gone("The conversation is not this turn's any more.")
            vault.check(cursor, self._key)
            yield cursor


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, check_same_thread=False, timeout=5)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


def _sqlite(path: Path, passphrase: str | None) -> Shared:
    ready = threading.Event()
    preparing = threading.Lock()
    # One connection stays open: the last one to close would empty the log into the file, and every turn
    # would wait for that.
    held: list[sqlite3.Connection] = []
    key = partial(own_key, path, passphrase)  # which remembers it

    def close() -> None:
        for connection in held:
            connection.close()
        held.clear()

    def migrate() -> None:
        lock = key()  # first: a new file is given its lock
        with preparing, closing(_connected(path)) as connection:
            vault.check(connection, lock)
            SqliteSaver(connection).setup()
            for statement in SCHEMA:
                connection.execute(statement)
            connection.commit()
            close()
            held.append(_connected(path))
        tidy(path)
        ready.set()

    def connected() -> sqlite3.Connection:
        if not (ready.is_set() and path.exists()):
            migrate()
        return _connected(path)

    @contextmanager
    def transaction(begin: str = "BEGIN IMMEDIATE") -> Iterator[Run]:
        with closing(connected()) as connection, connection:  # commits, or rolls back
            connection.isolation_level = None
            connection.execute(begin)
            vault.check(connection, key())
            yield lambda statement, *values: connection.execute(statement, values).fetchall()

    @contextmanager
    def saver(thread: str, token: str) -> Iterator[BaseCheckpointSaver[Any]]:
        with closing(connected()) as connection:
            yield _Fenced(connection, thread, token, key())

    def scrub() -> None:
        with closing(connected()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise OSError("The log of the store is in use and could not be emptied.")

    if path.exists() or passphrase:
        _opens(path, key)
    reading = partial(transaction, "BEGIN")
    tables = ("checkpoints", "writes")
    shared = Shared("sqlite", transaction, reading, saver, tables, scrub, migrate, close, *_seals(key))
    weakref.finalize(shared, close)
    return shared


def _seals(key: Callable[[], Key | None]) -> tuple[Callable[[str], object], Callable[[object], str]]:
    def seal(value: str) -> object:
        held = key()
        return held.seal(value) if held else value

    def unseal(value: object) -> str:
        held = key()
        return held.unseal(value) if held and isinstance(value, bytes) else str(value)

    return seal, unseal


def _opens(path: Path, key: Callable[[], Key | None]) -> None:
    """Raises PassphraseError for a wrong or a missing one; a disk that fails is met again, in a turn."""
    with suppress(*FAILURES):
        if key() is None and encrypted(path):
            raise PassphraseError(f"{path.name} is encrypted: set HEARKEN_STORE_KEY to its passphrase.")
