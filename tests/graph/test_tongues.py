"""Whole conversations in the languages that are spoken simply: each is kept, and changed where wanted."""

import re

import pytest

from agent.reading.tonguecare import load_care
from graph import Session
from graph.turn import Turn
from tests.fakes import services

EVERY = ["fr", "de", "pt", "it", "hi", "hi_latn", "ar", "ar_latn"]
HOME = {
    "fr": "FR",
    "de": "DE",
    "pt": "BR",
    "it": "IT",
    "hi": "IN",
    "hi_latn": "IN",
    "ar": "EG",
    "ar_latn": "EG",
}
EMERGENCY = {"FR": "112", "DE": "112", "BR": "192", "IT": "112", "IN": "112", "EG": "123"}
# Danger, yes, do not know, alone, nobody answers.
TALKS = {
    "fr": ["je pense à me suicider", "oui", "je ne sais pas", "je suis seule", "personne ne répond"],
    "de": ["ich will mich umbringen", "ja", "weiß nicht", "ich bin allein", "da geht niemand ran"],
    "pt": ["quero me matar", "sim", "não sei", "estou sozinha", "ninguém atende"],
    "it": ["voglio uccidermi", "sì", "non lo so", "sono sola", "non risponde nessuno"],
    "hi": ["मैं आत्महत्या करना चाहती हूँ", "हाँ", "पता नहीं", "अकेली हूँ", "कोई नहीं उठा रहा"],
    "hi_latn": ["main suicide karna chahti hu", "haan", "pata nahi", "akeli hu", "koi nahi utha raha"],
    "ar": ["أفكر في الانتحار كل يوم", "نعم", "لا أعرف", "انا لوحدي", "محدش بيرد"],
    "ar_latn": ["3ayez antaher", "aywa", "mesh 3arfa", "ana lewa7dy", "ma7adesh byrod"],
}
# A wish not to be here, something saved for it, and a time, in a few words each.
STEPS = {
    "fr": ["ce serait mieux de ne pas me réveiller", "j'ai gardé des comprimés de côté", "ce soir peut-être"],
    "de": ["ich will nicht mehr aufwachen", "ich habe Tabletten gesammelt", "heute Nacht vielleicht"],
    "pt": ["seria melhor não acordar", "guardei uns comprimidos", "hoje à noite talvez"],
    "it": ["sarebbe meglio non svegliarmi più", "ho messo da parte delle pastiglie", "forse stasera"],
    "hi_latn": ["mujhe jeene ka mann nahi karta", "goliyan jama kar rakhi hain", "shayad aaj raat"],
    "hi": ["मुझे जीने का मन नहीं करता", "गोलियाँ जमा कर रखी हैं", "शायद आज रात"],
    "ar": ["مش عايز اعيش", "جمعت حبوب", "يمكن الليلة"],
}
CALM = {
    "fr": ["bonjour", "je suis fatigué de mon travail en ce moment", "merci", "es-tu humain ?", "au revoir"],
    "de": ["guten Tag", "ich bin so müde von meiner Arbeit", "danke", "bist du ein Mensch?", "gute Nacht"],
    "pt": ["oi, eu estou aqui", "estou muito cansado do meu trabalho", "obrigado", "você é humano?", "tchau"],
    "it": ["ciao", "sono molto stanco del mio lavoro oggi", "grazie", "sei umano?", "arrivederci"],
    "hi": ["नमस्ते", "मैं अपने काम से बहुत थक गया हूँ", "शुक्रिया", "क्या आप इंसान हैं", "शुभ रात्रि"],
    "ar": ["مرحبا", "أنا متعب جداً من عملي هذه الأيام", "شكرا", "هل انت انسان", "مع السلامة"],
}


def talk(turns: list[str], country: str | None = None) -> tuple[list[Turn], Session]:
    session = Session.open(services=services(), country=country)
    return [session.say(turn) for turn in turns], session


def lines_of(language: str) -> set[str]:
    words = load_care(language)
    return {
        line for lines in (*words.lines.values(), *words.talk.values()) for line in lines if "$" not in line
    }


def own(reply: str, language: str) -> bool:
    return any(line in reply for line in lines_of(language))


@pytest.mark.parametrize("language", EVERY)
def test_danger_is_answered_to_the_end_in_the_language_it_came_in(language: str) -> None:
    turns, session = talk(TALKS[language], HOME[language])
    assert [turn.risk for turn in turns][:2] == ["high", "high"]
    assert turns[2].risk == "imminent"  # not to know whether means are near is no "no"
    assert session.person["language"] == language
    assert all(turn.responder == "crisis" and not turn.replaced for turn in turns)
    assert all(own(turn.text, language) for turn in turns)
    for turn in turns:
        assert EMERGENCY[HOME[language]] in turn.text or turn.risk == "high"
    said = [turn.text for turn in turns]
    for at, text in enumerate(said):
        for before in said[:at]:
            assert not {*re.split(r"(?<=[.?।؟]) ", text)} & {*re.split(r"(?<=[.?।؟]) ", before)}


@pytest.mark.parametrize("language", EVERY)
def test_english_is_spoken_again_where_it_is_asked_for(language: str) -> None:
    turns, session = talk([TALKS[language][0], "english please"], HOME[language])
    assert session.person["language"] == "en"
    assert not own(turns[1].text, language)
    assert turns[1].risk == "high"


@pytest.mark.parametrize("language", CALM)
def test_without_danger_it_is_kind_and_says_what_it_is(language: str) -> None:
    turns, _ = talk(CALM[language], HOME[language])
    talked = load_care(language).talk
    assert all(turn.risk in {"none", "low"} and not turn.card for turn in turns)
    assert all(own(turn.text, language) for turn in turns), [turn.text for turn in turns]
    for turn, key in zip(turns, ("hello", "kind", "thanks", "human", "bye"), strict=True):
        assert any(line in turn.text for line in talked[key]), turn.text
    assert any(line in turns[0].text + turns[1].text for line in talked["simple"])


def test_the_kind_lines_do_not_return_within_four() -> None:
    plain = [
        "je suis triste de tout cela ce soir",
        "mon chef ne me parle plus depuis lundi",
        "je dors mal ces temps-ci",
        "et puis il pleut tout le temps ici",
        "je ne vois plus mes amis du village",
    ]
    turns, _ = talk(plain, "FR")
    firsts = [turn.text.split(". ")[0] for turn in turns]
    assert len(set(firsts)) == len(firsts)


def test_somebody_in_an_unknown_country_is_asked_for_it_and_then_shown_its_line() -> None:
    turns, _ = talk(["mon mari me frappe tous les soirs", "je suis en Belgique"])
    assert turns[0].card[0]["category"] == "directory"
    assert any(line in turns[0].text for line in load_care("fr").lines["country"])
    assert {contact["country"] for contact in turns[1].card} == {"BE"}


def test_what_is_not_an_alarm_is_still_met_with_care() -> None:
    turns, _ = talk(["je me fais vomir après chaque repas, je n'arrive pas à arrêter"], "FR")
    assert any(line in turns[0].text for line in load_care("fr").talk["food"]), turns[0].text


@pytest.mark.parametrize("language", STEPS)
def test_what_is_told_in_small_steps_raises_the_danger_each_time(language: str) -> None:
    turns, _ = talk(STEPS[language], HOME[language])
    assert all(turn.escalated for turn in turns)
    assert turns[1].risk == "high"
    assert turns[2].risk == "imminent"
    assert EMERGENCY[HOME[language]] in turns[2].text
