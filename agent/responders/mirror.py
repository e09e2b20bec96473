"""Mirroring: a person's own clause, turned to the second person, or nothing.

`mirror` finds the clause that tells most and turns it ("my boss keeps giving me his shifts" ->
"your boss keeps giving you his shifts"); `topic_phrase` names what the message is about ("your exam
tomorrow"). No parser, only word lists (agent/words/mirror.yaml) and a habit of giving up: a clause is
turned only when its subject is followed by a verb we know. It knows nothing of risk levels; it merely
never repeats a dark or belittling sentence as if it were a fact. English only.
"""

import re
import string
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import dropwhile, islice, pairwise
from typing import Literal

from agent.words import Strict, load

__all__ = ["mirror", "short_answer", "topic_phrase"]

_READ, _FEWEST, _MOST = 4000, 4, 16  # characters looked at; words a mirrored clause may have
_Patterns = Literal["lead", "tail", "when", "hedge", "short", "never", "sarcasm", "telling", "vague"]
_List = Literal[
    "verbs", "pasts", "helpers", "adverbs", "no_verbs", "pronouns", "determiners", "bare", "parents",
    "people", "names", "scope", "subordinators", "loose_ends", "run_ons", "before_run_ons",
    "before_nouns", "before_parents",
]  # fmt: skip


class Words(Strict):
    """The schema of agent/words/mirror.yaml; its comments say what each list and pattern is for."""

    lists: dict[_List, frozenset[str]]
    patterns: dict[_Patterns, tuple[str, ...]]
    clean: tuple[tuple[str, str], ...]
    turns: dict[str, str]
    repair: dict[str, str]
    soften: dict[str, str]
    parts: dict[str, str]
    topics: tuple[tuple[str, str], ...]


@cache
def _words() -> Words:
    return load("mirror.yaml", Words)


def _list(name: _List) -> frozenset[str]:
    return _words().lists[name]


@cache
def _regex(source: str) -> re.Pattern[str]:
    people = "|".join(sorted(_list("people"), key=len, reverse=True))
    filled = string.Template(source).substitute(_words().parts, people=f"(?:{people})")
    return re.compile(filled, re.IGNORECASE)


@cache
def _any(name: _Patterns) -> re.Pattern[str]:
    """The patterns of one name as one."""
    return _regex("|".join(f"(?:{source})" for source in _words().patterns[name]))


@cache
def _finite() -> frozenset[str]:
    """Every verb form that can follow a subject."""
    third = {re.sub(r"(?<![aeiou])ys$", "ies", verb + "s") for verb in _list("verbs")}
    third |= {verb + "es" for verb in _list("verbs") if verb.endswith(("s", "sh", "ch", "x", "z", "o"))}
    return (_list("verbs") | _list("pasts") | _list("helpers") | third) - _list("no_verbs")


def _is_verb(word: str) -> bool:
    past = len(word) > 3 and word.endswith("ed") and word not in _list("no_verbs")
    return past or word in _finite() or word.endswith("n't")


def _is_adverb(word: str) -> bool:
    return word in _list("adverbs") or (len(word) > 4 and word.endswith("ly") and word not in _finite())


def mirror(text: str, said: Sequence[str] = (), carried: str = "") -> str | None:
    """The most telling clause of `text` in the second person, or None when it cannot be done well.

    The result is 4 to 16 words, starts in lower case unless with a name, has no final punctuation
    and fits "You're saying that ...". A clause found in one of the sentences `said` is passed over.
    carried: the words by which the feeling was heard; among clauses that tell as much, theirs is taken.
    """
    text = _cleaned(text)
    past, clauses = "\n".join(said).casefold(), islice(_clauses(text), 300)
    felt = set(re.findall(r"[a-z']+", carried.lower()))
    found = [
        (_worth(clause) + _felt(clause, felt), turned) for clause in clauses if (turned := _turned(clause))
    ]
    fresh = [(worth, turned) for worth, turned in found if worth >= 2 and turned.casefold() not in past]
    return max(fresh, key=lambda pair: pair[0])[1] if fresh and not _any("sarcasm").search(text) else None


def topic_phrase(text: str) -> str | None:
    """What the message is about, as a noun phrase in the second person ("the breakup"), or None."""
    folded = " ".join(re.findall(r"[a-z0-9'-]+|[.?!]", _cleaned(text).lower()))
    for find, say in _words().topics:
        if match := _regex(find).search(folded):
            return " ".join(match.expand(say).split())
    return None


