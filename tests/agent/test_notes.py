"""Notes in the person's own lines: nothing they did not write, no danger in a file, no clinical headings."""

import re

import pytest

from agent.exercises import exercises, matches
from agent.notes import load_notes_words, markdown, noted, own_line, untold
from agent.responders.crisis_words import load_words
from agent.safety_plan import folded

WORDS = load_notes_words()
TALK = [
    ("user", "hello"),
    ("assistant", "Hello, what is on your mind?"),
    ("user", "My landlord put the rent up. I lie awake over it every night."),
    ("assistant", "That's a lot."),
    ("user", "the walk by the river helped"),
    ("assistant", "Okay."),
    ("user", "maybe I could ask my sister for help"),
    ("assistant", "Yes."),
    ("user", "everyone would be better off without me"),
]


@pytest.mark.parametrize("which", ["hits", "misses"])
def test_what_helped_is_heard_and_what_did_not_is_not(which):
    for text in getattr(WORDS, which):
        plain = folded(text)
        found = matches(WORDS.helped, plain) and not matches(WORDS.unless, plain)
        assert found is (which == "hits"), text


def test_every_line_is_one_they_wrote():
    notes = noted(TALK, lambda text: "better off" in text)
    written = " ".join(text for role, text in TALK if role == "user")
    assert notes["told"] == ["My landlord put the rent up. I lie awake over it every night."]
    assert notes["helped"] == ["the walk by the river helped"]
    assert notes["chosen"] == ["maybe I could ask my sister for help"]
    assert all(line in written for key in ("told", "helped", "chosen") for line in notes[key])


def test_danger_stays_out_of_the_file_and_that_is_said():
    notes = noted(TALK, lambda text: "better off" in text)
    assert notes["left_out"]
    assert "better off" not in markdown(notes)
    assert WORDS.export.left_out in markdown(notes)
    assert WORDS.export.left_out not in markdown(noted(TALK[:4]))


def test_no_heading_of_a_clinic_and_no_markup_of_theirs():
    text = markdown(noted([("user", "my <b>boss</b> sent me [a link](http://x) again")]))
    headings = re.findall(r"^#+ (.*)", text, re.M)
    assert not [
        one for one in headings if re.search(r"diagnos|treatment|assessment|symptom|patient", one, re.I)
    ]
    assert "[a link](" not in text
    assert "<b>" not in text.replace("\\<b", "")


def test_nothing_told_gives_nothing():
    assert not any(noted([]).values())
    assert not any(noted([("user", "hi"), ("assistant", "Hello."), ("user", "ok")]).values())


def test_an_exercise_is_noted_by_its_name_and_its_step_by_their_words():
    one = exercises()["problem-solving"]
    history = []
    for step in one.steps:
        history += [("assistant", step.say[0]), ("user", f"my words for {step.id}, quite a few of them")]
    notes = noted(history)
    assert notes["practised"] == [one.title]
    assert notes["chosen"] == ["my words for pick, quite a few of them"]
    assert notes["told"] == []


@pytest.mark.parametrize(
    ("lines", "line"),
    [([], None), (["a walk."], "a walk"), (["call 999"], None), (["x " * 20], None), (["a", "b"], "b")],
)
def test_only_a_short_plain_line_is_said_back(lines, line):
    assert own_line(lines) == line


def test_a_request_and_an_answer_about_danger_are_no_notes():
    asks = next(ask for ask in load_words().asks if ask.pending).say[0]
    history = [
        ("user", "can we do the breathing exercise"),
        ("assistant", "Later."),
        ("user", "are you listening to me at all?"),
        ("assistant", asks),
        ("user", "no, I would never do it, my dog needs me"),
    ]
    assert not any(noted(history[:4]).values())
    notes = noted(history)
    assert notes["told"] == []
    assert notes["left_out"]
    assert "never do it" not in markdown(notes)
    assert untold(history) == {text for role, text in history if role == "user"}


def test_how_an_exercise_ended_stands_beside_its_name_and_a_letter_stays_out():
    for name in ("unsent-letter", "paced-breathing"):
        one, history = exercises()[name], []
        for step in one.steps:
            history += [("assistant", step.say[0]), ("user", f"you left me at {step.id}, and that helped")]
        notes = noted(history)
        assert (notes["told"], notes["helped"]) == ([], [])
        last = f"you left me at {one.steps[-1].id}, and that helped"
        assert f"- {one.title}: {last}" in markdown(notes)
        assert markdown(notes).count("you left me") == 1
        assert untold(history) == {text for role, text in history if role == "user"}
