"""A real PostgreSQL of a test's own that it may stop, freeze and start again; nothing listens on a port."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

__all__ = ["Postgres", "postgres_server"]


class Postgres:
    """A cluster in a folder, reached by a socket there."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._runs: dict[str, Any] = {"timeout": 60, "stdout": subprocess.DEVNULL}
        if os.geteuid() == 0:  # PostgreSQL refuses to run as root
            shutil.chown(folder, "postgres")
            self._runs["user"] = "postgres"
        self.url = f"postgresql://hearken@/postgres?host={folder}"
        self._run("initdb", "-U", "hearken", "-A", "trust")

    def _run(self, program: str, *rest: object) -> None:
        command = [self._programs / program, "-D", self._folder / "data", *rest]
        subprocess.run([str(part) for part in command], check=True, **self._runs)

    def start(self) -> None:
        # fsync stays on: what was acknowledged has to be there after a crash
        options = f"-c listen_addresses='' -c unix_socket_directories={self._folder}"
        self._run("pg_ctl", "-w", "-l", self._folder / "log", "-o", options, "start")

    @property
    def pid(self) -> int:
        """Of its first process."""
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def kill(self) -> None:
        """End it at once, without a checkpoint, as a crash does."""
        with suppress(subprocess.CalledProcessError):  # it is not running
            self._run("pg_ctl", "-m", "immediate", "stop")

    def freeze(self) -> None:
        """Let every process of it stand still: it takes connections and answers nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        import psutil

        main = psutil.Process(self.pid)
        for process in (main, *main.children()):
            with suppress(psutil.NoSuchProcess):  # some of them come and go
                process.send_signal(number)


@contextmanager
def postgres_server(name: str) -> Iterator[Postgres]:
    """A started one; skips the test where PostgreSQL is not installed."""
    pytest.importorskip("psycopg", reason="PostgreSQL needs the extra `postgres`")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb")) if os.name == "posix" else []
    if not found:
        pytest.skip("PostgreSQL is not installed here (Debian: apt-get install postgresql)")
    folder = Path("/tmp") / f"hearken-{name}-{os.getpid()}"  # noqa: S108 - a socket's path may not be long
    folder.mkdir(mode=0o700)
    try:
        server = Postgres(found[-1].parent, folder)
        server.start()
        try:
            yield server
        finally:
            with suppress(OSError):  # it is not running
                server.thaw()
            server.kill()
    finally:
        shutil.rmtree(folder)
