"""What is asked is answered first, a frame needs two signs, and what was promised holds to the end."""

import re
from typing import Any

import pytest

from agent import guard
from agent.reading.wants import wants
from agent.responders.guided import load_replies, respond
from tests.agent.responders.test_guided import brief_of

ROW = [("user", "my flatmate never does the washing up"), ("assistant", "Okay.")]
ENDED = [("user", "my girlfriend broke up with me on sunday"), ("assistant", "Okay.")]
PARENTS = [("user", "my parents won't let me out"), ("assistant", "Okay.")]
DEBT = [("user", "the council sent a letter about the arrears"), ("assistant", "Okay.")]


def reply(text: str, history: Any = (), **more: Any) -> str:
    return " ".join(respond(brief_of(text, history=list(history), **more)))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize(
    ("text", "history", "says"),
    [
        ("should i just send one?", ENDED, r"tonight|A night in between"),
        ("What exactly should I say to her?", ROW, r"You could say|Something like"),
        ("what would you do first if you were me", DEBT, r"one call"),
        ("Is it better to do it by text or face to face?", ROW, r"face to face|In person"),
        ("she gets really defensive", ROW, r"You could say first|It can help to open"),
        ("how do i get them to trust me", PARENTS, r"small"),
    ],
)  # fmt: skip
def test_a_question_is_answered_with_something_to_say_or_do(
    text: str, history: Any, says: str, seed: int
) -> None:
    said = reply(text, history, want="advice", seed=seed)
    assert re.search(says, said), said
    assert "choice" not in said


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("thanks. gonna try and get some sleep", "goodbye"),
        ("Thank you. I shall go up now, good night.", "goodbye"),
        ("bath then bed", "goodbye"),
        ("like what do I have??", None),
        ("She was so proud when I got the job", None),
    ],
)
def test_what_is_wanted_is_heard(text: str, want: str | None) -> None:
    found = set(wants(text))
    assert want in found if want else found.isdisjoint({"diagnosis_question", "good_news"})


def test_a_question_put_to_somebody_else_asks_us_nothing() -> None:
    assert "advice" not in wants("then she said what do we do now and we both laughed")


@pytest.mark.parametrize("seed", range(6))
def test_no_tips_holds_at_goodbye(seed: int) -> None:
    history = [("user", "no tips please, my sister is ill"), ("assistant", "Okay.")]
    said = reply("That's all really", history, want="goodbye", person={"advice": False}, seed=seed)
    assert not re.search(r"water|breath|writing|message|try|Maybe", said), said


@pytest.mark.parametrize("seed", range(6))
def test_a_good_night_is_wished_back_and_asks_nothing(seed: int) -> None:
    said = reply("off to bed, night", ENDED, want="goodbye", seed=seed)
    assert re.search(r"night|sleep", said, re.IGNORECASE)
    assert "?" not in said
    assert "more" not in said.lower()


@pytest.mark.parametrize("seed", range(6))
def test_tears_of_joy_are_no_mask(seed: int) -> None:
    history = [("user", "I passed!"), ("assistant", "That deserves a moment.")]
    masked = load_replies().banks["emotion"]["masked"]
    said = reply("my instructor actually cried haha", history, seed=seed)
    assert not any(one in said for one in masked), said


@pytest.mark.parametrize("seed", range(6))
def test_a_long_message_is_not_answered_from_a_word_said_in_passing(seed: int) -> None:
    text = (
        "I have been at the same school for eleven years. Then a new head came in two years ago. "
        "My husband had a heart attack in November and he is back at work now. My daughter left for uni. "
        "She was the one I had a cup of tea with at night. And today a boy in my class gave me a picture. "
        "I burst into tears in front of thirty children and I had to say it was hay fever. "
        "Nobody at home knows about it and I lie awake every night."
    )
    said = reply(text, want="long_outpouring", seed=seed)
    assert "warm" not in said
    assert (
        sum(one in said.lower() for one in ("school", "heart attack", "picture", "hay fever", "uni")) > 1
    ), said


@pytest.mark.parametrize("seed", range(6))
def test_a_word_of_theirs_stands_where_a_nod_would(seed: int) -> None:
    nods = {*load_replies().banks["mirroring"]["plain"], *load_replies().banks["mirroring"]["light"]}
    said = list(respond(brief_of("then the garden gate by the canal", history=DEBT, seed=seed)))
    assert nods.isdisjoint(said), said


def test_their_own_try_again_is_not_struck_out() -> None:
    for line in ("You don't want to try again.", "Your husband says you can try again like it was a bus."):
        assert guard.judge(line, [], guard.Bounds()) is None
    assert guard.judge("Please try again later.", [], guard.Bounds()) == "refusal"
    assert guard.judge("Something failed. Try again.", [], guard.Bounds()) is not None


@pytest.mark.parametrize("seed", range(6))
def test_one_word_gets_a_choice_and_no_refused_word_a_demand(seed: int) -> None:
    assert " or " in reply("school", seed=seed)
    said = reply("no", [("user", "bad"), ("assistant", "Okay.")], want="decline", seed=seed)
    assert "?" not in said
    assert "rather do" not in said
