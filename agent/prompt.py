"""The only place where a prompt is assembled, for training and for a reply alike.

One system message that never changes, the conversation as far as it fits, and with the person's last
message the notes of this turn: feeling, intent, the plan's steps, library passages as quoted data. A
training example is the same messages and the reply behind them. Words: agent/words/prompt.yaml. Knows
nothing of models, tokenizers or templates; what a text weighs in tokens is an injected function.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from string import Template
from typing import Literal, TypedDict

from agent.brief import Brief
from agent.plan import load_ideas
from agent.reading.ladder import at_least
from agent.steering import Form, TokenWords, line
from agent.words import Strict, load

__all__ = [
    "Message", "PromptWords", "folded", "load_prompt", "question", "render", "roughly", "secrets",
    "training_example",
]  # fmt: skip

Count = Callable[[str], int]
ROOM = 1800  # tokens of a whole prompt; with a reply it fits the smallest context in use (2,048)
_TAGS = re.compile(r"<\s*/?\s*(?:notes|library|person)\s*>?|<\|(?=\s*[a-z]+\s*:)", re.IGNORECASE)
_EACH = 6  # tokens that a template puts around each message
_PASSAGE = 700  # characters of a passage; its beginning holds the idea


class Message(TypedDict):
    """One message as chat templates and LangChain take it."""

    role: Literal["system", "user", "assistant"]
    content: str


class Taken(Strict):
    """A step's name and how it is taken."""

    name: str
    how: str


class Asked(Strict):
    """The question about danger."""

    system: str
    question: str


class PromptWords(Strict):
    """The file prompt.yaml; its comments say what each part is for."""

    reviewed_by: str | None
    system: str
    notes: dict[str, str]
    tokens: TokenWords
    steps: dict[str, Taken]
    languages: dict[str, str]
    weights: dict[str, float]
    stop: list[str]
    labels: str
    opinion: Asked


@cache
def load_prompt() -> PromptWords:
    """The words, read once."""
    return load("prompt.yaml", PromptWords)


def roughly(text: str) -> int:
    """Tokens of a text, reckoned from its words and a little high: for where no tokenizer is at hand."""
    return int(1.5 * len(re.findall(r"\w+|[^\w\s]", text))) + len(re.findall(r"[^\x00-\x7f]", text))


def render(  # noqa: PLR0913 - what a prompt depends on
    brief: Brief,
    *,
    count: Count = roughly,
    room: int = ROOM,
    said: Sequence[str] = (),
    reason: str = "",
    form: Form = "text",
) -> list[Message]:
    """The messages a model answers: a system message, then turns about, the person's last.

    Older turns are left out when `room` tokens are used up; the system message, the notes and the last
    message always stay. said, reason: what this reply already said, and why its next sentence was held
    back, when a model is asked again. form: how the model was taught to be told feeling and intent.
    """
    system = Message(role="system", content=load_prompt().system)
    turns = _turns(brief)
    left = room - count(system["content"]) - _EACH
    notes = _notes(brief, said, reason, form)
    text = _fitted(turns.pop()["content"], max(left - count("\n".join(notes)) - 2 * _EACH, 80), count)
    library = _library(brief)
    if library and count(library) > (left - count("\n".join(notes)) - count(text)) // 2:
        library = ""
    last = _last(notes, library, text)
    left -= count(last) + _EACH
    kept: list[Message] = []
    for turn in reversed(turns):
        left -= count(turn["content"]) + _EACH
        if left < 0:
            break
        kept.insert(0, turn)
    while kept and kept[0]["role"] != "user":  # a template wants the person to begin
        del kept[0]
    if len(kept) < len(turns):
        last = _last([*notes, load_prompt().notes["cut"]], library, text)
    return [system, *kept, Message(role="user", content=last)]


def training_example(
    brief: Brief, reply: str, *, count: Count = roughly, room: int = ROOM, form: Form = "text"
) -> list[Message]:
    """What a model learns from: the very messages it will be asked with, and the reply."""
    asked = render(brief, count=count, room=room, form=form)
    return [*asked, Message(role="assistant", content=reply)]


def question(text: str, *, count: Count = roughly, room: int = ROOM) -> list[Message]:
    """The messages that ask whether a text tells of danger."""
    asked = load_prompt().opinion
    post = _fitted(_quoted(text), max(room - count(asked.system + asked.question) - 2 * _EACH, 80), count)
    content = Template(asked.question).substitute(post=post)
    return [Message(role="system", content=asked.system), Message(role="user", content=content)]


