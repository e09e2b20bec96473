"""What people said of replies, where they agreed to have it kept: marks, ratings and reports.

On one's own device that is what stands in the file of kept conversations once keeping was agreed to; of a
server's conversations, those of owners who are named as having agreed, for the book itself holds no such
word. Read only. Knows nothing of what is made of it.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from langchain_core.messages import AnyMessage

from graph import shelf, store
from graph.hosted import Hosted
from graph.vault import Key, Locked

__all__ = ["Used", "on_this_device", "served"]

Said = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Used:
    """A reply and what was said of it. before: (role, text), the person's last message at its end.

    thread: a conversation's id, "" where only the exchange was kept. reported: with what was wrong in `why`.
    """

    before: Said
    reply: str
    helpful: bool
    reported: bool = False
    why: str = ""
    thread: str = ""


def on_this_device(path: Path, key: Key | None = None) -> list[Used]:
    """Marks of kept conversations and reported exchanges; nothing where keeping was never agreed to.

    key: of a file that is encrypted. Locked where it is not the file's.
    """
    if not shelf.chosen(path, "consent"):
        return []
    told = [
        Used((("user", one.said),), one.reply, helpful=False, reported=True, why=one.why)
        for one in shelf.reports(path, key)
        if one.said
    ]
    return [*_marked(path, key), *told]


def _marked(path: Path, key: Key | None) -> Iterator[Used]:
    try:
        saver = store.open_store(path, key)
    except Locked:
        raise
    except store.FAILURES:
        return
    with closing(saver.conn):
        for thread, _ in store.threads(saver.conn):
            marks = shelf.marks(path, thread)
            try:
                found = saver.get_tuple({"configurable": {"thread_id": thread}}) if marks else None
            except store.FAILURES:
                continue
            messages = found.checkpoint["channel_values"].get("messages", []) if found else []
            yield from _rated(messages, {one: bool(value) for one, value in marks.items()}, thread)


def served(hosted: Hosted, owners: Iterable[str]) -> list[Used]:
    """What was noted of turns in the conversations of these owners. OSError, sqlite3.Error: no database."""
    told: list[Used] = []
    for owner in owners:
        for thread, _ in hosted.ledger.mine(owner):
            export = hosted.export(owner, thread)
            said = tuple((one["role"], one["text"]) for one in export["messages"])
            for rating in export["feedback"]:
                told += _answer(said, int(rating["turn"]), helpful=bool(rating["helpful"]), thread=thread)
    return told


def _answer(said: Said, turn: int, *, helpful: bool, thread: str) -> Iterator[Used]:
    """The reply to the person's message of this number, which counts from 1."""
    own = [place for place, (role, _) in enumerate(said) if role == "user"]
    at = own[turn - 1] + 1 if 0 < turn <= len(own) else len(said)
    if at < len(said) and said[at][0] == "assistant":
        yield Used(said[:at], said[at][1], helpful=helpful, thread=thread)


def _rated(messages: Sequence[AnyMessage], marks: dict[str, bool], thread: str) -> Iterator[Used]:
    said = store.spoken(messages)
    for place, message in enumerate(messages):
        if (helpful := marks.get(str(message.id))) is not None and said[place][0] == "assistant":
            before = said[:place]
            while before and before[-1][0] != "user":  # replies in several parts belong to one message
                before = before[:-1]
            if before:
                yield Used(before, said[place][1], helpful=helpful, thread=thread)
