"""A clause of a Spanish message said back with "tú": "mi jefe me grita" as "tu jefe te grita".

Spanish verbs tell who speaks, so only clauses are turned whose verbs of the first person all stand in
agent/words/es/mirror.yaml; None where anything is not known. Knows nothing of what a clause means, nor when
it should be said back.
"""

import re
from collections.abc import Collection, Sequence
from functools import cache
from itertools import pairwise

from agent.brief import Brief
from agent.reading.spanish import spelled
from agent.themes import own_word
from agent.words import Strict, load

__all__ = ["MirrorWords", "load_mirror", "mirror", "slots", "topic_phrase"]

_FEWEST, _MOST, _READ = 3, 14, 1500
_CUT = re.compile(r"[.!?;:…\n]+|,|\b(?:pero|porque|aunque|así que|y (?=ya\b|no\b|me\b|mi\b|mis\b))")
_QUOTED = re.compile(r"[\"“”«»]")
# Endings of the first person, or of a past that may be anyone's.
_MINE = re.compile(r"(?:[éí]|oy|[^aeiou]aba|[^aeiou]ía|iera|ara|iese|aré|eré|iré|ría|mos)$")


class MirrorWords(Strict):
    """agent/words/es/mirror.yaml; its comments say what each list is for."""

    reviewed_by: str | None
    turns: dict[str, str]
    own: frozenset[str]
    before_own: frozenset[str]
    people: frozenset[str]
    things: frozenset[str]
    plain_o: frozenset[str]
    plain: frozenset[str]
    nouns: frozenset[str]
    before_nouns: frozenset[str]
    never: frozenset[str]
    loose_ends: frozenset[str]


@cache
def load_mirror() -> MirrorWords:
    """The word lists. Raises WordsError when the file breaks its schema."""
    return load("es/mirror.yaml", MirrorWords)


def mirror(text: str, said: Collection[str] = ()) -> str | None:
    """The clause of the message that tells most, in the second person, and not said before; None for none."""
    if _QUOTED.search(text) or len(text) > _READ:
        return None
    found = [turned for part in _CUT.split(spelled(text)) if (turned := _turned(part.split()))]
    spoken = " ".join(said).lower()
    fresh = [one for one in found if one.lower() not in spoken]
    return max(fresh, key=lambda one: min(len(one.split()), 9), default=None)


def topic_phrase(text: str) -> str | None:
    """What the message is about, by its first "mi" or "mis" with a noun known: "tu trabajo"."""
    words = [word.lower() for word in re.findall(r"\w+", spelled(text[:_READ]))]
    for owner, thing in pairwise(words):
        if owner in {"mi", "mis"} and thing in load_mirror().things:
            return f"{'tu' if owner == 'mi' else 'tus'} {thing}"
    return None


def slots(brief: Brief) -> dict[str, str]:
    """What fills the $names of a Spanish sentence; $Clause is $clause with a capital, and so on."""
    text, earlier = brief["text"], [text for role, text in brief["history"] if role == "user"]
    topics = (topic_phrase(one) for one in reversed(earlier))
    found: dict[str, str | None] = {
        "clause": mirror(text, brief["said"]),
        "thing": topic_phrase(text),
        "topic": next((topic for topic in topics if topic), None),
        "word": load_mirror().turns.get(word := own_word(text, "es"), word),
        "name": brief["person"].get("name"),
    }
    if brief["plan"]["move"] in {"repeat_back", "complaint"}:
        told = list(dict.fromkeys(clause for one in earlier[:-1] if (clause := mirror(one))))
        found |= zip(("first", "second"), told[:2], strict=False)
        found["latest"] = told[-1] if told else None
    filled = {name: one for name, one in found.items() if one}
    return filled | {name.capitalize(): one[0].upper() + one[1:] for name, one in filled.items()}


def _turned(words: list[str]) -> str | None:
    data = load_mirror()
    lower = [word.lower().strip("¡!()-") for word in words]
    while lower and lower[0] in {"y", "es", "que", "pues", "bueno", "entonces", "hoy"}:
        lower = lower[1:]
    if not _FEWEST <= len(lower) <= _MOST or lower[-1] in data.loose_ends or data.never & set(lower):
        return None
    if not all(word.isalpha() for word in lower):
        return None
    at = _verb(lower)
    if at is None or not all(_known(lower, place, at) for place in range(len(lower))):
        return None
    return " ".join(_said(lower, place) for place in range(len(lower)))


def _verb(lower: Sequence[str]) -> int | None:
    """Where the verb of the person's own stands, or 0 for a clause about one of theirs; None for neither."""
    data = load_mirror()
    if lower[0] in {"mi", "mis"} and data.turns.get(lower[1], lower[1]) in data.people:
        return 0
    at = next((place for place, word in enumerate(lower[:4]) if word not in data.before_own), None)
    return at if at is not None and lower[at] in data.own else None


def _known(lower: Sequence[str], place: int, verb: int) -> bool:
    """Whether the word can stand in the turned clause: no verb of the first person that is not known."""
    data, word = load_mirror(), lower[place]
    if place == verb != 0 or word in data.turns or word in data.plain:
        return True
    if word.endswith("o") and len(word) > 2:
        return word in data.plain_o or word.endswith(("ado", "ido", "ando", "endo"))
    return not _MINE.search(word)


def _said(lower: Sequence[str], place: int) -> str:
    """The word turned; "trabajo" after an article or a possessive is the noun."""
    data, word, last = load_mirror(), lower[place], lower[place - 1] if place else ""
    return word if word in data.nouns and last in data.before_nouns else data.turns.get(word, word)