def folded(messages: Sequence[Message]) -> list[Message]:
    """The same for a template that has no system message: it stands at the head of the first message."""
    system, first, *rest = messages
    return [Message(role="user", content=f"{system['content']}\n\n{first['content']}"), *rest]


def secrets(messages: Sequence[Message]) -> tuple[str, ...]:
    """What a model was told that is not for saying: the system message, the notes, the library."""
    quoted = re.findall(r"<(notes|library)>(.*?)</\1>", messages[-1]["content"], re.DOTALL)
    return (messages[0]["content"], *(text for _, text in quoted))


def _turns(brief: Brief) -> list[Message]:
    """The conversation, one message a side at a time, the person's last one at its end."""
    turns: list[Message] = []
    history = brief["history"]
    if not history or history[-1] != ("user", brief["text"]):
        history = [*history, ("user", brief["text"])]
    for role, text in history:
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += "\n" + _quoted(text)
        else:
            turns.append(Message(role=role, content=_quoted(text)))
    return turns


def _quoted(text: str) -> str:
    """The text, unable to end or open one of our fences."""
    return _TAGS.sub(lambda match: match[0].replace("<", "‹").replace(">", "›"), text).strip() or "…"


def _fitted(text: str, room: int, count: Count) -> str:
    """The text, or its beginning and its end when it is longer than `room` tokens."""
    while count(text) > room and len(text) > 80:
        keep = min(len(text) * room // max(count(text), 1), len(text) - 20) // 2
        text = f"{text[:keep].rstrip()} … {text[-keep:].lstrip()}"
    return text


def _last(notes: Sequence[str], library: str, text: str) -> str:
    told = "\n".join(notes)
    return f"<notes>\n{told}\n</notes>\n{library}<person>\n{text}\n</person>"


def _library(brief: Brief) -> str:
    """The passages, fenced and without a fence of their own; "" when the turn has no use for them."""
    if not (brief["plan"]["offer"] or brief["plan"]["move"] == "information") or not brief["passages"]:
        return ""
    texts = "\n---\n".join(_quoted(passage["text"][:_PASSAGE]) for passage in brief["passages"])
    return f"<library>\n{texts}\n</library>\n"


def _notes(brief: Brief, said: Sequence[str], reason: str, form: Form) -> list[str]:
    plan, person, words = brief["plan"], brief["person"], load_prompt()
    plainly = form == "text"
    told: dict[str, dict[str, object] | None] = {
        "feeling": {"feeling": plan["feeling"]} if plan["feeling"] and plainly else None,
        "unsure": {} if plainly and not plan["feeling"] else None,
        "intent": {"intent": plan["intent"]} if plainly else None,
        "steps": {} if plan["steps"] else None,
        "words": {"words": plan["words"]},
        "ask": {} if plan["ask"] else None,
        "no_question": None if plan["ask"] else {},
        "no_advice": {} if person.get("advice") is False else None,
        "plain": {} if person.get("plain") else None,
        "name": {"name": _quoted(person["name"])} if person.get("name") else None,
        "idea": {"idea": _idea(plan["offer"])} if _idea(plan["offer"]) else None,
        "no_idea": None if _idea(plan["offer"]) else {},
        "language": {"language": words.languages.get(brief["reading"]["language"], words.languages["en"])},
        "safety": {} if at_least(brief.get("peak", brief["level"]), "moderate") else None,
        "distress": {} if brief["level"] == "low" else None,
        "begun": {"said": " ".join(said)} if said else None,
        "refused": {"reason": reason} if reason else None,
    }
    lines = [] if plainly else [line(words.tokens, plan)]
    for name, values in told.items():
        if values is not None:
            lines.append(Template(words.notes[name]).substitute(values))
        if name == "steps" and values is not None:
            lines += _steps(brief)
    return lines


def _steps(brief: Brief) -> list[str]:
    words = load_prompt()
    line = Template(words.notes["step"])
    return [
        line.substitute(
            number=number,
            name=words.steps[step["step"]].name,
            how=words.steps[step["step"]].how,
            why=step["why"].rstrip("."),
        )
        for number, step in enumerate(brief["plan"]["steps"], 1)
    ]


def _idea(name: str) -> str:
    idea = load_ideas().ideas.get(name)
    return idea.offer[0] if idea else ""
