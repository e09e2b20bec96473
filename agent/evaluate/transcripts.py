"""Our own openings with the replies they get, as Markdown for people to read.

A file for each part of openings.csv. Deterministic: the same words, model and library give the same files,
so a test can tell when they are out of date. Knows no figure.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.errors import DataError
from agent.evaluate.talks import PARTS, openings
from agent.evaluate.turns import Open, Turn, held

__all__ = ["COMMAND", "rendered", "replies_in", "write"]

COMMAND = "hearken evaluate replies --transcripts tests/conversations/transcripts"
HEAD = """# Replies to openings of ours: {part}

Written by `{command}`; change nothing here by hand. The openings were made up for this project and stand
in `agent/evaluate/replies/openings.csv`. Below each reply: the move, what it means to do, and the risk.
"""


def rendered(opened: Open, parts: Sequence[str] = PARTS) -> dict[str, str]:
    """File name -> contents."""
    files = {}
    for part in parts:
        talks = [talk for talk in openings() if talk.part == part]
        told = "".join(_talk(talk.name, held(talk.messages, opened())) for talk in talks)
        files[f"{part}.md"] = HEAD.format(part=part, command=COMMAND) + told
    return files


def write(opened: Open, folder: Path) -> list[Path]:
    """Write them into `folder`, which is made if need be. Raises DataError when it cannot be written."""
    files = rendered(opened)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in files.items():
            (folder / name).write_text(text, "utf-8")
    except OSError as error:
        raise DataError(f"{folder} cannot be written; name another folder.") from error
    return [folder / name for name in files]


def replies_in(files: Mapping[str, str]) -> list[str]:
    """Every message and reply in such files, in order: what two versions are compared by."""
    return [part for text in files.values() for part in text.split("\n\n")[2:]]


def _talk(name: str, turns: Sequence[Turn]) -> str:
    return f"\n## {name}\n" + "".join(map(_turn, turns))


def _turn(turn: Turn) -> str:
    heard = turn.heard.strip() or "(nothing)"
    reply = turn.reply
    lines = f", {reply.lines} helplines" if reply.lines else ""
    return f"\n> {heard}\n\n{reply.text}\n\n*{reply.move}, {reply.intent}, {reply.risk}{lines}*\n"
