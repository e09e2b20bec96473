"""The guided responder in Spanish: its sentences, its mirror, and the crisis words."""

import re
from collections.abc import Iterator
from string import Template

import pytest

from agent import guard
from agent.guesses import load_guesses
from agent.plan import load_empathy, load_ideas
from agent.responders.crisis_words import load_words
from agent.responders.mirror_spanish import mirror, topic_phrase
from agent.responders.replies import load_replies, sentences
from agent.rulebook import Rule
from agent.themes import load_themes

SLOTS = {"thing": "tu trabajo", "topic": "tu trabajo", "word": "triste", "name": "Sam"} | dict.fromkeys(
    ("clause", "first", "second", "latest"), "tu jefe te grita"
)
SLOTS |= {name.capitalize(): text[0].upper() + text[1:] for name, text in SLOTS.items()}
# Words that say whether the person is a man or a woman.
GENDERED = re.compile(
    r"\b(?:estás|eres|te sientes|quedas) (?:muy |tan )?"
    r"(?:sol|cansad|list|segur|perdid|agotad|bienvenid|enojad|preocupad)[ao]\b",
    re.IGNORECASE,
)


def authored() -> Iterator[tuple[str, str]]:
    replies, ideas = load_replies("es"), load_ideas("es")
    for step, bank in replies.banks.items():
        yield from ((f"{step}.{key}", line) for key, lines in bank.items() for line in lines)
    for move, ways in replies.moves.items():
        yield from ((move, line) for way in ways for part in way.say for line in part)
    for cue in replies.cues:
        yield from ((cue.hears[0], line) for line in (*cue.back, *cue.say, *cue.ask))
    for guess in load_guesses("es").guesses:
        yield from (("guess", line) for line in guess.say)
    for name, idea in ideas.ideas.items():
        yield from ((name, line) for line in (*idea.offer, *idea.next, idea.why))


def test_every_authored_sentence_is_fit_to_send() -> None:
    count = 0
    for where, line in authored():
        assert line.count("?") == line.count("¿") <= 1, (where, line)
        for sentence in sentences(Template(line).substitute(SLOTS)):
            count += 1
            assert re.search(r"[.?]$", sentence), (where, sentence)
            assert re.match(r"[A-ZÁÉÍÓÚÑ¿\"]", sentence), (where, sentence)
            assert len(sentence.split()) <= 25, (where, sentence)
            assert not GENDERED.search(sentence), (where, sentence)
            broken = guard.judge(sentence, [], guard.Bounds(language="es"))
            assert not broken, (where, sentence, broken)
    assert count >= 1200


def test_every_move_theme_family_and_idea_of_english_is_there() -> None:
    replies, themes = load_replies("es"), load_themes("es")
    assert set(replies.moves) >= set(load_empathy().moves) - {"crisis", "other_language"}
    assert {emotion.family for emotion in themes.emotions.values()} <= set(replies.banks["emotion"])
    assert set(themes.themes) <= set(replies.banks["listening"])
    assert set(load_ideas("es").ideas) == set(load_ideas().ideas)
    assert load_ideas("es").suits == load_ideas().suits


@pytest.mark.parametrize(
    ("text", "said_back"),
    [
        ("mi jefe me grita todos los dias", "tu jefe te grita todos los días"),
        ("no puedo dormir desde que mi mamá se fue", "no puedes dormir desde que tu mamá se fue"),
        ("toy re mal xq mi hermano no me habla", "tu hermano no te habla"),
        ("llevo tres meses sin trabajo", "llevas tres meses sin trabajo"),
        ("tengo miedo de perder mi trabajo", "tienes miedo de perder tu trabajo"),
        ("mis papás se pelean todo el tiempo y ya no aguanto", "tus papás se pelean todo el tiempo"),
    ],
)
def test_a_clause_is_said_back_with_tu(text: str, said_back: str) -> None:
    assert mirror(text) == said_back


