"""Mirroring: a person's own clause, turned to the second person, or nothing.

`mirror` finds the clause that tells most and turns it ("my boss keeps giving me his shifts" ->
"your boss keeps giving you his shifts"); `topic_phrase` names what the message is about ("your exam
tomorrow"). No parser, only word lists (agent/words/mirror.yaml) and a habit of giving up: a clause is
turned only when its subject is followed by a verb we know. It knows nothing of risk levels; it merely
never repeats a dark or belittling sentence as if it were a fact. English only.
"""

import re
from collections.abc import Sequence
from itertools import dropwhile, islice, pairwise

from agent.responders.clauses import MOST, clauses_of, cleaned, opens, respelled, runs_on, stands
from agent.responders.mirror_words import (
    either,
    is_adverb,
    is_verb,
    is_word,
    listed,
    matching,
    mirror_words,
    pattern,
)

__all__ = ["fragment", "mirror", "short_answer", "told", "topic_phrase"]

_FEWEST = 3  # words a mirrored clause may have
_SHORTER = 13  # words of a clause that is said back along with others
_FEW = 8  # words of a fragment that may come back
_ALL, _MOST_OF_IT = 0.9, 0.7  # of the words of a message; then a clause may tell less
_NOT_YOURS = re.compile(r"\byou (?:am|was|is|has|wasn't)\b", re.IGNORECASE)
_KINDS = frozenset({"older", "younger", "little", "big", "oldest", "youngest", "own", "best", "step"})
_SUBJECTS = frozenset({"i", "we", "this", "it", "he", "she", "they", "my", "our", "her", "his", "their"})


def mirror(text: str, said: Sequence[str] = (), carried: str = "") -> str | None:
    """The most telling clause of `text` in the second person, or None when it cannot be done well.

    The result is 3 to 16 words, starts in lower case unless with a name, has no final punctuation
    and fits "You're saying that ...". A clause found in one of the sentences `said` is passed over.
    carried: the words by which the feeling was heard; among clauses that tell as much, theirs is taken.
    """
    found = _found(text, carried)
    past = "\n".join(said).casefold()
    fresh = [
        one
        for one, worth in found.items()
        if worth >= _bar(one, cleaned(text)) and one.casefold() not in past
    ]
    return max(fresh, key=found.__getitem__) if fresh else None


def told(text: str, count: int) -> list[str]:
    """The `count` most telling clauses of a long message, turned, in the order they were told; or none."""
    found = {one: worth for one, worth in _found(text, "").items() if worth >= _bar(one, cleaned(text))}
    short = [one for one in found if len(one.split()) <= _SHORTER and not one.startswith("maybe ")]
    best = sorted(short, key=lambda one: -found[one])[:count]
    return [one for one in found if one in best] if len(best) == count else []


def _found(text: str, carried: str) -> dict[str, float]:
    """Every clause that can be turned, and how much it tells."""
    text = cleaned(text)
    if matching("foreign").search(text.lower()) or matching("sarcasm").search(text):
        return {}  # the grammar of another language shows in it, and would be handed back as theirs
    felt = set(re.findall(r"[a-z']+", carried.lower()))
    found: dict[str, float] = {}
    for clause in islice(clauses_of(text), 300):
        if turned := _turned(clause):
            whole = next((longer for longer in found if turned in longer), turned)  # its half says less
            found[whole] = max(found.get(whole, 0), _worth(clause) + _felt(clause, felt))
    return found


def topic_phrase(text: str) -> str | None:
    """What the message is about, as a noun phrase in the second person ("the breakup"), or None."""
    folded = " ".join(re.findall(r"[a-z0-9'-]+|[.?!]", cleaned(text).lower()))
    for find, say in mirror_words().topics:
        if match := pattern(find).search(folded):
            return " ".join(match.expand(say).split())
    return None


def short_answer(text: str) -> str | None:
    """A few words that answer a question ("mostly the evenings"), turned; None for anything else."""
    told = " ".join(respelled(cleaned(text).strip(" .,").split()))
    if re.fullmatch(r"[A-Z][a-z]{2,12}", told) and not is_verb(told.lower()):
        return told if not matching("never").search(told.lower()) else None
    words = told.lower().split()
    plain = " ".join(words)
    if not 2 <= len(words) <= 6 or not matching("short").fullmatch(plain) or matching("never").search(plain):
        return None
    return " ".join(mirror_words().turns.get(word, word) for word in words)


