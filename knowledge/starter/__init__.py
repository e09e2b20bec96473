"""Our own question-and-answer library: what a fresh install searches, one YAML file a topic.

English stands in this folder, any other language in a folder named by its code. `load_starter` reads
every file against a strict schema. It knows nothing of vectors or search, and claims no review that no
named person made.
"""

from collections import Counter
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field, field_validator

from knowledge.errors import TableError
from knowledge.tables import Strict, load, techniques, topics

__all__ = ["StarterEntry", "StarterTopic", "load_starter"]

# Four to fourteen words, without numbers or exclamation marks; pydantic compiles it once.
Asked = Annotated[str, Field(pattern=r"^[^\s\d!]+(?: [^\s\d!]+){3,13}$")]


class StarterEntry(Strict):
    """One question a person might ask and our answer.

    asked: short plain ways to say the same worry, by which the answer is found; each fits the answer.
    reviewed_by: a named person, or null.
    """

    id: Annotated[str, Field(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    question: Annotated[str, Field(min_length=8)]
    asked: Annotated[list[Asked], Field(min_length=2, max_length=6)]
    answer: Annotated[str, Field(min_length=80)]
    techniques: list[str]
    reviewed_by: str | None

    @field_validator("techniques")
    @classmethod
    def _known(cls, names: list[str]) -> list[str]:
        for name in names:
            if name not in techniques().techniques:
                raise ValueError(f"{name} is not an id of techniques.yaml")
        return names


class StarterTopic(Strict):
    """One file: its topic, the language it is written in, and its entries."""

    topic: str
    language: str = "en"
    entries: Annotated[list[StarterEntry], Field(min_length=1)]

    @field_validator("topic")
    @classmethod
    def _known(cls, topic: str) -> str:
        if topic not in topics():
            raise ValueError(f"{topic} is not a topic of sources.yaml")
        return topic


def load_starter(folder: Path | None = None, language: str = "en") -> list[StarterTopic]:
    """Every `<topic>.yaml` of the folder (default: ours in that language), by name.

    Raises TableError, naming file and key, when one breaks the schema, when a file is named after
    another topic than its own or is in another language, when two entries share an id, or when two lines
    of `asked` are the same.
    """
    inside = "starter" if language == "en" else f"starter/{language}"
    place = folder or files("knowledge") / inside
    names = sorted(file.name for file in place.iterdir() if file.name.endswith(".yaml"))
    found = []
    for name in names:
        topic = load(name if folder else f"{inside}/{name}", StarterTopic, folder)
        if name != f"{topic.topic}.yaml":
            raise TableError(f"The table {name} says topic {topic.topic}; name the file {topic.topic}.yaml.")
        if topic.language != language:
            raise TableError(f"The table {name} says language {topic.language}; keep only {language} there.")
        found.append(topic)
    for entry, times in Counter(entry.id for topic in found for entry in topic.entries).items():
        if times > 1:
            raise TableError(f"The starter id {entry} is used {times} times; give each entry its own.")
    lines = (line for topic in found for entry in topic.entries for line in entry.asked)
    for line, times in Counter(lines).items():
        if times > 1:
            raise TableError(f'The starter line "{line}" is asked {times} times; keep it where it fits best.')
    return found
