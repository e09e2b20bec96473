"""Expert and anti-expert for proxy tuning, and tuned models made into files."""

import json
from pathlib import Path

import pytest
from langchain_core.messages import HumanMessage

from agent.backends import HuggingFace, Proxy
from agent.errors import ResponderError, SettingsError
from agent.llm.local import load_local
from agent.llm.proxy import load_proxy
from agent.train import merge as merging
from agent.train.proxy_pair import ALPHAS, pair
from tests.agent.llm.tiny_llms import TEXT, Tiny, tiny_llms
from tests.agent.train.test_lora import SMALL, data

pytest.importorskip("trl", reason="hearken[train] is not installed")


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny_llms(tmp_path_factory.getbasetemp() / "llms")


def test_the_expert_foresees_replies_better_than_its_anti_expert_and_loads_as_a_proxy(
    tiny: Tiny, tmp_path: Path
) -> None:
    out = tmp_path / "expert"
    told = pair(
        SMALL, data(tmp_path / "d"), out, work=tmp_path / "w", anti=str(tiny.anti), base=str(tiny.base)
    )
    assert [one["alpha"] for one in told["alphas"]] == list(ALPHAS)
    assert all(one["expert"] < one["anti"] for one in told["alphas"])
    best = min(told["alphas"], key=lambda one: one["mixed"])
    assert best["mixed"] < best["base"]
    settings = json.loads((out / "proxy.json").read_text())["settings"]
    assert settings["alpha"] == best["alpha"]
    chat = load_proxy(Proxy(**settings))
    assert len(chat.engine.readers) == 1  # one small model serves both


def test_what_would_be_no_pair_is_refused_before_training(tiny: Tiny, tmp_path: Path) -> None:
    folder = data(tmp_path / "d")
    whole = SMALL.model_copy(update={"method": "full"})
    with pytest.raises(SettingsError, match="--set method=lora"):
        pair(whole, folder, tmp_path / "o", work=tmp_path / "w", anti=str(tiny.anti))
    with pytest.raises(ResponderError, match="different tokens"):
        pair(SMALL, folder, tmp_path / "o", work=tmp_path / "w", anti=str(tiny.anti), base=str(tiny.foreign))
    for changes in ({"objective": "preferences"}, {"conditions": "tokens"}):
        other = SMALL.model_copy(update=changes)
        with pytest.raises(SettingsError, match="preferences and tokens"):
            pair(other, folder, tmp_path / "o", work=tmp_path / "w", anti=str(tiny.anti))
    assert not (tmp_path / "w").exists()


def test_a_merged_model_says_what_its_adapter_says(tiny: Tiny, tmp_path: Path) -> None:
    out = merging.merge(str(tiny.expert), tmp_path / "whole")
    asked = [HumanMessage(TEXT[0])]
    one, other = (
        load_local(HuggingFace(model=str(name), temperature=0, max_tokens=12, device="cpu"))
        for name in (tiny.expert, out)
    )
    assert one.invoke(asked).text == other.invoke(asked).text
    with pytest.raises(SettingsError, match="whole model already"):
        merging.merge(str(out), tmp_path / "again")
    with pytest.raises(SettingsError, match="not empty"):
        merging.merge(str(tiny.expert), out)


def test_gguf_is_left_to_llama_cpp(tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SettingsError, match="get llama"):
        merging.gguf(str(tiny.base), tmp_path / "m.gguf")
    converter = tmp_path / merging.CONVERTER
    converter.write_text('#!/bin/sh\necho "no such kind" >&2; exit 1\n')
    converter.chmod(0o755)
    with pytest.raises(SettingsError, match="no such kind"):
        merging.gguf(str(tiny.base), tmp_path / "m.gguf")
    converter.write_text('#!/bin/sh\necho GGUF > "$3"\n')
    assert merging.gguf(str(tiny.base), tmp_path / "m.gguf").read_text() == "GGUF\n"
    with pytest.raises(SettingsError, match="export merge"):
        merging.gguf(str(tiny.expert), tmp_path / "m.gguf")
