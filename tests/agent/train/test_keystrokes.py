"""Texts as typed in a hurry: near the text, sometimes as it was, and the same for the same generator."""

import random

from agent.train.keystrokes import typed

TEXT = "I don't know. It's late, and I can't sleep!"


def typings(share: float) -> list[str]:
    rng = random.Random(3)  # noqa: S311 - not for secrets
    return [typed(TEXT, share, rng) for _ in range(200)]


def test_a_share_of_none_leaves_a_text_as_it_is() -> None:
    assert set(typings(0.0)) == {TEXT}


def test_stops_apostrophes_and_letters_go_and_no_more_than_that() -> None:
    found = typings(0.5)
    assert found == typings(0.5)
    assert TEXT in found
    assert any("." not in one and "," not in one for one in found)
    assert any("dont" in one for one in found)
    letters = sum(map(str.isalpha, TEXT))
    assert {sum(map(str.isalpha, one)) for one in found} <= {letters, letters - 1}


def test_the_shortest_texts_lose_no_letter() -> None:
    rng = random.Random(5)  # noqa: S311 - not for secrets
    assert {typed("help me", 1.0, rng) for _ in range(50)} == {"help me"}
