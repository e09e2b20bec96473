"""What the words of a message tell without a model: a feeling named, a mask, the theme of the talk.

Keyword lists in agent/words/themes.yaml, and for Spanish in agent/words/es/themes.yaml. It does not
understand a sentence: negation and irony pass it by, and whoever uses it must be content with "probably
about".
"""

import re
from collections.abc import Collection, Sequence
from functools import cache

from agent.brief import Reading
from agent.reading.ladder import Level
from agent.reading.spanish import plain
from agent.words import Strict, load, named, tongue

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
    "puts_question",
    "tells",
    "theme_of",
    "theme_told",
    "topic_of",
    "weighs",
]

History = Sequence[tuple[str, str]]
_BACK = 20  # messages of the person that the theme is read from
_MERELY = frozenset(
    {"just", "so", "very", "really", "a", "bit", "kind", "of", "pretty", "muy", "solo", "tan"}
)
_FADES = 0.9  # what is left of how strongly a theme is kept, after a message without it
_KEPT = 1.0  # of it to the end, so that one stray word of a lighter theme does not take its place
_TAG = re.compile(r"\b(?:you know|right|isn'?t it|innit|know what i mean|yeah|eh|huh)\?*$")
_ASKS = 12  # words of a question without its mark
_AUX = r"(?:do|does|did|is|are|am|was|were|can|could|will|would|should|have|has)"
_PUT = re.compile(
    rf"(?:and |so |but |ok |okay |well )*(?:{_AUX}|(?:how|what|when|where|who)(?:'s| {_AUX})) "
    r"(?:i|you|he|she|it|they|we|this|that|people|there|my|the)\b(?!.*\.\.| (?:even )?begin\b)"
)
_BEREFT = frozenset({"widower", "widow"})
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
    """agent/words/themes.yaml, or the same of another language.

    feel, very: how people of that language say that they feel something, and what stands in between.
    """

    reviewed_by: str | None
    emotions: dict[str, Emotion]
    own_words: dict[str, str]
    not_own: tuple[str, ...] = ()
    masked: Masked
    weights: dict[str, float]
    heavy: tuple[str, ...]
    she: tuple[str, ...]
    he: tuple[str, ...]
    gone: tuple[str, ...] = ()
    gone_since: tuple[str, ...] = ()
    stay: float
    recent: int
    turning: tuple[str, ...]
    plain: tuple[str, ...]
    to_us: tuple[str, ...]
    themes: dict[str, Theme]
    feel: tuple[str, ...] = ()
    very: tuple[str, ...] = ()


@cache
def load_themes(language: str = "en") -> Themes:
    """The keyword lists. Raises WordsError when the file breaks its schema."""
    return load(named("themes.yaml", language), Themes)


# Characters of a very long message that are looked at, from its beginning and from its end.
ENDS = 4000


def padded(text: str, language: str = "en") -> str:
    """Lower-case words of `text` with one space between and around them, so that " word " finds a word.

    Spanish ones come without accents and without the spelling of the phone, as its word lists have them.
    """
    if len(text) > 2 * ENDS:  # danger is looked for elsewhere, in all of it; a theme shows at the ends
        text = f"{text[:ENDS]} {text[-ENDS:]}"
    folded = (plain(text) if language == "es" else text.lower()).replace("’", "'")
    words = re.findall(r"[^\W_]+(?:['-][^\W_]+)*", folded)
    return f" {' '.join(words)} "


def holds_any(words: str, phrases: Collection[str]) -> bool:
    """Whether any of the words or phrases stands in padded `words`."""
    return any(f" {phrase} " in words for phrase in phrases)


def lately(history: History, language: str = "en") -> list[str]:
    """The person's messages since they last asked for another topic, padded, oldest first."""
    told = [padded(text, language) for role, text in history if role == "user"]
    turned = [at for at, words in enumerate(told) if holds_any(words, load_themes(language).turning)]
    return told[turned[-1] + 1 :] if turned else told


def theme_of(history: History, language: str = "en") -> str:
    """The theme of the person's messages, `general` when none is told.

    A theme stays until another is told more strongly, so that one stray word does not change the subject,
    or until some messages have gone by without it.
    """
    data = load_themes(language)
    scores: dict[str, float] = {}
    now, stay, since = "general", data.stay, 0
    for words in lately(history, language)[-_BACK:]:
        if words.startswith(tuple(f" {start} " for start in data.to_us)):
            continue
        scores = {name: score * 0.6 for name, score in scores.items()}
        told = _hits(words, language)
        for name, hits in told.items():
            scores[name] = scores.get(name, 0.0) + min(hits, 3.0) * data.weights.get(name, 1.0)
        stay = data.stay if now in told else max(stay * _FADES, _KEPT)
        if scores:
            keeps = stay * min(data.weights.get(now, 1.0), 1.0)  # a state gives way sooner than an event
            held = {name: score + keeps * (name == now) for name, score in scores.items()}
            now = max(data.themes, key=lambda name: held.get(name, 0.0))
        since = 0 if now in told else since + 1
    return now if since < data.recent else "general"


def tells(text: str, theme: str, language: str = "en") -> bool:
    """Whether a message itself speaks of the theme."""
    return theme in _hits(padded(text, language), language)


