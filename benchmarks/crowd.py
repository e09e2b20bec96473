"""The people of `benchmarks/serving.py`: conversations over HTTP, each a turn every so many seconds.

Every conversation tells a canary of its own. At its end its history is read: another's canary there is
cross-talk, and fewer of its messages than were acknowledged as kept is a loss; both are counted. A tenth of
the turns tell of danger for the first time, timed by themselves. Whoever is still waited for `patience`
seconds after the end is left, and counted. Knows nothing of what serves.
"""

import asyncio
import re
import statistics
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import httpx

DANGER = "I want to kill myself"
WORDS = (
    "my friend {c} was unkind to me today",
    "I keep thinking about {c}",
    "I slept badly",
    "what can I do?",
)
CANARY = re.compile(r"CANARY\d{4}")


@dataclass(frozen=True)
class Asked:
    """people: conversations at once. turns: end after so many, if that is sooner; fresh: turns after which
    somebody begins anew."""

    people: int
    every: float
    seconds: float
    turns: int = 0
    fresh: int = 0
    patience: float = 60.0


@dataclass
class Found:
    """What came of it. way: milliseconds of turns by what they were; routes: of every request."""

    way: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    routes: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    statuses: Counter[str] = field(default_factory=Counter)
    begun: int = 0
    unsaved: int = 0
    mixed: int = 0
    lost: int = 0
    unread: int = 0

    @property
    def turns(self) -> int:
        """Turns that were answered."""
        return sum(map(len, self.way.values()))

    def told(self) -> dict[str, Any]:
        """As plain data."""
        return {
            "turns": self.turns,
            "statuses": dict(self.statuses),
            "not_saved": self.unsaved,
            "cross_talk": self.mixed,
            "lost": self.lost,
            "histories_not_read": self.unread,
            **{f"{name}_ms": spread(self.way[name]) for name in ("ordinary", "new_danger", "care")},
            "routes_ms": {name: spread(times) for name, times in self.routes.items()},
        }


def spread(found: list[float]) -> dict[str, float]:
    """How many, the median, the 95th percentile, the worst."""
    if len(found) < 2:
        return {"n": len(found)}
    cut = statistics.quantiles(found, n=100, method="inclusive")
    return {"n": len(found), "p50": round(cut[49], 1), "p95": round(cut[94], 1), "max": round(max(found), 1)}


async def lead(url: str, asked: Asked, found: Found) -> None:
    """Lead everybody; returns twice `patience` seconds after the end at the latest."""
    limits = httpx.Limits(max_connections=asked.people * 2, max_keepalive_connections=asked.people * 2)
    async with httpx.AsyncClient(
        base_url=url, timeout=asked.seconds + asked.patience, limits=limits
    ) as client:
        end = time.monotonic() + asked.seconds
        await asyncio.gather(*(_Person(client, n, asked, end, found).lead() for n in range(asked.people)))


class _Person:
    """Somebody with one conversation after another."""

    def __init__(self, client: httpx.AsyncClient, n: int, asked: Asked, end: float, found: Found) -> None:
        self._client, self._n, self._asked, self._end, self._found = client, n, asked, end, found
        self._canary, self._here, self._kept = f"CANARY{n:04d}", "", 0

    async def lead(self) -> None:
        await asyncio.sleep(min(self._asked.every * self._n / self._asked.people, self._asked.seconds))
        try:
            async with asyncio.timeout(self._end - time.monotonic() + self._asked.patience):
                await self._talk()
        except TimeoutError:
            self._found.statuses["not answered in time"] += 1
        try:
            async with asyncio.timeout(self._asked.patience):
                if self._here:
                    await self._read()
        except TimeoutError:
            self._found.unread += 1

    async def _talk(self) -> None:
        asked, turn = self._asked, 0
        await self._begin()
        while self._here and self._goes_on():
            begun, danger = time.monotonic(), (self._n + turn) % 10 == 9
            text = DANGER if danger else WORDS[turn % len(WORDS)].format(c=self._canary)
            self._found.begun += 1
            await self._say(text, danger=danger)
            turn += 1
            if asked.fresh and turn % asked.fresh == 0:
                await self._read()
                await self._begin()
            after = begun + asked.every
            if after >= self._end:
                return
            await asyncio.sleep(max(0.0, after - time.monotonic()))

    def _goes_on(self) -> bool:
        return time.monotonic() < self._end and not 0 < self._asked.turns <= self._found.begun

    async def _say(self, text: str, *, danger: bool) -> None:
        answer = await self._sent("turns", "POST", f"{self._here}/turns", {"text": text})
        if isinstance(answer, str):
            self._found.statuses[answer] += 1
            return
        self._found.statuses[str(answer.status_code)] += 1
        if answer.status_code == 200:
            reply = answer.json()
            way = "new_danger" if danger else "care" if reply["escalated"] else "ordinary"
            self._found.way[way].append(1000 * answer.elapsed.total_seconds())
            self._kept += reply["saved"]
            self._found.unsaved += not reply["saved"]

    async def _begin(self) -> None:
        self._here, self._kept = "", 0
        while not self._here and self._goes_on():
            answer = await self._sent("begin", "POST", "/v1/conversations", {})
            if not isinstance(answer, str) and answer.status_code == 201:
                self._here = f"/v1/conversations/{answer.json()['id']}"
                return
            told = answer if isinstance(answer, str) else answer.status_code
            self._found.statuses[f"begin {told}"] += 1
            await asyncio.sleep(1)

    async def _read(self) -> None:
        """Look for the words of others, and for one's own."""
        for _ in range(5):
            answer = await self._sent("history", "GET", self._here)
            if not isinstance(answer, str) and answer.status_code == 200:
                mine = [line for line in answer.json() if line["role"] == "user"]
                self._found.mixed += bool(set(CANARY.findall(answer.text)) - {self._canary})
                self._found.lost += max(0, self._kept - len(mine))
                return
            await asyncio.sleep(1)
        self._found.unread += 1

    async def _sent(self, route: str, method: str, path: str, body: Any = None) -> httpx.Response | str:
        """The answer, or what became of the connection: an idle one may be closed just as it is used."""
        begun = time.perf_counter()
        try:
            answer = await self._client.request(method, path, json=body)
        except httpx.TransportError as error:
            return type(error).__name__
        self._found.routes[route].append(1000 * (time.perf_counter() - begun))
        return answer
