"""Fits the wide half of the reading model: a logistic regression a head on tokens and pairs of tokens.

Each text counts once, whatever the recipe reads it for. Knows nothing of the encoder but its tokens; the
shares in which the two are mixed are found by `agent.train.ship`.
"""

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from agent.reading.ngrams import NGrams, Table, grams
from agent.train.data import Example
from agent.train.model import Layout, say, tokenised

__all__ = ["fit"]

TOKENS = 256  # of a text
TEXTS = 30_000  # of one head, the shortest: there a pair of words says most, and a fit takes a minute
MET = 2  # texts that must hold a token or pair before it counts
STRENGTH = 4.0  # inverse of the pull towards zero; 1 to 20 differ by noise on the tuning texts
NEVER = 4.0  # how far a label that no text has stands below the rarest
MOST = 24_000  # tokens and pairs a head keeps, those with the largest weights
Rows = NDArray[np.float64]


def fit(training: Sequence[Example], layout: Layout, source: Path) -> NGrams:
    """The tables of every head, with no share yet."""
    ids = [line[1:-1] for line in tokenised([e.text for e in training], source, TOKENS)]
    keys = [grams(line) for line in ids]
    tables = []
    for head, place in layout.slices().items():
        mine = [i for i, example in enumerate(training) if head in example.targets]
        mine = sorted(sorted(mine, key=lambda i: len(ids[i]))[:TEXTS])
        targets = [training[i].targets[head] for i in mine]
        tables.append(_table([keys[i] for i in mine], targets, layout.heads[head], place, head == "facets"))
        say(f"{head}: {len(tables[-1].keys):,} words and pairs from {len(mine):,} texts")
    return NGrams(tuple(tables), np.zeros(layout.outputs, dtype=np.float32))


def _table(
    texts: Sequence[NDArray[np.uint32]],
    targets: Sequence[Mapping[str, float]],
    labels: Sequence[str],
    place: slice,
    facets: bool,
) -> Table:
    known, counts = np.unique(np.concatenate(texts), return_counts=True)
    known, counts = known[counts >= MET], counts[counts >= MET]
    rare = (np.log((1 + len(texts)) / (1 + counts)) + 1) / (np.log(1 + len(texts)) + 1)
    x = _matrix(texts, known, rare)
    weight, bias = np.zeros((len(labels), len(known))), np.zeros(len(labels))
    if facets:
        for column, label in enumerate(labels):
            rows = [i for i, target in enumerate(targets) if label in target]
            yes = np.array([targets[i][label] > 0.5 for i in rows])
            if len(set(yes)) == 2:
                found = LogisticRegression(C=STRENGTH, max_iter=300).fit(x[rows], yes)
                weight[column], bias[column] = found.coef_[0], found.intercept_[0]
    else:
        _choice(x, targets, labels, weight, bias)
    scale = np.maximum(np.abs(weight * rare).max(axis=1), 1e-9) / 127
    steps = np.round(weight * rare / scale[:, None]).astype(np.int8).T
    kept = np.sort(np.argsort(-np.abs(steps).max(axis=1), kind="stable")[:MOST])
    return Table(
        place,
        known[kept],
        np.ascontiguousarray(steps[kept]),
        scale.astype(np.float32),
        bias.astype(np.float32),
    )


def _matrix(texts: Sequence[NDArray[np.uint32]], known: NDArray[np.uint32], rare: Rows) -> csr_matrix:
    """(texts, known): how rare each key is that a text holds, over the root of how many it holds in all."""
    data, columns, ends = [], [], [0]
    for keys in texts:
        at = np.minimum(np.searchsorted(known, keys), len(known) - 1)
        met = at[known[at] == keys]
        data.append(rare[met] / np.sqrt(max(1, len(keys))))
        columns.append(met)
        ends.append(ends[-1] + len(met))
    return csr_matrix((np.concatenate(data), np.concatenate(columns), ends), shape=(len(texts), len(known)))


def _choice(
    x: csr_matrix, targets: Sequence[Mapping[str, float]], labels: Sequence[str], weight: Rows, bias: Rows
) -> None:
    """Shares of several annotators are so many weighted texts."""
    told = [
        (row, labels.index(name), share)
        for row, target in enumerate(targets)
        for name, share in target.items()
    ]
    rows, truth, shares = map(np.array, zip(*told, strict=True))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # it is meant to stop early
        found = LogisticRegression(C=STRENGTH, max_iter=50).fit(x[rows], truth, sample_weight=shares)
    classes = found.classes_
    coefficients, intercepts = found.coef_, found.intercept_
    if len(classes) == 2:  # one row tells both
        coefficients, intercepts = (np.concatenate([-part, part]) / 2 for part in (coefficients, intercepts))
    weight[classes], bias[classes] = coefficients, intercepts
    bias[[i for i in range(len(labels)) if i not in classes]] = intercepts.min() - NEVER
