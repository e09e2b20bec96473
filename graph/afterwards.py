"""What follows a turn: whoever is to know of danger is told, and the audit line is written.

In a thread of its own, so that the person never waits for it, and with a deadline for each part, so that
one that hangs is given up. Turns keep their order. The thread is no daemon: a program that ends still tells.
Knows nothing of who listens.
"""

import logging
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from graph.audit import entry
from graph.deadline import PartFailed, within
from graph.handoff import escalation
from graph.services import Services
from graph.state import State

if TYPE_CHECKING:
    from graph.turn import Turn

__all__ = ["follow"]

log = logging.getLogger("hearken")


def follow(
    services: Services,
    values: State,
    turn: "Turn | None",
    *,
    thread: str,
    before: threading.Thread | None,
) -> threading.Thread | None:
    """Begin what follows the turn that left `values`; None when there is nothing to do.

    turn: None when the person left before there was one; danger is told all the same. before: what this
    gave for the turn before, waited for first.
    """
    alarm, audit = services.escalate, services.audit
    if not alarm and not (audit and turn):
        return before
    left: State = {**values}  # the country may be changed before we come to it

    def work() -> None:
        if before is not None:
            before.join()
        outcome = ""
        told = escalation(left, thread=thread, readable=services.operator) if alarm else None
        if alarm and told:
            outcome = "told" if _done("escalate", lambda: alarm(told), services.hook_seconds) else "failed"
        if audit and turn:
            number = sum(1 for message in left["messages"] if message.type == "human")
            line = entry(turn, thread=thread, number=number, told=outcome)
            _done("audit", lambda: audit(line), services.hook_seconds)

    begun = threading.Thread(target=work, name="hearken-afterwards")
    try:
        begun.start()
    except RuntimeError as error:  # the machine has no thread left to give
        log.error("nobody could be told of this turn: %s", error)
        return before
    return begun


def _done(name: str, call: Callable[[], object], seconds: float) -> bool:
    try:
        within(seconds, call)
    except PartFailed as error:
        log.warning("%s after a turn: %s", name, error)
        return False
    return True
