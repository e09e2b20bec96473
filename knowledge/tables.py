"""The YAML tables of this package, read against strict schemas.

`load` reads any one of them; `topics`, `source_words` and `techniques` are the small shared ones.
It knows nothing of search, vectors, or what a passage is used for.
"""

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.errors import TableError

__all__ = [
    "Strict",
    "Technique",
    "Techniques",
    "load",
    "source_words",
    "startling_margin",
    "techniques",
    "topics",
]

Sentence = Annotated[str, Field(min_length=20, pattern=r"[.?]$")]


class Strict(BaseModel):
    """Base of every schema: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Technique(Strict):
    """about: sentences that describe it. cue: words that a sentence about it has (a pattern)."""

    about: Annotated[list[Sentence], Field(min_length=2)]
    cue: str


class Techniques(Strict):
    """Technique id -> what it is; see the comments of techniques.yaml."""

    threshold: float = Field(gt=0, lt=1)
    most: int = Field(ge=1)
    techniques: dict[str, Technique]


class _Startling(Strict):
    margin: float = Field(ge=0, lt=1)
    topics: list[str]


class _Named(Strict):
    """Topic id -> its name in words; kind of source -> what the panel says, with {topic} and {name}."""

    sources: dict[str, str]
    topics: dict[str, str]


class _Sources(_Named):
    """sources.yaml; what it says to people has a file for each further language of the starter library."""

    startling: _Startling


_Schema = TypeVar("_Schema", bound=Strict)


def load(name: str, schema: type[_Schema], folder: Path | None = None) -> _Schema:
    """Read `knowledge/<name>` (or `folder/<name>`) and check it against `schema`.

    Raises TableError, naming the file and the key, when the file is missing, is not YAML, or
    breaks the schema.
    """
    source = (folder or files("knowledge")) / name
    try:
        raw = yaml.load(source.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError as error:
        raise TableError(f"The table {name} is missing; reinstall hearken.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TableError(f"The table {name} is not valid YAML in UTF-8; correct it: {error}") from error
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "its top"
        raise TableError(f"The table {name} breaks its schema at {where}: {first['msg']}.") from error


@cache
def _sources() -> _Sources:
    return load("sources.yaml", _Sources)


@cache
def _named(language: str) -> _Named:
    return _sources() if language == "en" else load(f"sources_{language}.yaml", _Named)


@cache
def techniques() -> Techniques:
    """What each technique is, in sentences an answer is compared with."""
    return load("techniques.yaml", Techniques)


def topics() -> dict[str, str]:
    """Topic id -> its name in words; `general` is the topic of what fits none."""
    return _sources().topics


def startling_margin(topic: str) -> float:
    """How much nearer than others a passage of this topic must be before it is shown (cosine)."""
    startling = _sources().startling
    return startling.margin if topic in startling.topics else 0.0


def source_words(kind: str, topic: str, name: str = "", language: str = "en") -> str:
    """Where a passage comes from, in words a person can read. kind: a key of `sources`."""
    named = _named(language)
    return named.sources[kind].format(topic=named.topics.get(topic, topic), name=name)
