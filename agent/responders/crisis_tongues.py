"""The crisis words of a language that is spoken simply: one build for all, with each one's own sentences.

What stands where is in agent/words/tongues/care.yaml, the sentences in a file of each language beside it.
Knows nothing of which language is spoken, nor of when a sentence fits.
"""

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import Field

from agent.errors import WordsError
from agent.reading.ladder import Answer, Level
from agent.reading.tonguecare import CareWords, load_care
from agent.responders.crisis_words import Ask, Entry, Frame, Spoken, Why, Words
from agent.words import Strict, load

__all__ = ["load_tongue_words"]


class Place(Entry):
    """An entry whose sentences, or the first so many of them, stand under a key in each language."""

    say: str
    most: int = 99


class Question(Place):
    """The same for a question."""

    id: str
    pending: dict[Answer, Level] = Field(default_factory=dict)


class Build(Strict):
    """Schema of tongues/care.yaml."""

    version: int
    reviewed_by: str | None
    date: object
    grade: int
    frames: tuple[Frame, ...]
    elements: dict[str, tuple[Place, ...]]
    asks: tuple[Question, ...]
    steps: dict[str, Why]

    def keys(self) -> set[str]:
        places: Iterable[Place] = (*self.asks, *(place for each in self.elements.values() for place in each))
        return {place.say for place in places}


@cache
def load_build() -> Build:
    return load("tongues/care.yaml", Build)


@cache
def load_tongue_words(language: str) -> Words:
    """The crisis words of a language. Raises WordsError when a file is broken or a sentence is missing."""
    build, own = load_build(), load_care(language)
    for key in build.keys() ^ own.lines.keys():
        raise WordsError(f"The words file tongues/care/{language}.yaml and its build differ in {key}.")
    return Words(
        version=build.version,
        reviewed_by=own.reviewed_by,
        date=build.date,
        grade=build.grade,
        emergency=own.emergency,
        ways=own.ways,
        wants_card=own.wants_card,
        frames=build.frames,
        elements={
            name: tuple(Spoken(**_filled(place, own)) for place in places)
            for name, places in build.elements.items()
        },
        asks=tuple(Ask(**_filled(each, own)) for each in build.asks),
        heard={},
        echoes=(),
        steps=build.steps,
        languages={},
    )


def _filled(place: Place, own: CareWords) -> dict[str, Any]:
    """The entry with the sentences themselves."""
    entry = dict(place)
    most = entry.pop("most")
    return {**entry, "say": own.lines[place.say][:most]}
