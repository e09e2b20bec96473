"""A thin client of `hearken serve`, for programs in Python. Needs httpx alone (extra `serve`).

    with Client("http://127.0.0.1:8600", key="hk-…") as client:
        conversation = client.open(country="GB")
        for event in conversation.stream("I can't sleep"): ...

A turn that is cut off is asked for again under the same key, so it is answered once. Knows nothing of graphs.
"""

import json
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import httpx

from agent.errors import HearkenError

__all__ = ["ApiError", "Client", "Conversation", "Reply"]

TRIES = 3


class ApiError(HearkenError):
    """A request that was not met. status: of HTTP; code: for programs; the text is a sentence."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


@dataclass(frozen=True, slots=True)
class Reply:
    """A turn. card and reminders have to be shown to the person."""

    text: str
    risk: str
    escalated: bool
    card: list[dict[str, str]]
    saved: bool
    number: int
    reminders: list[str]


class Client:
    """A connection. transport: for tests, or for a proxy of your own."""

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout: float = 150.0,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._http = httpx.Client(base_url=url, headers=headers, timeout=timeout, transport=transport)

    def __enter__(self) -> "Client":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()

    def open(self, country: str | None = None) -> "Conversation":
        """Begin a conversation; its `about` has to be shown first."""
        made = self.ask("POST", "/v1/conversations", {"country": country})
        return Conversation(self, made["id"], made["about"])

    def conversation(self, ident: str) -> "Conversation":
        """One that was begun before."""
        return Conversation(self, ident, [])

    def conversations(self) -> list[str]:
        """The ids of one's own, newest first."""
        return [found["id"] for found in self.ask("GET", "/v1/conversations")]

    def health(self) -> dict[str, Any]:
        """Every part by itself."""
        found: dict[str, Any] = self._http.get("/health").json()
        return found

    def ask(self, method: str, path: str, body: Any = None, key: str | None = None) -> Any:
        """One request. With a key it is asked again when it was cut off or waits. Raises ApiError."""
        headers = {"Idempotency-Key": key} if key else {}
        for left in reversed(range(TRIES if key else 1)):
            try:
                answer = self._http.request(method, path, json=body, headers=headers)
            except httpx.TransportError as error:
                if not left:
                    raise ApiError(0, "unreachable", f"{self._http.base_url} cannot be reached.") from error
                continue
            if answer.status_code in {409, 503} and left and "Retry-After" in answer.headers:
                time.sleep(min(float(answer.headers["Retry-After"]), 10))
                continue
            return _met(answer)
        raise AssertionError("the last try returns or raises")

    def events(self, path: str, body: Any, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """(name, data) of a stream of events. Raises ApiError."""
        with self._http.stream("POST", path, json=body, headers={"Idempotency-Key": key}) as answer:
            if answer.is_error:
                answer.read()
                _met(answer)
            name = ""
            for line in answer.iter_lines():
                if line.startswith("event: "):
                    name = line.removeprefix("event: ")
                elif line.startswith("data: "):
                    yield name, json.loads(line.removeprefix("data: "))


@dataclass(frozen=True, slots=True)
class Conversation:
    """One conversation of the key's owner."""

    client: Client
    id: str
    about: list[str]

    @property
    def _path(self) -> str:
        return f"/v1/conversations/{self.id}"

    def say(self, text: str, *, key: str | None = None) -> Reply:
        """Say something and wait for the whole reply."""
        return Reply(
            **self.client.ask("POST", f"{self._path}/turns", {"text": text}, key or uuid.uuid4().hex)
        )

    def stream(self, text: str, *, key: str | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
        """Say something and see it come: (`step` | `card` | `said` | `done`, data)."""
        return self.client.events(f"{self._path}/stream", {"text": text}, key or uuid.uuid4().hex)

    def history(self) -> list[dict[str, str]]:
        """Who said what."""
        found: list[dict[str, str]] = self.client.ask("GET", self._path)
        return found

    def export(self) -> dict[str, Any]:
        """All that is kept."""
        found: dict[str, Any] = self.client.ask("GET", f"{self._path}/export")
        return found

    def feedback(self, turn: int, *, helpful: bool) -> None:
        """Whether a turn helped."""
        self.client.ask("PUT", f"{self._path}/feedback", {"turn": turn, "helpful": helpful})

    def delete(self) -> None:
        """Forget it for good."""
        self.client.ask("DELETE", self._path)


def _met(answer: httpx.Response) -> Any:
    if not answer.is_error:
        return answer.json() if answer.content else None
    try:
        told = answer.json()["error"]
        code, message = str(told["code"]), str(told["message"])
    except (ValueError, KeyError, TypeError):
        code, message = "unknown", f"The server answered {answer.status_code}."
    raise ApiError(answer.status_code, code, message)