def theme_told(text: str, language: str = "en") -> str:
    """The theme that a message by itself speaks of most, "" when of none."""
    weights, told = load_themes().weights, _hits(padded(text, language), language)
    return max(told, key=lambda name: told[name] * weights.get(name, 1.0), default="")


def topic_of(theme: str) -> str:
    """The counselchat topic nearest to a theme, or `general`."""
    known = load_themes().themes.get(theme)
    return known.topic if known else "general"


def _hits(words: str, language: str) -> dict[str, float]:
    """Theme -> how much of it the padded message holds; a longer phrase counts more."""
    told: dict[str, float] = {}
    for word in dict.fromkeys(words.split()):
        for phrase, theme in _index(language).get(word, ()):
            if f" {phrase} " in words:
                told[theme] = told.get(theme, 0.0) + (1.5 if phrase.count(" ") > 1 else 1.0)
    themes = load_themes(language).themes
    return {name: hits for name, hits in told.items() if not holds_any(words, themes[name].unless)}


@cache
def _index(language: str = "en") -> dict[str, tuple[tuple[str, str], ...]]:
    """First word of a theme's phrase -> (phrase, theme)."""
    index: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, theme in load_themes(language).themes.items():
        for phrase in theme.words:
            first = phrase.split()[0]
            index[first] = (*index.get(first, ()), (phrase, name))
    return index


@cache
def _told(language: str = "en") -> re.Pattern[str]:
    data = load_themes(language)
    words = sorted(data.own_words, key=len, reverse=True)
    if data.feel:
        very = f"(?: (?:{'|'.join(data.very)}))*"
        return re.compile(rf" (?:{'|'.join(data.feel)}){very} ({'|'.join(words)}) ")
    return re.compile(
        r" (?:i feel|i'm feeling|i am feeling|i'm|im|i am|i've been feeling|feeling)"
        r"(?: (?:so|very|really|just|completely|totally|pretty|a bit|kind of|always))* "
        rf"({'|'.join(words)}) (?!on |to |(?<= tired )of )"
    )


def puts_question(text: str) -> bool:
    """Whether a message ends in a question that is put to us, marked or not; "you know?" is none."""
    last = re.split(r"(?<=[.!?])\s+|\n+", text.strip().lower().replace("’", "'"))[-1]
    unmarked = len(last.split()) <= _ASKS and _PUT.match(last) is not None
    return not _TAG.search(last) and (last.endswith("?") or unmarked)


def own_word(text: str, language: str = "en") -> str:
    """The feeling word the person uses of themselves ("I feel numb" -> "numb"), or ""."""
    words = padded(text, language)
    bare = [word for word in words.split() if word not in _MERELY]
    if len(bare) < 4 and " ".join(bare) in load_themes(language).own_words:
        return " ".join(bare)  # "just tired"
    others = tuple(f" {one}" for one in load_themes(language).not_own)
    told = _told(language).finditer(words)
    return next((one[1] for one in told if not words[: one.start()].endswith(others)), "")


def masks(text: str, language: str = "en") -> bool:
    """Whether a calm surface and pain stand in the same message ("I'm fine, just crying all day")."""
    words, masked = padded(text, language), load_themes(language).masked
    return holds_any(words, masked.surface) and holds_any(words, masked.under)


def is_up(label: str) -> bool:
    """Whether an emotion is one of the glad ones; an unknown label counts as glad, so is not named."""
    emotion = load_themes().emotions.get(label)
    return emotion is None or emotion.up


def weighs(reading: Reading, level: Level, history: History, theme: str) -> bool:
    """Whether something in the conversation hurts; a chat about nothing in particular does not."""
    down = sum(one["p"] for one in reading["emotions"] if not is_up(one["label"]))
    glad = sum(one["p"] for one in reading["emotions"] if is_up(one["label"]))
    language = tongue(reading["language"])
    said = " ".join(lately(history, language)[-_WEIGHS:])
    heavy = theme != "general" and theme not in load_themes().plain
    told = heavy or level != "none" or holds_any(said, load_themes(language).heavy)
    return told or down >= 0.5 or (down >= 0.35 and down > 3 * glad) or bool(own_word(said, language))


def _mourned(words: Sequence[str], data: Themes) -> str:
    """Of whom the person told a loss, by a word that says whether it is a she or a he; "" for nobody."""
    known = {*data.she, *data.he}
    for at, word in enumerate(words):
        before, behind = " ".join(words[max(0, at - 2) : at]), f"{' '.join(words[at + 1 : at + 4])} "
        if word in known and (
            before in data.gone
            or (
                before.endswith(("my", "our"))
                and behind.startswith(tuple(f"{one} " for one in data.gone_since))
            )
        ):
            return word
    return ""


def pronouns(history: History, language: str = "en") -> tuple[str, str]:
    """("her", "her"), ("him", "his") or ("them", "their"): whom the person mostly speaks of."""
    words = padded(" ".join(text for role, text in history if role == "user"), language).split()
    if sworn := _BEREFT.intersection(words):  # of whom a widower speaks who speaks of his loss
        return ("her", "her") if "widower" in sworn else ("him", "his")
    data = load_themes(language)
    if mourned := _mourned(words, data):
        return ("her", "her") if mourned in data.she else ("him", "his")
    she = sum(word in data.she for word in words)
    he = sum(word in data.he for word in words)
    if she > 2 * he:
        return "her", "her"
    return ("him", "his") if he > 2 * she else ("them", "their")
