"""A conversation as one model's tokens, in that model's own chat template.

Knows nothing of what the messages say and of how a reply is chosen.
"""

from collections.abc import Sequence
from typing import Any

from langchain_core.messages import BaseMessage

from agent.errors import ResponderError

__all__ = ["render", "turns"]

_ROLES = {"human": "user", "ai": "assistant", "system": "system", "chat": "user"}


def turns(messages: Sequence[BaseMessage]) -> list[dict[str, str]]:
    """Messages as templates want them: roles by their common names, no two of one role in a row."""
    told: list[dict[str, str]] = []
    for message in messages:
        role, text = _ROLES.get(message.type, "user"), str(message.text)
        if told and told[-1]["role"] == role:
            told[-1]["content"] += "\n\n" + text
        else:
            told.append({"role": role, "content": text})
    return told


def _without_system(told: list[dict[str, str]]) -> list[dict[str, str]]:
    """For templates that know no system message: what it says stands before the first message."""
    if len(told) < 2 or told[0]["role"] != "system" or told[1]["role"] != "user":
        return told
    first = {"role": "user", "content": told[0]["content"] + "\n\n" + told[1]["content"]}
    return [first, *told[2:]]


def render(tokenizer: Any, name: str, messages: Sequence[BaseMessage]) -> list[int]:
    """Token ids up to where the assistant begins. Raises ResponderError without a fit template."""
    from jinja2 import TemplateError  # noqa: PLC0415  # transformers' templates are jinja's

    if not tokenizer.chat_template:
        raise ResponderError(f"{name} has no chat template: choose a model that was tuned for conversation.")
    told = turns(messages)
    options = {"tokenize": False, "add_generation_prompt": True}
    try:
        try:
            text = tokenizer.apply_chat_template(told, **options)
        except TemplateError:
            text = tokenizer.apply_chat_template(_without_system(told), **options)
    except (TemplateError, ValueError) as error:
        raise ResponderError(f"The chat template of {name} does not take this conversation.") from error
    # The template itself writes what begins a text; the tokenizer must not write it again.
    return [int(token) for token in tokenizer(text, add_special_tokens=False)["input_ids"]]
