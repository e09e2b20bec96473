"""Everyday texts of other sets as messages without danger, for what is fitted after the encoder.

Our own messages of danger and their harmless twins are all written to be hard; a head that has met nothing
else takes the plain trouble of a day for a little dangerous, and its bars must then stand so high that
danger passes under them. The texts of sets about feelings, moments and stress carry no label of danger: they
count as `none` where the rules hear nothing in them that asks for care. A few in a hundred will be wrong,
which a linear head bears. Sets gathered for illness or crisis are left alone. Knows no model.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from agent.reading.rules import load_rules
from agent.train.data import Example
from agent.train.sets import hashed

__all__ = ["EVERYDAY", "SHARE", "alarming", "with_calm"]

EVERYDAY = frozenset({"situations", "turns", "conversations", "support talks", "sad"})
SHARE = 5  # one everyday text in so many is taken, by its hash: some twelve thousand, as many as our own


def with_calm(found: Sequence[Example], alarm: Callable[[str], bool]) -> list[Example]:
    """The examples, those of everyday sets with danger `none` added to what is known of them.

    alarm: whether the rules hear danger in a text. Order and parts stay.
    """

    def calm(example: Example) -> bool:
        return (
            example.source in EVERYDAY
            and "danger" not in example.targets
            and hashed(example.text, "calm") % SHARE == 0
            and not alarm(example.text)
        )

    return [
        replace(one, targets={**one.targets, "danger": {"none": 1.0}}) if calm(one) else one for one in found
    ]


def alarming(text: str) -> bool:
    """Whether the rules would answer this text with care."""
    return any(cue["escalate"] for cue in load_rules().scan(text))
