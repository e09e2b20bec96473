"""When to say again what this is, and when to suggest a break: by a monotonic clock that can be injected.

What is owed: the disclosure at the start and every three hours of use, every hour to somebody who said
that they are young; a break after an hour without a pause. Knows no words; those are in ui/words/.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

__all__ = ["Reminder", "Reminders"]

Reminder = Literal["disclosure", "rest"]

HOUR = 3600.0
# Between two disclosures, in continued use.
EVERY = 3 * HOUR
EVERY_WHEN_YOUNG = HOUR
# So long without a pause, and a break is suggested.
REST = HOUR
# So long without a message is a pause of its own.
AWAY = HOUR / 2


@dataclass
class Reminders:
    """The clock of one conversation: when it was last told what this is, and since when nobody paused."""

    clock: Callable[[], float]
    told: float | None = None
    since: float = 0.0
    seen: float | None = None

    def due(self, *, young: bool, in_danger: bool) -> list[Reminder]:
        """What is to be said now, and from now on counts as said.

        The disclosure is said in danger too. A break is not: nobody is to be sent away then.
        """
        now = self.clock()
        if self.seen is None or now - self.seen >= AWAY:
            self.since = now
        self.seen = now
        found: list[Reminder] = []
        if self.told is None or now - self.told >= (EVERY_WHEN_YOUNG if young else EVERY):
            self.told = now
            found.append("disclosure")
        if now - self.since >= REST and not in_danger:
            self.since = now
            found.append("rest")
        return found
