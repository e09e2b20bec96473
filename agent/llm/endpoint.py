"""A model behind an OpenAI-compatible server (Ollama, llama.cpp, vLLM, LM Studio), as a source of text.

Streamed; one retry where the server failed at once, none where it was slow; after three failures in a row
it is left alone for a while. Each failure is a ResponderError of one sentence that says what to do, and
carries nothing that the server sent. Knows nothing of prompts or of what is said.
"""

import importlib
import importlib.util
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from pydantic import SecretStr

from agent.backends import Endpoint
from agent.errors import ResponderError
from agent.llm.chat import Stream, streamed
from agent.prompt import Message

__all__ = ["Breaker", "away", "connect"]

PAUSE = 0.5  # seconds before the one retry
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
# What the client and the parsing of an answer raise beside the errors of openai and httpx.
_NONSENSE = (AttributeError, LookupError, OSError, RuntimeError, TypeError, ValueError)


@dataclass
class Breaker:
    """After `most` failures in a row nobody asks again for `rest` seconds; then one may try."""

    most: int = 3
    rest: float = 30.0
    clock: Callable[[], float] = time.monotonic
    failures: int = 0
    until: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def wait(self) -> float:
        """Seconds until the server may be asked again; 0 for who may now, which after a rest is one."""
        with self.lock:
            left = max(self.until - self.clock(), 0.0)
            if not left and self.failures >= self.most:
                self.until = self.clock() + self.rest
            return left

    def note(self, *, failed: bool) -> None:
        """What came of asking."""
        with self.lock:
            self.failures = self.failures + 1 if failed else 0
            self.until = self.clock() + self.rest if self.failures >= self.most else 0.0


def away(config: Endpoint) -> str:
    """The host that what a person writes is sent to, "" where that is this machine."""
    host = urlsplit(config.url).hostname or ""
    return "" if host in LOOPBACK else host


def connect(
    config: Endpoint,
    *,
    breaker: Breaker | None = None,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
) -> Stream:
    """The server's text for messages; it is asked nothing before a reply is due. Loads the client's library.

    Raises ResponderError where the `endpoint` extra is missing or the address is none.
    """
    if importlib.util.find_spec("langchain_openai") is None:
        raise ResponderError(
            "A model behind a server needs langchain-openai: pip install 'hearken[endpoint]', "
            "or choose the guided responder."
        )
    parts = urlsplit(config.url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ResponderError(
            f"{config.url} is no address: set HEARKEN_ENDPOINT_URL to one such as http://127.0.0.1:11434/v1."
        )
    guard = breaker or Breaker(clock=clock)
    model = _model(config)

    def stream(messages: Sequence[Message], **options: Any) -> Iterator[str]:
        if wait := guard.wait():
            raise ResponderError(
                f"The server at {config.url} failed {guard.failures} times in a row and is left alone for "
                f"{wait:.0f} s more; see that it runs."
            )
        try:
            yield from _once_more(lambda: _first_in_time(model(messages, **options), config, clock), sleep)
        except _Failed as failed:
            guard.note(failed=True)
            raise ResponderError(_says(failed.cause, config)) from failed.cause
        except GeneratorExit:  # what had come was enough
            guard.note(failed=False)
            raise
        guard.note(failed=False)

    return stream


class _Failed(Exception):
    """A call that came to nothing. cause: what the client raised. began: whether words had come."""

    def __init__(self, cause: Exception, *, began: bool) -> None:
        super().__init__()
        self.cause, self.began = cause, began


def _once_more(call: Callable[[], Iterator[str]], sleep: Callable[[float], object]) -> Iterator[str]:
    """The call's text; made a second time where it failed at once, for a slow server only gets slower."""
    try:
        yield from call()
    except _Failed as failed:
        if failed.began or not _passing(failed.cause):
            raise
        sleep(PAUSE)
        yield from call()


def _first_in_time(texts: Iterator[str], config: Endpoint, clock: Callable[[], float]) -> Iterator[str]:
    """The text, given up where no word has come within the time for the first."""
    import openai  # noqa: PLC0415 - of the extra

    end, began = clock() + config.first_seconds, False
    try:
        for text in texts:
            began = began or bool(text.strip())
            if not began and clock() > end:
                raise TimeoutError  # told like the client's own
            yield text
    except (openai.OpenAIError, _http().HTTPError, *_NONSENSE) as error:
        raise _Failed(error, began=began) from error


def _model(config: Endpoint) -> Stream:
    # Not ChatOpenAI: it calls `max_tokens` by a name that other servers do not know.
    from langchain_openai.chat_models.base import BaseChatOpenAI  # noqa: PLC0415 - of the extra

    http = _http()
    # A proxy of the environment is for other machines; what is said to this one does not leave it.
    direct = None if away(config) else http.Client(transport=http.HTTPTransport())
    client = BaseChatOpenAI(
        http_client=direct,
        model=config.model,
        base_url=config.url,
        api_key=config.key or SecretStr("none"),  # the client wants one even where no server does
        temperature=config.temperature,
        top_p=config.top_p,
        seed=config.seed,
        # the one such setting that every server knows
        frequency_penalty=round((config.repetition_penalty - 1) * 2, 2),
        timeout=config.first_seconds,
        max_retries=0,
        stream_usage=False,
    )
    return streamed(client)


def _http() -> Any:
    """The HTTP library that the client uses, under whichever name."""
    name = "httpx2" if importlib.util.find_spec("httpx2") else "httpx"
    return importlib.import_module(name)


def _timed_out(error: Exception) -> bool:
    import openai  # noqa: PLC0415 - of the extra

    return isinstance(error, openai.APITimeoutError | _http().TimeoutException | TimeoutError)


def _passing(error: Exception) -> bool:
    """Whether the next call may go well: a refused or broken connection, a server's own fault, nonsense."""
    import openai  # noqa: PLC0415 - of the extra

    if _timed_out(error):
        return False
    if isinstance(error, openai.APIStatusError):
        return error.status_code >= 500
    return True


def _says(error: Exception, config: Endpoint) -> str:
    """One sentence that tells what is wrong and what to do. Nothing of what the server sent."""
    import openai  # noqa: PLC0415 - of the extra

    where, url = f"the server at {config.url}", config.url
    status = error.status_code if isinstance(error, openai.APIStatusError) else 0
    if _timed_out(error):
        return (
            f"No word came from {where} within {config.first_seconds:g} s: choose a smaller model, "
            "or raise HEARKEN_ENDPOINT_SECONDS."
        )
    if isinstance(error, openai.APIConnectionError | _http().ConnectError):
        return f"Nothing answers at {url}: start the server, or change HEARKEN_ENDPOINT_URL."
    refused = {
        401: f"The key was refused by {where}: set HEARKEN_ENDPOINT_KEY to one that it takes.",
        403: f"The key was refused by {where}: set HEARKEN_ENDPOINT_KEY to one that it takes.",
        404: f"There is no model {config.model} at {url}: set HEARKEN_MODEL to one that it offers; "
        "`hearken models` lists those of servers on this machine.",
        429: f"Too much is asked of {where} just now: wait a little, or choose another.",
        0: f"What came from {where} cannot be read: see that it speaks the OpenAI protocol.",
    }
    return refused.get(status, f"The request was refused by {where} (HTTP {status}): see its own log.")
