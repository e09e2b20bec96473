"""How long readings take. Knows nothing of what is read."""

import math
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import numpy as np

__all__ = ["spent", "timed"]

Given = TypeVar("Given")
Found = TypeVar("Found")


def timed(read: Callable[[Given], Found], seconds: list[float]) -> Callable[[Given], Found]:
    """`read`, with the time of each call added to `seconds`."""

    def again(text: Given) -> Found:
        start = time.perf_counter()
        got = read(text)
        seconds.append(time.perf_counter() - start)
        return got

    return again


def spent(seconds: Sequence[float]) -> dict[str, float]:
    """How long the reading of one text took, p50 and p95, and how many that makes a second."""
    if not seconds:
        return {"texts": 0}
    p50, p95 = np.percentile(seconds, [50, 95])
    return {
        "texts": len(seconds),
        "p50_ms": round(1000 * float(p50), 2),
        "p95_ms": round(1000 * float(p95), 2),
        "texts_per_second": round(len(seconds) / max(1e-9, math.fsum(seconds)), 1),
    }
