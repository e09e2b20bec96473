"""Where a person says they are, when nobody has chosen a country yet: "I'm in Ireland", or "Canada" alone.

A place is taken only from a plain statement about oneself, never from a name that merely occurs. Knows the
English names of countries from the helpline registry; nothing of cities, nor of what follows from a place.
"""

import logging
import re
from functools import cache

from knowledge.helplines import HelplineError, load_helplines

__all__ = ["told_country"]

log = logging.getLogger("hearken")

# What people call places that the registry names otherwise.
ALSO = {
    "uk": "GB", "england": "GB", "scotland": "GB", "wales": "GB", "northern ireland": "GB", "britain": "GB",
    "great britain": "GB", "usa": "US", "us": "US", "america": "US", "the states": "US", "uae": "AE",
    "holland": "NL", "korea": "KR", "south korea": "KR", "russia": "RU", "czech republic": "CZ",
}  # fmt: skip
# Names that are more often something else.
DOUBTFUL = frozenset({"georgia", "jersey", "chad", "jordan"})
_SHORT = 3  # words; a message of no more may be nothing but the name
_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?")
_BEFORE = re.compile(
    r"(?:\b(?:i am|i'm|im|we are|we're|i live|i'm living|living|live|based|located|here|from)\s+"
    r"(?:\w+\s+)?(?:in|from|over in)|\bi'?m from)\s+(?:the\s+)?$"
)


@cache
def _names() -> dict[str, str]:
    try:
        registry = load_helplines().names
    except HelplineError as error:
        log.error("no names of countries: %s", error)
        registry = {}
    known = {name.casefold(): code for code, name in registry.items()}
    return {**known, **ALSO}


def told_country(text: str) -> str:
    """ISO 3166-1 alpha-2 of the country `text` says the person is in, "" when it says none."""
    plain = text[:500].replace("’", "'").casefold()
    words = _WORD.findall(plain)
    alone = " ".join(words).removeprefix("the ")
    if len(words) <= _SHORT and alone in _names() and (alone != "us" or "US" in text):
        return _names()[alone]
    for name, code in _names().items():
        for found in re.finditer(rf"\b{re.escape(name)}\b", plain) if name in plain else ():
            if name not in DOUBTFUL and _BEFORE.search(plain[: found.start()]):
                return code
    return ""
