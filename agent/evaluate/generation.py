"""Figures of replies beside those people gave: ROUGE, BLEU, variety, and how well a model foresees them.

ROUGE is rouge-score's F of stems, as published comparisons count it; BLEU sacrebleu's, of all texts together,
from 0 to 100, with its signature. Variety is the share of different
n-grams among all that were said. Intervals are bootstrapped over items, of a difference over pairs. It judges
likeness, not whether a reply is kind, true or safe. Knows no model.
"""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from agent.errors import DataError
from agent.evaluate.metrics import SEED

__all__ = ["bleu", "compared", "distinct", "item_scores", "measured", "perplexity", "rouge"]

DRAWS = 1000
BLEU_DRAWS = 200  # each counts all n-grams anew
ROUGES = ("rouge1", "rouge2", "rougeL")
Score = Callable[[Sequence[str], Sequence[str]], Sequence[float]]
"""(what was said, what was wanted) -> a score of each pair; where weights for one are at hand."""


def rouge(said: Sequence[str], wanted: Sequence[str]) -> dict[str, list[float]]:
    """ROUGE-1, -2 and -L (F) of each pair."""
    try:
        from rouge_score.rouge_scorer import RougeScorer  # noqa: PLC0415
    except ImportError as error:
        raise DataError("ROUGE needs rouge-score: pip install 'hearken[train]'.") from error
    scorer = RougeScorer(list(ROUGES), use_stemmer=True)
    scored = [scorer.score(right, one) for one, right in zip(said, wanted, strict=True)]
    return {name: [float(one[name].fmeasure) for one in scored] for name in ROUGES}


def bleu(said: Sequence[str], wanted: Sequence[str]) -> dict[str, Any]:
    """BLEU of the corpus with an interval of resampled items, and what it was counted by."""
    try:
        from sacrebleu.metrics import BLEU  # noqa: PLC0415
    except ImportError as error:
        raise DataError("BLEU needs sacrebleu: pip install 'hearken[train]'.") from error
    metric = BLEU()
    point = float(metric.corpus_score(list(said), [list(wanted)]).score)
    rng, places = np.random.default_rng(SEED), range(len(said))
    drawn = [
        float(metric.corpus_score([said[i] for i in rows], [[wanted[i] for i in rows]]).score)
        for rows in (rng.choice(places, len(said)) for _ in range(BLEU_DRAWS))
    ]
    low, high = np.quantile(drawn, (0.025, 0.975))
    told = {"bleu": round(point, 3), "bleu_95": [round(float(low), 3), round(float(high), 3)]}
    return {**told, "bleu signature": str(metric.get_signature())}


def distinct(said: Sequence[str], n: int) -> float:
    """Different n-grams among all n-grams of all texts; 0 where there are none."""
    grams: list[tuple[str, ...]] = []
    for text in said:
        words = re.findall(r"\w+", text.lower())
        grams += zip(*(words[at:] for at in range(n)), strict=False)
    return len(set(grams)) / len(grams) if grams else 0.0


def perplexity(losses: Sequence[float], tokens: Sequence[int]) -> float:
    """Of all tokens together: losses are sums of nats over each reply."""
    return math.exp(sum(losses) / max(1, sum(tokens)))


def item_scores(
    said: Sequence[str], wanted: Sequence[str], more: Mapping[str, Score] | None = None
) -> dict[str, list[float]]:
    """What each pair scores, by figure: what two systems are compared by, item by item."""
    if not said:
        raise DataError("There is nothing to measure: no reply was given.")
    scored = {name: list(score(said, wanted)) for name, score in (more or {}).items()}
    return {**rouge(said, wanted), **scored}


def measured(
    said: Sequence[str],
    wanted: Sequence[str],
    more: Mapping[str, Score] | None = None,
    *,
    scores: Mapping[str, Sequence[float]] | None = None,
) -> dict[str, Any]:
    """Every figure of texts against those wanted; `_95` beside a mean is its interval.

    scores: `item_scores` of them, where they are known already.
    """
    scores = item_scores(said, wanted, more) if scores is None else scores
    told: dict[str, Any] = {"n": len(said)}
    for name, values in scores.items():
        told[name] = round(float(np.mean(values)), 4)
        told[f"{name}_95"] = _interval(values)
    told |= bleu(said, wanted)
    told |= {f"distinct_{n}": round(distinct(said, n), 4) for n in (1, 2)}
    told["distinct_2 of those wanted"] = round(distinct(wanted, 2), 4)
    told["words"] = round(float(np.mean([len(text.split()) for text in said])), 1)
    told["empty"] = sum(not text.strip() for text in said)
    told["said more than once"] = len(said) - len(set(said))
    return told


def compared(one: Sequence[float], other: Sequence[float]) -> dict[str, Any]:
    """How much more `one` has than `other` on the same items, with its interval; sure when 0 is outside."""
    differences = np.asarray(one, dtype=float) - np.asarray(other, dtype=float)
    low, high = _interval(differences.tolist())
    return {"more": round(float(differences.mean()), 4), "more_95": [low, high], "sure": low > 0 or high < 0}


def _interval(values: Sequence[float]) -> list[float]:
    array, rng = np.asarray(values, dtype=float), np.random.default_rng(SEED)
    means = array[rng.integers(0, len(array), (DRAWS, len(array)))].mean(axis=1)
    return [round(float(one), 4) for one in np.quantile(means, (0.025, 0.975))]
