"""A real `hearken serve` on loopback: its client, its OpenAPI document under schemathesis, no cross-talk."""

import asyncio
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("fastapi", reason="the API needs the extra `serve`")

import uvicorn
from typer.testing import CliRunner

from agent.errors import SettingsError
from agent.settings import Settings
from graph.hosted import Hosted
from graph.ledger import Ledger
from graph.shared import open_shared
from tests.fakes import services
from ui.cli import app as cli
from ui.client import ApiError, Client
from ui.serve.app import create_app
from ui.serving import serve

DANGER = "I want to kill myself"


@pytest.fixture
def url(tmp_path: Path) -> Iterator[str]:
    app = create_app(Settings(serve_rate=10_000), services(country="GB"))
    server = uvicorn.Server(
        uvicorn.Config(app, host="127.0.0.1", port=0, access_log=False, log_level="error")
    )
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_the_client_leads_a_conversation(url: str) -> None:
    with Client(url) as client:
        here = client.open(country="GB")
        assert here.about
        first = here.say("my sister does not speak to me", key="k1")
        assert here.say("my sister does not speak to me", key="k1") == first
        events = list(here.stream(DANGER))
        assert next(name for name, _ in events if name != "step") == "card"
        assert events[-1][1]["saved"] is True
        here.feedback(1, helpful=False)
        assert here.export()["feedback"] == [{"turn": 1, "helpful": False}]
        assert len(client.conversation(here.id).history()) == 4
        assert client.conversations() == [here.id]
        assert client.health()["parts"]["rules"]["ok"]
        with pytest.raises(ApiError) as refused:
            here.say("other words", key="k1")
        assert (refused.value.status, refused.value.code) == (409, "key_reused")
        here.delete()
        with pytest.raises(ApiError) as gone:
            list(here.stream("hello"))
        assert gone.value.status == 404


def test_nobody_there_is_told_in_a_sentence() -> None:
    with Client("http://127.0.0.1:9", timeout=1) as client, pytest.raises(ApiError) as error:
        client.open()
    assert error.value.code == "unreachable"


def test_conversations_at_once_do_not_mix(url: str) -> None:
    failures: list[str] = []

    def lead(name: str) -> None:
        with Client(url) as client:
            here = client.open()
            for turn in range(3):
                here.say(f"my friend {name} was unkind to me, for the {turn} time")
            text = str(here.history())
            others = [f"CANARY{n}" for n in range(8) if f"CANARY{n}" != name]
            if name not in text or any(other in text for other in others):
                failures.append(name)

    threads = [threading.Thread(target=lead, args=(f"CANARY{n}",)) for n in range(8)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not failures


def test_the_openapi_document_holds(url: str) -> None:
    """Every operation, with what fits its schema and what does not: documented statuses, types and shapes."""
    schemathesis = pytest.importorskip("schemathesis", reason="the `dev` extra brings schemathesis")
    from hypothesis import HealthCheck, Phase, given, settings
    from schemathesis import checks

    schema = schemathesis.openapi.from_url(f"{url}/openapi.json")
    held = [
        checks.not_a_server_error,
        schemathesis.specs.openapi.checks.status_code_conformance,
        schemathesis.specs.openapi.checks.content_type_conformance,
        schemathesis.specs.openapi.checks.response_schema_conformance,
    ]
    known = 0
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path == "/health":
            continue
        known += 1

        @settings(
            max_examples=8,
            derandomize=True,
            database=None,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate],
        )
        @given(case=operation.as_strategy())
        def holds(case: object) -> None:
            case.call_and_validate(checks=held)  # type: ignore[attr-defined]

        holds()
    assert known >= 12


def test_only_loopback_is_open_without_keys() -> None:
    with pytest.raises(SettingsError, match="HEARKEN_KEYS_FILE"):
        serve(host="0.0.0.0")  # noqa: S104 - refused, which is the point


def test_the_store_is_made_and_purged_from_the_command_line(tmp_path: Path) -> None:
    run = CliRunner().invoke
    assert '"migrated": true' in run(cli, ["store", "migrate"]).output
    assert (tmp_path / "data" / "served.sqlite").exists()
    assert '"purged": 0' in run(cli, ["store", "purge", "--days", "30"]).output
    key, line = run(cli, ["store", "key", "ann"]).output.split()
    assert key.startswith("hk-")
    assert line.startswith("ann:")
    assert key not in line


def test_an_encrypted_store_is_migrated_purged_and_copied_with_its_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, old = CliRunner().invoke, tmp_path / "data" / "served.sqlite"
    monkeypatch.setenv("HEARKEN_STORE_KEY", "a passphrase of the store")
    assert '"migrated": true' in run(cli, ["store", "migrate"]).output
    hosted = Hosted(services(), Ledger(open_shared(f"sqlite:///{old}", "a passphrase of the store")))
    thread = hosted.open("ann", "GB")
    list(hosted.say("ann", thread, "CANARY is my sister's name"))
    assert '"purged": 0' in run(cli, ["store", "purge", "--days", "30"]).output
    monkeypatch.setenv("HEARKEN_STORE_URL", f"sqlite:///{tmp_path / 'new.sqlite'}")
    assert '"copied": 1' in run(cli, ["store", "copy", f"sqlite:///{old}"]).output
    assert '"there_already": 1' in run(cli, ["store", "copy", f"sqlite:///{old}"]).output
    assert b"CANARY" not in b"".join(file.read_bytes() for file in tmp_path.rglob("*.sqlite*"))
    new = Hosted(
        services(), Ledger(open_shared(f"sqlite:///{tmp_path / 'new.sqlite'}", "a passphrase of the store"))
    )
    assert "CANARY" in str(new.history("ann", thread))
    for source in (f"sqlite:///{tmp_path / 'none.sqlite'}", f"sqlite:///{tmp_path / 'new.sqlite'}"):
        assert isinstance(run(cli, ["store", "copy", source]).exception, SettingsError)
    assert not (tmp_path / "none.sqlite").exists()


@pytest.mark.parametrize("url", ["sqlite:///{}/file/x.sqlite", "postgresql://hearken@127.0.0.1:9/x"])
def test_a_store_that_does_not_answer_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    if url.startswith("postgresql"):
        pytest.importorskip("psycopg", reason="PostgreSQL needs the extra `postgres`")
        monkeypatch.setattr("graph.postgres.PATIENCE", 0.3)
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("HEARKEN_STORE_URL", url.format(tmp_path))
    for command in (["migrate"], ["purge", "--days", "1"]):
        error = CliRunner().invoke(cli, ["store", *command]).exception
        assert isinstance(error, SettingsError)
        assert "HEARKEN_STORE_URL" in str(error)
