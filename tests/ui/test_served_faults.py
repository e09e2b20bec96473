"""Workers, stores and models that fall in mid-turn: a safe reply, nothing lost, nothing said twice."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("fastapi", reason="the API needs the extra `serve`")

import httpx
from fastapi.testclient import TestClient

from agent.backends import Endpoint
from agent.settings import Settings
from graph import postgres as postgres_module
from graph.backends import worded
from graph.services import Services
from tests.fakes import services
from tests.postgres_server import Postgres, postgres_server
from tests.stub_server import chunk, saying, served
from ui.serve.app import create_app

ROOT = Path(__file__).parent.parent.parent
DANGER = "I want to kill myself"
SLOW = "my sister moved away, wait for me"
PATIENCE = 120.0


class Worker:
    """One process of the API."""

    def __init__(self, folder: Path, store: str) -> None:
        folder.mkdir()
        self.folder = folder
        own = {
            "HEARKEN_STORE_URL": store,
            "HEARKEN_DATA_DIR": str(folder),
            "PYTHONPATH": str(ROOT),
            "HEARKEN_SERVE_RATE": "10000",
        }
        environment = {**os.environ, **own}
        command = [sys.executable, "-m", "tests.serving_worker", str(folder), "1.0"]
        self._process = subprocess.Popen(command, cwd=ROOT, env=environment)
        until((folder / "port").exists, self._process)
        self.client = httpx.Client(
            base_url=f"http://127.0.0.1:{(folder / 'port').read_text()}", timeout=PATIENCE
        )

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()

    def close(self) -> None:
        self.client.close()
        self.kill()

    def hold(self) -> None:
        (self.folder / "hold").touch()

    def go(self) -> None:
        (self.folder / "hold").unlink(missing_ok=True)

    def asked(self) -> None:
        until((self.folder / "asked").exists, self._process)


def until(done: Callable[[], bool], process: "subprocess.Popen[bytes] | None" = None) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end
        assert process is None or process.poll() is None, "the worker ended by itself"
        time.sleep(0.02)


@pytest.fixture(scope="module")
def database() -> Iterator[Postgres]:
    with postgres_server("faults") as server:
        yield server


@pytest.fixture(scope="module")
def staying(database: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A worker that nobody kills."""
    worker = Worker(tmp_path_factory.mktemp("staying") / "worker", database.url)
    yield worker
    worker.close()


@pytest.fixture
def workers(staying: Worker, database: Postgres, tmp_path: Path) -> Iterator[tuple[Worker, Worker]]:
    """One to fall, and one that stays."""
    falling = Worker(tmp_path / "worker", database.url)
    yield falling, staying
    falling.go()
    falling.close()


def _begun(client: Any) -> str:
    return f"/v1/conversations/{client.post('/v1/conversations', json={'country': 'GB'}).json()['id']}"


def _say(client: Any, here: str, text: str, key: str) -> Any:
    return client.post(f"{here}/turns", json={"text": text}, headers={"Idempotency-Key": key})


def _in_background(call: Callable[[], Any]) -> tuple[threading.Thread, list[Any]]:
    got: list[Any] = []

    def run() -> None:
        try:
            got.append(call())
        except httpx.TransportError as error:
            got.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    return thread, got


def test_a_worker_killed_in_mid_turn_is_stood_in_for_and_nothing_is_said_twice(
    workers: tuple[Worker, Worker],
) -> None:
    first, second = workers
    here = _begun(first.client)
    before = _say(first.client, here, "I slept badly", "k0").json()
    first.hold()
    thread, got = _in_background(lambda: _say(first.client, here, SLOW, "k1"))
    first.asked()
    assert _say(second.client, here, SLOW, "k1").status_code == 409, "its worker lives, and has it"
    first.kill()
    thread.join()
    assert isinstance(got[0], httpx.TransportError)
    answers: list[Any] = []

    def answered() -> bool:
        answers.append(_say(second.client, here, SLOW, "k1"))
        return bool(answers[-1].status_code == 200)

    until(answered)
    reply = answers[-1].json()
    assert reply["saved"] is True
    assert reply["number"] == 2
    assert _say(second.client, here, SLOW, "k1").json() == reply
    assert _say(second.client, here, "I slept badly", "k0").json() == before
    lines = second.client.get(here).json()
    assert [line["text"] for line in lines if line["role"] == "user"] == ["I slept badly", SLOW]
    assert len(lines) == 4


def test_words_a_dead_worker_took_with_it_are_heard_with_the_next_and_danger_waits_for_no_lease(
    workers: tuple[Worker, Worker],
) -> None:
    first, second = workers
    here = _begun(first.client)
    first.hold()
    thread, _ = _in_background(lambda: _say(first.client, here, SLOW, "k1"))
    first.asked()
    first.kill()
    thread.join()
    at_once = _say(second.client, here, DANGER, "k2")
    assert at_once.status_code == 200
    assert at_once.json()["card"]
    said = [line["text"] for line in second.client.get(here).json() if line["role"] == "user"]
    assert said == [SLOW, DANGER]


