"""Which language a message is in, by its script and its small words.

Knows a few dozen languages, not dialects, and needs a handful of words: a very short message in Latin
letters is taken for English, because that is what the product speaks. A mixture gets its larger part.
"""

import re
from collections import Counter
from functools import cache

from agent.words import Strict, load

__all__ = ["LanguageWords", "common_words", "detect"]

_WORD = re.compile(r"[^\W\d_]+")
# A language other than English must explain this share of the words before we say so.
_SHARE = 0.25
_ENOUGH = 20_000  # characters looked at; a language does not change with length


class LanguageWords(Strict):
    """agent/words/languages.yaml. scripts: hexadecimal ranges; letters and words as the file says."""

    reviewed_by: str | None
    scripts: dict[str, tuple[str, ...]]
    letters: dict[str, str]
    words: dict[str, tuple[str, ...]]


@cache
def _known() -> tuple[list[tuple[int, int, str]], dict[str, str], dict[str, frozenset[str]]]:
    file = load("languages.yaml", LanguageWords)
    ranges = [
        (int(first, 16), int(last, 16), code)
        for code, spans in file.scripts.items()
        for first, last in (span.split("-") for span in spans)
    ]
    letters = {letter: code for code, own in file.letters.items() for letter in own}
    return ranges, letters, {code: frozenset(words) for code, words in file.words.items()}


def common_words(language: str) -> frozenset[str]:
    """The small words by which a language in Latin letters is told."""
    return _known()[2][language]


def detect(text: str) -> str:
    """ISO 639-1 code of the language most of `text` is in, `und` when there is nothing to tell it by.

    Raises WordsError when languages.yaml is broken.
    """
    ranges, letters, words = _known()
    sample = text[:_ENOUGH].casefold()
    scripts: Counter[str] = Counter()
    for char, count in Counter(sample).items():
        if char.isalpha() or not char.isascii():
            code = next((code for first, last, code in ranges if first <= ord(char) <= last), "")
            scripts[code or ("latin" if char.isalpha() else "")] += count
    scripts.pop("", None)
    if not scripts:
        return "und"
    # A character of these scripts is a syllable or a word, so it weighs more than a letter.
    weight = {"zh": 3, "ja": 3, "ko": 3}
    script = max(scripts, key=lambda code: scripts[code] * weight.get(code, 1))
    if script in {"zh", "ja"}:
        return "ja" if scripts["ja"] * 10 > scripts["zh"] else "zh"
    own = Counter(letters[char] for char in sample if char in letters)
    if script == "latin":
        return _latin(_WORD.findall(sample), own, words)
    siblings = {"ru": ("uk", "bg"), "ar": ("fa", "ur")}.get(script, ())
    return max((code for code in siblings if own[code] > 1), key=lambda code: own[code], default=script)


def _latin(tokens: list[str], own: Counter[str], words: dict[str, frozenset[str]]) -> str:
    scores = {code: sum(token in known for token in tokens) for code, known in words.items()}
    for code, count in own.items():
        if count and (code not in scores or scores[code]):
            scores[code] = scores.get(code, 0) + count
    best = max(scores, key=lambda code: (scores[code], code == "en"))
    strange = scores[best] > scores["en"] and scores[best] >= max(1, _SHARE * len(tokens))
    if best != "en" and strange and (scores[best] > 1 or len(tokens) <= 3):
        return best
    return "en" if scores["en"] or len(tokens) <= 4 else "und"
