"""How replies are built: grade, variety, what comes back."""

import pytest

from agent.evaluate.style import content, distinct, grade, measured, meets, syllables
from agent.evaluate.turns import Reply, Turn, held


@pytest.mark.parametrize(
    ("word", "count"),
    [
        ("cat", 1),
        ("made", 1),
        ("table", 2),
        ("walked", 1),
        ("wanted", 2),
        ("being", 1),
        ("psychology", 4),
        ("the", 1),
    ],
)
def test_syllables_are_told_by_their_vowels(word: str, count: int) -> None:
    assert syllables(word) == count


def test_long_words_in_long_sentences_need_more_years_of_school() -> None:
    assert grade("The cat sat. It was warm.") < 2
    assert grade("Psychological equilibrium necessitates considerable interpersonal communication.") > 15
    assert grade("") == 0


def test_variety_is_the_share_of_different_words_and_pairs() -> None:
    assert distinct(["a b a b"], 1) == 0.5
    assert distinct(["a b a b"], 2) == pytest.approx(2 / 3)
    assert distinct([], 2) == 0


def test_one_root_whatever_the_ending_and_pronouns_say_nothing() -> None:
    assert content("I was walking with her dogs") == content("You walked the dog")
    assert content("it was you and me") == set()


def test_a_feeling_is_met_by_words_that_meet_one() -> None:
    assert meets("That's not easy.")
    assert not meets("Some people write a list.")


def test_what_comes_back_is_counted_within_a_conversation_only() -> None:
    replies = iter(["I hear you now. Go on.", "I hear you now, too. Go on.", "I hear you now."])
    first = held(["a", "b"], lambda _: Reply(next(replies)))
    second = held(["c"], lambda _: Reply(next(replies)))
    figures = measured([first, second])
    assert (figures["repeated_sentences"], figures["repeated_openings"], figures["sentences"]) == (1, 1, 5)
    assert figures["words"] == pytest.approx(6, abs=0.5)


def test_a_conversation_is_held_in_order_and_each_turn_knows_those_before() -> None:
    turns = held(["a", "b"], lambda text: Reply(f"{text}."))
    assert [turn.said for turn in turns] == ["a.", "b."]
    assert turns[1].before == (Turn("a", Reply("a.")),)
