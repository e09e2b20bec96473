"""Fits the scorers of replies: EPITOME's three mechanisms and DiaSafety's unsafe.

Logistic regressions on frozen vectors and hashed words (`agent.evaluate.scoring`), solved by L-BFGS. One post
of EPITOME in five is held back and DiaSafety's own validation part is left alone; the figures are of those,
and what is measured is what is shipped: int8 weights.
"""

import hashlib
import io
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.sparse import csr_matrix

from agent.errors import DataError
from agent.evaluate.metrics import SEED, figures, wilson, yes_no
from agent.evaluate.scoring import (
    BUCKETS,
    MECHANISMS,
    SAFETY,
    Scorer,
    features,
    hashed,
    load_scorers,
)
from agent.reading.encoder import load_encoder
from agent.train.model import say
from agent.train.pairs import LEVELS, SAFE, Pair, apart, by_category, files_of, levels, safety

__all__ = ["train"]

# Published: a bi-encoder of two RoBERTas, accuracy and macro F1 on their own test part of the same posts.
PAPER = {
    "emotional reactions": (0.7943, 0.7446),
    "interpretations": (0.8404, 0.6260),
    "explorations": (0.9261, 0.7258),
}
STRENGTH = 0.1  # inverse of the pull towards zero
STEPS = 150
DEEP, WIDE = 3.0, 8.0  # what vectors and hashed words count, before the fit weighs them
ALARMS = 0.10  # of replies labelled safe, so many lie above the bar
Vectors = Callable[[str], NDArray[np.float32]]


