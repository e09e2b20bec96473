"""What is near comes in an order that a person would call right, and words alone bring nothing up."""

import pytest

from knowledge.entries import Entry, row_ids
from knowledge.lexical import overlap, stems
from knowledge.ranking import EASE, distinct, ranked

KETTLE = Entry("Why does my kettle sing?", "Steam leaves through the spout of the kettle.")
FERRY = Entry("Why does the ferry rock?", "Waves come from the side when it turns.")
SHED = Entry("Who painted my shed?", "A neighbour with a purple brush.", asked=("a", "My shed is purple"))


def rows(entry: Entry, *scores: float) -> dict[str, float]:
    return dict(zip(row_ids(entry), scores, strict=True))


def test_words_without_endings_and_without_those_that_say_nothing() -> None:
    assert stems("I'm worrying about my mother’s stories, and I've planned 3 walks.") == [
        "worry",
        "mother",
        "story",
        "plan",
        "walk",
    ]


def test_the_text_with_most_of_the_rare_words_has_one() -> None:
    found = overlap("my kettle sings", [KETTLE.text, FERRY.text, SHED.text])
    assert list(found) == [1.0, 0.0, 0.0]
    assert list(overlap("and then the", [KETTLE.text, FERRY.text])) == [0.0, 0.0]
    assert list(overlap("", ["", ""])) == [0.0, 0.0]


def test_a_long_text_does_not_win_by_its_length() -> None:
    long = f"{KETTLE.text} {'Something else is told of rivers and of lanterns.' * 20}"
    short, other = overlap("the kettle and its steam", [KETTLE.text, long])
    assert short > other


def test_the_words_of_the_message_decide_between_neighbours() -> None:
    near = [(FERRY, rows(FERRY, 0.5, 0.52)), (KETTLE, rows(KETTLE, 0.5, 0.5))]
    assert [entry for entry, _ in ranked("the steam of my kettle", near, 0.4)] == [KETTLE, FERRY]
    assert [entry for entry, _ in ranked("a thing of no matter", near, 0.4)] == [FERRY, KETTLE]


def test_a_question_alike_counts_less_than_an_answer_alike_and_a_plain_line_in_full() -> None:
    near = [
        (KETTLE, rows(KETTLE, 0.6, 0.3)),
        (FERRY, rows(FERRY, 0.3, 0.5)),
        (SHED, rows(SHED, 0.55, 0.2)),
    ]
    assert [entry for entry, _ in ranked("nothing alike", near, 0.4)] == [SHED, FERRY, KETTLE]
    assert dict(ranked("nothing alike", near, 0.4))[KETTLE] == 0.6


def test_under_the_floor_words_bring_nothing_up() -> None:
    near = [(KETTLE, rows(KETTLE, 0.39, 0.39))]
    assert ranked("the steam of my kettle", near, 0.4) == []


@pytest.mark.parametrize(("topic", "shown"), [("stress", 2), ("self-harm", 1)])
def test_beside_a_near_one_others_may_be_a_little_less_near_unless_they_startle(
    topic: str, shown: int
) -> None:
    other = Entry(FERRY.question, FERRY.text, topic)
    near = [(KETTLE, rows(KETTLE, 0.5, 0.5)), (other, rows(other, 0.1, 0.4 - EASE / 2))]
    assert len(ranked("nothing alike", near, 0.4)) == shown


def test_the_same_question_or_answer_is_taken_once() -> None:
    again = Entry(KETTLE.question, "A wholly different reply.")
    found = distinct([(KETTLE, 0.6), (again, 0.5), (FERRY, 0.4)], 5)
    assert [entry for entry, _ in found] == [KETTLE, FERRY]
    assert len(distinct(found, 1)) == 1
