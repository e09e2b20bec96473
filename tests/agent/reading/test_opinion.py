"""The reading model's word on danger: a cue beside the rules' when it is confident, silence otherwise."""

import pytest

from agent.brief import Score
from agent.reading.heads import Heard
from agent.reading.ladder import Cue
from agent.reading.opinion import FAINT, GLAD, RULE, WONDER, opinion
from tests.fakes import heard


def holding(level: str, kind: str = "suicide", subject: str = "self") -> Heard:
    heads = {"danger_kind": [Score(label=kind, p=0.8)], "danger_subject": [Score(label=subject, p=0.8)]}
    return heard(danger=level, heads=heads)


def test_no_danger_says_nothing() -> None:
    assert opinion(holding("none")) == []


def test_doubt_is_a_low_cue_that_asks_for_a_question_and_no_care() -> None:
    (cue,) = opinion(holding("low", "abuse"), [silent()])
    assert (cue["level"], cue["kind"], cue["escalate"], cue["marks"]) == ("low", "abuse", False, [WONDER])


def test_there_is_no_doubt_where_no_word_is_dark_or_several_messages_are_read_as_one() -> None:
    assert opinion(holding("low")) == []
    assert opinion(holding("low"), [silent()], story=True) == []


def test_doubt_beside_what_the_rules_heard_says_nothing() -> None:
    (known,) = opinion(holding("moderate"))
    assert opinion(holding("low"), [{**known, "rule": "distress.heavy", "level": "low"}]) == []


@pytest.mark.parametrize("level", ["moderate", "high", "imminent"])
def test_a_confident_call_is_one_cue_that_names_its_source(level: str) -> None:
    (cue,) = opinion(holding(level, "abuse", "child"))
    assert (cue["rule"], cue["level"], cue["kind"], cue["subject"], cue["escalate"]) == (
        RULE,
        level,
        "abuse",
        "child",
        True,
    )


@pytest.mark.parametrize(
    "kind", ["medication", "psychosis", "mania", "eating_disorder", "medical", "substance"]
)
def test_some_kinds_at_moderate_are_routed_without_a_crisis_card(kind: str) -> None:
    assert [cue["escalate"] for cue in opinion(holding("moderate", kind))] == [False]
    assert [cue["escalate"] for cue in opinion(holding("high", kind))] == [True]


def test_a_kind_or_subject_nobody_knows_is_read_carefully() -> None:
    (cue,) = opinion(holding("high", "weather", "dog"))
    assert (cue["kind"], cue["subject"]) == ("distress", "self")


def test_without_those_heads_the_level_still_counts() -> None:
    (cue,) = opinion(heard(danger="imminent"))
    assert (cue["level"], cue["escalate"]) == ("imminent", True)


def rule_cue(level: str, kind: str = "suicide", *, escalate: bool = True, past: bool = False) -> Cue:
    (cue,) = opinion(holding("high", kind))
    return {**cue, "rule": "a.rule", "level": level, "escalate": escalate, "past": past}  # type: ignore[typeddict-item]


def test_what_the_rules_heard_as_well_is_not_said_twice() -> None:
    assert opinion(holding("moderate", "overdose"), [rule_cue("moderate")]) == []
    assert opinion(holding("high", "overdose"), [rule_cue("imminent")]) == []


def test_more_danger_than_the_rules_heard_is_of_their_kind() -> None:
    (cue,) = opinion(holding("high", "overdose", "other"), [rule_cue("moderate", "suicide")])
    assert (cue["kind"], cue["subject"], cue["level"]) == ("suicide", "self", "high")


def test_what_is_past_or_routed_does_not_stand_in_for_present_danger() -> None:
    assert opinion(holding("high", "abuse"), [rule_cue("high", past=True)])[0]["kind"] == "abuse"
    assert opinion(holding("moderate", "suicide"), [rule_cue("moderate", "mania", escalate=False)])


GUESSED = {"danger_kind": [Score(label="overdose", p=0.3)], "danger_subject": [Score(label="self", p=0.6)]}


def silent(*, past: bool = False) -> Cue:
    return {**rule_cue("none", "distress", escalate=False, past=past), "rule": "distress.dark_word"}


def test_a_guess_at_the_kind_is_called_distress() -> None:
    assert opinion(heard(danger="high", heads=GUESSED))[0]["kind"] == "distress"


def test_a_guess_at_the_kind_needs_a_word_of_danger_to_be_moderate() -> None:
    (cue,) = opinion(heard(danger="moderate", heads={**GUESSED, "danger": [Score(label="moderate", p=0.98)]}))
    assert (cue["level"], cue["marks"]) == ("low", [WONDER])
    assert [cue["level"] for cue in opinion(heard(danger="moderate", heads=GUESSED), [silent()])] == [
        "moderate"
    ]


def nearly_sure() -> Heard:
    shares = [Score(label="low", p=0.42), Score(label="high", p=0.33), Score(label="imminent", p=0.25)]
    return heard(danger="high", heads={**GUESSED, "danger": shares})


