"""From an answer somebody wrote on the web to sentences fit to show, or a reason why there are none.

What is unfit is data: knowledge/clean.yaml, which carries made-up examples of its own. It judges by
patterns, sentence by sentence, and knows nothing of whether an answer is wise: it reduces names,
numbers and claims, and cannot promise that none is left.
"""

import html
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise

from pydantic import Field

from knowledge.tables import Strict, load

__all__ = [
    "CleanRule",
    "CleanRules",
    "Cleaned",
    "clean_answer",
    "clean_question",
    "clean_rules",
    "normalised",
    "sentences",
]

LONGEST = 20_000  # characters read; the longest answer of counselchat has a third of that
CONTACT = "\ufffc"  # stands for what was a link, an address or a number, so that splitting spares it
_LINK = (
    r"(?:https?://|www\.)\S{1,300}?(?=[\])}.,;:!?\"'’”]*(?:\s|$))"
    r"|[\w.+-]{1,64}@[\w-]{1,64}(?:\.[\w-]{1,64}){1,4}|(?:\+?\d[ ().-]{0,2}){7,30}\d?"
)
_WORD = r"[^\W\d_]+(?:['’-][^\W\d_]+)*"


class CleanRule(Strict):
    """Patterns of one kind of unfit text, with sentences they must and must not find."""

    id: str
    patterns: list[str] = Field(min_length=1)
    hits: list[str] = Field(min_length=1)
    misses: list[str] = Field(min_length=1)


class English(Strict):
    """Text is English when at least this share of its words is among these."""

    least: float
    words: str


class CleanRules(Strict):
    """The whole of clean.yaml; see its comments."""

    least_words: int
    most_words: int
    least_kept: float
    english: English
    capitals: str
    question: list[CleanRule]
    answer: list[CleanRule]
    sentence: list[CleanRule]


@dataclass(frozen=True)
class Cleaned:
    """text: what is left, "" when nothing is fit, and then `reason` says why.

    left_out: rule id -> sentences it took out.
    """

    text: str
    reason: str = ""
    left_out: Counter[str] = field(default_factory=Counter)


@cache
def clean_rules() -> CleanRules:
    """The rules as written."""
    return load("clean.yaml", CleanRules)


def clean_question(title: str, body: str = "") -> Cleaned:
    """The title as a question to match and to show; no text when the question must not be used."""
    whole = f"{title}\n{body}"
    for part in ("question", "answer"):
        if broken := _broken(part, " ".join(whole[:LONGEST].split())):
            return Cleaned("", f"question: {broken}")
    question = " ".join(_plain(title).split()).strip(" -\"'")
    if not question:
        return Cleaned("", "question: empty")
    private = CONTACT in question or _broken("sentence", question) == clean_rules().sentence[0].id
    if private or _names(question):
        return Cleaned("", "question: names someone")
    return Cleaned(question)


def clean_answer(answer: str, author: str = "") -> Cleaned:
    """40 to 220 words of the answer's fit sentences, in their order.

    author: who wrote it; sentences that name them are left out. Reasons: not English, a rule of
    `answer`, too short, too little left.
    """
    rules = clean_rules()
    plain = _plain(answer)
    words = re.findall(_WORD, plain)
    if not _english(words):
        return Cleaned("", "empty" if not words else "not English")
    if broken := _broken("answer", plain):
        return Cleaned("", broken)
    known = frozenset(
        part.lower() for part in re.findall(r"[A-Z][a-z]{2,}", author.split(",", maxsplit=1)[0])[:3]
    )
    left_out: Counter[str] = Counter()
    fit: list[str] = []
    for sentence in sentences(plain):
        if unfit := _unfit(sentence, known):
            left_out[unfit] += 1
        else:
            fit.append(sentence)
    kept = _count(fit)
    shown = _first(fit, rules.most_words)
    if _count(shown) < rules.least_words:
        return Cleaned("", "too short" if len(words) < rules.least_words else "too little left", left_out)
    if kept < rules.least_kept * len(words):
        return Cleaned("", "too little left", left_out)
    return Cleaned(" ".join(shown), left_out=left_out)


def normalised(text: str) -> str:
    """The words alone, for telling that two answers say the same."""
    return " ".join(re.findall(_WORD, text.lower()))


