"""How a person has been: the check-ins they made, and the feelings that their messages were heard with.

On the shelf (graph/shelf.py), after consent only. A feeling is a name, never a word of theirs. Knows nothing
of how either is shown, and draws no conclusion from them.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from graph.shelf import iso, read, rows, scrub
from graph.vault import Key

__all__ = ["Mood", "feel", "feelings", "forget_moods", "hear", "moods"]


@dataclass(frozen=True, slots=True)
class Mood:
    """A check-in: ISO time, 0 (worst) to 4 (best), and what was noted with it."""

    at: str
    face: int
    note: str


def feel(path: Path, one: Mood, *, key: Key | None = None) -> None:
    """Keep a check-in."""
    with rows(path, key) as held:
        how = (one.at, held.seal(str(one.face)), held.seal(one.note))
        held.execute("INSERT INTO shelf_moods VALUES (?, ?, ?)", how)


def moods(path: Path, key: Key | None = None) -> list[Mood]:
    """The check-ins kept, oldest first; none where they are encrypted, and not with this key."""
    found = read(path, "SELECT at, face, note FROM shelf_moods ORDER BY at", key=key)
    return [Mood(str(at), int(face), str(note)) for at, face, note in found]


def hear(
    path: Path, thread: str, feeling: str, now: datetime | None = None, *, key: Key | None = None
) -> None:
    """Keep the feeling that a message of a kept conversation was heard with; a name, no words."""
    with rows(path, key) as held:
        held.execute("INSERT INTO shelf_heard VALUES (?, ?, ?)", (thread, iso(now), held.seal(feeling)))


def feelings(path: Path, key: Key | None = None) -> list[tuple[str, str]]:
    """(ISO time, feeling) of every message kept so, oldest first."""
    found = read(path, "SELECT at, feeling FROM shelf_heard ORDER BY at", key=key)
    return [(str(at), str(one)) for at, one in found]


def forget_moods(path: Path) -> None:
    """Erase check-ins and feelings heard, for real."""
    with rows(path) as held:
        for table in ("shelf_moods", "shelf_heard"):
            held.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
    scrub(path)
