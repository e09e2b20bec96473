"""Which messages put our last reply right, and which only answer it."""

import pytest

from agent.misread import load_misread, misread

LINES = [(language, line) for language in ("en", "es") for line in load_misread(language).hits]
OTHERS = [(language, line) for language in ("en", "es") for line in load_misread(language).misses]


def talk(line: str) -> list[tuple[str, str]]:
    reply, _, message = line.partition(" | ")
    return [("user", "it has been a strange week"), ("assistant", reply), ("user", message)]


@pytest.mark.parametrize(("language", "line"), LINES)
def test_a_correction_is_heard(language: str, line: str) -> None:
    assert misread(talk(line), language)


@pytest.mark.parametrize(("language", "line"), OTHERS)
def test_an_answer_is_no_correction(language: str, line: str) -> None:
    assert not misread(talk(line), language)


def test_nothing_is_put_right_before_we_have_said_anything() -> None:
    assert not misread([("user", "what")])
    assert not misread([])


def test_what_they_said_themselves_is_theirs_to_deny() -> None:
    told = "the meeting was a disaster"
    said = [
        ("user", told),
        ("assistant", "So the meeting was a disaster."),
        ("user", "not the meeting itself"),
    ]
    assert not misread(said)
    assert misread([("user", told), ("assistant", "The boss was a disaster."), ("user", "not the boss no")])


def test_a_sorry_of_ours_is_not_what_they_deny() -> None:
    sorry = "Sorry, I heard that wrong. So you wrote a song."
    assert not misread([("user", "i wrote a song"), ("assistant", sorry), ("user", "she has not heard it")])
