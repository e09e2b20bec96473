"""Figures of a reading that gives probabilities: F1, calibration, ranking, rates, each with its interval.

Intervals of F1, accuracy and areas are bootstrapped over groups of lines (a post asked about twice, a
person, a conversation), those of rates are Wilson's. Knows nothing of what the labels mean.
"""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

__all__ = ["SEED", "Class", "Figures", "Share", "figures", "wilson", "yes_no"]

SEED, DRAWS, BINS, CHANCES = 20261120, 1000, 15, 200
ROOM = 2_000_000  # line weights held at once while bootstrapping
Z = 1.959964  # of a 95 % interval

Vector = NDArray[np.floating[Any]]
Flags = NDArray[np.bool_]
Indexes = NDArray[np.int64]


class Share(TypedDict):
    """hits of n, and the share with its 95 % Wilson interval; None where there was nothing to hit."""

    hits: int
    n: int
    share: float | None
    share_95: list[float]


class Class(TypedDict):
    """One label: n lines have it. taken_for: the label it is most often mistaken for, or ""."""

    n: int
    precision: float
    recall: float
    f1: float
    taken_for: str


class Figures(TypedDict, total=False):
    """Shares, 0..1; a `_95` is the interval of its namesake over 1,000 bootstrap draws.

    n: lines. majority_: what always answering the commonest label would reach. top3: the label is
    among the three likeliest (of more than three). ece: expected calibration error of the first
    answer, 15 bins of equal width (Guo et al., ICML 2017); ece_by_chance: what an answer that is right
    exactly as often as it says would show on so few lines, mean of 200 drawings. sure: share of lines
    one is sure of, sure_right: how many of those are right. classes: by label. Of yes-or-no tasks also:
    auroc, average_precision, sensitivity (of those that are so), false_alarms (of those that are not).
    """

    n: int
    weighted_f1: float
    weighted_f1_95: list[float]
    accuracy: float
    accuracy_95: list[float]
    macro_f1: float
    macro_f1_95: list[float]
    majority_accuracy: float
    majority_macro_f1: float
    top3: float
    top3_95: list[float]
    ece: float
    ece_by_chance: float
    sure: float
    sure_right: float
    sure_right_95: list[float]
    auroc: float
    auroc_95: list[float]
    average_precision: float
    average_precision_95: list[float]
    bar: float
    sensitivity: Share
    false_alarms: Share
    classes: dict[str, Class]


def figures(
    likely: Vector,
    labels: Iterable[str],
    names: Sequence[str],
    sure: Flags | None = None,
    groups: Sequence[str] | None = None,
) -> Figures:
    """Figures of probabilities (n, k) of the k names against n labels.

    Among equals the first name is the answer. sure: the lines one is sure of. groups: what is drawn
    together, one a line; without them each line by itself.
    """
    truth = np.array([names.index(label) for label in labels], dtype=np.int64)
    guess, top = likely.argmax(axis=1), likely.max(axis=1)
    right = guess == truth
    near = (np.argsort(-likely, axis=1, kind="stable")[:, :3] == truth[:, None]).any(axis=1)
    cells = truth * len(names) + guess
    point = _of_cells(_tables(cells, np.ones((1, len(truth))), len(names)))
    drawn: dict[str, list[Vector]] = {}
    for weights in _draws(groups or range(len(truth))):
        measured = _of_cells(_tables(cells, weights, len(names)))
        measured["top3"] = weights @ near / weights.sum(axis=1)
        if sure is not None and sure.any():
            measured["sure_right"] = weights @ (sure & right) / np.maximum(1, weights @ sure)
        for name, values in measured.items():
            drawn.setdefault(name, []).append(values)
    out: Figures = {"n": len(truth)}
    for name in ("weighted_f1", "accuracy", "macro_f1"):
        _put(out, name, point[name][0], drawn[name])
    out |= _majority(truth, len(names))
    if len(names) > 3:
        _put(out, "top3", near.mean(), drawn["top3"])
    _put_calibration(out, top, right)
    if sure is not None:
        out["sure"] = _round(sure.mean())
        if sure.any():
            _put(out, "sure_right", right[sure].mean(), drawn["sure_right"])
    out["classes"] = _classes(truth, guess, names)
    return out


def yes_no(
    p: Vector,
    so: Flags,
    bar: float,
    names: tuple[str, str] = ("yes", "no"),
    groups: Sequence[str] | None = None,
) -> Figures:
    """Figures of n probabilities that something is so; it is said to be from `bar` on.

    names: of what is so and what is not. Ranking figures are left out when all lines are of one kind.
    """
    said = p >= bar  # the answer; its confidence is the probability itself
    likely = np.stack([said, ~said], axis=1).astype(float)
    out = figures(likely, [names[0] if one else names[1] for one in so], names, groups=groups)
    _put_calibration(out, np.where(said, p, 1 - p), said == so)
    out["bar"] = bar
    out["sensitivity"] = wilson(int((said & so).sum()), int(so.sum()))
    out["false_alarms"] = wilson(int((said & ~so).sum()), int((~so).sum()))
    if so.any() and not so.all():
        areas = [_areas(p, so, weights) for weights in _draws(groups or range(len(so)))]
        for place, name in enumerate(("auroc", "average_precision")):
            point = _areas(p, so, np.ones((1, len(so))))[place][0]
            _put(out, name, point, [found[place] for found in areas])
    return out


