"""An example as the tokens a model learns from: the app's own prompt, and loss on the reply alone.

The prompt is the one a reply is asked with (agent.prompt, in the model's own template), so that what was
trained is what is used. What is too long is refused or has its older turns left out, never its reply.
Knows nothing of how a run goes.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypedDict

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.brief import Brief, Plan, Reading
from agent.errors import DataError
from agent.llm.templates import render
from agent.prompt import Message, load_prompt, training_example
from agent.reading.spanish import is_spanish
from agent.train.dialogue_sources import Example
from agent.train.labels import EMOTIONS, INTENTS

__all__ = ["IGNORED", "Tokens", "as_messages", "talk", "tokenised"]

IGNORED = -100  # a label that costs no loss
_KINDS = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


class Tokens(TypedDict):
    """labels: the reply's own tokens and its end, IGNORED before them."""

    input_ids: list[int]
    labels: list[int]


def as_messages(example: Example, *, count: Callable[[str], int], room: int) -> list[Message]:
    """The conversation as the app would put it to a model, and the reply; a task is asked as it stands."""
    for label, known in ((example["feeling"], EMOTIONS), (example["intent"], INTENTS)):
        if label and label not in known:
            raise DataError(f"The label {label!r} of {example['source']} is not one of {', '.join(known)}.")
    if example["kind"] == "task":
        return list(example["messages"])
    *before, last = example["messages"]
    brief = _brief(before, last["content"], example["feeling"], example["intent"])
    messages = training_example(brief, last["content"], count=count, room=room)
    if brief["plan"]["intent"] == "suggesting":
        # What the reply suggests is its writer's own and stands in no library, so nothing is said of an idea.
        asked = messages[-2]
        asked["content"] = asked["content"].replace("\n" + load_prompt().notes["no_idea"], "")
    return messages


def talk(messages: Iterable[Message]) -> list[BaseMessage]:
    """The messages as chat models take them."""
    return [_KINDS[one["role"]](one["content"]) for one in messages]


def tokenised(
    examples: Iterable[Example],
    tokenizer: Any,
    ends: tuple[int, ...],
    *,
    longest: int,
    name: str = "The model",
) -> Iterator[Tokens]:
    """Tokens of each example, at most `longest`. DataError names the first that cannot be made to fit."""

    def count(text: str) -> int:
        return len(tokenizer(text, add_special_tokens=False)["input_ids"])

    for number, example in enumerate(examples, 1):
        reply = [
            *tokenizer(example["messages"][-1]["content"], add_special_tokens=False)["input_ids"],
            *ends[:1],
        ]
        messages = as_messages(example, count=count, room=longest - len(reply))
        prompt = render(tokenizer, name, talk(messages[:-1]))
        if len(prompt) + len(reply) > longest:
            raise DataError(
                f"Example {number} ({example['source']}) takes {len(prompt) + len(reply)} tokens of at most "
                f"{longest}: raise `length` in the recipe, or set `too_long: drop`."
            )
        yield {"input_ids": [*prompt, *reply], "labels": [IGNORED] * len(prompt) + reply}


def _brief(before: list[Message], reply: str, feeling: str, intent: str) -> Brief:
    """What the app would know of such a turn: the labels of the data, the form of the reply itself."""
    asks = "?" in reply
    plan = Plan(
        move="support",
        steps=[],
        intent=intent or ("questioning" if asks else "acknowledging"),
        stage="explore",
        topic="general",
        feeling=feeling,
        ask=asks,
        offer="",
        words=10 * (len(reply.split()) // 10 + 1),
        careful=False,
    )
    language = "es" if is_spanish(reply.lower().split()) else "en"
    reading = Reading(
        emotions=[], intents=[], sure=bool(feeling), wants=[], language=language, cues=[], degraded=False,
        heads={}, evidence=[],
    )  # fmt: skip
    history: Any = [(one["role"], one["content"]) for one in before]
    return Brief(
        text=before[-1]["content"], history=history, reading=reading, level="none", plan=plan, passages=[],
        person={}, said=[], seed=0,
    )  # fmt: skip
