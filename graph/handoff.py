"""When a person takes the conversation over: who is told of danger, and the step that waits for their words.

The danger of a message is weighed before this step, and the lines of the country are shown before the wait;
whatever fails here ends in our own reply, with a sentence that says so. Knows nothing of LangGraph (`ask` is
its interrupt, handed in) nor of where an operator sits.
"""

import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

from langchain_core.messages import AnyMessage

from agent.brief import Draft, Plan
from agent.reading.ladder import at_least
from agent.responders.handoff import OPERATOR, Handoff, opening
from agent.responders.static import static_reply
from graph.conversation import said, said_by, whose
from graph.deadline import PartFailed, within
from graph.desk import Answer, Escalation, Line
from graph.services import Services
from graph.state import State

__all__ = ["awaited", "escalation", "forget", "handoff", "held", "lines"]

log = logging.getLogger("hearken")

Ask = Callable[[dict[str, object]], object]
# An operator's message is said as it was written, up to so many characters.
LONGEST = 4000
# Seconds between two looks at the desk.
POLL = 0.5


def handoff(state: State, services: Services, ask: Ask) -> State:
    """Pause for the operator's words. `ask` gives a string, or `{"said": ..., "back": bool}`; without words
    the turn goes on in ours, and begins with the reason."""
    risk = state["risk"]
    answer = ask({"level": risk["level"], "kinds": list(risk["kinds"]), "subject": risk["subject"]})
    given: Mapping[str, Any] = answer if isinstance(answer, Mapping) else {"said": answer}
    said = str(given.get("said") or "").replace("\x00", "").strip()[:LONGEST]
    if not said:
        return {"operator": "back" if given.get("back") else "missed"}
    draft = Draft(
        sentences=[*_joined(state), said],
        card=lines(state, services) if risk["fresh"] else [],
        replaced=[],
        responder=OPERATOR,
        offered="",
    )
    return {"operator": "said", "draft": draft, "plan": _plan()}


def lines(state: State, services: Services) -> list[dict[str, str]]:
    """The helplines that go with the danger of this turn; the baked ones when the registry fails."""
    risk, country = state["risk"], whose(state, services)
    young = "minor" in risk["marks"] or "minor" in risk["kinds"]
    try:
        return within(
            services.part_seconds,
            lambda: list(services.contacts(country, risk["kinds"], level=risk["level"], young=young)),
        )
    except PartFailed:
        return static_reply(country, risk["level"])[1]


def escalation(values: State, *, thread: str, readable: bool) -> Escalation | None:
    """What to tell of this turn; None below high. readable: the conversation may go with it."""
    risk = values.get("risk")
    if risk is None or not at_least(risk["level"], "high"):
        return None
    told = Escalation(
        thread=thread,
        turn=len(said_by(values, "human")),
        level=risk["level"],
        fresh=risk["fresh"],
        kinds=list(risk["kinds"]),
        subject=risk["subject"],
        country=(values.get("person") or {}).get("country", ""),
    )
    if readable:
        told["conversation"] = _conversation(values.get("messages") or [])
    return told


def held(services: Services, thread: str) -> Handoff:
    """Whose the next words are; ours whenever the desk cannot say."""
    desk = services.desk
    if desk is None:
        return ""
    try:
        return within(services.part_seconds, lambda: desk.holds(thread))
    except PartFailed as error:
        log.warning("the desk could not be asked: %s", error)
        return ""


def awaited(services: Services, thread: str, messages: Sequence[AnyMessage]) -> Iterator[Answer | None]:
    """Ask the operator: None as long as nobody answers, so that the person may leave; at last the answer."""
    desk, end = services.desk, time.monotonic() + services.operator_seconds
    found: Answer | None = None
    try:
        if desk is not None:
            within(services.part_seconds, partial(desk.ask, thread, _conversation(messages)))
        while desk is not None and found is None:
            yield None
            last = time.monotonic() >= end
            found = within(services.part_seconds, partial(desk.answered, thread, last=last))
            if found is None:
                time.sleep(min(POLL, max(end - time.monotonic(), 0)))
    except PartFailed as error:
        log.warning("the desk could not be asked: %s", error)
    except GeneratorExit:  # an answer to what the person left must not meet what they write next
        if desk is not None:
            _quietly(services, partial(desk.left, thread))
        raise
    yield found or Answer(said="", back=False)


def forget(services: Services, thread: str) -> None:
    """Take a conversation off the desk."""
    if services.desk is not None:
        _quietly(services, partial(services.desk.drop, thread))


def _quietly(services: Services, call: Callable[[], object]) -> None:
    try:
        within(services.part_seconds, call)
    except PartFailed as error:
        log.warning("the desk could not be told: %s", error)


def _conversation(messages: Sequence[AnyMessage]) -> list[Line]:
    def role(message: AnyMessage) -> Any:
        return "person" if message.type == "human" else OPERATOR if message.name == OPERATOR else "assistant"

    return [Line(role=role(m), text=str(m.text)) for m in messages if m.type in {"human", "ai"}]


def _joined(state: State) -> list[str]:
    before = next((m for m in reversed(state.get("messages") or []) if m.type == "ai"), None)
    return [] if before is not None and before.name == OPERATOR else opening("said", said(state))


def _plan() -> Plan:
    return Plan(
        move=OPERATOR,
        steps=[],
        intent="neutral",
        stage="explore",
        topic="general",
        feeling="",
        ask=False,
        offer="",
        words=0,
        careful=True,
    )
