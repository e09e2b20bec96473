"""Danger computes ahead of everybody; ordinary turns take seats, stand aside, and wait for no model."""

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the API needs the extra `serve`")

from agent.errors import ResponderError
from tests.fakes import brief, services
from ui.serve import cores as cores_module
from ui.serve.cores import Cores, lending


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody stands aside for so short a time that a slow machine would notice."""
    monkeypatch.setattr(cores_module, "ASIDE", 60.0)


class Turn:
    """A turn in a thread of its own, which a test leads step by step."""

    def __init__(self, cores: Cores) -> None:
        self.sits, self.aside, self.back, self.end = (threading.Event() for _ in range(4))
        self._thread = threading.Thread(target=self._run, args=(cores,))
        self._thread.start()

    def _run(self, cores: Cores) -> None:
        with cores.ordinary() as aside:
            self.sits.set()
            self.aside.wait(60)
            aside()
            self.back.set()
            self.end.wait(60)

    def over(self) -> None:
        for one in (self.aside, self.end):
            one.set()
        self._thread.join()


@pytest.fixture
def turns() -> Iterator[Callable[[Cores], Turn]]:
    made: list[Turn] = []

    def turn(cores: Cores) -> Turn:
        made.append(Turn(cores))
        return made[-1]

    yield turn
    for one in made:
        one.over()


def test_a_turn_waits_for_a_seat(turns: Callable[[Cores], Turn]) -> None:
    cores = Cores(1)
    first = turns(cores)
    assert first.sits.wait(30)
    second = turns(cores)
    assert not second.sits.wait(0.05)
    first.over()
    assert second.sits.wait(30)


def test_danger_needs_no_seat_and_others_stand_aside_meanwhile(turns: Callable[[Cores], Turn]) -> None:
    cores = Cores(1)
    first = turns(cores)
    assert first.sits.wait(30)
    with cores.urgent():
        first.aside.set()
        second = turns(cores)
        assert not first.back.wait(0.05)
        assert not second.sits.is_set()
    assert first.back.wait(30), "what had begun goes on before what had not"
    assert not second.sits.wait(0.05)
    first.over()
    assert second.sits.wait(30)


def test_danger_without_end_holds_nobody_up_for_ever(
    turns: Callable[[Cores], Turn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cores_module, "ASIDE", 0.05)
    cores = Cores(1)
    with cores.urgent():
        assert turns(cores).sits.wait(30)


def test_who_waits_for_a_model_lends_the_seat(turns: Callable[[Cores], Turn]) -> None:
    cores = Cores(1)
    first = turns(cores)
    assert first.sits.wait(30)
    with cores.lent():
        second = turns(cores)
        assert second.sits.wait(30)
    first.aside.set()
    assert not first.back.wait(0.05), "there is one seat for two again"
    second.over()
    assert first.back.wait(30)


def test_a_crowded_model_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cores_module, "PLACE", 0.05)
    go, begun = threading.Event(), threading.Event()

    def slow(asked: Any) -> Iterator[str]:
        begun.set()
        go.wait(60)
        yield "I hear you."

    given = lending(services(respond=slow), Cores(1), places=1)
    first: list[str] = []
    waits = threading.Thread(target=lambda: first.extend(given.respond(brief())))
    waits.start()
    assert begun.wait(30)
    with pytest.raises(ResponderError, match="place"):
        list(given.respond(brief()))
    go.set()
    waits.join()
    assert first == list(given.respond(brief())) == ["I hear you."]


def test_a_reply_given_up_frees_its_place() -> None:
    given = lending(services(respond=lambda asked: ["One.", "Two."]), Cores(1), places=1)
    half = iter(given.respond(brief()))
    assert next(half) == "One."
    del half
    assert list(given.respond(brief())) == ["One.", "Two."]


def test_guided_words_need_no_place() -> None:
    given = services()
    assert lending(given, Cores(1), places=1) is given


def test_every_use_of_the_model_has_its_place() -> None:
    given = lending(
        services(
            respond=lambda asked: "One whole string.",
            again=lambda asked, said, why: ["Again."],
            fears=lambda text: "high",
        ),
        Cores(1),
        places=1,
    )
    assert given.again is not None
    assert given.fears is not None
    assert list(given.respond(brief())) == ["One whole string."]
    assert list(given.again(brief(), [], "length")) == ["Again."]
    assert given.fears("anything") == "high"
