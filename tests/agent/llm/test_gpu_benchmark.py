"""The benchmark for a GPU: its code is gone through in small on a CPU, where in large it refuses."""

import importlib
import json
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="hearken[local] is not installed")
pytest.importorskip("peft", reason="hearken[local] is not installed")


@pytest.fixture
def gpu(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[3] / "benchmarks"))
    return importlib.import_module("gpu")


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_in_small_every_token_is_the_plain_loops(gpu: Any, capsys: pytest.CaptureFixture[str]) -> None:
    gpu.main(["--tiny", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert found["tiny"]["equal"] == 1.0
    assert found["tiny"]["shared_tokens_per_s"] > 0
    assert "8 tokens written" in found["4bit"]["adapter float32"]
    assert "bitsandbytes" in found["4bit"]["whole 4bit"]


def test_without_cuda_it_says_where_to_run_it(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(SystemExit, match="no CUDA device here"):
        gpu.main([])


def test_what_does_not_fit_is_left_out(gpu: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gpu, "free_memory", lambda place: 10**9)
    large = gpu._options(*gpu.SIZES["34B + 2 x 6B (Yi's)"], tiny=False)
    assert gpu.sized(large) == {"left_out": "It takes 81 GB and 1 GB are free."}
