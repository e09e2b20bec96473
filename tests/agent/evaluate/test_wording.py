"""The authored sentences as editors see them: where they stand, filled in, and judged."""

import pytest

from agent.errors import WordsError
from agent.evaluate import wording
from agent.evaluate.wording import lines, said_at


def test_a_place_gives_its_sentences_and_no_others() -> None:
    found = lines("replies_told.yaml#tellings.guilt")
    assert {line.place.split("#")[1].split(".")[1] for line in found} == {"guilt"}
    assert {line.place.split(".")[-2] for line in found} == {"say", "ask", "apt", "apt_ask"}
    assert len(lines("replies_told.yaml")) > len(found)
    assert lines("replies_told") == lines("replies_told.yaml")


def test_slots_are_filled_and_what_the_registry_fills_is_left_open() -> None:
    whole = lines()
    assert not [line for line in whole if "$" in line.text]
    assert any("your manager keeps giving you his shifts" in line.text for line in whole)
    assert not [line for line in lines("crisis.yaml") if any(map(str.isdigit, line.text))]


def test_none_of_ours_is_stopped_and_one_that_should_be_is(monkeypatch: pytest.MonkeyPatch) -> None:
    assert [line for line in lines() if line.stopped] == []
    bad = {"You have depression.": ("replies_told.yaml#tellings.low.say.0", "You have depression.")}
    monkeypatch.setattr(wording, "places", lambda: bad)
    assert [line.stopped for line in lines()] == ["diagnosis"]


@pytest.mark.parametrize("place", ["no.yaml", "replies_told.yaml#tellings.gui"])
def test_a_place_that_is_none_is_answered_with_an_example(place: str) -> None:
    with pytest.raises(WordsError, match=r"replies_told\.yaml#tellings\.guilt"):
        lines(place)


def test_a_reply_is_told_apart_into_places() -> None:
    (first, where), (second, nowhere) = said_at("That's a heavy thing to sit with. I made this one up.")
    assert (first, where) == ("That's a heavy thing to sit with.", "replies_told.yaml#tellings.guilt.say.0")
    assert (second, nowhere) == ("I made this one up.", "")