@pytest.mark.parametrize(
    "text",
    [
        "no quiero vivir",
        "soy un fracaso",
        "hablé con mi jefe",
        "mi abuela murió en enero",
        "tú no me entiendes nada",
        'mi mamá dijo "no sirves para nada"',
        "no sirvo para nada en mi trabajo",
        "mi hermano y yo estamos peleados",
        "mis amigas dicen que ya lo supere",
        "hola",
        "",
    ],
)
def test_what_could_go_wrong_is_not_said_back(text: str) -> None:
    assert mirror(text) is None


def test_the_topic_is_the_first_thing_of_theirs() -> None:
    assert topic_phrase("ayer mi mamá habló de mis hermanos") == "tu mamá"
    assert topic_phrase("hoy llovió") is None


def test_the_crisis_words_hold_every_kind_and_level() -> None:
    words, english = load_words("es"), load_words()
    assert words.frames == english.frames
    plan = {ask.say for ask in english.asks if ask.id == "plan"}
    assert len(words.asks) == len(english.asks) - len(plan)
    for ours, theirs in zip(words.asks, (ask for ask in english.asks if ask.id != "plan"), strict=True):
        assert ours.model_dump(exclude={"say"}) == theirs.model_dump(exclude={"say"})
        assert all(line.count("¿") == line.count("?") == 1 for line in ours.say)
    spoken = {slot for frame in words.frames for slot in frame.say.replace("?", "").split()}
    assert spoken - {"ask", "echo", "offer"} <= set(words.elements)
    for element in ("ack", "emergency", "answer", "step", "listen", "worse", "ai+stay"):
        assert not words.elements[element][-1].model_dump(exclude={"say"}, exclude_defaults=True), element


def test_every_crisis_sentence_may_be_said() -> None:
    words = load_words("es")
    slots = {"emergency": "911", "site": "findahelpline.com"} | dict.fromkeys(
        ("line", "second", "text", "other_text"), "Línea de la Vida (llama al 800 911 2000)"
    )
    bounds = guard.Bounds(
        allowed=frozenset({"911", "8009112000", "findahelpline.com"}), words=150, crisis=True, language="es"
    )
    said = [line for entries in words.elements.values() for entry in entries for line in entry.say]
    said += [line for ask in words.asks for line in ask.say]
    said += [line for echo in words.echoes for line in echo.say]
    for line in said:
        assert guard.judge(Template(line).substitute(slots), [], bounds) is None, line
        assert not GENDERED.search(line), line


@pytest.mark.parametrize("rule", [each.rule for each in guard.load_guard().spanish], ids=lambda rule: rule.id)
def test_each_guard_rule_stops_its_hits_and_lets_its_misses_pass(rule: Rule) -> None:
    bounds = guard.Bounds(language="es", words=200, questions=3)
    for sentence in rule.hits:
        assert rule.id in guard.breaches(sentence, [], bounds), sentence
    for sentence in rule.misses:
        assert guard.judge(sentence, [], bounds) is None, sentence


def test_spanish_may_be_said_only_where_spanish_is_spoken() -> None:
    line = "Gracias por contármelo, no hace falta decirlo mejor que así."
    assert guard.judge(line, [], guard.Bounds(language="es")) is None
    assert guard.judge(line, [], guard.Bounds()) is not None
    french = "Je suis avec toi, et tu peux tout me dire ici."
    assert guard.judge(french, [], guard.Bounds(language="es")) is not None


def test_numbers_come_from_the_registry_in_spanish_too() -> None:
    bounds = guard.Bounds(language="es", crisis=True, allowed=frozenset({"911"}))
    assert guard.judge("Por favor llama ya al 911.", [], bounds) is None
    assert guard.judge("Por favor llama ya al 555 123 4567.", [], bounds) == "contact"
    assert guard.judge("Llama al nueve uno uno.", [], bounds) == "es_spoken_number"


def test_a_second_verb_is_turned_too_or_nothing_is_said_back() -> None:
    assert mirror("me despierto a las tres y le doy vueltas a todo") == (
        "te despiertas a las tres y le das vueltas a todo"
    )
