"""The safety plan as data: what is kept of a message, which step is next, and how it is exported."""

import re

import pytest

from agent.guard import Bounds, judge
from agent.reading.rules import load_rules
from agent.responders.planning import asks_for
from agent.safety_plan import (
    CONTACTS,
    chosen,
    exported,
    first_open,
    lines_of,
    live,
    load_plan_words,
    markdown,
    standing,
    step_ids,
)
from knowledge.helplines import contact_tokens, load_helplines

WORDS = load_plan_words()
ROWS = [dict(row) for row in load_helplines().contacts("GB", ["suicide"], level="high")]
BANKS = (
    *("opening", "explained", "manual", "resumed", "revisited", "noted", "skipped", "nobody", "paused"),
    *("stay", "finished", "keep", "share", "complete", "again"),
)
SAID = [line for bank in BANKS for line in getattr(WORDS, bank)] + [
    line for step in WORDS.steps for line in (*step.lead, *step.ask, *step.hint)
]


def test_it_has_stanley_and_browns_six_steps_and_claims_no_review():
    assert step_ids() == ["signs", "coping", "places", "people", CONTACTS, "around"]
    assert WORDS.reviewed_by is None


@pytest.mark.parametrize("text", WORDS.hits)
def test_it_is_asked_for(text):
    assert asks_for(text)


@pytest.mark.parametrize("text", WORDS.misses)
def test_it_is_not_asked_for(text):
    assert not asks_for(text)


def test_every_sentence_may_be_said_with_and_without_danger_and_asks_nothing():
    for line in SAID:
        for crisis in (True, False):
            assert judge(line, [], Bounds(words=120, crisis=crisis)) is None, line
        assert "?" not in line
        assert not contact_tokens(line), line


def test_no_sentence_of_ours_is_heard_as_danger_or_offers_words_for_an_entry():
    rules = load_rules()
    for line in SAID:
        assert not [cue for cue in rules.scan(line) if cue["escalate"]], line


@pytest.mark.parametrize("bank", BANKS)
def test_what_recurs_has_wordings_enough(bank):
    assert len(set(getattr(WORDS, bank))) >= 3


def test_commands_do_not_contradict_each_other():
    first = [WORDS.commands[name] for name in ("skip", "stop", "back", "hint")]
    assert sum(map(len, first)) == len(frozenset().union(*first))
    assert WORDS.commands["all"].isdisjoint(WORDS.commands["stop"] | WORDS.commands["back"])


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("a walk", ["a walk"]),
        ("a walk\n\n  tea  \x00", ["a walk", "tea"]),
        ("\u200b \n", []),
        ("x" * 900, ["x" * 300]),
        ("\n".join("abcdefghijkl"), list("abcdefgh")),
    ],
)
def test_words_are_kept_as_they_were_written(text, kept):
    assert lines_of(text) == kept


def filled(**more):
    return {"entries": {step: ["x"] for step in step_ids()} | more}


def test_steps_not_asked_come_before_those_passed_over():
    assert first_open({}) == "signs"
    assert first_open({"skipped": ["signs"]}) == "coping"
    assert first_open({"skipped": ["signs"], **filled(signs=[])}) == "signs"
    assert first_open(filled()) == ""


@pytest.mark.parametrize("plan", [None, "nonsense", [], {}, {"step": "signs"}, {"step": "", "turn": 1}])
def test_a_damaged_plan_is_not_live(plan):
    assert not live(plan, 2)


def test_how_far_it_is():
    assert standing(None) == standing({}) == standing("nonsense") == ""
    assert standing({"step": "signs", "turn": 1}) == "begun"
    assert standing({"skipped": step_ids()}) == "done"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("all", ["Samaritans", "Shout", "Emergency services"]),
        ("Samaritans please", ["Samaritans"]),
        ("shout and samaritans", ["Samaritans", "Shout"]),
        ("Dr Lee at the clinic", []),
        ("yes", ["Samaritans", "Shout", "Emergency services"]),
    ],
)
def test_only_offered_lines_are_chosen_and_by_name(text, names):
    assert [row["name"] for row in chosen(text, ROWS)] == names


def test_nothing_is_exported_of_a_plan_that_was_not_begun():
    assert exported(None) is None
    assert exported({}) is None


def test_the_export_holds_every_step_the_persons_words_and_the_countrys_number():
    plan = {
        "entries": {"coping": ["tea & <b>rest</b> [x](http://y)"]},
        "contacts": ROWS,
        "skipped": ["signs"],
    }
    found = exported(plan, "999")
    assert [step["id"] for step in found["steps"]] == step_ids()
    assert found["steps"][1]["entries"] == plan["entries"]["coping"]
    text = markdown(found)
    assert re.findall(r"^## (\d)\.", text, re.M) == list("123456")
    assert "999" in found["danger"]
    assert "116 123" in text
    assert "[x](" not in text
    assert "<b>" not in text.replace("\\<b", "")
    assert WORDS.export.empty in text
    assert contact_tokens(text) - {"y"} <= load_helplines().allowed("GB")


def test_without_a_country_the_export_names_no_number():
    assert not re.search(r"\d", exported({"step": "signs", "turn": 1})["danger"])
