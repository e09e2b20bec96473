"""Word classes found in one pass: phrases, gaps, what may not follow, and what a pattern may not be."""

import pytest

from agent.errors import WordsError
from agent.reading.phrases import PhraseBank

MACROS = {"rel": "([best|close] (mother|friend))"}


def found(pattern: str, sentence: str) -> list[tuple[int, int]]:
    bank = PhraseBank.of({"class": (pattern,)}, MACROS)
    return sorted((start, end) for _, start, end in bank.matches(f" {sentence} "))


@pytest.mark.parametrize(
    ("pattern", "sentence", "spans"),
    [
        ("kill|end it", "they end it", [(1, 3)]),
        ("faint*", "she fainted and felt faint", [(1, 2), (4, 5)]),
        ("# days", "for 12 days", [(1, 3)]),
        ("four (days|nights)", "four nights and four weeks", [(0, 2)]),
        ("my {rel} left", "my best friend left", [(0, 4)]),
        ("my {rel} left", "my friend left", [(0, 3)]),
        ("rope ..2 shed", "the rope in the shed", [(1, 5)]),
        ("rope ..2 shed", "the rope is in the old shed", []),
        ("rope [is] ready", "rope ready", [(0, 2)]),
        ("gun -(oil|control)", "gun oil and a gun", [(4, 5)]),
        ("took (them|all of them)", "took , all of them", [(0, 5)]),
        ("(he|she) ..3 hits", "he does not hits", []),
        ("(he|she) ..3 hits", "he not stop hits", [(0, 4)]),
        ("(he|she) ..12 hits", "he is not here but he hits", [(0, 7), (5, 7)]),
    ],
)
def test_what_a_class_finds(pattern: str, sentence: str, spans: list[tuple[int, int]]) -> None:
    assert found(pattern, sentence) == spans


def test_large_classes_side_by_side_stay_one_phrase() -> None:
    words = "|".join(f"w{chr(97 + a)}{chr(97 + b)}" for a in range(10) for b in range(10))
    assert found(f"({words}) ({words}) ..1 ({words})", "waa wbb x wcc") == [(0, 4)]
    assert found(f"({words}) [({words})] ({words})", "waa wbb y") == [(0, 2)]


def test_each_match_names_its_class() -> None:
    bank = PhraseBank.of({"means": ("rope", "gun"), "hour": ("tonight",)}, {})
    assert {name for name, _, _ in bank.matches(" tonight the gun ")} == {"means", "hour"}


@pytest.mark.parametrize("pattern", ["[maybe]", "{nobody}", "(a", "what?"])
def test_a_wrong_pattern_is_named(pattern: str) -> None:
    with pytest.raises(WordsError):
        PhraseBank.of({"class": (pattern,)}, MACROS)