def short_answer(text: str) -> str | None:
    """A few words that answer a question ("mostly the evenings"), turned; None for anything else."""
    told = _cleaned(text).strip(" .,")
    if re.fullmatch(r"[A-Z][a-z]{2,12}", told) and not _is_verb(told.lower()):
        return told if not _any("never").search(told.lower()) else None
    words = told.lower().split()
    plain = " ".join(words)
    if not 2 <= len(words) <= 6 or not _any("short").fullmatch(plain) or _any("never").search(plain):
        return None
    return " ".join(_words().turns.get(word, word) for word in words)


def _cleaned(text: str) -> str:
    """`text` with plain quotes, without emoji, and not shouted."""
    if len(text) > _READ:
        text = text[: max(text.rfind(end, 0, _READ) for end in ".!?\n") + 1]
    for find, instead in _words().clean:
        text = re.sub(find, instead, text, flags=re.IGNORECASE)
    big, small = len(re.findall(r"[A-Z]", text)), len(re.findall(r"[a-z]", text))
    return text.lower() if big > 8 and big > 2 * small else text


def _clauses(text: str) -> Iterator[list[str]]:
    """Runs of words that may stand alone: sentences, their halves, and sentences cut at a "because"."""
    for sentence in re.findall(r"[^.!?;:\n\u2026\u2013\u2014]+\??", text):
        if re.search(r"[^\w\s,'-]|_|(?<!\w)'|'(?!\w)|\s-+\s", sentence):
            continue  # questions, quotes, brackets, links
        words = re.findall(r"[^\W_]+(?:['-][^\W_]+)*|,", sentence)
        words = [part for word in words for part in _words().repair.get(word.lower(), word).split()]
        lower = [word.lower() for word in words]
        cuts = [0, *_cuts(lower), len(words)]
        for first, start in enumerate(cuts[:-1]):
            if not _list("scope").isdisjoint(lower[:start]):
                break
            ends = [end for end in cuts[:first:-1] if "but" not in lower[end : end + 2]]
            yield from (words[start:end] for end in ends if end - start <= 3 * _MOST)


def _cuts(lower: list[str]) -> Iterator[int]:
    """Where a sentence may be cut: before "and he", ", my boss", "because"; only after a verb."""
    verb = next((at for at, word in enumerate(lower) if _is_verb(word) or "'" in word), len(lower))
    for at in range(max(3, verb + 1), len(lower) - 2):
        behind = at + (lower[at] == ",")
        behind += lower[behind] in ("and", "but", "so", "then", "because", "yet")
        pair = lower[at] == "and" and lower[at - 1] in _list("people") | _list("names")
        if lower[at] == "because" or (behind > at and not pair and _stands(lower[behind : behind + 10])):
            yield at


def _stands(lower: list[str]) -> bool:
    """Whether a subject opens these words and a verb follows it."""
    first = lower[0] if lower else ""
    if first.partition("'")[0] in _list("pronouns"):
        rest = [*dropwhile(_is_adverb, lower[1:]), ""]
        return "'" in first or _is_verb(rest[0]) or (rest[0] == "and" and _stands(rest[1:]))
    named = first in _list("names") | _list("parents") | _list("bare")
    if not named and (first not in _list("determiners") or (first == "me" and lower[1:2] != ["and"])):
        return False
    for before, word in pairwise(lower[0 if named else 1 : 8]):
        verb = _is_verb(word) and before not in _list("before_nouns")
        if verb or word == "," or (word in _list("pronouns") and before != "and"):
            return verb
    return False


def _opens(lower: list[str]) -> bool:
    """Whether these words are a clause with its verb: "last night he left", "when I woke, he was gone"."""
    comma = lower.index(",") if "," in lower else 0
    if comma and lower[0] in _list("subordinators") and _stands(lower[1:comma]):
        return _stands(lower[comma + 1 :])
    time = _any("when").match(" ".join(lower))
    return _stands(lower[len(time[0].split()) :] if time else lower)


def _turned(words: list[str]) -> str | None:
    """A clause in the second person, its "maybe" kept; None where that could go wrong."""
    words = _trimmed(words)
    hedge = "maybe " if _any("hedge").match(" ".join(words[:3])) else ""
    words = _trimmed(words[1:] if hedge else words)
    lower = [word.lower() for word in words]
    if not _FEWEST <= len(words) - lower.count(",") <= _MOST or lower[-1] in _list("loose_ends"):
        return None
    if _any("never").search(" ".join(lower)) or not _opens(lower) or not _sound(lower):
        return None
    words = _you_first(words)
    out = [_second_person(words, at) for at in range(len(words))]
    turned = " ".join(word or "" for word in out).replace(" ,", ",")
    turned = re.sub(r"\b((?:told|showed|reminded|promised|warned|tells) you) (?=you\b)", r"\1 that ", turned)
    plain = [word.partition("'")[0] for word in re.findall(r"[\w'-]+", turned.lower())]
    doubled = any(one == two != "had" for one, two in pairwise(plain))
    return None if None in out or doubled or len(plain) > _MOST else hedge + turned