def test_what_is_deleted_stays_deleted_when_a_slow_turn_ends_elsewhere(
    workers: tuple[Worker, Worker], database: Postgres
) -> None:
    first, second = workers
    here = _begun(first.client)
    first.hold()
    thread, got = _in_background(lambda: _say(first.client, here, SLOW, "k1"))
    first.asked()
    assert second.client.delete(here).status_code == 204
    time.sleep(0.6)  # so that its worker has tried to renew it
    first.go()
    thread.join()
    assert got[0].status_code == 200, "who waited is answered"
    assert got[0].json()["saved"] is False
    for worker in workers:
        assert worker.client.get(here).status_code == 404
    ident = here.rpartition("/")[2]
    with postgres_module.psycopg.connect(database.url) as rows:
        for table in (*postgres_module.TABLES, "conversations", "turns", "leases", "feedback"):
            column = "thread_id" if table in postgres_module.TABLES else "thread"
            found = rows.execute(f"SELECT count(*) FROM {table} WHERE {column} = %s", (ident,)).fetchone()  # noqa: S608
            assert found == (0,), table


@pytest.fixture
def opened(database: Postgres) -> Iterator[Callable[..., TestClient]]:
    clients: list[TestClient] = []

    def open_(given: Services) -> TestClient:
        app = create_app(Settings(store_url=database.url, serve_rate=10_000), given)  # type: ignore[arg-type]
        clients.append(TestClient(app).__enter__())
        return clients[-1]

    yield open_
    for client in clients:
        client.__exit__(None, None, None)


def test_postgres_killed_and_started_again_in_mid_turn(
    opened: Callable[..., TestClient], database: Postgres
) -> None:
    def respond(brief: Any) -> list[str]:
        if "wait" in brief["text"]:
            database.kill()
        return ["That sounds like a lot to carry."]

    client = opened(services(country="GB", respond=respond))
    here = _begun(client)
    acknowledged = _say(client, here, "I slept badly", "k0").json()
    assert acknowledged["saved"] is True
    in_danger = _begun(client)
    assert _say(client, in_danger, DANGER, "d0").json()["saved"] is True
    cut = _say(client, here, SLOW, "k1")
    assert cut.status_code == 200
    assert cut.json()["text"]
    assert cut.json()["saved"] is False
    for text in (DANGER, "what shall I cook today"):
        alone = _say(client, in_danger, text, f"d-{text}")
        assert alone.status_code == 200
        assert alone.json()["card"], "what was said before is not known, so the lines are shown"
        assert alone.json()["saved"] is False
    assert client.get(here).status_code == 503
    assert client.get("/health").json()["parts"]["store"]["ok"] is False
    assert client.get("/health/live").status_code == 200
    database.start()
    until(lambda: client.get(here).status_code == 200)
    assert _say(client, here, "I slept badly", "k0").json() == acknowledged
    assert _say(client, in_danger, "and now?", "d9").json()["escalated"] is True
    later = _say(client, here, "so that was it", "k2").json()
    assert later["saved"] is True
    said = [line["text"] for line in client.get(here).json() if line["role"] == "user"]
    assert said == ["I slept badly", SLOW, "so that was it"], "the words that were cut off were kept too"


def test_postgres_that_stands_still_keeps_nobody_waiting(
    opened: Callable[..., TestClient], database: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_module, "USE", 0.5)
    monkeypatch.setattr(postgres_module, "PATIENCE", 0.5)
    client = opened(services(country="GB"))
    here = _begun(client)
    database.freeze()
    try:
        for text in (DANGER, "I slept badly", DANGER):
            reply = _say(client, here, text, text)
            assert reply.status_code == 200
            assert reply.json()["card"]
            assert reply.json()["saved"] is False
    finally:
        database.thaw()
    until(lambda: client.get(here).status_code == 200)
    assert _say(client, here, "are you there?", "k3").json()["saved"] is True


def test_a_model_that_dies_in_mid_sentence_or_is_gone_costs_no_reply_and_is_used_when_back() -> None:
    pytest.importorskip("langchain_openai", reason="a model behind a server needs the extra `endpoint`")

    def dies(asked: Any) -> tuple[int, Iterator[bytes]]:
        def pieces() -> Iterator[bytes]:
            yield chunk("That sounds like a lot to carry, and I ")
            raise OSError

        return 200, pieces()

    with served(dies) as (url, asked):
        model = worded(Endpoint(url=url, model="m", first_seconds=5), 10)
        given = replace(services(country="GB"), respond=model.respond, responder="endpoint")
        with TestClient(create_app(Settings(), given)) as client:
            here = _begun(client)
            cut = _say(client, here, "my sister moved away", "k1").json()
            assert asked
            assert cut["text"].endswith((".", "?", "!"))
            assert "and I" not in cut["text"]
            assert _say(client, here, "my sister moved away", "k1").json() == cut
            asked.clear()
            assert _say(client, here, DANGER, "k2").json()["card"]
            assert not asked, "no model is asked in danger"
    with TestClient(create_app(Settings(), given)) as client:  # now nobody listens there any more
        here = _begun(client)
        gone = _say(client, here, "my sister moved away", "k1").json()
        assert gone["saved"] is True
        words = "You miss having her close by, and evenings feel longer now."
        back = saying(words)
        with served(back, port=int(url.rsplit(":", 1)[1].partition("/")[0])) as (_, heard):
            answer = _say(client, here, "she used to come by every evening", "k2").json()
        assert heard
        assert (answer["saved"], words in answer["text"]) == (True, True)
