"""Clauses: the runs of words in a message that may stand alone, with phone spelling set right.

No parser, only word lists (agent/words/mirror.yaml): a subject is a word that can be one and is followed by
a verb we know. It cuts at full stops, before "and he", "because", and where a second sentence runs on
without a stop. It knows nothing of what is worth saying back; mirror.py does. English only.
"""

import re
import string
from collections.abc import Iterator
from functools import cache, lru_cache
from itertools import dropwhile, pairwise
from typing import Literal

from agent.words import Strict, load

__all__ = [
    "MOST", "MirrorWords", "cleaned", "clauses_of", "either", "is_adverb", "is_verb", "listed", "matching",
    "mirror_words", "opens", "pattern", "runs_on", "stands",
]  # fmt: skip

_ANYBODY = frozenset({"nobody", "everyone", "everybody", "someone"})
_NOUNS = frozenset({"morning", "evening", "wedding", "building", "thing", "everything", "something", "nothing"})
_AND = frozenset({"and", "but", "because", "then", "yet", ","})
_READ, MOST = 4000, 16  # characters looked at; words a mirrored clause may have
Patterns = Literal["lead", "tail", "when", "hedge", "short", "never", "sarcasm", "telling", "vague", "trivial", "brief"]
Lists = Literal[
    "verbs", "pasts", "helpers", "adverbs", "no_verbs", "pronouns", "determiners", "bare", "parents",
    "people", "names", "scope", "subordinators", "loose_ends", "run_ons", "before_run_ons",
    "before_nouns", "before_parents", "joiners", "breaks", "starters", "telling", "heads", "owned", "after_its", "capitals",
]  # fmt: skip


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


@lru_cache(4096)
def is_adverb(word: str) -> bool:
    """Whether a word may stand between a subject and its verb."""
    return word in listed("adverbs") or (len(word) > 4 and word.endswith("ly") and word not in _finite())


def cleaned(text: str) -> str:
    """`text` with plain quotes, without emoji, and not shouted."""
    if len(text) > _READ:
        text = text[: max(text.rfind(end, 0, _READ) for end in ".!?\n") + 1]
    for find, instead in mirror_words().clean:
        text = re.sub(find, instead, text, flags=re.IGNORECASE)
    big, small = len(re.findall(r"[A-Z]", text)), len(re.findall(r"[a-z]", text))
    return text.lower() if big > 8 and big > 2 * small else text


def clauses_of(text: str) -> Iterator[list[str]]:
    """Runs of words that may stand alone: sentences, their halves, and sentences cut at a "because"."""
    for sentence in re.findall(r"[^.!?;:\n\u2026\u2013\u2014]+\??", text):
        if re.search(r"[^\w\s,'-]|_|(?<!\w)'|'(?!\w)|\s-+\s", sentence):
            continue  # questions, quotes, brackets, links
        words = _parted(_respelled(re.findall(r"[^\W_]+(?:['-][^\W_]+)*|,", sentence)))
        lower = [word.lower() for word in words]
        cuts = [0, *_cuts(lower), len(words)]
        for first, start in enumerate(cuts[:-1]):
            if _reported(lower, start):
                break
            ends = [end for end in cuts[:first:-1] if not _hangs(lower, start, end)]
            yield from (words[start:end] for end in ends if end - start <= 3 * MOST)


def _reported(lower: list[str], start: int) -> bool:
    """Whether what begins at `start` may be wished, feared or told rather than true."""
    before = lower[:start]
    if listed("scope").isdisjoint(before):
        return False
    return not (runs_on(lower, start) and listed("subordinators").isdisjoint(before))


def _hangs(lower: list[str], start: int, end: int) -> bool:
    """Whether what follows `end` must be heard with what stands before it: a "but", what an "if" leads to."""
    opened = {"if", "when", "whenever", "since", "after", "once", "says", "said"} & set(lower[start + 1 : end])
    return "but" in lower[end : end + 2] or (end < len(lower) and bool(opened) and runs_on(lower, end))


def _respelled(words: list[str]) -> list[str]:
    """The words with their apostrophes, and without the short forms of a phone, where one reading is sure."""
    table, lists = mirror_words(), mirror_words().lists
    words = [part for word in words for part in table.repair.get(word.lower(), word).split()]
    out = list(words)
    for at, word in enumerate(words):
        low, after = word.lower(), [*(one.lower() for one in words[at + 1 : at + 3]), "", ""]
        behind = after[1] if is_adverb(after[0]) else after[0]
        last = words[at - 1].lower() if at else ""
        if low == "its":
            is_it = behind in lists["after_its"] or behind.endswith(("ing", "ed")) or behind[:1].isdigit()
            out[at] = "it's" if is_it or after[0] in lists["after_its"] or is_adverb(after[0]) else word
        elif low in table.joined:
            sure = behind in lists["verbs"] or behind in ("be", "been", "have", "had")
            out[at] = table.joined[low] if sure and last not in lists["determiners"] and last != "was" else word
        elif low == "cause" and at and (
            "'" in behind or behind in either("pronouns", "determiners", "bare")
        ):
            out[at] = "because" if last not in lists["determiners"] and last not in ("to", "will", "can") else word
        elif low[:-1] in either("people", "names") and low.endswith("s") and after[0] in lists["owned"]:
            out[at] = f"{word[:-1]}'s"  # "my moms house"
    return out


