"""What is kept beside the conversations: only after consent, listed, and erased to the last byte."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from graph import Session, shelf
from graph import moods as felt
from graph.moods import Mood
from graph.shelf import Report
from tests import fakes

CANARY = "CANARY-91cd"
NOW = datetime(2026, 11, 26, 9, 0, tzinfo=UTC)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "conversations.sqlite"


def kept(text: str) -> Session:
    session = Session.open(country="GB", keep=True, services=fakes.services())
    session.say(text)
    session.close()
    return session


def on_disk(folder: Path) -> bool:
    return any(CANARY.encode() in p.read_bytes() for p in folder.rglob("*") if p.is_file())


def test_nothing_is_found_and_nothing_made_before_anything_is_kept(path: Path) -> None:
    assert shelf.conversations(path) == []
    assert felt.moods(path) == []
    assert shelf.chosen(path, "consent") == ""
    shelf.erase_all(path)
    assert shelf.expire(path) == 0
    with pytest.raises(FileNotFoundError):
        felt.feel(path, Mood("2026-11-26T09:00:00", 2, CANARY))
    assert not path.exists()


def test_consent_is_noted_once_with_its_wording_and_time(path: Path) -> None:
    shelf.consent(path, NOW)
    shelf.consent(path, NOW + timedelta(days=9))
    assert shelf.chosen(path, "consent") == f"{shelf.CONSENT} 2026-11-26T09:00:00+00:00"
    assert path.stat().st_mode & 0o077 == 0


def test_a_conversation_is_called_by_its_first_message_until_it_is_renamed(path: Path) -> None:
    session = kept("my cat died yesterday")
    [one] = shelf.conversations(path)
    assert one.title == "my cat died yesterday"
    assert one.said[0] == ("user", "my cat died yesterday")
    assert one.said[1][0] == "assistant"
    shelf.rename(path, session.thread, "  Minou ")
    assert [one.title for one in shelf.conversations(path)] == ["Minou"]
    shelf.rename(path, session.thread, "")
    assert [one.title for one in shelf.conversations(path)] == ["my cat died yesterday"]


def test_a_mark_can_be_set_and_taken_back(path: Path) -> None:
    shelf.consent(path)
    shelf.mark(path, "t", "m", 1)
    shelf.mark(path, "t", "m", 0)
    assert shelf.marks(path, "t") == {"m": 0}
    shelf.mark(path, "t", "m", None)
    assert shelf.marks(path, "t") == {}


def test_erasing_a_conversation_erases_all_that_is_kept_about_it(path: Path, tmp_path: Path) -> None:
    session = kept(f"{CANARY} happened")
    shelf.rename(path, session.thread, f"{CANARY} title")
    shelf.report(path, session.thread, Report("2026-11-26", CANARY, CANARY, CANARY))
    other = kept("my cat died yesterday")
    assert on_disk(tmp_path)
    shelf.erase(path, session.thread)
    assert not on_disk(tmp_path)
    assert [one.thread for one in shelf.conversations(path)] == [other.thread]


def test_erasing_everything_leaves_no_byte_behind(path: Path, tmp_path: Path) -> None:
    kept(f"{CANARY} happened")
    kept(f"{CANARY} again")
    shelf.consent(path)
    felt.feel(path, Mood("2026-11-26", 1, CANARY))
    shelf.erase_all(path)
    assert shelf.conversations(path) == []
    assert felt.moods(path) == []
    assert not on_disk(tmp_path)


def test_check_ins_and_feelings_are_kept_in_order_and_erased(path: Path, tmp_path: Path) -> None:
    shelf.consent(path)
    felt.feel(path, Mood("2026-11-26", 3, CANARY))
    felt.feel(path, Mood("2026-11-25", 1, ""))
    felt.hear(path, "t", "lonely", NOW)
    assert [one.face for one in felt.moods(path)] == [1, 3]
    assert felt.feelings(path) == [("2026-11-26T09:00:00+00:00", "lonely")]
    felt.forget_moods(path)
    assert felt.moods(path) == []
    assert felt.feelings(path) == []
    assert not on_disk(tmp_path)


def test_what_is_older_than_wanted_goes(path: Path, tmp_path: Path) -> None:
    kept(f"{CANARY} happened")
    felt.feel(path, Mood("2026-11-01", 3, CANARY))
    later = datetime.now(UTC) + timedelta(days=8)
    assert shelf.expire(path, later) == 0
    shelf.keep_for(path, 7)
    assert shelf.expire(path, later) == 2
    assert shelf.conversations(path) == []
    assert not on_disk(tmp_path)


def test_a_damaged_file_is_no_failure_of_reading(path: Path) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("no database, but long enough to be looked at as one" * 20)
    assert shelf.conversations(path) == []
    assert felt.moods(path) == []
