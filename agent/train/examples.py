"""Examples and pairs as the tokens a model learns from: the app's own prompt, and loss on the reply alone.

The prompt is the one a reply is asked with (agent.prompt, in the model's own template), so that what was
trained is what is used. What is too long is refused or has its older turns left out, never its reply.
Knows nothing of how a run goes.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypedDict, cast

from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.brief import Brief, Plan, Reading
from agent.errors import DataError
from agent.llm.templates import render
from agent.prompt import Message, load_prompt, training_example
from agent.prompt import render as prompt_of
from agent.reading.spanish import is_spanish
from agent.steering import Form
from agent.train.dialogue_sources import Example
from agent.train.labels import EMOTIONS, INTENTS
from agent.train.preferences import Preference

__all__ = [
    "IGNORED", "Count", "Pair", "Tokens", "as_messages", "asked", "heard", "preferred", "talk", "tokenised",
]  # fmt: skip

IGNORED = -100  # a label that costs no loss
_KINDS = {"system": SystemMessage, "user": HumanMessage, "assistant": AIMessage}


Count = Callable[[str], int]


class Tokens(TypedDict):
    """labels: the reply's own tokens and its end, IGNORED before them."""

    input_ids: list[int]
    labels: list[int]


class Pair(TypedDict):
    """A prompt, and the two replies to it, each with its end."""

    prompt_ids: list[int]
    chosen_ids: list[int]
    rejected_ids: list[int]


def as_messages(example: Example, *, count: Count, room: int, form: Form = "text") -> list[Message]:
    """The conversation as the app would put it to a model, and the reply; a task is asked as it stands."""
    for label, known in ((example["feeling"], EMOTIONS), (example["intent"], INTENTS)):
        if label and label not in known:
            raise DataError(f"The label {label!r} of {example['source']} is not one of {', '.join(known)}.")
    if example["kind"] == "task":
        return list(example["messages"])
    *before, last = example["messages"]
    brief = _brief(before, last["content"], example["feeling"], example["intent"])
    brief["plan"]["levels"] = dict(
        example.get("levels") or {}
    )  # of the reply itself; none that nobody scored
    messages = training_example(brief, last["content"], count=count, room=room, form=form)
    if brief["plan"]["intent"] == "suggesting":
        # What the reply suggests is its writer's own and stands in no library, so nothing is said of an idea.
        asked = messages[-2]
        asked["content"] = asked["content"].replace("\n" + load_prompt().notes["no_idea"], "")
    return messages


def asked(row: Example | Preference, *, count: Count, room: int, form: Form = "text") -> list[Message]:
    """What a model is asked with, where an example or a pair stands."""
    if "brief" in row:
        return prompt_of(cast("Preference", row)["brief"], count=count, room=room, form=form)
    return as_messages(row, count=count, room=room, form=form)[:-1]


def heard(row: Example | Preference) -> str:
    """What the person said until there."""
    if "brief" in row:
        history = cast("Preference", row)["brief"]["history"]
        return " ".join(text for role, text in history if role == "user")
    before = row["messages"][:-1]
    return " ".join(one["content"] for one in before if one["role"] == "user")


def talk(messages: Iterable[Message]) -> list[BaseMessage]:
    """The messages as chat models take them."""
    return [_KINDS[one["role"]](one["content"]) for one in messages]


def tokenised(  # noqa: PLR0913 - what tokens depend on
    examples: Iterable[Example],
    tokenizer: Any,
    ends: tuple[int, ...],
    *,
    longest: int,
    name: str = "The model",
    form: Form = "text",
) -> Iterator[Tokens]:
    """Tokens of each example, at most `longest`. DataError names the first that cannot be made to fit."""
    reader = _Reader(tokenizer, ends, longest, name, form)
    for number, example in enumerate(examples, 1):
        prompt, (reply,) = reader.read(number, example, [example["messages"][-1]["content"]])
        yield {"input_ids": [*prompt, *reply], "labels": [IGNORED] * len(prompt) + reply}


def preferred(  # noqa: PLR0913 - see tokenised
    pairs: Iterable[Preference],
    tokenizer: Any,
    ends: tuple[int, ...],
    *,
    longest: int,
    name: str = "The model",
    form: Form = "text",
) -> Iterator[Pair]:
    """The same of pairs of replies; the longer of the two must fit."""
    reader = _Reader(tokenizer, ends, longest, name, form)
    for number, pair in enumerate(pairs, 1):
        prompt, (chosen, rejected) = reader.read(number, pair, [pair["chosen"], pair["rejected"]])
        yield {"prompt_ids": prompt, "chosen_ids": chosen, "rejected_ids": rejected}


@dataclass(frozen=True, slots=True)
class _Reader:
    tokenizer: Any
    ends: tuple[int, ...]
    longest: int
    name: str
    form: Form

    def read(
        self, number: int, row: Example | Preference, replies: list[str]
    ) -> tuple[list[int], list[list[int]]]:
        """The prompt, and each reply with its end, as tokens."""
        told = [[*self._ids(text), *self.ends[:1]] for text in replies]
        most = max(map(len, told))
        messages = asked(row, count=self._count, room=self.longest - most, form=self.form)
        prompt = render(self.tokenizer, self.name, talk(messages))
        if len(prompt) + most > self.longest:
            raise DataError(
                f"Example {number} ({row['source']}) takes {len(prompt) + most} tokens of at most "
                f"{self.longest}: raise `length` in the recipe, or set `too_long: drop`."
            )
        return prompt, told

    def _ids(self, text: str) -> list[int]:
        return [int(one) for one in self.tokenizer(text, add_special_tokens=False)["input_ids"]]

    def _count(self, text: str) -> int:
        return len(self._ids(text))


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
