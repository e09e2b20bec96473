"""A supportive reply where every sentence was weighed: the best is said, a poor question is not put."""

from collections.abc import Sequence

import pytest

from agent.brief import Brief, unread
from agent.plan import make_plan
from agent.responders.guided import called, respond
from agent.responders.replies import load_replies, placed
from tests.agent.responders.test_guided import reading_of

GUILT = load_replies().told["guilt"]
ASKS = [one.text for one in placed() if one.text.endswith("?")]


def brief(text: str, tellings: dict[str, float], history: Sequence[tuple[str, str]] = ()) -> Brief:
    reading = {**unread([]), **reading_of(text)}
    reading["heads"] = {"telling": [{"label": name, "p": p} for name, p in tellings.items()]}
    said = [*history, ("user", text)]
    plan = make_plan(
        text=text,
        reading=reading,
        level="none",
        kinds=[],
        escalate=False,
        person={},
        history=said,
        before=None,
    )
    return Brief(
        text=text,
        history=said,
        reading=reading,
        level="none",
        peak="none",
        plan=plan,
        passages=[],
        person={},
        said=[reply for role, reply in history if role == "assistant"],
        seed=3,
    )


def weights(best: dict[str, float], else_: float = 0.1) -> dict[str, float]:
    return {one.text: best.get(one.text, else_) for one in placed()}


TEXT = "i shouted at my mum on the phone and now she won't pick up"


def test_what_suits_best_is_said_first() -> None:
    for line in (GUILT.say[1], GUILT.apt[0]):
        assert next(respond(brief(TEXT, {"guilt": 0.3}), suits=weights({line: 0.9}))) == line


def test_what_answers_something_that_is_hardly_told_is_not_weighed() -> None:
    suits = weights({GUILT.apt[0]: 0.9})
    assert GUILT.apt[0] not in list(respond(brief(TEXT, {"guilt": 0.01}), suits=suits))
    assert GUILT.apt[0] not in list(respond(brief(TEXT, {"guilt": 0.3})))  # nor where nothing was weighed


def test_only_a_question_worth_putting_is_put() -> None:
    ask = GUILT.ask[0]
    good, poor = (
        {**weights({GUILT.say[0]: 0.6}), **dict.fromkeys(ASKS, 0.0), ask: value} for value in (0.5, 0.1)
    )
    assert ask in list(respond(brief(TEXT, {"guilt": 0.5}), suits=good))
    assert not any(one.endswith("?") for one in respond(brief(TEXT, {"guilt": 0.5}), suits=poor))


def test_nothing_is_said_twice_in_a_talk_whatever_it_is_worth() -> None:
    line = GUILT.say[0]
    talk = [("user", TEXT), ("assistant", line), ("user", "and i was so sharp")]
    assert line not in list(
        respond(brief("it was my fault", {"guilt": 0.8}, talk), suits=weights({line: 0.9}))
    )


@pytest.mark.parametrize("value", [0.9, 0.2])
def test_a_second_thing_is_said_only_if_it_suits_well(value: float) -> None:
    first, second = GUILT.say[0], GUILT.apt[1]
    suits = weights({first: 0.95, second: value}, else_=0.0)
    counts = [
        second in list(respond(brief(f"{TEXT} {tail}", {"guilt": 0.5}), suits=suits)) for tail in "abcdefgh"
    ]
    assert any(counts) == (value > 0.5)


def test_a_first_reply_says_theirs_back_and_the_next_does_not() -> None:
    told = "i shouted at my mum on the phone tonight"
    mirrors = dict.fromkeys((one.text for one in placed() if one.text.startswith("So $")), 0.3)
    suits = {**weights({GUILT.say[0]: 0.9, GUILT.say[1]: 0.9}), **mirrors}
    first = list(respond(brief(told, {"guilt": 0.5}), suits=suits))
    assert first[0].startswith("So you shouted at your mum")
    assert GUILT.say[0] in first or GUILT.say[1] in first
    talk = [("user", told), ("assistant", " ".join(first))]
    later = list(
        respond(brief("i was so sharp with her and she is old now", {"guilt": 0.5}, talk), suits=suits)
    )
    assert not later[0].startswith("So ")


def test_nothing_that_fits_anybody_is_added_to_what_was_said() -> None:
    replies = load_replies()
    open_doors = {line for lines in replies.banks["invite"].values() for line in lines}
    open_doors |= {line for lines in replies.banks["yielding"].values() for line in lines}
    suits = {**weights({GUILT.say[0]: 0.3}), **dict.fromkeys(ASKS, 0.0)}
    reply = list(respond(brief(TEXT, {"guilt": 0.5}), suits=suits))
    assert reply
    assert open_doors.isdisjoint(reply)


def test_what_answers_the_very_words_comes_before_their_own_words_said_back() -> None:
    text = "he left his toothbrush when he moved out and i cant bin it"
    theirs = called(text)
    assert theirs
    suits = weights(dict.fromkeys((line for line in theirs if not line.endswith("?")), 0.6))
    assert next(respond(brief(text, {}), suits=suits)) in theirs