def _parted(words: list[str]) -> list[str]:
    """The words with the comma that is due in "when I got home my dad was gone"."""
    lower = [word.lower() for word in words]
    opening = next((at for at, word in enumerate(lower[:3]) if word not in listed("joiners")), 0)
    if not lower or lower[opening] not in listed("subordinators") or "," in lower[:12]:
        return words
    for at in range(opening + 3, min(len(lower) - 2, opening + 12)):
        if runs_on(lower, at) and stands(lower[opening + 1 : at]):
            return [*words[:at], ",", *words[at:]]
    return words


def _cuts(lower: list[str]) -> Iterator[int]:
    """Where a sentence may be cut: before "and he", ", my boss", "because", a run-on; only after a verb."""
    joiners = listed("joiners")
    verb = next((at for at, word in enumerate(lower) if is_verb(word) or "'" in word), len(lower))
    for at in range(max(3, verb + 1), len(lower) - 2):
        behind = at + (lower[at] == ",")
        while behind < len(lower) - 1 and (lower[behind] in joiners or lower[behind] == "because"):
            behind += 1
        pair = lower[at] == "and" and lower[at - 1] in either("people", "names")
        because = lower[at] == "because" and lower[at - 1] not in ("not", "just", "only", "and", "but")
        begins = behind > at and not pair and lower[at] not in ("now", "then", "still", "just")
        if because or (begins and opens(lower[behind : behind + 14])) or runs_on(lower, at, sure=True):
            yield at


def stands(lower: list[str]) -> bool:
    """Whether a subject opens these words and a verb follows it."""
    first = lower[0] if lower else ""
    pointing = first in ("this", "that") and not is_verb("".join(lower[1:2])) and lower[2:] != []
    if first.partition("'")[0] in listed("pronouns") and not pointing:
        rest = [*dropwhile(is_adverb, lower[1:]), ""]
        return "'" in first or is_verb(rest[0]) or (rest[0] == "and" and stands(rest[1:]))
    named = first in either("names", "parents", "bare")
    if not named and (first not in listed("determiners") or (first == "me" and lower[1:2] != ["and"])):
        return False
    due, chain = 1, -1  # verbs still to come: one, and one more for a "who ..." between
    for at, (before, word) in enumerate(pairwise(lower[0 if named else 1 : 14])):
        if is_verb(word) and before not in listed("before_nouns"):
            due -= chain != at
            chain = at + 1
            if not due:
                return True
        elif word == "who" and before != "and":
            due += 1
        elif word == "," or ((word in listed("pronouns") or word in _ANYBODY) and before != "and"):
            return False
    return False


def opens(lower: list[str]) -> bool:
    """Whether these words are a clause with its verb: "last night he left", "when I woke, he was gone"."""
    comma = lower.index(",") if "," in lower else 0
    if comma and lower[0] in listed("subordinators") and stands(lower[1:comma]):
        return stands(lower[comma + 1 :])
    time = matching("when").match(" ".join(lower))
    return stands(lower[len(time[0].split()) :] if time else lower)


def runs_on(lower: list[str], at: int, *, sure: bool = False) -> bool:
    """Whether a second sentence begins at `at` without a stop or a conjunction before it.

    sure: and it is certain: in "some cookies my roommate left" it may be a part of the first.
    """
    if lower[at] not in listed("starters"):
        return False
    word, last = lower[at].partition("'")[0], lower[at - 1] if at else ","
    near = lower[max(0, at - 14) : at]
    joined = max((spot for spot, one in enumerate(near) if one in _AND), default=-1)
    since = near[joined + 1 :]
    verbs = (is_verb(one) and not listed("before_nouns") & {last} for last, one in pairwise(["", *since]))
    if not any("'" in one for one in since) and not any(verbs):
        return False
    if lower[at : at + 2] == ["it's", "been"] and last not in listed("before_run_ons"):
        return True
    if lower[at : at + 2] in [lower[spot : spot + 2] for spot in range(max(0, at - 6), at)]:
        return last not in listed("before_run_ons") | {"and"} or last in ("sad", "angry", "happy", "worried")
    if last in listed("people"):
        return listed("telling").isdisjoint(near) and word != "i" and stands(lower[at : at + 6])
    if last not in listed("breaks") and _goes_on(lower, at):
        return False
    if word in ("my", "our", "his", "her"):
        person = not listed("people").isdisjoint(lower[at + 1 : at + 3]) and stands(lower[at : at + 8])
        return person and not (sure and _relative(near) and last not in listed("breaks"))
    is_it = {"is", "was", "isn't", "wasn't", "are", "aren't"}.intersection(lower[at + 1 : at + 2])
    free = last in listed("breaks") or (is_it and word != "i") or not _relative(near)
    return free and stands(lower[at : at + 6])


def _relative(near: list[str]) -> bool:
    """Whether a noun stands at the end of these words that a subject may go on with: "the job | i wanted"."""
    verb = max((spot for spot, one in enumerate(near) if is_verb(one)), default=-1)
    return not listed("heads").isdisjoint(near[max(verb + 1, len(near) - 4) :])


def _goes_on(lower: list[str], at: int) -> bool:
    """Whether the word before `at` leaves its clause open: a verb, a preposition, a determiner."""
    before = next(dropwhile(is_adverb, reversed(lower[:at])), "and")
    last = lower[at - 1]
    doing = last.endswith("ing") and len(last) > 5 and last not in _NOUNS
    if doing or last in listed("before_run_ons") or is_adverb(last) or "'" in last:
        return True
    noun = lower[at - 2] in listed("before_nouns")
    return (is_verb(before) and not noun) or before in either("before_run_ons", "determiners")
