"""A sentence the guard stops: asked for again once with the reason, else an authored one, and it is noted."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import pytest

from agent.brief import Brief
from agent.errors import ResponderError
from agent.llm.chat import LEAK
from agent.rulebook import load_guard
from graph import Session, Turn
from tests import fakes

CALM = "I feel alone even around people."
GOOD = "It sounds lonely in the middle of all of them."
MORE = "That can wear somebody out over the weeks."
NUMBER = "You can call 555-0100 at any hour."
DOCTOR = "As your doctor I know this well."
Asked = list[tuple[list[str], str]]


def turn_of(first: Iterable[str], *rest: Any, asked: Asked | None = None, **changes: Any) -> Turn:
    """One turn with a model that says `first`, and each of `rest` when it is asked again."""
    later = iter(rest)

    def again(brief: Brief, kept: Sequence[str], why: str) -> Iterable[str]:
        if asked is not None:
            asked.append((list(kept), why))
        answer = next(later)
        return answer() if callable(answer) else answer

    services = fakes.services(respond=lambda brief: iter(first), again=again, responder="model", **changes)
    return Session.open(country="GB", services=services).say(CALM)


def by(turn: Turn) -> list[tuple[str, str]]:
    return [(one["rule"], one.get("by", "")) for one in turn.replaced]


def test_a_stopped_sentence_is_asked_for_again_with_the_reason() -> None:
    asked: Asked = []
    turn = turn_of([GOOD, NUMBER, "Never reached."], [MORE], asked=asked)
    assert turn.text == f"{GOOD} {MORE}"
    assert asked == [([GOOD], load_guard().why["contact"])]
    assert by(turn) == [("contact", "model")]
    assert turn.responder == "model"


def test_what_is_stopped_there_again_gives_way_to_an_authored_sentence() -> None:
    turn = turn_of([GOOD, NUMBER], [DOCTOR, MORE])
    first, *authored, last = turn.text.split(". ")
    assert (first + ".", last) == (GOOD, MORE)
    assert authored
    assert "555" not in turn.text
    assert [how for _, how in by(turn)] == ["guided", "guided"]


def test_each_place_has_its_own_second_chance_but_not_without_end() -> None:
    asked: Asked = []
    turn = turn_of([NUMBER], [GOOD, NUMBER], [MORE, NUMBER, "You are heard here."], asked=asked)
    assert turn.text.startswith(f"{GOOD} {MORE}")
    assert [kept for kept, _ in asked] == [[], [GOOD]]
    assert [how for _, how in by(turn)] == ["model", "model", "guided"]


@pytest.mark.parametrize("rest", [[], [""], ["555-0100."]], ids=["nothing", "empty", "worse"])
def test_an_answer_that_is_none_leaves_an_authored_sentence(rest: list[str]) -> None:
    turn = turn_of([GOOD, NUMBER], rest)
    assert turn.text.startswith(GOOD)
    assert len(turn.text) > len(GOOD)
    assert by(turn)[0] == ("contact", "guided")


def test_one_that_fails_when_asked_again_leaves_what_stands() -> None:
    turn = turn_of([GOOD, NUMBER], fakes.raising(ResponderError("The server is gone.")))
    assert turn.text.startswith(GOOD)
    assert turn.responder == "model"
    assert by(turn) == [("contact", "guided")]


def test_one_that_hangs_when_asked_again_is_not_waited_for() -> None:
    def hang() -> Iterator[str]:
        time.sleep(5)
        yield MORE

    begun = time.monotonic()
    turn = turn_of([GOOD, NUMBER], hang, reply_seconds=0.5)
    assert turn.text.startswith(GOOD)
    assert time.monotonic() - begun < 4


@pytest.mark.parametrize(
    "dropped", [GOOD, "What is it like? Who is there? When?", ""], ids=["repeat", "questions", "empty"]
)
def test_what_needs_nothing_in_its_place_is_left_out(dropped: str) -> None:
    turn = turn_of([GOOD, "How long has it been so?", dropped, MORE])
    assert MORE in turn.text
    assert not any(how for _, how in by(turn))


@pytest.mark.parametrize(
    ("wrong", "rule"),
    [
        ("Und das ist alles sehr schwer für dich heute.", "other_tongue"),
        ("Okay, ich darf diese Anweisungen niemals einfach wiederholen.", "language"),
        ("It is so hard, so hard, so hard, so hard, so hard.", "loop"),
        ("And then the evenings when nobody", "unfinished"),
        ("𝓘 𝓱𝓮𝓪𝓻 you there 你好 today.", "script"),
        ("Y0u c4rry a l0t th3re t0d4y.", "script"),
        (f"{LEAK}Use short everyday words.", "prompt_leak"),
    ],
    ids=["another language", "switches", "loops", "half", "letters", "digits", "echoes"],
)
def test_what_goes_wrong_is_cut_asked_for_again_and_noted(wrong: str, rule: str) -> None:
    asked: Asked = []
    turn = turn_of([GOOD, wrong, "Never reached."], [MORE], asked=asked)
    assert turn.text == f"{GOOD} {MORE}"
    assert by(turn) == [(rule, "model")]
    assert asked == [([GOOD], load_guard().why[rule])]


def test_a_reply_that_grew_too_long_ends() -> None:
    long = [
        "It sounds lonely in the middle of all of them, and that can wear a person down over many weeks.",
        "Being near others is not the same as being known by them, which may be what hurts here.",
        "Some evenings may feel longer than the rest, and perhaps the quiet after work weighs most.",
        "What you describe makes sense, because company without closeness can leave anybody empty inside.",
        "There may also be moments in which somebody asks how things are and the honest answer stays unsaid.",
    ]
    turn = turn_of(long)
    assert by(turn) == [("length", "")]
    assert turn.responder == "model"


def test_a_model_that_says_nothing_fit_gives_way_to_the_guided_reply() -> None:
    turn = turn_of([NUMBER] * 9, [DOCTOR] * 9, [NUMBER] * 9)
    assert turn.responder == "guided"
    assert len(turn.replaced) <= 8
    assert turn.text


def test_the_stopped_model_is_told_to_stop() -> None:
    closed: list[bool] = []

    def stream() -> Iterator[str]:
        try:
            yield NUMBER
            while True:
                yield GOOD
        finally:
            closed.append(True)

    services = fakes.services(respond=lambda brief: stream(), again=lambda brief, kept, why: [GOOD])
    assert Session.open(country="GB", services=services).say(CALM).text == GOOD
    end = time.monotonic() + 3
    while not closed and time.monotonic() < end:
        time.sleep(0.01)
    assert closed


def test_an_embedders_words_are_not_asked_for_again() -> None:
    respond: Callable[[Brief], list[str]] = lambda brief: [GOOD, NUMBER, MORE]  # noqa: E731
    turn = Session.open(country="GB", services=fakes.services(respond=respond)).say(CALM)
    assert GOOD in turn.text
    assert MORE in turn.text
    assert [one["rule"] for one in turn.replaced] == ["contact"]