def _trimmed(words: list[str]) -> list[str]:
    """The words without the hedges around them, and with oaths taken out or softened."""
    text, before = " ".join(_words().soften.get(word.lower(), word) for word in words), ""
    while text != before:
        before, text = text, _any("tail").sub("", _any("lead").sub("", text.strip(" ,"), 1), 1)
    return text.split()


def _sound(lower: list[str]) -> bool:
    """Whether every "I" has a verb, no second sentence runs on, and "we" does not stand beside "I"."""
    heads = {word.partition("'")[0] for word in lower}
    if {"i", "me"} & heads and {"we", "us"} & heads:
        return False  # both would become "you"
    for at, word in enumerate(lower):
        before = next(dropwhile(_is_adverb, reversed(lower[:at])), "and")
        joined = before in _list("before_run_ons") | _list("people") or _is_verb(before)
        if (word in _list("run_ons") or lower[at : at + 2] in (["i", "am"], ["i", "was"])) and not joined:
            return False
        behind = next(dropwhile(_is_adverb, lower[at + 1 :]), "")
        if word == "i" and (at == 0 or before != "and") and not (_is_verb(behind) or behind == "and"):
            return False
    return True


def _you_first(words: list[str]) -> list[str]:
    """The words with "my sister and I" as "I and my sister", so that it comes back as "you and ..."."""
    lower = [word.lower() for word in words]
    for at in range(1, min(5, len(words) - 1)):
        if _is_verb(lower[at]) or "i" in lower[0].split("'"):
            break
        if lower[at] == "and" and lower[at + 1] in ("i", "me"):
            return ["I", "and", *words[:at], *words[at + 2 :]]
    return words


def _second_person(words: list[str], at: int) -> str | None:
    """The word at `at`, turned; None where it cannot be told whose verb it is."""
    word, low = words[at], words[at].lower()
    last = words[at - 1].lower() if at else "and"
    if low in ("am", "was", "wasn't"):
        return _were(low, [one.lower() for one in words[:at]], [one.lower() for one in words[at + 1 :]])
    if low in _words().turns or low in _list("names"):
        return _words().turns.get(low, word[0].upper() + word[1:])
    if low.partition("'")[0] in _list("parents") and (_is_verb(last) or last in _list("before_parents")):
        paired = last in ("and", "or") and at > 1 and words[at - 2].lower() in _list("people")
        return low if paired else f"your {low}"
    shouted = word.isupper() and (_is_verb(low) or _is_adverb(low) or low in _list("determiners"))
    return low if shouted or at == 0 else word


def _were(verb: str, before: list[str], behind: list[str]) -> str | None:
    """ "am", "was" or "wasn't", turned where it is the person's own; None where that cannot be told."""
    before = list(dropwhile(_is_adverb, reversed(before)))
    last, heads = "".join(before[:1]), [one.partition("'")[0] for one in before]
    joins = last in ("and", "but", "or", "then", ",")
    alone = heads[-1:] == ["i"] and not set(heads) & _list("pronouns") - {"i"}
    mine = last == "i" or behind[:1] == ["i"] or (joins and alone)
    if not mine and (joins or verb == "am"):
        return None
    return {"am": "are", "was": "were", "wasn't": "weren't"}[verb] if mine else verb


def _felt(words: list[str], felt: set[str]) -> float:
    """Half a point, so that it decides between equals, for a clause that is mostly the words felt."""
    return 0.5 * (len({word.lower() for word in words} & felt) * 2 > len(words))


def _worth(words: list[str]) -> int:
    """How much a clause tells: who and what happened count, and the person being in it."""
    text = " ".join(word.lower() for word in words)
    theirs = bool(re.search(r"\b(?:i|me|my|i'\w+|myself|we|us|our)\b", text))
    telling = min(3, len({match[0] for match in _any("telling").finditer(text)}))
    vague = len({match[0] for match in _any("vague").finditer(text)})
    return 2 * (theirs + telling - vague) + (5 <= len(words) <= 13) - (len(words) > 14)
