"""What simpler models reach on ESConv's strategies: TF-IDF of the last message, of the last four.

`python benchmarks/strategies.py --data FOLDER`. Trained on ESConv's training part, measured on its
validation part, like `hearken evaluate plan`. Needs `hearken[train]`. Prints no text.
"""

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, f1_score

from agent.supporter import features
from agent.train.talks import Point, esconv, points


def main() -> None:
    """Fit, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    data = parser.parse_args().data / "esconv"
    train, valid = (
        [one for talk in esconv(data / f"{part}.jsonl") for one in points(talk)]
        for part in ("train", "valid")
    )
    truth = [one.strategy for one in valid]
    views: dict[str, Callable[[Point], str]] = {
        "TF-IDF of the last message": lambda one: "".join(one.moment.said[-1:]),
        "TF-IDF of the last four": lambda one: " ".join(one.moment.said),
    }
    for name, view in views.items():
        words = TfidfVectorizer(ngram_range=(1, 2), min_df=3, sublinear_tf=True)
        parts = [words.fit_transform(map(view, train)), words.transform(map(view, valid))]
        for more in (False, True):
            if more:  # the place in the conversation and what was done so far, as the model has them
                parts = [
                    hstack([part, csr_matrix(np.stack([_told(one) for one in found]))]).tocsr()
                    for part, found in zip(parts, (train, valid), strict=True)
                ]
            model = LogisticRegression(C=1.0, max_iter=200).fit(parts[0], [one.strategy for one in train])
            guess = model.predict(parts[1])
            figures = (accuracy_score(truth, guess), f1_score(truth, guess, average="macro"))
            print(
                f"{name}{', place and deeds' if more else ''}: accuracy {figures[0]:.3f}, F1 {figures[1]:.3f}"
            )


def _told(one: Point) -> np.ndarray:
    """The model's inputs but for the vectors."""
    return features(one.moment, lambda _: np.zeros(384, dtype=np.float32))[768:]


if __name__ == "__main__":
    main()
