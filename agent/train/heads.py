"""Trains the linear head of the reading encoder over 32 emotions and 9 reply intents.

Run as `python -m agent.train.heads --data FOLDER`. Multinomial logistic regression on the frozen
vectors that `agent.reading.encoder.vectoriser` gives at run time, temperature-scaled. One head for
both, because a line that only asks or wishes should leave little probability to any emotion. Writes
heads.npz and labels.json (labels, temperatures, threshold, figures, checksums) and never a text.
Needs `hearken[train]`. `agent.train.sources` knows the data.
"""

import argparse
import hashlib
import json
import math
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression

from agent.reading.encoder import vectoriser
from agent.train.measure import SEED, error_table, figures, probabilities
from agent.train.sources import SOURCES, Rows, embedded, only

__all__ = ["EMOTIONS", "INTENTS", "main", "train"]

EMOTIONS = (
    *("afraid", "angry", "annoyed", "anticipating", "anxious", "apprehensive", "ashamed", "caring"),
    *("confident", "content", "devastated", "disappointed", "disgusted", "embarrassed", "excited"),
    *("faithful", "furious", "grateful", "guilty", "hopeful", "impressed", "jealous", "joyful"),
    *("lonely", "nostalgic", "prepared", "proud", "sad", "sentimental", "surprised", "terrified"),
    "trusting",
)
INTENTS = (
    *("agreeing", "acknowledging", "encouraging", "consoling", "sympathizing"),
    *("suggesting", "questioning", "wishing", "neutral"),
)
C = 3.0  # of the regression; agent/train/LOG.md has what else was tried
PRECISION = 0.70  # of the first emotion, wherever it may be named
LEAST = 20  # sure lines, fewer say nothing of precision
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """A linear head over `names`: weights (d, k), bias (k,)."""

    names: tuple[str, ...]
    weights: Vector
    bias: Vector
    temperature: float = 1.0

    def likely(self, rows: Rows, among: Sequence[str] = ()) -> Vector:
        """Probabilities (n, k) of the names, or of those in `among`, given that it is one of them."""
        columns = [self.names.index(name) for name in among or self.names]
        logits = rows.vectors @ self.weights[:, columns] + self.bias[columns]
        return probabilities(logits, self.temperature)

    def surest(self, rows: Rows, emotions: Sequence[str]) -> Vector:
        """The probability (n,), among all names, of the likeliest emotion."""
        surest: Vector = self.likely(rows)[:, : len(emotions)].max(axis=1)
        return surest


def train(
    data: Path,
    vector: Callable[[str], Vector],
    emotions: tuple[str, ...] = EMOTIONS,
    intents: tuple[str, ...] = INTENTS,
) -> tuple[dict[str, Vector], dict[str, Any]]:
    """Fit the head on the files of `data`; returns the arrays of heads.npz and the labels.json.

    Training lines whose normalised text also stands among held-out lines are dropped. A third of
    the held-out lines tunes temperature and threshold; the other two thirds give every figure.
    Raises SettingsError, naming it, when a file is missing.
    """
    names = emotions + intents
    rows = embedded(data, vector, set(names))
    head = _tempered(_fit(only(rows, "train", names), names), only(rows, "tune", names))
    bar = _bar(head, only(rows, "tune", emotions), emotions)
    report: dict[str, dict[str, Any]] = {}
    for task, among in {"emotions": emotions, "intents": intents, "all": names}.items():
        for r in only(rows, "report", among):
            likely, sure = head.likely(r, among), head.surest(r, emotions) >= bar
            measured = figures(likely, r.labels, among, sure if task == "emotions" else None)
            report.setdefault(task, {})[r.source] = measured
            if task == "intents":  # no feeling is told here, so none should be named
                measured["sure"] = round(float(sure.mean()), 4)
            if task != "all":
                measured["classes"] = error_table(likely, r.labels, among)
    card = {
        "emotions": list(emotions),
        "intents": list(intents),
        "temperature": head.temperature,
        "threshold": bar,
        "recipe": {"C": C, "precision_wanted": PRECISION, "bootstrap_seed": SEED},
        "rows": {f"{r.source}, {r.part}": len(r.labels) for r in rows},
        "data": {name: _sha256(data / name) for name in SOURCES.values()},
        "report": report,
    }
    return {"weights": head.weights, "bias": head.bias}, card


