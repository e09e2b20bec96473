"""A real Chroma server on the loopback that a test may kill and start again."""

import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from knowledge import library as library_module
from knowledge.index import Index
from knowledge.server import open_server

__all__ = ["Chroma", "chroma_server", "free_port", "let_go"]

PATIENCE = 60.0  # seconds for it to come up; it takes about one


class Chroma:
    """`chroma run` in a folder, on a port that stays the same."""

    def __init__(self, program: str, folder: Path) -> None:
        self._program, self._folder, self.port = program, folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """Of the server that runs now."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        command = [self._program, "run", "--path", self._folder, "--host", "127.0.0.1"]
        self._process = subprocess.Popen(
            [*map(str, command), "--port", str(self.port)],
            cwd=self._folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            assert self._process.poll() is None, "chroma run ended by itself"
            try:
                urllib.request.urlopen(f"{self.url}/api/v2/heartbeat", timeout=5).close()
            except OSError:
                time.sleep(0.05)
            else:
                return
        raise AssertionError("chroma run does not answer")

    def kill(self) -> None:
        """End it at once, as a machine that goes away does."""
        if self._process is not None:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None

    def freeze(self) -> None:
        """Let it take connections and answer nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def empty(self) -> None:
        """Lose all that it kept."""
        shutil.rmtree(self._folder)
        self._folder.mkdir()


@contextmanager
def let_go(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Closes every library on a server that was opened meanwhile."""
    opened: list[Index] = []

    def noted(*given: Any, **how: Any) -> Index:
        opened.append(open_server(*given, **how))
        return opened[-1]

    monkeypatch.setattr(library_module, "open_server", noted)
    yield
    for index in opened:
        index.close()


@contextmanager
def chroma_server(folder: Path) -> Iterator[Chroma]:
    """A started server; skips the test where Chroma's own program is not there."""
    program = shutil.which("chroma", path=str(Path(sys.executable).parent)) or shutil.which("chroma")
    if program is None or not hasattr(signal, "SIGSTOP"):
        pytest.skip("the program `chroma`, which the package chromadb brings, is not on this machine")
    folder.mkdir(parents=True, exist_ok=True)
    server = Chroma(program, folder)
    server.start()
    try:
        yield server
    finally:
        server.kill()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
