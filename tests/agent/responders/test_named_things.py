"""A thing of the person's own that may be said back, and what never is."""

import pytest

from agent.responders.mirror import mirror, told
from agent.responders.named_things import piece


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("I've not opened the other ones. theres a pile by the door", "that pile by the door"),
        ("I keep listening for his claws on the kitchen floor", "his claws on the kitchen floor"),
        ("and then I sent a heart emoji", "that heart emoji"),
        ("Sit in the van.", "the van"),
        ("got a letter from the council about it", "that letter from the council"),
    ],
)
def test_a_thing_is_said_back(text: str, said: str) -> None:
    assert piece(text) == said


@pytest.mark.parametrize(
    "text",
    [
        "I feel like a monster",  # what they call themselves
        "he was only a dog",
        "it's the same thing every time",  # says nothing
        "the only person I spoke to was him",  # what it was is only said behind
        "my sister and my mum",  # people say nothing by themselves
        "I have got the pills in the drawer",
        "the gun in the cupboard",
        "i no have the paper",  # their grammar would come back
        "dunno",
    ],
)
def test_other_things_are_not(text: str) -> None:
    assert piece(text) is None


def test_a_long_message_gives_several_clauses_in_their_order() -> None:
    text = (
        "My mum moved in last spring. I gave up my job in June. My brother never calls us. "
        "And today my boss sent me a letter about my old desk."
    )
    found = told(text, 3)
    assert len(found) == 3
    assert found == sorted(found, key=lambda one: text.lower().find(one.split()[-1].lower()))
    assert told("My mum moved in last spring.", 3) == []


def test_shouted_words_come_back_quietly() -> None:
    assert mirror("I PASSED MY DRIVING TEST!!! fifth attempt!!!!") == "you passed your driving test"
    assert mirror("her BROTHER told me about the party") == "her brother told you about the party"


@pytest.mark.parametrize(
    "text",
    [
        "he did the gold on half the pubs in Whitby",
        "It's more the being up with it. Just me and the fridge humming.",
        "They always ask for a number, and I said it's a 6",
    ],
)
def test_what_stood_by_the_way_is_not_said_back(text: str) -> None:
    assert piece(text) is None
