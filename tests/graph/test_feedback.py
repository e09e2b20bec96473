"""What people said of replies: only with consent, with the moment it was said of, and of whom it is."""

from pathlib import Path

from graph import Session, shelf
from graph.feedback import on_this_device, served
from graph.hosted import Hosted
from graph.ledger import Ledger
from graph.shared import open_shared
from graph.shelf import Report
from tests import fakes

SAID = ("I feel alone in the evenings", "Nobody calls any more")


def kept() -> Session:
    session = Session.open(country="GB", keep=True, services=fakes.services())
    for text in SAID:
        session.say(text)
    session.close()
    return session


def replies(session: Session) -> list[tuple[str, str]]:
    return [(str(one.id), str(one.content)) for one in session.messages if one.type == "ai"]


def test_marks_and_reports_come_with_what_they_are_said_of(tmp_path: Path) -> None:
    path = tmp_path / "data" / "conversations.sqlite"
    assert on_this_device(path) == []
    session = kept()
    (first, said), (second, later) = replies(session)
    shelf.mark(path, session.thread, first, 1)
    shelf.mark(path, session.thread, second, 0)
    shelf.report(path, session.thread, Report(shelf.iso(), SAID[0], said, "It talks like a poster."))
    assert on_this_device(path) == []  # kept, but nobody agreed to it
    shelf.consent(path)
    good, bad, reported = on_this_device(path)
    assert (good.before, good.reply, good.helpful) == ((("user", SAID[0]),), said, True)
    assert (bad.reply, bad.helpful, bad.reported) == (later, False, False)
    assert [role for role, _ in bad.before] == ["user", "assistant", "user"]
    assert bad.before[-1][1] == SAID[1]
    assert (reported.before, reported.reply) == ((("user", SAID[0]),), said)
    assert (reported.reported, reported.why) == (True, "It talks like a poster.")


def test_of_a_server_only_those_are_read_who_are_named(tmp_path: Path) -> None:
    database = open_shared(f"sqlite:///{tmp_path / 'served.sqlite'}")
    database.migrate()
    hosted = Hosted(fakes.services(), Ledger(database))
    for owner in ("ada", "bob"):
        thread = hosted.open(owner, "GB")
        for text in SAID:
            list(hosted.say(owner, thread, text))
        hosted.ledger.rate(owner, thread, 2, helpful=False)
        hosted.ledger.rate(owner, thread, 9, helpful=True)  # there is no such turn
    (one,) = served(hosted, ["ada"])
    assert [text for role, text in one.before if role == "user"] == list(SAID)
    assert one.reply
    assert not one.helpful
    assert served(hosted, []) == []
    assert len(served(hosted, ["ada", "bob", "nobody"])) == 2
    database.close()
