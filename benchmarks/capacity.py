"""What so many people a day need, reckoned from measured costs. Arithmetic alone: nothing is run.

The defaults are what `serving.py` and `stored.py` measured on two slow cores (docs/operations.md); how people
behave, and what a language model yields, are assumptions, and each is an option.

    python benchmarks/capacity.py
    python benchmarks/capacity.py --people 10000 --cpu-ms 40 --model-tokens 2500
"""

import argparse
import math


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(
        description=__doc__.split("\n", maxsplit=1)[0], formatter_class=argparse.ArgumentDefaultsHelpFormatter
    )
    given = options.add_argument
    # how people behave: assumed
    given("--people", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000], help="a day")
    given("--turns", type=float, default=12, help="of a person a day")
    given("--peak", type=float, default=0.10, help="share of a day's turns in its busiest hour")
    given("--days", type=float, default=30, help="that conversations are kept")
    given("--in-danger", type=float, default=0.10, help="share of turns that no model words")
    # what a turn costs: measured
    given("--cpu-ms", type=float, default=CPU_MS, help="of a core a turn, HTTP included")
    given("--load", type=float, default=0.5, help="of the cores at the peak, so that danger finds one free")
    given("--mb", type=float, default=MB, help="resident, a process")
    given("--bytes-today", type=float, default=BYTES_TODAY, help="of the store a turn, on its day")
    given("--bytes-later", type=float, default=BYTES_LATER, help="of the store a turn, after that")
    given("--commits", type=float, default=COMMITS, help="of the database a turn")
    given("--connections", type=float, default=16, help="to the database a process, at most")
    # the language model: parameters
    given("--prompt", type=float, default=1500, help="tokens read for a reply")
    given("--reply", type=float, default=120, help="tokens written for a reply")
    given("--model-tokens", type=float, default=2000, help="written a second by one instance of the model")
    asked = options.parse_args()
    columns = [_needed(people, asked) for people in asked.people]
    print("| |" + "|".join(f" {people:,} a day " for people in asked.people) + "|")
    print("|---|" + "---|" * len(columns))
    for name in columns[0]:
        print(f"| {name} | " + " | ".join(column[name] for column in columns) + " |")


CPU_MS, MB = 85.0, 430.0
# of PostgreSQL, which keeps more than SQLite does (1.6 and 0.8 KB)
BYTES_TODAY, BYTES_LATER, COMMITS = 8200.0, 6700.0, 5.0


def _needed(people: int, asked: argparse.Namespace) -> dict[str, str]:
    day = people * asked.turns
    peak = day * asked.peak / 3600
    cores = peak * asked.cpu_ms / 1000 / asked.load
    processes = max(2, math.ceil(cores))
    disk = day * asked.bytes_today + day * (asked.days - 1) * asked.bytes_later
    worded = peak * (1 - asked.in_danger)
    instances = worded * asked.reply / asked.model_tokens
    return {
        "turns a day": f"{day:,.0f}",
        "turns a second at the peak": _figure(peak),
        "cores for turns": _figure(cores),
        "processes of one core (two at least)": f"{processes:,}",
        "memory of them, GB": _figure(processes * asked.mb / 1024),
        "database: commits a second": _figure(peak * asked.commits),
        "database: connections at most": f"{processes * asked.connections:,.0f}",
        f"database: GB for {asked.days:g} days": _figure(disk / 1e9),
        "model: tokens written a second": _figure(worded * asked.reply),
        "model: tokens read a second": _figure(worded * asked.prompt),
        f"model: instances of {asked.model_tokens:,.0f} tokens/s": f"{math.ceil(instances):,}",
    }


def _figure(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:,.2g}"


if __name__ == "__main__":
    main()
