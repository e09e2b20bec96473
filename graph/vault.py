"""The lock on a file of what is kept: a key of its own, and the seal on every value that somebody wrote.

The key is random. It lies in the file (table `vault`), encrypted under what scrypt makes of a passphrase and
a random salt, so that another passphrase changes one row and a forgotten one opens nothing. Values are sealed
with AES-256-GCM under a fresh nonce; a sealed value is bytes where a plain one is text, so each says itself
which it is. Knows nothing of what the values mean.
"""

import hashlib
import secrets
import sqlite3
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field

from langgraph.checkpoint.serde.base import SerializerProtocol
from langgraph.checkpoint.serde.encrypted import EncryptedSerializer
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent.errors import PassphraseError

__all__ = [
    "CIPHER",
    "SHORTEST",
    "TABLE",
    "Key",
    "Lock",
    "Locked",
    "check",
    "held",
    "lock",
    "opened",
    "serializer",
    "wrapped",
]

CIPHER = "aes-gcm"
SHORTEST = 8  # characters of a passphrase
COST = 2**17  # of scrypt, with r=8 and p=1: 128 MB and about half a second of an old core
MOST = 2**20  # what a damaged file may ask for at most
NONCE = 12
TABLE = (
    "CREATE TABLE IF NOT EXISTS vault (id TEXT PRIMARY KEY, salt BLOB NOT NULL, cost INTEGER NOT NULL,"
    " wrapped BLOB NOT NULL, stale INTEGER NOT NULL)"
)


class Locked(OSError):
    """The file is encrypted and this is not its key, or it is plain and a key was expected."""

    def __init__(self) -> None:
        super().__init__("What is kept is encrypted, and was not opened with its passphrase.")


@dataclass(frozen=True, slots=True)
class Key:
    """Opens one file; a cipher in LangGraph's sense. id: tells keys apart, and is no secret."""

    id: str
    secret: bytes = field(repr=False)

    def encrypt(self, plaintext: bytes) -> tuple[str, bytes]:
        """(name of the cipher, nonce and ciphertext)."""
        return CIPHER, _closed(self.secret, plaintext, self.id)

    def decrypt(self, ciphername: str, ciphertext: bytes) -> bytes:
        """Raises ValueError for what was damaged, or sealed with another key."""
        if ciphername != CIPHER:
            raise ValueError("A kept value was sealed in a way that is not known here.")
        return _open(self.secret, ciphertext, self.id)

    def seal(self, value: str) -> bytes:
        """A text, sealed."""
        return self.encrypt(value.encode())[1]

    def unseal(self, value: bytes) -> str:
        """The text. Raises ValueError."""
        return self.decrypt(CIPHER, value).decode()


@dataclass(frozen=True, slots=True)
class Lock:
    """How values go into a file and come out of it, as it is at this moment. Both may raise Locked."""

    seal: Callable[[str], str | bytes]
    unseal: Callable[[object], str]


def held(rows: sqlite3.Connection | sqlite3.Cursor) -> str | None:
    """The id of the key that the file is encrypted with; None where it is plain."""
    if not rows.execute("SELECT 1 FROM sqlite_master WHERE name = 'vault'").fetchone():
        return None
    found = rows.execute("SELECT id FROM vault").fetchone()
    return str(found[0]) if found else None


def check(rows: sqlite3.Connection | sqlite3.Cursor, key: Key | None) -> None:
    """Raises Locked unless `key` is the file's: what was sealed meanwhile must not be written plain."""
    if held(rows) != (key.id if key else None):
        raise Locked


def lock(rows: sqlite3.Connection, key: Key | None) -> Lock:
    """The seal of the file. A key that it does not have (any more) is not used."""
    ident = held(rows)
    if ident is None:
        return Lock(str, _plainly)
    if key is None or key.id != ident:
        return Lock(_refuse, _refuse)
    return Lock(key.seal, lambda value: key.unseal(value) if isinstance(value, bytes) else str(value))


def serializer(key: Key | None) -> SerializerProtocol:
    """How checkpoints are written and read."""
    plain = JsonPlusSerializer(pickle_fallback=False)
    return EncryptedSerializer(key, plain) if key else plain


def wrapped(key: Key | None, passphrase: str) -> tuple[Key, tuple[str, bytes, int, bytes]]:
    """The key, a new one for None, and what the table holds of it: id, salt, cost, the wrapped key.

    Raises PassphraseError for a passphrase that is too short.
    """
    if len(passphrase.strip()) < SHORTEST:
        raise PassphraseError(f"A passphrase has {SHORTEST} characters or more. Nothing was changed.")
    key = key or Key(secrets.token_hex(8), secrets.token_bytes(32))
    salt = secrets.token_bytes(16)
    return key, (key.id, salt, COST, _closed(_derived(passphrase, salt, COST), key.secret, key.id))


def opened(rows: sqlite3.Connection, passphrase: str) -> Key:
    """The file's key. Raises PassphraseError for another passphrase, and where there is nothing to open."""
    if held(rows) is None:
        raise PassphraseError("What is kept is not encrypted, so there is nothing to open.")
    ident, salt, cost, sealed = rows.execute("SELECT id, salt, cost, wrapped FROM vault").fetchone()
    try:
        return Key(str(ident), _open(_derived(passphrase, salt, int(cost)), sealed, str(ident)))
    except ValueError as error:
        raise PassphraseError("That passphrase does not open what is kept. Nothing was changed.") from error


def _derived(passphrase: str, salt: bytes, cost: int) -> bytes:
    if not 1 < cost <= MOST:
        raise ValueError("The lock of the file is damaged.")
    # Composed alike and without stray spaces, whatever keyboard it was typed on.
    typed = unicodedata.normalize("NFKC", passphrase).strip().encode()
    return hashlib.scrypt(typed, salt=salt, n=cost, r=8, p=1, maxmem=1025 * cost + 2**20, dklen=32)


def _closed(secret: bytes, plaintext: bytes, about: str) -> bytes:
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415 - only where it is used

    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(secret).encrypt(nonce, plaintext, about.encode())


def _open(secret: bytes, sealed: bytes, about: str) -> bytes:
    from cryptography.exceptions import InvalidTag  # noqa: PLC0415
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415

    try:
        return AESGCM(secret).decrypt(sealed[:NONCE], sealed[NONCE:], about.encode())
    except InvalidTag as error:
        raise ValueError("A kept value is damaged, or was sealed with another key.") from error


def _plainly(value: object) -> str:
    if isinstance(value, bytes):
        raise ValueError("A kept value is sealed, and the key to it is gone.")  # noqa: TRY004 - damaged
    return str(value)


def _refuse(value: object) -> str:
    del value
    raise Locked
