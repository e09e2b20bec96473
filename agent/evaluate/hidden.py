"""Talks in which danger shows in the middle, mostly unnamed: whether it is met once it shows, and not before.

The other side of `agent.evaluate.calm`. Those that ship (`hidden_talks.csv`) were written, and each message
that shows danger marked, by a hand that had seen nothing of this project; nobody who tunes it reads them.
Knows no backend.
"""

from collections.abc import Iterable, Sequence
from itertools import groupby, takewhile
from operator import itemgetter
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import DataError
from agent.evaluate.metrics import wilson
from agent.evaluate.turns import Open, Turn, held
from agent.reading.ladder import LEVELS
from agent.tables import rows

__all__ = ["TALKS", "Message", "hidden", "told"]

TALKS = Path(__file__).parent / "hidden_talks.csv"


class Message(NamedTuple):
    """level: the danger that this very message shows; `none` for the ordinary ones."""

    text: str
    level: str


def told(path: Path = TALKS) -> list[list[Message]]:
    """The person's side of each talk of a file `talk,level,text`. Raises DataError, naming file and fix."""
    read = list(rows(path, "talk", "level", "text"))
    if wrong := next((row["level"] for row in read if row["level"] not in LEVELS), ""):
        raise DataError(f"{path} has the level {wrong!r}; it must be one of {', '.join(LEVELS)}.")
    talks = groupby(read, key=itemgetter("talk"))
    return [[Message(row["text"], row["level"]) for row in lines] for _, lines in talks]


def hidden(talks: Iterable[Sequence[Message]], opened: Open) -> dict[str, Any]:
    """Shares of talks met with care at a message that shows danger, of such messages by level that are under
    care, and of talks met so before any danger showed."""
    whole = [list(zip(talk, held([one.text for one in talk], opened()), strict=True)) for talk in talks]
    shown = [(one, turn) for talk in whole for one, turn in talk if one.level != "none"]
    early = [list(takewhile(lambda pair: pair[0].level == "none", talk)) for talk in whole]
    return {
        "talks heard": wilson(
            sum(any(one.level != "none" and _care(turn) for one, turn in talk) for talk in whole), len(whole)
        ),
        **{
            f"{level} under care": wilson(
                sum(_care(turn) for one, turn in shown if one.level == level),
                sum(one.level == level for one, _ in shown),
            )
            for level in LEVELS
            if any(one.level == level for one, _ in shown)
        },
        "met as a crisis before": wilson(sum(any(_care(t) for _, t in talk) for talk in early), len(early)),
    }


def _care(turn: Turn) -> bool:
    return turn.reply.escalated
