"""Which language a reply is in, and how it is written: that of the tongue which heard the danger.

The code is that of ISO 639-1, with "_latn" for Hindi and Arabic in Latin letters: who types Hindi so may not
read Devanagari, and is answered in the same letters. A word or two leave the language as it was.
Knows languages by their words and script, nothing of what is said.
"""

import re
from collections.abc import Sequence
from functools import cache

from agent.reading import spanish
from agent.reading.ladder import Cue
from agent.reading.language import common_words
from agent.reading.tonguecare import CARED, cared
from agent.reading.tongues import called
from agent.reading.tonguewords import bare
from agent.words import Strict, load

__all__ = ["asked_for", "spoken"]

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_DEVANAGARI = re.compile("[\u0900-\u097f]")
_ARABIC = re.compile("[\u0600-\u06ff]")
_FEW = 3  # words of a message that says little about its language
_HALF = 2
_NAMED = 8  # words of a message in which a language that is named is asked for


class Asked(Strict):
    """Schema of tongues/speaking.yaml: by language, phrases that ask for it; "=" before the whole message.

    greetings: by language, what a talk may open with.
    """

    reviewed_by: str | None
    en: tuple[str, ...]
    es: tuple[str, ...]
    fr: tuple[str, ...]
    de: tuple[str, ...]
    pt: tuple[str, ...]
    it: tuple[str, ...]
    hi: tuple[str, ...]
    hi_latn: tuple[str, ...]
    ar: tuple[str, ...]
    ar_latn: tuple[str, ...]
    greetings: dict[str, tuple[str, ...]]


def spoken(text: str, cues: Sequence[Cue], before: str = "", earlier: str = "") -> tuple[str, bool]:
    """The language to answer `text` in, and whether the talk goes on in it.

    cues: what was heard in the message. before: the language kept so far, "" for none. earlier: the message
    before it, where it is short and says little by itself.
    """
    if named := asked_for(text):
        return _sound(named), True
    if not before and not earlier and (greeted := _greeted(text)):
        return _sound(greeted), False
    if earlier and before not in CARED:
        text = f"{earlier} {text}"
    base = spanish.spoken(text, before)
    heard = _heard(text, cues)
    if heard and (base != "es" or not any(cue["rule"].startswith("es.") for cue in cues)):
        return _sound(heard), True
    words = [bare(word) for word in _WORD.findall(text)]
    guess = _written(text, base, len(words))
    if before in CARED:
        english = sum(word in common_words("en") for word in words)
        own = called(text)[_tongue(before)]
        weak = (
            guess in {"und", ""} or len(words) <= _FEW or (guess == "en" and english < _HALF) or own > english
        )
        if guess != before and weak and not _other_script(text, before):
            return _sound(before), True
    # a line in a third language changes nothing of a talk in Spanish
    firm = guess in CARED and len(words) > _FEW and before != "es"
    return _sound(guess), firm or (guess in {"en", "es"} and before in CARED)


def asked_for(text: str) -> str:
    """The language that a short message asks for by name, "" for none."""
    if len(text.split()) > _NAMED:
        return ""
    plain = " ".join(_GAP.sub(" ", bare(text)).split())
    for language, phrases in _phrases().items():
        for phrase in phrases:
            if plain == phrase[1:] if phrase[0] == "=" else f" {phrase} " in f" {plain} ":
                return language
    return ""


def _greeted(text: str) -> str:
    """The language in which a message greets and says nothing else, "" for none."""
    plain = " ".join(_GAP.sub(" ", bare(text)).split())
    return next((name for name, phrases in _greetings().items() if plain in phrases), "")


@cache
def _greetings() -> dict[str, frozenset[str]]:
    greetings = load("tongues/speaking.yaml", Asked).greetings
    return {language: frozenset(map(bare, phrases)) for language, phrases in greetings.items()}


_GAP = re.compile(r"[\s!-/:-@\[-`{-~؟،؛।]+")


@cache
def _phrases() -> dict[str, tuple[str, ...]]:
    asked = load("tongues/speaking.yaml", Asked).model_dump(exclude={"reviewed_by", "greetings"})
    return {language: tuple(map(bare, phrases)) for language, phrases in asked.items()}


def _heard(text: str, cues: Sequence[Cue]) -> str:
    """The tongue that heard most of the danger in it, as it is written; "" for none."""
    tongues = [cue["rule"].partition(".")[0] for cue in cues]
    counts = {name: tongues.count(name) for name in tongues if name in CARED}
    if not counts:
        return ""
    claims = called(text)
    english = sum(bare(word) in common_words("en") for word in _WORD.findall(text))
    best = max(counts, key=lambda name: (claims.get(name, 0), counts[name]))
    plain_english = english > max(claims.get(best, 0), 1) and any(
        cue["rule"].partition(".")[0] not in CARED for cue in cues
    )
    return "" if plain_english else _lettered(best, text)


def _written(text: str, base: str, count: int) -> str:
    """The language of a message without danger: what is detected, and Hindi or Arabic in Latin letters."""
    if base in {"hi", "ar"}:
        return _lettered(base, text)
    if base in {"en", "und"} and count:
        claims = called(text)
        english = sum(bare(word) in common_words("en") for word in _WORD.findall(text))
        for name in ("hi", "ar_latn"):
            if claims[name] >= max(2, english + 1) and claims[name] * 3 >= count:
                return _lettered(name, text)
    return base


def _lettered(name: str, text: str) -> str:
    if name == "hi":
        return "hi" if _DEVANAGARI.search(text) else "hi_latn"
    if name in {"ar", "ar_latn"}:
        return "ar" if _ARABIC.search(text) else "ar_latn"
    return name


def _other_script(text: str, before: str) -> bool:
    """Whether it is written in a script that the language kept is not."""
    if before in {"hi", "ar"}:
        return False
    return bool(_DEVANAGARI.search(text) or _ARABIC.search(text))


def _tongue(language: str) -> str:
    return {"hi_latn": "hi"}.get(language, language)


def _sound(language: str) -> str:
    """The language, or without its letters where its own words are broken."""
    return language if language not in CARED or cared(language) else language.partition("_")[0]
