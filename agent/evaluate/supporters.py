"""How well the model of human supporters foretells what they did, and finds what they said.

On ESConv's validation conversations, beside what knows nothing of meaning: the commonest strategy, BM25, the
vectors as they were before. Figures and label names only, never a text.
"""

import math
import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.evaluate.metrics import figures
from agent.supporter import (
    STAGES,
    STRATEGIES,
    Nets,
    chances,
    context,
    features,
    load_nets,
    stage_chances,
    unit,
)
from agent.train.talks import Point, answers, esconv, habits, points

__all__ = ["bm25", "measured", "recall", "summary"]

Vector = NDArray[np.float32]
AMONG = 100  # answers of which one is right
PUBLISHED = "31.6 (MISC) to 42.0 (MultiESC)"
K1, B = 1.2, 0.75  # BM25's usual constants


def measured(data: Path, folder: Path, vector: Callable[[str], Vector]) -> dict[str, Any]:
    """Every figure of the model in `folder` on `data`/esconv/valid.jsonl. Raises DataError."""
    nets = load_nets(folder)
    found = [one for talk in esconv(data / "esconv/valid.jsonl") for one in points(talk)]
    report: dict[str, Any] = {
        "published accuracy, %": PUBLISHED,
        **_strategies(found, nets, vector),
        "recall at 1 of 100": recall(list(answers(found)), nets, vector),
    }
    if (annomi := data / "annomi/AnnoMI-simple.csv").exists():
        report["reflections a question, AnnoMI"] = {
            name: round(found_.get("reflection", 0) / max(1, found_.get("question", 0)), 2)
            for name, found_ in habits(annomi).items()
        }
    return report


def _strategies(found: Sequence[Point], nets: Nets, vector: Callable[[str], Vector]) -> dict[str, Any]:
    nexts, _ = chances(nets, np.stack([features(one.moment, vector) for one in found]))
    labels, talks = [one.strategy for one in found], [one.talk for one in found]
    told = figures(nexts.astype(float), labels, STRATEGIES, groups=talks)
    guess = nexts.argmax(axis=1)
    cells: dict[str, dict[str, int]] = {name: dict.fromkeys(STRATEGIES, 0) for name in STRATEGIES}
    for label, at in zip(labels, guess, strict=True):
        cells[label][STRATEGIES[at]] += 1
    opening = [row for row, one in enumerate(found) if one.opens]
    staged = [row for row, one in enumerate(found) if one.strategy != "Others"]
    of = {name: stage for stage, names in STAGES.items() for name in names}
    likely = [stage_chances(dict(zip(STRATEGIES, map(float, nexts[row]), strict=True))) for row in staged]
    stages = np.array([[one[stage] for stage in STAGES] for one in likely])
    return {
        "strategy": told,
        "strategy that opens a reply": figures(
            nexts[opening].astype(float), [labels[row] for row in opening], STRATEGIES
        ),
        "stage": figures(stages, [of[labels[row]] for row in staged], tuple(STAGES)),
        "confusion, truth -> told": cells,
    }


def recall(pairs: Sequence[Point], nets: Nets, vector: Callable[[str], Vector]) -> dict[str, Any]:
    """How often the very answer stands first among it and 99 drawn from the other conversations."""
    draw = random.Random(1)  # noqa: S311 - a sample, no secret
    others = [_others(pairs, row, draw) for row in range(len(pairs))]
    said = np.stack([context(one.moment, vector) for one in pairs])
    plain = np.stack([vector(one.text) for one in pairs])
    fits = unit(said @ nets.asked) - nets.usual
    mapped = unit(plain @ nets.answered)
    lexical = bm25([one.text for one in pairs])
    hits: Counter[str] = Counter()
    for row, rest in enumerate(others):
        rows = np.array([row, *rest])
        scores = {
            "this model": mapped[rows] @ fits[row],
            "untrained vectors": plain[rows] @ said[row, :384],
            "BM25": lexical(pairs[row].moment.said[-1], rows),
        }
        for name, score in scores.items():
            ties = int((score[1:] == score[0]).sum())
            hits[name] += bool(score[0] >= score[1:].max()) / (1 + ties)  # type: ignore[assignment]
    return {"n": len(pairs), **{name: round(count / len(pairs), 4) for name, count in hits.items()}}


def _others(pairs: Sequence[Point], row: int, draw: random.Random) -> list[int]:
    """99 answers of other conversations that say something else."""
    mine, found = pairs[row], list[int]()
    while len(found) < AMONG - 1:
        at = draw.randrange(len(pairs))
        if pairs[at].talk != mine.talk and pairs[at].text.lower() != mine.text.lower() and at not in found:
            found.append(at)
    return found


def bm25(texts: Sequence[str]) -> Callable[[str, NDArray[np.int64]], Vector]:
    """The function (query, rows of `texts`) -> scores of Okapi BM25."""
    bags = [Counter(re.findall(r"[a-z']+", text.lower())) for text in texts]
    held = Counter(word for bag in bags for word in bag)
    mean = sum(sum(bag.values()) for bag in bags) / max(1, len(bags))
    rare = {word: math.log(1 + (len(bags) - n + 0.5) / (n + 0.5)) for word, n in held.items()}

    def scores(query: str, rows: NDArray[np.int64]) -> Vector:
        words = set(re.findall(r"[a-z']+", query.lower()))
        found = np.zeros(len(rows), dtype=np.float32)
        for place, row in enumerate(rows.tolist()):
            bag = bags[row]
            length = K1 * (1 - B + B * sum(bag.values()) / mean)
            found[place] = sum(rare[w] * bag[w] * (K1 + 1) / (bag[w] + length) for w in words if w in bag)
        return found

    return scores


def summary(told: dict[str, Any]) -> str:
    """The figures of a report a person looks for first, a line each."""
    lines = []
    for name in ("strategy", "strategy that opens a reply", "stage"):
        one = told[name]
        low, high = one["accuracy_95"]
        accuracy = f"accuracy {one['accuracy']:.3f} ({low:.3f} to {high:.3f})"
        rest = f"macro F1 {one['macro_f1']:.3f}, commonest {one['majority_accuracy']:.3f}, n {one['n']}"
        lines.append(f"{name}: {accuracy}, {rest}")
    plain = {
        key: value for key, value in told.items() if key not in {"strategy", "strategy that opens a reply"}
    }
    del plain["stage"]
    for name, value in plain.items():
        rows = value.items() if isinstance(value, dict) else [("", value)]
        lines += [f"{name}: {key} {one}".rstrip() for key, one in rows]
    return "\n".join(lines)
