"""Which language a reply is in, and how yes, no and the barriers sound in each."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.reading.reply_language import asked_for, spoken
from agent.reading.rules import load_rules
from agent.reading.tonguecare import CARED, answers, cared, country, heard, load_care
from agent.reading.tongues import scan

SAID: list[dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("speaking.yaml").read_text("utf-8"))
MESSAGES = yaml.safe_load(Path(__file__).with_name("tongues.yaml").read_text("utf-8"))


def language_of(text: str, before: str = "", earlier: str = "") -> str:
    return spoken(text, scan(text, load_rules()), before, earlier)[0]


@pytest.mark.parametrize("one", SAID, ids=lambda one: f"{one['in']}: {one['say']}")
def test_answers_as_people_type_them(one: dict[str, Any]) -> None:
    found = answers(one["say"], one["in"])
    assert set(one.get("is", [])) <= set(found)
    assert not set(one.get("not", [])) & set(found)
    if "does" in one:
        assert one["does"] in heard(one["say"], one["in"])


@pytest.mark.parametrize("language", sorted(CARED))
def test_what_is_left_open_is_never_a_no(language: str) -> None:
    for phrase in load_care(language).unsure:
        if language == "ar_latn" and not phrase.isascii():
            continue
        found = answers(phrase.lstrip("=^"), language)
        assert "yes" in found, phrase
        assert "no" not in found, phrase
        assert "denial" not in found, phrase


def test_danger_is_answered_in_the_language_it_was_heard_in() -> None:
    names = {"hi-latn": "hi_latn", "ar-latn": "ar_latn"}
    grave = [one for one in MESSAGES if one["level"] in {"high", "imminent"} and one["in"] != "mixed"]
    wrong = [one["say"] for one in grave if language_of(one["say"]) != names.get(one["in"], one["in"])]
    assert len(wrong) <= len(grave) // 20, wrong


@pytest.mark.parametrize(
    ("before", "text", "after"),
    [
        ("fr", "oui", "fr"),
        ("fr", "no", "fr"),
        ("fr", "ok", "fr"),
        ("it", "no", "it"),
        ("it", "si", "it"),
        ("pt", "sim", "pt"),
        ("de", "nein, nicht wirklich", "de"),
        ("hi", "haan", "hi"),
        ("hi_latn", "nahi", "hi_latn"),
        ("ar_latn", "la2", "ar_latn"),
        ("fr", "I don't want to live any more and I have the pills", "en"),
        ("de", "sorry, can we speak English?", "en"),
        ("hi_latn", "english please", "en"),
        ("ar", "بالانجليزي", "en"),
        ("en", "je veux mourir, je n'en peux plus", "fr"),
        ("", "mujhe marna hai", "hi_latn"),
        ("", "मुझे मरना है", "hi"),
        ("", "3ayez amoot", "ar_latn"),
        ("", "انا عايز اموت", "ar"),
        ("fr", "quiero morirme, ya no aguanto más", "es"),
        ("en", "I feel so sad today", "en"),
        ("", "hello there", "en"),
    ],
)
def test_the_language_is_kept_and_changed(before: str, text: str, after: str) -> None:
    assert language_of(text, before) == after


def test_only_what_asks_for_a_language_does() -> None:
    assert asked_for("auf Deutsch bitte") == "de"
    assert asked_for("my teacher said I should write my essay in French and I froze up") == ""
    assert asked_for("I am English and I am lonely") == ""


@pytest.mark.parametrize(
    ("language", "text", "code"),
    [
        ("fr", "je suis en Belgique", "BE"),
        ("fr", "Suisse", "CH"),
        ("de", "ich lebe in Österreich", "AT"),
        ("pt", "moro no Brasil", "BR"),
        ("it", "sono in Italia", "IT"),
        ("hi_latn", "india mein hoon", "IN"),
        ("ar", "انا في مصر", "EG"),
        ("ar_latn", "ana f masr", "EG"),
        ("fr", "j'ai perdu mon emploi", ""),
    ],
)
def test_the_country_is_understood(language: str, text: str, code: str) -> None:
    assert country(text, language) == code


def test_all_files_are_sound() -> None:
    assert all(cared(language) for language in CARED)
    assert not cared("en")
    assert not cared("es")


@pytest.mark.parametrize(
    ("text", "language"),
    [("olá", "pt"), ("oi", "pt"), ("Salut!", "fr"), ("guten Tag", "de"), ("buonasera", "it")],
)
def test_a_talk_opened_with_a_greeting_is_greeted_alike(text: str, language: str) -> None:
    assert spoken(text, []) == (language, False)


def test_a_greeting_inside_an_english_talk_changes_nothing() -> None:
    assert spoken("oi", [], "en", "I had a bad day at work")[0] == "en"
