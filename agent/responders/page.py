"""A reply in the making: what was said before, what is said so far, and how many words are left.

It takes the first variant that is fresh: never a sentence twice in a conversation, never two replies that
open alike, not the same frame or word again, within the budget and one question. Among equals the seed
chooses, or what fits best. Knows nothing of what there is to say, or why.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from string import Template

from agent.brief import Brief
from agent.responders.replies import Replies, sentences, shuffled

__all__ = ["Page"]

_ONCE = "it sounds like"  # an opening that wears out after one use
_BAND = 0.15  # sentences whose fit differs by less are equal, and the seed chooses
_PLAIN, _PLAIN_WORD = 13, 9  # words of a sentence, letters of a word, where simple ones are wanted
_WHOM: tuple[dict[str, str], ...] = tuple(
    {"them": one, "Them": one, "their": its, "Their": its}
    for one, its in (("her", "her"), ("him", "his"), ("them", "their"))
)
_NEAR = 2  # replies whose sentences open unlike the next one's
_FRAMES = 4  # replies that remember in which frame something was said back


@dataclass
class Page:
    """slots: what the variants of a template are filled with. fit: how well authored sentences answer
    what was said; more is better."""

    brief: Brief
    replies: Replies
    slots: dict[str, str]
    fit: Mapping[str, float]
    out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        brief = self.brief
        replies = [text for role, text in brief["history"] if role == "assistant"]
        self.said = {*brief["said"], *(one for text in replies for one in sentences(text))}
        near = [one for text in replies[-_NEAR:] for one in sentences(text)]
        self.openings = {_opening(one) for one in [*near, *brief["said"][-1:]]}
        self.starts = {_opening(text) for text in replies}
        self.last = replies[-1] if replies else ""
        self.left = brief["plan"]["words"]
        self.asked = not brief["plan"]["ask"]
        self.echo: set[str] = set()

    def order(self, slot: str, count: int) -> list[int]:
        """A shuffle of range(count) that depends only on seed, turn, slot and message."""
        brief = self.brief
        return shuffled(f"{brief['seed']}:{len(brief['history'])}:{slot}:{brief['text']}", count)

    def ranked(self, slot: str, group: Sequence[str]) -> list[int]:
        """The order in which the sentences of a group are tried: what fits best, then as the seed has it."""
        order = self.order(slot, len(group))
        if not all(text in self.fit for text in group):
            return order
        best = max((self.fit[text] for text in group), default=0.0)
        return sorted(order, key=lambda at: int((best - self.fit[group[at]]) / _BAND))

    def say(self, slot: str, groups: Sequence[Sequence[str]]) -> bool:
        """Add one fresh variant, earlier groups first; at first one that echoes nothing, then any."""
        for strict in (True, False):
            for group in groups:
                for at in self.ranked(slot, group):
                    if self.add(group[at], strict=strict):
                        return True
        return False

    def add(self, template: str, *, strict: bool) -> bool:
        """Add the sentences of one variant, if it is fresh, fits the budget and may ask what it asks."""
        try:
            lines = sentences(Template(template).substitute(self.slots))
        except KeyError:
            return False
        openings = {_opening(line) for line in lines}
        words = sum(len(line.split()) for line in lines)
        asks = sum(line.endswith("?") for line in lines)
        if words > self.left or asks > (0 if self.asked else 1) or self.said & self.alike(template):
            return False
        if (not self.out and _opening(lines[0]) in self.starts) or _ONCE in self.openings & openings:
            return False
        echo = set(re.findall(r"[a-z']{4,}", template.lower())) & self.replies.echoes
        hard = self.brief["person"].get("plain") and any(_hard(line) for line in lines)
        if strict and (hard or echo & self.echo or self.openings & openings):
            return False
        if strict and self.worn(template):
            return False
        self.out += lines
        self.said.update(lines)
        self.openings |= openings
        self.echo |= echo
        self.left -= words
        self.asked = self.asked or asks > 0
        return True

    def alike(self, template: str) -> set[str]:
        """The sentences of a variant, whomever the person speaks of."""
        whom = _WHOM if "$them" in template or "$their" in template else ({},)
        return {line for one in whom for line in sentences(Template(template).substitute(self.slots | one))}

    def worn(self, template: str) -> bool:
        """Whether one of the last replies opened in the frame ("So ...") in which this one would say back."""
        frame, slot, _ = template.partition("$")
        lately = [text for role, text in self.brief["history"] if role == "assistant"][-_FRAMES:]
        bare = ("You ", "You'", "Your ")
        return bool(slot) and not self.out and any(text.startswith(frame or bare) for text in lately)


def _opening(text: str) -> str:
    return " ".join(re.findall(r"[\w'’]+", text.lower())[:3])


def _hard(line: str) -> bool:
    """Whether a sentence is more than somebody who asked for simple words should be given."""
    words = re.findall(r"[^\W_]+", line)
    return len(words) > _PLAIN or any(len(word) > _PLAIN_WORD for word in words)
