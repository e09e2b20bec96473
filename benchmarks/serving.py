"""How `hearken serve` bears people: conversations on loopback, each a turn every so many seconds.

The server is a process of its own (or several), and so are the clients. Every conversation tells a canary of
its own; another's canary in a history is cross-talk, and is counted. A tenth of the turns tell of danger,
timed by themselves. `--slow` puts an OpenAI-compatible stub behind it, whose answers take so many seconds:
what that does to the others is the question. `--turns` ends after so many turns and shows the memory on the
way; `--every 0` asks again at once. Prints JSON. What is measured is the machine too: see `load`.

    python benchmarks/serving.py --people 50 --every 20 --seconds 100
    python benchmarks/serving.py --people 50 --every 20 --seconds 60 --slow 10
    python benchmarks/serving.py --people 4 --every 0 --turns 10000 --fresh 20 --seconds 3600
    python benchmarks/serving.py --steps 2,4,6,8,10 --seconds 20     # turns a second that it bears
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import psutil

DANGER = "I want to kill myself"
WORDS = (
    "my friend {c} was unkind to me today",
    "I keep thinking about {c}",
    "I slept badly",
    "what can I do?",
)
READY = 300.0  # seconds that a crowded machine may take to start it


def main() -> None:
    """Serve in processes of their own, lead everybody, report."""
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--people", type=int, default=50)
    options.add_argument("--every", type=float, default=20.0)
    options.add_argument("--seconds", type=float, default=100.0)
    options.add_argument("--turns", type=int, default=0, help="end after so many, if that is sooner")
    options.add_argument("--fresh", type=int, default=0, help="turns after which a person begins anew")
    options.add_argument("--slow", type=float, default=0.0)
    options.add_argument("--store", default="")
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--steps", default="", help="people a second to try, one after another, as 2,4,8")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        with _stub(asked.slow) as model, _serving(asked, Path(folder), model) as (url, server):
            if asked.steps:
                found: Any = [_step(url, server, asked, float(rate)) for rate in asked.steps.split(",")]
            else:
                found = _run(url, server, asked)
        if not (asked.steps or asked.store):  # the log is in the file once the server has ended
            size = sum(file.stat().st_size for file in Path(folder).glob("served.sqlite*"))
            found["store_kb_a_turn"] = round(size / 1024 / max(found["turns"], 1), 2)
    print(json.dumps(found, indent=2))


@contextmanager
def _stub(seconds: float) -> Iterator[str]:
    """A process that says the same to everybody after so many seconds, as a busy model does."""
    if not seconds:
        yield ""
        return
    ours, theirs = multiprocessing.get_context("spawn").Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=_saying, args=(seconds, theirs), daemon=True
    )
    process.start()
    try:
        yield f"http://127.0.0.1:{ours.recv()}/v1"
    finally:
        process.kill()
        process.join()


def _saying(seconds: float, told: Any) -> None:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            time.sleep(seconds)
            delta = {"role": "assistant", "content": "That sounds like a lot to carry."}
            chunk = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m"}
            chunk["choices"] = [{"index": 0, "delta": delta, "finish_reason": None}]
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.write(f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode())

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ARG002 - its own names
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    told.send(server.server_address[1])
    server.serve_forever()


@contextmanager
def _serving(asked: argparse.Namespace, folder: Path, model: str) -> Iterator[tuple[str, psutil.Process]]:
    port = _free_port()
    own = {"HEARKEN_DATA_DIR": str(folder), "HEARKEN_SERVE_RATE": "100000", "HEARKEN_COUNTRY": "GB"}
    if asked.store:
        own["HEARKEN_STORE_URL"] = asked.store
    if model:
        own |= {"HEARKEN_RESPONDER": "endpoint", "HEARKEN_ENDPOINT_URL": model, "HEARKEN_MODEL": "m"}
    command = [sys.executable, "-m", "ui.cli", "serve", "--port", str(port)]
    command += ["--processes", str(asked.processes)] if asked.processes > 1 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _until_ready(url, process)
        yield url, psutil.Process(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()


def _until_ready(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + READY
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/ready", timeout=10).status_code == 200:
                return
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit("The server did not start.")


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _used(server: psutil.Process) -> tuple[float, float]:
    """(seconds of processor time, MB resident) of the server and its workers."""
    every = [server, *server.children(recursive=True)]
    times = [one.cpu_times() for one in every]
    return sum(t.user + t.system for t in times), sum(one.memory_info().rss for one in every) / 2**20


def _run(url: str, server: psutil.Process, asked: argparse.Namespace) -> dict[str, Any]:
    memory: list[float] = []
    over = threading.Event()

    def watch() -> None:
        while not over.wait(2.0):
            memory.append(_used(server)[1])

    watching = threading.Thread(target=watch)
    cpu, before = _used(server)
    begun = time.perf_counter()
    watching.start()
    try:
        outcome = asyncio.run(_people(url, asked))
    finally:
        over.set()
        watching.join()
    spent, (worked, after) = time.perf_counter() - begun, _used(server)
    turns = len(outcome["ordinary"]) + len(outcome["crisis"])
    return {
        "people": asked.people,
        "every_s": asked.every,
        "slow_s": asked.slow,
        "processes": asked.processes,
        "store": asked.store.partition(":")[0] or "sqlite",
        "seconds": round(spent, 1),
        "turns": turns,
        "turns_a_second": round(turns / spent, 2),
        "statuses": dict(outcome["statuses"]),
        "cross_talk": outcome["mixed"],
        "ordinary_ms": _of(outcome["ordinary"]),
        "crisis_ms": _of(outcome["crisis"]),
        "cpu_ms_a_turn": round(1000 * (worked - cpu) / max(turns, 1), 1),
        "rss_mb": {
            "start": round(before),
            "middle": round(memory[len(memory) // 2]) if memory else None,
            "end": round(after),
        },
        **_machine(),
    }


def _step(url: str, server: psutil.Process, asked: argparse.Namespace, rate: float) -> dict[str, Any]:
    """So many turns a second for a while, each by somebody new; how long they took."""
    people = max(1, round(rate * asked.every))
    led = argparse.Namespace(**{**vars(asked), "people": people})
    cpu = _used(server)[0]
    begun = time.perf_counter()
    outcome = asyncio.run(_people(url, led))
    spent, turns = time.perf_counter() - begun, len(outcome["ordinary"]) + len(outcome["crisis"])
    return {
        "asked_a_second": rate,
        "answered_a_second": round(turns / spent, 2),
        "statuses": dict(outcome["statuses"]),
        "ordinary_ms": _of(outcome["ordinary"]),
        "crisis_ms": _of(outcome["crisis"]),
        "cpu_ms_a_turn": round(1000 * (_used(server)[0] - cpu) / max(turns, 1), 1),
        **_machine(),
    }


def _machine() -> dict[str, Any]:
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }


def _of(found: list[float]) -> dict[str, float]:
    if len(found) < 2:
        return {}
    cut = statistics.quantiles(found, n=100, method="inclusive")
    return {"n": len(found), "p50": round(cut[49], 1), "p95": round(cut[94], 1), "max": round(max(found), 1)}


async def _people(url: str, asked: argparse.Namespace) -> dict[str, Any]:
    found: dict[str, Any] = {"ordinary": [], "crisis": [], "statuses": Counter(), "mixed": 0, "turns": 0}
    limits = httpx.Limits(max_connections=asked.people * 2)
    async with httpx.AsyncClient(base_url=url, timeout=180, limits=limits) as client:
        end = time.monotonic() + asked.seconds
        await asyncio.gather(*(_person(client, n, asked, end, found) for n in range(asked.people)))
    return found


async def _person(
    client: httpx.AsyncClient, n: int, asked: argparse.Namespace, end: float, found: dict[str, Any]
) -> None:
    canary = f"CANARY{n:04d}"
    await asyncio.sleep(asked.every * n / asked.people)
    here, turn = await _opened(client, found), 0
    while time.monotonic() < end and not 0 < asked.turns <= found["turns"]:
        begun, danger = time.perf_counter(), (n + turn) % 10 == 9
        text = DANGER if danger else WORDS[turn % len(WORDS)].format(c=canary)
        found["turns"] += 1
        status = await _said(client, here, text)
        found["statuses"][status] += 1
        if status == "200":
            # a conversation under care stays on the way of crisis; what is timed there is new danger alone
            found["crisis" if danger else "ordinary"].append(1000 * (time.perf_counter() - begun))
        turn += 1
        if asked.fresh and turn % asked.fresh == 0:
            found["mixed"] += await _mixed(client, here, canary)
            here = await _opened(client, found)
        await asyncio.sleep(max(0.0, asked.every - (time.perf_counter() - begun)))
    found["mixed"] += await _mixed(client, here, canary)


async def _said(client: httpx.AsyncClient, here: str, text: str) -> str:
    """The status, or what became of the connection: one that was idle may be closed just as it is used."""
    try:
        return str((await client.post(f"{here}/turns", json={"text": text})).status_code)
    except httpx.TransportError as error:
        return type(error).__name__


async def _opened(client: httpx.AsyncClient, found: dict[str, Any]) -> str:
    while True:
        try:
            answer = await client.post("/v1/conversations", json={})
        except httpx.TransportError as error:
            found["statuses"][f"begin {type(error).__name__}"] += 1
        else:
            if answer.status_code == 201:
                return f"/v1/conversations/{answer.json()['id']}"
            found["statuses"][f"begin {answer.status_code}"] += 1
        await asyncio.sleep(1)


async def _mixed(client: httpx.AsyncClient, here: str, canary: str) -> bool:
    while True:
        try:
            history = await client.get(here)
        except httpx.TransportError:
            await asyncio.sleep(1)
            continue
        return bool(set(re.findall(r"CANARY\d{4}", history.text)) - {canary})


if __name__ == "__main__":
    main()
