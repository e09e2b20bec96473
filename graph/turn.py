"""One turn: the events it comes as, what it came to, and the run of the graph that both are gathered from.

Knows nothing of where a conversation is kept, nor of turns before or after this one.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from langchain_core.messages import AIMessage, AnyMessage, HumanMessage

from agent.brief import Passage, Plan, Reading, Replaced
from agent.reading.ladder import Level
from graph import handoff
from graph.desk import Answer
from graph.services import Services
from graph.state import State, kept

__all__ = ["CardShown", "Done", "Event", "Run", "Said", "StepStarted", "Turn"]


@dataclass(frozen=True, slots=True)
class Turn:
    """What one turn came to. risk: the level. escalated: under crisis care, by a new cue or by memory.

    card: the helplines shown. sources: the passages looked up. path: the steps taken, in order.
    reasons: plain sentences on how it was weighed. replaced: sentences the guard took out.
    milliseconds: per step. saved: False when the conversation was to be kept and could not be.
    """

    text: str
    risk: Level
    escalated: bool
    card: list[dict[str, str]]
    reading: Reading
    plan: Plan
    sources: list[Passage]
    path: list[str]
    reasons: list[str]
    replaced: list[Replaced]
    responder: str
    milliseconds: dict[str, float]
    saved: bool
    values: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class StepStarted:
    """A step of the turn began; name is the node's."""

    name: str


@dataclass(frozen=True, slots=True)
class Said:
    """A guarded sentence, or a whole crisis reply: these never come in pieces."""

    text: str


@dataclass(frozen=True, slots=True)
class CardShown:
    """Helplines to show, before the words that go with them."""

    contacts: list[dict[str, str]]


@dataclass(frozen=True, slots=True)
class Done:
    """The last event of a turn."""

    turn: Turn


Event = StepStarted | Said | CardShown | Done


class Run:
    """Gathers what one run of the graph writes, and turns its stream into events."""

    def __init__(self, before: dict[str, Any], message: HumanMessage) -> None:
        self.message = message
        self.shown: list[str] = []
        self.paused = False
        self.answer = Answer(said="", back=False)
        self._carded = False
        self._before = before
        self._wrote: dict[str, Any] = {}
        self._reply: AIMessage | None = None
        self._path: list[str] = []
        self._times: dict[str, float] = {}
        self._begun = time.perf_counter()

    @property
    def finished(self) -> bool:
        return self._reply is not None

    @property
    def weighed(self) -> bool:
        """Whether the danger of this message is known."""
        return "risk" in self._wrote

    @property
    def planned(self) -> bool:
        """Whether it came so far that there is something to tell of it."""
        return "plan" in self._wrote

    def events(self, stream: Iterator[Any]) -> Iterator[Event]:
        """StepStarted, CardShown and Said, as the graph goes."""
        self.paused = False
        for mode, chunk in stream:
            if mode == "custom":
                yield from self._custom(chunk)
                continue
            for node, update in chunk.items():
                yield from self._update(node, update)

    def _custom(self, chunk: Any) -> Iterator[Event]:
        if chunk.get("type") == "step":
            self._begun = time.perf_counter()
            yield StepStarted(chunk["name"])
        elif chunk.get("type") == "sentence":
            self.shown.append(chunk["text"])
            yield Said(chunk["text"])

    def _update(self, node: str, update: dict[str, Any]) -> Iterator[Event]:
        if node == "__interrupt__":
            self.paused = True
            return
        self._path.append(node)
        self._times[node] = round((time.perf_counter() - self._begun) * 1000, 2)
        if node != "guard":
            self._wrote.update(update or {})
            return
        self._reply = update["messages"][-1]
        if self._wrote.get("draft", {}).get("card") and not self._carded:
            yield CardShown(self._wrote["draft"]["card"])
        if not self.shown:
            yield Said(str(self._reply.content))

    def waiting(self, services: Services, thread: str) -> Iterator[Event]:
        """The lines that go with new danger, which nobody should wait for; then the operator's answer."""
        values: State = self.after()  # type: ignore[assignment]
        if values["risk"]["fresh"]:
            self._carded = True
            yield CardShown(handoff.lines(values, services))
        for answer in handoff.awaited(services, thread, values["messages"]):
            if answer is None:
                yield StepStarted("handoff")
            else:
                self.answer = answer

    def shown_message(self) -> AIMessage:
        return AIMessage(" ".join(self.shown))

    def said(self) -> list[AnyMessage]:
        """The message, and the reply as far as it came."""
        reply = self._reply or (self.shown_message() if self.shown else None)
        return [self.message, *([reply] if reply else [])]

    def after(self) -> dict[str, Any]:
        """The conversation after this run, or as far as it came."""
        messages = [*self._before["messages"], *self.said()]
        return {**self._before, **kept(self._wrote), "messages": messages}

    def turn(self, *, saved: bool) -> Turn:
        """The finished turn."""
        values = self.after()
        draft = self._wrote.get("draft") or {}
        plan: Plan = values["plan"].copy()
        plan["offer"] = draft.get("offered", "")  # what was spoken, which a passage may have changed
        return Turn(
            text=str(self._reply.content) if self._reply else " ".join(self.shown),
            risk=values["risk"]["level"],
            escalated=values["risk"]["escalate"],
            card=draft.get("card", []),
            reading=values["reading"],
            plan=plan,
            sources=self._wrote.get("passages", []),
            path=self._path,
            reasons=values["risk"]["reasons"],
            replaced=draft.get("replaced", []),
            responder=draft.get("responder", "static"),
            milliseconds=self._times,
            saved=saved,
            values=values,
        )
