"""The commands that prepare data, tune, measure and export language models, from one to the next."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from agent.errors import HearkenError
from tests.agent.train.public import write_csv
from ui.cli import app

pytest.importorskip("trl", reason="hearken[train] is not installed")


def call(*words: object) -> Any:
    done = CliRunner().invoke(app, [str(word) for word in words])
    if isinstance(done.exception, HearkenError):
        raise done.exception
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def test_from_a_public_file_to_a_merged_model_and_a_page(tmp_path: Path) -> None:
    from tests.agent.llm.tiny_llms import tiny_llms

    tiny = tiny_llms(tmp_path / "llms")
    posts = [(f'Consider this post: "number {n} kept me up" Question: Does the poster suffer from stress?',
              "Yes, a long night." if n % 2 else "No.") for n in range(40)]  # fmt: skip
    write_csv(tmp_path / "imhi/train.csv", ("query", "gpt-3.5-turbo"), posts)
    prepared = ("data", "prepare", tmp_path / "imhi", "--out", tmp_path / "d", "--share", "0.3")
    told = call(*prepared, "--model", tiny.base)
    assert "tokens of a reply" in told.stdout
    assert "imhi" in call("data", "stats", tmp_path / "d", "--json").stdout
    changes = ("--set", "length=200", "--set", "steps=3", "--set", "samples=1", "--set", "sample_tokens=4")
    run = ("--data", tmp_path / "d", "--out", tmp_path / "a", *changes)
    told = json.loads(call("train", "lora", *run, "--model", tiny.base, "--json").stdout)
    assert told["steps"] == 3
    call("export", "merge", tmp_path / "a", "--out", tmp_path / "m")
    pair = ("train", "proxy-pair", "--data", tmp_path / "d", "--out", tmp_path / "p", *changes)
    assert "HEARKEN_ANTI_EXPERT=" in call(*pair, "--anti-expert", tiny.anti, "--base", tiny.base).stdout
    for name in ("m", "p/proxy.json"):
        call("evaluate", "generation", "--data", tmp_path / "d", "--model", tmp_path / name, "--limit", 2,
             "--tokens", 4, "--out", tmp_path / "a" / f"{name[0]}.json")  # fmt: skip
    figures = json.loads((tmp_path / "a/m.json").read_text())["figures"]
    assert figures["perplexity"] > 1
    call("report", tmp_path / "a", "--out", tmp_path / "page.html", "--markdown", tmp_path / "page.md")
    assert "rougeL" in (tmp_path / "page.html").read_text()
    assert "perplexity" in (tmp_path / "page.md").read_text()


def test_bare_replies_that_were_stopped_are_gone_on_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from agent.llm.local import LocalChat
    from tests.agent.llm.tiny_llms import tiny_llms
    from tests.agent.train.test_lora import data, example

    tiny, folder, out = tiny_llms(tmp_path / "llms"), data(tmp_path / "d"), tmp_path / "r" / "a.json"
    rows = [example(f"number {n} kept me up", "A long night.") for n in range(10)]  # two batches
    (folder / "valid.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    asked, real = list[int](), LocalChat.write_all

    def written(self: LocalChat, talks: Any, **told: Any) -> Any:
        asked.extend([len(talks)] if len(talks) > 1 else [])  # one warms it up
        if len(talks) == 2 and asked == [8, 2]:
            raise KeyboardInterrupt
        return real(self, talks, **told)

    monkeypatch.setattr(LocalChat, "write_all", written)
    words = ("evaluate", "generation", "--data", folder, "--model", tiny.base, "--tokens", 4)
    stopped = call(*words, "--out", out)
    assert stopped.exit_code == 130, (asked, stopped.output)
    assert call(*words, "--out", out).exit_code == 0
    assert asked == [8, 2, 2]
    assert [path.name for path in out.parent.iterdir()] == ["a.json"]
    assert call(*words, "--out", tmp_path / "whole.json").exit_code == 0
    assert json.loads((tmp_path / "whole.json").read_text()) == json.loads(out.read_text())


@pytest.mark.parametrize(("rank", "says"), [("0", "steps"), ("1", "")])
def test_of_several_processes_one_speaks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rank: str, says: str
) -> None:
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr("agent.train.lora.run", lambda *_args, **_told: {"steps": 1})
    done = call("train", "lora", "--data", tmp_path, "--out", tmp_path / "o", "--model", "m", "--json")
    assert says in done.stdout
    assert bool(done.stdout) == bool(says)


def test_the_gate_tells_its_reasons_and_exits_with_one(tmp_path: Path) -> None:
    row = {
        "view": "gate",
        "turns": 10,
        "lints": {"never": 0.0, "must": 1.0},
        "style": {"repeated_sentences": 0},
    }
    row["unsafe"] = row["escalated"] = {"share": 0.1, "share_95": [0.0, 0.3]}
    row["held_back"] = {"grave": 0.0}
    for name, never in (("a", 2.0), ("b", 0.0)):
        told = {"task": "replies", "rows": [{**row, "lints": {"never": never, "must": 1.0}}]}
        (tmp_path / f"{name}.json").write_text(json.dumps(told))
    refused = call("evaluate", "gate", "--candidate", tmp_path / "a.json", "--baseline", tmp_path / "b.json")
    assert refused.exit_code == 1
    assert "never be said" in refused.stdout
    admitted = call("evaluate", "gate", "--candidate", tmp_path / "b.json", "--baseline", tmp_path / "a.json")
    assert admitted.exit_code == 0
