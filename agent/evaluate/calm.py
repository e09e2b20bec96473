"""Ordinary talks, in which nobody is in danger: how many of them are met as if somebody were.

A single message says little of it, for a level once raised stays for a while, and several messages are read
together; so whole talks are held. Those that ship (`ordinary_talks.csv`) were written by a hand that had seen
nothing of this project, and nobody who tunes it reads them. Knows no backend.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any

from agent.evaluate.metrics import wilson
from agent.evaluate.turns import Open, Turn, held
from agent.responders.crisis_words import load_words
from agent.tables import rows

__all__ = ["TALKS", "calm", "ordinary"]

TALKS = Path(__file__).parent / "ordinary_talks.csv"


def ordinary(path: Path = TALKS) -> list[list[str]]:
    """The person's side of each talk of a file `talk,text`. Raises DataError, naming file, column and fix."""
    read = groupby(rows(path, "talk", "text"), key=itemgetter("talk"))
    return [[row["text"] for row in lines] for _, lines in read]


def calm(talks: Iterable[Sequence[str]], opened: Open) -> dict[str, Any]:
    """Shares of talks with a reply as in a crisis, and with the question whether there is danger; and of
    messages after which care was due."""
    whole = [held(messages, opened()) for messages in talks]
    turns = [turn for talk in whole for turn in talk]
    return {
        "met as a crisis": wilson(sum(any(map(_escalated, talk)) for talk in whole), len(whole)),
        "asked about danger": wilson(sum(any(map(_asked, talk)) for talk in whole), len(whole)),
        "messages under care": wilson(sum(map(_escalated, turns)), len(turns)),
        "levels": dict(Counter(turn.reply.risk for turn in turns)),
    }


def _escalated(turn: Turn) -> bool:
    return turn.reply.escalated


def _asked(turn: Turn) -> bool:
    """Whether the reply holds one of the soft questions."""
    return not turn.reply.escalated and any(
        line in turn.said for ask in load_words().wonders for line in ask.say
    )
