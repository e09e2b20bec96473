"""Figures of a classifier that gives probabilities: accuracy, F1, calibration, with intervals.

Knows nothing of what the labels mean. `agent.train.heads` uses it.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import TypedDict

import numpy as np
from numpy.typing import NDArray

__all__ = ["SEED", "Figures", "error_table", "figures", "probabilities"]

SEED, DRAWS, BINS = 20261120, 1000, 15
Vector = NDArray[np.float32]


class Figures(TypedDict, total=False):
    """Shares, 0..1; a `_95` is the interval of its namesake over 1,000 bootstrap draws of lines.

    n: lines. top3: the label is among the three likeliest. ece: expected calibration error, 15 bins
    of equal width (Guo et al., ICML 2017). sure: share of lines one is sure of, sure_right: how
    many of those are right. classes: see `error_table`.
    """

    n: int
    accuracy: float
    accuracy_95: list[float]
    macro_f1: float
    macro_f1_95: list[float]
    weighted_f1: float
    top3: float
    top3_95: list[float]
    ece: float
    sure: float
    sure_right: float
    sure_right_95: list[float]
    classes: dict[str, dict[str, float | str]]


def probabilities(logits: Vector, temperature: float) -> Vector:
    """Softmax of logits (n, k) over the temperature, row by row."""
    scaled = logits / temperature
    likely = np.exp(scaled - scaled.max(axis=1, keepdims=True))
    result: Vector = likely / likely.sum(axis=1, keepdims=True)
    return result


def figures(
    likely: Vector, labels: NDArray[np.str_], names: Sequence[str], sure: NDArray[np.bool_] | None
) -> Figures:
    """Figures of probabilities (n, k) against n labels; `sure` marks the lines one is sure of."""
    truth = np.array([names.index(label) for label in labels])
    guess, top = likely.argmax(axis=1), likely.max(axis=1)
    right = guess == truth
    found = (np.argsort(-likely, axis=1)[:, :3] == truth[:, None]).any(axis=1)
    support = np.bincount(truth, minlength=len(names))

    def macro(take: NDArray[np.int64]) -> float:
        f1, seen = _f1(truth[take], guess[take], len(names))
        return float(f1[seen].mean())

    out: Figures = {
        "n": len(truth),
        "accuracy": _round(right.mean()),
        "accuracy_95": _interval(len(truth), lambda take: right[take].mean()),
        "macro_f1": _round(macro(np.arange(len(truth)))),
        "macro_f1_95": _interval(len(truth), macro),
        "weighted_f1": _round((_f1(truth, guess, len(names))[0] * support).sum() / support.sum()),
        "top3": _round(found.mean()),
        "top3_95": _interval(len(truth), lambda take: found[take].mean()),
        "ece": _round(_calibration_error(top, right)),
    }
    if sure is not None and sure.any():
        held = right[sure]
        out |= {
            "sure": _round(sure.mean()),
            "sure_right": _round(held.mean()),
            "sure_right_95": _interval(len(held), lambda take: held[take].mean()),
        }
    return out


def error_table(
    likely: Vector, labels: NDArray[np.str_], names: Sequence[str]
) -> dict[str, dict[str, float | str]]:
    """By label: n, precision, recall, and the label it is most often taken for."""
    guess = np.array(names)[likely.argmax(axis=1)]
    table: dict[str, dict[str, float | str]] = {}
    for name in names:
        mine, said = labels == name, guess == name
        both = int((mine & said).sum())
        wrong = Counter(str(other) for other in guess[mine & ~said]).most_common(1)
        table[name] = {
            "n": int(mine.sum()),
            "precision": _round(both / max(1, said.sum())),
            "recall": _round(both / max(1, mine.sum())),
            "taken_for": wrong[0][0] if wrong else "",
        }
    return table


def _f1(
    truth: NDArray[np.int64], guess: NDArray[np.int64], count: int
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """F1 by class and whether the class occurs at all, in truth or guess."""
    both = np.bincount(truth[truth == guess], minlength=count)
    total = np.bincount(truth, minlength=count) + np.bincount(guess, minlength=count)
    return 2 * both / np.maximum(1, total), total > 0


def _calibration_error(top: Vector, right: NDArray[np.bool_]) -> float:
    bins = np.minimum((top * BINS).astype(int), BINS - 1)
    gaps = [abs(top[bins == b].sum() - right[bins == b].sum()) for b in range(BINS)]
    return float(np.sum(gaps) / len(top))


def _interval(count: int, measure: Callable[[NDArray[np.int64]], float]) -> list[float]:
    rng = np.random.default_rng(SEED)
    drawn = [measure(rng.integers(0, count, count)) for _ in range(DRAWS)]
    return [_round(q) for q in np.percentile(drawn, [2.5, 97.5])]


def _round(value: float) -> float:
    return round(float(value), 4)
