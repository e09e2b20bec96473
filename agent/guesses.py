"""Guesses at what weighs on the person, to be offered as guesses: by words they used, theme and feeling.

The data is agent/words/guesses.yaml, each sentence authored and tentative. A guess speaks of the person
alone, never of why somebody else did something, and names no condition. It knows no risk: whoever uses it
must not ask where a reply has to be careful.
"""

import logging
from functools import cache

from agent.errors import WordsError
from agent.themes import holds_any, load_themes, padded
from agent.words import Strict, load, named

__all__ = ["Guess", "guesses", "load_guesses"]

log = logging.getLogger("hearken")


class Guess(Strict):
    """Where a guess may be made, and the ways to say it. What is left empty need not hold.

    hears: words of the message, any of them. also: one of these must stand there too. unless: none of these
    may. themes: of the conversation. feels: families of the feeling (themes.yaml), named by the person or
    heard for sure. Without `hears` both themes and feels are needed.
    """

    hears: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    feels: tuple[str, ...] = ()
    say: tuple[str, ...]


class Guesses(Strict):
    """agent/words/guesses.yaml: the more particular guess comes first; those of a theme before all others."""

    reviewed_by: str | None
    guesses: tuple[Guess, ...]


@cache
def load_guesses(language: str = "en") -> Guesses:
    """The data. Raises WordsError when the file breaks its schema."""
    return load(named("guesses.yaml", language), Guesses)


def guesses(text: str, theme: str, feeling: str, language: str = "en") -> list[tuple[str, ...]]:
    """The guesses that a message gives reason for, best first. feeling: one of the 32, or ""."""
    found = _found(text, theme, feeling, language)
    return [one.say for one in sorted(found, key=lambda one: (not one.hears, not one.themes))]


def _found(text: str, theme: str, feeling: str, language: str) -> list[Guess]:
    emotion, words = load_themes().emotions.get(feeling), padded(text, language)
    family = emotion.family if emotion and not emotion.up else ""
    try:
        every = load_guesses(language).guesses
    except WordsError as error:  # a reply without a guess is a reply
        log.warning("no guesses: %s", error)
        return []
    return [one for one in every if _fits(one, words, theme, family)]


def _fits(guess: Guess, words: str, theme: str, family: str) -> bool:
    if not guess.hears and len(words.split()) < 3:
        return False
    return (
        (not guess.hears or holds_any(words, guess.hears))
        and (not guess.also or holds_any(words, guess.also))
        and not holds_any(words, guess.unless)
        and (not guess.themes or theme in guess.themes)
        and (not guess.feels or family in guess.feels)
    )
