"""A library on a server that comes and goes: turns go on without it, and use it again when it is back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest

from agent.llm.endpoint import Breaker
from agent.settings import Settings
from graph.reopening import reopened
from graph.services import from_settings, library
from graph.session import Session
from graph.turn import Done, StepStarted, Turn
from knowledge.errors import LibraryError
from knowledge.library import Library
from tests.chroma_server import Chroma, chroma_server, free_port, let_go

WORRY = "my best friend has stopped talking to me and I feel so lonely"
DANGER = "I want to kill myself"


class Shelf:
    """A library that fails as it is told."""

    def __init__(self) -> None:
        self.failing, self.opened, self.asked, self.closed = False, 0, 0, 0

    def open(self) -> Library:
        self.opened += 1
        return cast("Library", self)

    def search(self, text: str, k: int, floor: float) -> list[Any]:
        self.asked += 1
        if self.failing:
            raise LibraryError("It fell.")
        return [text]

    def close(self) -> None:
        self.closed += 1


def test_it_is_opened_once_and_anew_after_a_failure_with_a_rest_between() -> None:
    clock, shelf = [0.0], Shelf()
    search = reopened(shelf.open, Breaker(most=1, rest=5, clock=lambda: clock[0]))
    assert search("a", 1, 0.4) == search("a", 1, 0.4) == ["a"]
    assert shelf.opened == 1
    shelf.failing = True
    with pytest.raises(LibraryError, match="fell"):
        search("a", 1, 0.4)
    shelf.failing, asked = False, shelf.asked
    with pytest.raises(LibraryError, match="asked again"):
        search("a", 1, 0.4)
    assert (shelf.asked, shelf.closed) == (asked, 1), "while it rests nobody asks"
    clock[0] += 6
    assert search("a", 1, 0.4) == ["a"]
    assert shelf.opened == 2


def test_what_cannot_be_opened_is_tried_again_later() -> None:
    clock, tries = [0.0], [0]

    def opened() -> Library:
        tries[0] += 1
        raise LibraryError("Nobody answers.")

    search = reopened(opened, Breaker(most=1, rest=5, clock=lambda: clock[0]))
    for _ in range(3):
        with pytest.raises(LibraryError):
            search("a", 1, 0.4)
    assert tries == [1]
    clock[0] += 6
    with pytest.raises(LibraryError, match="Nobody answers"):
        search("a", 1, 0.4)
    assert tries == [2]


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroma]:
    with chroma_server(tmp_path_factory.mktemp("chroma") / "data") as server:
        yield server


@pytest.fixture(autouse=True)
def _closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with let_go(monkeypatch):
        yield


def _opened(url: str, monkeypatch: pytest.MonkeyPatch) -> Session:
    monkeypatch.setattr("graph.reopening.REST", 0.0)
    settings = Settings(library_url=url, country="GB", part_seconds=20)
    return Session.open(services=from_settings(settings), settings=settings)


def _last(session: Session, text: str, at_plan: Any = lambda: None) -> Turn:
    for event in session.stream(text):
        if event == StepStarted("plan"):
            at_plan()
        if isinstance(event, Done):
            return event.turn
    raise AssertionError("a stream ends with Done")


def test_a_server_killed_in_mid_turn_costs_no_reply(chroma: Chroma, monkeypatch: pytest.MonkeyPatch) -> None:
    session = _opened(chroma.url, monkeypatch)
    assert _last(session, WORRY).sources
    alone = _last(session, "I miss my friend and do not know how to reach out", chroma.kill)
    assert alone.text
    assert alone.responder == "guided"
    assert alone.sources == []
    in_danger = _last(session, DANGER)
    assert in_danger.escalated
    assert in_danger.card
    chroma.start()
    again = _opened(chroma.url, monkeypatch)
    assert _last(again, WORRY).sources


def test_the_check_names_a_server_that_is_away(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    url = f"http://127.0.0.1:{free_port()}"
    with pytest.raises(LibraryError, match=url):
        library(Settings(library_url=url))
    turn = _opened(url, monkeypatch).say(WORRY)
    assert turn.text
    assert turn.sources == []
