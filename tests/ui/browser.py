"""A real Chromium on the real app: the server, a page of a phone's width, and what a person does with it."""

import shutil
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

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = [
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
MARKS = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium here: apt-get install chromium to run browser tests"
    ),
    # Playwright's own event loop leaves sockets to the collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@contextmanager
def served(log: Path) -> Iterator[str]:
    """The app on a free port; ending the command ends the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with log.open("wb") as out:
        server = subprocess.Popen(
            [sys.executable, "-m", "ui.cli", "ui", "--port", str(port), "--no-browser"],
            stdout=out,
            stderr=subprocess.STDOUT,
            cwd=Path(__file__).parents[2],
        )
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health")
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(60)  # on a machine that others use too
            # Nothing may go on listening behind it.
            with socket.socket() as probe:
                assert probe.connect_ex(("127.0.0.1", port)) != 0


def _wait(health: str) -> None:
    for _ in range(1200):
        try:
            with urllib.request.urlopen(health, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the app did not come up within two minutes")


@contextmanager
def chromium() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            browser.close()


def opened(browser: Any, url: str, *, width: int = 390, height: int = 844, scheme: str = "light") -> Any:
    """A page on the app, when there is something to write into."""
    tab = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
    tab.goto(url)
    tab.get_by_test_id("stChatInputTextArea").wait_for(timeout=30_000)
    return tab


def say(page: Any, text: str, replies: int) -> str:
    """Write, send, and read the whole reply."""
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    box.press("Enter")
    page.get_by_text("Why this reply").nth(replies - 1).wait_for(timeout=30_000)
    return str(page.get_by_test_id("stChatMessage").last.inner_text())