def fragment(text: str) -> str | None:
    """A few words without a verb of their own ("six years", "a brown envelope"), turned; or None."""
    told = re.split(r"[.!?\n]", cleaned(text).strip(" .,"))[0].strip(" ,")
    told = re.sub(r"(?:,? (?:man|mate|bro|lol|haha|tbh|though|really))+$", "", told.lower())
    words = respelled(told.split())
    lower = [word.lower() for word in words]
    plain = " ".join(lower)
    if (
        not 2 <= len(words) <= _FEW
        or not matching("fragment").match(plain)
        or lower[-1] in listed("loose_ends")
    ):
        return None
    verbs = any(
        is_verb(word) and before not in listed("before_nouns") for before, word in pairwise(["", *lower])
    )
    if verbs or stands(lower) or not listed("pronouns").isdisjoint(lower):
        return None
    if any(matching(name).search(plain) for name in ("never", "sarcasm", "foreign")):
        return None
    return " ".join(mirror_words().turns.get(word.lower(), word) for word in words)


def _turned(words: list[str]) -> str | None:
    """A clause in the second person, its "maybe" kept; None where that could go wrong."""
    words = _trimmed(words)
    hedge = "maybe " if matching("hedge").match(" ".join(words[:3])) else ""
    words = _trimmed(words[1:] if hedge else words)
    lower = [word.lower() for word in words]
    if matching("brief").fullmatch(" ".join(lower)):
        return " ".join(mirror_words().turns.get(word, word) for word in lower)
    loose = bool(lower) and lower[-1] in listed("loose_ends") and lower[-3:] != ["how", "i", "am"]
    if not lower or loose or not _FEWEST <= len(words) - lower.count(",") <= MOST:
        return None
    plainly = " ".join(lower)
    if not opens(lower) or not _sound(lower) or matching("trivial").search(plainly):
        return None
    if matching("never").search(plainly) or not all(map(is_word, filter(str.islower, words))):
        return None
    words = _you_first(words)
    out = [_second_person(words, at) for at in range(len(words))]
    turned = " ".join(word or "" for word in out).replace(" ,", ",")
    turned = re.sub(r"\b((?:told|showed|reminded|promised|warned|tells) you) (?=you\b)", r"\1 that ", turned)
    turned = re.sub(r"\ba (?=[aeio](?!nce?\b))", "an ", turned)
    plain = [word.partition("'")[0] for word in re.findall(r"[\w'-]+", turned.lower())]
    doubled = any(one == two != "had" for one, two in pairwise(plain)) or _NOT_YOURS.search(turned)
    return None if None in out or doubled or len(plain) > MOST else hedge + turned


def _trimmed(words: list[str]) -> list[str]:
    """The words without the hedges around them, and with oaths taken out or softened."""
    text, before = " ".join(mirror_words().soften.get(word.lower(), word) for word in words), ""
    while text != before:
        before, text = text, matching("tail").sub("", matching("lead").sub("", text.strip(" ,"), 1), 1)
    return text.split()


def _sound(lower: list[str]) -> bool:
    """Whether no second sentence runs on, every subject has its verb, and "we" does not stand beside "I"."""
    heads = {word.partition("'")[0] for word in lower}
    if {"i", "me"} & heads and {"we", "us"} & heads:
        return False  # both would become "you"
    opened = lower[0] in listed("subordinators") or matching("when").match(" ".join(lower)) is not None
    return all(_is_one(lower, at, opened=opened) and _agrees(lower, at) for at in range(len(lower)))


def _is_one(lower: list[str], at: int, *, opened: bool) -> bool:
    """Whether no second sentence begins at `at`; opened: a comma is due, as in "when I woke, he left"."""
    word, last = lower[at], lower[at - 1] if at else ""
    before = next(dropwhile(is_adverb, reversed(lower[:at])), "and")
    joined = before in either("before_run_ons", "people") or is_verb(before)
    place = word == "there" and not is_verb("".join(lower[at + 1 : at + 2]))
    second = word in listed("run_ons") or lower[at : at + 2] in (["i", "am"], ["i", "was"])
    if second and not joined and not place:
        return False
    if last == ",":
        return opened or word.partition("'")[0] not in _SUBJECTS or not stands(lower[at:])
    return not (at and runs_on(lower, at))


