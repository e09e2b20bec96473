"""The real app in a real browser, as a person meets it: on a phone, or with the keyboard alone."""

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.ui import browser as real
from tests.ui.browser import opened, say

pytestmark = real.MARKS

CANARY = "CANARY-88aa"
ELSEWHERE = "https://elsewhere.example/"


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def url(tmp_path: Path, filled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("HEARKEN_COUNTRY", "GB")
    monkeypatch.setenv("HEARKEN_EXIT_URL", ELSEWHERE)
    with real.served(tmp_path / "server.log") as address:
        yield address


@pytest.fixture
def chromium() -> Iterator[Any]:
    with real.chromium() as browser:
        yield browser


def seen(page: Any, locator: Any) -> bool:
    """Whether all of it is in the window as it is, with nothing scrolled."""
    box = locator.bounding_box()
    size = page.viewport_size
    return bool(box and box["y"] >= 0 and box["y"] + box["height"] <= size["height"])


def test_a_person_types_and_reads_a_reply_and_nothing_goes_to_the_network(chromium: Any, url: str) -> None:
    asked: list[str] = []
    page = chromium.new_page(viewport={"width": 390, "height": 844})
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=30_000)
    assert seen(page, page.get_by_text("This is an AI assistant", exact=False).first)
    reply = say(page, "I had a fight with my sister and I cannot sleep", 1)
    assert len(reply.split()) > 12
    assert "Traceback" not in page.content()
    say(page, "<script>document.title='pwned'</script> **so** [this](http://e.example) happened", 2)
    assert page.title() == "hearken"
    assert page.locator("a[href^='http://e.example']").count() == 0
    assert not [
        one for one in asked if not one.startswith((url, url.replace("http", "ws"), "data:", "blob:"))
    ]


def test_the_lines_are_in_sight_at_360_pixels_and_stay_there(chromium: Any, url: str) -> None:
    page = opened(chromium, url, width=360, height=640)
    say(page, "I want to kill myself", 1)
    page.wait_for_timeout(1000)
    for link in ("a[href='tel:116123']", "a[href='sms:85258']", "a[href='tel:999']"):
        assert seen(page, page.locator(link).last)
    assert page.locator("[role=alert]", has_text="Samaritans").count() == 1
    say(page, "I do not know what to say", 2)
    page.wait_for_timeout(1000)
    assert seen(page, page.locator("a[href='tel:116123']").last)
    assert seen(page, page.get_by_test_id("stChatInputTextArea"))


@pytest.mark.parametrize("by", ["key", "button"])
def test_the_quick_exit_leaves_nothing_and_no_way_back(chromium: Any, url: str, by: str, data: Path) -> None:
    page = opened(chromium, url)
    page.route(f"{ELSEWHERE}**", lambda route: route.fulfill(body="<p>weather</p>", content_type="text/html"))
    say(page, f"{CANARY} my cat died", 1)
    if by == "key":
        page.get_by_test_id("stChatInputTextArea").last.press("F9")  # drawn anew: two for a moment
    else:
        page.get_by_role("button", name="Leave").first.click()
    # Key and server may both send it there: the first way is then cut off by the second, which is no fault.
    page.get_by_text("weather").wait_for(timeout=15_000)
    assert page.url.startswith(ELSEWHERE)
    page.go_back()
    assert CANARY not in page.content()
    page.goto(url)
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=30_000)
    assert CANARY not in page.content()
    assert not any(CANARY.encode() in one.read_bytes() for one in data.rglob("*") if one.is_file())


def test_a_kept_talk_is_resumed_after_a_reload_saved_and_deleted_to_the_last_byte(
    chromium: Any, url: str, data: Path, tmp_path: Path
) -> None:
    page = opened(chromium, url)
    page.get_by_text("Keep this conversation on this device").click()
    page.wait_for_timeout(500)
    say(page, f"{CANARY} my cat died", 1)
    page.goto(f"{url}/talks")
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save").first.click()
        page.get_by_role("button", name="Save to read").click()
    saved.value.save_as(tmp_path / "saved.md")
    assert "my cat died" in (tmp_path / "saved.md").read_text()
    page.keyboard.press("Escape")
    page.get_by_test_id("stBaseButton-primary").get_by_text("Open").click()
    page.get_by_text("my cat died").first.wait_for(timeout=30_000)
    page.get_by_role("button", name="Save or delete").click()
    page.get_by_role("button", name="Delete this conversation").click()
    page.get_by_text("A place to say what is on your mind").wait_for(timeout=30_000)
    (tmp_path / "saved.md").unlink()
    assert not any(CANARY.encode() in one.read_bytes() for one in data.rglob("*") if one.is_file())


def test_help_and_a_whole_turn_with_the_keyboard_alone(chromium: Any, url: str) -> None:
    page = opened(chromium, url, width=1100, height=900)

    def tab_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            focused = "['BUTTON', 'SUMMARY', 'A'].includes(document.activeElement.tagName)"
            if page.evaluate(focused) and name in page.evaluate("document.activeElement.innerText"):
                return
        pytest.fail(f"{name} cannot be reached with the keyboard")

    tab_to("Help right now")
    page.keyboard.press("Enter")
    page.locator("a[href='tel:116123']").first.wait_for(timeout=10_000)
    page.keyboard.press("Escape")
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.testid") == "stChatInputTextArea":
            break
    page.keyboard.type("my cat died yesterday")
    page.keyboard.press("Enter")
    page.get_by_text("Why this reply").first.wait_for(timeout=30_000)
    tab_to("Why this reply")
    page.keyboard.press("Enter")
    page.get_by_text("The reply went the ordinary way", exact=False).wait_for(timeout=10_000)


