"""The safety plan talked through: step by step, in the person's words alone, to be left at any point."""

import random
import re

import pytest

from agent.guard import Bounds, fold
from agent.responders.planning import built, takes
from agent.safety_plan import CONTACTS, first_open, load_plan_words, standing, step_ids
from knowledge.helplines import load_helplines
from tests.agent.responders.test_crisis import grade

WORDS = load_plan_words()
HELPLINES = load_helplines()
ENTRIES = ["not sleeping", "a walk by the river", "the library", "my sister Ana", "all", "Ana could keep it"]


def talk(*texts, country="GB", seed=0, answers=()):
    """The conversation with the plan alone; each message is taken by it."""
    plan, said, out = {}, [], []
    rows = HELPLINES.contacts(country, ["suicide"], level="high")
    for turn, text in enumerate(texts, start=1):
        done = built(text, plan, turn=turn, contacts=rows, answers=list(answers), said=said, seed=seed)
        plan = done.plan
        said += done.sentences
        out.append(done)
    return out


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("country", ["GB", "US", "DE", None])
def test_six_answers_fill_six_steps_word_for_word(country, seed):
    *_, last = talk("safety plan", *ENTRIES, country=country, seed=seed)
    plan = last.plan
    assert standing(plan) == "done"
    assert plan["step"] == ""
    own = {step: words for step, words in zip(step_ids(), ENTRIES, strict=True) if step != CONTACTS}
    assert {step: lines for step, lines in plan["entries"].items() if lines} == {
        step: [words] for step, words in own.items()
    }


@pytest.mark.parametrize("seed", range(4))
def test_every_reply_is_short_plain_and_may_be_said(seed):
    said = []
    for done in talk("safety plan", *ENTRIES, "safety plan", "step two", "idk", "tea", seed=seed):
        text = " ".join(done.sentences)
        assert len(text.split()) <= 90
        assert grade(text) <= 6, text
        assert "?" not in text
        for crisis in (True, False):
            kept = fold(done.sentences, Bounds(said=tuple(said), words=126, crisis=crisis))
            assert list(kept.sentences) == done.sentences
        said += done.sentences


@pytest.mark.parametrize("country", ["GB", "US", "IN", "DE", "TV", None])
def test_only_registry_helplines_are_offered_and_put_in(country):
    rows = [dict(row) for row in HELPLINES.contacts(country, ["suicide"], level="high")]
    *_, asked, after = talk("safety plan", *ENTRIES[:5], country=country)
    assert asked.card == rows
    assert after.plan["contacts"] == rows
    assert not after.card


def test_no_word_is_put_in_that_the_person_did_not_write():
    chance = random.Random(3)  # noqa: S311 - reproducible, not secret
    moves = ["skip", "back", "idk", "step three", "safety plan", "stop", "a b c", "my friend", "all"]
    rows = [dict(row) for row in HELPLINES.contacts("GB", ["suicide"], level="high")]
    for _ in range(60):
        texts = ["safety plan", *(chance.choice(moves) for _ in range(12))]
        for done in talk(*texts, seed=chance.randrange(99)):
            plan = done.plan
            written = {line for lines in plan.get("entries", {}).values() for line in lines}
            assert written <= set(texts)
            assert all(row in rows for row in plan.get("contacts", []))
            assert plan["step"] in {"", *step_ids()}
            assert done.sentences
            assert len(set(done.sentences)) == len(done.sentences)


@pytest.mark.parametrize("text", ["skip", "Skip this one.", "no", "nothing comes to mind", "next"])
def test_each_step_may_be_skipped(text):
    *_, last = talk("safety plan", *[text] * 6)
    assert last.plan["skipped"] == step_ids()
    assert last.plan["step"] == ""
    assert "entries" not in last.plan


def test_it_stops_and_is_picked_up_at_the_same_step():
    *_, stopped, again = talk("safety plan", "not sleeping", "stop", "safety plan")
    assert stopped.plan["step"] == ""
    assert again.plan["step"] == "coping"
    assert again.plan["entries"] == {"signs": ["not sleeping"]}


def test_back_and_a_named_step_take_new_words_in_place_of_the_old():
    *_, last = talk("safety plan", "not sleeping", "back", "I go quiet")
    assert last.plan["entries"]["signs"] == ["I go quiet"]
    *_, last = talk("safety plan", *ENTRIES, "safety plan", "step one", "I go quiet")
    assert first_open(last.plan) == ""


def test_someone_unsure_gets_an_example_and_the_step_stays_open():
    *_, asked, hinted = talk("safety plan", "a", "i don't know")
    assert hinted.plan["step"] == asked.plan["step"] == "coping"
    assert hinted.sentences[0] in WORDS.steps[1].hint


def test_having_nobody_is_met_kindly_and_left_empty():
    plan = {"step": "people", "turn": 3}
    done = built("I have no one", plan, turn=4, contacts=[], answers=["nobody"], said=[], seed=0)
    assert done.sentences[0] in WORDS.nobody
    assert done.plan["step"] == CONTACTS
    assert "people" in done.plan["skipped"]


def test_who_refuses_more_is_left_in_peace():
    plan = {"step": "people", "turn": 3}
    done = built("stop asking me that", plan, turn=4, contacts=[], answers=["refusal"], said=[], seed=0)
    assert done.plan["step"] == ""
    noted = built("I won't call anyone", plan, turn=4, contacts=[], answers=["refusal"], said=[], seed=0)
    assert noted.plan["entries"]["people"] == ["I won't call anyone"]


LIVE = {"step": "coping", "turn": 4}
LINES = {"step": CONTACTS, "turn": 4}


@pytest.mark.parametrize(
    ("text", "more", "taken"),
    [
        ("a walk", {}, True),
        ("a walk", {"turn": 6}, False),
        ("what time is it?", {}, False),
        ("bye", {"wants": ["goodbye"]}, False),
        ("are you human", {"wants": ["identity"]}, False),
        ("skip", {"wants": ["decline"]}, True),
        ("safety plan", {"turn": 9}, True),
        ("yes", {"turn": 9, "offered": True}, True),
        ("yes", {"turn": 9}, False),
        ("no", {"turn": 9, "offered": True}, False),
        (
            "they send police",
            {"answers": ["police_fear"], "plan": LINES},
            False,
        ),
        ("988", {"wants": ["unclear"], "plan": LINES}, True),
    ],
)
def test_which_messages_are_for_the_plan(text, more, taken):
    given = {"turn": 5, "offered": False, "wants": ["vent"], "answers": [], "plan": LIVE} | more
    assert takes(text, given.pop("plan"), **given) is taken


def test_it_is_explained_to_who_asks_what_it_is():
    done = talk("what is a safety plan?")[0]
    assert done.sentences[0] in WORDS.explained
    assert not re.search(r"\d", " ".join(done.sentences))


@pytest.mark.parametrize(
    ("text", "own"),
    [("samaritans", []), ("all of them", []), ("Samaritans and Dr Lee", ["Samaritans and Dr Lee"])],
)
def test_a_line_that_is_named_is_not_written_down_twice(text, own):
    rows = [dict(row) for row in HELPLINES.contacts("GB", ["suicide"], level="high")]
    done = built(text, LINES, turn=5, contacts=rows, answers=[], said=[], seed=0)
    assert done.plan["contacts"]
    assert done.plan["entries"][CONTACTS] == own
