"""Which cues a message calls for, by its very words."""

import pytest
import yaml

from agent.responders.hearing import listener
from agent.responders.replies import Cues, Heard, load_replies, particular
from agent.themes import holds_any, padded
from agent.words import load

DOOR = Heard(
    hears=("shut the door", "slammed the door"),
    also=("she", "he"),
    unless=("fridge",),
    back=("And then a shut door.",),
    say=(),
    ask=(),
)
RAIN = Heard(hears=("rain",), back=("Rain all day.",), say=(), ask=())


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("She slammed the door.", [DOOR]),
        ("He didn't say a word and shut the door on me in the rain", [DOOR, RAIN]),
        ("I shut the door", []),  # the second sign is missing
        ("she shut the door of the fridge", []),
        ("she shut a door", []),
        ("raining", []),
        ("", []),
    ],
)
def test_a_cue_is_called_for_by_all_its_signs_and_nothing_against_it(text: str, found: list[Heard]) -> None:
    assert listener([DOOR, RAIN])([padded(text)]) == found


def test_it_finds_what_reading_every_cue_would() -> None:
    cues = load_replies().cues
    heard = listener(cues)
    for text in (
        "my mum forgot my birthday again and my brother just laughed",
        "i cant sleep, up at 5 for work and the baby is teething",
        "we scattered his ashes on sunday, the dog keeps waiting at the door",
        "passed my driving test!! third time lucky",
    ):
        words = padded(text)
        one_by_one = [
            cue
            for cue in cues
            if holds_any(words, cue.hears)
            and not holds_any(words, cue.unless)
            and (not cue.also or holds_any(words, cue.also))
        ]
        assert heard([words]) == one_by_one


@pytest.mark.parametrize(
    ("sentences", "called"),
    [
        (["she slammed the door"], True),
        (["she was cross", "i slammed the door"], False),
        (["she was cross and tired and late for the bus into town so i slammed the door"], False),
        (["he shut the door"], True),
    ],
)
def test_two_signs_that_belong_together_stand_near_one_another(sentences: list[str], *, called: bool) -> None:
    assert listener([DOOR], together=True)([padded(one) for one in sentences]) == [DOOR] * called


def test_a_part_of_a_sign_is_no_second_sign() -> None:
    day = DOOR.model_copy(update={"hears": ("results",), "also": ("results day",), "unless": ()})
    assert listener([day], together=True)([padded("it is results day")]) == []


@pytest.mark.parametrize("name", particular())
def test_words_stand_as_they_are_looked_up_and_sentences_where_they_belong(name: str) -> None:
    cues = load(name, Cues)
    assert cues.reviewed_by is None
    for cue in cues.all():
        for word in (*cue.hears, *cue.also, *cue.unless):
            assert padded(word) == f" {word} ", (name, word)
        assert set(cue.hears).isdisjoint(cue.unless), (name, cue.hears[0])
        assert cue.back or cue.say or cue.ask
        assert all(text.endswith("?") for text in cue.ask), (name, cue.ask)
        assert not any("?" in text for text in (*cue.back, *cue.say)), (name, cue.back)


def test_no_answer_stands_twice() -> None:
    lines = [
        line
        for name in particular()
        for cue in load(name, Cues).cues
        for line in (*cue.back, *cue.say, *cue.ask)
    ]
    assert len(lines) == len(set(lines))


def test_what_rules_a_whole_file_out_rules_out_each_of_its_cues() -> None:
    text = yaml.safe_load(
        "{reviewed_by: null, never: [gun], cues: [{hears: [rain], back: [Rain.], say: [], ask: []}]}"
    )
    assert listener(Cues.model_validate(text).all())([padded("rain and a gun")]) == []
