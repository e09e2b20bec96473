"""A model that is made ready in the background: once, and its failure is a sentence."""

import threading
import time

import pytest

from agent.errors import ResponderError
from agent.llm.chat import Chat
from agent.llm.standby import Progress, Standby
from tests import fakes


def ready(progress: Progress) -> Chat:
    return Chat(lambda messages, **options: iter(["I hear you."]))


def test_it_is_loaded_once_and_only_when_asked_for() -> None:
    loads: list[int] = []

    def load(progress: Progress) -> Chat:
        loads.append(1)
        time.sleep(0.05)
        return ready(progress)

    standby = Standby(load)
    assert not standby.trouble()
    assert not loads
    threads = [threading.Thread(target=standby.prepare, args=(1.0,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert list(standby.respond(fakes.brief())) == ["I hear you."]
    assert list(standby.again(fakes.brief(), [], "Why.")) == ["I hear you."]
    assert len(loads) == 1
    assert not standby.trouble()


def test_while_it_loads_somebody_else_answers_and_it_tells_how_far_it_is() -> None:
    go, begun = threading.Event(), threading.Event()

    def slow(progress: Progress) -> Chat:
        progress("loading m", 0.4)
        begun.set()
        go.wait(10)
        return ready(progress)

    standby = Standby(slow, patience=0.05)
    standby.prepare()
    begun.wait(10)
    with pytest.raises(ResponderError, match=r"not ready yet \(loading m, 40%\)"):
        list(standby.respond(fakes.brief()))
    go.set()
    assert standby.prepare(10) == ""
    assert list(standby.respond(fakes.brief()))


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ResponderError("It needs 9 GB; free some memory."), "needs 9 GB"),
        (MemoryError(), "MemoryError"),
        (ModuleNotFoundError("torch"), "ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_loaded_says_why_and_keeps_nobody_waiting(error: Exception, says: str) -> None:
    def load(progress: Progress) -> Chat:
        raise error

    standby = Standby(load)
    assert says in standby.prepare(5)
    with pytest.raises(ResponderError, match=says):
        list(standby.respond(fakes.brief()))
    assert says in standby.trouble()


def test_a_failure_is_forgotten_when_it_is_asked_for_anew_and_not_before() -> None:
    loads: list[int] = []

    def load(progress: Progress) -> Chat:
        loads.append(1)
        if len(loads) == 1:
            raise ResponderError("It needs 9 GB; free some memory.")
        return ready(progress)

    standby = Standby(load)
    standby.anew()
    assert "9 GB" in standby.prepare(5)
    assert "9 GB" in standby.prepare(5)
    assert len(loads) == 1
    standby.anew()
    assert standby.prepare(5) == ""
    chat = standby.chat(lambda stage, share: None)
    chat.trouble = "Nothing answers there."
    standby.anew()
    assert standby.trouble() == ""
    assert not standby.loading()
    assert len(loads) == 2


def test_what_is_loaded_for_one_is_waited_for_by_another_who_hears_how_far_it_is() -> None:
    go, heard = threading.Event(), list[tuple[str, float]]()

    def slow(progress: Progress) -> Chat:
        progress("loading m", 0.4)
        go.wait(10)
        return ready(progress)

    def listen(stage: str, share: float) -> None:
        heard.append((stage, share))
        if stage == "loading m":
            go.set()

    standby = Standby(slow)
    assert list(standby.chat(listen).respond(fakes.brief())) == ["I hear you."]
    assert heard[-1] == ("loading m", 0.4)


def test_who_waits_for_what_cannot_be_loaded_hears_why() -> None:
    def load(progress: Progress) -> Chat:
        raise ResponderError("It needs 9 GB; free some memory.")

    with pytest.raises(ResponderError, match="9 GB"):
        Standby(load).chat(lambda stage, share: None)
