"""How a person has been: the check-ins they made, and the feelings that their messages were heard with.

On the shelf (graph/shelf.py), after consent only. A feeling is a name, never a word of theirs. Knows nothing
of how either is shown, and draws no conclusion from them.
"""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from graph.shelf import iso, read, rows, scrub

__all__ = ["Mood", "feel", "feelings", "forget_moods", "hear", "moods"]


@dataclass(frozen=True, slots=True)
class Mood:
    """A check-in: ISO time, 0 (worst) to 4 (best), and what was noted with it."""

    at: str
    face: int
    note: str


def feel(path: Path, one: Mood) -> None:
    """Keep a check-in."""
    with rows(path) as held:
        held.execute("INSERT INTO shelf_moods VALUES (?, ?, ?)", (one.at, one.face, one.note))


def moods(path: Path) -> list[Mood]:
    """The check-ins kept, oldest first."""
    found = read(path, "SELECT at, face, note FROM shelf_moods ORDER BY at")
    return [Mood(str(at), int(face), str(note)) for at, face, note in found]


def hear(path: Path, thread: str, feeling: str, now: datetime | None = None) -> None:
    """Keep the feeling that a message of a kept conversation was heard with; a name, no words."""
    with rows(path) as held:
        held.execute("INSERT INTO shelf_heard VALUES (?, ?, ?)", (thread, iso(now), feeling))


def feelings(path: Path) -> list[tuple[str, str]]:
    """(ISO time, feeling) of every message kept so, oldest first."""
    return [(str(at), str(one)) for at, one in read(path, "SELECT at, feeling FROM shelf_heard ORDER BY at")]


def forget_moods(path: Path) -> None:
    """Erase check-ins and feelings heard, for real."""
    with rows(path) as held:
        for table in ("shelf_moods", "shelf_heard"):
            held.execute(f"DELETE FROM {table}")  # noqa: S608 - fixed names
    scrub(path)
