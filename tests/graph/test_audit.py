"""The audit trail: what stands in a line, what never does, and that a broken disk costs no reply."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from agent.errors import AuditError
from agent.settings import Settings, load_settings
from graph import Session, chain
from graph.audit import WAITING, Trail, counts, purge
from graph.services import from_settings
from tests import fakes

KEY = b"a key of this test, long enough"
CANARY = "CANARY-7f3a"
IMMINENT = f"{CANARY} I am going to kill myself tonight"


def opened(audit: Any, **changes: Any) -> Session:
    return Session.open(country="GB", services=fakes.services(audit=audit, **changes))


def trail(folder: Path, **changes: Any) -> Trail:
    return Trail(folder, lambda: KEY, **changes)


def line(**changes: Any) -> dict[str, Any]:
    base = {"thread": "t", "level": "none", "kinds": [], "shown": [], "country": "GB"}
    return {**base, **changes}


def test_a_turn_leaves_one_line_of_names_and_numbers(tmp_path: Path) -> None:
    session = opened(trail(tmp_path).write)
    session.say("my boss shouts at me")
    session.say(IMMINENT)
    session.settle()
    calm, danger = chain.lines(tmp_path)
    assert (calm["turn"], calm["level"], calm["shown"], calm["action"]) == (1, "none", [], "support")
    assert (danger["turn"], danger["level"], danger["country"]) == (2, "imminent", "GB")
    assert "suicide" in danger["kinds"]
    assert danger["subject"] == "self"
    assert danger["rules"]
    assert "Samaritans" in danger["shown"]
    assert danger["path"] == ["perceive", "assess", "crisis", "guard"]
    assert danger["responder"] == "crisis"
    assert danger["ms"] > 0
    assert not danger["degraded"]
    assert datetime.fromisoformat(danger["at"]).utcoffset() == timedelta(0)
    assert danger["mono"] >= calm["mono"]
    assert chain.verify(tmp_path, KEY) == []


def test_what_the_guard_took_out_and_what_was_degraded_is_named(tmp_path: Path) -> None:
    session = opened(
        trail(tmp_path).write,
        respond=lambda brief: ["That is a lot to carry.", "As your therapist I know this."],
        read=fakes.raising(RuntimeError("boom")),
    )
    session.say("my boss shouts at me")
    session.settle()
    [found] = chain.lines(tmp_path)
    assert found["replaced"]
    assert found["degraded"]


def test_no_byte_of_what_was_said_is_in_the_folder(tmp_path: Path) -> None:
    session = opened(trail(tmp_path).write)
    replies = [session.say(text).text for text in (f"my name is {CANARY}", IMMINENT, f"yes {CANARY}", "")]
    session.settle()
    content = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert len(chain.lines(tmp_path)) == 4
    assert CANARY.encode() not in content
    assert session.thread.encode() not in content
    for reply in replies:
        assert reply[:30].encode() not in content


def test_lines_of_a_conversation_belong_together_for_a_day(tmp_path: Path) -> None:
    now = [datetime(2026, 11, 20, 12, tzinfo=UTC)]
    written = trail(tmp_path, now=lambda: now[0])
    for thread in ("one", "one", "two"):
        written.write(line(thread=thread))
    now[0] += timedelta(days=1)
    written.write(line(thread="one"))
    first, again, other, tomorrow = (found["session"] for found in chain.lines(tmp_path))
    assert first == again
    assert len({first, other, tomorrow}) == 3


def test_another_process_gives_another_name(tmp_path: Path) -> None:
    for _ in range(2):
        trail(tmp_path).write(line())
    first, second = (found["session"] for found in chain.lines(tmp_path))
    assert first != second


def test_a_default_run_leaves_nothing(tmp_path: Path) -> None:
    assert from_settings(load_settings()).audit is None
    session = Session.open(country="GB", services=fakes.services())
    session.say(IMMINENT)
    session.settle()
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_the_folder_is_named_by_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_AUDIT_DIR", str(tmp_path / "audit"))
    monkeypatch.setenv("HEARKEN_AUDIT_KEY", "sixteen letters and more")
    settings = load_settings()
    assert "sixteen" not in str(settings.model_dump(mode="json"))
    audit = from_settings(settings).audit
    assert audit is not None
    assert not (tmp_path / "audit").exists()
    audit(line())
    assert chain.verify(tmp_path / "audit", b"sixteen letters and more") == []
    assert not (tmp_path / "audit" / "audit.key").exists()


def test_a_key_is_made_where_none_is_given(tmp_path: Path) -> None:
    audit = from_settings(Settings(audit_dir=tmp_path / "audit")).audit
    assert audit is not None
    audit(line())
    assert chain.verify(tmp_path / "audit", chain.load_key(tmp_path / "audit", None)) == []


def test_a_disk_that_fails_costs_no_reply_and_no_line(tmp_path: Path) -> None:
    blocked = tmp_path / "audit"
    blocked.write_text("in the way")
    written = trail(blocked)
    session = opened(written.write)
    assert "999" in str(session.say(IMMINENT).card)
    session.settle()
    assert written.failures == 1
    blocked.unlink()
    assert session.say("so").text
    session.settle()
    assert [found["turn"] for found in chain.lines(blocked)] == [1, 2]
    assert [found["failures"] for found in chain.lines(blocked)] == [0, 1]
    assert chain.verify(blocked, KEY) == []


def test_too_many_waiting_lines_are_lost_from_the_oldest_and_counted(tmp_path: Path) -> None:
    blocked = tmp_path / "audit"
    blocked.write_text("in the way")
    written = trail(blocked)
    for number in range(WAITING + 2):
        written.write(line(turn=number))
    blocked.unlink()
    written.write(line(turn=-1))
    found = chain.lines(blocked)
    assert len(found) == WAITING
    assert found[0]["turn"] == 3
    assert found[-1]["lost"] == 2


def test_a_sink_that_raises_costs_nothing() -> None:
    session = opened(fakes.raising(RuntimeError("boom")))
    for text in (IMMINENT, "are you there"):
        assert session.say(text).escalated
        session.settle()


def test_a_sink_that_hangs_is_not_waited_for() -> None:
    free = threading.Event()
    session = opened(lambda record: free.wait(600), hook_seconds=0.1)
    try:
        for text in (IMMINENT, "are you there"):
            assert session.say(text).escalated
            session.settle()
    finally:
        free.set()


def test_counts_hold_numbers_by_level_kind_and_country_and_survive_a_purge(tmp_path: Path) -> None:
    now = [datetime(2026, 12, 31, 23, 50, tzinfo=UTC)]
    written = trail(tmp_path, now=lambda: now[0])
    written.write(line())
    written.write(line(level="high", kinds=["suicide", "abuse"], shown=["a"], country=""))
    now[0] += timedelta(days=40)
    written.write(line(level="high", kinds=["suicide"], shown=["a"]))
    written.write(line(level="moderate", kinds=["medication"]))
    before = counts(tmp_path)
    assert before == {
        "2026": {
            "turns": 2,
            "referrals": 1,
            "levels": {"none": 1, "high": 1},
            "kinds": {"suicide": 1, "abuse": 1},
            "countries": {"unknown": 1},
        },
        "2027": {
            "turns": 2,
            "referrals": 1,
            "levels": {"high": 1, "moderate": 1},
            "kinds": {"suicide": 1},
            "countries": {"GB": 1},
        },
    }
    assert purge(tmp_path, KEY, days=30, now=now[0]) == 2
    assert counts(tmp_path) == before
    assert purge(tmp_path, KEY, days=30, now=now[0]) == 0
    assert purge(tmp_path, KEY, days=30, now=now[0] + timedelta(days=31)) == 2
    assert counts(tmp_path) == before
    assert chain.verify(tmp_path, KEY) == []


def test_a_trail_that_was_changed_is_not_purged(tmp_path: Path) -> None:
    written = trail(tmp_path, now=lambda: datetime(2026, 1, 1, tzinfo=UTC))
    written.write(line())
    written.write(line())
    file = tmp_path / "audit.jsonl"
    file.write_text(file.read_text("utf-8").replace("GB", "US", 1), "utf-8")
    with pytest.raises(AuditError, match="Line 1 was changed"):
        purge(tmp_path, KEY, days=30)
