"""The lints: every example they carry, what they count, and that nothing is left out."""

from pathlib import Path

import pytest

from agent.errors import WordsError
from agent.evaluate.lints import Compiled, Example, load_lints, measured, struck, turn_of
from agent.evaluate.turns import Reply, Turn

LINTS = {one.lint.id: one for one in load_lints()}
CASES = [
    (one, example, hit)
    for one in LINTS.values()
    for hit, examples in ((True, one.lint.hits), (False, one.lint.misses))
    for example in examples
]
IDS = [f"{one.lint.id}-{'hit' if hit else 'miss'}" for one, _, hit in CASES]


@pytest.mark.parametrize(
    ("lint", "example", "hit"), CASES, ids=lambda value: getattr(value, "lint", None) and ""
)
def test_every_example_is_found_or_left_alone(lint: Compiled, example: str | Example, hit: bool) -> None:
    assert bool(struck(lint, turn_of(example))) == hit, (lint.lint.id, example)


def test_none_of_the_checklist_is_left_out() -> None:
    assert list(LINTS) == [f"N{n}" for n in range(1, 31)] + [f"M{n}" for n in range(1, 23)]
    assert {one.lint.kind for one in LINTS.values()} == {"never", "must"}


@pytest.mark.parametrize("lint", LINTS.values(), ids=lambda one: one.lint.id)
def test_a_lint_has_examples_of_both_or_says_where_it_is_held(lint: Compiled) -> None:
    assert bool(lint.lint.hits and lint.lint.misses) != bool(lint.lint.held)


def test_turns_are_counted_with_those_a_lint_has_a_say_in() -> None:
    turns = [
        Turn("bye", Reply("Take care of yourself.")),
        Turn("bye", Reply("Before you go, tell me more.")),
        Turn("I fed the cat", Reply("Which one? And why?")),
    ]
    found = measured(turns)
    assert found["M19"] == (1, 2)
    assert found["N13"] == (1, 3)
    assert "N28" not in found


def test_what_the_person_said_may_be_said_back() -> None:
    lint = LINTS["N4"]
    assert struck(lint, Turn("I feel low", Reply("A depression can be heavy.")))
    assert not struck(lint, Turn("my depression is back", Reply("The depression is back, then.")))


def test_words_for_somebody_else_to_say_are_not_ours() -> None:
    assert not struck(LINTS["N22"], Turn("help", Reply('You could write: "promise me you will come over".')))


@pytest.mark.parametrize(
    "text",
    [
        "parts: {}\nlints: [{id: N1, what: a, checks: [{measure: nosuch}]}]",
        "parts: {}\nlints: [{id: N1, what: a}]",
        "parts: {}\nlints: [{id: X1, what: a, held: b}]",
    ],
)
def test_a_file_that_cannot_be_meant_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "lints.yaml").write_text(text, "utf-8")
    with pytest.raises(WordsError):
        load_lints(tmp_path / "lints.yaml")
