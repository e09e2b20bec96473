"""A server that answers, and every way it may not: one sentence each, one retry, then left alone."""

import itertools
import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from agent.backends import Endpoint
from agent.errors import ResponderError
from agent.llm import endpoint
from agent.llm.chat import Chat
from agent.llm.endpoint import Breaker, away, connect
from tests import fakes
from tests.stub_server import DONE, Answer, chunk, saying, served

pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
GOOD = saying("I he", "ar you. It sounds", " lonely there.")


def chat(url: str, **changes: Any) -> Chat:
    config = Endpoint(url=url, model="m", **{"first_seconds": 5, **changes})
    return Chat(connect(config, sleep=lambda seconds: None))


def failing(status: int) -> Answer:
    return lambda asked: (status, iter([json.dumps({"error": {"message": "your text: secret"}}).encode()]))


def test_a_reply_comes_in_sentences() -> None:
    with served(GOOD) as (url, asked):
        assert list(chat(url).respond(fakes.brief())) == ["I hear you.", "It sounds lonely there."]
    (call,) = asked
    assert call["stream"] is True
    assert call["max_tokens"] <= 220
    assert [message["role"] for message in call["messages"]] == ["system", "user"]
    assert len(call["stop"]) <= 4


def test_the_first_sentence_does_not_wait_for_the_rest() -> None:
    more = threading.Event()

    def slowly(asked: Any) -> tuple[int, Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            yield chunk("I hear you. It")
            more.wait(10)
            yield chunk(" sounds lonely.")
            yield DONE

        return 200, pieces()

    with served(slowly) as (url, _):
        sentences = chat(url).respond(fakes.brief())
        assert next(sentences) == "I hear you."
        more.set()
        assert list(sentences) == ["It sounds lonely."]


def test_the_key_goes_to_the_server_and_nowhere_else() -> None:
    with served(failing(401)) as (url, asked):
        asking = chat(url, key=SecretStr("sk-very-secret"))
        with pytest.raises(ResponderError, match="HEARKEN_ENDPOINT_KEY") as raised:
            list(asking.respond(fakes.brief()))
    assert asked[0]["key"] == "Bearer sk-very-secret"
    assert "very-secret" not in f"{raised.value} {asking}"


@pytest.mark.parametrize(
    ("answer", "says", "asked_times"),
    [
        (failing(401), "key was refused", 1),
        (failing(404), "There is no model m", 1),
        (failing(429), "Too much is asked", 1),
        (failing(400), "HTTP 400", 1),
        (failing(500), "HTTP 500", 2),
        (lambda asked: (200, iter([b"data: {garbage\n\n"])), "cannot be read", 2),
        (lambda asked: (200, iter([b"data: [1, 2]\n\n", DONE])), "cannot be read", 2),
        (lambda asked: (200, iter([b"<html>hello</html>"])), "cannot be read", 2),
        (lambda asked: (200, iter([DONE])), "cannot be read", 2),
        (saying("", " ", "\n"), "empty answer", 1),
    ],
    ids=["key", "model", "busy", "refused", "fault", "garbage", "shape", "html", "nothing", "blank"],
)  # fmt: skip
def test_each_failure_is_one_sentence_with_what_to_do(answer: Answer, says: str, asked_times: int) -> None:
    with served(answer) as (url, asked), pytest.raises(ResponderError, match=says) as raised:
        list(chat(url).respond(fakes.brief()))
    assert len(asked) == asked_times
    assert "secret" not in str(raised.value)
    assert str(raised.value).count("\n") == 0


def test_a_server_that_is_down() -> None:
    with served(GOOD) as (url, _):
        pass
    with pytest.raises(ResponderError, match="Nothing answers at"):
        list(chat(url).respond(fakes.brief()))


def test_a_fault_that_passes_is_not_seen() -> None:
    with served(failing(503), GOOD) as (url, asked):
        assert list(chat(url).respond(fakes.brief()))
    assert len(asked) == 2


def _mute(asked: Any) -> tuple[int, Iterator[bytes]]:
    release = threading.Event()
    return 200, iter(lambda: chunk("late") if release.wait(2) else b"", b"")


def _blank(asked: Any) -> tuple[int, Iterator[bytes]]:
    release = threading.Event()
    return 200, (chunk("") for _ in itertools.takewhile(lambda _: not release.wait(0.05), range(100)))


@pytest.mark.parametrize("slow", [_mute, _blank], ids=["says nothing", "sends blanks"])
def test_a_first_word_that_is_late_is_not_waited_for_and_not_asked_for_twice(slow: Answer) -> None:
    with served(slow) as (url, asked):
        with pytest.raises(ResponderError, match=r"within 0\.3 s"):
            list(chat(url, first_seconds=0.3).respond(fakes.brief()))
        assert len(asked) == 1


def test_a_connection_that_breaks_off_is_an_error_after_what_came() -> None:
    def half(asked: Any) -> tuple[int, Iterator[bytes]]:
        return 200, iter([chunk("I hear you. It so"), b"data: {broken\n\n"])

    with served(half) as (url, asked):
        sentences = chat(url).respond(fakes.brief())
        assert next(sentences) == "I hear you."
        with pytest.raises(ResponderError):
            list(sentences)
    assert len(asked) == 1


def test_one_that_loops_is_cut() -> None:
    def endless(asked: Any) -> tuple[int, Iterator[bytes]]:
        return 200, (chunk("I hear you. ") for _ in itertools.count())

    with served(endless) as (url, _):
        assert list(chat(url).respond(fakes.brief())) == ["I hear you."]


def test_after_three_failures_it_is_left_alone_for_a_while() -> None:
    now = [0.0]
    breaker = Breaker(clock=lambda: now[0])
    with served(*[failing(400)] * 3, GOOD) as (url, asked):
        config = Endpoint(url=url, model="m")
        asking = Chat(connect(config, breaker=breaker, sleep=lambda seconds: None))
        for _ in range(3):
            with pytest.raises(ResponderError, match="HTTP 400"):
                list(asking.respond(fakes.brief()))
        with pytest.raises(ResponderError, match="left alone"):
            list(asking.respond(fakes.brief()))
        assert len(asked) == 3
        now[0] = 31.0
        assert list(asking.respond(fakes.brief()))
        assert breaker.failures == 0


def test_a_reply_that_was_long_enough_is_no_failure_and_ends_a_row_of_them() -> None:
    def endless(asked: Any) -> tuple[int, Iterator[bytes]]:
        return 200, (chunk("I hear you. ") for _ in itertools.count())

    breaker = Breaker(failures=2)
    with served(endless) as (url, _):
        list(Chat(connect(Endpoint(url=url, model="m"), breaker=breaker)).respond(fakes.brief()))
    assert breaker.failures == 0


def test_after_a_rest_one_asks_and_the_others_wait_for_what_comes_of_it() -> None:
    now = [0.0]
    breaker = Breaker(most=1, rest=30.0, clock=lambda: now[0])
    breaker.note(failed=True)
    assert breaker.wait() == 30.0
    now[0] = 30.0
    assert [breaker.wait(), breaker.wait()] == [0.0, 30.0]
    breaker.note(failed=False)
    assert [breaker.wait(), breaker.wait()] == [0.0, 0.0]


@pytest.mark.parametrize("name", ["HTTP_PROXY", "ALL_PROXY"])
def test_what_is_said_to_this_machine_goes_through_no_proxy(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in ("HTTP_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(other, raising=False)
        monkeypatch.delenv(other.lower(), raising=False)
    with served(saying("It went elsewhere.")) as (elsewhere, heard), served(GOOD) as (url, _):
        monkeypatch.setenv(name, elsewhere.removesuffix("/v1"))
        assert "I hear you." in list(chat(url).respond(fakes.brief()))
    assert heard == []


def test_where_the_extra_is_missing_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ResponderError, match=r"hearken\[endpoint\]"):
        connect(Endpoint(url="http://127.0.0.1:1/v1", model="m"))


@pytest.mark.parametrize("url", ["ollama", "ftp://x/v1", "http://"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(ResponderError, match="HEARKEN_ENDPOINT_URL"):
        connect(Endpoint(url=url, model="m"))


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://localhost:1/v1", ""),
        ("http://127.0.0.1/v1", ""),
        ("https://api.example.org/v1", "api.example.org"),
    ],
)
def test_whether_words_leave_the_machine(url: str, host: str) -> None:
    assert away(Endpoint(url=url, model="m")) == host
