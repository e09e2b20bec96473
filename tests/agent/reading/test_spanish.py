"""Spanish as people type it: told from English, its spelling undone, its feelings and danger heard."""

import unicodedata

import pytest

from agent.reading import rules_spanish
from agent.reading.ladder import at_least
from agent.reading.riskwords import RiskWords, RuleWords
from agent.reading.rules import load_rules
from agent.reading.spanish import load_spanish, plain, read, spelled, spoken
from agent.reading.wants import Want, Wish, _words, wants, wishes
from agent.themes import load_themes
from agent.words import load

RISK = load("es/risk.yaml", RiskWords)
WANTS = _words("es")


def scan(text: str) -> list[tuple[str, str, str]]:
    found = rules_spanish.scan(text, load_rules())
    return [(cue["kind"], cue["level"], cue["subject"]) for cue in found]


@pytest.mark.parametrize(
    ("text", "before", "language"),
    [
        ("hola", "", "es"),
        ("toy re mal xq mi novio me dejo", "", "es"),
        ("I feel muy triste y no puedo más con esto", "", "es"),
        ("I feel really sad, me and my novio broke up", "", "en"),
        ("ok", "es", "es"),
        ("ok", "", "en"),
        ("k", "en", "en"),
        ("fine k", "en", "en"),
        ("no", "es", "es"),
        ("thanks", "es", "es"),
        ("I don't know what to do about this", "es", "en"),
        ("je me sens très seule et je ne dors plus", "es", "fr"),
        ("", "es", "es"),
    ],
)
def test_the_language_to_answer_in(text: str, before: str, language: str) -> None:
    assert spoken(text, before) == language


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("xq toy mal", "porque estoy mal"),
        ("siiii, muuuy triste", "si, muy triste"),
        ("mmm", "mmm"),
        ("mi mama no me kiere", "mi mamá no me kiere"),
    ],
)
def test_the_spelling_of_the_phone_is_undone(typed: str, meant: str) -> None:
    assert spelled(typed) == meant


def test_plain_text_has_no_accents_and_no_capitals() -> None:
    assert plain("Mañana TÚ no estarás, ¿sí?") == "manana tu no estaras, ¿si?"


@pytest.mark.parametrize(
    ("text", "label", "sure"),
    [
        ("me siento muy sola", "lonely", True),
        ("tengo mucho miedo", "afraid", True),
        ("me da vergüenza contarlo", "ashamed", True),
        ("lloro todo el día", "sad", False),
        ("mi jefe me grita", "angry", False),
        ("estoy feliz", "joyful", True),
    ],
)
def test_a_feeling_is_sure_only_when_said_of_oneself(text: str, label: str, sure: bool) -> None:
    heard = read(text)
    assert heard["emotions"][0]["label"] == label
    assert heard["sure"] is sure
    assert heard["emotions"][0]["p"] <= 0.7


def test_what_is_denied_or_not_told_is_not_heard() -> None:
    assert not read("no tengo miedo")["emotions"]
    assert not read("el camión llegó a las ocho")["emotions"]


def test_every_feeling_is_one_that_the_plan_knows() -> None:
    assert set(load_spanish().feelings) <= set(load_themes("es").emotions)
    assert load_themes("es").emotions == load_themes().emotions
    assert set(load_themes("es").themes) == set(load_themes().themes)


def test_cue_words_are_written_as_messages_are_read() -> None:
    data, themes = load_spanish(), load_themes("es")
    cues = [*data.spanish, *data.strong, *themes.heavy, *themes.own_words, *themes.turning]
    cues += [one for feeling in data.feelings.values() for one in (*feeling.own, *feeling.hears)]
    cues += [one for theme in themes.themes.values() for one in (*theme.words, *theme.unless)]
    for one in cues:
        assert one == one.lower(), one
        assert not any(unicodedata.combining(char) for char in unicodedata.normalize("NFD", one)), one


@pytest.mark.parametrize("want", WANTS.wants, ids=lambda want: want.id)
def test_each_want_hears_its_hits_and_leaves_its_misses(want: Want) -> None:
    for text in want.hits:
        assert want.id in wants(text, "es"), text
    for text in want.misses:
        assert want.id not in wants(text, "es"), text


