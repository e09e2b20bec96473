"""Words around a person taking a conversation over: that they came, went, or did not answer.

And what else must be said when people who run this may read along. Knows nothing of how a person takes over.
"""

import zlib
from collections.abc import Sequence
from functools import cache
from typing import Literal

from agent.words import Strict, load

__all__ = ["OPERATOR", "Handoff", "HandoffWords", "load_handoff", "opening", "truthful"]

# The name on messages that an operator wrote, and their responder in a Turn.
OPERATOR = "operator"
# How it stands with the operator: they hold the conversation, spoke, gave it back, or did not answer.
Handoff = Literal["", "taken", "said", "back", "missed"]


class HandoffWords(Strict):
    """handoff.yaml. untrue: phrases of sentences that `instead` replaces when people may read along.

    away: stands in for them where what is written goes to another machine.
    """

    reviewed_by: str | None
    joined: tuple[str, ...]
    missed: tuple[str, ...]
    back: tuple[str, ...]
    untrue: tuple[str, ...]
    instead: tuple[str, ...]
    away: tuple[str, ...]


@cache
def load_handoff() -> HandoffWords:
    """The words, read once."""
    return load("handoff.yaml", HandoffWords)


def opening(how: str, said: Sequence[str]) -> list[str]:
    """What a reply begins with after `how`, in words not used lately; nothing in an ordinary turn."""
    words = load_handoff()
    variants = {"said": words.joined, "missed": words.missed, "back": words.back}.get(how, ())
    return [next((one for one in variants if one not in said), variants[0])] if variants else []


def truthful(sentence: str, *, away: bool = False) -> str:
    """`sentence`, or what is true instead when people may read along; away: when words leave the machine."""
    words = load_handoff()
    plain = sentence.casefold().replace("’", "'")
    if not any(phrase in plain for phrase in words.untrue):
        return sentence
    instead = words.away if away else words.instead
    return instead[zlib.crc32(plain.encode("utf-8", "replace")) % len(instead)]
