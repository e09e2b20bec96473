"""Which of the ideas that similar answers suggest is put to the person.

Each idea that suits the theme is weighed by how near the answers are that suggest it, how well it suits,
whether it can be begun at once, whether it fits the feeling that was heard, and how new its means are against
what was offered before (as in maximal marginal relevance). The data is agent/words/offering.yaml. It reads
no text of an answer, words nothing, and does not know when an idea is due: the plan does.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import cache

from agent.brief import Passage
from agent.words import Strict, load

__all__ = ["Offering", "choose", "load_offering"]

# An idea that every near answer suggests gains about as much as the best place among those that suit.
SUITS, LIGHT, FELT, SAME = 0.3, 0.1, 0.1, 0.25
FADES = 0.5  # of the answer after the nearest, and so on: the nearest says most


class Offering(Strict):
    """agent/words/offering.yaml; see its comments."""

    reviewed_by: str | None
    kinds: dict[str, tuple[str, ...]]
    feelings: dict[str, tuple[str, ...]]
    light: tuple[str, ...]


@cache
def load_offering() -> Offering:
    """The data. Raises WordsError when the file breaks its schema."""
    return load("offering.yaml", Offering)


def choose(passages: Sequence[Passage], suits: Sequence[str], *, used: Collection[str], family: str) -> str:
    """The best idea of `suits` (best first) that a passage suggests; "" when none does.

    passages: best first. used: ideas offered before, whose means are less welcome; family: of the feeling.
    """
    said = _said(passages)
    means = {name: kind for kind, names in load_offering().kinds.items() for name in names}
    before = {means[name] for name in used if name in means}
    worth = {
        name: said[name]
        + SUITS * (1 - place / len(suits))
        + LIGHT * (name in load_offering().light)
        + FELT * (means.get(name) in load_offering().feelings.get(family, ()))
        - SAME * (means.get(name) in before)
        for place, name in enumerate(suits)
        if name in said and name not in used
    }
    return max(worth, key=lambda name: worth[name], default="")


def _said(passages: Sequence[Passage]) -> Mapping[str, float]:
    """How much the passages speak for each technique they suggest."""
    said: dict[str, float] = {}
    for place, passage in enumerate(passages):
        for name in passage["techniques"]:
            said[name] = said.get(name, 0.0) + FADES**place * passage["score"]
    return said
