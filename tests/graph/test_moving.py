"""Conversations taken from one store into another: whole, once, and nobody else's."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from graph.hosted import Answered, Hosted
from graph.ledger import Ledger, Unknown
from graph.moving import moved
from graph.shared import Shared, open_shared
from tests.fakes import services
from tests.postgres_server import postgres_server

DANGER = "I want to kill myself"
KEY = "a passphrase of the old store"


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    with postgres_server("moving") as server:
        yield server.url


@pytest.fixture
def closing() -> Iterator[list[Shared]]:
    opened: list[Shared] = []
    yield opened
    for one in opened:
        one.close()


@pytest.fixture(params=["sqlite to postgresql", "encrypted to postgresql", "postgresql to sqlite"])
def stores(
    request: pytest.FixtureRequest, tmp_path: Path, closing: list[Shared]
) -> Iterator[tuple[Shared, Shared]]:
    """The old store, and an empty new one."""
    if request.param == "postgresql to sqlite":
        with postgres_server("old") as server:
            urls = [(server.url, None), (f"sqlite:///{tmp_path / 'new.sqlite'}", None)]
            closing += [open_shared(*given) for given in urls]
            closing[0].migrate()
            yield closing[0], closing[1]
        return
    passphrase = KEY if "encrypted" in request.param else None
    closing.append(open_shared(f"sqlite:///{tmp_path / 'old.sqlite'}", passphrase))
    closing.append(open_shared(request.getfixturevalue("postgres")))
    yield closing[0], closing[1]


def _hosted(shared: Shared) -> Hosted:
    return Hosted(services(), Ledger(shared))


def _said(hosted: Hosted, thread: str, text: str, **how: Any) -> Answered:
    last = list(hosted.say("ann", thread, text, **how))[-1]
    assert isinstance(last, Answered)
    return last


def test_a_conversation_goes_on_in_the_new_store_as_if_nothing_had_been(
    stores: tuple[Shared, Shared],
) -> None:
    old, new = stores
    before = _hosted(old)
    thread, calm, empty = before.open("ann", "GB"), before.open("ann"), before.open("bob")
    first = _said(before, thread, DANGER, key="k1")
    _said(before, calm, "my sister moved away")
    before.ledger.rate("ann", thread, 1, helpful=True)
    before.ledger.begin("ann", calm, "cut", "words of a worker that died")
    history, exported = before.history("ann", thread), before.export("ann", thread)
    assert moved(old, new)[0] == 3
    after = _hosted(new)
    assert after.history("ann", thread) == history
    assert after.export("ann", thread) == exported
    assert _said(after, thread, DANGER, key="k1").reply == first.reply, "the key still repeats its reply"
    assert after.danger("ann", thread)
    assert _said(after, thread, "what shall I cook?", key="k2").reply["escalated"] is True
    later = _said(after, calm, "so that was it", key="k3")
    assert later.reply["number"] == 3, "words that were cut off come along"
    assert after.history("bob", empty) == []
    with pytest.raises(Unknown):
        after.history("bob", thread)


def test_a_second_run_takes_what_is_new_and_leaves_what_went_on(stores: tuple[Shared, Shared]) -> None:
    old, new = stores
    before, after = _hosted(old), _hosted(new)
    thread = before.open("ann", "GB")
    _said(before, thread, "I slept badly")
    moved(old, new)
    _said(after, thread, "and again today")
    another = before.open("ann")
    taken, there = moved(old, new)
    assert (taken, there >= 1) == (1, True)
    assert len(after.history("ann", thread)) == 4
    assert after.history("ann", another) == []


def test_a_run_that_was_cut_off_leaves_nothing_half_and_is_done_again(
    stores: tuple[Shared, Shared], monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = stores
    before, after = _hosted(old), _hosted(new)
    thread = before.open("ann", "GB")
    _said(before, thread, "I slept badly", key="k1")

    def cut(*given: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr("graph.moving._checkpoint", cut)
        with pytest.raises(OSError):  # noqa: PT011 - as it comes
            moved(old, new)
    with pytest.raises(Unknown):
        after.history("ann", thread)
    assert moved(old, new)[0] == 1
    assert after.history("ann", thread) == before.history("ann", thread)
