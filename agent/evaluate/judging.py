"""Two language models as second readers of replies, and how far they agree. Nothing is decided by it.

Each is asked yes-or-no questions about a message and its reply (judging.yaml); what is neither is no answer.
Cohen's kappa = (p - e) / (1 - e), p being how often both say the same and e how often they would by chance,
over what both answered. A judge is any function from a prompt to a text. Reports hold figures only.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import Any

from agent.evaluate.metrics import wilson
from agent.evaluate.turns import Turn
from agent.words import Strict, load

__all__ = ["Judge", "judged", "kappa", "load_questions"]

Judge = Callable[[str], str]


class Judging(Strict):
    """The file judging.yaml."""

    advisory: str
    ask: str
    questions: dict[str, str]


@cache
def load_questions() -> Judging:
    """The questions, read once."""
    return load("judging.yaml", Judging, Path(__file__).parent)


def judged(turns: Sequence[Turn], judges: Mapping[str, Judge]) -> dict[str, Any]:
    """The report of two judges by name. Every question is asked of both about every turn."""
    one, other = judges
    rows = []
    for name, question in load_questions().questions.items():
        said = {who: [_answer(ask, turn, question) for turn in turns] for who, ask in judges.items()}
        both = [
            (a, b) for a, b in zip(said[one], said[other], strict=True) if a is not None and b is not None
        ]
        row: dict[str, Any] = {"view": name, "both answered": wilson(len(both), len(turns))}
        for who, answers in said.items():
            told = [answer for answer in answers if answer is not None]
            row[f"yes by {who}"] = wilson(sum(told), len(told))
        agreed = kappa([a for a, _ in both], [b for _, b in both])
        rows.append({**row, **({} if agreed is None else {"kappa": agreed})})
    return {"task": "judge", "advisory": load_questions().advisory, "judges": [one, other], "rows": rows}


def _answer(ask: Judge, turn: Turn, question: str) -> bool | None:
    prompt = Template(load_questions().ask).substitute(heard=turn.heard, said=turn.said, question=question)
    found = re.match(r"\W*(yes|no)\b", ask(prompt), re.IGNORECASE)
    return None if found is None else found[1].lower() == "yes"


def kappa(one: Sequence[bool], other: Sequence[bool]) -> float | None:
    """Cohen's; None where there is nothing to agree on, since both only ever gave the same one answer."""
    if not one:
        return None
    same = sum(a == b for a, b in zip(one, other, strict=True)) / len(one)
    yes, also = sum(one) / len(one), sum(other) / len(other)
    chance = yes * also + (1 - yes) * (1 - also)
    return None if chance == 1 else round((same - chance) / (1 - chance), 4)
