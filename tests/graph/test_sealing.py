"""What is kept under a passphrase: no byte of it in the clear, nothing lost, whatever interrupts."""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from agent.errors import PassphraseError, SettingsError
from agent.settings import load_settings
from graph import Session, moods, sealing, shelf, store, vault
from graph.desk import Desk, Escalation
from graph.hosted import Answered, Hosted
from graph.ledger import Ledger
from graph.moods import Mood
from graph.shared import open_shared
from graph.shelf import Report
from graph.vault import Key, Locked
from tests.fakes import services

CANARY = "CANARY-5e41"
PASSPHRASE, ANOTHER = "four quiet words here", "another long one"
WHOLE = [f"{CANARY} my cat died", f"{CANARY} title", f"{CANARY} note", f"{CANARY} said", f"{CANARY} call Ann"]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "COST", 2**10)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "data").mkdir()
    return tmp_path / "data" / "conversations.sqlite"


def fill(path: Path, key: Key | None) -> str:
    """A conversation with a safety plan, a title, a report, a check-in and a feeling, all with the canary."""
    session = Session.open(country="GB", keep=True, services=services(), key=key)
    session.say(WHOLE[0])
    session.write_plan("signs", WHOLE[4])
    assert session.saved
    session.close()
    shelf.rename(path, session.thread, WHOLE[1], key=key)
    shelf.report(path, session.thread, Report(shelf.iso(), WHOLE[3], "a reply", "wrong"), key=key)
    moods.feel(path, Mood(shelf.iso(), 1, WHOLE[2]), key=key)
    moods.hear(path, session.thread, "devastated", key=key)
    return session.thread


def everything(path: Path, key: Key | None) -> str:
    """All that comes out again."""
    [one] = shelf.conversations(path, key)
    session = Session.open(thread=one.thread, services=services(), key=key)
    plan = str(session.safety_plan())
    session.close()
    found = [one.said, one.title, shelf.reports(path, key), moods.moods(path, key), moods.feelings(path, key)]
    return f"{found} {plan}"


def in_the_clear(path: Path) -> bool:
    """Whether a byte of it stands in the file, its log or beside it."""
    files = [one.read_bytes() for one in path.parent.rglob("*") if one.is_file()]
    return any(word in held for held in files for word in (b"CANARY", b"my cat", b"devastated"))


@pytest.fixture(params=["a new file", "a file that was plain"])
def sealed(request: pytest.FixtureRequest, path: Path) -> tuple[Path, Key]:
    if request.param == "a new file":
        key = sealing.encrypt(path, PASSPHRASE)
        fill(path, key)
    else:
        fill(path, None)
        assert in_the_clear(path)
        key = sealing.encrypt(path, PASSPHRASE)
    return path, key


def test_no_byte_is_in_the_clear_and_all_of_it_comes_out_with_the_passphrase(
    sealed: tuple[Path, Key],
) -> None:
    path, _ = sealed
    assert not in_the_clear(path)
    found = everything(path, sealing.unlock(path, PASSPHRASE))
    assert all(one in found for one in WHOLE)
    assert "devastated" in found
    assert not in_the_clear(path)


def test_nothing_is_in_the_clear_while_a_conversation_is_open(path: Path) -> None:
    key = sealing.encrypt(path, PASSPHRASE)
    session = Session.open(keep=True, services=services(), key=key)
    session.say(WHOLE[0])
    session.say(WHOLE[4])
    assert not in_the_clear(path)
    session.close()


def test_a_passphrase_reads_alike_from_another_keyboard(path: Path) -> None:
    key = sealing.encrypt(path, "cafe\u0301 au lait")
    assert sealing.unlock(path, " caf\u00e9 au lait ") == key


@pytest.mark.parametrize("wrong", ["four quiet words", "", "x" * 100_000])
def test_a_wrong_passphrase_is_one_sentence_and_changes_no_byte(sealed: tuple[Path, Key], wrong: str) -> None:
    path, _ = sealed
    before = path.read_bytes()
    with pytest.raises(PassphraseError, match="does not open what is kept"):
        sealing.unlock(path, wrong)
    assert path.read_bytes() == before


def test_without_the_key_nothing_is_read_written_or_lost(sealed: tuple[Path, Key]) -> None:
    path, key = sealed
    before = everything(path, key)
    [(thread, _)] = store.listed(path)
    for other in (None, Key("0123456789abcdef", bytes(32))):
        assert shelf.conversations(path, other) == []
        assert moods.moods(path, other) == []
        assert shelf.reports(path, other) == []
        with pytest.raises(Locked):
            moods.feel(path, Mood(shelf.iso(), 1, WHOLE[2]), key=other)
        with pytest.raises(Locked):
            shelf.rename(path, thread, "another", key=other)
        session = Session.open(thread=thread, services=services(), key=other)
        assert not session.saved
        assert session.say("hello").text
    assert everything(path, key) == before


