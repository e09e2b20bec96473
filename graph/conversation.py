"""What a state holds of the conversation, in the forms in which the steps ask for it.

Nothing is decided or worded here, and nothing is changed. System and tool messages are nobody's words.
"""

import zlib
from collections.abc import Sequence
from itertools import takewhile
from typing import Literal

from langchain_core.messages import BaseMessage

from agent import guard as guarding
from agent.reading import assess as assessing
from graph.places import their_country
from graph.services import Services
from graph.state import State

__all__ = ["history", "said", "said_by", "seed", "text_of", "theirs", "unfolded", "whose"]

# Sentences that may not return; words are finite, and a very long conversation must not run dry.
REMEMBERED = 100


def said_by(state: State, kind: Literal["human", "ai"]) -> list[str]:
    """The texts of one side, oldest first. System and tool messages are nobody's words here."""
    return [text_of(message) for message in state.get("messages") or [] if message.type == kind]


def unfolded(state: State) -> list[str]:
    """The person's messages that the risk has not seen: this turn's, or all when it starts anew.

    Whatever was written since our last reply is among them, even where a host has shortened the history.
    """
    texts = said_by(state, "human")
    seen = (state.get("risk") or assessing.no_risk())["seen"]
    since = takewhile(lambda message: message.type != "ai", reversed(state.get("messages") or []))
    fresh = sum(message.type == "human" for message in since)
    return texts[-max(len(texts) - seen, fresh, 1) :]


def said(state: State) -> list[str]:
    """The sentences the assistant used lately, so many that none returns within some thirty turns.

    Those of a reply that the person wanted worded otherwise are among them.
    """
    replies = [*said_by(state, "ai"), *(state.get("turned_down") or [])]
    sentences = [sentence for text in replies for sentence in guarding.split(text)]
    return sentences[-REMEMBERED:]


def history(state: State) -> list[tuple[Literal["user", "assistant"], str]]:
    """Both sides, oldest first, by role."""
    roles: dict[str, Literal["user", "assistant"]] = {"human": "user", "ai": "assistant"}
    return [(roles[m.type], text_of(m)) for m in state.get("messages") or [] if m.type in roles]


def seed(texts: Sequence[str]) -> int:
    """Stable for a conversation: the same first message is answered in the same words."""
    return zlib.crc32(texts[0].encode("utf-8", "replace")) if texts else 0


def whose(state: State, services: Services) -> str | None:
    """The country whose helplines count: two letters, or None when not known."""
    person: object = state.get("person")
    named = person.get("country") if isinstance(person, dict) else None
    code = str(named or services.country or "").strip().upper()
    return {"UK": "GB"}.get(code, code) or None


def theirs(state: State, services: Services) -> str | None:
    """The country of the one they worry about, where the danger is somebody else's and they told that it is
    another than their own; None otherwise."""
    if state["risk"]["subject"] == "self":
        return None
    told = (their_country(text) for text in reversed(said_by(state, "human")))
    place = next(filter(None, told), None)
    return place if place != whose(state, services) else None


def text_of(message: BaseMessage) -> str:
    """The words of a message, without the images or files that some clients put beside them."""
    content = message.content
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else str(part.get("text", "")) for part in content)
    return " ".join(parts)