def test_every_control_of_every_page_is_reached_with_the_keyboard_and_shows_it(
    chromium: Any, url: str
) -> None:
    page = opened(chromium, url, width=1100, height=900)
    say(page, "my cat died yesterday", 1)
    # Of a group of which one can be chosen, one is reached with Tab and the others with the arrows.
    mark = """() => [...document.querySelectorAll('.stApp :is(button, a[href], input, textarea, summary)')]
        .filter((e) => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0
            && e.getBoundingClientRect().width > 1 && e.role !== 'radio')
        .map((e, number) => { e.dataset.number = number; return [number, e.innerText || e.ariaLabel]; })"""
    here = """() => { const e = document.activeElement, link = e.matches('a, button, summary');
        return [e.dataset.number, !link || getComputedStyle(e).outlineStyle !== 'none']; }"""
    for number in range(6):
        page.locator("[data-testid=stSidebarNav] a").nth(number).click()
        page.wait_for_timeout(500)
        page.locator("[data-test-script-state=notRunning]").wait_for(timeout=60_000)
        page.wait_for_timeout(1000)
        controls, reached = dict(page.evaluate(mark)), set()
        for _ in range(2 * len(controls) + 20):
            page.keyboard.press("Tab")
            at, shown = page.evaluate(here)
            if at is not None:
                reached.add(int(at))
                assert shown, controls[int(at)]
        assert [text for at, text in controls.items() if at not in reached] == []


def test_words_not_sent_yet_stay_when_the_page_is_drawn_anew(chromium: Any, url: str) -> None:
    page = opened(chromium, url)
    box = page.get_by_test_id("stChatInputTextArea")
    box.fill("half a thought")
    page.get_by_text("Keep this conversation on this device").click()
    page.get_by_text("stored on this computer").wait_for(timeout=30_000)
    assert box.input_value() == "half a thought"
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Safety plan").click()
    page.locator("h4").first.wait_for(timeout=30_000)
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_role("link", name="Talk").click()
    box.wait_for(timeout=30_000)
    page.wait_for_timeout(500)
    assert box.input_value() == "half a thought"
    box.press("Enter")
    page.get_by_text("Why this reply").first.wait_for(timeout=30_000)
    assert page.get_by_test_id("stChatMessage").first.inner_text().endswith("half a thought")
    page.wait_for_timeout(500)
    assert box.input_value() == ""


@pytest.mark.parametrize("size", ["Usual", "Largest"])
def test_nothing_at_the_top_covers_another_at_360_pixels(chromium: Any, url: str, size: str) -> None:
    page = opened(chromium, url, width=360, height=640)
    page.goto(f"{url}/choices")
    page.locator("h4").first.wait_for(timeout=30_000)
    page.get_by_text(size, exact=True).first.click()
    page.wait_for_timeout(1500)
    places = [page.get_by_test_id("stExpandSidebarButton")]
    places += [page.locator(f".st-key-{name} button:visible").first for name in ("protocol", "leave", "help")]
    boxes = [place.bounding_box() for place in places]
    for left, right in pairwise(boxes):
        assert left["x"] + left["width"] <= right["x"] + 1
    assert boxes[0]["x"] >= 0
    assert boxes[-1]["x"] + boxes[-1]["width"] <= 360


def test_what_is_small_can_be_read_in_the_dark_inside_a_menu_too(chromium: Any, url: str) -> None:
    page = opened(chromium, url, scheme="dark")
    say(page, "my cat died yesterday", 1)
    page.get_by_role("button", name="Save or delete").click()
    page.wait_for_timeout(800)
    told = page.get_by_test_id("stPopoverBody").get_by_test_id("stCaptionContainer").first
    ink = told.evaluate("e => getComputedStyle(e).color.match(/[0-9.]+/g).slice(0, 3).map(Number)")
    assert min(ink) > 0.6 * (255 if max(ink) > 1 else 1)


def test_two_people_at_once_never_see_each_other(chromium: Any, url: str) -> None:
    one, other = opened(chromium, url), opened(chromium, url)  # each page in a context of its own
    say(one, f"{CANARY} my cat died", 1)
    say(other, "my boss shouted at me", 1)
    assert CANARY in one.content()
    assert CANARY not in other.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_serious_finding_of_the_accessibility_scan(chromium: Any, url: str, scheme: str) -> None:
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="the `dev` extra brings axe")
    page = opened(chromium, url, scheme=scheme)

    def found() -> list[tuple[str, str]]:
        page.wait_for_timeout(300)
        page.locator("[data-test-script-state=notRunning]").wait_for(timeout=60_000)  # what is old is faded
        page.wait_for_timeout(1500)
        violations = axe.Axe().run(page).response["violations"]
        grave = [one for one in violations if one["impact"] in {"serious", "critical"}]
        return [(one["id"], node["html"][:200]) for one in grave for node in one["nodes"]]

    assert found() == []
    say(page, "I want to kill myself", 1)
    assert found() == []
    for name in ("talks", "moods", "plan", "exercises", "choices"):
        page.goto(f"{url}/{name}")
        page.locator("h4").first.wait_for(timeout=30_000)
        assert (name, found()) == (name, [])
    page.get_by_role("button", name="See what this machine can run").click()
    page.get_by_test_id("stRadio").first.wait_for(timeout=60_000)
    assert found() == []
    page.get_by_text("Set a passphrase").click()
    for label in ("New passphrase", "The same again"):
        page.get_by_label(label).fill("four quiet words here")
    assert found() == []
    page.get_by_role("button", name="Encrypt what is kept").click()
    page.get_by_role("button", name="Lock now").wait_for(timeout=60_000)
    assert found() == []
    page.goto(url)
    page.get_by_text("What was kept here is locked").wait_for(timeout=60_000)
    page.get_by_test_id("stChatInputTextArea").wait_for(timeout=30_000)
    assert found() == []
