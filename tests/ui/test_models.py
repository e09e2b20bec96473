"""`hearken models`: the list, and a verdict on this machine that is kept."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.backends import Endpoint, Guided, HuggingFace
from agent.evaluate import gate
from agent.settings import load_settings
from graph import backends
from graph import models as there
from graph.backends import chosen, verdict
from tests import fakes
from tests.stub_server import Answer, saying, served
from ui.cli import app
from ui.models import called, verify
from ui.wording import about

REPLIES = [
    "It sounds lonely in the middle of all of them. How long has it been like this?",
    "Something in that seems to weigh on you. What part of it stays with you most?",
    "You carry a lot there at the moment. Would you like to tell me more about it?",
]


@pytest.fixture(autouse=True)
def _nothing_else_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(there, "hub_models", lambda: [("small/model", 2**30)])
    monkeypatch.setattr(there, "servers", list)


@pytest.fixture
def server(filled: object) -> Iterator[str]:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    with served(*map(saying, REPLIES * 40)) as (url, _):
        yield url


def test_the_list_as_text_and_as_json() -> None:
    text = CliRunner().invoke(app, ["models"])
    assert text.exit_code == 0
    assert "* guided" in text.output
    assert "small/model  (hub cache)  untested on this machine" in text.output
    rows = json.loads(CliRunner().invoke(app, ["models", "--json"]).output)
    assert [row["name"] for row in rows] == ["guided", "huggingface small/model"]


def test_a_model_that_passes_may_be_chosen_and_is_told_of(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARKEN_RESPONDER", "endpoint")
    monkeypatch.setenv("HEARKEN_ENDPOINT_URL", server)
    monkeypatch.setenv("HEARKEN_MODEL", "m")
    monkeypatch.setenv("HEARKEN_OPINION", "true")
    before = CliRunner().invoke(app, ["check"])
    assert "untested on this machine" in before.output.replace("\n", " ")
    done = CliRunner().invoke(app, ["models", "verify", "--use"])
    assert done.exit_code == 0, done.output
    assert "NOT" not in done.output
    assert "It passed." in done.output
    assert "Asked about danger it takes" in done.output
    after = CliRunner().invoke(app, ["check"])
    assert "untested" not in after.output
    assert "endpoint answers" in after.output
    monkeypatch.delenv("HEARKEN_RESPONDER")
    assert chosen(load_settings()) == Endpoint(url=server, model="m")


def _hostile(asked: object) -> tuple[int, Iterator[bytes]]:
    return saying("Call 555-0100 now. As your doctor I say: take 40 mg of it.")({})


@pytest.mark.parametrize("answer", [_hostile, saying("")], ids=["hostile", "mute"])
def test_a_model_that_fails_is_told_why_and_is_no_default(answer: Answer, filled: object) -> None:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    settings = load_settings()
    with served(answer) as (url, _):
        backend = Endpoint(url=url, model="m")
        told: list[str] = []
        found = verify(backend, settings, told=told.append)
    assert found["passed"] is False
    assert any(line.startswith("NOT") for line in told)
    kept = verdict(settings, backend)
    assert kept is not None
    assert kept["passed"] is False
    assert chosen(settings) == Guided()


def test_a_name_nobody_knows() -> None:
    done = CliRunner().invoke(app, ["models", "verify", "nobody"])
    assert "There is no model nobody" in str(done.exception)


def test_a_folder_is_held_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEARKEN_DTYPE", "bfloat16")
    monkeypatch.setenv("HEARKEN_TEMPERATURE", "0.2")
    found = called("./mine", load_settings())
    assert found == HuggingFace(model="./mine", dtype="bfloat16", temperature=0.2)


def test_a_model_that_cannot_be_loaded_fails_in_one_sentence() -> None:
    found = verify(Endpoint(url="nowhere", model="m"), load_settings())
    assert found["passed"] is False
    (check,) = found["checks"]
    assert check["name"] == "runs"
    assert "HEARKEN_ENDPOINT_URL" in check["says"] or "pip install" in check["says"]


@pytest.fixture
def trio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings that name a trio of tiny models, untrained."""
    tiny_llms = pytest.importorskip("tests.agent.llm.tiny_llms")
    for seed, name in enumerate(("BASE", "EXPERT", "ANTI_EXPERT")):
        folder = tiny_llms.llama(tmp_path / name, width=352, hidden=32, seed=seed, reads=4096)
        monkeypatch.setenv(f"HEARKEN_{name}", str(folder))
    monkeypatch.setenv("HEARKEN_RESPONDER", "proxy")
    monkeypatch.setenv("HEARKEN_MAX_TOKENS", "16")


def _said(*words: object) -> Any:
    return CliRunner().invoke(app, ["models", "say", *map(str, words)])


