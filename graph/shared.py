"""Where the conversations of many people live: one database for all workers, SQLite or PostgreSQL.

Gives transactions, and savers that are fenced: one writes only while the conversation exists and no later
turn has taken it over. So a late write neither brings back what was deleted nor hides what came after.
Knows nothing of owners or turns.
"""

import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from contextvars import ContextVar
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

__all__ = ["AHEAD", "FENCE", "SCHEMA", "Gone", "Run", "Shared", "open_shared"]

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


# Set in threads that answer danger: their writes go first.
AHEAD: ContextVar[bool] = ContextVar("hearken_ahead", default=False)
# Seconds that a writer waits for others, in this process and outside it.
PATIENCE = 5.0
_Turn = Callable[[], AbstractContextManager[None]]


class _Fenced(SqliteSaver):
    """Writes nothing once the conversation is gone or taken over, or the file's lock is another."""

    def __init__(
        self, connection: sqlite3.Connection, turn: _Turn, thread: str, token: str, key: Key | None
    ) -> None:
        super().__init__(connection, serde=vault.serializer(key))
        self._fence, self._turn, self._key = (thread, token), turn, key

    @contextmanager
    def cursor(self, transaction: bool = True) -> Iterator[sqlite3.Cursor]:
        """A cursor; for a transaction the conversation's row is locked first, in that same transaction."""
        with self._turn() if transaction else nullcontext(), super().cursor(transaction) as cursor:
            if transaction and not cursor.execute(FENCE, self._fence).fetchall():
                raise Gone("The conversation is not this turn's any more.")
            vault.check(cursor, self._key)
            yield cursor


def _connected(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    connection = sqlite3.connect(path, check_same_thread=False, timeout=PATIENCE)
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}")
    return connection


class _Writers:
    """The writers of a process, one at a time; who answers danger (AHEAD) goes before all that wait."""

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._writing, self._ahead = False, 0

    @contextmanager
    def turn(self) -> Iterator[None]:
        """SQLite itself lets writers sleep and try again, in no order. Raises OSError after a while."""
        ahead = AHEAD.get()
        with self._free:
            self._ahead += ahead
            try:
                if not self._free.wait_for(
                    lambda: not self._writing and (ahead or not self._ahead), timeout=PATIENCE
                ):
                    raise OSError("The store is busy.")
                self._writing = True
            finally:
                self._ahead -= ahead
                self._free.notify_all()
        try:
            yield
        finally:
            with self._free:
                self._writing = False
                self._free.notify_all()


class _File:
    """The file of an SQLite store, made and upgraded when it is first used."""

    def __init__(self, path: Path, passphrase: str | None) -> None:
        self._path, self._ready = path, threading.Event()
        self.key = partial(own_key, path, passphrase)  # which remembers it
        self._preparing, self.turn = threading.Lock(), _Writers().turn
        # One connection stays open: the last one to close would empty the log into the file, and every
        # turn would wait for that.
        self._held: list[sqlite3.Connection] = []

    def migrate(self) -> None:
        lock = self.key()  # first: a new file is given its lock
        with self._preparing, closing(_connected(self._path)) as connection:
            vault.check(connection, lock)
            SqliteSaver(connection).setup()
            for statement in SCHEMA:
                connection.execute(statement)
            connection.commit()
            self.close()
            self._held.append(_connected(self._path))
        tidy(self._path)
        self._ready.set()

    def close(self) -> None:
        for connection in self._held:
            connection.close()
        self._held.clear()

    def connected(self) -> sqlite3.Connection:
        if not (self._ready.is_set() and self._path.exists()):
            self.migrate()
        return _connected(self._path)

    @contextmanager
    def begun(self, how: str = "BEGIN") -> Iterator[Run]:
        with closing(self.connected()) as connection, connection:  # commits, or rolls back
            connection.isolation_level = None
            connection.execute(how)
            vault.check(connection, self.key())
            yield lambda statement, *values: connection.execute(statement, values).fetchall()


def _sqlite(path: Path, passphrase: str | None) -> Shared:
    file = _File(path, passphrase)

    @contextmanager
    def transaction() -> Iterator[Run]:
        with file.turn(), file.begun("BEGIN IMMEDIATE") as run:
            yield run

    @contextmanager
    def saver(thread: str, token: str) -> Iterator[BaseCheckpointSaver[Any]]:
        with closing(file.connected()) as connection:
            yield _Fenced(connection, file.turn, thread, token, file.key())

    def scrub() -> None:
        with file.turn(), closing(file.connected()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            if busy:
                raise OSError("The log of the store is in use and could not be emptied.")

    if path.exists() or passphrase:
        _opens(path, file.key)
    tables, seals = ("checkpoints", "writes"), _seals(file.key)
    shared = Shared("sqlite", transaction, file.begun, saver, tables, scrub, file.migrate, file.close, *seals)
    weakref.finalize(shared, file.close)
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
