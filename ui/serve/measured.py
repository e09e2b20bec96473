"""Every request, before anything else sees it: read up to the limit, timed, and counted by its route.

No path is told of, as ids stand in it. Knows nothing of what is asked.
"""

import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ui.serve.errors import Refused
from ui.serve.metrics import Metrics
from ui.serve.words import serve_words
from ui.wording import fill

__all__ = ["Measured"]


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
            body = await _body(receive, self._most)
            if body is None:
                words = fill(serve_words().too_large, bytes=self._most)
                await Refused(413, "too_large", words).response()(scope, receive, sending)
            else:
                await self._app(scope, _again(body, receive), sending)
        finally:
            route = getattr(scope.get("route"), "path", "other")
            self._metrics.request(route, scope["method"], status[0], time.perf_counter() - begun)


async def _body(receive: Receive, most: int) -> bytes | None:
    """The whole body, or None when it is too long."""
    body = bytearray()
    while True:
        message = await receive()
        body += message.get("body", b"")
        if len(body) > most:
            return None
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
