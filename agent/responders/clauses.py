"""Clauses: the runs of words in a message that may stand alone, with phone spelling set right.

No parser, only word lists (agent/words/mirror.yaml): a subject is a word that can be one and is followed by
a verb we know. It cuts at full stops, before "and he", "because", and where a second sentence runs on
without a stop. It knows nothing of what is worth saying back; mirror.py does. English only.
"""

import re
from collections.abc import Iterator
from itertools import dropwhile, pairwise

from agent.responders.mirror_words import either, is_adverb, is_verb, listed, matching, mirror_words

__all__ = ["MOST", "clauses_of", "cleaned", "opens", "respelled", "runs_on", "stands"]

_ANYBODY = frozenset({"nobody", "everyone", "everybody", "someone"})
_LEADS = frozenset({"if", "when", "whenever", "since", "after", "once", "says", "said"})
_TELLS = frozenset({"says", "say", "said", "think", "thinks", "know", "if", "that", "because"})
_IS = frozenset({"is", "was", "isn't", "wasn't", "are", "aren't"})
_AND = frozenset({"and", "but", "because", "then", "yet", ","})
_READ, MOST = 4000, 16  # characters looked at; words a mirrored clause may have


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
    sentences = re.findall(r"(?:[^.!?;:\n\u2026\u2013\u2014]|(?<=\d)[.:](?=\d))+\??", text)
    for sentence, behind in pairwise([*sentences, ""]):
        if re.match(r"\s*(?:but|however|except|until)\b", behind, re.IGNORECASE):
            continue  # what it says is about to be taken back
        if re.search(r"[^\w\s,'-]|_|(?<!\w)'|'(?!\w)|\s-+\s", sentence):
            continue  # questions, quotes, brackets, links
        words = _parted(respelled(re.findall(r"[^\W_]+(?:['-][^\W_]+)*|,", sentence)))
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
    return not (runs_on(lower, start) and either("subordinators", "wished").isdisjoint(before))


def _hangs(lower: list[str], start: int, end: int) -> bool:
    """Whether what follows `end` must be heard with what stands before it: a "but", what an "if" leads to."""
    opened = not _LEADS.isdisjoint(lower[start + 1 : end])
    return "but" in lower[end : end + 20] or (end < len(lower) and opened and runs_on(lower, end))


def respelled(words: list[str]) -> list[str]:
    """The words with their apostrophes, and without the short forms of a phone, where one reading is sure."""
    words = [part for word in words for part in mirror_words().repair.get(word.lower(), word).split()]
    lower = ["", *(word.lower() for word in words), "", ""]
    return [_spelled(word, *lower[at : at + 4]) for at, word in enumerate(words)]


def _spelled(word: str, last: str, low: str, after: str, later: str) -> str:
    """One word, as the words around it tell that it is meant."""
    behind = later if is_adverb(after) else after
    if low == "its":
        follows = not listed("after_its").isdisjoint((after, behind)) or is_adverb(after)
        is_it = follows or behind.endswith(("ing", "ed")) or behind[:1].isdigit() or last in _TELLS
        return "it's" if is_it else word
    if low in mirror_words().joined:
        verb = behind in listed("verbs") or behind in ("be", "been", "have", "had")
        noun = last in listed("determiners") or last == "was"
        return mirror_words().joined[low] if verb and not noun else word
    if low == "cause" and last:
        noun = last in listed("determiners") or last in ("to", "will", "can")
        clause = "'" in behind or behind in either("pronouns", "determiners", "bare")
        return "because" if clause and not noun else word
    one = low.removesuffix("s")
    owner = one not in (low, "kid") and one in either("people", "names")
    if one in listed("only_one") and one != low and after and after not in listed("before_run_ons"):
        return f"{word[:-1]}'s"  # "mums piano", "my dads asleep": nobody speaks of several
    return f"{word[:-1]}'s" if owner and after in listed("owned") else word  # "my moms house"


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
    owner = first.endswith("'s") and first[:-2] in either("names", "parents", "bare")
    if owner and _is(lower[1:3]):
        return True  # "mum's looking at flats", and not "mum's house is cold"
    named = owner or first in either("names", "parents", "bare")
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


def _is(behind: list[str]) -> bool:
    """Whether the "'s" before these words is an "is" or a "has"."""
    word = next(iter(dropwhile(is_adverb, behind)), "")
    return word.endswith(("ing", "ed")) or word in listed("after_its")


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
    near, last = lower[max(0, at - 14) : at], lower[at - 1] if at else ","
    joined = max((spot for spot, one in enumerate(near) if one in _AND), default=-1)
    if last in listed("people") and near[joined + 1 : joined + 2] == ["my"]:
        joined = -1  # "from me and my husband"
    pairs, nouns = pairwise(["", *near[joined + 1 :]]), listed("before_nouns")
    if not any("'" in one or (is_verb(one) and before not in nouns) for before, one in pairs):
        return False  # nothing has been said yet that could be over
    if lower[at : at + 2] == ["it's", "been"]:
        return last not in listed("before_run_ons")
    if lower[at : at + 2] in [lower[spot : spot + 2] for spot in range(max(0, at - 6), at)]:
        return last not in either("before_run_ons", "joiners") or last in ("sad", "angry", "happy", "worried")
    return _begins(lower, at, near, sure=sure)


def _begins(lower: list[str], at: int, near: list[str], *, sure: bool) -> bool:
    """Whether a subject and its verb begin at `at`, and what is before it can be over there."""
    word, last = lower[at].partition("'")[0], lower[at - 1]
    over = last in listed("breaks")
    if last in listed("people"):
        feels = word != "i" or lower[at] == "i'm" or lower[at + 1 : at + 2] == ["am"]
        return listed("telling").isdisjoint(near) and feels and stands(lower[at : at + 6])
    if not over and _goes_on(lower, at):
        return False
    if word in ("my", "our", "his", "her"):
        person = not listed("people").isdisjoint(lower[at + 1 : at + 3])
        return person and stands(lower[at : at + 8]) and (over or not sure or not _relative(near, told=False))
    is_so = word != "i" and not _IS.isdisjoint(lower[at + 1 : at + 2])
    return (over or is_so or not _relative(near, told=word == "i")) and stands(lower[at : at + 6])


def _relative(near: list[str], *, told: bool) -> bool:
    """Whether a noun stands at the end of these words that a subject may go on with: "the job | i wanted".

    told: even one that could be a verb: "the email | i sent".
    """
    nouns = listed("before_nouns") if told else frozenset()
    pairs = pairwise(["", *near])
    verb = max(
        (spot for spot, (last, one) in enumerate(pairs) if is_verb(one) and last not in nouns), default=-1
    )
    return not listed("heads").isdisjoint(near[max(verb + 1, len(near) - 4) :])


def _goes_on(lower: list[str], at: int) -> bool:
    """Whether the word before `at` leaves its clause open: a verb, a preposition, a determiner."""
    before = next(dropwhile(is_adverb, reversed(lower[:at])), "and")
    last = lower[at - 1]
    doing = last in listed("doing")
    if doing or last in listed("before_run_ons") or is_adverb(last) or "'" in last:
        return True
    noun = lower[at - 2] in listed("before_nouns")
    return (is_verb(before) and not noun) or before in either("before_run_ons", "determiners")
