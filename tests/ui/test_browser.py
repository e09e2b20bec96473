"""The real app in a real browser: a person types a message and reads the reply, at a phone's width."""

import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
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

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(
        CHROMIUM is None, reason="no Chromium here: apt-get install chromium to run browser tests"
    ),
    # Playwright's own event loop leaves sockets to the collector
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]


@pytest.fixture
def url(tmp_path: Path, filled: Path) -> Iterator[str]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log = (tmp_path / "server.log").open("wb")
    server = subprocess.Popen(
        [sys.executable, "-m", "ui.cli", "ui", "--port", str(port), "--no-browser"],
        stdout=log,
        stderr=subprocess.STDOUT,
        cwd=Path(__file__).parents[2],
    )
    try:
        _wait(f"http://127.0.0.1:{port}/_stcore/health")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(10)
        log.close()
        # Ending the command ends the server: nothing may go on listening behind it.
        with socket.socket() as probe:
            assert probe.connect_ex(("127.0.0.1", port)) != 0


def _wait(health: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(health, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    pytest.fail("the app did not come up within 30 s")


@pytest.fixture
def page(url: str) -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        tab = browser.new_page(viewport={"width": 390, "height": 844})
        tab.goto(url)
        tab.get_by_test_id("stChatInputTextArea").wait_for(timeout=30_000)
        yield tab
        browser.close()


def _say(page: Any, text: str, replies: int) -> str:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    box.press("Enter")
    panels = page.get_by_text("Why this reply")
    panels.nth(replies - 1).wait_for(timeout=30_000)
    return str(page.get_by_test_id("stChatMessage").last.inner_text())


def test_a_person_types_and_reads_a_reply_and_meets_the_right_number(page: Any) -> None:
    reply = _say(page, "I had a fight with my sister and I cannot sleep", 1)
    assert len(reply.split()) > 12
    assert "Traceback" not in page.content()
    reply = _say(page, "<script>document.title='pwned'</script> **so** [this](http://e.example) happened", 2)
    assert page.title() == "hearken"
    _say(page, "I want to kill myself", 3)
    assert (
        page.get_by_text("findahelpline", exact=False).count()
        or page.locator("a[href^='https://findahelpline']").count()
    )
    assert page.locator("a[href^='http://e.example']").count() == 0
