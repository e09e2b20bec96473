"""A turn for an exercise: danger first, no model, no word kept, and only where nothing is wrong with it."""

import pytest

from agent.errors import WordsError
from graph import Session
from graph import practice as practising
from graph.build import build_graph, route
from graph.state import WRITERS
from tests import fakes

WANTS_TO_DIE = "I want to kill myself"
PATH = ["perceive", "assess", "practice", "guard"]


def never(*args, **kwargs):
    raise AssertionError("the exercise asked a model or the library")


def opened(**changes):
    return Session.open(
        **{"country": "GB", "services": fakes.services(respond=never, search=never), **changes}
    )


def test_it_is_begun_and_gone_through_without_a_model():
    session = opened()
    for text in ("help me calm down", "ok", "next", "done", "ok", "calmer"):
        turn = session.say(text)
        assert turn.path == PATH
        assert turn.plan["move"] == "practice"
        assert turn.card == []
        assert "?" not in turn.text
        assert turn.replaced == []


@pytest.mark.parametrize(
    "text",
    [
        WANTS_TO_DIE,
        "everyone would be better off without me",
        "I cut myself again last night",
        "I think I'm having a heart attack, my chest hurts and my arm is numb",
        "I took all my pills",
        "he hits me when he drinks",
    ],
)
def test_any_danger_leaves_it_at_once(text):
    session = opened()
    session.say("let's do a thought record")
    session.say("at home, the mail came")
    turn = session.say(text)
    assert turn.path[2] == "crisis"
    for later in ("next", "go on", "help me calm down", "yes"):
        assert session.say(later).path[2] == "crisis"


def test_none_is_begun_under_care_however_it_is_asked_for():
    session = opened()
    session.say(WANTS_TO_DIE)
    assert session.say("can we do a breathing exercise").path[2] == "crisis"


@pytest.mark.parametrize("level", ["moderate", "high", "imminent", "nonsense", None])
@pytest.mark.parametrize("fresh", [False, True, None])
def test_no_level_from_moderate_on_leads_to_it(level, fresh):
    session = opened()
    values = session.say("help me calm down").values
    values["messages"] = [*values["messages"], *values["messages"][:1]]
    assert practising.practises(values)
    assert not practising.practises({**values, "risk": {**values["risk"], "level": level, "fresh": fresh}})
    assert not practising.practises({**values, "risk": {**values["risk"], "escalate": True}})
    low = {**values["risk"], "fresh": fresh, "level": "low"}
    assert practising.practises({**values, "risk": low}) is (fresh is False)


def test_a_cue_of_any_level_in_the_message_is_answered_first():
    session = opened()
    values = session.say("help me calm down").values
    for kind in ("bereaved", "distress"):
        reading = {**values["reading"], "cues": [[{"level": "low", "kind": kind}]]}
        assert practising.practises({**values, "reading": reading}) is (kind == "distress")


def test_a_list_of_things_is_not_taken_for_danger_by_the_model_alone():
    session = opened(services=fakes.services(read=lambda text: fakes.heard(danger="imminent")))
    values = Session.open(country="GB", services=fakes.services()).say("grounding please").values
    listing = Session(session._services, thread="t", values=values)
    assert listing.say("the wall. my knife, a cup").path == PATH
    listing = Session(session._services, thread="t", values=values)
    assert listing.say("a knife, and I will use it").path[2] == "crisis"


def test_a_word_to_an_exercise_is_not_taken_for_danger_by_the_model_alone():
    alarmed = fakes.services(read=lambda text: fakes.heard(danger="imminent"))
    for text in ("I want to do the values one again", "can we do worry time"):
        session = Session.open(country="GB", services=alarmed)
        assert session.say(text).path == PATH
        assert session.say("I want to stop").path == PATH
        assert session.say("I want to stop living").path[2] == "crisis"
    for text in (
        "I want to stop",
        "a breathing exercise please, I lost my job and he left me and it all ends",
    ):
        assert Session.open(country="GB", services=alarmed).say(text).path[2] == "crisis"


@pytest.mark.parametrize("risk", [None, "nonsense", {"escalate": True}, {"fresh": False}, {"level": "none"}])
def test_a_damaged_risk_never_leads_to_it(risk):
    state = {"messages": [], "risk": risk, "reading": {}, "practice": {"step": "settle", "turn": 0}}
    assert route(state) == "crisis"


def test_an_answer_to_a_step_is_no_answer_to_an_older_question():
    graph = build_graph(fakes.services())
    state = graph.invoke({"messages": [("user", "help me calm down")], "person": {"country": "GB"}})
    care = {"pending": {"yes": "imminent"}, "turn": 0}
    after = graph.invoke({**state, "care": care, "messages": [*state["messages"], ("user", "yes")]})
    assert after["risk"]["level"] == "none"
    assert after["draft"]["responder"] == "practice"


def test_no_word_of_theirs_is_in_it_nor_logged(caplog):
    caplog.set_level("DEBUG")
    session = opened()
    session.say("let's do a thought record")
    values = session.say("CANARY").values
    assert "CANARY" not in repr(values["practice"])
    assert "CANARY" not in caplog.text


def test_a_kept_conversation_goes_on_with_it():
    kept = opened(keep=True)
    kept.say("help me calm down")
    kept.say("stop")
    kept.close()
    again = opened(thread=kept.thread)
    assert again.say("go on").path == PATH
    again.close()


def test_where_the_jurisdiction_is_restricted_there_is_none():
    session = opened(services=fakes.services(restricted=True))
    assert session.say("help me calm down").path[2] == "plan"


def test_one_that_breaks_leaves_a_reply(monkeypatch):
    monkeypatch.setattr(practising, "practised", fakes.raising(RuntimeError("boom")))
    turn = opened().say("help me calm down")
    assert turn.text.strip()
    assert turn.responder == "static"
    assert turn.values["practice"]["step"] == ""


def test_words_that_do_not_load_cost_the_exercise_and_no_reply(monkeypatch):
    monkeypatch.setattr(practising, "heard", fakes.raising(WordsError("damaged")))
    session = Session.open(country="GB", services=fakes.services())
    assert session.say("help me calm down").path[2] == "plan"
    assert session.say(WANTS_TO_DIE).path[2] == "crisis"


def test_what_was_practised_is_not_offered_again_as_an_idea():
    session = Session.open(country="GB", services=fakes.services())
    session.say("I get so tense before I phone anybody")
    session.say("breathing exercise please")
    session.say("stop")
    offers = [session.say(f"what else can I do about my exam, number {n}").plan["offer"] for n in range(6)]
    assert "paced-breathing" not in offers
    assert any(offers)


def test_one_step_writes_it():
    assert [node for node, keys in WRITERS.items() if "practice" in keys] == ["practice"]
