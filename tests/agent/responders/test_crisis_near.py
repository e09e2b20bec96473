"""What a person tells or asks under care in so many words is met in words of its own."""

import pytest

from agent.responders.crisis import wonder
from tests.agent.responders.test_crisis import HELPED, danger, reply, talk

LATER = {"fresh": False, "quiet": 5}


def met(text, *, subject="self", kinds=("suicide",), level="moderate", care=None, **more):
    risk = danger(level, kinds, subject, **{**LATER, **more})
    care = {"shown": ["x"], "shown_turn": 2, "shown_level": level} | (care or {})
    return reply(risk, "GB", care=care, turn=9, text=text, helped=HELPED[:2])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("wont asking put it in her head", "asking"),
        ("am i betraying her if i tell", "betray"),
        ("should i knock", "Yes"),
        ("i knocked. she let me in", "Good"),
        ("i asked her straight. she said she was thinking of it", "asked"),
        ("she says not now. tomorrow with her mam", "tonight"),
        ("ill sleep on her floor", "phone"),
        ("im so tired and i have an exam on friday", "tired"),
    ],
)
def test_a_helper_is_answered_and_not_mirrored(text, says):
    done = met(text, subject="other")
    assert says in " ".join(done["sentences"])
    assert done["sentences"][0] != HELPED[0]
    assert "?" not in " ".join(done["sentences"])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("its locked. she has the key i guess", "key"),
        ("no i have the other key", "reach"),
        ("i could give it to my neighbor", "safer"),
        ("he took it. hes on my porch", "out of the house"),
        ("whats the number i can text", "85258"),
        ("which number was it", "116 123"),
        ("what would i even say", "words"),
    ],
)
def test_what_is_told_of_the_means_and_of_help_is_met(text, says):
    assert says in " ".join(met(text, level="high")["sentences"])


@pytest.mark.parametrize(
    ("text", "kind", "says"),
    [
        ("at night there are pictures in my head", "perinatal", "Pictures"),
        ("if i tell the health visitor they take her", "perinatal", "afraid"),
        ("it just makes it quiet", "self_harm", "quiet"),
        ("he would see the call on the bill", "abuse", "phone"),
        ("how do i delete this", "abuse", "Leave"),
        ("the children are at school till three tomorrow", "abuse", "hours"),
    ],
)
def test_every_kind_has_words_for_what_is_feared(text, kind, says):
    assert says in " ".join(met(text, kinds=(kind,))["sentences"])


def test_a_gun_told_of_beside_a_yes_is_not_greeted():
    care = {"asked": "try", "asked_turn": 8}
    done = met(
        "yeah theres a gun in the house", level="high", care=care, fresh=True, quiet=0, answers=["yes"]
    )
    text = " ".join(done["sentences"])
    assert not text.startswith("Good")
    assert "take it away" in text or "distance" in text or "locked door" in text


def test_pictures_nobody_wants_are_no_no():
    care = {"asked": "harm", "asked_turn": 8, "pending": {"yes": "high"}}
    done = met("pictures in my head. i dont want them", kinds=("perinatal",), care=care, answers=["no"])
    assert "good to know" not in " ".join(done["sentences"])


def test_nobody_is_asked_anything_while_the_one_they_fear_is_at_the_door():
    for text in ("i hear the car", "its parked. i have to stop"):
        for level in ("high", "imminent"):
            done = met(text, kinds=("abuse",), level=level, quiet=1)
            assert "?" not in " ".join(done["sentences"])
            assert "999" in " ".join(done["sentences"])


def test_hands_on_the_neck_days_ago_call_for_a_doctor_and_not_for_a_call_this_minute():
    done = reply(danger("imminent", ["abuse"]), "GB", text="on sunday he put his hands around my neck")
    text = " ".join(done["sentences"])
    assert "doctor" in text
    assert "999" in text
    assert "this minute" not in text


def test_what_is_over_is_not_called_about_again_and_again():
    told = danger("imminent", ["abuse"])
    later = [danger("imminent", ["abuse"], fresh=False, quiet=turn) for turn in (1, 2)]
    _, *after = talk([told, *later], "GB", text="i could go to my sister then")
    assert all("999" not in " ".join(turn["sentences"]) for turn in after)


def test_who_is_in_danger_beside_another_is_asked_about_both():
    risk = danger("moderate", marks=["other_danger", "own_danger"], **LATER)
    done = reply(
        risk, "GB", care={"shown": ["x"], "shown_turn": 1, "shown_level": "moderate"}, turn=9, helped=[]
    )
    assert "both" in " ".join(done["sentences"])


def test_a_faint_doubt_is_not_asked_about():
    cue = {"rule": "reading model", "kind": "distress", "subject": "self", "level": "low", "escalate": False}
    cue |= {"past": False, "span": [0, 0]}
    asked = [
        wonder(danger("low", cues=[{**cue, "marks": marks}]), [])
        for marks in (["wonder"], ["wonder", "faint"])
    ]
    assert asked[0]
    assert not asked[1]
