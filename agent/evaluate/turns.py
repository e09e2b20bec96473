"""What a measured backend is told and gives back: one turn, seen from outside.

Any backend may be measured: a function that opens a conversation and gives a function from a message to a
Reply. Only the text is needed; what else a Reply holds lets more be judged. Knows no figure.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from agent.reading.ladder import Level

__all__ = ["Open", "Reply", "Say", "Turn", "held"]


@dataclass(frozen=True)
class Reply:
    """text, and what is known beside it: the turn's risk, the helplines shown, the plan's move and intent.

    offered: the idea that was offered. sources: texts that were looked up.
    allowed: contacts that may be named (`agent.sentences.registered`).
    """

    text: str
    risk: Level = "none"
    escalated: bool = False
    lines: int = 0
    move: str = ""
    intent: str = ""
    offered: str = ""
    sources: tuple[str, ...] = ()
    allowed: frozenset[str] = frozenset()


Say = Callable[[str], Reply]
Open = Callable[[], Say]


@dataclass(frozen=True)
class Turn:
    """A message, the reply to it, and the turns before."""

    heard: str
    reply: Reply
    before: tuple["Turn", ...] = field(default=(), repr=False)

    @property
    def said(self) -> str:
        """The text of the reply."""
        return self.reply.text


def held(messages: Sequence[str], say: Say) -> list[Turn]:
    """The conversation in which these messages are written one after the other."""
    turns: list[Turn] = []
    for message in messages:
        turns.append(Turn(message, say(message), tuple(replace(turn, before=()) for turn in turns)))
    return turns
