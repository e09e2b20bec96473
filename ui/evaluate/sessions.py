"""Conversations of this installation, as what `hearken evaluate replies` measures: message in, reply out."""

from collections.abc import Callable
from dataclasses import replace

from agent import plan
from agent.evaluate.turns import Open, Reply, Say
from agent.sentences import registered
from graph import Session, Turn
from graph.services import Services

__all__ = ["sessions"]

PATIENCE = 600.0  # seconds


def sessions(services: Services, country: str, watch: Callable[[Turn], object] | None = None) -> Open:
    """Opens one conversation in memory after the other, each with the helplines of that country.

    Slow parts are waited for, so that a busy machine is measured by its best. watch: told of every turn.
    """
    services = replace(services, part_seconds=PATIENCE, reply_seconds=PATIENCE, step_seconds=PATIENCE)

    def opened() -> Say:
        session = Session.open(services=services, country=country)

        def say(text: str) -> Reply:
            turn = session.say(text)
            if watch:
                watch(turn)
            return Reply(
                text=turn.text,
                risk=turn.risk,
                escalated=turn.escalated,
                lines=len(turn.card),
                move=turn.plan["move"],
                intent=turn.plan["intent"],
                offered=_idea(turn.text),
                sources=tuple(passage["text"] for passage in turn.sources),
                allowed=services.allowed(country) | registered(turn.card),
            )

        return say

    return opened


def _idea(text: str) -> str:
    """The idea of ours that these words put to the person, "" for none; the plan's may have gone unsaid."""
    said = (
        plan.offered([("assistant", text)], language=language, practised=False) for language in ("en", "es")
    )
    return min(set().union(*said), default="")
