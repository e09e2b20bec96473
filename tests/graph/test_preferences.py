"""What a person asks of every reply: kept for the conversation, over a reload too, and undone on request."""

import pytest

from graph import Session
from tests import fakes

WISHES = [
    ("no advice please", "advice", False, "ok you can give me ideas now", True),
    ("shorter", "brief", True, "ok longer is fine again", False),
    ("stop asking questions", "questions", False, "you can ask me questions again", True),
    ("use simpler words please", "plain", True, "you can use normal words again", False),
    ("call me Sam", "name", "Sam", "don't use my name", None),
]


@pytest.mark.parametrize(("text", "key", "value", "undo", "after"), WISHES)
def test_each_is_kept_over_a_reload_and_undone_on_request(text, key, value, undo, after):
    session = Session.open(country="GB", keep=True, services=fakes.services())
    session.say("my sister took my bike again")
    session.say(text)
    session.say("and then she lent it to her friend")
    assert session.person.get(key) == value
    session.close()
    again = Session.open(services=fakes.services(), thread=session.thread)
    assert again.person.get(key) == value
    again.say("the friend left it in the rain")
    assert again.person.get(key) == value
    assert again.say(undo).plan["move"] == "wish"
    assert again.person.get(key) == after
    again.close()
    last = Session.open(services=fakes.services(), thread=session.thread)
    assert last.person.get(key) == after
    last.close()


def test_all_hold_together_and_in_an_exercise_none_is_lost():
    session = Session.open(country="GB", services=fakes.services())
    for text, *_ in WISHES:
        session.say(text)
    held = dict(session.person)
    for text in ("can we do worry time", "the rent", "stop"):
        session.say(text)
    assert dict(session.person) == held
    turn = session.say("my sister took my bike again and I had to walk home")
    assert "?" not in turn.text
    assert len(turn.text.split()) <= 35
    assert turn.plan["offer"] == ""


def test_what_was_tried_is_not_offered_again():
    session = Session.open(country="GB", services=fakes.services())
    session.say("I get so anxious before meetings")
    told = [session.say("I already tried breathing")]
    told += [session.say(f"what else can I do about it, number {n}") for n in range(4)]
    assert "paced-breathing" not in {turn.plan["offer"] for turn in told}
    assert not [turn.text for turn in told if "breath" in turn.text.lower()]
