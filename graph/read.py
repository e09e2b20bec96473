"""What one message expresses, without a conversation around it: the first two steps of a turn alone."""

from typing import TypedDict

from langchain_core.messages import HumanMessage

from agent.brief import Reading
from agent.reading.explain import Explanation, explanations
from agent.reading.ladder import Risk
from agent.settings import Settings
from graph import nodes
from graph.services import Services, encoder
from graph.state import State

__all__ = ["MessageReading", "explained", "read_message"]


class MessageReading(TypedDict):
    """Feelings, wishes and language, and the risk of the message taken alone."""

    reading: Reading
    risk: Risk


def read_message(text: str, services: Services) -> MessageReading:
    """Perceive and assess `text` as the first message of a conversation."""
    state: State = {"messages": [HumanMessage(text)]}
    reading = nodes.perceive(state, services)["reading"]
    risk = nodes.assess({**state, "reading": reading}, services)["risk"]
    return MessageReading(reading=reading, risk=risk)


def explained(text: str, settings: Settings, *, passes: bool = True) -> list[Explanation]:
    """Each IMHI facet of `text` in the benchmark's form, with its evidence; for researchers.

    passes: leave clauses out one at a time, which takes some hundred times as long as a reading;
    without it everything comes from one pass. Raises EncoderError.
    """
    return explanations(text, encoder(settings), passes=passes)
