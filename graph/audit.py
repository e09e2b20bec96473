"""The audit trail: one line a turn without a word that anyone wrote, and what may be counted from it.

Conversations are named by an HMAC under a salt that lives in memory for one day: lines of a conversation
belong together, and nobody, we included, can lead them back to it later. Off unless a folder was named;
`graph/chain.py` keeps the file. Knows nothing of how a turn comes about.
"""

import hashlib
import hmac
import logging
import secrets
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import AuditError
from graph import chain
from graph.chain import Record

if TYPE_CHECKING:
    from graph.turn import Turn

__all__ = ["Trail", "counts", "entry", "purge"]

log = logging.getLogger("hearken")

# Lines that wait for a disk that does not take them; beyond it the oldest is lost, and counted.
WAITING = 1000


def entry(turn: "Turn", *, thread: str, number: int, told: str) -> Record:
    """What the trail keeps of a turn: names, numbers and rule ids. `thread` is hashed before it is written.

    told: `told` or `failed` when somebody was to be alerted, else empty.
    """
    risk = turn.values["risk"]
    return {
        "thread": thread,
        "turn": number,
        "level": turn.risk,
        "escalated": turn.escalated,
        "fresh": risk["fresh"],
        "kinds": list(risk["kinds"]),
        "subject": risk["subject"],
        "rules": [cue["rule"] for cue in risk["cues"]],
        "action": turn.plan["move"],
        "path": list(turn.path),
        "responder": turn.responder,
        "shown": [contact["name"] for contact in turn.card],
        "country": turn.values["person"].get("country", ""),
        "replaced": [one["rule"] for one in turn.replaced],
        "ms": round(sum(turn.milliseconds.values()), 1),
        "degraded": bool(risk["degraded"] or turn.reading["degraded"]),
        "saved": turn.saved,
        "told": told,
    }


class Trail:
    """Where lines are written. A disk that fails costs nothing but the delay of a line.

    key: gives the key, and is asked at the first line. failures: how often the disk failed; lost:
    lines given up because too many waited. Both stand in the next line that is written.
    """

    def __init__(
        self,
        folder: Path,
        key: Callable[[], bytes],
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.failures = 0
        self.lost = 0
        self._folder, self._key, self._now = folder, key, now
        self._waiting: list[Record] = []
        self._lock = threading.Lock()
        self._salt, self._day = b"", ""

    def write(self, given: Record) -> None:
        """Add a line, and those that an earlier failure left waiting."""
        line = self._stamped(given)
        with self._lock:
            self._waiting.append({**line, "failures": self.failures, "lost": self.lost})
            if len(self._waiting) > WAITING:
                del self._waiting[0]
                self.lost += 1
            try:
                chain.append(self._folder, self._key(), self._waiting)
            except (OSError, AuditError) as error:
                self.failures += 1
                log.warning("the audit trail could not be written (%s); the line waits", type(error).__name__)

    def _stamped(self, given: Record) -> Record:
        now = self._now().astimezone(UTC)
        with self._lock:
            if self._day != now.date().isoformat():
                self._salt, self._day = secrets.token_bytes(32), now.date().isoformat()
            session = hmac.new(self._salt, given["thread"].encode(), hashlib.sha256).hexdigest()[:16]
        return {
            "at": now.isoformat(timespec="milliseconds"),
            "mono": round(time.monotonic(), 3),
            "session": session,
            **{name: value for name, value in given.items() if name != "thread"},
            "version": self._version,
        }

    @cached_property
    def _version(self) -> str:
        try:
            return version("hearken")
        except PackageNotFoundError:
            return "unknown"


def purge(folder: Path, key: bytes, *, days: int, now: datetime | None = None) -> int:
    """Remove the lines older than `days` and keep their counts, in an anchor; how many went.

    Raises AuditError when the trail does not verify.
    """
    bar = (now or datetime.now(UTC)) - timedelta(days=days)
    return chain.shorten(
        folder,
        key,
        lambda line: datetime.fromisoformat(line["at"]) < bar,
        lambda gone: {"counts": _counted(gone)},
    )


def counts(folder: Path) -> dict[str, Any]:
    """By year, purged lines included: turns, turns by level, and the turns that showed helplines by
    kind and country. Numbers alone: nothing in them names a person or a conversation."""
    return _counted(chain.lines(folder))


def _counted(found: Sequence[Record]) -> dict[str, Any]:
    years: dict[str, Any] = {}
    for line in found:
        for year, counted in line.get("counts", {}).items():
            _add(years.setdefault(year, {}), counted)
        if "anchor" not in line:
            _add(years.setdefault(line["at"][:4], {}), _one(line))
    return dict(sorted(years.items()))


def _one(line: Record) -> dict[str, Any]:
    shown = bool(line["shown"])
    return {
        "turns": 1,
        "referrals": int(shown),
        "levels": {line["level"]: 1},
        "kinds": dict.fromkeys(line["kinds"], 1) if shown else {},
        "countries": {line["country"] or "unknown": 1} if shown else {},
    }


def _add(to: dict[str, Any], more: dict[str, Any]) -> None:
    for name, value in more.items():
        if isinstance(value, dict):
            _add(to.setdefault(name, {}), value)
        else:
            to[name] = to.get(name, 0) + value
