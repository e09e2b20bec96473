"""The risk of a conversation: what raises it, what keeps it, and the only thing that lowers it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.reading.assess import assess, careful, load_reasons, no_risk
from agent.reading.ladder import KINDS, LEVELS, Answer, Cue, Level, Risk
from agent.reading.opinion import RULE
from agent.reading.rules import load_rules


def cue(level: Level, **changes: Any) -> Cue:
    base: Cue = {
        "rule": "r",
        "kind": "suicide",
        "subject": "self",
        "level": level,
        "escalate": LEVELS.index(level) >= 2,
        "past": False,
        "marks": [],
        "span": [0, 1],
    }
    return {**base, **changes}  # type: ignore[typeddict-item]


def fold(
    *turns: list[Cue],
    before: Risk | None = None,
    answers: list[Answer] | None = None,
    pending: dict[str, Level] | None = None,
) -> Risk:
    """Each turn folded on its own, as a conversation with a checkpoint would."""
    risk = before
    for cues in turns[:-1]:
        risk = assess([cues], answers=[], before=risk, pending={})
    return assess([turns[-1]], answers=answers or [], before=risk, pending=pending or {})


def test_nothing_heard_is_none() -> None:
    risk = fold([])
    assert (risk["level"], risk["escalate"], risk["reasons"]) == ("none", False, [load_reasons().nothing])


@pytest.mark.parametrize("level", ["moderate", "high", "imminent"])
def test_a_cue_sets_the_level_and_escalates(level: Level) -> None:
    risk = fold([cue("low"), cue(level)])
    assert (risk["level"], risk["escalate"], risk["fresh"]) == (level, True, True)


def test_moderate_without_escalation_stays_on_the_ordinary_way_and_is_not_kept() -> None:
    medication = cue("moderate", kind="medication", escalate=False)
    assert (fold([medication])["level"], fold([medication])["escalate"]) == ("moderate", False)
    assert fold([medication], [])["level"] == "none"


@pytest.mark.parametrize("level", ["moderate", "high", "imminent"])
def test_time_alone_never_lowers_a_level(level: Level) -> None:
    risk = fold([cue(level)])
    for _ in range(40):
        risk = fold([], before=risk)
        assert (risk["level"], risk["escalate"], risk["fresh"]) == (level, True, False)


@pytest.mark.parametrize("answer", ["denial", "no", "refusal"])
def test_a_bare_denial_changes_nothing(answer: Answer) -> None:
    denied = fold([], before=fold([cue("high")]), answers=[answer], pending={"yes": "high"})
    settled = fold(*([[]] * 12), before=denied)
    assert settled["escalate"]


@pytest.mark.parametrize("answer", ["explained", "safer"])
def test_a_reasoned_change_after_being_asked_steps_down_one_level_at_a_time(answer: Answer) -> None:
    risk = fold([], before=fold([cue("high")]), answers=[answer], pending={"yes": "high"})
    assert risk["level"] == "high"
    levels = []
    for _ in range(6):
        risk = fold([], before=risk)
        levels.append(risk["level"])
    assert levels == ["high", "moderate", "moderate", "low", "low", "low"]
    assert not risk["escalate"]


def test_a_reasoned_change_nobody_asked_about_does_not_count() -> None:
    risk = fold([], before=fold([cue("high")]), answers=["explained"], pending={})
    assert fold(*([[]] * 12), before=risk)["escalate"]


def test_an_explanation_may_say_over_what_was_misread_but_adds_no_new_danger() -> None:
    before = fold([cue("high", rule="a")])
    said_over = fold([cue("high", rule="a")], before=before, answers=["explained"], pending={"no": "high"})
    assert (said_over["level"], said_over["fresh"], said_over["relieved"]) == ("high", False, 1)
    worse = fold([cue("imminent", rule="b")], before=before, answers=["explained"], pending={"no": "high"})
    assert (worse["level"], worse["fresh"], worse["relieved"]) == ("imminent", True, 0)
    louder = fold([cue("imminent", rule="a")], before=before, answers=["explained"], pending={"no": "high"})
    assert (louder["level"], louder["fresh"], louder["relieved"]) == ("imminent", True, 0)


def test_what_was_said_over_without_an_explanation_is_danger_again() -> None:
    again = fold([cue("high", rule="a")], before=fold([cue("high", rule="a")]), answers=["denial"])
    assert (again["fresh"], again["relieved"]) == (True, 0)


def test_who_said_yes_was_not_misread() -> None:
    yes = fold([], before=fold([cue("high")]), answers=["yes"], pending={"yes": "high"})
    explained = fold([], before=yes, answers=["explained"], pending={"yes": "imminent", "explained": "none"})
    assert fold(*([[]] * 12), before=explained)["level"] == "high"
    safer = fold([], before=yes, answers=["safer"], pending={"yes": "imminent", "explained": "none"})
    assert fold([], [], before=safer)["level"] == "moderate"


def test_help_near_is_a_reason_only_where_its_question_was_asked() -> None:
    before = fold([cue("imminent")])
    near = fold([], before=before, answers=["safer"], pending={"explained": "none"})
    assert fold(*([[]] * 6), before=near)["level"] == "imminent"
    meant = fold([], before=before, answers=["explained"], pending={"explained": "none"})
    assert fold([], [], before=meant)["level"] == "high"


@pytest.mark.parametrize(
    "said", ["just joking", "lol jk", "I was joking about the pills", "it was just a joke"]
)
def test_a_joke_after_a_plan_lowers_nothing(said: str) -> None:
    rules = load_rules()
    risk = assess(
        [rules.scan("I have the pills here and I'm doing it tonight")], answers=[], before=None, pending={}
    )
    asked: dict[str, Level] = {"yes": "imminent", "explained": "none"}
    risk = assess([rules.scan(said)], answers=rules.answers(said), before=risk, pending=asked)
    assert fold(*([[]] * 12), before=risk)["level"] == "imminent"


@pytest.mark.parametrize(
    ("rang", "said"),
    [
        ("blood everywhere", "lol it's beetroot, I dropped the jar"),
        ("I'm going to kill him tonight", "no, I meant the boss in the game"),
        ("my husband battered me", "I mean at mario kart, I'm fine"),
        ("I'm ending it tonight", "I was joking, I meant my gym contract"),
        ("I want to die", "it's just a saying, I'm fine"),
    ],
)
def test_who_explains_a_false_alarm_is_let_down_step_by_step(rang: str, said: str) -> None:
    rules = load_rules()
    risk = assess([rules.scan(rang)], answers=[], before=None, pending={})
    loud = risk["level"]
    asked: dict[str, Level] = {"explained": "none"}
    risk = assess([rules.scan(said)], answers=rules.answers(said), before=risk, pending=asked)
    assert (risk["level"], risk["fresh"]) == (loud, False)
    risk = fold([], [], before=risk)
    assert LEVELS.index(risk["level"]) == LEVELS.index(loud) - 1
    assert not fold(*([[]] * 4), before=risk)["escalate"]


def guess(level: Level = "high") -> list[Cue]:
    return [cue(level, rule=RULE)]


@pytest.mark.parametrize("said", ["misheard", "explained", "no"])
def test_a_danger_that_was_only_guessed_ends_when_they_say_it_is_none(said: Answer) -> None:
    risk = fold(guess())
    assert (risk["level"], risk["escalate"]) == ("high", True)
    after = fold([], before=risk, answers=[said], pending={"yes": "high"})
    assert (after["level"], after["escalate"], after["peak"]) == ("none", False, "high")
    assert "misheard" in after["marks"]
    again = fold(guess(), before=risk, answers=[said], pending={"yes": "high"})
    assert not again["escalate"]  # not guessed anew from the words that put it right


def test_nobody_is_let_go_who_was_not_asked_or_who_told_of_it_themselves() -> None:
    asked: dict[str, Level] = {"yes": "high"}
    assert fold([], before=fold(guess()), answers=["misheard"])["escalate"]
    told = fold([cue("high", rule="suicide.wish")])
    assert fold([], before=told, answers=["misheard"], pending=asked)["level"] == "high"
    both = fold(guess(), [cue("high", rule="suicide.wish")])
    assert fold([], before=both, answers=["misheard"], pending=asked)["level"] == "high"
    fresh = [cue("high", rule="suicide.plan")]
    assert fold(fresh, before=fold(guess()), answers=["misheard"], pending=asked)["level"] == "high"
    admitted = fold([], before=fold(guess()), answers=["yes"], pending=asked)
    assert fold([], before=admitted, answers=["no"], pending=asked)["escalate"]


def test_no_what_nobody_is_hurt_is_no_no_to_being_safe() -> None:
    safe: dict[str, Level] = {"no": "high"}
    assert not fold([], before=fold(guess()), answers=["no", "misheard"], pending=safe)["escalate"]
    told = fold([cue("high", rule="abuse.now")])
    assert fold([], before=told, answers=["no", "misheard"], pending=safe)["fresh"]


def test_a_bare_im_fine_or_a_no_to_another_question_ends_no_guess() -> None:
    asked: dict[str, Level] = {"yes": "high"}
    assert fold([], before=fold(guess()), answers=["denial"], pending=asked)["level"] == "high"
    assert fold([], before=fold(guess()), answers=["no"], pending={"no": "high"})["level"] == "high"
    assert fold([], before=fold([cue("high")]), answers=["no"], pending=asked)["level"] == "high"


def test_what_the_rules_hear_faintly_beside_it_is_no_guess() -> None:
    assert "guessed" in fold(guess())["marks"]
    assert "guessed" not in fold([*guess(), cue("low", rule="passing.note")])["marks"]


def test_a_new_cue_undoes_the_relief() -> None:
    relieved = fold([], before=fold([cue("moderate")]), answers=["safer"], pending={"yes": "high"})
    again = fold([], [cue("moderate")], [], [], [], before=relieved)
    assert again["escalate"]


def test_yes_to_the_question_raises() -> None:
    risk = fold([], before=fold([cue("moderate")]), answers=["yes"], pending={"yes": "high"})
    assert (risk["level"], risk["fresh"], risk["kinds"]) == ("high", True, ["suicide"])
    assert load_reasons().answered in risk["reasons"]


def test_yes_to_nothing_means_nothing() -> None:
    assert fold([], answers=["yes"])["level"] == "none"


def test_all_at_once_equals_turn_by_turn() -> None:
    turns = [[cue("moderate")], [], [cue("high", marks=["means"])], [], [cue("low")]]
    together = assess(turns, answers=[], before=None, pending={})
    apart = fold(*turns)
    assert {**together, "reasons": []} == {**apart, "reasons": []}


def test_failure_is_never_none_and_never_calms() -> None:
    assert assess([[]], answers=[], before=None, pending={}, degraded=True)["level"] == "low"
    assert careful([], None)["level"] == "low"
    assert careful([cue("imminent")], None)["escalate"]
    carried = careful([], fold([cue("high")]))
    assert (carried["level"], carried["escalate"], carried["degraded"]) == ("high", True, True)


def test_what_shapes_the_reply_for_good_is_kept() -> None:
    risk = fold([cue("high", marks=["minor", "means"])], [])
    assert risk["marks"] == ["minor", "own_danger"]


def told(*messages: str) -> Risk:
    """The messages as typed, read by the rules and folded turn by turn."""
    return fold(*(load_rules().scan(message) for message in messages))


@pytest.mark.parametrize(
    ("hint", "level"),
    [
        ("Once everyone is asleep", "imminent"),
        ("Later tonight, when everyone is gone", "imminent"),
        ("I have pills in the drawer", "high"),
        ("the rope is in the garage", "high"),
        ("I keep a blade in my phone case", "high"),
        ("is the railing on the harbor bridge low", "high"),
        ("how tall is the tower", "high"),
        ("I've made my peace", "high"),
        ("I won't be needing it", "high"),
    ],
)
def test_a_hint_counts_only_where_there_is_danger_already(hint: str, level: Level) -> None:
    assert told(hint)["cues"] == []
    assert told("I want to die", hint)["level"] == level
    assert told("I want to die", "I feel hopeless", hint)["fresh"]
    assert told("My sister wants to die", hint)["level"] == "high"


def test_a_denied_hint_counts_nowhere() -> None:
    assert told("I wish I was dead", "I don't have pills in the drawer")["level"] == "moderate"


def test_a_question_about_heights_soon_after_a_loss_is_no_idle_one() -> None:
    asked = "how tall is the tower downtown"
    assert not told(asked)["escalate"]
    assert not told("I lost my job yesterday")["escalate"]
    soon = told("I lost my job yesterday", "it was a good job", "anyway", asked)
    assert (soon["level"], soon["escalate"], soon["kinds"]) == ("moderate", True, ["suicide"])
    assert not told("I lost my job yesterday", "it was a good job", "anyway", "so", asked)["escalate"]
    assert not told("I lost my keys", asked)["escalate"]


def test_a_failed_assessment_hears_hints_too() -> None:
    rope = load_rules().scan("the rope is in the garage")
    assert careful(rope, told("I want to die"))["level"] == "high"
    assert careful(rope, None)["cues"] == []


def test_the_risk_is_plain_data() -> None:
    risk = fold([cue("high")], [])
    assert json.loads(json.dumps(risk)) == risk


def test_every_kind_has_a_reason_a_person_can_read() -> None:
    assert set(load_reasons().kinds) == set(KINDS)


@given(st.lists(st.lists(st.sampled_from(LEVELS).map(cue), max_size=3), min_size=1, max_size=8))
def test_a_turn_is_never_below_what_it_heard_and_more_cues_never_lower_it(turns: list[list[Cue]]) -> None:
    risk = fold(*turns)
    heard = [c["level"] for c in turns[-1]]
    assert all(LEVELS.index(risk["level"]) >= LEVELS.index(level) for level in heard)
    more = fold(*turns[:-1], [*turns[-1], cue("moderate")])
    assert LEVELS.index(more["level"]) >= LEVELS.index(risk["level"])
    assert more["seen"] == len(turns)


def test_no_risk_is_where_everyone_starts() -> None:
    assert no_risk()["seen"] == 0


def test_what_is_said_in_passing_does_not_change_whose_danger_it_is() -> None:
    theirs = fold([cue("high", subject="other")])
    later = fold([cue("low", marks=["time"], escalate=False)], before=theirs)
    assert (later["subject"], later["kinds"][0]) == ("other", "suicide")


def test_who_fears_for_another_and_is_in_danger_too_is_not_forgotten() -> None:
    both = fold([cue("moderate", subject="other")], [cue("moderate")])
    assert both["subject"] == "self"
    assert {"own_danger", "other_danger"} <= set(both["marks"])
    again = fold([cue("high", subject="other")], before=both)
    assert again["subject"] == "other"
    assert fold([], before=again)["subject"] == "self"


def test_means_in_the_hands_of_somebody_known_to_be_in_danger_are_danger_now() -> None:
    assert told("he has dads gun")["level"] == "none"
    later = told("my brother says he wants to kill himself", "he has dads gun")
    assert (later["level"], later["subject"]) == ("imminent", "other")
