"""An OpenAI-compatible server on the loopback that answers as a test says."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["Answer", "chunk", "served"]

# What the server was asked -> status, and the pieces of its answer as they are sent.
Answer = Callable[[dict[str, Any]], tuple[int, Iterator[bytes]]]


def chunk(text: str) -> bytes:
    """One event of a streamed answer."""
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
    told = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return f"data: {json.dumps(told)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def saying(*texts: str) -> Answer:
    """Streams these pieces of text."""
    return lambda asked: (200, iter([*map(chunk, texts), DONE]))


@contextmanager
def served(
    *answers: Answer, models: tuple[str, ...] = ("m",), port: int = 0
) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a server that gives each answer in turn, the last one again; and what it was asked."""
    asked: list[dict[str, Any]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(200, iter([json.dumps({"data": [{"id": name} for name in models]}).encode()]))

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append({**body, "key": self.headers.get("Authorization")})
            self._send(*answers[min(len(asked), len(answers)) - 1](body))

        def _send(self, status: int, pieces: Iterator[bytes]) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "text/event-stream" if status == 200 else "application/json")
                self.end_headers()
                for piece in pieces:
                    self.wfile.write(piece)
                    self.wfile.flush()
            except OSError:
                return  # the client left, as it may

        def log_message(self, *args: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", asked
    finally:
        server.shutdown()
        server.server_close()
