"""Whose conversation it is, and which of its turns were answered: the book that makes a turn repeatable.

A turn begins by taking the conversation over, so that one that still runs, or whose worker died, can write
no more. Its words stay in the book until they stand in the conversation, and its reply for a day: the same
key gets the same reply. Knows nothing of how a turn is answered.
"""

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from agent.errors import HearkenError
from graph.reminders import Reminder, Reminders
from graph.shared import Run, Shared

__all__ = ["Begun", "Busy", "KeyReused", "Ledger", "Reply", "Unknown"]

Reply = dict[str, Any]
DAY = 86_400.0


class Unknown(HearkenError):
    """There is no such conversation, or it is somebody else's: from outside both look the same."""


class KeyReused(HearkenError):
    """The idempotency key was used before, with other words."""


class Busy(HearkenError):
    """The same turn is being answered right now, by this or another worker."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A turn that may be answered. reply: set when it was, before. waiting: (id, words) of earlier
    turns that never came to stand in the conversation."""

    id: str
    token: str
    reply: Reply | None
    waiting: list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Ledger:
    """The book, in the same database as the conversations. lease: seconds without a word from its worker
    (`renew`) after which a turn is answered anew for somebody who asks for it again."""

    shared: Shared
    lease: float = 150.0
    now: Callable[[], float] = time.time

    def open(self, owner: str, country: str = "") -> str:
        """A new conversation; its id cannot be guessed."""
        thread = secrets.token_urlsafe(24)
        with self.shared.transaction() as run:
            run(
                "INSERT INTO conversations (thread, owner, token, country, touched, told, since, seen)"
                " VALUES (?, ?, '', ?, ?, ?, ?, ?)",
                *(thread, owner, country, *(4 * [self.now()])),
            )
        return thread

    def mine(self, owner: str) -> list[tuple[str, float]]:
        """(id, time of its last turn), newest first."""
        with self.shared.reading() as run:
            found = run(
                "SELECT thread, touched FROM conversations WHERE owner = ? ORDER BY touched DESC", owner
            )
        return [(str(thread), float(touched)) for thread, touched in found]

    def known(self, owner: str, thread: str) -> tuple[str, bool]:
        """(country, whether it is under care). Raises Unknown."""
        with self.shared.reading() as run:
            found = run(
                "SELECT country, danger FROM conversations WHERE thread = ? AND owner = ?", thread, owner
            )
        if not found:
            raise Unknown("There is no such conversation.")
        return str(found[0][0]), bool(found[0][1])

    def begin(self, owner: str, thread: str, key: str, text: str, *, danger: bool = False) -> Begun:
        """Take the conversation over for this turn. danger: do not wait for a worker that has the same turn.

        Raises Unknown, KeyReused and Busy.
        """
        digest, token, now = hashlib.sha256(text.encode()).hexdigest(), secrets.token_hex(16), self.now()
        with self.shared.transaction() as run:
            held = run(
                "UPDATE conversations SET touched = ? WHERE thread = ? AND owner = ? RETURNING token",
                *(now, thread, owner),
            )
            if not held:
                raise Unknown("There is no such conversation.")
            run("DELETE FROM turns WHERE thread = ? AND saved = 1 AND begun < ?", thread, now - DAY)
            before = run(
                "SELECT id, token, digest, reply, begun FROM turns WHERE thread = ? AND key = ?", thread, key
            )
            if before:
                ident, its, was, reply, begun = before[0]
                if self.shared.unseal(was) != digest:
                    raise KeyReused("This key was used before, with other words.")
                if reply:
                    return Begun(ident, its, json.loads(self.shared.unseal(reply)), [])
                if its == held[0][0] and not danger and self._works(run, ident, begun):
                    raise Busy("This turn is being answered.")
                run("UPDATE turns SET token = ?, begun = ? WHERE id = ?", token, now, ident)
            else:
                ident = secrets.token_hex(16)
                run(
                    "INSERT INTO turns (thread, key, id, token, digest, text, begun)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?)",
                    *(thread, key, ident, token, self.shared.seal(digest), self.shared.seal(text), now),
                )
            run("UPDATE conversations SET token = ? WHERE thread = ?", token, thread)
            waiting = run(
                "SELECT id, text FROM turns WHERE thread = ? AND saved = 0 AND id <> ? ORDER BY begun",
                *(thread, ident),
            )
        return Begun(ident, token, None, [(str(one), self.shared.unseal(words)) for one, words in waiting])

    def _works(self, run: Run, ident: str, begun: float) -> bool:
        """Whether the worker that has the turn was heard of lately."""
        renewed = run("SELECT renewed FROM leases WHERE id = ?", ident)
        return max([begun, *(float(at) for (at,) in renewed)]) > self.now() - self.lease

    def renew(self, turns: Iterable[Begun]) -> None:
        """Note that these are being worked on; nothing is noted of what was deleted or taken over."""
        with self.shared.transaction() as run:
            for one in turns:
                run(
                    "INSERT INTO leases (id, thread, renewed) SELECT id, thread, ? FROM turns"
                    " WHERE id = ? AND token = ? ON CONFLICT (id) DO UPDATE SET renewed = excluded.renewed",
                    *(self.now(), one.id, one.token),
                )

    def finish(self, thread: str, begun: Begun, reply: Reply, *, saved: bool, danger: bool) -> None:
        """Note the reply. saved: the turn, and those that waited, now stand in the conversation."""
        with self.shared.transaction() as run:
            told = self.shared.seal(json.dumps(reply))
            run("UPDATE turns SET reply = ? WHERE thread = ? AND id = ?", told, thread, begun.id)
            run("DELETE FROM leases WHERE id = ?", begun.id)
            if saved:
                for ident in (begun.id, *(one for one, _ in begun.waiting)):
                    run("UPDATE turns SET saved = 1, text = NULL WHERE thread = ? AND id = ?", thread, ident)
            run("UPDATE conversations SET danger = ? WHERE thread = ?", int(danger), thread)

    def due(self, thread: str, *, young: bool, in_danger: bool) -> list[Reminder]:
        """What is owed to the person now (`graph.reminders`); what is given here counts as said."""
        with self.shared.transaction() as run:
            found = run("SELECT told, since, seen FROM conversations WHERE thread = ?", thread)
            if not found:
                return []
            told, since, seen = found[0]
            clock = Reminders(self.now, told=told, since=since or 0.0, seen=seen)
            owed = clock.due(young=young, in_danger=in_danger)
            run(
                "UPDATE conversations SET told = ?, since = ?, seen = ? WHERE thread = ?",
                *(clock.told, clock.since, clock.seen, thread),
            )
        return owed

    def rate(self, owner: str, thread: str, turn: int, *, helpful: bool) -> None:
        """Note whether a turn helped; the last word counts. Raises Unknown."""
        with self.shared.transaction() as run:
            _owned(run, owner, thread)
            run("DELETE FROM feedback WHERE thread = ? AND turn = ?", thread, turn)
            run("INSERT INTO feedback (thread, turn, helpful) VALUES (?, ?, ?)", thread, turn, int(helpful))

    def rated(self, thread: str) -> list[dict[str, Any]]:
        """What was noted of its turns."""
        with self.shared.reading() as run:
            found = run("SELECT turn, helpful FROM feedback WHERE thread = ? ORDER BY turn", thread)
        return [{"turn": int(turn), "helpful": bool(helpful)} for turn, helpful in found]

    def delete(self, owner: str, thread: str) -> None:
        """Remove every row of a conversation in one transaction. Raises Unknown."""
        with self.shared.transaction() as run:
            _owned(run, owner, thread)
            _remove(run, thread, self.shared.checkpoints)

    def purge(self, days: float) -> int:
        """Remove the conversations that nobody has touched for so long; how many went."""
        with self.shared.transaction() as run:
            bar = self.now() - days * DAY
            old = run("DELETE FROM conversations WHERE touched < ? RETURNING thread", bar)
            for (thread,) in old:
                _remove(run, thread, self.shared.checkpoints)
        return len(old)


def _owned(run: Run, owner: str, thread: str) -> None:
    if not run(
        "UPDATE conversations SET token = token WHERE thread = ? AND owner = ? RETURNING thread",
        *(thread, owner),
    ):
        raise Unknown("There is no such conversation.")


def _remove(run: Run, thread: str, checkpoints: tuple[str, ...]) -> None:
    for table in ("conversations", "turns", "leases", "feedback"):
        run(f"DELETE FROM {table} WHERE thread = ?", thread)  # noqa: S608 - fixed names
    for table in checkpoints:
        run(f"DELETE FROM {table} WHERE thread_id = ?", thread)  # noqa: S608 - fixed names
