"""Which language a message is in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.reading.language import detect

SAMPLES = {
    "en": ["I can't stop crying since the breakup", "hello", "ok", "my head is so full tonight", "I'm fine"],
    "es": ["no quiero vivir así, estoy muy cansado", "hola, me siento muy triste hoy", "me quiero morir"],
    "fr": ["je ne veux plus vivre", "bonjour, je suis très fatigué et j'ai mal", "je veux mourir"],
    "de": ["ich will nicht mehr leben", "Hallo, mir geht es nicht gut", "ich kann nicht mehr"],
    "pt": ["não quero mais viver", "oi, estou muito triste e não sei o que fazer", "eu quero morrer"],
    "it": ["non voglio più vivere", "ciao, sono molto stanco e non so cosa fare", "voglio morire"],
    "nl": ["ik wil niet meer leven", "hallo, ik ben heel moe en verdrietig"],
    "hi": ["main bahut akela hoon", "मुझे बहुत डर लग रहा है", "mujhe nahi jeena hai"],
    "ar": ["أريد أن أتحدث مع شخص ما"],
    "fa": ["چرا هیچ کس پیش من نیست، گریه می‌کنم"],
    "ru": ["мне очень плохо сегодня", "я хочу умереть"],
    "uk": ["мені дуже погано, я не хочу жити, її немає"],
    "zh": ["我今天很难过", "我想死"],
    "ja": ["今日はとても疲れました", "死にたい"],
    "ko": ["오늘 너무 힘들어요", "죽고 싶어요"],
    "tr": ["artık yaşamak istemiyorum ve çok yoruldum", "ben çok üzgünüm"],
    "pl": ["nie chcę żyć, jestem bardzo zmęczony", "czuję się bardzo źle i nie wiem co robić"],
}


@pytest.mark.parametrize(
    ("code", "text"), [(code, text) for code, texts in SAMPLES.items() for text in texts]
)
def test_a_sentence_is_told_by_its_script_or_small_words(code: str, text: str) -> None:
    assert detect(text) == code


@pytest.mark.parametrize("text", ["", "   ", "123 456", "...?!", "😭😭", "\x00"])
def test_nothing_to_tell_it_by_is_und(text: str) -> None:
    assert detect(text) == "und"


def test_one_foreign_word_does_not_change_the_language() -> None:
    assert detect("My abuela says mañana will be better and I want to believe her") == "en"


def test_an_english_quote_does_not_hide_the_language_around_it() -> None:
    assert detect("Estoy muy triste porque mi jefe me dijo que no, he said go home") == "es"


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_any_text_gets_an_answer(text: str) -> None:
    assert 2 <= len(detect(text)) <= 3