def test_a_conversation_that_is_open_while_the_file_is_encrypted_writes_nothing_plain(path: Path) -> None:
    elsewhere = Session.open(keep=True, services=services())
    elsewhere.say("hello")
    own = Session.open(keep=True, services=services())
    own.say("hello")
    key = sealing.encrypt(path, PASSPHRASE)
    own.use_key(key)
    assert elsewhere.say(WHOLE[0]).saved is False
    assert own.say(WHOLE[0]).saved is True
    elsewhere.close()
    own.close()
    assert not in_the_clear(path)
    assert WHOLE[0] in str(Session.open(thread=own.thread, services=services(), key=key).messages)


def test_it_is_made_plain_again_and_whole(sealed: tuple[Path, Key]) -> None:
    path, key = sealed
    before = everything(path, key)
    with pytest.raises(Locked):
        sealing.decrypt(path, Key(key.id + "0", key.secret))
    sealing.decrypt(path, key)
    assert not sealing.encrypted(path)
    assert everything(path, None) == before
    with pytest.raises(PassphraseError, match="not encrypted"):
        sealing.unlock(path, PASSPHRASE)


def test_another_passphrase_opens_the_same_and_the_old_one_nothing(sealed: tuple[Path, Key]) -> None:
    path, key = sealed
    with closing(sqlite3.connect(path)) as rows:
        [old] = rows.execute("SELECT wrapped FROM vault").fetchone()
    with pytest.raises(PassphraseError, match="8 characters"):
        sealing.change(path, key, "short")
    sealing.change(path, key, ANOTHER)
    assert sealing.unlock(path, ANOTHER) == key
    with pytest.raises(PassphraseError):
        sealing.unlock(path, PASSPHRASE)
    assert not any(old in one.read_bytes() for one in path.parent.iterdir())
    assert WHOLE[0] in everything(path, key)


def test_encrypting_twice_is_the_same_as_once(sealed: tuple[Path, Key]) -> None:
    path, key = sealed
    assert sealing.encrypt(path, PASSPHRASE) == key
    with pytest.raises(PassphraseError):
        sealing.encrypt(path, ANOTHER)


def test_deleting_and_what_is_too_old_need_no_passphrase(sealed: tuple[Path, Key]) -> None:
    path, key = sealed
    shelf.keep_for(path, 30)
    assert shelf.expire(path) == 0
    assert WHOLE[0] in everything(path, key)
    shelf.erase_all(path)
    assert shelf.conversations(path, key) == []
    assert moods.moods(path, key) == []
    sealing.abandon(path)
    assert not sealing.encrypted(path)


def test_a_damaged_value_is_told_from_a_wrong_passphrase_and_costs_nothing_else(
    sealed: tuple[Path, Key],
) -> None:
    path, key = sealed
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("UPDATE checkpoints SET checkpoint = zeroblob(length(checkpoint))")
    [one] = shelf.conversations(path, key)
    assert one.said == ()
    assert WHOLE[2] in str(moods.moods(path, key))


@pytest.mark.parametrize("value", [0, 1, 2**30, -5])
def test_a_damaged_lock_is_refused_and_asks_for_no_memory(sealed: tuple[Path, Key], value: int) -> None:
    path, _ = sealed
    with closing(sqlite3.connect(path)) as rows, rows:
        rows.execute("UPDATE vault SET cost = ?", (value,))
    with pytest.raises(PassphraseError):
        sealing.unlock(path, PASSPHRASE)


# Interruptions: the process dies in the middle.

KILLED = """
import os, sys
from pathlib import Path
from graph import sealing, vault
vault.COST = 2**10
path, how, left = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
def dying(call):
    def counted(*given):
        global left
        left -= 1
        if left < 0:
            os._exit(9)
        return call(*given)
    return counted
sealing._scrub = dying(sealing._scrub) if how.endswith("scrub") else sealing._scrub
if how == "encrypt":
    vault.Key.encrypt = dying(vault.Key.encrypt)
if how == "decrypt":
    vault.Key.decrypt = dying(vault.Key.decrypt)
key = sealing.encrypt(path, "four quiet words here")
if how.startswith("decrypt"):
    sealing.decrypt(path, key)
"""


def killed(path: Path, how: str, after: int) -> None:
    done = subprocess.run(
        [sys.executable, "-c", KILLED, str(path), how, str(after)], check=False, cwd=Path(__file__).parents[2]
    )
    assert done.returncode == 9


