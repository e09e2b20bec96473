"""Spanish messages find Spanish entries by their words, and texts off the subject mostly find nothing."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.reading.language import detect
from agent.settings import Settings
from graph import services
from knowledge.byword import LANGUAGES, search_starter, starter_index, stems, word_index
from knowledge.entries import Entry
from knowledge.starter import load_starter

ASKED: dict[str, Any] = yaml.safe_load((Path(__file__).parent / "asked_es.yaml").read_text("utf-8"))
ABOUT = [(topic, row) for topic, rows in ASKED["about"].items() for row in rows]
MEASURED = [(topic, row) for topic, row in ABOUT if not row.get("tuned")]
QUESTIONS = {entry.id: entry.question for topic in load_starter(language="es") for entry in topic.entries}

OWL = Entry("¿Por qué el búho no me deja dormir?", "Cierra la ventana del granero.", "stress", language="es")
FERRY = Entry("El transbordador me marea mucho.", "Mira el horizonte y respira.", "anxiety", language="es")
HURT = Entry("El granero me da ganas de lastimarme.", "Pide ayuda hoy.", "self-harm", language="es")


def named(*entries: Entry) -> list[Entry]:
    return [Entry(e.question, e.text, e.topic, asked=(e.question,), language="es") for e in entries]


def hits(rows: list[tuple[str, str]], k: int) -> int:
    return sum(topic in [found["topic"] for found in search_starter(text, "es", k)] for topic, text in rows)


def test_two_messages_for_each_topic_name_an_entry_that_there_is() -> None:
    assert {topic for topic, _ in ABOUT} == {topic.topic for topic in load_starter(language="es")}
    assert len(ABOUT) == 62
    assert all(row["entry"].startswith(f"es-{topic}-") and row["entry"] in QUESTIONS for topic, row in ABOUT)


def test_messages_that_nobody_tuned_on_find_their_topic() -> None:
    rows = [(topic, row["asks"]) for topic, row in MEASURED]
    assert len(rows) == 31
    assert hits(rows, 1) >= 24
    assert hits(rows, 3) >= 26


def test_all_messages_find_their_topic_and_most_their_entry() -> None:
    rows = [(topic, row["asks"]) for topic, row in ABOUT]
    assert hits(rows, 1) >= 50
    assert hits(rows, 3) >= 54
    own = [
        QUESTIONS[row["entry"]] in [p["question"] for p in search_starter(row["asks"], "es")]
        for _, row in ABOUT
    ]
    assert sum(own) >= 51


def test_messages_older_than_the_entries_find_their_topic_more_often_than_not() -> None:
    assert hits([(topic, text) for text, topic in ASKED["translated"].items()], 3) >= 19


def test_off_the_subject_little_is_found() -> None:
    assert sum(not search_starter(text, "es") for text in ASKED["apart"]) >= 30


@pytest.mark.parametrize("text", ["", "   ", "hola", "ok ok", "1 2 3 4", "😀😀😀", "xyzzy plugh foobar"])
def test_nothing_to_go_by_finds_nothing(text: str) -> None:
    assert search_starter(text, "es") == []


def test_the_best_comes_first_with_a_share_and_a_source_in_spanish() -> None:
    found = search_starter("mi marido ronca y no puedo dormir", "es", k=3)
    assert found[0]["topic"] == "sleep-improvement"
    assert [p["score"] for p in found] == sorted((p["score"] for p in found), reverse=True)
    assert all(0 < p["score"] <= 1 for p in found)
    assert found[0]["source"] == "Biblioteca propia de hearken (sueño), sin revisión profesional"


def test_accents_capitals_and_endings_do_not_matter() -> None:
    assert stems("DORMÍ", "es") == stems("duermo", "es") == stems("dormir", "es")
    assert stems("Papá", "es") == stems("papa", "es")
    assert stems("bronca", "es") == stems("enojo", "es")


def test_a_word_of_what_is_asked_must_be_shared() -> None:
    index = word_index(named(OWL, FERRY), "es")
    assert [p["question"] for p in index.search("el buho no me deja dormir")] == [OWL.question]
    assert index.search("cierra la ventana del granero ahora mismo") == []


def test_what_would_startle_must_share_more() -> None:
    index = word_index(named(OWL, HURT), "es")
    (score,) = [p["score"] for p in index.search("el granero me da ganas de pintar", floor=0.0)]
    assert index.search("el granero me da ganas de pintar", floor=score - 0.05) == []


def test_less_than_nothing_may_be_asked_for() -> None:
    assert starter_index("es").search("mi marido ronca y no puedo dormir", k=0) == []


def test_a_spanish_message_searches_spanish_entries_only(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[str] = []

    class English:
        def search(self, text: str, *_: object) -> list[object]:
            asked.append(text)
            return []

    monkeypatch.setattr(services, "library", lambda _: English())
    search = services.from_settings(Settings(data_dir=tmp_path)).search
    found = search("mi marido ronca mucho y no puedo dormir", 3)
    assert {passage["question"] for passage in found} <= set(QUESTIONS.values())
    assert found
    assert asked == []
    assert search("my husband snores and I can't sleep", 3) == []
    assert asked == ["my husband snores and I can't sleep"]


def test_nearly_all_messages_are_heard_as_spanish() -> None:
    assert sum(detect(row["asks"]) in LANGUAGES for _, row in ABOUT) >= 58
