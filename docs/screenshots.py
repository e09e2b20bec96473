"""Take the pictures of the README from the real app: `python docs/screenshots.py [--out docs]`.

Starts the app on a free port with an empty data folder, talks to it in headless Chromium, and writes
PNG files. Needs the `dev` extra and a Chromium. Knows nothing of what a reply should be.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

FLAGS = ["--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-sync"]
SAID = [
    "I moved here for work in spring and know nobody",
    "Weekends are the worst, I used to sing in a choir",
]


def main() -> None:
    """Every picture, at a desktop's and at a phone's width."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent)
    parser.add_argument("--dark", action="store_true")
    options = parser.parse_args()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "HEARKEN_DATA_DIR": folder, "HEARKEN_COUNTRY": "GB"}
        command = [sys.executable, "-m", "ui.cli", "ui", "--port", str(port), "--no-browser"]
        server = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
        try:
            _wait(f"http://127.0.0.1:{port}/_stcore/health")
            _pictures(f"http://127.0.0.1:{port}", options.out, dark=options.dark)
        finally:
            server.terminate()
            server.wait(10)


def _wait(health: str) -> None:
    for _ in range(300):
        try:
            with urllib.request.urlopen(health, timeout=1):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise SystemExit("the app did not come up within 30 s")


def _pictures(url: str, out: Path, *, dark: bool) -> None:
    chromium = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        for name, width, height in (("desktop", 1100, 1000), ("phone", 390, 844)):
            scheme: Any = "dark" if dark else "light"
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
            page.goto(url)
            page.get_by_test_id("stChatInputTextArea").wait_for(timeout=60_000)
            page.wait_for_timeout(6000 if name == "desktop" else 1500)
            page.screenshot(path=out / f"start-{name}.png")
            for number, text in enumerate(SAID, 1):
                _say(page, text, number)
            page.get_by_text("Why this reply").last.click()
            page.wait_for_timeout(800)
            page.screenshot(path=out / f"conversation-{name}.png")
            _say(page, "I want to kill myself", len(SAID) + 1)
            page.wait_for_timeout(800)
            page.screenshot(path=out / f"crisis-{name}.png")
            page.get_by_text("Help right now").first.click()
            page.wait_for_timeout(800)
            page.screenshot(path=out / f"help-{name}.png")
            for part in ("talks", "moods", "plan", "exercises", "choices"):
                page.goto(f"{url}/{part}")
                page.locator("h4").first.wait_for(timeout=60_000)
                page.wait_for_timeout(1500)
                page.screenshot(path=out / f"{part}-{name}.png")
            page.close()
        browser.close()


def _say(page: Any, text: str, replies: int) -> None:
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(text)
    box.press("Enter")
    page.get_by_text("Why this reply").nth(replies - 1).wait_for(timeout=60_000)


if __name__ == "__main__":
    main()
