"""The exercises as data: ten of them, plain, fit to be said, and found by name or by need."""

import re
from importlib.resources import files

import pytest

from agent.exercises import (
    answers_to,
    asked,
    exercises,
    ideas_spoken,
    live,
    load_practice_words,
    of_idea,
    printed,
    worded,
)
from agent.guard import Bounds, fold, judge
from agent.plan import load_ideas
from agent.reading.rules import load_rules
from agent.responders.replies import sentences
from knowledge.helplines import contact_tokens
from tests.agent.responders.test_crisis import grade

WORDS = load_practice_words()
ALL = exercises()
BANKS = (
    *(
        "manual",
        "onward",
        "slowly",
        "told",
        "above",
        "free",
        "resumed",
        "back",
        "again",
        "paused",
        "stay",
        "others",
        "none_left",
    ),
    *("said_better", "said_same", "said_worse", "said_other", "chosen", "known"),
)
SHARED = [line.replace("$own", "a walk") for bank in BANKS for line in getattr(WORDS, bank)]


def texts(one):
    steps = [text for step in one.steps for text in (*step.heard, *step.say, *step.hint)]
    return [*one.reason, *one.begins, *steps, *one.ends, *one.worse, *one.offered]


def test_there_are_ten_and_no_file_is_left_out():
    names = {file.name.removesuffix(".yaml") for file in (files("agent.words") / "exercises").iterdir()}
    assert set(WORDS.order) == names == set(ALL)
    assert len(names) == 10


@pytest.mark.parametrize("name", ALL)
def test_each_claims_no_review_and_talks_an_idea_through(name):
    one = ALL[name]
    assert one.reviewed_by is None
    assert one.idea in load_ideas().ideas
    assert of_idea(one.idea) == name
    assert not one.instead or one.instead in ALL
    assert not re.search(r"\d|http|\(", one.source)


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("which", ["hits", "misses"])
def test_it_is_asked_for_by_name_or_need(name, which):
    for text in getattr(ALL[name], which):
        found = asked(text)
        assert found == (name if which == "hits" else ""), text


def said(texts):
    return [sentence for text in texts for sentence in sentences(text)]


@pytest.mark.parametrize("lines", [SHARED, *map(texts, ALL.values())], ids=["shared", *ALL])
def test_every_sentence_may_be_said_asks_nothing_and_is_not_heard_as_danger(lines):
    for line in said(lines):
        assert judge(line, [], Bounds(words=120)) is None, line
        assert "?" not in line
        assert not contact_tokens(line), line
        assert all(cue["level"] == "none" for cue in load_rules().scan(line)), line


@pytest.mark.parametrize("name", ALL)
def test_it_reads_as_plain_words(name):
    assert grade(" ".join(texts(ALL[name]))) <= 6
    for text in texts(ALL[name]):
        assert grade(text) <= 9, text
        assert len(text.split()) <= 55, text


def test_no_two_sentences_of_the_exercises_are_nearly_the_same():
    lines = said(text for one in ALL.values() for text in texts(one))
    kept = fold(lines, Bounds(words=10**6))
    assert list(kept.sentences) == lines


@pytest.mark.parametrize("name", ALL)
def test_each_step_has_wordings_for_two_rounds(name):
    for step in ALL[name].steps:
        assert len(step.say) >= 2
        assert len(step.hint) >= 2
    assert ALL[name].steps[-1].reply == "done"


def test_commands_do_not_contradict_each_other():
    banks = [WORDS.commands[each] for each in ("go", "stop", "other", "hint", "back")]
    assert sum(map(len, banks)) == len(frozenset().union(*banks))


def test_a_need_is_met_with_one_that_was_not_turned_down_and_a_name_is_taken_at_its_word():
    assert asked("help me calm down") == "paced-breathing"
    assert asked("help me calm down", {"paced-breathing"}) == "grounding"
    assert asked("help me calm down", {"paced-breathing", "grounding"}) == ""
    assert asked("a breathing exercise please", {"paced-breathing"}) == "paced-breathing"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "my boss shouted at me again",
        "I can't sleep",
        "what should I do about my sister",
        "I need help with my problem at work",
        "breathing exercises are stupid",
        "I need to write a letter to the bank",
        "everyone tells me to relax",
        "can you help me with my mum",
    ],
)
def test_an_ordinary_message_asks_for_none(text):
    assert asked(text) == ""


@pytest.mark.parametrize("practice", [None, "nonsense", {}, {"step": "see"}, {"step": "", "turn": 1}])
def test_a_damaged_practice_is_not_live(practice):
    assert not live(practice, 2)


def test_what_was_talked_through_is_known_by_its_sentences():
    assert ideas_spoken(["hello"]) == set()
    assert ideas_spoken([next(iter(worded()))]) == {"paced-breathing"}


def test_the_answer_to_a_step_is_found_in_the_messages():
    step = next(step for step in ALL["problem-solving"].steps if step.keeps == "chosen")
    history = [("assistant", step.say[0]), ("user", "call the bank"), ("assistant", "x"), ("user", "y")]
    assert [(name, at.id, text) for name, at, text in answers_to(history)] == [
        ("problem-solving", "pick", "call the bank")
    ]
    assert not list(answers_to([("assistant", step.say[0]), ("user", "stop")]))


def test_they_print_for_reading():
    text = printed(list(ALL))
    for one in ALL.values():
        assert one.title in text
        assert one.source in text
    assert WORDS.list.unreviewed in text
