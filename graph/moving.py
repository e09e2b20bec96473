"""Conversations taken from one store into another: from the file of one machine to PostgreSQL, or back.

A conversation is nobody's in the new store until it is whole there, so an interruption leaves no half of one
and the next run begins it anew; one that is there already stays as it is. Whoever uses the old store should
have stopped. Knows nothing of turns.
"""

from typing import Any

from langchain_core.runnables import RunnableConfig

from graph.shared import Run, Shared

__all__ = ["moved"]

COLUMNS = ("country", "danger", "touched", "told", "since", "seen")
# An owner that no key and no token gives.
NOBODY = ""


def moved(old: Shared, new: Shared) -> tuple[int, int]:
    """Copy every conversation: (how many were taken, how many were there already).

    Nothing is removed from the old store. Raises OSError or sqlite3.Error when either is away.
    """
    new.migrate()
    with old.reading() as run:
        threads = [str(thread) for (thread,) in run("SELECT thread FROM conversations ORDER BY touched")]
    taken = sum(_taken(old, new, thread) for thread in threads)
    return taken, len(threads) - taken


def _taken(old: Shared, new: Shared, thread: str) -> bool:
    with old.reading() as run:
        owner, token, *about = run(
            f"SELECT owner, token, {', '.join(COLUMNS)} FROM conversations WHERE thread = ?",  # noqa: S608 - fixed names
            thread,
        )[0]
        turns = run(
            "SELECT key, id, token, digest, text, reply, saved, begun FROM turns WHERE thread = ?", thread
        )
        rated = run("SELECT turn, helpful FROM feedback WHERE thread = ?", thread)
    with new.transaction() as run:
        if not _reserved(run, thread, str(token), about):
            return False
    _checkpoint(old, new, thread, str(token))
    with new.transaction() as run:
        for table in ("turns", "feedback"):
            run(f"DELETE FROM {table} WHERE thread = ?", thread)  # noqa: S608 - fixed names
        for key, ident, its, *texts, saved, begun in turns:
            run(
                "INSERT INTO turns (thread, key, id, token, digest, text, reply, saved, begun)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(thread, key, ident, its, *(_again(old, new, text) for text in texts), saved, begun),
            )
        for turn, helpful in rated:
            run("INSERT INTO feedback (thread, turn, helpful) VALUES (?, ?, ?)", thread, turn, helpful)
        run("UPDATE conversations SET owner = ? WHERE thread = ?", owner, thread)
    return True


def _reserved(run: Run, thread: str, token: str, about: list[Any]) -> bool:
    """Whether the conversation is to be filled: new, or begun by a run that was cut off."""
    marks = ", ".join("?" * (len(COLUMNS) + 3))
    run(
        f"INSERT INTO conversations (thread, owner, token, {', '.join(COLUMNS)}) VALUES ({marks})"  # noqa: S608 - fixed names
        " ON CONFLICT (thread) DO NOTHING",
        *(thread, NOBODY, token, *about),
    )
    return bool(run("SELECT owner FROM conversations WHERE thread = ?", thread)[0][0] == NOBODY)


def _checkpoint(old: Shared, new: Shared, thread: str, token: str) -> None:
    """The newest one is all there is; one that a cut-off run wrote is written over by the same."""
    config: RunnableConfig = {"configurable": {"thread_id": thread, "checkpoint_ns": ""}}
    with old.saver(thread, token) as saver:
        found = saver.get_tuple(config)
    if found is None:
        return
    with new.saver(thread, token) as saver:
        saver.put(config, found.checkpoint, found.metadata, found.checkpoint["channel_versions"])


def _again(old: Shared, new: Shared, value: object) -> object:
    return None if value is None else new.seal(old.unseal(value))
