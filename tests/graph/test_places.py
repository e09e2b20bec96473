"""Where a person says they are is taken from plain statements only, and its lines are shown at once."""

import pytest

from graph import Session
from graph.places import their_country, told_country


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("I'm in Ireland", "IE"),
        ("canada", "CA"),
        ("I live in the UK", "GB"),
        ("im from new zealand", "NZ"),
        ("im in the us", "US"),
        ("I want to die, I live in Chile", "CL"),
        ("my friend from India is ill", ""),
        ("he lives in France", ""),
        ("I am in love with Jordan", ""),
        ("us", ""),
        ("tell us about it", ""),
    ],
)
def test_a_country_is_told_plainly_or_not_at_all(text: str, country: str) -> None:
    assert told_country(text) == country


def test_the_lines_of_a_country_told_in_danger_are_shown_on_that_turn() -> None:
    session = Session.open()
    first = session.say("I want to end my life")
    then = session.say("I'm in Ireland")
    assert all(not contact["phone"] for contact in first.card)
    assert "Samaritans" in [contact["name"] for contact in then.card]


def test_a_country_already_chosen_is_not_changed_by_a_mention() -> None:
    session = Session.open(country="GB")
    session.say("I'm in France this week and I want to end my life")
    assert session.say("hello").values["person"]["country"] == "GB"


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("my sister lives in Spain and she texted me goodbye", "ES"),
        ("he moved back to his parents in Poland", "PL"),
        ("my boyfriend says he will do it, he's in the Netherlands", "NL"),
        ("my friend in the us took pills", "US"),
        ("he believes in us", ""),
        ("mi hermana está en Colombia", "CO"),
        ("estoy en Colombia con mi hermana", ""),
        ("my brother and i live in France", ""),
        ("my friend from India is ill", ""),
        ("I'm in Ireland and my friend is scared", ""),
    ],
)
def test_where_somebody_else_is_is_told_of_them(text: str, country: str) -> None:
    assert their_country(text) == country


def test_whoever_is_in_danger_abroad_is_given_the_numbers_of_that_place() -> None:
    """A number of the writer's country cannot help there, and one of that country is rung from there."""
    session = Session.open(country="GB")
    told = session.say("my sister in Spain just wrote that she took all her pills to die, she is alone")
    assert told.escalated
    assert {contact["country"] for contact in told.card} == {"ES"}
    assert "112" in told.text
    assert "999" not in told.text
    assert {contact["country"] for contact in session.contacts} == {"ES"}
    then = session.say("ok I rang her neighbour, they are going over")
    assert "112" in then.text
    assert not any(one in then.text for one in ("ring it now", "call 112 now"))  # they are on the way
    assert {contact["country"] for contact in session.contacts} == {"ES"}


def test_the_writers_own_danger_keeps_the_writers_own_numbers() -> None:
    session = Session.open(country="GB")
    told = session.say("my sister lives in Spain. I want to kill myself tonight")
    assert {contact["country"] for contact in told.card} == {"GB"}