def _unfit(sentence: str, author: frozenset[str]) -> str:
    """The rule that a sentence breaks, or ""."""
    if CONTACT in sentence:
        return clean_rules().sentence[0].id
    if sentence.endswith(":") or len(re.findall(_WORD, sentence)) < 3:
        return "a fragment"
    if broken := _broken("sentence", sentence):
        return broken
    words = re.findall(_WORD, sentence)
    if len(words) >= 6 and not _english(words, easing=0.2):
        return "not English"
    return "names someone" if _names(sentence, author) else ""


def _names(sentence: str, author: frozenset[str] = frozenset()) -> bool:
    """Whether a word inside the sentence is written like a name, or the author is named."""
    tokens = sentence.split()
    allowed = _capitals()
    for before, token in pairwise(tokens):
        word = re.sub(r"^\W+|(?:['’]s)?\W*$", "", token)
        starts = re.search(r"[.:!?…\"“”'‘(\[–—-]$", before) or re.match(r"[\"“'‘(\[]", token)
        if re.fullmatch(r"[A-Z][a-z]+(?:[-'’][A-Za-z]+)*", word) and word not in allowed and not starts:
            return True
    return any(word.lower() in author for word in re.findall(r"[A-Z][a-z]+", sentence))


def _plain(text: str) -> str:
    """Without markup, with links and numbers as one mark, and with spaces where sentences were glued."""
    text = html.unescape(html.unescape(text[:LONGEST]))
    text = re.sub(r"(?i)<(?:br|p|/p|li|/li|div|/div|ul|ol|h\d)\b[^>]{0,200}>", "\n", text)
    text = re.sub(r"<(?!\||<)/?[a-zA-Z][^>]{0,400}>", "", text)
    text = re.sub(r"[\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", "", text)
    text = re.sub(_LINK, CONTACT, text)
    text = re.sub(r"(?<=[.!?:;])\s*\d{1,2}[.)]\s*(?=[A-Z])", "\n", text)  # a numbered list in one line
    text = re.sub(r"\b(Dr|Mr|Mrs|Ms|Prof|St|vs)\.(?=\s)", r"\1", text)  # no end of a sentence
    text = re.sub(r"[^\S\n]+", " ", text)
    text = re.sub(r"\n\s*(?=[a-z])", " ", text)  # a line that was only wrapped
    return re.sub(r"((?:[a-z]|[a-z][\"”)’'])[.!?…:;]+[\"”)]?)(?=[A-Z“])", r"\1 ", text)


def sentences(plain: str) -> list[str]:
    """Sentences in order; a line that ends without a stop ends a sentence too, if long enough."""
    found = []
    for line in plain.split("\n"):
        line = re.sub(r"^\s*(?:[-*•·>~]+|\(?\d{1,2}[.):]|[a-z]\))\s*", "", line).strip()  # noqa: PLW2901
        parts = re.split(r"(?<=[.!?…])\s+(?=[\"“'(]?[A-Z0-9])|(?<=[.!?…][\"”')])\s+(?=[A-Z\"“])", line)
        for part in (part.strip() for part in parts):
            if re.search(r"[.!?…:][\"”')]*$", part):
                found.append(part)
            elif len(part.split()) > 8:
                found.append(part.rstrip(" ,;-–—") + ".")
    return found


def _first(kept: Sequence[str], most: int) -> list[str]:
    return [kept[i] for i in range(len(kept)) if _count(kept[: i + 1]) <= most]


def _count(fit: Sequence[str]) -> int:
    return sum(len(re.findall(_WORD, sentence)) for sentence in fit)


def _english(words: Sequence[str], easing: float = 1.0) -> bool:
    """easing: below 1 for a single sentence, which may happen to have few common words."""
    rule = clean_rules().english
    common = frozenset(rule.words.split())
    share = sum(word.lower().replace("’", "'") in common for word in words)
    return bool(words) and share >= easing * rule.least * len(words)


def _broken(part: str, text: str) -> str:
    """The id of the first rule of that part of clean.yaml that the text breaks, or ""."""
    text = text.replace("’", "'").replace("‘", "'")
    return next((id_ for id_, pattern in _compiled(part) if pattern.search(text)), "")


@cache
def _compiled(part: str) -> list[tuple[str, re.Pattern[str]]]:
    rules: list[CleanRule] = getattr(clean_rules(), part)
    return [(rule.id, re.compile("|".join(rule.patterns), re.IGNORECASE)) for rule in rules]


@cache
def _capitals() -> frozenset[str]:
    words = clean_rules().capitals.split()
    return frozenset(words) | {word.replace("'", "’") for word in words}