@pytest.mark.parametrize("after", [0, 1, 4])
def test_killed_while_encrypting_the_file_is_as_it_was(path: Path, after: int) -> None:
    fill(path, None)
    before = everything(path, None)
    killed(path, "encrypt", after)
    assert not sealing.encrypted(path)
    assert everything(path, None) == before
    key = sealing.encrypt(path, PASSPHRASE)
    assert everything(path, key) == before
    assert not in_the_clear(path)


def test_killed_before_the_old_bytes_are_overwritten_that_is_done_the_next_time(path: Path) -> None:
    fill(path, None)
    before = everything(path, None)
    killed(path, "encrypt then scrub", 0)
    assert sealing.encrypted(path)
    assert sealing.tidy(path)
    assert not in_the_clear(path)
    assert everything(path, sealing.unlock(path, PASSPHRASE)) == before


@pytest.mark.parametrize("after", [0, 1, 4])
def test_killed_while_made_plain_it_is_still_encrypted(path: Path, after: int) -> None:
    key = sealing.encrypt(path, PASSPHRASE)
    fill(path, key)
    before = everything(path, key)
    killed(path, "decrypt", after)
    assert sealing.tidy(path)
    assert not in_the_clear(path)
    assert everything(path, sealing.unlock(path, PASSPHRASE)) == before


def test_a_file_in_use_is_tidied_later(path: Path) -> None:
    fill(path, None)
    with closing(sqlite3.connect(path)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM checkpoints").fetchall()  # holds on to the log
        sealing.encrypt(path, PASSPHRASE)
    assert sealing.tidy(path)
    assert not in_the_clear(path)


# The setting, for those who run it for others.


def test_the_setting_encrypts_what_is_there_and_what_comes(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(path, None)
    monkeypatch.setenv("HEARKEN_STORE_KEY", PASSPHRASE)
    session = Session.open(keep=True, services=services())
    session.say(f"{CANARY} once more")
    session.close()
    assert not in_the_clear(path)
    assert PASSPHRASE not in str(load_settings())
    monkeypatch.setenv("HEARKEN_STORE_KEY", ANOTHER)
    with pytest.raises(PassphraseError):
        Session.open(keep=True, services=services())


def _hosted(file: Path, passphrase: str | None) -> Hosted:
    return Hosted(services(), Ledger(open_shared(f"sqlite:///{file}", passphrase)))


@pytest.mark.parametrize("begun", [None, PASSPHRASE])
def test_conversations_of_the_api_are_sealed_repeated_and_exported(tmp_path: Path, begun: str | None) -> None:
    file = tmp_path / "data" / "served.sqlite"
    first = _hosted(file, begun)
    thread = first.open("ann", "GB")
    for _ in first.say("ann", thread, WHOLE[0], key="one"):
        pass
    hosted = _hosted(file, PASSPHRASE)
    [*_, again] = hosted.say("ann", thread, WHOLE[0], key="one")
    assert isinstance(again, Answered)
    assert again.replayed
    [*_, second] = hosted.say("ann", thread, WHOLE[4], key="two")
    assert isinstance(second, Answered)
    assert second.reply["saved"]
    assert not in_the_clear(file)
    assert WHOLE[0] in str(hosted.export("ann", thread))
    if begun is None:  # a worker that began before has no key: it answers, and writes nothing plain
        [*_, late] = first.say("ann", thread, f"{CANARY} late", key="three")
        assert isinstance(late, Answered)
        assert not late.reply["saved"]
        assert not in_the_clear(file)


def test_the_api_does_not_start_without_the_passphrase_of_its_file(tmp_path: Path) -> None:
    file = tmp_path / "data" / "served.sqlite"
    _hosted(file, PASSPHRASE).open("ann")
    for wrong in (None, ANOTHER):
        with pytest.raises(PassphraseError):
            open_shared(f"sqlite:///{file}", wrong)
    with pytest.raises(SettingsError, match="SQLite files alone"):
        open_shared("postgresql://x/y", PASSPHRASE)


def test_the_desk_is_sealed_too(tmp_path: Path) -> None:
    file = tmp_path / "data" / "desk.sqlite"
    desk = Desk(file, passphrase=PASSPHRASE)
    told = Escalation(
        thread="t", turn=1, level="high", fresh=True, kinds=["suicide"], subject="self", country="GB"
    )
    desk.put({**told, "conversation": [{"role": "person", "text": WHOLE[0]}]})
    assert desk.take("t")
    desk.ask("t", [{"role": "person", "text": WHOLE[4]}])
    assert WHOLE[4] in str(desk.listed())
    assert desk.answer("t", WHOLE[3])
    assert not in_the_clear(file)
    assert desk.answered("t") == {"said": WHOLE[3], "back": False}
    with pytest.raises(Locked):
        Desk(file, passphrase=ANOTHER).listed()
    with pytest.raises(Locked):
        Desk(file).listed()
