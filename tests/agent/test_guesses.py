"""Guesses at what weighs: where they come from, how they are put, and when they are kept back."""

import re

import pytest

from agent.guesses import guesses, load_guesses
from agent.responders.guided import respond
from agent.responders.replies import sentences
from agent.themes import load_themes
from tests.agent.responders.test_guided import brief_of

TENTATIVE = re.compile(r"^(?:It sounds as if|Perhaps|Maybe|I wonder if|It may be that)\b")
SAID = {one for guess in load_guesses().guesses for one in guess.say}
TEXT = "nobody asked me what I want"


def test_a_guess_is_put_as_one_and_says_nothing_of_causes_or_conditions() -> None:
    for guess in load_guesses().guesses:
        assert guess.say
        assert guess.hears or (guess.themes and guess.feels)
        for one in guess.say:
            assert TENTATIVE.match(one), one
            assert sentences(one) == [one]
            assert not re.search(
                r"\b(?:because (?:he|she|they)|childhood|trauma|disorder|depress|anxiety)", one
            )


def test_themes_and_feelings_are_known() -> None:
    families = {emotion.family for emotion in load_themes().emotions.values()}
    for guess in (*load_guesses().guesses, *load_guesses("es").guesses):
        assert set(guess.themes) <= set(load_themes().themes)
        assert set(guess.feels) <= families


@pytest.mark.parametrize(
    ("text", "theme", "feeling", "word"),
    [
        (TEXT, "family", "", "asked"),
        ("nobody calls back", "unemployed", "", "verdict"),
        ("nobody calls anymore", "lonely", "", "expected"),
        ("it was a long day there again", "work", "angry", "unfair"),
        ("it was a long day there again", "work", "", ""),
        ("it was a long day there again", "general", "angry", ""),
        ("I had soup for lunch", "general", "sad", ""),
    ],
)
def test_a_guess_rests_on_words_theme_and_feeling(text: str, theme: str, feeling: str, word: str) -> None:
    found = guesses(text, theme, feeling)
    assert any(word in one for one in found[0]) if word else not found


def test_a_spanish_message_gives_reason_for_one_too() -> None:
    assert guesses("No le he dicho a mi mamá", "family", "", "es")
    assert not guesses("hoy comí sopa", "general", "", "es")


def test_a_reply_holds_one_guess_at_most_and_none_near_danger() -> None:
    for seed in range(8):
        reply = list(respond(brief_of(TEXT, seed=seed)))
        assert len(SAID & set(reply)) <= 1
        careful = list(respond(brief_of(TEXT, seed=seed, level="moderate")))
        assert not SAID & set(careful)
    assert any(SAID & set(respond(brief_of(TEXT, seed=seed))) for seed in range(8))
