"""What a turn costs the store of `hearken serve`: bytes that stay, and transactions.

Conversations of so many turns are led without a reading model (what is kept does not depend on it but for the
few scores of the last reading). For PostgreSQL give a database of its own: its size before is taken off.

    python benchmarks/stored.py --turns 20 --people 10
    python benchmarks/stored.py --store postgresql://…
"""

import argparse
import json
import tempfile
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from graph.hosted import Hosted
from graph.ledger import Ledger
from graph.shared import Shared, open_shared
from tests.fakes import services

WORDS = (
    "my friend was unkind to me today and I keep thinking about what she said to the others",
    "I slept badly again",
    "work is a lot just now, and my boss does not listen when I say that it is too much",
    "what can I do?",
)


def main() -> None:
    """Lead them, weigh the store, report."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--people", type=int, default=10)
    options.add_argument("--turns", type=int, default=20)
    options.add_argument("--store", default="")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        url = asked.store or f"sqlite:///{folder}/served.sqlite"
        shared, counts = _counted(open_shared(url))
        shared.migrate()
        before = _size(shared, Path(folder))
        hosted = Hosted(services(country="GB"), Ledger(shared))
        used, calls = time.process_time(), dict(counts)
        for number in range(asked.people):
            thread = hosted.open(f"owner{number}", "GB")
            for turn in range(asked.turns):
                list(hosted.say(f"owner{number}", thread, f"{WORDS[turn % 4]}, {number} {turn}"))
        turns = asked.people * asked.turns
        found: dict[str, Any] = {
            "store": shared.kind,
            "turns_a_conversation": asked.turns,
            "cpu_ms_a_turn_without_reading": round(1000 * (time.process_time() - used) / turns, 1),
            **{f"{name}_a_turn": round((counts[name] - calls[name]) / turns, 1) for name in counts},
        }
        today = _size(shared, Path(folder)) - before
        _forget_replies(shared)
        kept = _size(shared, Path(folder)) - before
        shared.close()
    found["bytes_a_turn_on_its_day"] = round(today / turns)
    found["bytes_a_turn_later"] = round(kept / turns)
    print(json.dumps(found, indent=2))


def _counted(shared: Shared) -> tuple[Shared, dict[str, int]]:
    counts = {"writing": 0, "reading": 0, "checkpoints": 0}

    def noted(name: str, opened: Any) -> Any:
        @contextmanager
        def use(*given: Any) -> Any:
            counts[name] += 1
            with opened(*given) as got:
                yield got

        return use

    counted = replace(
        shared,
        transaction=noted("writing", shared.transaction),
        reading=noted("reading", shared.reading),
        saver=noted("checkpoints", shared.saver),
    )
    return counted, counts


def _forget_replies(shared: Shared) -> None:
    """As a day later: the replies that could still be asked for again are gone."""
    with shared.transaction() as run:
        run("DELETE FROM turns WHERE saved = 1")


def _size(shared: Shared, folder: Path) -> int:
    if shared.kind == "sqlite":
        shared.scrub()
        return sum(file.stat().st_size for file in folder.glob("served.sqlite*"))
    shared.scrub()
    tables = (*shared.checkpoints, "conversations", "turns", "leases", "feedback")
    with shared.reading() as run:
        return sum(int(run("SELECT pg_total_relation_size(?::regclass)", name)[0][0]) for name in tables)


if __name__ == "__main__":
    main()
