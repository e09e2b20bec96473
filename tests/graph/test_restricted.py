"""HEARKEN_JURISDICTION=restricted: no feelings read, no supportive talk, and danger met as ever (SR-L8)."""

from pathlib import Path
from typing import Any

import pytest

from agent.plan import load_empathy
from agent.responders.replies import load_replies, sentences
from agent.settings import load_settings
from graph import Session, Turn
from graph.read import read_message
from graph.scripts import load_scripts
from graph.services import from_settings
from tests import fakes
from ui import explain
from ui.wording import load_ui_words

TELLING = [
    "I feel so sad since my father died",
    "my boss shouts at me in front of everyone",
    "I can't sleep, what can I do",
    "everything is too much",
    "I passed my exam!",
]
CRISES = load_scripts(Path(__file__).parents[1] / "conversations" / "crisis")


def opened(*, restricted: bool = True, **changes: Any) -> Session:
    return Session.open(country="GB", services=fakes.services(restricted=restricted, **changes))


def found(*turns: Turn) -> list[str]:
    return [sentence for turn in turns for sentence in sentences(turn.text)]


def test_the_setting_reaches_the_services(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not from_settings(load_settings()).restricted
    monkeypatch.setenv("HEARKEN_JURISDICTION", "restricted")
    assert from_settings(load_settings()).restricted


@pytest.mark.parametrize("text", TELLING)
def test_no_feeling_is_read_named_or_shown(text: str) -> None:
    turn = opened().say(text)
    assert turn.reading["emotions"] == []
    assert turn.plan["feeling"] == ""
    assert load_ui_words().why.not_read in explain.sentences(turn)
    assert not any("something like" in sentence for sentence in explain.sentences(turn))
    assert explain.details(turn)["reading"]["emotions"] == []
    assert read_message(text, fakes.services(restricted=True))["reading"]["emotions"] == []


@pytest.mark.parametrize("text", TELLING)
def test_what_would_be_support_becomes_the_way_to_the_library(text: str) -> None:
    turn = opened(search=lambda text, k: [fakes.passage()]).say(text)
    assert turn.plan["move"] == "library"
    assert [passage["id"] for passage in turn.sources] == ["p1"]
    ways = load_replies().known["library"]
    assert sum(sentence in ways for sentence in found(turn)) >= 2
    assert not set(found(turn)) & {
        one for bank in load_replies().banks["perspective"].values() for one in bank
    }


def test_entries_are_promised_only_when_there_are_some() -> None:
    assert "below" not in opened().say(TELLING[0]).text


def test_no_responder_but_the_guided_one_is_asked() -> None:
    turn = opened(respond=fakes.raising(AssertionError("a model was asked"))).say(TELLING[1])
    assert turn.responder == "guided"
    assert turn.replaced == []


def test_a_long_stay_never_runs_dry() -> None:
    session = opened()
    replies = [session.say("I worry about my exam again") for _ in range(12)]
    assert {turn.responder for turn in replies} == {"guided"}
    assert len({turn.text for turn in replies}) == len(replies)


@pytest.mark.parametrize("name", sorted(CRISES))
def test_danger_is_met_exactly_as_elsewhere(name: str) -> None:
    """Level, care and helplines of every crisis script, turn by turn."""
    script = CRISES[name]
    sessions = [
        Session.open(country=script.country, services=fakes.services(restricted=restricted))
        for restricted in (True, False)
    ]
    for turn in script.turns:
        here, elsewhere = (session.say(turn.user) for session in sessions)
        assert (here.risk, here.escalated) == (elsewhere.risk, elsewhere.escalated)
        assert here.card == elsewhere.card


def test_what_it_is_is_still_told() -> None:
    turn = opened().say("are you a real person?")
    assert turn.plan["move"] == "identity"
    assert "program" in turn.text or "AI" in turn.text


def test_moves_near_danger_are_left_as_they_are() -> None:
    left = set(load_empathy().moves) - set(load_empathy().restricted_moves)
    assert left >= {
        "crisis",
        "help",
        "help_line",
        "professional",
        "bereaved",
        "survived",
        "identity",
        "privacy",
    }
    assert set(load_empathy().restricted_moves) <= set(load_empathy().moves)
