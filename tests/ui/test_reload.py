"""The page is loaded anew while a reply streams: what is lost is said, what is kept is there, once."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests import stub_server
from tests.ui import browser as real
from tests.ui.browser import opened

pytestmark = real.MARKS

CANARY = "CANARY-4c1e"
SAID = f"{CANARY} my cat died and the house is so quiet"
SENTENCES = [
    "Losing her leaves the house very quiet.",
    "It makes sense that the evenings feel long now.",
    "You looked after her for many years.",
    "Missing her shows how much she mattered to you.",
    "There is no hurry with any of this.",
]


def slowly(asked: dict[str, Any]) -> tuple[int, Iterator[bytes]]:
    def pieces() -> Iterator[bytes]:
        for sentence in SENTENCES:
            yield stub_server.chunk(f"{sentence} ")
            time.sleep(1.5)
        yield stub_server.DONE

    return 200, pieces()


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def url(tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    with stub_server.served(slowly) as (address, _):
        monkeypatch.setenv("HEARKEN_COUNTRY", "GB")
        monkeypatch.setenv("HEARKEN_RESPONDER", "endpoint")
        monkeypatch.setenv("HEARKEN_ENDPOINT_URL", address)
        monkeypatch.setenv("HEARKEN_MODEL", "m")
        with real.served(tmp_path / "server.log") as here:
            yield here


@pytest.fixture
def chromium() -> Iterator[Any]:
    with real.chromium() as browser:
        yield browser


def begin(page: Any) -> str:
    """Say something, and wait for the first sentence of the reply; gives what stands there of it."""
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill(SAID)
    box.press("Enter")
    reply = page.get_by_test_id("stChatMessage").last.get_by_test_id("stText")
    reply.wait_for(timeout=60_000)
    return str(reply.inner_text())


def anew(page: Any) -> None:
    page.reload()
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=60_000)
    page.locator(".reloaded", has_text="loaded anew").wait_for(timeout=30_000)
    page.get_by_role("button", name="Help right now").click()
    page.locator("a[href='tel:116123']").first.wait_for(timeout=10_000)
    page.keyboard.press("Escape")


def test_a_temporary_talk_is_gone_and_the_page_says_so(chromium: Any, url: str, data: Path) -> None:
    page = opened(chromium, url)
    begin(page)
    anew(page)
    assert "It was temporary" in page.locator(".reloaded").inner_text()
    assert CANARY not in page.content()
    page.wait_for_timeout(1000)
    assert not any(CANARY.encode() in one.read_bytes() for one in data.rglob("*") if one.is_file())
    assert CANARY not in page.evaluate("JSON.stringify({...sessionStorage, ...localStorage})")
    page.reload()  # once said, it is not said again
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=60_000)
    page.wait_for_timeout(1000)
    assert page.locator(".reloaded").inner_text() == ""


def test_a_kept_talk_is_there_once_with_all_that_was_seen(chromium: Any, url: str) -> None:
    page = opened(chromium, url)
    page.get_by_text("Keep this conversation on this device").click()
    page.wait_for_timeout(800)
    seen = begin(page)
    anew(page)
    assert "is kept" in page.locator(".reloaded").inner_text()
    page.wait_for_timeout(12_000)  # whatever went on behind the page has come to its end
    page.goto(f"{url}/talks")
    page.get_by_test_id("stBaseButton-primary").get_by_text("Open").wait_for(timeout=60_000)
    assert page.get_by_test_id("stBaseButton-primary").get_by_text("Open").count() == 1
    page.get_by_test_id("stBaseButton-primary").get_by_text("Open").click()
    page.get_by_test_id("stChatMessage").nth(1).wait_for(timeout=60_000)
    talk = [one.inner_text() for one in page.get_by_test_id("stChatMessage").all()]
    assert len(talk) == 2
    assert "\n".join(talk).count(CANARY) == 1
    for sentence in re.findall(r"[^.]+\.", seen):
        assert talk[1].count(sentence.strip()) == 1
    assert page.get_by_role("button", name="Help right now").is_visible()
    page.get_by_test_id("stChatInputTextArea").fill("she was called Minou")
    page.get_by_test_id("stChatInputTextArea").press("Enter")
    page.get_by_test_id("stChatMessage").nth(3).get_by_test_id("stText").wait_for(timeout=60_000)
    assert page.get_by_text(CANARY).count() == 1
