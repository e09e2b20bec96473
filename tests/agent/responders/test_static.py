"""The last line of defence needs nothing, and its baked numbers are the registry's."""

import ast
from pathlib import Path

import pytest

from agent.responders import static
from agent.responders.static import BAKED, EMERGENCY, static_reply
from knowledge.helplines import contact_tokens, load_helplines

LEVELS = ("none", "low", "moderate", "high", "imminent")
COUNTRIES = (*EMERGENCY, "TV", "us", "", None)


def test_every_baked_number_is_the_registrys():
    registry = load_helplines()
    for country, number in EMERGENCY.items():
        assert registry.emergency(country)["phone"] == number
    for country, (name, phone, sms, reach) in BAKED.items():
        rows = [row for row in registry.rows if (row.country, row.name) == (country, name)]
        assert [(row.phone, row.sms, row.hours) for row in rows] == [(phone, sms, "24/7")]
        assert contact_tokens(reach) == contact_tokens(f"{phone} | {sms}")


@pytest.mark.parametrize("country", COUNTRIES)
@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("answers", [(), ("cannot_speak",), ("refusal",)])
def test_it_always_answers_within_the_limits_and_with_the_countrys_numbers(country, level, answers):
    sentences, card = static_reply(country, level, answers)
    text = " ".join(sentences)
    assert all(sentence[-1] in ".?" for sentence in sentences)
    assert text.count("?") <= (0 if "refusal" in answers else 1)
    assert len(text.split()) <= (80 if level == "imminent" else 120)
    assert len(card) <= 3
    assert contact_tokens(text) <= load_helplines().allowed((country or "").upper() or None)
    assert all(set(contact) == set(card[0]) for contact in card)
    assert bool(card) == (level not in {"none", "low"})


def test_imminent_puts_emergency_first_in_words_and_on_the_card():
    sentences, card = static_reply("NZ", "imminent")
    assert "111" in sentences[0]
    assert card[0]["phone"] == "111"
    assert "your local emergency number" in static_reply(None, "imminent")[0][0]


def test_an_unknown_level_is_treated_as_danger():
    assert static_reply("US", "garbled")[1]


def test_it_imports_the_standard_library_only_and_opens_nothing():
    tree = ast.parse(Path(static.__file__).read_text("utf-8"))
    imported = {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}
    assert imported == {"collections.abc"}
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import)]
    called = {
        node.func.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    }
    assert "open" not in called
