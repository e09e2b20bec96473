"""The reading model's word on danger: a cue beside the rules' when it is confident, silence otherwise."""

import pytest

from agent.brief import Score
from agent.reading.heads import Heard
from agent.reading.opinion import RULE, opinion
from tests.fakes import heard


def holding(level: str, kind: str = "suicide", subject: str = "self") -> Heard:
    heads = {"danger_kind": [Score(label=kind, p=0.8)], "danger_subject": [Score(label=subject, p=0.8)]}
    return heard(danger=level, heads=heads)


@pytest.mark.parametrize("level", ["none", "low"])
def test_little_danger_says_nothing(level: str) -> None:
    assert opinion(holding(level)) == []


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
