"""With the shipped encoder and our own entries: off the subject nothing is found, on it often something."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.reading.encoder import load_encoder
from knowledge.library import Library

OFF = """
what is the capital of France
write python code to sort a list
how do I bake a chocolate cake
who won the football match last night
what's the weather tomorrow
translate hello into Spanish
recommend a good laptop under 500
tell me about the history of Rome
what is 17 times 23
how do I fix a flat bike tyre
best recipe for lasagne
explain quantum computing
how to install linux on an old pc
write a poem about a river
how does photosynthesis work
summarise the plot of Hamlet
what stocks should I buy
convert this csv to json
what are the rules of chess
how do I cancel my netflix subscription
tell me a joke
fix this sql query for me
how long do I boil an egg
how do I reset my router
is it going to rain on saturday
hi there
good morning
thanks a lot
""".strip().splitlines()

ON = {
    "I had a panic attack on the bus today": "anxiety",
    "my husband and I fight every single night": "marriage",
    "I yelled at my kids again and I feel awful": "anger-management",
    "I'm so anxious about my exams": "stress",
    "my dog died and I feel silly for being this sad": "grief-and-loss",
    "I moved to a new city and I have no friends": "social-relationships",
    "my mother in law criticises everything I do": "family-conflict",
    "I think my girlfriend is cheating on me": "relationships",
}


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    encoder = load_encoder()
    folder: Path = tmp_path_factory.mktemp("own")
    library = Library.open(folder, encoder.embed, encoder.name)
    yield library
    library.close()


@pytest.mark.parametrize("text", OFF)
def test_off_the_subject_nothing_is_found(own: Library, text: str) -> None:
    assert own.search(text) == []


def test_on_the_subject_the_subject_is_found(own: Library) -> None:
    found = {text: [passage["topic"] for passage in own.search(text)] for text in ON}
    right = [text for text, topic in ON.items() if topic in found[text]]
    assert len(right) >= len(ON) - 2, found


def test_no_story_of_self_harm_is_shown_to_someone_who_is_only_tired(own: Library) -> None:
    for text in ("I have no motivation to get out of bed", "I can't sleep, my head keeps going"):
        assert "self-harm" not in {passage["topic"] for passage in own.search(text)}
