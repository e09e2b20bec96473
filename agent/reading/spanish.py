"""Spanish as people type it: its spelling, whether somebody writes it, and what they seem to feel.

Everything it knows stands in agent/words/es/feelings.yaml. The reading model was taught English, so feelings
come from cue words here; one is sure only where the person says it of themselves. Knows no grammar, no
danger (agent/words/risk.yaml has Spanish of its own) and no language but these two.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from agent.brief import Evidence, Score
from agent.reading.heads import Heard
from agent.reading.language import detect
from agent.words import Strict, load

__all__ = ["SpanishWords", "is_spanish", "load_spanish", "plain", "read", "spelled", "spoken"]

_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_ENGLISH_TOO = frozenset({"k", "kk", "x", "xx"})  # short for "que" or "por" only among Spanish words
_SMALL = 2  # letters of words that many languages share, and words of a message too short to tell by
# A feeling said of oneself, one heard from two cues, one from a single cue: only the first may be named.
_OWN, _TWICE, _ONCE = 0.6, 0.4, 0.3


class Feeling(Strict):
    """Cues of one of the 32 emotions. own: words that say it of oneself; hears: what goes with it."""

    own: tuple[str, ...] = ()
    hears: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()


class SpanishWords(Strict):
    """agent/words/es/feelings.yaml. All of it is written without accents, but for what `spell` puts."""

    reviewed_by: str | None
    spell: dict[str, str]
    spanish: frozenset[str]
    english: frozenset[str]
    strong: tuple[str, ...]
    feelings: dict[str, Feeling]


@cache
def load_spanish() -> SpanishWords:
    """The cue words. Raises WordsError when the file breaks its schema."""
    return load("es/feelings.yaml", SpanishWords)


def spelled(text: str) -> str:
    """The text with the spelling of the phone undone ("xq toy maaal" -> "porque estoy mal"), accents kept."""
    spell = load_spanish().spell

    def word(match: re.Match[str]) -> str:
        bare = _STRETCHED.sub(r"\1", match[0]) if len(match[0]) > 2 else match[0]
        return match[0] if len(bare) == 1 < len(match[0]) else spell.get(_bare(bare), bare)

    return _WORD.sub(word, text)


def plain(text: str) -> str:
    """The same in lower case and without accents, as the word lists have it."""
    return _bare(spelled(text))


def _bare(text: str) -> str:
    if text.isascii():
        return text.lower()
    marks = unicodedata.normalize("NFD", text.lower())
    return "".join(char for char in marks if not unicodedata.combining(char))


def spoken(text: str, before: str = "") -> str:
    """The language to answer `text` in: "es", or what `detect` says, or "es" again where nothing tells.

    before: the language of the reply before, or the one chosen, "" for none. A mixture gets its larger part.
    """
    data = load_spanish()
    if before != "es" and text.split():
        told = [word for word in text.split() if word.strip(".,!?").lower() not in _ENGLISH_TOO]
        if all(word.strip(".,!?").lower() in data.english for word in told):
            return "en"  # "bye" is Spanish too, among Spanish words
        text = " ".join(told)
    found = detect(text)
    words = plain(text).split()
    tokens = [re.sub(r"\W", "", word) for word in words]
    spanish = sum(token in data.spanish for token in tokens)
    english = sum(token in data.english for token in tokens)
    if found == "es" and (spanish or before == "es" or not english):
        return "es" if spanish >= english else "en"
    if found not in {"en", "und", "es"}:  # a near relative: only where nearly every word is Spanish
        long = [token for token in tokens if len(token) > _SMALL]
        share = sum(token in data.spanish for token in long) / max(len(long), 1)
        short = before == "es" and len(tokens) <= _SMALL
        return "es" if short or share >= (0.5 if before == "es" else 0.8) else found
    if before == "es":
        return "en" if english > spanish and english + (len(tokens) > 2) > 1 else "es"
    if spanish > english and (spanish > 1 or len(tokens) <= 2):
        return "es"
    return found


def is_spanish(words: Sequence[str]) -> bool:
    """Whether at least one in eight of the words (lower case, no accents) is a common Spanish one."""
    known = sum(word in load_spanish().spanish for word in words)
    return known * 8 >= len(words)


def read(text: str) -> Heard:
    """What the cue words of a message tell of its feelings; less sure than a model that read it whole."""
    words, data = f" {' '.join(_WORD.findall(plain(text)))} ", load_spanish()
    scores: dict[str, float] = {}
    said = ""
    for label, feeling in data.feelings.items():
        if any(f" {one} " in words for one in feeling.unless):
            continue
        own = any(_says(words, one) for one in feeling.own)
        hits = sum(f" {one} " in words for one in feeling.hears)
        if own or hits:
            scores[label] = _OWN if own else _TWICE if hits > 1 else _ONCE
            said = said or (label if own else "")
    if any(f" {one} " in words for one in data.strong):
        scores = {label: min(score + 0.1, 0.7) for label, score in scores.items()}
    best = sorted(scores, key=lambda label: -scores[label])[:5]
    return Heard(
        emotions=[Score(label=label, p=round(scores[label], 2)) for label in best],
        intents=[],
        sure=bool(best) and scores[best[0]] >= _OWN,
        want="",
        danger="none",
        heads={},
        evidence=list[Evidence](),
    )


def _says(words: str, phrase: str) -> bool:
    """Whether a phrase stands there without a "no" right before it."""
    at = words.find(f" {phrase} ")
    return at >= 0 and not re.search(r" (?:no|ni|nunca|ya no)(?: (?:me|estoy|siento))?$", words[:at])
