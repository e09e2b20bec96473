"""The words of one language in which danger is answered simply: their shape, and how they are compared.

The files are agent/words/tongues/care/*.yaml, one for each language as it is written ("hi_latn": Hindi in
Latin letters). Knows neither when a sentence fits nor which language is spoken.
"""

import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import Field

from agent.errors import WordsError
from agent.reading.ladder import ANSWERS, Answer
from agent.reading.tongues import load_spelling
from agent.words import Strict, load

__all__ = [
    "CARED",
    "CareWords",
    "Form",
    "answers",
    "cared",
    "country",
    "form_of",
    "heard",
    "load_care",
    "sample",
]

log = logging.getLogger("hearken")

CARED = frozenset({"ar", "ar_latn", "de", "fr", "hi", "hi_latn", "it", "pt"})
# Languages as they are written -> the tongue that compares their words, where it has another name.
_TONGUE = {"hi_latn": "hi"}
_ENDS = re.compile(r"[.,;:!?\n؟،؛।…]+")
_GAPS = re.compile(r"[\s!-&(-/:-@\[-_{-~“”„«»؟،؛।…¿¡]+")
_OPENING, _ANSWER = 4, 14  # words of a first part, and of a message, that may still answer in a word
_READ = 4000  # characters of a message that are compared; for danger all of it is read


class CareWords(Strict):
    """Schema of a file. lines: sentences by the keys of tongues/care.yaml; talk: those without danger.

    like: a language whose words it has as well, but for what stands here. answers, unsure, heard: phrases;
    "=" before one: the whole message, "^": how its first part begins. countries: their
    names; within: words that may stand before one where the person is in it.
    """

    reviewed_by: str | None
    like: str = ""
    emergency: str = ""
    ways: dict[str, str] = Field(default_factory=dict)
    wants_card: tuple[str, ...] = ()
    lines: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    answers: dict[Answer, tuple[str, ...]] = Field(default_factory=dict)
    unsure: tuple[str, ...] = ()
    heard: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    countries: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    within: tuple[str, ...] = ()
    talk: dict[str, tuple[str, ...]] = Field(default_factory=dict)


@cache
def load_care(language: str) -> CareWords:
    """The words of a language. Raises WordsError when its file is broken."""
    words = load(f"tongues/care/{language}.yaml", CareWords)
    if not words.like:
        return words
    other = load_care(words.like)
    own = {name: value for name in CareWords.model_fields if (value := getattr(words, name))}
    both = {
        name: {**getattr(other, name), **value} if isinstance(value, dict) else value
        for name, value in own.items()
    }
    return other.model_copy(update=both)


@cache
def _sound(language: str) -> bool:
    """Whether its words can be read; where not, that is logged once, and plainer words stand in."""
    try:
        load_care(language)
        load_spelling(_TONGUE.get(language, language))
    except WordsError as error:
        log.error("%s; the few lines of crisis.yaml stand in for it.", error)
        return False
    return True


def cared(language: str) -> bool:
    """Whether danger is answered in this language with words of agent/words/tongues/care."""
    return language in CARED and _sound(language)


def sample(language: str) -> str:
    """A letter of the script its sentences are in, "" where that is Latin."""
    return {"ar": "ع", "ar_latn": "ع", "hi": "अ"}.get(language, "")


@dataclass(frozen=True)
class Form:
    """A message as phrases are looked for in it: all of its words, and those of its first part."""

    words: str
    first: str
    count: int


@dataclass(frozen=True)
class Phrases:
    """Phrases of one meaning, folded."""

    whole: frozenset[str]
    opening: tuple[str, ...]
    inside: re.Pattern[str] | None

    def stand_in(self, form: Form) -> bool:
        if form.words in self.whole or (self.inside and self.inside.search(form.words)):
            return True
        short = form.count <= _ANSWER and len(form.first.split()) <= _OPENING
        return short and any(f"{form.first} ".startswith(f"{phrase} ") for phrase in self.opening)


def _fold(text: str, language: str) -> str:
    words = [word for word in _GAPS.split(text) if word]
    folded = load_spelling(_TONGUE.get(language, language)).all(words) if words else []
    return " ".join(" ".join(folded).split())


def form_of(text: str, language: str) -> Form:
    """The message as this language compares it."""
    text = text[:_READ]
    first = next((part for part in _ENDS.split(text) if part.strip()), "")
    return Form(_fold(text, language), _fold(first, language), len(text.split()))


@cache
def _compiled(language: str) -> tuple[dict[str, Phrases], Phrases, dict[str, Phrases]]:
    """Answers, what leaves one open, and what a message does besides."""
    words = load_care(language)

    def one(phrases: Sequence[str]) -> Phrases:
        folded: dict[str, list[str]] = {"=": [], "^": [], " ": []}
        for phrase in phrases:
            mark = phrase[0] if phrase[0] in "=^" else " "
            if plain := _fold(phrase.lstrip("=^"), language):
                folded[mark].append(plain)
        inside = "|".join(map(re.escape, sorted(folded[" "], key=len, reverse=True)))
        return Phrases(
            frozenset(folded["="]),
            tuple(folded["^"]),
            re.compile(rf"(?<!\S)(?:{inside})(?!\S)") if inside else None,
        )

    return (
        {name: one(phrases) for name, phrases in words.answers.items()},
        one(words.unsure),
        {name: one(phrases) for name, phrases in words.heard.items()},
    )


def answers(text: str, language: str) -> list[Answer]:
    """How the message answers a question about safety; what is left open counts as a yes, never as a no."""
    known, unsure, _ = _compiled(language)
    form = form_of(text, language)
    found = {name for name, phrases in known.items() if phrases.stand_in(form)}
    if unsure.stand_in(form) or {"yes", "no"} <= found:
        found = (found | {"yes"}) - {"no", "denial"}
    if "with_someone" in found:
        found -= {"alone"}
    if "explained" in found:
        found -= {"denial"}
    return [answer for answer in ANSWERS if answer in found]


def heard(text: str, language: str) -> set[str]:
    """Names of what a message does besides answering; "unsure" where it leaves the answer open."""
    known, unsure, besides = _compiled(language)
    form = form_of(text, language)
    found = {name for name, phrases in besides.items() if phrases.stand_in(form)}
    both = all(known[each].stand_in(form) for each in ("yes", "no") if each in known)
    return (
        found
        | ({"unsure"} if unsure.stand_in(form) or both else set())
        | (set() if form.words else {"silent"})
    )


@cache
def _places(language: str) -> tuple[tuple[str, str], ...]:
    words = load_care(language)
    return tuple((_fold(name, language), code) for code, names in words.countries.items() for name in names)


def country(text: str, language: str) -> str:
    """ISO 3166-1 alpha-2 of the country a message says the person is in, "" when it says none."""
    form = form_of(text, language)
    within = [_fold(word, language) for word in load_care(language).within]
    for name, code in _places(language):
        told = form.words == name or any(f" {word} {name} " in f" {form.words} " for word in within)
        after = any(f" {name} {word} " in f" {form.words} " for word in within)
        if name and (told or after):
            return code
    return ""
