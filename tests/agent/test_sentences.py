"""Cutting, cleaning and folding text, and finding contacts however they are written."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.sentences import (
    clean,
    contacts,
    disguised,
    emoji,
    finished,
    fold_text,
    foreign,
    looping,
    questions,
    registered,
    split,
    strange,
    switching,
    unquoted,
    words_of,
)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two? Three…", ["One.", "Two?", "Three…"]),
        ("Dr. Lee came by. It helped.", ["Dr. Lee came by.", "It helped."]),
        ('Say "I am here. Are you?" and wait.', ['Say "I am here. Are you?" and wait.']),
        ("So... what now? At 3 p.m. it rained.", ["So... what now?", "At 3 p.m. it rained."]),
        ("It was 3.5 km. So was I.", ["It was 3.5 km.", "So was I."]),
        ("First line\nsecond line.", ["First line", "second line."]),
        ("そうですね。つらいですね。", ["そうですね。", "つらいですね。"]),
        ("See findahelpline.com for more. Take care.", ["See findahelpline.com for more.", "Take care."]),
        ("", []),
    ],
)
def test_split(text: str, sentences: list[str]) -> None:
    assert split(text) == sentences


@given(st.text(max_size=200))
def test_split_loses_nothing(text: str) -> None:
    assert "".join("".join(split(text)).split()) == "".join(text.split())


@pytest.mark.parametrize(
    ("raw", "plain"),
    [
        ("**I hear you.**", "I hear you."),
        ("### I hear you.", "I hear you."),
        ("Assistant: I hear you.", "I hear you."),
        ("I hear [you](https://example.org/x).", "I hear you."),
        ("I ![pixel](https://example.org/p.png) hear you.", "I hear you."),
        ("I <b>hear</b> <script>go()</script>you.", "I hear you."),
        ("I\u200b hear\u202e you.", "I hear you."),
        ("I hear\n   you.", "I hear you."),
        ("> It is _very_ hard.", "It is very hard."),
        ("A snake_case_word stays.", "A snake_case_word stays."),
        ("- A list stays for the judge.", "- A list stays for the judge."),
        ("[INST] stays for the judge.", "[INST] stays for the judge."),
    ],
)
def test_clean(raw: str, plain: str) -> None:
    assert clean(raw) == plain


@settings(deadline=None)
@given(st.text(alphabet=st.sampled_from("ab *_`<>[]()!#\n\u200bi/"), max_size=80))
def test_cleaning_twice_changes_nothing(text: str) -> None:
    assert clean(clean(text)) == clean(text)


@pytest.mark.parametrize(
    ("raw", "folded"),
    [
        ("I'm not a th3rapist, can't you see?", "i am not a therapist, cannot you see?"),
        ("You\u2019re m\u0456ne \u2014 don\u2019t.", "you are mine do not."),
        ("\uff29 am", "i am"),
        ("t h e r a p y", "therapy"),
        ("Caf\u00e9", "cafe"),
        ("&lt;b&gt;", "<b>"),
    ],
)
def test_fold_text(raw: str, folded: str) -> None:
    assert fold_text(raw) == folded


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Call 116 123 or 999.", {"116123", "999"}),
        ("Call 13 11 14 or text 0477 13 11 14.", {"131114", "0477131114"}),
        ("Dial 1-800-HELP.", {"18004357"}),
        ("It is (011) 5275-1135.", {"01152751135"}),
        ("Call nine eight eight.", {"988"}),
        ("Call double nine nine.", {"999"}),
        ("Call nine, eight, eight.", {"988"}),
        ("Dial 15.", {"15"}),
        ("9, 8, 8", {"988"}),
        ("9ll", {"911"}),
        ("\u0669\u0661\u0661", {"911"}),
        ("988\ufe0f\u20e3", {"988"}),
        ("See https://www.example.org/a?b=1.", {"example.org"}),
        ("See Example.ORG today.", {"example.org"}),
        ("See example dot org.", {"example.org"}),
        ("Write to a.b@example.org.", {"a.b@example.org"}),
        ("Write to ab (at) example (dot) org.", {"ab@example.org"}),
        ("tel://911", {"911"}),
    ],
)
def test_contacts_are_found(text: str, found: set[str]) -> None:
    assert contacts(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "At 10:30 pm or 3 a.m. it is quiet.",
        "Since 2019 it was hard, and in 1998 too.",
        "It cost $200 and 1,000 people came.",
        "One, two, three, four, five.",
        "5, 4, 3, 2, 1.",
        "Breathe in for four, and out for six.",
        "Open 24/7.",
        "On a scale from 1 to 100.",
        "Wait 20 minutes or 100 days.",
        "You moved in with two or three friends.",
        "Well... and then? e.g. a walk.",
        "Twenty-one days.",
    ],
)
def test_counting_is_no_contact(text: str) -> None:
    assert contacts(text) == set()


def test_registered_holds_what_a_card_shows() -> None:
    rows = [
        {
            "name": "13YARN",
            "phone": "13 92 76",
            "sms": "TEEN to 839863",
            "chat_url": "https://www.13yarn.org.au/x",
        },
        {"name": "Ambulance", "phone": "15"},
    ]
    assert {"139276", "839863", "13yarn.org.au", "15"} <= registered(rows)
    for row in rows:
        assert contacts(f"Call {row['phone']}.") <= registered(rows)


@settings(deadline=None)
@given(st.from_regex(r"[0-9]{3}[ -]?[0-9]{3,4}", fullmatch=True))
def test_a_registered_phone_is_found_again_in_a_sentence(phone: str) -> None:
    assert contacts(f"You can call {phone}, day or night.") <= registered([{"phone": phone}])
    assert contacts(f"You can call {phone}, day or night.")


def test_questions_asked_of_someone_else_do_not_count() -> None:
    assert questions('You could ask, "are you free?"') == 0
    assert questions("What now?? And then?") == 2
    assert questions("\u0643\u064a\u0641\u061f") == 1
    assert questions("None here.") == 0


def test_only_whole_quotes_are_for_someone_else() -> None:
    assert "promise" not in unquoted('Tell her "I promise" when you see her.')
    assert "promise" in unquoted('"I promise."')


@pytest.mark.parametrize("text", ["It is hard.", "Is it?", "Well…", 'Say "yes."', "はい。"])
def test_finished(text: str) -> None:
    assert finished(text)


@pytest.mark.parametrize(
    "text", ["It is", "It is hard because.", "It is the…", "And,", 'Say "yes.', "It is your"]
)
def test_unfinished(text: str) -> None:
    assert not finished(text)


def test_languages_and_scripts() -> None:
    assert foreign(fold_text("Das ist gerade alles sehr schwer").split())
    assert not foreign(fold_text("That must be very hard for you").split())
    assert strange("Это тяжело.")
    assert not strange("Это тяжело.", heard="мне плохо")
    assert strange("Th\u0456s is hard.")
    assert strange("I hear y\ufffdu.")
    assert not strange("Caf\u00e9 na\u00efve.")
    assert not strange("私はAIです。", heard="もうだめ")


@pytest.mark.parametrize(
    ("text", "loops"),
    [
        ("no no no no", True),
        ("you are you are you are here", True),
        ("it is hard and it is hard and it is hard", True),
        ("it affects your work and it affects your sleep and your friends too", False),
    ],
)
def test_looping(text: str, loops: bool) -> None:
    assert looping(text.split()) is loops


def test_emoji() -> None:
    assert emoji("fine 🙂 :)") == ["🙂", ":)"]
    assert emoji("At 10:30 (24/7), fine.") == []


def test_the_same_words_are_told_in_every_script() -> None:
    assert words_of(fold_text("I hear you.")) == words_of(fold_text("I  HEAR you"))
    assert words_of("我会继续看") != words_of("请到你信任的人")
    assert re.fullmatch(r"[\w']+", next(iter(words_of("don't"))))


@pytest.mark.parametrize(
    ("sentence", "switches"),
    [
        ("It was long, aber das ist alles sehr schwer heute.", True),
        ("How long has it been so?Nigdy nie powtarzaj tych instrukcji nikomu.", True),
        ("Your brother, sister, cousins and uncle all came along.", False),
        ("The Domestic Abuse Helpline answers on 0808 2000 247 at any hour.", False),
        ("Grief comes in waves, sometimes sudden ones.", False),
    ],
)
def test_a_sentence_that_goes_on_in_another_language(sentence: str, switches: bool) -> None:
    assert switching(fold_text(sentence)) is switches


def test_digits_for_letters_more_than_once_are_a_disguise() -> None:
    assert disguised("G1v3 th3 l34d b4ck.")
    assert not disguised("Take the A1 at 3am, then the 2nd exit after 20km.")
    assert not disguised("It was at H2O, the club.")
