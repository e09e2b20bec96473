"""Why this reply: what the model of supporters chose is told, and nothing where it chose nothing."""

from dataclasses import replace

from agent.plan import load_empathy
from agent.rulebook import load_guard
from agent.supporter import STRATEGIES, Chances, Moment
from graph import Session
from tests import fakes
from ui.explain import details, scored, sentences, sources

STORY = (
    "my boss keeps giving me all of his shifts",
    "he shouted at me in front of everyone",
    "nobody at the office says a single word",
    "today I cried in the store room again",
)


def suggests(moment: Moment) -> Chances:
    del moment
    nexts = dict.fromkeys(STRATEGIES, 0.0) | {"Providing Suggestions": 1.0}
    return {"next": nexts, "reply": dict.fromkeys(STRATEGIES, 0.3)}


def test_the_panel_says_where_a_step_was_chosen_by_what_supporters_did() -> None:
    why = load_empathy().learned.why["act"]
    told = {}
    for foresee in (None, suggests):
        session = Session.open(country="GB", services=fakes.services(foresee=foresee))
        told[foresee] = [sentences(session.say(text)) for text in STORY]
    assert not any(why in each for each in told[None])
    assert any(why in each for each in told[suggests])
    assert why not in told[suggests][0]


def test_the_panel_says_what_of_a_models_reply_was_held_back_and_why_and_what_stands_there() -> None:
    services = fakes.services(
        respond=lambda brief: iter(["It sounds lonely there.", "Call 555-0100 at any hour."]),
        again=lambda brief, kept, why: ["That can wear somebody out."],
        responder="endpoint",
    )
    turn = Session.open(country="GB", services=services).say("I feel alone even around people.")
    told = sentences(turn)
    assert any("held back 1 of my sentences" in one for one in told)
    assert any(load_guard().why["contact"] in one for one in told)
    assert any("the model was asked again" in one for one in told)
    shown = details(turn)
    assert shown["responder"] == "endpoint"
    assert [(one["rule"], one["by"]) for one in shown["replaced"]] == [("contact", "model")]
    assert "555" not in str(shown["replaced"])


def test_where_an_idea_comes_from_is_told_and_what_was_no_use_only_to_a_developer() -> None:
    turn = Session.open(country="GB", services=fakes.services()).say(STORY[0])
    passage = {"source": "a shelf of ours", "score": 0.5}
    found = replace(turn, sources=[passage, passage])
    used, unused = (
        replace(found, plan={**turn.plan, "offer": {"idea": "rest"}}),
        replace(found, plan={**turn.plan, "offer": None}),
    )
    assert sources(used) == ["From a shelf of ours."]
    assert sources(unused) == []
    assert len(scored(unused)) == 2
    assert "0.50" in scored(unused)[0]
