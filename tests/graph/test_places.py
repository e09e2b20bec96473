"""Where a person says they are is taken from plain statements only, and its lines are shown at once."""

import pytest

from graph import Session
from graph.places import told_country


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("I'm in Ireland", "IE"),
        ("canada", "CA"),
        ("I live in the UK", "GB"),
        ("im from new zealand", "NZ"),
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