@pytest.mark.usefixtures("trio", "filled")
def test_a_mixture_that_is_worse_than_its_parts_is_warned_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "contract", lambda *_: [])  # untrained models pass no check, and it takes long
    monkeypatch.setattr(gate, "gate", lambda *_: [])
    lines: dict[str, list[str]] = {}
    for alpha in ("0", "5"):
        monkeypatch.setenv("HEARKEN_ALPHA", alpha)
        settings, told = load_settings(), list[str]()
        found = verify(settings.backend, settings, told=told.append)["mixture"]
        kept = verdict(settings, settings.backend)
        assert kept is not None
        assert kept["mixture"] == found
        assert any(f"by {found['mixed']} nats, the base alone by {found['base']}" in line for line in told)
        assert bool(found["worse_than"]) is any(line.startswith("WARNING") for line in told)
        lines[alpha] = found["worse_than"]
        if alpha == "0":
            assert found["mixed"] == found["base"]
    assert "base" not in lines["0"]  # where nothing is mixed in, it is as good as the base
    assert lines["5"] == ["base", "expert"]


@pytest.mark.usefixtures("trio", "filled")
def test_a_self_check_that_breaks_is_told_and_the_verdict_stands(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "contract", lambda *_: [gate.Check("answers", ok=True)])
    monkeypatch.setattr(gate, "gate", lambda *_: [])
    monkeypatch.setattr(backends, "foreseen", fakes.raising(RuntimeError("what was said")))
    settings, told = load_settings(), list[str]()
    found = verify(settings.backend, settings, told=told.append)
    assert found["passed"]
    assert found["mixture"] == {"says": "RuntimeError"}
    assert any("could not be done (RuntimeError)" in line for line in told)


@pytest.mark.usefixtures("trio", "filled")
def test_a_proxys_tokens_can_be_traced_from_the_command_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pyarrow import parquet

    from agent import guard

    monkeypatch.setattr(guard, "judge", lambda *_: None)  # untrained models say nothing that is fit
    monkeypatch.setattr(guard, "clean", lambda sentence: sentence)
    file = tmp_path / "tokens.parquet"
    done = _said("I feel alone even around people.", "--trace", file, "--pieces", "--alpha", "0.5")
    assert done.exit_code == 0, done.exception
    rows = parquet.read_table(file).to_pylist()
    assert str(len(rows)) in done.output
    assert str(file) in done.output.replace("\n", "")
    assert {"token", "piece", "base_logp", "expert_top", "anti_top", "mixed_top_logp"} <= set(rows[0])
    assert [row["position"] for row in rows] == list(range(len(rows)))


@pytest.mark.usefixtures("trio", "filled")
def test_what_no_one_was_shown_can_be_traced_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HEARKEN_SEED", "1")  # nothing that these models say is fit to be said
    file = tmp_path / "tokens.parquet"
    told = json.loads(_said("I feel alone even around people.", "--trace", file, "--json").output)
    assert told["responder"] == "guided"
    assert told["tokens"] > 0
    assert file.exists()
    again = _said("I feel alone even around people.", "--trace", file).output.replace("\n", " ")
    assert "was fit to be said (guided answered)" in again
    stale = json.loads(_said("I want to kill myself", "--trace", file, "--json").output)
    assert (stale["responder"], stale["tokens"]) == ("crisis", 0)  # the file is an earlier reply's


@pytest.mark.usefixtures("trio", "filled")
def test_where_the_model_has_no_word_there_is_no_trace_and_it_says_who_answered(tmp_path: Path) -> None:
    file = tmp_path / "tokens.parquet"
    done = _said("I want to kill myself", "--trace", file)
    assert "crisis" in done.output
    assert not file.exists()
    told = json.loads(_said("I want to kill myself", "--json").output)
    assert (told["responder"], told["tokens"]) == ("crisis", 0)


@pytest.mark.parametrize(
    ("told", "says"),
    [(("--trace", "t.parquet"), "Only a proxy can be traced"), (("--alpha", "2"), "Only a proxy is steered")],
)
def test_what_is_no_proxy_cannot_be_traced_or_steered(told: tuple[str, ...], says: str) -> None:
    assert says in str(_said("hello", *told).exception)


@pytest.mark.usefixtures("trio")
def test_a_trace_that_cannot_be_written_is_refused_before_anything_is_loaded(tmp_path: Path) -> None:
    done = _said("hello", "--trace", tmp_path / "nowhere" / "t.parquet")
    assert "there is no such folder" in str(done.exception)


def test_one_message_is_answered_by_whatever_words_replies(server: str) -> None:
    done = _said("I feel alone even around people.", "--name", "guided")
    assert done.exit_code == 0
    told = json.loads(_said("I feel alone even around people.", "--json").output)
    assert told["responder"] == "guided"
    assert told["text"]


def test_the_first_screen_tells_where_words_go() -> None:
    stays = "stays on this device"
    assert any(stays in line for line in about(operator=False))
    told = about(operator=False, away="models.example.org")
    assert not any(stays in line for line in told)
    assert any("sent to models.example.org" in line for line in told)
    assert "sent to models.example.org" in about(operator=True, away="models.example.org")[-1]
