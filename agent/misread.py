"""Whether a message puts right what our last reply took wrong, or asks what it meant.

Phrases in agent/words/misread.yaml, and one rule: what somebody denies in a word that stood in our reply and
not in their own message before was ours. It knows nothing of what the reply should be, and "no" in answer to
a question of ours is an answer.
"""

import re
from functools import cache

from agent.responders.replies import load_replies, sentences
from agent.themes import History, holds_any, padded
from agent.words import Strict, load, named

__all__ = ["load_misread", "misread"]

_FEW = 4  # words of a question that only throws one of our words back ("Accent?")
_STEM = 4  # letters by which two words are the same
_REACH = 3  # words behind a "not" that it denies


class Misread(Strict):
    """misread.yaml. whole: the message is that and no more. starts: it begins so. holds: it stands anywhere.
    asks: words of a question about our words. nots: words that deny the next ones. slight: words that two
    messages may share."""

    reviewed_by: str | None
    whole: tuple[str, ...]
    starts: tuple[str, ...]
    holds: tuple[str, ...]
    asks: tuple[str, ...]
    nots: tuple[str, ...]
    slight: tuple[str, ...]
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()


@cache
def load_misread(language: str = "en") -> Misread:
    """The phrases. Raises WordsError when the file breaks its schema."""
    return load(named("misread.yaml", language), Misread)


def misread(history: History, language: str = "en") -> bool:
    """Whether the last message of the person says that our reply before it missed, or was not understood."""
    replies = [text for role, text in history if role == "assistant"]
    told = [text for role, text in history if role == "user"]
    if not replies or not told:
        return False
    data, text = load_misread(language), told[-1]
    words = padded(text, language)
    if not words.strip():
        return "?" in text
    if words.strip() in data.whole:
        return True
    if words.startswith(tuple(f" {start} " for start in data.starts)) or holds_any(words, data.holds):
        return True
    ours, theirs = _stems(replies[-1], data, language), _stems(" ".join(told[-2:-1]), data, language)
    return _asks_back(text, ours, data, language) or _denies(words, replies[-1], theirs, data, language)


def _asks_back(text: str, ours: set[str], data: Misread, language: str) -> bool:
    """Whether it begins with a short question in one of our words ("accent? anyway")."""
    first = re.match(r"[^.!?\n]*\?", text.strip())
    words = padded(first[0], language).split() if first else []
    rest = {word[:_STEM] for word in words if word not in data.asks}
    return 0 < len(words) <= _FEW and rest <= ours and (bool(rest) or len(words) > 1)


def _denies(words: str, reply: str, theirs: set[str], data: Misread, language: str) -> bool:
    """Whether it denies a word of what our reply stated, which was not theirs."""
    # "I got that wrong" states nothing of them.
    sorry = load_replies(language).known.get("correction", frozenset())
    stated = " ".join(part for part in sentences(reply) if not part.endswith("?") and part not in sorry)
    ours, told = _stems(stated, data, language) - theirs, words.split()
    return any(
        word in data.nots
        and not ours.isdisjoint(next_one[:_STEM] for next_one in told[at + 1 : at + 1 + _REACH])
        for at, word in enumerate(told)
    )


def _stems(text: str, data: Misread, language: str) -> set[str]:
    words = padded(text, language).split()
    return {word[:_STEM] for word in words if len(word) >= _STEM and word not in data.slight}
