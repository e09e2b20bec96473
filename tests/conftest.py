"""Every test runs with an empty environment, its own data folder, and no way to the network."""

import os
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

os.environ.update(HF_HUB_OFFLINE="1", HF_HUB_DISABLE_TELEMETRY="1", LANGSMITH_TRACING="false")


@pytest.fixture(autouse=True)
def _own_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("HEARKEN_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HEARKEN_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture(autouse=True)
def _no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loopback alone may be reached; anything else is a failure, not a delay."""
    connect: Callable[..., object] = socket.socket.connect

    def guarded(self: socket.socket, address: object) -> object:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            host = str(address[0]) if isinstance(address, tuple) else ""
            assert host in {"127.0.0.1", "::1", "localhost"}, f"a test tried to reach {host}"
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", guarded)


@pytest.fixture(scope="session")
def _filled_index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The index over the starter library, built once for all tests that want the real one."""
    from agent.reading.encoder import load_encoder
    from knowledge.library import Library

    folder = tmp_path_factory.mktemp("filled") / "index"
    encoder = load_encoder()
    Library.open(folder, encoder.embed, encoder.name).close()
    return folder


@pytest.fixture
def filled(_filled_index: Path, tmp_path: Path) -> Path:
    """This test's data folder, with a filled index in it."""
    shutil.copytree(_filled_index, tmp_path / "data" / "index")
    return tmp_path / "data"