def train(data: Path, out: Path, vector: Vectors | None = None) -> dict[str, Any]:
    """Fit every scorer on the sets below `data`, write scorers.npz and scorers.json into `out`: the card."""
    vector = vector or _remembered(load_encoder().vector)
    arrays: dict[str, NDArray[Any]] = {}
    told: dict[str, Any] = {}
    hashes: dict[str, str] = {}
    for name in (*MECHANISMS, SAFETY):
        files = files_of(data, name)
        hashes |= {
            str(path.relative_to(data)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files
        }
        pairs = safety(files) if name == SAFETY else levels(files[0])
        scorer, told[name] = _fitted(name, pairs, vector, arrays)
        if name == SAFETY:
            told[name]["by_category"] = _categories(files[1], scorer, vector)
    card = _card(told, hashes, apart(data))
    _write(out, arrays, card)
    return card


def _remembered(vector: Vectors) -> Vectors:
    """`vector`, remembering every text; each stands in several files."""
    known_: dict[str, NDArray[np.float32]] = {}

    def again(text: str) -> NDArray[np.float32]:
        if text not in known_:
            known_[text] = vector(text)
            if len(known_) % 1000 == 0:
                say(f"{len(known_):,} texts read")
        return known_[text]

    return again


# --- one scorer ---


def _fitted(
    name: str,
    pairs: Sequence[Pair],
    vector: Vectors,
    arrays: dict[str, NDArray[Any]],
) -> tuple[Scorer, dict[str, Any]]:
    mine, held = [p for p in pairs if not p.held], [p for p in pairs if p.held]
    if not mine or not held or len({p.label for p in mine}) < 2:
        raise DataError(f"{name}: too few rows to fit on and to measure with; give the whole files.")
    classes = SAFE if name == SAFETY else LEVELS
    weight, words, bias = _fit(*_matrices(mine, vector), [p.label for p in mine], len(classes))
    dense, sparse = _steps(weight * DEEP), _steps(words * WIDE)
    arrays |= {f"{name}.bias": bias.astype(np.float32)}
    for part, (steps, scale) in (("dense", dense), ("sparse", sparse)):
        arrays |= {f"{name}.{part}": steps, f"{name}.{part}_scale": scale}
    scorer = Scorer(dense[0] * dense[1][:, None], sparse[0] * sparse[1][:, None], bias.astype(np.float32))
    likely = _scored(held, scorer, vector)
    labels = [p.label for p in held]
    measured = _measured(name, likely, labels, [p.group for p in held])
    say(f"{name}: accuracy {measured['accuracy']}, macro F1 {measured['macro_f1']}")
    return scorer, {
        "classes": list(classes),
        "fitted_on": len(mine),
        "strength": STRENGTH,
        "figures": measured,
    }


def _matrices(pairs: Sequence[Pair], vector: Vectors) -> tuple[NDArray[np.float32], csr_matrix]:
    dense = np.float32(DEEP) * np.stack([features(vector(p.heard), vector(p.said)) for p in pairs])
    words = [hashed(p.said) for p in pairs]
    at = [row for row, one in enumerate(words) for _ in one]
    columns = [bucket for one in words for bucket in one]
    values = np.array([WIDE * value for one in words for value in one.values()], dtype=np.float32)
    return dense, csr_matrix((values, (at, columns)), (len(pairs), BUCKETS))


def _fit(
    dense: NDArray[np.float32], words: csr_matrix, labels: Sequence[int], count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Weights (count, width) of the dense features and of the words, and bias (count,): softmax with L2."""
    truth = np.eye(count, dtype=np.float32)[list(labels)]
    width, backwards = dense.shape[1], words.T.tocsr()

    def parted(flat: NDArray[np.float64]) -> tuple[NDArray[np.float64], ...]:
        every = flat.reshape(count, width + BUCKETS + 1)
        return every[:, :width], every[:, width:-1], every[:, -1]

    def loss(flat: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        deep, wide, bias = (part.astype(np.float32) for part in parted(flat))
        logits = dense @ deep.T + words @ wide.T + bias
        logits -= logits.max(axis=1, keepdims=True)
        likely = np.exp(logits)
        sums = likely.sum(axis=1, keepdims=True)
        lost = float((np.log(sums[:, 0]) - (logits * truth).sum(axis=1)).sum(dtype=np.float64))
        off = likely / sums - truth
        slope = np.hstack([off.T @ dense, (backwards @ off).T, off.sum(axis=0)[:, None]]).astype(np.float64)
        pull = flat.reshape(count, -1) / STRENGTH
        pull[:, -1] = 0
        return lost + float((pull * flat.reshape(count, -1)).sum()) / 2, (slope + pull).ravel()

    start = np.zeros(count * (width + BUCKETS + 1))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": STEPS})
    deep, wide, bias = parted(found.x)
    return deep, wide, bias


def _steps(weight: NDArray[np.float64]) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    scale = np.maximum(np.abs(weight).max(axis=1), 1e-9) / 127
    return np.round(weight / scale[:, None]).astype(np.int8), scale.astype(np.float32)


# --- how well it does ---


def _scored(pairs: Sequence[Pair], scorer: Scorer, vector: Vectors) -> NDArray[np.float64]:
    return np.stack(
        [scorer.likely(features(vector(p.heard), vector(p.said)), hashed(p.said)) for p in pairs]
    ).astype(float)


def _measured(
    name: str, likely: NDArray[np.float64], labels: Sequence[int], groups: Sequence[str]
) -> dict[str, Any]:
    if name == SAFETY:
        so = np.array(labels) == 1
        bar = float(np.quantile(likely[~so, 1], 1 - ALARMS))
        return dict(yes_no(likely[:, 1], so, bar, ("Unsafe", "Safe"), groups))
    measured = dict(figures(likely, [LEVELS[label] for label in labels], LEVELS, groups=groups))
    said = likely.argmax(axis=1)
    measured |= {
        "mean_level": round(float(np.mean(labels)), 3),
        "mean_level_said": round(float(said.mean()), 3),
        "distance": round(float(np.abs(said - np.array(labels)).mean()), 3),
        "at_two": wilson(int((np.array(labels) == 2).sum()), len(labels)),
        "at_two_said": wilson(int((said == 2).sum()), len(labels)),
        "paper_accuracy": PAPER[name][0],
        "paper_macro_f1": PAPER[name][1],
    }
    return measured


def _categories(path: Path, scorer: Scorer, vector: Vectors) -> dict[str, Any]:
    """AUROC within each category of DiaSafety's validation part."""
    told = {}
    for category, pairs in by_category(path).items():
        so = np.array([p.label == 1 for p in pairs])
        measured = yes_no(_scored(pairs, scorer, vector)[:, 1], so, 0.5, ("Unsafe", "Safe"))
        told[category] = {key: measured.get(key) for key in ("n", "auroc", "auroc_95", "macro_f1")}
    return told


# --- the files ---


def _card(told: Mapping[str, Any], hashes: Mapping[str, str], pairs: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "about": "Scorers of replies, linear on frozen vectors; see agent/evaluate/scoring.py and LOG.md.",
        "encoder": load_encoder().name,
        "seed": SEED,
        "buckets": BUCKETS,
        "unsafe_bar": told[SAFETY]["figures"]["bar"],
        "licence": "EPITOME is for academic use, DiaSafety Apache-2.0; for measuring only.",
        "data": dict(sorted(hashes.items())),
        "pairs": dict(pairs),
        "scorers": dict(told),
    }


def _write(out: Path, arrays: Mapping[str, NDArray[Any]], card: dict[str, Any]) -> None:
    raw = io.BytesIO()
    np.savez_compressed(raw, allow_pickle=False, **arrays)
    card["sha256"] = hashlib.sha256(raw.getvalue()).hexdigest()
    out.mkdir(parents=True, exist_ok=True)
    (out / "scorers.npz").write_bytes(raw.getvalue())
    (out / "scorers.json").write_text(json.dumps(card, indent=1) + "\n", "utf-8")
    load_scorers.cache_clear()
