"""How `hearken serve` bears people: conversations on loopback, each a turn every so many seconds.

The server is a process of its own (or several), and so are the clients (`crowd.py`, beside this file), the
database and the library. `--postgres` and `--chroma` start real servers of the run's own, as the tests do;
`--slow` puts an OpenAI-compatible stub behind it, whose answers take so many seconds: what that does to the
others is the question. `--turns` ends after so many turns and shows the memory on the way; `--every 0` asks
again at once. Says on stderr how far it is and when it ends at the latest; prints JSON, `--steps` a line a
step. What is measured is the machine too: see `load`.

    python benchmarks/serving.py --people 50 --every 20 --seconds 100
    python benchmarks/serving.py --people 50 --every 20 --seconds 60 --slow 10
    python benchmarks/serving.py --people 50 --every 20 --seconds 100 --postgres --chroma
    python benchmarks/serving.py --people 4 --every 0 --turns 10000 --fresh 20 --seconds 3600
    python benchmarks/serving.py --steps 2,4,6,8,10 --seconds 20     # turns a second that it bears
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import platform
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import crowd  # benchmarks/crowd.py, beside this file
import httpx
import psutil

READY = 300.0  # seconds that a crowded machine may take to start it
ENDING = 60.0  # seconds that it may take to end
TOLD = 10.0  # seconds between two lines about how far it is


def main() -> None:
    """Serve in processes of their own, lead everybody, report."""
    asked = _options().parse_args()
    every = asked.every if asked.every is not None else 5.0 if asked.steps else 20.0
    rates = [float(rate) for rate in asked.steps.split(",")] if asked.steps else [0.0]
    each = [
        crowd.Asked(
            people=max(1, round(rate * every)) if rate else asked.people,
            every=every,
            seconds=asked.seconds,
            turns=asked.turns,
            fresh=asked.fresh,
            patience=asked.patience,
        )
        for rate in rates
    ]
    most = READY + ENDING + len(each) * (asked.seconds + 2 * asked.patience)
    _say(f"starting; {len(each) * asked.seconds:.0f} s of load, over after {most:.0f} s at the latest")
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory()))
        own, others = _beside(asked, folder, running)
        url, server, end = _serving(asked, folder, own, running)
        for rate, led in zip(rates, each, strict=True):
            found = _run(url, server, others, led)
            if rate:
                print(json.dumps({"asked_a_second": rate, **found, **_machine()}), flush=True)
        end()
        told = {**_of(asked, own), **found, **_machine(), "log": _log(folder / "log")}
        if "HEARKEN_STORE_URL" not in own:  # the log is in the file once the server has ended
            size = sum(file.stat().st_size for file in folder.glob("served.sqlite*"))
            told["store_kb_a_turn"] = round(size / 1024 / max(found["turns"], 1), 2)
    if not asked.steps:
        print(json.dumps(told, indent=2))


def _options() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    options.add_argument("--people", type=int, default=50)
    options.add_argument("--every", type=float, help="seconds between two turns (20; of a step 5)")
    options.add_argument("--seconds", type=float, default=100.0, help="how long people speak; of each step")
    options.add_argument("--patience", type=float, default=60.0, help="how long after that they wait")
    options.add_argument("--turns", type=int, default=0, help="end after so many, if that is sooner")
    options.add_argument("--fresh", type=int, default=0, help="turns after which a person begins anew")
    options.add_argument("--slow", type=float, default=0.0, help="a language model that takes so long")
    options.add_argument("--store", default="", help="URL of a store that is there")
    options.add_argument("--postgres", action="store_true", help="start a PostgreSQL for the run")
    options.add_argument("--chroma", action="store_true", help="start a Chroma server for the run")
    options.add_argument("--processes", type=int, default=1)
    options.add_argument("--steps", default="", help="turns a second to try, one after another, as 2,4,8")
    return options


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _beside(
    asked: argparse.Namespace, folder: Path, running: ExitStack
) -> tuple[dict[str, str], dict[str, psutil.Process]]:
    """Settings that name what the server is to use, and the processes that were begun for it."""
    own, others = {}, {}
    if asked.store:
        own["HEARKEN_STORE_URL"] = asked.store
    if asked.postgres:
        from tests.postgres_server import postgres_server

        database = running.enter_context(postgres_server("load"))
        own["HEARKEN_STORE_URL"] = database.url
        others["postgres"] = psutil.Process(database.pid)
    if asked.chroma:
        from tests.chroma_server import chroma_server

        library = running.enter_context(chroma_server(folder / "chroma"))
        own["HEARKEN_LIBRARY_URL"] = library.url
        others["chroma"] = psutil.Process(library.pid)
    if asked.slow:
        url = running.enter_context(_stub(asked.slow))
        own |= {"HEARKEN_RESPONDER": "endpoint", "HEARKEN_ENDPOINT_URL": url, "HEARKEN_MODEL": "m"}
    return own, others


@contextmanager
def _stub(seconds: float) -> Iterator[str]:
    """A process that says the same to everybody after so many seconds, as a busy model does."""
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


def _serving(
    asked: argparse.Namespace, folder: Path, own: dict[str, str], running: ExitStack
) -> tuple[str, psutil.Process, Any]:
    """The address of a server that is ready, its process, and how to end it."""
    port = _free_port()
    own = {
        "HEARKEN_DATA_DIR": str(folder),
        "HEARKEN_SERVE_RATE": "100000",
        "HEARKEN_COUNTRY": "GB",
        **own,
    }
    command = [sys.executable, "-m", "ui.cli", "serve", "--port", str(port)]
    command += ["--processes", str(asked.processes)] if asked.processes > 1 else []
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, env={**os.environ, **own}, stdout=log, stderr=log)

    def end() -> None:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(ENDING)
        except subprocess.TimeoutExpired:
            process.kill()

    running.callback(end)
    url, begun = f"http://127.0.0.1:{port}", time.monotonic()
    while time.monotonic() < begun + READY and process.poll() is None:
        try:
            if httpx.get(f"{url}/health/ready", timeout=10).status_code == 200:
                _say(f"it was ready after {time.monotonic() - begun:.0f} s")
                return url, psutil.Process(process.pid), end
        except httpx.HTTPError:
            time.sleep(0.5)
    raise SystemExit("The server did not start.")


def _free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def _used(server: psutil.Process) -> tuple[float, float]:
    """(seconds of processor time, MB resident) of a process and what it began."""
    times, memory = 0.0, 0
    for one in (server, *server.children(recursive=True)):
        try:
            spent = one.cpu_times()
            times, memory = times + spent.user + spent.system, memory + one.memory_info().rss
        except psutil.NoSuchProcess:  # it ended meanwhile
            continue
    return times, memory / 2**20


def _run(
    url: str, server: psutil.Process, others: dict[str, psutil.Process], asked: crowd.Asked
) -> dict[str, Any]:
    """Lead them, and watch the memory meanwhile."""
    memory: list[float] = []
    over, found, begun = threading.Event(), crowd.Found(), time.perf_counter()

    def watch() -> None:
        while not over.wait(TOLD):
            memory.append(_used(server)[1])
            late = crowd.spread(found.way["new_danger"]).get("p95", "-")
            spent = time.perf_counter() - begun
            _say(f"{spent:5.0f} s: {found.turns} turns, new danger p95 {late} ms, {memory[-1]:.0f} MB")

    watching = threading.Thread(target=watch)
    cpu, before = _used(server)
    others_cpu = {name: _used(one)[0] for name, one in others.items()}
    watching.start()
    try:
        asyncio.run(crowd.lead(url, asked, found))
    finally:
        over.set()
        watching.join()
    spent, (worked, after) = time.perf_counter() - begun, _used(server)
    turns = max(found.turns, 1)
    return {
        "people": asked.people,
        "every_s": asked.every,
        "seconds": round(spent, 1),
        "turns_a_second": round(found.turns / spent, 2),
        **found.told(),
        "cpu_ms_a_turn": round(1000 * (worked - cpu) / turns, 1),
        **{
            f"{name}_cpu_ms_a_turn": round(1000 * (_used(one)[0] - others_cpu[name]) / turns, 1)
            for name, one in others.items()
        },
        "rss_mb": {
            "start": round(before),
            "middle": round(memory[len(memory) // 2]) if memory else None,
            "end": round(after),
        },
    }


def _of(asked: argparse.Namespace, own: dict[str, str]) -> dict[str, Any]:
    return {
        "store": own.get("HEARKEN_STORE_URL", "sqlite").partition(":")[0],
        "library": "chroma server" if "HEARKEN_LIBRARY_URL" in own else "folder",
        "slow_s": asked.slow,
        "processes": asked.processes,
    }


def _log(file: Path) -> dict[str, int]:
    """The warnings and errors of the server, and how often each was written."""
    lines = Counter[str]()
    with file.open(encoding="utf-8", errors="replace") as log:
        for line in log:
            if '"level": "WARNING"' in line or '"level": "ERROR"' in line:
                lines[json.loads(line)["message"][:120]] += 1
    return dict(lines.most_common(8))


def _machine() -> dict[str, Any]:
    return {
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
        "load": round(os.getloadavg()[0], 1),
    }


if __name__ == "__main__":
    main()
