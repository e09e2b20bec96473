"""Every request, before anything else sees it: read up to the limit, timed, and counted by its route.

No path is told of, as ids stand in it. Knows nothing of what is asked.
"""

import asyncio
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.serve.errors import Refused
from ui.serve.metrics import Metrics
from ui.serve.words import serve_words
from ui.wording import fill

__all__ = ["Measured"]

# Seconds that a body may take to come; who sends it drop by drop would be waited for without end.
COMING = 30.0


class Measured:
    """Reads a body up to the limit, counts the request, and names its route, never its path."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, most: int) -> None:
        self._app, self._metrics, self._most = app, metrics, most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun, status = time.perf_counter(), [500]

        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
            await send(message)

        try:
            async with asyncio.timeout(COMING):
                body = await _body(receive, self._most)
        except TimeoutError:
            await Refused(408, "too_slow", serve_words().too_slow).response()(scope, receive, sending)
        except _Left:
            status[0] = 499  # as others write it; nobody is there to be answered
        except _TooLong:
            words = fill(serve_words().too_large, bytes=self._most)
            await Refused(413, "too_large", words).response()(scope, receive, sending)
        else:
            await self._app(scope, _again(body, receive), sending)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.request(route, scope["method"], status[0], time.perf_counter() - begun)


class _Left(Exception):
    """The client went away in the middle of its body."""


class _TooLong(Exception):
    """The body is longer than what is read."""


async def _body(receive: Receive, most: int) -> bytes:
    """The whole body. Raises _Left and _TooLong."""
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise _Left
        body += message.get("body", b"")
        if len(body) > most:
            raise _TooLong
        if not message.get("more_body"):
            return bytes(body)


def _again(body: bytes, receive: Receive) -> Receive:
    """A body that was read, for the app to read; then whatever else comes."""
    left = [body]

    async def receiving() -> Message:
        if left:
            return {"type": "http.request", "body": left.pop(), "more_body": False}
        return await receive()

    return receiving
