"""How a training run goes: the recipes, and the fixed list of batches that follows from one.

Everything depends on the recipe's seed alone, so that a run can be cut off and go on. Knows nothing of
models or labels.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.train.labels import HEADS

__all__ = [
    "Recipe",
    "danger_recipe",
    "default_recipe",
    "further_recipes",
    "permissive_recipe",
    "schedule",
]


@dataclass(frozen=True)
class Recipe:
    """How a run goes; written beside its weights.

    passes: how often a set is read in all, by source. heads: weight of each head's loss; heads that are not
    named are not learned. everyday: everyday texts count as without danger (`agent.train.calm`). typed:
    share of texts that are read as people type them in a hurry (`agent.train.keystrokes`). rate: of the top
    layer, lower ones get `decay` times the one above; head_rate: of the linear layers. frozen: how many of
    the lowest layers (and always the word vectors) stay as published. rounds: how many equal parts the run
    is cut into, with a validation after each.
    """

    passes: Mapping[str, float]
    heads: Mapping[str, float] = field(
        default_factory=lambda: {
            **{name: 1.0 for name in HEADS if name != "telling"},  # left to the second encoder
            "next_intent": 0.5,
            "depression_cause": 0.7,
            "danger_kind": 0.5,
            "danger_subject": 0.5,
        }
    )
    everyday: bool = False
    typed: float = 0.0
    rate: float = 3e-4
    decay: float = 0.85
    head_rate: float = 1e-3
    frozen: int = 2
    tokens: int = 112  # of one text; the rest is not read in training
    batch: int = 32
    batch_tokens: int = 2048
    rounds: int = 3
    average: float = 0.999  # of the weights that are kept (Polyak averaging)
    seed: int = 20261125


def default_recipe() -> Recipe:
    """What the shipped encoder is made with: some 70 minutes on two old cores."""
    return Recipe(
        passes={
            "situations": 2.6,
            "intents": 2.6,
            "conversations": 0.7,
            "turns": 1.0,
            "films": 3.0,
            "film answers": 2.0,
            "support talks": 0.4,
            "dreaddit": 1.4,
            "irf": 2.0,
            "multiwd": 2.0,
            "cams": 1.5,
            "sad": 2.5,
            "dr": 1.4,
            "cssrs": 2.0,
            "wants": 5.0,
            "dangers": 3.0,
        }
    )


def further_recipes() -> tuple[Recipe, ...]:
    """Further runs, each on the weights before it: what was badly learned, danger, all of it again."""
    return (
        Recipe(
            passes={
                "situations": 1.0,
                "intents": 1.0,
                "conversations": 0.3,
                "turns": 0.3,
                "films": 1.0,
                "film answers": 1.0,
                "support talks": 0.3,
                "sad": 3.0,
                "cssrs": 1.0,
                "wants": 1.0,
            },
            rate=2e-4,
            rounds=1,
        ),
        Recipe(
            passes={
                "situations": 0.6,
                "intents": 0.6,
                "conversations": 0.15,
                "turns": 0.15,
                "films": 0.5,
                "film answers": 0.5,
                "support talks": 0.15,
                "dreaddit": 0.3,
                "irf": 0.5,
                "multiwd": 0.5,
                "cams": 0.4,
                "sad": 1.0,
                "dr": 0.3,
                "cssrs": 0.5,
                "wants": 2.0,
                "dangers": 3.0,
            },
            heads={**Recipe(passes={}).heads, "danger": 1.5},
            rate=2e-4,
            rounds=1,
        ),
        Recipe(
            passes={
                "situations": 0.5,
                "intents": 0.7,
                "conversations": 0.2,
                "turns": 0.1,
                "films": 0.4,
                "film answers": 0.5,
                "support talks": 0.15,
                "dreaddit": 0.3,
                "irf": 1.5,
                "multiwd": 1.5,
                "cams": 0.7,
                "sad": 0.7,
                "dr": 0.4,
                "cssrs": 1.0,
                "wants": 1.0,
                "dangers": 1.0,
            },
            rate=1.5e-4,
            rounds=1,
        ),
    )


def danger_recipe() -> Recipe:
    """The second encoder, of danger and of what a message does: some three quarters of an hour on two newer
    cores."""
    everyday = ("situations", "conversations", "turns", "support talks", "sad")
    return Recipe(
        passes=dict.fromkeys(("dangers", "oblique", "ordinary", "grave", "wants", "cssrs", *everyday), 3.5),
        heads={"danger": 1.5, "danger_kind": 0.5, "danger_subject": 0.5, "cssrs": 0.5, "telling": 0.7},
        everyday=True,
        typed=0.5,
        rate=4e-4,
        decay=0.9,
        frozen=0,
        batch=48,
        batch_tokens=4096,
        rounds=2,
        average=0.998,
        seed=20261127,
    )


def permissive_recipe() -> Recipe:
    """Only sets whose licence allows general use; some fifteen minutes."""
    return Recipe(
        passes={
            "films": 1.5,
            "film answers": 2.0,
            "comments": 0.7,
            "dreaddit": 0.5,
            "sad": 1.5,
            "wants": 3.0,
            "dangers": 0.8,
        }
    )


def schedule(sizes: Sequence[int], sources: Sequence[str], recipe: Recipe) -> list[list[list[int]]]:
    """Rounds of batches of indexes: the whole run, the same for the same arguments.

    sizes: tokens of each text. A batch holds texts of like length, at most `batch` of them and at
    most `batch_tokens` tokens with padding.
    """
    rng = random.Random(recipe.seed)  # noqa: S311 - not for secrets
    rounds: list[list[int]] = [[] for _ in range(recipe.rounds)]
    for source in sorted(set(sources)):
        mine = [i for i, name in enumerate(sources) if name == source]
        wanted = round(recipe.passes.get(source, 0.0) * len(mine))
        line: list[int] = []
        while len(line) < wanted:
            rng.shuffle(mine)
            line += mine[: wanted - len(line)]
        for number in range(recipe.rounds):
            rounds[number] += line[wanted * number // recipe.rounds : wanted * (number + 1) // recipe.rounds]
    return [_batches(part, sizes, recipe, rng) for part in rounds]


def _batches(part: list[int], sizes: Sequence[int], recipe: Recipe, rng: random.Random) -> list[list[int]]:
    rng.shuffle(part)
    batches: list[list[int]] = []
    for start in range(0, len(part), recipe.batch * 64):
        batch: list[int] = []
        for i in sorted(part[start : start + recipe.batch * 64], key=lambda i: sizes[i]):
            if batch and (len(batch) == recipe.batch or (len(batch) + 1) * sizes[i] > recipe.batch_tokens):
                batches.append(batch)
                batch = []
            batch.append(i)
        batches.append(batch)
    rng.shuffle(batches)
    return batches