def wilson(hits: int, n: int) -> Share:
    """A share with its 95 % interval (Wilson, 1927), which holds for few cases and near 0 and 1."""
    if not n:
        return {"hits": 0, "n": 0, "share": None, "share_95": []}
    share = hits / n
    middle = (share + Z * Z / (2 * n)) / (1 + Z * Z / n)
    half = Z / (1 + Z * Z / n) * math.sqrt(share * (1 - share) / n + Z * Z / (4 * n * n))
    return {
        "hits": hits,
        "n": n,
        "share": _round(share),
        "share_95": [_round(max(0.0, middle - half)), _round(min(1.0, middle + half))],
    }


def _draws(groups: Sequence[object]) -> Iterator[Vector]:
    """Weights (draws, n), some draws at a time: how often each line is in, whole groups drawn anew."""
    numbers: dict[object, int] = {}
    of_line = np.array([numbers.setdefault(group, len(numbers)) for group in groups], dtype=np.int64)
    count, rng = len(numbers), np.random.default_rng(SEED)
    size = max(1, min(DRAWS, ROOM // len(of_line)))
    for start in range(0, DRAWS, size):
        draws = min(size, DRAWS - start)
        taken = rng.integers(0, count, (draws, count)) + count * np.arange(draws)[:, None]
        often = np.bincount(taken.ravel(), minlength=draws * count).reshape(draws, count)
        yield often[:, of_line].astype(float)


def _tables(cells: Indexes, weights: Vector, k: int) -> Vector:
    """Weights (draws, n) of lines that lie in `cells` -> confusion tables (draws, truth, guess)."""
    draws = len(weights)
    places = cells + k * k * np.arange(draws)[:, None]
    counts: Vector = np.bincount(places.ravel(), weights.ravel(), minlength=draws * k * k).astype(float)
    return counts.reshape(draws, k, k)


def _of_cells(tables: Vector) -> dict[str, Vector]:
    """Accuracy, macro F1 (over labels that occur in truth or answer) and weighted F1 of each table."""
    both, truth, guess = np.diagonal(tables, axis1=1, axis2=2), tables.sum(axis=2), tables.sum(axis=1)
    seen = truth + guess > 0
    f1 = 2 * both / np.maximum(1, truth + guess)
    total = np.maximum(1, truth.sum(axis=1))
    return {
        "accuracy": both.sum(axis=1) / total,
        "macro_f1": (f1 * seen).sum(axis=1) / np.maximum(1, seen.sum(axis=1)),
        "weighted_f1": (f1 * truth).sum(axis=1) / total,
    }


def _majority(truth: Indexes, k: int) -> Figures:
    commonest = np.full_like(truth, np.bincount(truth, minlength=k).argmax())
    measured = _of_cells(_tables(truth * k + commonest, np.ones((1, len(truth))), k))
    return {
        "majority_accuracy": _round(measured["accuracy"][0]),
        "majority_macro_f1": _round(measured["macro_f1"][0]),
    }


def _classes(truth: Indexes, guess: Indexes, names: Sequence[str]) -> dict[str, Class]:
    table: dict[str, Class] = {}
    for place, name in enumerate(names):
        mine, said = truth == place, guess == place
        both = int((mine & said).sum())
        wrong = Counter(guess[mine & ~said].tolist()).most_common(1)
        table[name] = {
            "n": int(mine.sum()),
            "precision": _round(both / max(1, int(said.sum()))),
            "recall": _round(both / max(1, int(mine.sum()))),
            "f1": _round(2 * both / max(1, int(mine.sum() + said.sum()))),
            "taken_for": names[wrong[0][0]] if wrong else "",
        }
    return table


def _areas(p: Vector, so: Flags, weights: Vector) -> tuple[Vector, Vector]:
    """AUROC and average precision for each row of line weights; nan where a draw has one kind only."""
    order = np.argsort(p, kind="stable")
    starts = np.flatnonzero(np.diff(p[order], prepend=-np.inf) > 0)  # equal probabilities are one step
    taken, is_so = weights[:, order], so[order]
    pos = np.add.reduceat(taken * is_so, starts, axis=1)
    neg = np.add.reduceat(taken * ~is_so, starts, axis=1)
    all_pos, all_neg = pos.sum(axis=1), neg.sum(axis=1)
    below = np.cumsum(neg, axis=1) - neg
    caught = np.cumsum(pos[:, ::-1], axis=1)
    alarmed = caught + np.cumsum(neg[:, ::-1], axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        auroc = (pos * (below + neg / 2)).sum(axis=1) / (all_pos * all_neg)
        precision = (pos[:, ::-1] * caught / np.maximum(1, alarmed)).sum(axis=1) / all_pos
    return auroc, precision


def _put_calibration(out: Figures, sure: Vector, right: Flags) -> None:
    out["ece"] = _round(_calibration_error(sure, right))
    rng = np.random.default_rng(SEED)
    drawn = [_calibration_error(sure, rng.random(len(sure)) < sure) for _ in range(CHANCES)]
    out["ece_by_chance"] = _round(float(np.mean(drawn)))


def _calibration_error(top: Vector, right: Flags) -> float:
    bins = np.minimum((top * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, top, minlength=BINS) - np.bincount(bins, right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(top))


def _put(out: Figures, name: str, point: float, drawn: Sequence[Vector]) -> None:
    low, high = np.nanpercentile(np.concatenate(drawn), [2.5, 97.5])
    out |= {name: _round(point), f"{name}_95": [_round(low), _round(high)]}  # type: ignore[misc]


def _round(value: float) -> float:
    return round(float(value), 4)
