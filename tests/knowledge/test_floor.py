"""With the shipped encoder and our own entries: off the subject nothing is found, on it the subject."""

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
turn on the lights in the kitchen
what year was the telephone invented
when is the next full moon
help me plan a birthday party for my nephew
write me a speech for a wedding
who wrote pride and prejudice
what are good names for a puppy
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
    "i just lie there with my brain going a hundred miles an hour": "sleep-improvement",
    "job interview on thursday and I feel sick already": "anxiety",
    "there's too much on my plate and I don't know where to start": "stress",
    "my manager shouted at me today and I cried in the toilets": "workplace-relationships",
    "I have nobody to talk to in the evenings": "social-relationships",
    "she broke up with me over text and I can't stop reading it": "relationship-dissolution",
    "being a mum is harder than anyone told me and I'm so tired": "parenting",
    "my 15 year old just slams doors and won't speak to me": "parenting",
    "grandma died and I didn't get to say goodbye": "grief-and-loss",
    "I said something horrible to my sister and I can't forgive myself": "self-esteem",
    "I got promoted and I feel like a fraud": "self-esteem",
    "I keep putting off my assignment and now I'm panicking": "behavioral-change",
    "bills are piling up and I'm scared to open them": "stress",
    "I found a lump and can't stop googling, doctor's next week": "anxiety",
    "I've been having a few glasses of wine most nights to switch off": "substance-abuse",
    "I'm on my phone till 2am and I hate it": "sleep-improvement",
    "I want to tell my family I'm gay but I'm scared": "lgbtq",
    "I'm losing my faith and it frightens me": "spirituality",
    "looking after my mum with dementia is breaking me": "stress",
    "my friend of ten years just cut me off": "social-relationships",
    "we're moving house and everything feels upside down": "stress",
    "I retired last year and I don't know what to do with myself": "depression",
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


def test_on_the_subject_the_subject_comes_first(own: Library) -> None:
    found = {text: [passage["topic"] for passage in own.search(text, k=1)] for text in ON}
    wrong = {text: found[text] for text, topic in ON.items() if found[text] != [topic]}
    assert len(wrong) <= len(ON) // 10, wrong


def test_no_story_of_self_harm_is_shown_to_someone_who_is_only_tired(own: Library) -> None:
    for text in ("I have no motivation to get out of bed", "I can't sleep, my head keeps going"):
        assert "self-harm" not in {passage["topic"] for passage in own.search(text)}
