"""What simpler models reach on the same splits: TF-IDF with a linear SVM, the frozen encoder.

`python benchmarks/baselines.py --data FOLDER [--json] [--frozen]`. Trained on the training part,
measured on the report part of `agent.train.data`, beside the shipped reading model's figures in labels.json.
Needs `hearken[train]`; some minutes on two cores. Prints no text.
"""

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score, roc_auc_score
from sklearn.pipeline import make_pipeline, make_union
from sklearn.svm import LinearSVC

from agent.reading.encoder import load_encoder
from agent.train.data import Example, examples
from agent.train.labels import EMOTIONS, HEADS, INTENTS

MOST = 6000  # training texts given to the frozen encoder, which reads one at a time


def told(
    found: Sequence[Example], head: str, labels: Sequence[str]
) -> tuple[list[str], list[str], list[str]]:
    """Texts, labels and sources of the examples whose likeliest label of `head` is one of `labels`."""
    rows = []
    for e in found:
        weights = e.targets.get(head)
        if weights and (best := max(weights, key=lambda k: weights[k])) in labels:
            rows.append((e.text, best, e.source))
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


def facet(found: Sequence[Example], name: str) -> tuple[list[str], list[str], list[str]]:
    """Texts, yes or no, and sources of the examples judged for one facet."""
    rows = [
        (e.text, "yes" if e.targets["facets"][name] > 0.5 else "no", e.source)
        for e in found
        if name in e.targets.get("facets", {})
    ]
    return [r[0] for r in rows], [r[1] for r in rows], [r[2] for r in rows]


def figures(truth: Sequence[str], guess: Sequence[str]) -> dict[str, float]:
    """Accuracy, weighted and macro F1."""
    return {
        "n": len(truth),
        "accuracy": round(float(accuracy_score(truth, guess)), 4),
        "weighted_f1": round(float(f1_score(truth, guess, average="weighted")), 4),
        "macro_f1": round(float(f1_score(truth, guess, average="macro")), 4),
    }


def main() -> None:
    """Fit, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--frozen", action="store_true", help="also the frozen encoder (slower)")
    chosen = parser.parse_args()
    found = examples(chosen.data)
    train, report = ([e for e in found if e.part == part] for part in ("train", "report"))
    tasks = {"emotions": ("expressed", EMOTIONS), "intents": ("expressed", INTENTS)}
    tasks |= {name: (name, labels) for name, labels in HEADS.items() if name not in {"expressed", "facets"}}
    result: dict[str, dict[str, float]] = {}
    encoder = load_encoder() if chosen.frozen else None
    pairs = {name: (told(train, *task), told(report, *task)) for name, task in tasks.items()}
    pairs |= {f"facets: {name}": (facet(train, name), facet(report, name)) for name in HEADS["facets"]}
    for name, ((texts, labels, _), (asked, truth, sources)) in pairs.items():
        if len(set(labels)) < 2 or not asked:
            continue
        words = make_union(
            TfidfVectorizer(ngram_range=(1, 2), min_df=2, sublinear_tf=True),
            TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 4), min_df=3, sublinear_tf=True),
        )
        model = make_pipeline(words, LinearSVC(C=0.5))
        model.fit(texts, labels)
        guess, score = np.array(model.predict(asked)), model.decision_function(asked)
        for source in sorted(set(sources)):
            mine = np.array([s == source for s in sources])
            if mine.sum() >= 20:
                result[f"TF-IDF, {name}, {source}"] = figures(np.array(truth)[mine], guess[mine])
        if score.ndim == 1 and len(set(truth)) == 2:
            result[f"TF-IDF, {name}, all"] = {
                "auroc": round(float(roc_auc_score(np.array(truth) == model.classes_[1], score)), 4)
            }
        if encoder is not None:
            some = slice(None, None, max(1, len(texts) // MOST))
            head = LogisticRegression(C=3.0, max_iter=300).fit(encoder.embed(texts[some]), labels[some])
            result[f"frozen, {name}"] = figures(truth, head.predict(encoder.embed(asked)))
    for name, row in result.items():
        print(json.dumps({name: row}) if chosen.json else f"{name}: {row}")


if __name__ == "__main__":
    main()
