"""How long the encoder takes: load, one short line, one long message; and what it keeps in memory.

`python benchmarks/encoder.py [--json] [--threads N] [--runs N]`. Times are wall clock, in milliseconds,
of this machine as busy as it is; memory is the process's resident set. Measures no quality.
"""

import argparse
import itertools
import json
import resource
import statistics
import time
from collections.abc import Callable

from agent.reading.encoder import load_encoder

SHORT = (
    "I have been feeling low since my sister moved away and I can't seem to talk to anybody about it, "
    "not even my oldest friend."
)


def spent(call: Callable[[], object], runs: int) -> dict[str, float]:
    """p50 and p95 of one call, in milliseconds, after one call that does not count."""
    call()
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - start))
    cuts = statistics.quantiles(times, n=20)
    return {"p50": round(statistics.median(times), 2), "p95": round(cuts[-1], 2)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--runs", type=int, default=200)
    chosen = parser.parse_args()
    start = time.perf_counter()
    encoder = load_encoder(threads=chosen.threads)
    encoder.read(SHORT)
    texts = (f"{SHORT[:-1]} {number}." for number in itertools.count())  # the last text is remembered
    result: dict[str, object] = {
        "threads": chosen.threads,
        "load_and_first_read_ms": round(1000 * (time.perf_counter() - start), 1),
        "read_32_tokens_ms": spent(lambda: encoder.read(next(texts)), chosen.runs),
        "read_8_windows_ms": spent(lambda: encoder.read(next(texts) * 50), max(5, chosen.runs // 10)),
        "rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    if chosen.json:
        print(json.dumps(result))
    else:
        for name, value in result.items():
            print(f"{name:24} {value}")


if __name__ == "__main__":
    main()
