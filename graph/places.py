"""Where a person says they are, when nobody has chosen a country yet: "I'm in Ireland", or "Canada" alone;
and where somebody is whom they worry about: "my sister lives in Spain".

A place is taken only from a plain statement, never from a name that merely occurs. Knows the
names of countries from the helpline registry; nothing of cities, nor of what follows from a place.
"""

import logging
import re
from collections.abc import Mapping
from functools import cache

from knowledge.helplines import HelplineError, load_helplines

__all__ = ["their_country", "told_country"]

log = logging.getLogger("hearken")

# Names that are more often something else.
DOUBTFUL = frozenset({"georgia", "jersey", "chad", "jordan"})
_SHORT = 3  # words; a message of no more may be nothing but the name
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BEFORE = re.compile(
    r"(?:\b(?:i am|i'm|im|we are|we're|i live|i'm living|living|live|based|located|here|from)\s+"
    r"(?:\w+\s+)?(?:in|from|over in)|\bi'?m from)\s+(?:the\s+)?$"
)


# Of somebody else, in the same breath: who, and at most a few words on to "in".
_THEIRS = re.compile(
    r"\b(?:he|she|they|who|friend|mate|brother|sister|mum|mom|mam|mother|dad|father|son|daughter|cousin|uncle|aunt"
    r"|niece|nephew|nan|gran|grandma|grandad|girlfriend|boyfriend|partner|fiance|fiancee|ex|wife|husband|colleague"
    r"|someone|somebody|girl|guy|person)(?:['’]?s)?\s+(?:(?!and\b|i\b|i'm\b|we\b|but\b|when\b)[\w']+\s+){0,6}"
    r"in\s+(?:the\s+)?$|\b(?:est[áa]|vive|sigue|anda)\s+(?:\w+\s+)?en\s+$"  # Spanish: "I" ends otherwise
)


@cache
def _names() -> Mapping[str, str]:
    try:
        return load_helplines().called
    except HelplineError as error:
        log.error("no names of countries: %s", error)
        return {}


def told_country(text: str) -> str:
    """ISO 3166-1 alpha-2 of the country `text` says the person is in, "" when it says none."""
    plain = text[:500].replace("’", "'").casefold()
    words = _WORD.findall(plain)
    alone = " ".join(words).removeprefix("the ")
    if len(words) <= _SHORT and alone in _names() and (alone != "us" or "US" in text):
        return _names()[alone]
    return _named(plain, _BEFORE)


def their_country(text: str) -> str:
    """ISO 3166-1 alpha-2 of the country `text` says somebody else is in, "" when it says none."""
    plain = text[:500].replace("’", "'").casefold()
    written = "US" in text or "the us" in plain  # "he believes in us" names nobody's country
    return _named(plain, _THEIRS, DOUBTFUL if written else DOUBTFUL | {"us"})


def _named(plain: str, before: re.Pattern[str], doubtful: frozenset[str] = DOUBTFUL) -> str:
    """The first country named behind what must stand before it."""
    for name, code in _names().items():
        for found in re.finditer(rf"\b{re.escape(name)}\b", plain) if name in plain else ():
            if name not in doubtful and before.search(plain[: found.start()]):
                return code
    return ""