def levels(*rules: Cue, story: bool = False) -> list[str]:
    return [cue["level"] for cue in opinion(nearly_sure(), rules, story=story)]


def test_a_low_cue_of_the_rules_bears_it_out() -> None:
    assert levels(rule_cue("low", "distress")) == ["high"]
    assert levels(rule_cue("low", "distress"), story=True) == []


def test_on_its_own_it_must_be_all_but_certain_and_is_a_doubt_at_most() -> None:
    assert levels() == []
    assert levels(silent()) == ["low"]


def test_what_it_alone_thinks_rather_dark_is_asked_about() -> None:
    likely = heard(danger="high", heads={**GUESSED, "danger": [Score(label="moderate", p=0.82)]})
    (cue,) = opinion(likely)
    assert (cue["level"], cue["escalate"], cue["marks"]) == ("low", False, [WONDER])
    assert opinion(likely, story=True) == []


def test_nobody_is_sent_to_the_emergency_number_for_danger_of_no_known_kind() -> None:
    alarm = [Score(label="imminent", p=0.96)]
    assert opinion(heard(danger="imminent", heads={**GUESSED, "danger": alarm}))[0]["level"] == "high"
    named = {"danger": alarm, "danger_kind": [Score(label="overdose", p=0.9)]}
    assert opinion(heard(danger="imminent", heads=named))[0]["level"] == "imminent"


def test_what_is_over_or_named_by_the_rules_is_not_made_worse() -> None:
    assert levels(rule_cue("low", past=True)) == []
    assert levels(rule_cue("moderate", "suicide")) == []
    assert levels(rule_cue("moderate", "medical", escalate=False)) == []


def test_how_young_somebody_is_bears_nothing_out() -> None:
    age: Cue = {**rule_cue("low", "minor", escalate=False), "rule": "minor.age"}
    assert levels(age) == []


def test_what_is_all_but_certain_needs_nobody_else() -> None:
    told = [Score(label="high", p=0.96)]
    sure = heard(danger="high", heads={"danger": told, "danger_kind": [Score(label="suicide", p=0.9)]})
    assert [cue["level"] for cue in opinion(sure)] == ["high"]
    assert [cue["level"] for cue in opinion(sure, [rule_cue("moderate", "suicide")])] == ["high"]


def certain(high: float) -> Heard:
    scores = [Score(label="high", p=high), Score(label="none", p=1 - high)]
    return heard(danger="high", heads={"danger": scores})


def test_a_few_words_of_which_no_rule_knows_any_must_be_all_but_certain() -> None:
    assert opinion(certain(0.9))
    assert [cue["marks"] for cue in opinion(certain(0.9), brief=True)] == [[WONDER]]
    assert not opinion(certain(0.75), brief=True)
    assert opinion(certain(0.97), brief=True)
    assert opinion(certain(0.9), [silent()], brief=True)


def test_a_story_in_which_no_rule_hears_danger_is_moderate_at_most() -> None:
    kind = [Score(label="suicide", p=0.9)]
    named: Heard = {**certain(0.99), "heads": {**certain(0.99)["heads"], "danger_kind": kind}}
    assert [one["level"] for one in opinion(named, [silent()], story=True)] == ["moderate"]
    (cue,) = opinion(certain(0.99), [silent()], story=True)  # of a kind that it only guesses at
    assert (cue["level"], cue["marks"]) == ("low", [WONDER])


def test_a_doubt_that_may_well_be_nothing_is_faint() -> None:
    scores = [Score(label="low", p=0.6), Score(label="none", p=0.4)]
    dark: Cue = {**silent(), "rule": "distress.dark_word"}
    (cue,) = opinion(heard(danger="low", heads={"danger": scores}), [dark])
    assert cue["marks"] == [WONDER, FAINT]


def test_a_glad_message_is_not_asked_about_and_alone_it_must_be_all_but_certain() -> None:
    for telling in GLAD:
        assert levels_of(0.92, telling="") == ["high"]
        assert levels_of(0.92, telling=telling) == []
        assert levels_of(0.97, telling=telling) == ["high"]
        doubt: Heard = {**nearly_sure(), "danger": "low", "telling": telling}
        assert opinion(doubt, [silent()]) == []


@pytest.mark.parametrize("telling", ["funny", "relief", "did_it", "looking_forward", "comfort"])
def test_danger_may_hide_in_a_joke_a_relief_or_a_plan(telling: str) -> None:
    assert levels_of(0.92, telling=telling) == ["high"]


def test_what_the_rules_hear_is_not_made_less_by_gladness() -> None:
    known = rule_cue("moderate")
    assert opinion({**certain(0.97), "telling": "joy"}, [known]) == opinion(certain(0.97), [known])


def levels_of(high: float, *, telling: str) -> list[str]:
    return [cue["level"] for cue in opinion({**certain(high), "telling": telling})]
