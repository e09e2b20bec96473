"""The authored sentences as those who edit them want to see them: filled in, and judged by the guard.

Schemas are the loaders' own; what a sentence may not say is the guard's. Knows nothing of how it is shown,
and of crisis sentences only that the numbers in them are others' to fill in.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from string import Template
from typing import NamedTuple

from agent.errors import WordsError
from agent.guard import Bounds, judge, split
from agent.train.proposals import places
from agent.words import Strict, load

__all__ = ["Line", "lines", "said_at"]

# Filled in from the registry of helplines, at the moment a sentence is said.
FROM_REGISTRY = re.compile(r"\$\{?(?:emergency|line|text|site|other_text)\b\}?")
CRISIS = "crisis.yaml"
OTHERS = "languages."  # of crisis.yaml: what is said in languages, and scripts, that are not spoken otherwise
EXAMPLE = "replies_told.yaml#tellings.guilt"


class Preview(Strict):
    """preview.yaml."""

    slots: dict[str, str]


class Line(NamedTuple):
    """place: FILE#path. text: the sentence, its slots filled. stopped: the rule of the guard that would stop
    it, "" for none."""

    place: str
    text: str
    stopped: str


def lines(under: str = "") -> list[Line]:
    """The sentences of a place, FILE or FILE#path, in the order they stand; of all files where it is "".

    Raises WordsError, with an example, where no sentence stands there.
    """
    found = list(_lines(under))
    if not found:
        raise WordsError(f"No sentence stands under {under}; a place is a file of agent/words, or {EXAMPLE}.")
    return found


def said_at(reply: str) -> list[tuple[str, str]]:
    """The sentences of a reply, each with the place it stands at, "" where it is not known word by word."""
    known = places()
    return [(one, known.get(one, ("", ""))[0]) for one in split(reply)]


def _lines(under: str) -> Iterator[Line]:
    for sentence, (place, _) in places().items():
        if under and not (place + ".").startswith((under + ".", under + "#")):
            continue
        text = Template(FROM_REGISTRY.sub("…", sentence)).safe_substitute(_slots())
        file, _, path = place.partition("#")
        bounds = Bounds(
            crisis=file.endswith(CRISIS),
            language="es" if file.startswith("es/") else "en",
            letters=next(filter(str.isalpha, text)) if path.startswith(OTHERS) else "",
        )
        yield Line(place, text, judge(text, [], bounds) or "")


@cache
def _slots() -> Mapping[str, str]:
    return load("preview.yaml", Preview).slots
