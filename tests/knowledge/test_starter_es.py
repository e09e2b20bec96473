"""The Spanish starter library: whole, in its own words, fit to show, and kept apart from the English one."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from agent import guard
from knowledge.errors import TableError
from knowledge.starter import StarterEntry, load_starter
from knowledge.tables import source_words, topics

TOPICS = load_starter(language="es")
ENTRIES = [entry for topic in TOPICS for entry in topic.entries]
NEVER: list[dict[str, str]] = yaml.safe_load((Path(__file__).parent / "never_es.yaml").read_text("utf-8"))
# Rules of the guard that hold in every language; the others judge English wording.
ANYWHERE = {"empty", "size", "script", "unfinished", "contact", "loop", "exclamation", "emoji", "repeat"}
ANYWHERE |= {"questions", "length", "markup", "prompt_leak"}


def unquoted(text: str) -> str:
    return re.sub(r'"[^"]*"', " … ", text)


def never(text: str) -> list[str]:
    own = unquoted(text)
    return [hit[0] for row in NEVER for hit in re.finditer(rf"\b(?:{row['never']})\b", own, re.IGNORECASE)]


def sentences(entry: StarterEntry) -> list[str]:
    return guard.split(entry.answer)


def plain(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def each(said: Any) -> Iterator[Any]:
    for entry in ENTRIES:
        yield from said(entry)


def test_ten_for_each_topic() -> None:
    assert {topic.topic for topic in TOPICS} == set(topics()) - {"general"}
    assert {len(topic.entries) for topic in TOPICS} == {10}


def test_the_english_library_holds_none_of_it() -> None:
    english = {entry.id for topic in load_starter() for entry in topic.entries}
    assert not english & {entry.id for entry in ENTRIES}
    assert all(entry.id.startswith("es-") for entry in ENTRIES)


def test_nothing_claims_a_review() -> None:
    assert not [entry.id for entry in ENTRIES if entry.reviewed_by]
    for topic in topics():
        assert "sin revisión profesional" in source_words("starter", topic, language="es")


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.id)
def test_an_entry_is_fit_to_show(entry: StarterEntry) -> None:
    assert 25 <= len(entry.question.split()) <= 80
    assert 80 <= len(entry.answer.split()) <= 180
    assert not re.search(r"\d", entry.answer)
    assert not never(entry.answer)
    said = sentences(entry)
    bounds = guard.Bounds(words=200)
    broken = {(rule, one) for n, one in enumerate(said) for rule in guard.breaches(one, said[:n], bounds)}
    assert not [(rule, one) for rule, one in broken if rule in ANYWHERE]


@pytest.mark.parametrize("said", [lambda e: map(plain, sentences(e)), lambda e: [plain(e.question)]])
def test_nothing_is_said_twice(said: Any) -> None:
    assert not [text for text, times in Counter(each(said)).items() if times > 1]


def test_no_way_to_begin_is_a_habit() -> None:
    starts = Counter(" ".join(plain(one).split()[:4]) for entry in ENTRIES for one in sentences(entry))
    assert not [start for start, times in starts.items() if times > 3]
    firsts = Counter(" ".join(plain(entry.answer).split()[:4]) for entry in ENTRIES)
    assert max(firsts.values()) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Como psicóloga te digo que esto pasa.",
        "Deberías dejarlo.",
        "Toma dos comprimidos antes de dormir.",
        "Tienes depresión y se nota.",
        "Escríbele por WhatsApp.",
        "Vos podés con esto.",
        "Te entiendo, eres muy valiente.",
        "Hablad con ella cuando podáis.",
    ],
)
def test_the_list_hears_what_it_is_for(text: str) -> None:
    assert never(text)


def test_words_for_somebody_else_to_say_are_theirs() -> None:
    assert not never('Puedes decirle "lo siento, no debes gritarme".')


def test_a_file_in_another_language_is_named(tmp_path: Path) -> None:
    source = Path(__file__).parents[2] / "knowledge" / "starter" / "es" / "stress.yaml"
    (tmp_path / "stress.yaml").write_text(source.read_text("utf-8"), "utf-8")
    with pytest.raises(TableError, match=r"stress\.yaml says language es; keep only en there"):
        load_starter(tmp_path)
