"""Conversations of many people in one database: owners, repeats, take-overs, deletes, an absent store."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from agent.errors import SettingsError
from graph.hosted import Answered, Hosted, urgent
from graph.ledger import Busy, KeyReused, Ledger, Unknown
from graph.shared import AHEAD, Shared, open_shared
from graph.turn import CardShown
from tests.fakes import services
from tests.postgres_server import postgres_server

DANGER = "I want to kill myself"


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    with postgres_server("pg") as server:
        yield server.url


@pytest.fixture(params=["sqlite", "postgresql"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Shared]:
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path / 'served.sqlite'}"
    else:
        url = request.getfixturevalue("postgres")
    database = open_shared(url)
    database.migrate()
    yield database
    database.close()


@pytest.fixture
def hosted(shared: Shared) -> Hosted:
    return Hosted(services(), Ledger(shared))


def _said(hosted: Hosted, thread: str, text: str, owner: str = "ann", **how: Any) -> Answered:
    last = list(hosted.say(owner, thread, text, **how))[-1]
    assert isinstance(last, Answered)
    return last


def test_a_conversation_is_found_by_another_worker(hosted: Hosted, shared: Shared) -> None:
    thread = hosted.open("ann", "gb")
    _said(hosted, thread, "I had an awful day at work")
    other = Hosted(services(), Ledger(shared))
    answered = _said(other, thread, "my boss shouted at me")
    assert answered.reply["saved"] is True
    assert answered.reply["number"] == 2
    assert [line["role"] for line in other.history("ann", thread)] == ["user", "assistant"] * 2
    assert other.export("ann", thread)["person"]["country"] == "GB"


def test_risk_is_remembered_by_whoever_answers_next(hosted: Hosted, shared: Shared) -> None:
    thread = hosted.open("ann", "GB")
    assert _said(hosted, thread, DANGER).reply["card"]
    assert hosted.danger("ann", thread)
    later = _said(Hosted(services(), Ledger(shared)), thread, "what shall I cook tonight?")
    assert later.reply["escalated"] is True


@pytest.mark.parametrize(
    "call",
    [
        lambda hosted, thread: list(hosted.say("bob", thread, "hello")),
        lambda hosted, thread: hosted.history("bob", thread),
        lambda hosted, thread: hosted.export("bob", thread),
        lambda hosted, thread: hosted.delete("bob", thread),
        lambda hosted, thread: hosted.ledger.rate("bob", thread, 1, helpful=True),
        lambda hosted, thread: hosted.danger("bob", thread),
        lambda hosted, thread: hosted.history("ann", thread[:-1]),
    ],
)
def test_nobody_sees_what_is_not_theirs(hosted: Hosted, call: Callable[[Hosted, str], object]) -> None:
    thread = hosted.open("ann")
    with pytest.raises(Unknown):
        call(hosted, thread)
    assert [one for one, _ in hosted.ledger.mine("ann")][:1] == [thread]
    assert thread not in [one for one, _ in hosted.ledger.mine("bob")]


def test_the_same_key_gives_the_same_reply_and_is_said_once(hosted: Hosted) -> None:
    thread = hosted.open("ann", "GB")
    first = _said(hosted, thread, DANGER, key="k1")
    events = list(hosted.say("ann", thread, DANGER, key="k1"))
    again = events[-1]
    assert isinstance(again, Answered)
    assert again.replayed
    assert again.reply == first.reply
    assert isinstance(events[0], CardShown)
    assert len(hosted.history("ann", thread)) == 2


def test_a_key_with_other_words_is_refused(hosted: Hosted) -> None:
    thread = hosted.open("ann")
    _said(hosted, thread, "hello there", key="k1")
    with pytest.raises(KeyReused):
        list(hosted.say("ann", thread, "something else", key="k1"))
    assert len(hosted.history("ann", thread)) == 2


def test_a_turn_that_runs_is_not_answered_twice_but_danger_waits_for_nobody(hosted: Hosted) -> None:
    thread = hosted.open("ann", "GB")
    hosted.ledger.begin("ann", thread, "k1", DANGER)  # a worker has it, or died with it
    with pytest.raises(Busy):
        list(hosted.say("ann", thread, DANGER, key="k1"))
    assert _said(hosted, thread, DANGER, key="k1", danger=True).reply["saved"] is True
    assert len(hosted.history("ann", thread)) == 2


def test_a_turn_whose_worker_died_is_answered_once_its_lease_is_over(shared: Shared) -> None:
    clock = [1000.0]
    hosted = Hosted(services(), Ledger(shared, now=lambda: clock[0]))
    thread = hosted.open("ann")
    hosted.ledger.begin("ann", thread, "k1", "I feel low today")
    clock[0] += 200
    assert _said(hosted, thread, "I feel low today", key="k1").reply["saved"] is True
    assert len(hosted.history("ann", thread)) == 2


def test_a_turn_whose_worker_lives_is_not_answered_anew_however_long_it_takes(shared: Shared) -> None:
    clock = [1000.0]
    hosted = Hosted(services(), Ledger(shared, lease=20, now=lambda: clock[0]))
    thread = hosted.open("ann")
    slow = hosted.say("ann", thread, "I feel low today", key="k1")
    next(slow)
    for _ in range(3):
        clock[0] += 15
        hosted.renew()
        with pytest.raises(Busy):
            list(hosted.say("ann", thread, "I feel low today", key="k1"))
    hosted.delete("ann", thread)
    hosted.renew()
    with shared.reading() as run:
        assert not run("SELECT 1 FROM leases WHERE thread = ?", thread)
    assert isinstance(list(slow)[-1], Answered)


def test_words_of_a_turn_whose_worker_died_are_heard_in_the_next(hosted: Hosted) -> None:
    thread = hosted.open("ann", "GB")
    hosted.ledger.begin("ann", thread, "k1", DANGER)
    answered = _said(hosted, thread, "are you there?", key="k2")
    assert answered.reply["escalated"] is True
    assert [line["text"] for line in hosted.history("ann", thread)][:2] == [DANGER, "are you there?"]
    assert _said(hosted, thread, "and now?", key="k3").reply["number"] == 3


def test_a_worker_that_died_after_the_reply_was_kept_repeats_it(shared: Shared) -> None:
    hosted = Hosted(services(), Ledger(shared))
    thread = hosted.open("ann", "GB")
    first = _said(hosted, thread, DANGER, key="k1")
    with shared.transaction() as run:  # as if it had died just before it noted the reply
        run("UPDATE turns SET reply = NULL, saved = 0, text = ? WHERE key = ?", DANGER, "k1")
    again = _said(hosted, thread, DANGER, key="k1", danger=True)
    assert again.replayed
    assert again.reply["text"] == first.reply["text"]
    assert again.reply["card"]
    assert len(hosted.history("ann", thread)) == 2


def test_a_later_turn_takes_over_and_the_earlier_can_write_no_more(hosted: Hosted) -> None:
    thread = hosted.open("ann")
    slow = hosted.say("ann", thread, "I had a quarrel with my sister", key="slow")
    next(slow)
    quick = _said(hosted, thread, "it was about our mother", key="quick")
    ended = list(slow)[-1]
    assert isinstance(ended, Answered)
    assert ended.reply["saved"] is False
    assert quick.reply["saved"] is True
    lines = hosted.history("ann", thread)
    assert [line["text"] for line in lines if line["role"] == "user"] == [
        "I had a quarrel with my sister",
        "it was about our mother",
    ]


def test_a_late_write_does_not_bring_back_what_was_deleted(hosted: Hosted, shared: Shared) -> None:
    thread = hosted.open("ann")
    late = hosted.say("ann", thread, "CANARY-late words", key="late")
    next(late)
    hosted.delete("ann", thread)
    ended = list(late)[-1]
    assert isinstance(ended, Answered)
    assert ended.reply["text"]
    assert ended.reply["saved"] is False
    with shared.transaction() as run:
        for table in shared.checkpoints:
            assert not run(f"SELECT 1 FROM {table} WHERE thread_id = ?", thread)  # noqa: S608 - fixed names
        for table in ("conversations", "turns", "feedback"):
            assert not run(f"SELECT 1 FROM {table} WHERE thread = ?", thread)  # noqa: S608 - fixed names


def test_a_delete_leaves_no_byte_of_what_was_written(tmp_path: Path) -> None:
    hosted = Hosted(services(), Ledger(open_shared(f"sqlite:///{tmp_path / 'served.sqlite'}")))
    kept, thread = hosted.open("ann"), hosted.open("ann")
    _said(hosted, kept, "CANARY-kept is my sister's name")
    for n in range(3):
        _said(hosted, thread, f"CANARY-gone is my sister's name, and {n} times I called her", key=str(n))
    hosted.ledger.rate("ann", thread, 1, helpful=False)
    assert any(b"CANARY-gone" in file.read_bytes() for file in tmp_path.glob("served.sqlite*"))
    hosted.delete("ann", thread)
    left = b"".join(file.read_bytes() for file in tmp_path.glob("served.sqlite*"))
    assert b"CANARY-gone" not in left
    assert b"CANARY-kept" in left


def test_a_delete_leaves_no_row_of_what_was_written_in_any_table_of_postgresql(postgres: str) -> None:
    """Every table there is, ours or not, as text: words as they are, and inside checkpoints as bytes."""
    psycopg = pytest.importorskip("psycopg", reason="PostgreSQL needs the extra `postgres`")
    database = open_shared(postgres)
    database.migrate()
    hosted = Hosted(services(), Ledger(database))
    kept, thread = hosted.open("ann"), hosted.open("ann")
    _said(hosted, kept, "CANARY-kept is my sister's name")
    for n in range(3):
        _said(hosted, thread, f"CANARY-gone is my sister's name, and {n} times I called her", key=str(n))
    hosted.ledger.rate("ann", thread, 1, helpful=False)

    def everything() -> str:
        with psycopg.connect(postgres) as rows:
            tables = rows.execute(
                "SELECT table_name FROM information_schema.tables"
                " WHERE table_schema NOT IN ('pg_catalog', 'information_schema')"
            ).fetchall()
            return "".join(
                str(found)
                for (table,) in tables
                for (found,) in rows.execute(f'SELECT t::text FROM "{table}" t').fetchall()  # noqa: S608
            )

    def there(word: str) -> bool:
        found = everything()
        return word in found or word.encode().hex() in found

    assert there("CANARY-gone")
    hosted.delete("ann", thread)
    assert not there("CANARY-gone")
    assert thread not in everything()
    assert there("CANARY-kept")
    database.close()


def test_conversations_nobody_touches_are_purged(shared: Shared) -> None:
    clock = [1_000_000.0]
    hosted = Hosted(services(), Ledger(shared, now=lambda: clock[0]))
    old = hosted.open("purged")
    _said(hosted, old, "hello there", owner="purged")
    clock[0] += 31 * 86_400
    new = hosted.open("purged")
    assert hosted.ledger.purge(30) >= 1
    assert [one for one, _ in hosted.ledger.mine("purged")] == [new]
    with pytest.raises(Unknown):
        hosted.history("purged", old)


def test_the_disclosure_is_owed_again_after_three_hours(shared: Shared) -> None:
    clock = [5000.0]
    hosted = Hosted(services(), Ledger(shared, now=lambda: clock[0]))
    thread = hosted.open("ann")
    assert _said(hosted, thread, "hello there").reply["reminders"] == []
    clock[0] += 3 * 3600
    assert _said(hosted, thread, "I am back").reply["reminders"] == ["disclosure"]


def test_without_a_store_people_are_answered_and_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    hosted = Hosted(
        services(country="GB"), Ledger(open_shared(f"sqlite:///{tmp_path / 'file' / 'x.sqlite'}"))
    )
    reply = _said(hosted, "whatever", DANGER).reply
    assert reply["saved"] is False
    assert reply["escalated"] is True
    assert reply["card"]
    calm = _said(hosted, "whatever", "I slept badly").reply
    assert calm["card"], "what was said before cannot be known, so the lines are shown"


def test_a_store_that_breaks_in_mid_turn_costs_no_reply(hosted: Hosted, monkeypatch: Any) -> None:
    thread = hosted.open("ann", "GB")
    turn = hosted.say("ann", thread, DANGER, key="k1")
    next(turn)
    with hosted.shared.transaction() as run:
        run("UPDATE conversations SET token = 'another' WHERE thread = ?", thread)
    ended = list(turn)[-1]
    assert isinstance(ended, Answered)
    assert ended.reply["card"]
    later = _said(hosted, thread, "so", key="k2")
    assert later.reply["escalated"] is True, "what was not saved is heard with the next message"


def test_who_answers_danger_writes_before_all_that_wait(tmp_path: Path) -> None:
    store = open_shared(f"sqlite:///{tmp_path / 'served.sqlite'}")
    store.migrate()
    order: list[str] = []

    def write(name: str, ahead: bool) -> None:
        AHEAD.set(ahead)
        with store.transaction():
            order.append(name)

    writers = [threading.Thread(target=write, args=(name, name == "danger")) for name in ("a", "b", "danger")]
    with store.transaction():
        for one in writers:
            one.start()
            one.join(0.1)  # they wait, one after another
    for one in writers:
        one.join()
    store.close()
    assert order[0] == "danger"
    assert sorted(order) == ["a", "b", "danger"]


@pytest.mark.parametrize("url", ["mysql://x/y", "served.sqlite", "sqlite://x", ""])
def test_an_unknown_store_is_refused(url: str) -> None:
    with pytest.raises(SettingsError):
        open_shared(url)


def test_a_new_conversation_needs_a_country_that_exists(hosted: Hosted) -> None:
    with pytest.raises(SettingsError):
        hosted.open("ann", "XX")


def test_what_is_urgent_is_told_by_the_rules() -> None:
    assert urgent(services(), DANGER)
    assert not urgent(services(), "this homework is killing me")


def test_a_busy_pool_costs_one_use_and_nobody_elses(postgres: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever finds no connection in time goes without; those who have one end what they began."""
    pytest.importorskip("psycopg", reason="PostgreSQL needs the extra `postgres`")
    monkeypatch.setattr("graph.postgres.PATIENCE", 0.5)
    monkeypatch.setattr("graph.postgres.MOST", 2)
    database = open_shared(postgres)
    database.migrate()
    ledger = Ledger(database)
    with database.transaction() as run, database.transaction():
        run("INSERT INTO feedback (thread, turn, helpful) VALUES ('busy', 1, 1)")
        with pytest.raises(OSError, match="PoolTimeout"):
            ledger.mine("busy")
        run("INSERT INTO feedback (thread, turn, helpful) VALUES ('busy', 2, 1)")
    found: list[object] = []
    for _ in range(200):
        with suppress(OSError):  # whether it is there is looked at, at once
            found = ledger.rated("busy")
            break
        time.sleep(0.05)
    assert len(found) == 2
    database.close()
