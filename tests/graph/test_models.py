"""What could word replies here, and a trial before anything is switched."""

import json
from pathlib import Path
from typing import Any

import pytest

from agent.backends import Endpoint, Guided, HuggingFace
from agent.settings import load_settings
from graph import models
from graph.backends import remember
from graph.models import hub_models, options, servers
from graph.trial import try_backend
from tests.stub_server import saying, served

GIB = 2**30


def listed(**changes: Any) -> list[models.Option]:
    found = {
        "cached": lambda: [("small/model", GIB), ("huge/model", 70 * GIB)],
        "found": lambda: [("Ollama", "http://127.0.0.1:11434/v1", ["llama3.2"])],
        "free": lambda: 8 * GIB,
    }
    return options(load_settings(), **{**found, **changes})  # type: ignore[arg-type]


def test_the_list_tells_what_runs_and_what_is_in_the_way() -> None:
    rows = {row["name"]: row for row in listed()}
    assert list(rows) == [
        "guided",
        "huggingface small/model",
        "huggingface huge/model",
        "endpoint llama3.2 at http://127.0.0.1:11434/v1",
    ]
    assert rows["guided"]["chosen"]
    assert rows["guided"]["tested"] == "passed"
    small, huge = rows["huggingface small/model"], rows["huggingface huge/model"]
    assert small["tested"] == "untested"
    assert 0 < small["needs"] <= small["free"]
    assert huge["needs"] > huge["free"]
    assert not huge["runs"]


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models.importlib.util, "find_spec", lambda name: None)
    missing = {row["backend"].kind: (row["missing"], row["runs"]) for row in listed()}
    assert missing == {"guided": ("", True), "huggingface": ("local", False), "endpoint": ("endpoint", False)}


def test_memory_that_is_not_known_is_in_nobodys_way() -> None:
    assert all(row["runs"] for row in listed(free=lambda: 0) if not row["missing"])


def test_what_the_settings_name_is_listed_even_where_nothing_found_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HEARKEN_RESPONDER", "huggingface")
    monkeypatch.setenv("HEARKEN_MODEL", "./mine")
    assert [row["name"] for row in listed() if row["chosen"]] == ["huggingface ./mine"]


def test_what_the_settings_spell_out_is_listed_though_they_choose_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("BASE", "EXPERT", "ANTI_EXPERT"):
        monkeypatch.setenv(f"HEARKEN_{name}", name.lower())
    assert [row["name"] for row in listed()][4:] == ["proxy base + expert - anti_expert"]
    monkeypatch.setenv("HEARKEN_MODEL", "mine")
    assert [row["name"] for row in listed()][5:] == ["huggingface mine"]
    monkeypatch.setenv("HEARKEN_ENDPOINT_URL", "https://words.example.org/v1")
    assert [row["name"] for row in listed()][5:] == ["endpoint mine at https://words.example.org/v1"]
    monkeypatch.delenv("HEARKEN_EXPERT")  # half a trio is none
    assert [row["backend"].kind for row in listed()][4:] == ["endpoint"]


def test_what_is_found_is_asked_and_held_as_the_settings_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("DEVICE", "cpu"), ("MAX_TOKENS", "64"), ("ENDPOINT_SECONDS", "3")):
        monkeypatch.setenv(f"HEARKEN_{name}", value)
    rows = {row["backend"].kind: row["backend"] for row in listed()}
    assert rows["huggingface"] == HuggingFace(model="huge/model", device="cpu", max_tokens=64)
    server = Endpoint(url="http://127.0.0.1:11434/v1", model="llama3.2", max_tokens=64, first_seconds=3)
    assert rows["endpoint"] == server


def test_what_the_settings_own_server_offers_is_listed_where_it_is_on_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with served(saying("x"), models=("a", "b")) as (url, _):
        monkeypatch.setenv("HEARKEN_ENDPOINT_URL", f"{url}/")
        monkeypatch.setenv("HEARKEN_MODEL", "gone")
        assert [row["name"].split()[1] for row in listed()[4:]] == ["gone", "a", "b"]
    monkeypatch.setenv("HEARKEN_ENDPOINT_URL", "https://words.example.org/v1")  # asked for nothing
    assert [row["name"].split()[1] for row in listed()[4:]] == ["gone"]


def test_no_proxy_stands_between_this_machine_and_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy", raising=False)
    with served(saying("x"), models=("a",)) as (url, _):
        port = int(url.rpartition(":")[2].partition("/")[0])
        assert servers({"Ollama": port}) == [("Ollama", url, ["a"])]


def test_a_verdict_is_shown() -> None:
    remember(load_settings(), HuggingFace(model="small/model"), {"passed": False})
    rows = {row["name"]: row["tested"] for row in listed()}
    assert rows["huggingface small/model"] == "failed"


def test_servers_on_the_loopback_are_found_and_nonsense_is_none() -> None:
    with served(saying("x"), models=("a", "b")) as (url, _):
        port = int(url.rpartition(":")[2].partition("/")[0])
        assert servers({"Ollama": port}) == [("Ollama", url, ["a", "b"])]
    assert servers({"Ollama": port}) == []


def test_models_in_the_hubs_cache_that_write(tmp_path: Path) -> None:
    def cache(name: str, config: dict[str, Any], size: int) -> None:
        repo = tmp_path / f"models--{name.replace('/', '--')}"
        snapshot = repo / "snapshots" / "abc"
        snapshot.mkdir(parents=True)
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text("abc")
        (snapshot / "config.json").write_text(json.dumps(config))
        (snapshot / "model.safetensors").write_bytes(b"0" * size)

    cache("x/writes", {"architectures": ["LlamaForCausalLM"]}, 500)
    cache("x/reads", {"architectures": ["BertModel"]}, 500)
    cache("x/twice", {"architectures": ["MistralForCausalLM"]}, 300)
    snapshots = "models--x--{}/snapshots/abc"
    (tmp_path / snapshots.format("twice") / "consolidated.safetensors").write_bytes(b"0" * 300)
    cache("x/half", {"architectures": ["LlamaForCausalLM"]}, 100)
    half = tmp_path / snapshots.format("half")
    (half / "model.safetensors").rename(half / "model-1.safetensors")
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (half / "model.safetensors.index.json").write_text(json.dumps(index))
    cache("x/tuned", {}, 20)
    tuned = tmp_path / snapshots.format("tuned")
    (tuned / "model.safetensors").rename(tuned / "adapter_model.safetensors")
    (tuned / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "x/writes"}))
    assert hub_models(tmp_path) == [("x/tuned", 520), ("x/twice", 300), ("x/writes", 500)]
    assert hub_models(tmp_path / "nowhere") == []


def test_free_memory_is_some() -> None:
    assert models.free_memory() >= 0
    assert models._main_memory(Path("/nowhere")) == 0


def test_the_guided_responder_passes_a_trial_at_once() -> None:
    tried = try_backend(Guided(), load_settings())
    assert tried.ok
    assert tried.sentences
    assert tried.first <= tried.whole


def test_a_server_is_tried_and_its_failure_is_a_sentence() -> None:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    settings = load_settings()
    with served(saying("That sounds like a long day. ", "What was hardest?")) as (url, asked):
        tried = try_backend(Endpoint(url=url, model="m"), settings)
        assert (tried.ok, tried.sentences) == (True, 2)
        assert len(asked) == 1
    tried = try_backend(Endpoint(url=url, model="other"), settings)
    assert not tried.ok
    assert "Nothing answers" in tried.says
    tried = try_backend(Endpoint(url="nowhere", model="m"), settings)
    assert "HEARKEN_ENDPOINT_URL" in tried.says
