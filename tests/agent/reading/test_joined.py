"""Rules that join pieces: how near, what sets them aside and from where, and whom they are about."""

import pytest

from agent.reading.joined import Spots, any_of, owner
from agent.reading.ladder import Subject
from agent.reading.riskwords import JoinedWords, RiskWords
from agent.reading.rules import load_rules
from agent.words import load

MORE = load("risk_joined.yaml", JoinedWords)


def alarms(text: str) -> list[str]:
    return [cue["rule"] for cue in load_rules().scan(text) if cue["escalate"]]


def test_pieces_count_only_near_each_other() -> None:
    spots = Spots()
    spots.add("rope", 0, 10, 11)
    assert spots.near(any_of("gun | rope"), 0, (14, 15), 5)
    assert not spots.near(["rope"], 0, (16, 16), 5)
    assert not spots.near(["rope"], 1, (14, 15), 5)
    assert spots.near(["rope"], 1, (999, 999), None)


def test_what_is_joined_is_told_in_words_of_its_own() -> None:
    spots = Spots()
    spots.add("rope", 0, 10, 11)
    assert not spots.near(["rope"], 0, (11, 12), 5)
    assert spots.near(["rope"], 0, (12, 13), 5)


def test_what_was_told_after_is_never_asked_for() -> None:
    spots = Spots()
    spots.add("novel", 0, 10, 10)
    assert spots.told(["novel"], 0, 0, 11)
    assert not spots.told(["novel"], 0, 11, 20)
    assert not spots.told(["novel"], 0, 0, 10)


@pytest.mark.parametrize(
    ("words", "whose"),
    [
        ("my sister is floppy", "other"),
        ("my newborn is floppy", "child"),
        ("my sister left and i am dizzy", "self"),
        ("is floppy", "self"),
    ],
)
def test_whom_it_is_about_is_the_one_named_last(words: str, whose: Subject) -> None:
    split = words.split()
    assert owner(split, len(split) - 1, "self") == whose


@pytest.mark.parametrize(
    "danger",
    ["the pistol is on my knees", "I swallowed a handful of my gran's tablets and my ears are ringing"],
)
def test_a_story_sets_hints_aside_only_when_told_first(danger: str) -> None:
    assert alarms(danger)
    assert alarms(f"{danger}. I am writing a novel.")
    assert not [rule for rule in alarms(f"I am writing a novel. {danger}") if rule.startswith("joined.")]


@pytest.mark.parametrize("before", ["The doctor said I was fine", "That was ten years ago"])
def test_what_is_over_or_was_looked_at_only_counts_in_its_sentence(before: str) -> None:
    assert alarms(f"{before}. Now I can't breathe properly and my lips are swelling")


def test_a_plain_statement_is_heard_after_a_story() -> None:
    assert "suicide.kill_self" in alarms("I am writing a novel. I want to kill myself")


def test_every_joined_rule_says_how_near_and_shows_examples() -> None:
    for rule in MORE.rules:
        assert rule.reach is not None
        assert len(rule.hits) >= 2
        assert len(rule.misses) >= 2


def test_a_class_hides_no_macro_and_no_scene() -> None:
    words = load("risk.yaml", RiskWords)
    assert MORE.classes.keys().isdisjoint({*words.macros, *words.scenes, *MORE.macros})
    assert MORE.macros.keys().isdisjoint(words.macros)


def test_nobody_is_named_who_did_not_review() -> None:
    assert MORE.reviewed_by is None
