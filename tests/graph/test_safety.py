"""A turn for the safety plan: danger first, kept only by consent, and never in the hands of a model."""

import pytest

from agent.errors import WordsError
from agent.safety_plan import markdown
from agent.settings import load_settings
from graph import Session
from graph import safety as safeties
from graph.build import route
from graph.state import WRITERS
from graph.store import listed
from tests import fakes

PASSIVE = "everyone would be better off without me"
WANTS_TO_DIE = "I want to kill myself"


def never(*args, **kwargs):
    raise AssertionError("the plan asked a model or the library")


def opened(**changes):
    return Session.open(
        **{"country": "GB", "services": fakes.services(respond=never, search=never), **changes}
    )


def test_it_is_offered_when_the_question_is_answered_and_begins_with_a_yes():
    session = opened()
    for text in (PASSIVE, "no"):
        assert session.say(text).path[2] == "crisis"
    assert session.safety_plan() is None
    turn = session.say("yes please")
    assert turn.path == ["perceive", "assess", "safety", "guard"]
    assert turn.plan["move"] == "safety_plan"
    assert session.safety_plan()["complete"] is False


def test_a_no_to_the_offer_is_taken_and_it_is_not_asked_again():
    session = opened()
    turns = [
        session.say(text) for text in (PASSIVE, "no", "no", "my exam is tomorrow", "I have to read a lot")
    ]
    assert all("crisis" in turn.path for turn in turns)
    assert turns[2].values["care"]["asked"] != "plan"
    assert session.safety_plan() is None


def test_danger_while_writing_goes_to_the_crisis_branch_first_and_the_plan_waits():
    session = opened()
    session.say("can we write a safety plan")
    session.say("I stop sleeping")
    before = session.safety_plan()
    turn = session.say(WANTS_TO_DIE)
    assert turn.path[2] == "crisis"
    assert "116 123" in turn.text
    assert session.safety_plan() == before
    assert session.say("no").path[2] == "crisis"  # it answers the crisis branch's question
    assert session.say("safety plan").path[2] == "safety"
    session.say("a walk")
    assert [step["entries"] for step in session.safety_plan()["steps"][:2]] == [
        ["I stop sleeping"],
        ["a walk"],
    ]


def test_no_plan_at_imminent():
    session = opened()
    session.say("I have the pills in my hand and will take them now")
    turn = session.say("can we do a safety plan")
    assert turn.path[2] == "crisis"


def test_a_step_is_no_answer_to_an_older_question():
    session = opened()
    session.say(PASSIVE)
    session.say("can we write a safety plan instead")
    session.say("skip")
    turn = session.say("sometimes I go for a run")
    assert turn.risk == "moderate"
    assert turn.path[2] == "safety"


@pytest.mark.parametrize("text", ["are you a real person", "what is the time?", "bye", ""])
def test_what_is_no_entry_is_answered_elsewhere(text):
    session = Session.open(country="GB", services=fakes.services())
    session.say("can we write a safety plan")
    assert "safety" not in session.say(text).path


def test_nothing_is_on_disk_unless_the_conversation_is_kept():
    settings = load_settings()
    session = opened()
    session.say("can we write a safety plan")
    session.say("CANARY")
    assert not settings.conversations_db.exists()
    kept = opened(keep=True)
    kept.say("can we write a safety plan")
    kept.say("CANARY")
    plan = kept.safety_plan()
    kept.close()
    again = opened(thread=kept.thread)
    assert again.safety_plan() == plan
    assert "CANARY" in markdown(again.safety_plan())
    assert again.say("safety plan").path[2] == "safety"
    again.delete()
    assert again.safety_plan() is None
    again.close()
    assert listed(settings.conversations_db) == []
    assert b"CANARY" not in settings.conversations_db.read_bytes()


def test_no_word_of_it_is_logged(caplog):
    caplog.set_level("DEBUG")
    session = opened()
    session.say("can we write a safety plan")
    session.say("CANARY")
    assert "CANARY" not in caplog.text


def test_a_plan_that_breaks_leaves_a_reply_and_what_was_written():
    fine = opened()
    fine.say("can we write a safety plan")
    fine.say("I stop sleeping")
    broken = Session(
        fakes.services(contacts=fakes.raising(RuntimeError("boom"))), thread="t", values=fine._values
    )
    turn = broken.say("a walk")
    assert turn.text.strip()
    assert turn.responder == "static"
    assert broken.safety_plan()["steps"][0]["entries"] == ["I stop sleeping"]


def test_words_that_do_not_load_cost_the_plan_and_no_reply(monkeypatch):
    monkeypatch.setattr(safeties, "takes", fakes.raising(WordsError("damaged")))
    assert "crisis" in opened().say(WANTS_TO_DIE).path


@pytest.mark.parametrize("risk", [None, "nonsense", {"escalate": True}, {"fresh": False}, {"level": "none"}])
def test_a_damaged_risk_never_leads_to_the_plan(risk):
    state = {"messages": [], "risk": risk, "reading": {}, "safety_plan": {"step": "signs", "turn": 0}}
    assert route(state) == "crisis"


def test_one_step_writes_it():
    assert [node for node, keys in WRITERS.items() if "safety_plan" in keys] == ["safety"]
