"""A thing the person named ("the lad at the Tesco till"), to be said back where no clause of theirs can be.

A determiner, the words behind it as far as they can be one noun, and a place or an owner that follows ("at
the till"). No parser: it goes by the word lists of agent/words/mirror.yaml and gives up where a verb or
another subject comes too near. People are left out, for a bare "your sister" says nothing. English only.
"""

import re
from collections.abc import Iterator
from functools import cache

from agent.responders.clauses import cleaned
from agent.responders.mirror_words import either, is_adverb, is_verb, is_word, listed, matching, mirror_words

__all__ = ["piece"]

_MOST = 4  # words behind a determiner, and again behind an "at the"
_OPENS = frozenset({"a", "an", "the", "my", "our", "his", "her", "their"})
_JOINS = frozenset({"at", "by", "from", "in", "of", "on"})
_IS = frozenset(
    {"like", "be", "being", "is", "was", "i'm", "am", "he's", "she's", "it's", "just", "only", "as", "not"}
)

# Behind a thing they leave it the last that was said.
_TRAILS = frozenset(
    {"about", "for", "it", "me", "now", "again", "today", "tonight", "too", "then", "though", "yesterday"}
)


def piece(text: str) -> str | None:
    """The longest thing of `text`, the later one of equals, turned; an "a" points at it as "that"."""
    text = cleaned(text)
    if matching("foreign").search(text.lower()) or matching("sarcasm").search(text):
        return None
    found = [one for part in re.split(r"[.,!?;:\n()\"]+", text) for one in _things(part.split())]
    return max(reversed(found), key=lambda one: min(len(one.split()), 4), default=None)


def _things(words: list[str]) -> Iterator[str]:
    lower = [word.lower() for word in words]
    at = 0
    while at < len(lower):
        says = at > 0 and lower[at] in ("a", "an") and lower[at - 1] in _IS  # "like a monster", "only a dog"
        end = _end(lower, at) if lower[at] in _OPENS and not says else at
        if end > at and _TRAILS.issuperset(lower[end:]) and (told := _told(words[at:end])):
            yield told  # what a sentence ends with is what it came to; the rest stood by the way
        at = max(end, at + 1)


@cache
def _little() -> frozenset[str]:
    """Words that stand between things and in none."""
    return either("pronouns", "joiners", "before_run_ons", "subordinators", "helpers", "loose_ends") - either(
        "people", "nouns", "hollow"
    )


def _end(lower: list[str], at: int) -> int:
    """Where the thing that a determiner at `at` opens ends; `at` where there is none."""
    end = at + 1
    while end < len(lower) and end - at <= _MOST and _may_belong(lower[end], first=end == at + 1):
        end += 1
    if end == at + 1 or (end < len(lower) and lower[end].partition("'")[0] in listed("pronouns")):
        return at  # "the only person I spoke to": what it was is only said behind
    place = end + 1 < len(lower) and lower[end] in _JOINS and lower[end + 1] in _OPENS
    behind = _end(lower, end + 1) if place else end
    return behind if behind > end + 1 and lower[behind - 1] not in listed("hollow") else end


def _may_belong(word: str, *, first: bool) -> bool:
    """Whether a word may be part of the thing: right behind "the" even one that could be a verb elsewhere."""
    if word in listed("blank") or not re.fullmatch(r"[a-z0-9]+(?:-[a-z0-9]+)*(?:'s)?", word):
        return False
    if word in listed("nouns"):
        return True
    if first and word in ("bit", "lot", "few", "couple"):
        return False
    doing = is_verb(word) or word.endswith("ing")
    return word not in _little() and not is_adverb(word) and (first or not doing)


def _told(words: list[str]) -> str | None:
    """A thing as it may be said back, or None for one that says nothing or should not come back."""
    lower = [word.lower() for word in words]
    plain, last = " ".join(lower), lower[-1].removesuffix("'s")
    known = all(map(is_word, filter(str.islower, words)))
    doing = len(lower) == 2 and last.endswith("ing") and last not in listed("nouns")
    if doing or last in either("people", "parents", "names", "hollow") or last != lower[-1] or not known:
        return None
    if not listed("names").isdisjoint(lower) or any(map(str.isdigit, plain)):
        return None
    if any(matching(name).search(plain) for name in ("never", "unsaid")):
        return None
    return " ".join(_turned(word, at) for at, word in enumerate(words))


def _turned(word: str, at: int) -> str:
    low = word.lower()
    if at == 0:
        return "that" if low in ("a", "an") else mirror_words().turns.get(low, low)
    named = low in listed("capitals") or word.istitle()
    return low.capitalize() if named and not word.isupper() else mirror_words().turns.get(low, low)
