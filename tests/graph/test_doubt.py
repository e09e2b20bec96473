"""Where the reading is in doubt: one soft question in an ordinary reply, and its answer understood."""

import pytest

from agent.brief import Score
from agent.reading.heads import Heard
from agent.responders.crisis import wonder
from agent.responders.crisis_words import load_words
from graph.session import Session
from tests import fakes

HEAVY = "It is all the same to me by now, one grey week after the other, and I just watch it."
SOFT = {line for ask in load_words().wonders for line in ask.say}


def doubtful(text: str) -> Heard:
    told = {"danger_kind": [Score(label="suicide", p=0.9)], "danger_subject": [Score(label="self", p=0.9)]}
    return fakes.heard(danger="low" if text == HEAVY else "none", heads=told)


def talk(**changes: object) -> Session:
    return Session.open(country="GB", services=fakes.services(read=doubtful, **changes))


def test_the_reply_is_an_ordinary_one_that_ends_with_the_question() -> None:
    turn = talk().say(HEAVY)
    assert (turn.risk, turn.escalated, turn.card) == ("low", False, [])
    assert [line for line in SOFT if turn.text.endswith(line)]
    assert turn.text.count("?") == 1
    assert len(turn.text) > max(map(len, SOFT)) + 20


def test_it_is_asked_once_in_a_conversation() -> None:
    session = talk()
    session.say(HEAVY)
    session.say("I don't know, I watch the rain mostly.")
    again = session.say(HEAVY)
    assert not [line for line in SOFT if line in again.text]


def test_a_yes_is_met_with_care() -> None:
    session = talk()
    session.say(HEAVY)
    turn = session.say("yes")
    assert turn.escalated
    assert turn.card


def test_a_no_is_believed() -> None:
    session = talk()
    session.say(HEAVY)
    turn = session.say("no, not that")
    assert not turn.escalated


def test_who_wants_no_questions_gets_none() -> None:
    session = talk()
    session.say("please stop asking me questions")
    assert "?" not in session.say(HEAVY).text


def test_a_language_models_reply_ends_with_it_too_and_asks_nothing_else() -> None:
    turn = talk(respond=lambda brief: ["That sounds grey and long.", "What would help?"]).say(HEAVY)
    assert turn.text.startswith("That sounds grey and long.")
    assert turn.text.count("?") == 1
    assert [line for line in SOFT if turn.text.endswith(line)]


@pytest.mark.parametrize(
    ("kind", "subject", "word"),
    [("abuse", "self", "safe"), ("suicide", "other", "they"), ("mania", "self", "you")],
)
def test_it_fits_what_is_feared_and_for_whom(kind: str, subject: str, word: str) -> None:
    turn = Session.open(
        country="GB",
        services=fakes.services(
            read=lambda text: fakes.heard(
                danger="low",
                heads={
                    "danger_kind": [Score(label=kind, p=0.9)],
                    "danger_subject": [Score(label=subject, p=0.9)],
                },
            )
        ),
    ).say(HEAVY)
    assert word in turn.text.split("?")[0].rsplit(".", 1)[-1] or word in turn.text


def test_without_a_doubt_there_is_no_question() -> None:
    from agent.reading.assess import no_risk

    assert wonder(no_risk(), []) == ""
