"""How `hearken serve` bears people: conversations on loopback, each a turn every so many seconds.

Every conversation tells a canary of its own; another's canary in a history is cross-talk, and is counted.
A tenth of the turns tell of danger, timed by themselves. `--slow` answers all else with a responder that
takes so many seconds, which keeps every ordinary worker busy. Prints JSON.

    python benchmarks/serving.py --people 50 --every 20 --seconds 100
    python benchmarks/serving.py --people 50 --every 20 --seconds 60 --slow 10
"""

import argparse
import asyncio
import json
import os
import platform
import re
import statistics
import tempfile
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
import psutil
import uvicorn

from agent.settings import load_settings
from graph.services import from_settings
from ui.serve.app import create_app

DANGER = "I want to kill myself"
WORDS = (
    "my friend {c} was unkind to me today",
    "I keep thinking about {c}",
    "I slept badly",
    "what can I do?",
)


def main() -> None:
    """Serve in a thread of this process, lead everybody, report."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--people", type=int, default=50)
    options.add_argument("--every", type=float, default=20.0)
    options.add_argument("--seconds", type=float, default=100.0)
    options.add_argument("--slow", type=float, default=0.0)
    options.add_argument("--store", default="")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HEARKEN_DATA_DIR"] = folder
        os.environ["HEARKEN_SERVE_RATE"] = "100000"
        if asked.store:
            os.environ["HEARKEN_STORE_URL"] = asked.store
        print(json.dumps(_run(asked, Path(folder)), indent=2))


def _run(asked: argparse.Namespace, folder: Path) -> dict[str, Any]:
    settings = load_settings()
    services = from_settings(settings)
    if asked.slow:
        from dataclasses import replace

        def slow(_: object) -> list[str]:
            time.sleep(asked.slow)
            return ["I hear you."]

        services = replace(services, respond=slow, responder="slow")
    config = uvicorn.Config(create_app(settings, services), port=0, access_log=False, log_level="error")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.1)
    url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    before = psutil.Process().memory_info().rss
    begun, cpu = time.perf_counter(), time.process_time()
    outcome = asyncio.run(_people(url, asked))
    spent, worked = time.perf_counter() - begun, time.process_time() - cpu
    after = psutil.Process().memory_info().rss
    server.should_exit = True
    thread.join()
    turns = len(outcome["ordinary"]) + len(outcome["crisis"])
    size = sum(file.stat().st_size for file in folder.glob("served.sqlite*"))
    return {
        "people": asked.people,
        "every_s": asked.every,
        "slow_s": asked.slow,
        "seconds": round(spent, 1),
        "turns": turns,
        "statuses": dict(outcome["statuses"]),
        "cross_talk": outcome["mixed"],
        "ordinary_ms": _of(outcome["ordinary"]),
        "crisis_ms": _of(outcome["crisis"]),
        "cpu_ms_a_turn": round(1000 * worked / max(turns, 1), 1),
        "rss_mb": [round(before / 2**20), round(after / 2**20)],
        "store_kb_a_conversation": round(size / 1024 / asked.people, 1),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }


def _of(found: list[float]) -> dict[str, float]:
    if len(found) < 2:
        return {}
    cut = statistics.quantiles(found, n=100, method="inclusive")
    return {"n": len(found), "p50": round(cut[49], 1), "p95": round(cut[94], 1), "max": round(max(found), 1)}


async def _people(url: str, asked: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"ordinary": [], "crisis": [], "statuses": Counter(), "mixed": 0}
    limits = httpx.Limits(max_connections=asked.people * 2)
    async with httpx.AsyncClient(base_url=url, timeout=120, limits=limits) as client:
        end = time.monotonic() + asked.seconds
        await asyncio.gather(*(_person(client, n, asked, end, found) for n in range(asked.people)))
    return found


async def _person(
    client: httpx.AsyncClient, n: int, asked: argparse.Namespace, end: float, found: dict[str, Any]
) -> None:
    canary = f"CANARY{n:04d}"
    await asyncio.sleep(asked.every * n / asked.people)
    here = f"/v1/conversations/{(await client.post('/v1/conversations', json={})).json()['id']}"
    turn = 0
    while time.monotonic() < end:
        begun, danger = time.perf_counter(), (n + turn) % 10 == 9
        text = DANGER if danger else WORDS[turn % len(WORDS)].format(c=canary)
        answer = await client.post(f"{here}/turns", json={"text": text})
        found["statuses"][str(answer.status_code)] += 1
        if answer.status_code == 200:
            # a conversation under care stays on the way of crisis; what is timed there is new danger alone
            found["crisis" if danger else "ordinary"].append(1000 * (time.perf_counter() - begun))
        turn += 1
        await asyncio.sleep(max(0.0, asked.every - (time.perf_counter() - begun)))
    others = set(re.findall(r"CANARY\d{4}", (await client.get(here)).text)) - {canary}
    found["mixed"] += bool(others)


if __name__ == "__main__":
    main()
