"""Words around a hand-off: they pass the guard, do not repeat, and nothing untrue is left beside them."""

import re
from importlib.resources import files

import pytest
import yaml

from agent.guard import Bounds, fold
from agent.responders.handoff import load_handoff, opening, truthful
from agent.responders.replies import particular

WORDS = load_handoff()
# Claims that no longer hold when people who run this may read along.
CLAIM = re.compile(
    r"\b(nobody|no one)\b[^.]*\b(reading|reads|watching|sits|could tell)\b"
    r"|\btell no one\b|\bnothing goes from me\b",
    re.I,
)


def authored() -> list[str]:
    def walk(value: object) -> list[str]:
        if isinstance(value, str):
            return re.split(r"(?<=[.?])\s+", value)
        inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
        return [text for one in inner for text in walk(one)]

    names = ("replies_moves.yaml", "replies_support.yaml", "replies_heard.yaml", "crisis.yaml", "mirror.yaml")
    return [
        text
        for name in (*names, *particular())
        for text in walk(yaml.safe_load((files("agent.words") / name).read_text()))
        if name in names or text.endswith((".", "?"))  # those of heard/ list words of people's too
    ]


@pytest.mark.parametrize("crisis", [False, True])
@pytest.mark.parametrize("sentence", [*WORDS.joined, *WORDS.missed, *WORDS.back, *WORDS.instead])
def test_every_sentence_may_be_said(sentence: str, *, crisis: bool) -> None:
    assert fold([sentence], Bounds(crisis=crisis)).sentences == (sentence,)


@pytest.mark.parametrize("how", ["said", "missed", "back"])
def test_a_second_time_is_told_in_other_words(how: str) -> None:
    first = opening(how, [])
    assert opening(how, first) != first


@pytest.mark.parametrize("how", ["", "taken", "nonsense"])
def test_an_ordinary_turn_begins_with_nothing(how: str) -> None:
    assert opening(how, []) == []


def test_no_sentence_of_ours_claims_that_nobody_reads_where_people_may() -> None:
    claims = [text for text in authored() if CLAIM.search(text)]
    assert len(claims) >= 4
    for text in claims:
        assert truthful(text) in WORDS.instead, text
        assert truthful(text, away=True) in WORDS.away, text


def test_other_sentences_stay_as_they_are() -> None:
    for text in ("That sounds heavy.", "I'm an AI and can't call for you.", "Is anyone with you right now?"):
        assert truthful(text) == text