def _fit(rows: Sequence[Rows], names: tuple[str, ...]) -> Head:
    model = LogisticRegression(C=C, max_iter=300)
    model.fit(np.concatenate([r.vectors for r in rows]), np.concatenate([r.labels for r in rows]))
    order = [list(model.classes_).index(name) for name in names]
    return Head(names, model.coef_[order].T.astype(np.float32), model.intercept_[order].astype(np.float32))


def _tempered(head: Head, rows: Sequence[Rows]) -> Head:
    """The head with the temperature that makes the tuning lines likeliest (Guo et al., ICML 2017)."""
    truth = [np.array([head.names.index(label) for label in r.labels]) for r in rows]

    def loss(candidate: Head) -> float:
        right = [candidate.likely(r)[np.arange(len(t)), t] for r, t in zip(rows, truth, strict=True)]
        return float(-np.log(np.maximum(np.concatenate(right), 1e-12)).mean())

    return min((replace(head, temperature=round(float(t), 3)) for t in np.geomspace(0.25, 4, 161)), key=loss)


def _bar(head: Head, rows: Sequence[Rows], emotions: Sequence[str]) -> float:
    """The lowest probability at which the first emotion is right often enough in every tuning source.

    "Often enough" is one standard error above PRECISION, for the tuning thirds are small.
    """
    read = [(head.surest(r, emotions), _right(head, r, emotions)) for r in rows]
    for bar in np.arange(0.30, 0.99, 0.01):
        if all(_precise(right[surest >= bar]) for surest, right in read):
            return round(float(bar), 2)
    return 1.01  # never sure


def _right(head: Head, rows: Rows, emotions: Sequence[str]) -> NDArray[np.bool_]:
    right: NDArray[np.bool_] = np.array(emotions)[head.likely(rows, emotions).argmax(axis=1)] == rows.labels
    return right


def _precise(right: NDArray[np.bool_]) -> bool:
    if len(right) < LEAST:
        return False
    share = float(right.mean())
    return share - math.sqrt(share * (1 - share) / len(right)) >= PRECISION


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main(data: Path, out: Path) -> None:
    """Train on the folder `data` and write heads.npz and labels.json into the model folder `out`.

    Where `out` has no encoder yet, the shipped one is copied, so that `load_encoder(out)` works.
    Takes some three minutes on one core. Raises SettingsError when a data file is missing.
    """
    shipped = Path(__file__).parents[1] / "reading" / "model"
    out.mkdir(parents=True, exist_ok=True)
    for name in ("encoder.onnx", "tokenizer.json"):
        if not (out / name).exists():
            shutil.copy(shipped / name, out / name)
    vector = vectoriser((out / "encoder.onnx").read_bytes(), (out / "tokenizer.json").read_bytes())
    arrays, card = train(data, vector)
    np.savez(out / "heads.npz", allow_pickle=False, **arrays)
    files = ("encoder.onnx", "tokenizer.json", "heads.npz")
    card = {
        "name": "all-MiniLM-L6-v2-int8",
        "dimension": int(arrays["weights"].shape[0]),
        "sha256": {name: _sha256(out / name) for name in files},
        **card,
    }
    (out / "labels.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")
    for task, sources in card["report"].items():
        for source, measured in sources.items():
            short = {key: value for key, value in measured.items() if key != "classes"}
            sys.stdout.write(f"{task}, {source}: {json.dumps(short)}\n")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m agent.train.heads", description=main.__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=Path("agent/reading/model"))
    chosen = parser.parse_args()
    main(chosen.data, chosen.out)
