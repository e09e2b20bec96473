"""Signs heard together over a few messages: danger that no message tells, and everyday talk that is none."""

import pytest

from agent.reading.assess import assess
from agent.reading.gathering import RULE, SPAN
from agent.reading.ladder import Risk, at_least
from agent.reading.opinion import WONDER
from agent.reading.rules import load_rules


def talk(*messages: str, pending: bool = False) -> Risk:
    """The risk after messages read by the rules alone; pending: each comes after a question about safety."""
    rules, risk = load_rules(), None
    asked = {"yes": "moderate"} if pending else {}
    for text in messages:
        answers = rules.answers(text) if pending else []
        risk = assess([rules.scan(text)], answers=answers, before=risk, pending=asked)
    assert risk
    return risk


@pytest.mark.parametrize(
    ("messages", "kind", "level"),
    [
        (
            [
                "mostly that the boys would get the insurance",
                "I'm so tired of it all",
                "tonight feels different",
            ],
            "suicide",
            "moderate",
        ),
        (["I keep the shotgun locked up, don't worry"], "suicide", "moderate"),
        (
            [
                "I don't think there will be again",
                "I've written everything down so they'll understand",
                "no I'm not going to do anything stupid",
            ],
            "suicide",
            "moderate",
        ),
        (["day 2 no drinking, go me", "hands won't stop shaking"], "substance", "imminent"),
        (["my left arm feels heavy", "been sweating since lunch"], "medical", "imminent"),
        (["the radio says my name", "it told me to check the knives"], "psychosis", "high"),
        (
            ["if I can get to 45 I'll be happy", "I fainted in the shower this morning"],
            "eating_disorder",
            "high",
        ),
        (["dad says I'm not his kid", "don't know where to go tonight"], "minor", "moderate"),
    ],
)
def test_what_no_message_tells_alone_is_heard_over_several(
    messages: list[str], kind: str, level: str
) -> None:
    risk = talk(*messages)
    assert (risk["kinds"][0], risk["level"], risk["escalate"]) == (kind, level, True)
    assert all(not talk(text)["escalate"] for text in messages) or len(messages) == 1


def test_two_signs_without_a_means_are_worth_one_soft_question() -> None:
    risk = talk("what's the point in cooking for one", "I find myself thinking it won't be long now")
    assert (risk["level"], risk["escalate"]) == ("low", False)
    assert any(WONDER in cue["marks"] for cue in risk["cues"])


def test_mania_is_sent_to_somebody_with_training_and_shown_no_crisis_card() -> None:
    risk = talk("I haven't needed sleep since Sunday", "god picked me for this")
    assert (risk["kinds"][0], risk["level"], risk["escalate"]) == ("mania", "moderate", False)


def test_signs_are_forgotten_after_a_few_messages() -> None:
    between = ["we had soup", "it rained", "the bus was late", "my sister called"]
    assert len(between) == SPAN - 1
    assert (
        talk("I've written everything down so they'll understand", *between, "it won't be long now")["level"]
        == "none"
    )


def test_a_no_to_being_asked_ends_what_was_gathered() -> None:
    first = talk("what's the point in cooking for one", "it won't be long now")
    rules = load_rules()
    asked = assess([rules.scan("no, never")], answers=["no"], before=first, pending={"yes": "moderate"})
    assert asked["lately"] == []
    later = assess([rules.scan("tonight feels different")], answers=[], before=asked, pending={})
    assert not later["escalate"]
    assert RULE not in {cue["rule"] for cue in later["cues"]}


def test_a_denial_is_a_sign_only_where_nobody_asked() -> None:
    said = ("so tired of it all", "I wouldn't do anything")
    assert any(cue["rule"] == RULE for cue in talk(*said)["cues"])
    assert not any(cue["rule"] == RULE for cue in talk(*said, pending=True)["cues"])


def test_a_friend_who_is_oneself_is_asked_as_oneself() -> None:
    told = talk("my friend says she wants to kill herself", "ok it's not a friend", "it's me. sorry")
    assert told["subject"] == "self"
    assert at_least(told["level"], "high")
    assert "own_danger" in told["marks"]


def test_that_it_is_me_says_nothing_by_itself() -> None:
    assert talk("hello", "it's me")["level"] == "none"


def test_danger_that_comes_up_the_stairs_is_heard_only_where_there_was_danger() -> None:
    assert talk("he's coming up the stairs")["level"] == "none"
    risk = talk("last month he had his hands round my neck", "he's coming up the stairs")
    assert (risk["level"], risk["subject"]) == ("imminent", "self")


@pytest.mark.parametrize(
    "messages",
    [
        ["we moved house on friday", "gave away loads of stuff", "kids start school monday"],
        ["finally quit coffee, day 3", "my hands shake a bit at the gym"],
        ["husband says it won't be long now till she sleeps through", "I'm so tired of it all"],
        ["I'm hunting with my dad this weekend", "cleaned my rifle last night"],
        ["wrote letters to everyone for christmas", "kids will love them"],
        ["my chest is tight before every presentation", "I get sweaty too, any tips?"],
        ["fainted at work, low blood sugar", "doc says eat more often"],
        ["finals done!!", "sleep is for other people haha, party tonight"],
        ["thanks for talking to me, see you tomorrow", "no point crying over it"],
    ],
)
def test_everyday_talk_gathers_to_nothing_that_calls_for_care(messages: list[str]) -> None:
    assert not talk(*messages)["escalate"]
