"""What the words of a message tell without a model: a feeling named, a mask, the theme of the talk.

Keyword lists in agent/words/themes.yaml, English only. It does not understand a sentence: negation and
irony pass it by, and whoever uses it must be content with "probably about".
"""

import re
from collections.abc import Collection, Sequence
from functools import cache

from agent.brief import Reading
from agent.reading.ladder import Level
from agent.words import Strict, load

__all__ = [
    "Emotion",
    "History",
    "Theme",
    "Themes",
    "holds_any",
    "is_up",
    "lately",
    "load_themes",
    "masks",
    "own_word",
    "padded",
    "pronouns",
    "tells",
    "theme_of",
    "topic_of",
    "weighs",
]

History = Sequence[tuple[str, str]]
_BACK = 12  # messages of the person that the theme is read from
_WEIGHS = 3  # messages after which what hurt no longer colours a chat about nothing in particular


class Emotion(Strict):
    """The family an emotion is worded with; `up` ones are named only at good news."""

    family: str
    strong: bool = False
    up: bool = False


class Theme(Strict):
    """A theme people bring: the nearest counselchat topic, words that tell it, words that take it away."""

    topic: str
    words: tuple[str, ...]
    unless: tuple[str, ...] = ()


class Masked(Strict):
    """Words of a calm surface, and words of pain under it."""

    surface: tuple[str, ...]
    under: tuple[str, ...]


class Themes(Strict):
    """agent/words/themes.yaml."""

    reviewed_by: str | None
    emotions: dict[str, Emotion]
    own_words: dict[str, str]
    masked: Masked
    weights: dict[str, float]
    heavy: tuple[str, ...]
    she: tuple[str, ...]
    he: tuple[str, ...]
    stay: float
    recent: int
    turning: tuple[str, ...]
    plain: tuple[str, ...]
    to_us: tuple[str, ...]
    themes: dict[str, Theme]


@cache
def load_themes() -> Themes:
    """The keyword lists. Raises WordsError when the file breaks its schema."""
    return load("themes.yaml", Themes)


# Characters of a very long message that are looked at, from its beginning and from its end.
ENDS = 4000


def padded(text: str) -> str:
    """Lower-case words of `text` with one space between and around them, so that " word " finds a word."""
    if len(text) > 2 * ENDS:  # danger is looked for elsewhere, in all of it; a theme shows at the ends
        text = f"{text[:ENDS]} {text[-ENDS:]}"
    folded = text.lower().replace("’", "'")
    words = re.findall(r"[^\W_]+(?:['-][^\W_]+)*", folded)
    return f" {' '.join(words)} "


def holds_any(words: str, phrases: Collection[str]) -> bool:
    """Whether any of the words or phrases stands in padded `words`."""
    return any(f" {phrase} " in words for phrase in phrases)


def lately(history: History) -> list[str]:
    """The person's messages since they last asked for another topic, padded, oldest first."""
    told = [padded(text) for role, text in history if role == "user"]
    turned = [at for at, words in enumerate(told) if holds_any(words, load_themes().turning)]
    return told[turned[-1] + 1 :] if turned else told


def theme_of(history: History) -> str:
    """The theme of the person's messages, `general` when none is told.

    A theme stays until another is told more strongly, so that one stray word does not change the subject,
    or until some messages have gone by without it.
    """
    data = load_themes()
    scores: dict[str, float] = {}
    now, stay, since = "general", data.stay, 0
    for words in lately(history)[-_BACK:]:
        if words.startswith(tuple(f" {start} " for start in data.to_us)):
            continue
        scores = {name: score * 0.6 for name, score in scores.items()}
        told = _hits(words)
        for name, hits in told.items():
            scores[name] = scores.get(name, 0.0) + min(hits, 3.0) * data.weights.get(name, 1.0)
        stay = data.stay if now in told else stay * 0.85
        if scores:
            held = {name: score + stay * (name == now) for name, score in scores.items()}
            now = max(data.themes, key=lambda name: held.get(name, 0.0))
        since = 0 if now in told else since + 1
    return now if since < data.recent else "general"


def tells(text: str, theme: str) -> bool:
    """Whether a message itself speaks of the theme."""
    return theme in _hits(padded(text))


def topic_of(theme: str) -> str:
    """The counselchat topic nearest to a theme, or `general`."""
    known = load_themes().themes.get(theme)
    return known.topic if known else "general"


def _hits(words: str) -> dict[str, float]:
    """Theme -> how much of it the padded message holds; a longer phrase counts more."""
    told: dict[str, float] = {}
    for word in dict.fromkeys(words.split()):
        for phrase, theme in _index().get(word, ()):
            if f" {phrase} " in words:
                told[theme] = told.get(theme, 0.0) + (1.5 if phrase.count(" ") > 1 else 1.0)
    themes = load_themes().themes
    return {name: hits for name, hits in told.items() if not holds_any(words, themes[name].unless)}


@cache
def _index() -> dict[str, tuple[tuple[str, str], ...]]:
    """First word of a theme's phrase -> (phrase, theme)."""
    index: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, theme in load_themes().themes.items():
        for phrase in theme.words:
            first = phrase.split()[0]
            index[first] = (*index.get(first, ()), (phrase, name))
    return index


@cache
def _told() -> re.Pattern[str]:
    words = sorted(load_themes().own_words, key=len, reverse=True)
    return re.compile(
        r" (?:i feel|i'm feeling|i am feeling|i'm|im|i am|i've been feeling|feeling)"
        r"(?: (?:so|very|really|just|completely|totally|pretty|a bit|kind of|always))* "
        rf"({'|'.join(words)}) (?!on |to |(?<= tired )of )"
    )


def own_word(text: str) -> str:
    """The feeling word the person uses of themselves ("I feel numb" -> "numb"), or ""."""
    found = _told().search(padded(text))
    return found[1] if found else ""


def masks(text: str) -> bool:
    """Whether a calm surface and pain stand in the same message ("I'm fine, just crying all day")."""
    words, masked = padded(text), load_themes().masked
    return holds_any(words, masked.surface) and holds_any(words, masked.under)


def is_up(label: str) -> bool:
    """Whether an emotion is one of the glad ones; an unknown label counts as glad, so is not named."""
    emotion = load_themes().emotions.get(label)
    return emotion is None or emotion.up


def weighs(reading: Reading, level: Level, history: History, theme: str) -> bool:
    """Whether something in the conversation hurts; a chat about nothing in particular does not."""
    down = sum(one["p"] for one in reading["emotions"] if not is_up(one["label"]))
    said = " ".join(lately(history)[-_WEIGHS:])
    heavy = theme != "general" and theme not in load_themes().plain
    told = heavy or level != "none" or holds_any(said, load_themes().heavy)
    return told or down >= 0.5 or bool(own_word(said))


def pronouns(history: History) -> tuple[str, str]:
    """("her", "her"), ("him", "his") or ("them", "their"): whom the person mostly speaks of."""
    words = padded(" ".join(text for role, text in history if role == "user")).split()
    she = sum(word in load_themes().she for word in words)
    he = sum(word in load_themes().he for word in words)
    if she > 2 * he:
        return "her", "her"
    return ("him", "his") if he > 2 * she else ("them", "their")
