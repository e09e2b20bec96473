"""Every word the assistant is told or may say, as YAML and Markdown a clinician can edit.

`load` reads one file against a strict pydantic schema. It knows nothing of what the words mean.
"""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from agent.errors import WordsError

__all__ = ["SPOKEN", "Strict", "load", "named", "tongue"]


class Strict(BaseModel):
    """Base of every words schema: unknown keys are errors, values are frozen."""

    model_config = ConfigDict(extra="forbid", frozen=True)


# ISO 639-1; each but English has a folder of its own here.
SPOKEN = frozenset({"en", "es"})

_Schema = TypeVar("_Schema", bound=Strict)


def tongue(language: str) -> str:
    """The language that a message in `language` is answered in: one with words of its own, else English."""
    return language if language in SPOKEN else "en"


def named(name: str, language: str) -> str:
    """The file that holds in `language` what `name` holds in English."""
    return name if tongue(language) == "en" else f"{language}/{name}"


def load(name: str, schema: type[_Schema], folder: Path | None = None) -> _Schema:
    """Read `agent/words/<name>` (or `folder/<name>`) and check it against `schema`.

    Raises WordsError, naming the file and the key, when the file is missing, is not YAML,
    or breaks the schema.
    """
    source = (folder or files("agent.words")) / name
    with _uncollected():
        return _read(source, name, schema)


@contextmanager
def _uncollected() -> Iterator[None]:
    """Nearly all that is made while a large file is read is kept, and the collector would walk it over and
    over: several seconds of the first reply."""
    collecting = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if collecting:
            gc.enable()


def _read(source: Traversable, name: str, schema: type[_Schema]) -> _Schema:
    try:
        raw = yaml.load(source.read_text("utf-8"), Loader=yaml.CSafeLoader)
    except FileNotFoundError as error:
        raise WordsError(f"The words file {name} is missing; reinstall hearken.") from error
    except (OSError, UnicodeDecodeError) as error:
        raise WordsError(f"The words file {name} cannot be read; reinstall hearken.") from error
    except yaml.YAMLError as error:
        raise WordsError(f"The words file {name} is not valid YAML: {error}") from error
    try:
        return schema.model_validate(raw)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        raise WordsError(f"The words file {name} breaks its schema at {where}: {first['msg']}.") from error
