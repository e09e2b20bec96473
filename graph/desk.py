"""The desk: conversations in danger that wait for a person, who took them over, and what they answered.

One SQLite file, made only where an operator switched it on, readable by its owner alone. It holds what was
said, unencrypted unless whoever runs this set a passphrase, as long as a conversation is on it: handing back
erases the words, `drop` the row, and a row that nobody touched for a day goes at the next one. Each call
opens the file anew, so that any thread and any process may make it. Knows nothing of graphs or screens.

    waiting -> taken (by the operator) -> asked (the person wrote) -> taken (the operator answered)
                                                                  -> waiting (nobody answered in time)
               any of these -> back (the operator handed it back) -> gone, once the person was told
"""

import json
import sqlite3
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NotRequired, TypedDict

from agent.errors import PassphraseError
from agent.reading.ladder import Kind, Level, Subject
from graph import vault
from graph.sealing import own_key
from graph.vault import Key

__all__ = ["Answer", "Desk", "Escalation", "Line", "Waiting"]

State = Literal["waiting", "taken", "asked", "back"]
# Seconds after which a row that nobody touched is erased.
DAY = 24 * 60 * 60.0


class Line(TypedDict):
    """One message of a conversation."""

    role: Literal["person", "assistant", "operator"]
    text: str


class Escalation(TypedDict):
    """A turn at high or imminent, told to whoever is to know. Plain data.

    fresh: a new sign was heard in this very turn; otherwise the level is carried. conversation: what was
    said; absent unless the operator setting says that it may be read.
    """

    thread: str
    turn: int
    level: Level
    fresh: bool
    kinds: list[Kind]
    subject: Subject
    country: str
    conversation: NotRequired[list[Line]]


class Answer(TypedDict):
    """What came of asking: words, or none and why. `back`: the operator handed the conversation back."""

    said: str
    back: bool


class Waiting(Escalation):
    """A conversation on the desk. since: UTC seconds since 1970."""

    state: State
    since: float


