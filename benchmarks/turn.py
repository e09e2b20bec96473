"""How fast a turn is without a language model: `python benchmarks/turn.py [--json] [--turns N]`.

Prints p50 and p95 in milliseconds of a whole turn, of each step, of the crisis path, of a kept
(SQLite) turn; seconds of `import graph` and from process start to the first reply; resident memory;
bytes of the newest checkpoint after 30 turns. Everything runs in a fresh data folder. Not a test.
"""

import argparse
import json
import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

SAID = [
    "My manager keeps changing the plan and I stay until nine every night",
    "I could not sleep again, my head will not stop going over what I said to her",
    "I miss my grandmother, the house is so quiet since the funeral",
    "What can I do when the worry starts before the exam",
    "My son does not talk to me any more and I feel like a bad mother",
    "thanks, that helps a little",
    "I feel alone even when people are around me",
    "We broke up three weeks ago and I still look at my phone all day",
]
DANGER = [
    "I want to kill myself",
    "I have the pills in front of me",
    "everyone would be better off without me",
]


def main() -> None:
    """Run every part in turn and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--turns", type=int, default=200)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEARKEN_DATA_DIR"] = folder
        figures = measure(options.turns, Path(folder))
    if options.json:
        print(json.dumps(figures, indent=2))
        return
    for name, value in figures.items():
        print(f"{name:<24} {value}")


def measure(turns: int, folder: Path) -> dict[str, Any]:
    """All figures, by name."""
    figures: dict[str, Any] = {
        "import_graph_s": _seconds([sys.executable, "-c", "import graph"]),
        "first_start_reply_s": _first_reply(),
        "first_reply_s": _first_reply(),
    }
    from agent.settings import load_settings
    from graph import Session
    from graph.services import from_settings, warm

    services = from_settings(load_settings())
    figures["problems"] = warm(services)
    steps: dict[str, list[float]] = {}

    def ordinary(count: int, **how: Any) -> list[float]:
        times = []
        for start in range(0, count, len(SAID)):
            session = Session.open(country="GB", services=services, **how)
            for text in SAID[: count - start]:
                begun = time.perf_counter()
                turn = session.say(text)
                times.append((time.perf_counter() - begun) * 1000)
                for step, spent in turn.milliseconds.items():
                    steps.setdefault(step, []).append(spent)
        return times

    ordinary(len(SAID))
    steps.clear()
    figures["turn_ms"] = _spread(ordinary(turns))
    figures["steps_ms"] = {name: _spread(times) for name, times in steps.items()}
    figures["turn_kept_ms"] = _spread(ordinary(turns // 4, keep=True))
    figures["crisis_ms"] = _spread(_crisis(turns, lambda: Session.open(country="GB", services=services)))
    figures["resident_mb"] = round(_resident() / 2**20)
    figures["checkpoint_30_turns_kb"] = _checkpoint(services, folder)
    return figures


def _crisis(turns: int, opened: Callable[[], Any]) -> list[float]:
    times = []
    for number in range(turns):
        session = opened()
        begun = time.perf_counter()
        session.say(DANGER[number % len(DANGER)])
        times.append((time.perf_counter() - begun) * 1000)
    return times


def _checkpoint(services: Any, folder: Path) -> float:
    from graph import Session

    session = Session.open(country="GB", services=services, keep=True)
    for number in range(30):
        session.say(SAID[number % len(SAID)])
    rows = sqlite3.connect(folder / "conversations.sqlite")
    query = "SELECT count(*), max(length(checkpoint)) FROM checkpoints WHERE thread_id = ?"
    count, size = rows.execute(query, (session.thread,)).fetchone()
    rows.close()
    if count != 1:
        raise SystemExit(f"{count} checkpoints were kept for one conversation, expected 1")
    return round(size / 1024, 1)


def _first_reply() -> float:
    """Seconds from process start until `hearken chat` has printed its first reply."""
    command = [sys.executable, "-m", "ui.cli", "chat", "--country", "GB"]
    return _seconds(command, "I had a bad day at work\n")


def _seconds(command: list[str], typed: str = "") -> float:
    begun = time.perf_counter()
    subprocess.run(command, input=typed, text=True, check=True, capture_output=True)
    return round(time.perf_counter() - begun, 2)


def _spread(times: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(times, n=20)
    return {"p50": round(statistics.median(times), 1), "p95": round(cuts[-1], 1), "n": len(times)}


def _resident() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
