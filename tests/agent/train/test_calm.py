"""Everyday texts as messages without danger."""

from agent.train.calm import EVERYDAY, alarming, with_calm
from agent.train.data import Example


def lines(source: str, count: int = 60) -> list[Example]:
    told = {"expressed": {"sad": 1.0}}
    return [Example(f"a quiet day, number {n}", "train", source, told) for n in range(count)]


def test_some_everyday_texts_become_calm_and_keep_what_was_known() -> None:
    found = with_calm(lines("turns"), lambda text: False)
    calm = [one for one in found if one.label("danger") == "none"]
    assert 0 < len(calm) < 60
    assert all(one.label("expressed") == "sad" for one in found)


def test_a_text_in_which_the_rules_hear_danger_is_left_unknown() -> None:
    assert all(not one.label("danger") for one in with_calm(lines("turns"), lambda text: True))


def test_a_label_of_danger_is_never_overwritten() -> None:
    own = [Example(f"line {n}", "train", "turns", {"danger": {"high": 1.0}}) for n in range(60)]
    assert with_calm(own, lambda text: False) == own


def test_sets_about_illness_are_left_alone() -> None:
    for source in ("dreaddit", "cssrs", "irf", "dangers"):
        assert source not in EVERYDAY
        assert with_calm(lines(source), lambda text: False) == lines(source)


def test_which_are_taken_does_not_depend_on_their_order() -> None:
    some = lines("sad")
    there, back = with_calm(some, lambda text: False), with_calm(some[::-1], lambda text: False)
    assert there == back[::-1]


def test_the_rules_call_plain_danger_alarming_and_a_bad_day_not() -> None:
    assert alarming("I want to kill myself tonight")
    assert not alarming("I had a bad day at work and cried in the car")