def _agrees(lower: list[str], at: int) -> bool:
    """Whether an "i" or "my dad" at `at` has a verb of this English; "my dad never come" is of another."""
    word, before = lower[at], next(dropwhile(is_adverb, reversed(lower[:at])), "and")
    behind = [*dropwhile(lambda one: is_adverb(one) or one in _KINDS, lower[at + 1 :]), "", ""]
    if word == "i" and (at == 0 or before != "and"):
        return is_verb(behind[0]) or behind[0] == "and"
    first = at == 0 or lower[at - 1] in ("and", "but")
    if first and word in ("my", "our") and pattern("$single").fullmatch(behind[0]):
        verb = next(dropwhile(is_adverb, behind[1:]), "")
        return verb.endswith("s") or verb not in listed("verbs") or verb in listed("pasts")
    return True


def _you_first(words: list[str]) -> list[str]:
    """The words with "my sister and I" as "I and my sister", so that it comes back as "you and ..."."""
    lower = [word.lower() for word in words]
    for at in range(1, min(5, len(words) - 1)):
        if is_verb(lower[at]) or "'" in lower[0] or lower[0] == "i":
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
    if low in mirror_words().turns:
        return mirror_words().turns[low]
    if low.partition("'")[0] in either("names", "capitals") or (
        low in ("march", "may") and last in ("in", "since", "last", "until")
    ):
        return word[0].upper() + word[1:].lower()
    if low.partition("'")[0] in listed("parents") and (is_verb(last) or last in listed("before_parents")):
        paired = last in ("and", "or") and at > 1 and words[at - 2].lower() in listed("people")
        return low if paired else f"your {low}"
    loud = [one for one in words[max(0, at - 1) : at + 2] if one.isupper() and len(one) > 3]
    shouted = len(word) > _FEWEST and word.isupper() and (len(loud) > 1 or len(word) > 4)
    shouted = shouted or (word.isupper() and (is_verb(low) or is_adverb(low) or low in listed("determiners")))
    return low if shouted or at == 0 else word


def _were(verb: str, before: list[str], behind: list[str]) -> str | None:
    """ "am", "was" or "wasn't", turned where it is the person's own; None where that cannot be told."""
    before = list(dropwhile(is_adverb, reversed(before)))
    last, heads = "".join(before[:1]), [one.partition("'")[0] for one in before]
    joins = last in ("and", "but", "or", "then", ",")
    alone = heads[-1:] == ["i"] and not set(heads) & listed("pronouns") - {"i"}
    mine = last == "i" or behind[:1] == ["i"] or (joins and alone)
    if not mine and (joins or verb == "am"):
        return None
    return {"am": "are", "was": "were", "wasn't": "weren't"}[verb] if mine else verb


def _bar(turned: str, text: str) -> int:
    """How much a clause must tell to be said back: less where it is nearly all there is."""
    count = len(turned.split())
    share = count / max(len(re.findall(r"[^\W_]+(?:['-][^\W_]+)*", text)), 1)
    if count <= _FEWEST:
        anybody = turned.split(maxsplit=1)[0] in listed("bare") and share > _ALL / 2
        return -2 if anybody or (share > _ALL and turned.split()[1] != "you") else 99
    return 0 if share > _MOST_OF_IT else 2


def _felt(words: list[str], felt: set[str]) -> float:
    """Half a point, so that it decides between equals, for a clause that is mostly the words felt."""
    return 0.5 * (len({word.lower() for word in words} & felt) * 2 > len(words))


def _worth(words: list[str]) -> int:
    """How much a clause tells: who and what happened count, and the person being in it."""
    text = " ".join(word.lower() for word in words)
    if matching("brief").fullmatch(text):
        return 2
    theirs = bool(re.search(r"\b(?:i|me|my|i'\w+|myself|we|us|our)\b", text))
    telling = min(3, len({match[0] for match in matching("telling").finditer(text)}))
    vague = len({match[0] for match in matching("vague").finditer(text)})
    vague += not theirs and words[0].lower() in ("he", "she", "they")
    return 2 * (theirs + telling - vague) + (5 <= len(words) <= 14)
