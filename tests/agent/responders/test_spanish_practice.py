"""The exercises and the safety plan in Spanish: whole, fit to be said, found, and talked through."""

import re

import pytest

from agent.exercises import asked, exercises, load_practice_words
from agent.guard import Bounds, judge
from agent.reading.rules import load_rules
from agent.responders.exercise_calls import heard
from agent.responders.planning import asks_for, built, takes
from agent.responders.practising import practised
from agent.responders.replies import sentences
from agent.safety_plan import CONTACTS, exported, folded, load_plan_words, markdown, step_ids
from tests.agent.responders.test_spanish import GENDERED

WORDS, ENGLISH = load_practice_words("es"), load_practice_words()
PLAN = load_plan_words("es")
ALL = exercises("es")
BANKS = [name for name, value in ENGLISH if isinstance(value, tuple) and name not in ("order", "general")]
SAID = [one for name in BANKS for one in getattr(WORDS, name)]
PATTERNS = ("unless", "tried", "whys", "news", "leaves", "to_us", "worse", "hurts", "better", "same")


def texts(one):
    steps = [text for step in one.steps for text in (*step.heard, *step.say, *step.hint)]
    return [*one.reason, *one.begins, *steps, *one.ends, *one.worse, *one.offered]


def plan_lines():
    banks = [value for name, value in PLAN if isinstance(value, tuple) and name not in _NO_WORDS]
    lines = [one for bank in banks for one in bank if isinstance(one, str)]
    return lines + [line for step in PLAN.steps for line in (*step.lead, *step.ask, *step.hint)]


_NO_WORDS = ("begins", "unless", "hits", "misses", "steps")


def shape(value):
    """How much there is of everything, without the words."""
    return {
        name: len(part) if isinstance(part, (tuple, frozenset, dict)) else bool(part)
        for name, part in value
        if name not in ("hits", "misses", "needs", "named", "unless", "steps", *PATTERNS)
    }


@pytest.mark.parametrize("name", exercises())
def test_each_exercise_is_whole(name):
    mine, theirs = ALL[name], exercises()[name]
    assert shape(mine) == shape(theirs)
    assert mine.idea == theirs.idea
    for here, there in zip(mine.steps, theirs.steps, strict=True):
        assert (here.id, here.reply, here.takes, here.keeps) == (
            there.id,
            there.reply,
            there.takes,
            there.keeps,
        )
        assert shape(here) == shape(there)


def test_what_is_common_to_them_and_the_plan_are_whole():
    assert list(ALL) == list(exercises())
    for bank in BANKS:
        if bank not in PATTERNS:
            assert len(getattr(WORDS, bank)) == len(getattr(ENGLISH, bank)), bank
    assert set(WORDS.commands) == set(ENGLISH.commands)
    there = load_plan_words()
    assert [step.id for step in PLAN.steps] == [step.id for step in there.steps]
    for here, other in zip(PLAN.steps, there.steps, strict=True):
        assert (len(here.lead), len(here.ask), len(here.hint)) == tuple(
            len(part) for part in (other.lead, other.ask, other.hint)
        )
    for name, value in there:
        if isinstance(value, tuple) and name not in _NO_WORDS:
            assert len(getattr(PLAN, name)) == len(value), name
    assert WORDS.reviewed_by is PLAN.reviewed_by is None


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("which", ["hits", "misses"])
def test_an_exercise_is_asked_for_by_name_or_need(name, which):
    for text in getattr(ALL[name], which):
        assert asked(text, language="es") == (name if which == "hits" else ""), text


def test_the_plan_is_asked_for():
    for text in PLAN.hits:
        assert asks_for(text, "es"), text
    for text in PLAN.misses:
        assert not asks_for(text, "es"), text


def test_commands_are_as_a_message_is_read_and_do_not_contradict_each_other():
    for words, names in (
        (WORDS, ("go", "stop", "other", "hint", "back")),
        (PLAN, ("skip", "stop", "back", "hint")),
    ):
        for phrases in words.commands.values():
            assert {folded(one, "es") for one in phrases} == set(phrases)
        banks = [words.commands[name] for name in names]
        assert sum(map(len, banks)) == len(frozenset().union(*banks))


@pytest.mark.parametrize(
    "lines", [SAID, plan_lines(), *map(texts, ALL.values())], ids=["shared", "plan", *ALL]
)
def test_every_sentence_may_be_said_asks_nothing_and_is_not_heard_as_danger(lines):
    for text in lines:
        if not re.match(r"[A-ZÁÉÍÓÚÑ\"]", text):
            continue  # a pattern
        for line in sentences(text.replace("$own", "un paseo")):
            for crisis in (True, False):
                assert judge(line, [], Bounds(words=120, crisis=crisis, language="es")) is None, line
            assert "?" not in line
            assert not GENDERED.search(line), line
            assert not [cue for cue in load_rules().scan(line) if cue["escalate"]], line


def test_an_exercise_is_talked_through_and_left():
    practice, history, said, replies = {}, [], [], []
    told = ["ayúdame a calmarme", "ok", "listo", "ya", "siguiente", "mejor"]
    for turn, text in enumerate(told, 1):
        history.append(("user", text))
        call = heard(text, practice, turn=turn, wants=[], history=history, language="es")
        assert call.act, text
        done = practised(practice, call, turn=turn, history=history, said=said, seed=1, language="es")
        practice, said = done.practice, [*said, *done.sentences]
        replies.append(" ".join(done.sentences))
        history.append(("assistant", replies[-1]))
    assert len(set(replies)) == len(told)
    assert practice["step"] == ""
    assert any(one in replies[-1] for one in WORDS.said_better)
    history.append(("user", "para"))
    begun = practised(
        {}, heard("cinco sentidos", {}, turn=1, wants=[], history=history, language="es"),
        turn=1, history=history, said=[], seed=1, language="es",
    )  # fmt: skip
    assert heard("para", begun.practice, turn=2, wants=[], history=history, language="es").act == "stop"


def test_the_plan_is_written_in_spanish():
    plan, said = {}, []
    row = {"name": "Línea de la Vida", "phone": "800 911 2000", "verified_at": ""}
    told = [
        "plan de seguridad",
        "no duermo",
        "caminar",
        "el parque",
        "mi hermana",
        "todas",
        "mi hermana lo guarda",
    ]
    for turn, text in enumerate(told, 1):
        given = {"answers": [], "language": "es", "turn": turn}
        assert takes(text, plan, offered=False, wants=[], **given), text
        done = built(text, plan, contacts=[row], said=said, seed=1, **given)
        plan, said = done.plan, [*said, *done.sentences]
        assert len(done.sentences) == len(set(done.sentences))
    assert plan["entries"]["people"] == ["mi hermana"]
    assert plan["contacts"] == [row]
    out = markdown(exported(plan, "911", "es"))
    assert PLAN.export.title in out
    assert all(step.title in out for step in PLAN.steps)
    assert "llamar al 800 911 2000" in out
    assert CONTACTS in step_ids()
