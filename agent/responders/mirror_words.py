"""The words that mirroring goes by: which are verbs, people, names, and which nobody ever wrote.

Reads agent/words/mirror.yaml, and for plain spelling the vocabulary that ships with the reading model. It
knows nothing of sentences; clauses.py finds those and mirror.py turns them. English only.
"""

import json
import re
import string
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

import agent.reading
from agent.words import Strict, load

__all__ = [
    "MirrorWords",
    "either",
    "is_adverb",
    "is_past",
    "is_verb",
    "is_word",
    "listed",
    "matching",
    "mirror_words",
    "pattern",
]

Patterns = Literal[
    "lead", "tail", "when", "hedge", "short", "never", "sarcasm", "telling", "vague", "trivial", "brief",
    "fragment", "foreign", "unsaid"
]  # fmt: skip
Lists = Literal[
    "verbs", "pasts", "helpers", "adverbs", "no_verbs", "pronouns", "determiners", "bare", "parents",
    "people", "names", "scope", "subordinators", "loose_ends", "run_ons", "before_run_ons",
    "before_nouns", "before_parents", "joiners", "breaks", "starters", "telling",
    "plain", "wished", "doing", "heads", "owned", "after_its", "capitals", "only_one",
    "nouns", "hollow", "blank", "states",
]  # fmt: skip


_COMMON = 14_000  # of the vocabulary, its commoner part
_UNSAYABLE = re.compile(r"[bcdfghjklmnpqrstvwxz]{5}|(.)\1\1|^[^aeiouy]+$")
_RARE = 6  # letters of a word that may be rare and right; shorter ones are all a slip from another


class MirrorWords(Strict):
    """The schema of agent/words/mirror.yaml; its comments say what each list and pattern is for."""

    lists: dict[Lists, frozenset[str]]
    patterns: dict[Patterns, tuple[str, ...]]
    clean: tuple[tuple[str, str], ...]
    turns: dict[str, str]
    repair: dict[str, str]
    joined: dict[str, str]
    soften: dict[str, str]
    parts: dict[str, str]
    endings: tuple[tuple[str, str], ...]
    fronts: tuple[str, ...]
    topics: tuple[tuple[str, str], ...]


@cache
def mirror_words() -> MirrorWords:
    """The lists. Raises WordsError when the file breaks its schema."""
    return load("mirror.yaml", MirrorWords)


def listed(name: Lists) -> frozenset[str]:
    """One of the word lists."""
    return mirror_words().lists[name]


@cache
def pattern(source: str) -> re.Pattern[str]:
    """A regular expression of the file, its $names filled in."""
    people = "|".join(sorted(listed("people"), key=len, reverse=True))
    filled = string.Template(source).substitute(mirror_words().parts, people=f"(?:{people})")
    return re.compile(filled, re.IGNORECASE)


@cache
def matching(name: Patterns) -> re.Pattern[str]:
    """The patterns of one name as one; all but these four are only asked of lower-case words."""
    cased = name in ("lead", "tail", "hedge", "sarcasm")
    found = pattern("|".join(f"(?:{source})" for source in mirror_words().patterns[name]))
    return found if cased else re.compile(found.pattern)


@cache
def either(*names: Lists) -> frozenset[str]:
    """Several of the word lists as one."""
    return frozenset().union(*(listed(name) for name in names))


@cache
def _finite() -> frozenset[str]:
    """Every verb form that can follow a subject."""
    third = {re.sub(r"(?<![aeiou])ys$", "ies", verb + "s") for verb in listed("verbs")}
    third |= {verb + "es" for verb in listed("verbs") if verb.endswith(("s", "sh", "ch", "x", "z", "o"))}
    return (listed("verbs") | listed("pasts") | listed("helpers") | third) - listed("no_verbs")


@lru_cache(4096)
def is_verb(word: str) -> bool:
    """Whether a word can be the verb of a subject before it."""
    past = len(word) > 3 and word.endswith("ed") and word not in listed("no_verbs")
    return past or word in _finite() or word.endswith("n't")


def is_past(word: str) -> bool:
    """Whether a word behind "I" tells of something that happened."""
    return word not in listed("states") and (
        word in listed("pasts") or (word.endswith("ed") and is_verb(word))
    )


@lru_cache(4096)
def is_adverb(word: str) -> bool:
    """Whether a word may stand between a subject and its verb."""
    return word in listed("adverbs") or (len(word) > 4 and word.endswith("ly") and word not in _finite())


@cache
def _ranks() -> dict[str, int]:
    """The vocabulary of the reading model, commoner words first; none when the file cannot be read."""
    try:
        file = Path(agent.reading.__file__).with_name("model") / "tokenizer.json"
        return dict(json.loads(file.read_text("utf-8"))["model"]["vocab"])
    except (OSError, ValueError, KeyError, TypeError):
        return {}


@cache
def _vocabulary() -> frozenset[str]:
    """Words that people are known to write; none when the file cannot be read, and then none is missed."""
    return frozenset(_ranks()).union(*mirror_words().lists.values()) if _ranks() else frozenset()


@cache
def _common() -> frozenset[str]:
    """The words that a misspelt one is most likely to be."""
    listed_words = frozenset().union(*mirror_words().lists.values())
    return listed_words.union(word for word, rank in _ranks().items() if rank < _COMMON)


def _single(word: str) -> str:
    """The word without double letters."""
    return re.sub(r"(.)\1", r"\1", word)


@cache
def _singles() -> frozenset[str]:
    return frozenset(map(_single, _common()))


def _misspelt(word: str) -> bool:
    """Whether it is no word, or a common one is a slip away: a letter too many, too few, another, two that
    changed place, or letters that are double and should not be, or the other way round."""
    if _UNSAYABLE.search(word) or _single(word) in _singles():
        return True
    halves = [(word[:at], word[at:]) for at in range(len(word) + 1)]
    slips = {a + b[1:] for a, b in halves if b} | {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    slips |= {
        a + letter + rest for a, b in halves for letter in string.ascii_lowercase for rest in (b, b[1:])
    }
    return not slips.isdisjoint(_common())


def _joins(part: str, known: frozenset[str]) -> bool:
    """Whether a known word may be half of a longer one; "with" and "they" are not, but for a slip."""
    slips = either(
        "pronouns", "determiners", "subordinators", "before_run_ons", "run_ons", "joiners", "adverbs"
    )
    return part in known and part not in slips


@lru_cache(4096)
def is_word(word: str) -> bool:
    """Whether somebody may have meant to write this: a known word, one made of known ones, or a rare one."""
    known = _vocabulary()
    if len(word) < 4 or not known or word in known or not word.isascii() or not word.isalpha():
        return True
    for end, instead in mirror_words().endings:
        stem = word.removesuffix(end) + instead if word.endswith(end) else ""
        if stem in known or (len(stem) > 3 and stem[-1] == stem[-2] and stem[:-1] in known):
            return True
    if any(_joins(word[:at], known) and _joins(word[at:], known) for at in range(4, len(word) - 3)):
        return True  # "toothbrush"
    front = next((one for one in mirror_words().fronts if word.startswith(one)), "")
    if front and len(word) > len(front) + 2 and is_word(word.removeprefix(front)):
        return True
    return len(word) >= _RARE and not _misspelt(word)