def test_the_wants_are_those_of_english() -> None:
    known = {want.id for want in _words().wants}
    assert {want.id for want in WANTS.wants} <= known


@pytest.mark.parametrize("wish", WANTS.wishes, ids=lambda wish: f"{wish.key}-{wish.value}")
def test_each_wish_hears_its_hits_and_leaves_its_misses(wish: Wish) -> None:
    before = {wish.key: not wish.value} if wish.only_undoes else {}
    for text in wish.hits:
        assert wishes(text, {**before}, "es").get(wish.key) is wish.value, text  # type: ignore[typeddict-item]
    for text in wish.misses:
        assert wishes(text, {**before}, "es").get(wish.key) is not wish.value, text  # type: ignore[typeddict-item]


def test_a_name_is_kept_with_its_accent() -> None:
    for text, name in WANTS.name.hits.items():
        assert wishes(text, {}, "es").get("name") == name, text
    for text in WANTS.name.misses:
        assert "name" not in wishes(text, {}, "es"), text


@pytest.mark.parametrize("rule", RISK.rules, ids=lambda rule: rule.id)
def test_each_rule_hears_its_hits_and_leaves_its_misses(rule: RuleWords) -> None:
    rules = rules_spanish.load_spanish_rules()
    for text in rule.hits:
        assert any(
            cue["rule"] == rule.id and cue["level"] == rule.level for cue in rules.scan(plain(text))
        ), text
    for text in rule.misses:
        found = rules.scan(plain(text))
        assert not any(cue["escalate"] for cue in found), text
        assert not any(cue["rule"] == rule.id and cue["level"] == rule.level for cue in found), text
    for twin in rule.twins:
        found = rules.scan(plain(twin.say))
        assert max(found, key=lambda cue: at_least(cue["level"], twin.level))["level"] == twin.level, twin.say
        assert twin.subject is None or any(cue["subject"] == twin.subject for cue in found), twin.say


@pytest.mark.parametrize("name", list(RISK.answers))
def test_each_answer_hears_its_hits_and_leaves_its_misses(name: str) -> None:
    rules, answer = rules_spanish.load_spanish_rules(), RISK.answers[name]  # type: ignore[index]
    for text in answer.hits:
        assert name in rules.answers(plain(text)), text
    for text in answer.misses:
        assert name not in rules.answers(plain(text)), text


@pytest.mark.parametrize(
    ("text", "kind", "level"),
    [
        ("kiero morirme", "suicide", "high"),
        ("m quiero m4tar", "suicide", "high"),
        ("q u i e r o  m o r i r", "suicide", "high"),
        ("ya no kiero bibir", "suicide", "high"),
        ("I'm so done, ya no quiero vivir", "suicide", "high"),
        ("me voy a tomar todas las pastillas", "suicide", "imminent"),
        ("volví a hacerme daño", "self_harm", "moderate"),
        ("mi papá me toca", "sexual_assault", "high"),
        ("acabo de tener un bebé y pienso en lastimarlo", "harm_to_others", "imminent"),
    ],
)
def test_danger_is_heard_through_spelling_and_mixture(text: str, kind: str, level: str) -> None:
    assert any(found[0] == kind and found[1] == level for found in scan(text)), scan(text)


@pytest.mark.parametrize(
    "text",
    ["no quiero morir", "no estoy pensando en matarme", "me quiero morir de la pena", "me muero de hambre"],
)
def test_denials_and_sayings_do_not_alarm(text: str) -> None:
    assert not any(at_least(level, "moderate") for _, level, _ in scan(text))  # type: ignore[arg-type]


def test_a_denial_does_not_hide_what_follows() -> None:
    assert ("suicide", "high", "self") in scan("no quiero matarme, pero me voy a colgar")


def test_english_hears_what_it_heard_before() -> None:
    for text in ("I want to die", "I don't want to die", "he hits me", "I feel fine today", "no"):
        assert rules_spanish.scan(text, load_rules()) == load_rules().scan(text)
        assert rules_spanish.answers(text, load_rules()) == load_rules().answers(text)


def test_not_knowing_is_no_denial() -> None:
    assert "no" not in rules_spanish.answers("no sé", load_rules())
    assert "refusal" in rules_spanish.answers("no quiero llamar a nadie", load_rules())
