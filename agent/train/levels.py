"""How strong replies to learn from are in EPITOME's three mechanisms, by the scorers of evaluation.

The scorers read short English replies and are right in some three of four (agent/evaluate/scorers); what
they say is a hint to learn a token by, and no truth about a reply. Knows nothing of models that are tuned.
"""

import re
from collections.abc import Callable, Iterable, Mapping

from agent.evaluate.scoring import MECHANISMS
from agent.reading.spanish import is_spanish
from agent.train.dialogue_sources import Example

__all__ = ["Score", "label"]

Score = Callable[[str, str], Mapping[str, Iterable[float]]]
"""(message, reply) -> probability of each level, by mechanism."""


def label(examples: Iterable[Example], score: Score, progress: Callable[[int], object] | None = None) -> None:
    """Write the likeliest level of each mechanism beside every English reply; tasks have none."""
    for number, one in enumerate(examples, 1):
        said = one["messages"][-1]["content"]
        if one["kind"] == "reply" and not is_spanish(re.findall(r"\w+", said.lower())):
            heard = next(m["content"] for m in reversed(one["messages"]) if m["role"] == "user")
            told = score(heard, said)
            one["levels"] = {name: _likeliest(told[name]) for name in MECHANISMS}
        if progress:
            progress(number)


def _likeliest(likely: Iterable[float]) -> int:
    shares = [float(one) for one in likely]
    return shares.index(max(shares))
