"""Encrypting what a file already holds, and making it plain again; for the app's file and the API's alike.

One transaction changes every value, so an interruption leaves the file as it was or as it was meant to be.
What plain bytes then still lie about in it (freed pages, the write-ahead log) are overwritten; until that is
done the file says so itself, and `tidy` does it the next time. Knows nothing of who types a passphrase.
"""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import lru_cache
from pathlib import Path

from graph import vault
from graph.vault import Key

__all__ = ["abandon", "change", "decrypt", "encrypt", "encrypted", "locked", "own_key", "tidy", "unlock"]

# What somebody wrote, or what was read from it. Ids, times and counts stay as they are.
TEXTS = {
    "shelf_titles": ("title",),
    "shelf_reports": ("said", "reply", "why"),
    "shelf_moods": ("face", "note"),
    "shelf_heard": ("feeling",),
    "turns": ("digest", "text", "reply"),
    "desk": ("escalation", "answer"),
}
TYPED = {"checkpoints": "checkpoint", "writes": "value"}


def encrypted(path: Path) -> bool:
    """Whether the file is encrypted; False where there is none. Raises OSError or sqlite3.Error."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, timeout=5)) as rows:
        return vault.held(rows) is not None


def locked(path: Path, key: Key | None) -> bool:
    """Whether the file is encrypted, and not with this key. Raises OSError or sqlite3.Error."""
    if not path.exists():
        return False
    with closing(sqlite3.connect(path, timeout=5)) as rows:
        return vault.held(rows) not in {None, key.id if key else None}


def unlock(path: Path, passphrase: str) -> Key:
    """The key to the file. Raises PassphraseError; nothing is written either way."""
    with closing(sqlite3.connect(path, timeout=5)) as rows:
        return vault.opened(rows, passphrase)


def encrypt(path: Path, passphrase: str) -> Key:
    """Encrypt what the file holds and will hold; makes the file where there is none. Safe to repeat.

    Raises PassphraseError, for one that is too short or, where it is encrypted already, another one.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(mode=0o600)
    with _connected(path) as rows:
        rows.execute(vault.TABLE)
        key, wrapped = vault.wrapped(None, passphrase)
        with _transaction(rows):
            there = vault.held(rows)
            if there is None:
                rows.execute("INSERT INTO vault VALUES (?, ?, ?, ?, 1)", wrapped)
                _each(rows, key.seal, lambda kind, data: (f"{kind}+{vault.CIPHER}", key.encrypt(data)[1]))
        if there is not None:
            key = vault.opened(rows, passphrase)
    tidy(path)
    return key


def decrypt(path: Path, key: Key) -> None:
    """Make the file plain again. Raises Locked for another key."""
    with _connected(path) as rows:
        vault.check(rows, key)
        rows.execute("UPDATE vault SET stale = 1")  # an interruption may leave plain bytes in the log
        with _transaction(rows):
            vault.check(rows, key)
            _each(
                rows,
                key.unseal,
                lambda kind, data: (kind.partition("+")[0], key.decrypt(vault.CIPHER, data)),
                sealed=True,
            )
            rows.execute("DELETE FROM vault")
        _scrub(rows)


def change(path: Path, key: Key, passphrase: str) -> None:
    """Another passphrase for the same key. Raises PassphraseError, or Locked for another key."""
    _, wrapped = vault.wrapped(key, passphrase)
    with _connected(path) as rows, _transaction(rows):
        vault.check(rows, key)
        rows.execute("DELETE FROM vault")
        rows.execute("INSERT INTO vault VALUES (?, ?, ?, ?, 1)", wrapped)
    tidy(path)  # the old passphrase must not find its row in a freed page


def abandon(path: Path) -> None:
    """Take the lock away from a file whose values were all erased, because nobody can open it any more."""
    with _connected(path) as rows:
        rows.execute(vault.TABLE)
        rows.execute("DELETE FROM vault")
        _scrub(rows)


def tidy(path: Path) -> bool:
    """Overwrite what an earlier change left behind; False when the file was in use, and it is still to do."""
    if not path.exists():
        return True
    with _connected(path) as rows:
        if vault.held(rows) is None or not rows.execute("SELECT stale FROM vault").fetchone()[0]:
            return True
        if not _scrub(rows):
            return False
        rows.execute("UPDATE vault SET stale = 0")
    return True


def own_key(path: Path, passphrase: str | None) -> Key | None:
    """The key of a file that whoever runs this gave a passphrase for: a plain file is encrypted with it.

    Raises PassphraseError for another passphrase than the file's.
    """
    if not passphrase:
        return None
    if not encrypted(path):
        encrypt(path, passphrase)
    with closing(sqlite3.connect(path, timeout=5)) as rows:
        return _remembered(str(path), vault.held(rows) or "", passphrase)


@lru_cache(maxsize=4)  # a setting of the process; what a person types is remembered nowhere
def _remembered(path: str, ident: str, passphrase: str) -> Key:
    del ident
    return unlock(Path(path), passphrase)


def _each(
    rows: sqlite3.Connection,
    text: Callable[..., str | bytes],
    typed: Callable[[str, bytes], tuple[str, bytes]],
    *,
    sealed: bool = False,
) -> None:
    """Put every value through `text` or `typed`; what is already as it is to be stays."""
    there = {str(row[0]) for row in rows.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for table, columns in TEXTS.items():
        for column in columns if table in there else ():
            for place in _places(rows, f"SELECT rowid FROM {table} WHERE {column} IS NOT NULL"):  # noqa: S608
                [value] = rows.execute(f"SELECT {column} FROM {table} WHERE rowid = ?", (place,)).fetchone()  # noqa: S608
                if isinstance(value, bytes) is sealed:
                    new = text(value if sealed else str(value))
                    rows.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (new, place))  # noqa: S608
    for table, column in TYPED.items():
        how = "LIKE" if sealed else "NOT LIKE"
        wanted = f"SELECT rowid FROM {table} WHERE type {how} '%+{vault.CIPHER}'"  # noqa: S608 - fixed names
        for place in _places(rows, wanted) if table in there else ():
            kind, data = rows.execute(
                f"SELECT type, {column} FROM {table} WHERE rowid = ?",  # noqa: S608 - fixed names
                (place,),
            ).fetchone()
            rows.execute(
                f"UPDATE {table} SET type = ?, {column} = ? WHERE rowid = ?",  # noqa: S608 - fixed names
                (*typed(str(kind), bytes(data or b"")), place),
            )


def _places(rows: sqlite3.Connection, query: str) -> list[int]:
    return [int(row[0]) for row in rows.execute(query).fetchall()]


@contextmanager
def _connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Nothing of it in a temporary file: one would hold what the file held before."""
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as rows:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "temp_store=MEMORY"):
            rows.execute(f"PRAGMA {pragma}")
        yield rows


@contextmanager
def _transaction(rows: sqlite3.Connection) -> Iterator[None]:
    with rows:  # commits, or rolls back
        rows.execute("BEGIN IMMEDIATE")
        yield


def _scrub(rows: sqlite3.Connection) -> bool:
    """Whether every freed page and the log were overwritten; not while others read or write."""
    try:
        rows.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        rows.execute("VACUUM")
        busy, *_ = rows.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:
        return False
    return not busy
