"""How long a search takes among 100,000 passages: `python benchmarks/library.py [--passages N] [--json]`.

Random unit vectors around a few hundred centres stand for texts, so the encoder costs nothing here; each
search goes through Library.search as a turn does, question and answer rows, floor, facts, words and all.
`p50_cpu_ms` is the work alone, for a machine that has other things to do.
"""

import argparse
import json
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.entries import Entry, rows_of
from knowledge.library import Library
from knowledge.opening import open_index

WIDE, CENTRES, BATCH, SEARCHES = 384, 300, 2000, 300
LETTERS, WORDS, LONG = "abcdefghijklmnopqrstuvwxyz", 5000, 140  # made-up words of an answer, each its own


def near(
    centres: NDArray[np.float32], spread: float, count: int, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Unit vectors around randomly chosen centres."""
    noise = rng.normal(size=(count, WIDE)) * spread / np.sqrt(WIDE)
    found = centres[rng.integers(len(centres), size=count)] + noise
    return np.asarray(found / np.linalg.norm(found, axis=1, keepdims=True), dtype=np.float32)


def main() -> None:
    """Fill, search, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--passages", type=int, default=100_000)
    parser.add_argument("--json", action="store_true")
    chosen = parser.parse_args()
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CENTRES, WIDE))
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)
    vocabulary = np.array(["".join(word) for word in rng.choice(list(LETTERS), size=(WORDS, 6))])
    asked: list[NDArray[np.float32]] = []

    def embed(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([asked.pop() for _ in texts])

    with tempfile.TemporaryDirectory(prefix="hearken-") as folder:
        index = open_index(Path(folder), "random")
        start = time.perf_counter()
        for first in range(0, chosen.passages, BATCH):
            count = min(BATCH, chosen.passages - first)
            entries = [
                Entry(" ".join(said[:9]), " ".join(said), kind="folder")
                for said in vocabulary[rng.integers(WORDS, size=(count, LONG))]
            ]
            rows = [row for entry in entries for row in rows_of(entry)]
            vectors = near(centres, 1.0, len(rows), rng)
            half = len(rows) // 2
            index.write(rows[:half], vectors[:half])
            index.write(rows[half:], vectors[half:])
        filled = time.perf_counter() - start
        library = Library(index, embed)
        seconds, busy = [], []
        for vector in near(centres, 1.0, SEARCHES, rng):
            asked.append(vector)
            text = " ".join(vocabulary[rng.integers(WORDS, size=40)])
            start, at_work = time.perf_counter(), time.process_time()
            library.search(text, 3)
            seconds.append(time.perf_counter() - start)
            busy.append(time.process_time() - at_work)
        library.close()
    p50, p95 = np.percentile(seconds[20:], [50, 95]) * 1000
    result = {
        "passages": chosen.passages,
        "rows": 2 * chosen.passages,
        "filled_s": round(filled, 1),
        "p50_ms": round(float(p50), 2),
        "p95_ms": round(float(p95), 2),
        "p50_cpu_ms": round(float(np.percentile(busy[20:], 50)) * 1000, 2),
    }
    print(json.dumps(result) if chosen.json else result)


if __name__ == "__main__":
    main()