class Desk:
    """See the module. Every call may raise sqlite3.Error or OSError."""

    def __init__(
        self, path: Path, *, now: Callable[[], float] = time.time, passphrase: str | None = None
    ) -> None:
        self._path, self._now, self._passphrase = path, now, passphrase

    def put(self, escalation: Escalation) -> None:
        """A conversation needs a person; one that is already here keeps its state."""
        now = self._now()
        with self._open() as rows:
            values = self._sealed(rows, json.dumps(escalation)), now
            rows.execute("DELETE FROM desk WHERE touched < ?", (now - DAY,))
            rows.execute(
                "INSERT INTO desk (thread, state, escalation, since, touched)"
                " VALUES (?1, 'waiting', ?2, ?3, ?3)"
                " ON CONFLICT (thread) DO UPDATE SET escalation = ?2, touched = ?3",
                (escalation["thread"], *values),
            )

    def listed(self) -> list[Waiting]:
        """Every conversation on the desk, the one that waits longest first."""
        if not self._path.exists():
            return []
        with self._open() as rows:
            found = rows.execute(
                "SELECT escalation, state, since FROM desk WHERE state != 'back' ORDER BY since"
            )
            return [
                json.loads(self._plain(rows, told)) | {"state": state, "since": since}
                for told, state, since in found.fetchall()
            ]

    def take(self, thread: str) -> bool:
        """The operator takes it over: from the person's next message on, theirs are the words."""
        return self._moved(thread, "taken", "state = 'waiting'")

    def answer(self, thread: str, said: str) -> bool:
        """What the operator writes; False when the person no longer waits for it."""
        return self._moved(thread, "taken", "state = 'asked'", answer=said)

    def hand_back(self, thread: str) -> bool:
        """The operator is done; what was said is erased here at once."""
        with self._open() as rows:
            found = rows.execute("SELECT state, escalation FROM desk WHERE thread = ?", (thread,)).fetchone()
            if found is None or found[0] == "waiting":  # nobody had joined, so there is nothing to tell
                rows.execute("DELETE FROM desk WHERE thread = ?", (thread,))
                return found is not None
            bare = self._sealed(
                rows, json.dumps({**json.loads(self._plain(rows, found[1])), "conversation": []})
            )
            rows.execute(
                "UPDATE desk SET state = 'back', escalation = ?2, answer = NULL, touched = ?3"
                " WHERE thread = ?1",
                (thread, bare, self._now()),
            )
        return True

    def holds(self, thread: str) -> Literal["", "taken", "back"]:
        """Whose the next words are: the operator's, or ours again after theirs (told once), or ours."""
        if not self._path.exists():
            return ""
        with self._open() as rows:
            found = rows.execute("SELECT state FROM desk WHERE thread = ?", (thread,)).fetchone()
            if found == ("back",):
                rows.execute("DELETE FROM desk WHERE thread = ?", (thread,))
                return "back"
        return "taken" if found in {("taken",), ("asked",)} else ""

    def ask(self, thread: str, conversation: Sequence[Line]) -> None:
        """The person wrote and waits for the operator's words."""
        with self._open() as rows:
            found = rows.execute(
                "SELECT escalation FROM desk WHERE thread = ? AND state != 'back'", (thread,)
            )
            for (told,) in found.fetchall():
                whole = {**json.loads(self._plain(rows, told)), "conversation": list(conversation)}
                rows.execute(
                    "UPDATE desk SET state = 'asked', answer = NULL, touched = ?2, escalation = ?3"
                    " WHERE thread = ?1",
                    (thread, self._now(), self._sealed(rows, json.dumps(whole))),
                )

    def answered(self, thread: str, *, last: bool = False) -> Answer | None:
        """What came of asking, once it is known. last: give up; unanswered, it waits for a person again."""
        with self._open() as rows:
            found = rows.execute("SELECT state, answer FROM desk WHERE thread = ?", (thread,)).fetchone()
            state, said = found or ("", None)
            if state == "back":
                rows.execute("DELETE FROM desk WHERE thread = ?", (thread,))
            elif said is not None:
                rows.execute("UPDATE desk SET answer = NULL WHERE thread = ?", (thread,))
            elif state and not last:
                return None
            else:
                rows.execute("UPDATE desk SET state = 'waiting' WHERE thread = ?", (thread,))
            words = self._plain(rows, said) if said is not None else ""
        return Answer(said=words, back=state == "back")

    def left(self, thread: str) -> None:
        """The person no longer waits; the operator keeps the conversation."""
        self._moved(thread, "taken", "state = 'asked'")

    def drop(self, thread: str) -> None:
        """Forget a conversation, its words overwritten."""
        if self._path.exists():
            with self._open() as rows:
                rows.execute("DELETE FROM desk WHERE thread = ?", (thread,))

    def _moved(self, thread: str, to: State, where: str, answer: str | None = None) -> bool:
        with self._open() as rows:
            done = rows.execute(
                f"UPDATE desk SET state = ?2, answer = ?3, touched = ?4 WHERE thread = ?1 AND {where}",  # noqa: S608
                (thread, to, self._sealed(rows, answer) if answer is not None else None, self._now()),
            )
            return done.rowcount > 0

    def _key(self) -> Key | None:
        try:
            return own_key(self._path, self._passphrase)
        except PassphraseError as error:
            raise vault.Locked from error

    def _sealed(self, rows: sqlite3.Connection, value: str) -> str | bytes:
        return vault.lock(rows, self._key()).seal(value)

    def _plain(self, rows: sqlite3.Connection, value: object) -> str:
        return vault.lock(rows, self._key()).unseal(value)

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """One transaction; what it deletes is overwritten on disk."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._path.touch(mode=0o600)
        self._key()  # before the transaction: a new file is given its lock
        rows = sqlite3.connect(self._path, timeout=2, isolation_level=None)
        try:
            rows.execute("PRAGMA secure_delete=ON")
            rows.execute(
                "CREATE TABLE IF NOT EXISTS desk (thread TEXT PRIMARY KEY, state TEXT NOT NULL,"
                " escalation TEXT NOT NULL, since REAL NOT NULL, touched REAL NOT NULL, answer TEXT)"
            )
            rows.execute("BEGIN IMMEDIATE")
            yield rows
            rows.execute("COMMIT")
        finally:
            rows.close()
