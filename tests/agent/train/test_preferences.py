"""Pairs of replies: how they come about, who must have read them, and what a model learns from them."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.brief import Brief
from agent.errors import DataError, SettingsError
from agent.llm.model_files import find
from agent.llm.templates import render as as_tokens
from agent.llm.weights import load_base
from agent.prompt import Message, load_prompt, render
from agent.train.dialogue_rows import Malformed
from agent.train.examples import preferred, talk
from agent.train.lora import run
from agent.train.lora_recipe import load_recipe
from agent.train.lora_trainer import tuned
from agent.train.pairing import Candidate, Moment, candidates, failed, gather, mended
from agent.train.preferences import USE, load, write
from tests import fakes
from tests.agent.llm.tiny_llms import TEXT, Tiny
from tests.agent.train.test_lora import SMALL, example, tiny

pytest.importorskip("trl", reason="hearken[train] is not installed")
__all__ = ["tiny"]  # the fixture
SAID = "My sister moved away in spring and nobody calls me any more."
CALM = "You miss her, and the evenings have become long."
GRAVE = "You have depression, that is clear to me."
PREFER = SMALL.model_copy(update={"objective": "preferences", "rate": 5e-3, "length": 3000})


def moment(before: Sequence[Message]) -> Moment | None:
    """A moment in which the guided responder says CALM; none where danger is told of."""
    text = before[-1]["content"]
    if "kill" in text:
        return None
    return Moment(fakes.brief(text), (CALM,))


def candidate(number: int, *replies: str, text: str = SAID) -> Candidate:
    asked = Message(role="user", content=f"{text} {number}")
    return Candidate([asked], replies, "made", f"g{number}", held=number % 4 == 0)


def pairs(folder: Path, count: int = 16) -> Path:
    """Pairs in which a quiet answer is preferred to one that names a condition."""
    found = (candidate(number, f"{GRAVE} {TEXT[number % 6]}") for number in range(count))
    write(gather(found, moment, []), folder)
    return folder


def test_what_the_guard_stops_stands_beside_the_same_reply_mended() -> None:
    here = Moment(fakes.brief(SAID), (CALM,))
    assert mended(here, TEXT[1]) == (TEXT[1], [])
    chosen, why = mended(here, f"{TEXT[1]} {GRAVE}")
    assert why == ["diagnosis"]
    assert chosen.startswith(TEXT[1])
    assert "depression" not in chosen
    assert mended(here, GRAVE) == (CALM, ["diagnosis"])  # an authored sentence alone is no reply of a model
    assert mended(here, f"{TEXT[4]} How long is it now?")[0] == TEXT[4]


def test_a_pair_for_each_reply_that_falls_short_and_the_rest_is_counted() -> None:
    found = [
        candidate(4, GRAVE, GRAVE, TEXT[1]),
        candidate(5, f"{TEXT[1]} {GRAVE}"),
        candidate(6, GRAVE, text="I want to kill myself"),
        Candidate([Message(role="user", content="hi")], (GRAVE,), "made", "g7", held=False),
    ]
    done = gather(found, moment, [])
    assert [one["rejected"] for one in done.valid] == [GRAVE]
    assert [one["rejected"] for one in done.train] == [f"{TEXT[1]} {GRAVE}"]
    assert done.left == {
        "said before": 1, "nothing to mend": 1, "the crisis branch answers this": 1,
        "nothing was said before it": 1,
    }  # fmt: skip
    assert done.rules["diagnosis"] == 2


def test_replies_of_a_model_may_be_judged_in_place_of_those_there() -> None:
    def say(brief: Brief) -> list[str]:
        return [GRAVE, f"{TEXT[1]} {GRAVE}"]

    done = gather([candidate(4, CALM), candidate(5, CALM)], moment, [], say=say)
    assert len(done.train) == len(done.valid) == 2


def test_an_empty_part_is_refused() -> None:
    with pytest.raises(DataError, match="for training"):
        gather([candidate(4, GRAVE)], moment, [])


def test_failed_conversations_blame_their_replies_but_not_those_rated_well(tmp_path: Path) -> None:
    said = [
        ("listener", "Hello.", {}), ("speaker", "I lost my job", {}), ("listener", "Cheer up then.", {}),
        ("speaker", "It is not so easy.", {"feedback": "1"}), ("listener", "Tell me more of it.", {}),
        ("speaker", "Well, it was in May.", {"feedback": "5"}), ("listener", "Ok bye.", {}),
    ]  # fmt: skip
    dialog = [{"speaker": side, "content": text, "annotation": note} for side, text, note in said]
    path = tmp_path / "failed.json"
    path.write_text(json.dumps([{"dialog": dialog}, {"dialog": 3}]))
    bad: list[Malformed] = []
    found = list(failed(path, bad))
    assert [one.replies for one in found] == [("Cheer up then.",), ("Ok bye.",)]
    assert [one["role"] for one in found[1].before] == ["user", "assistant", "user", "assistant", "user"]
    assert [one.line for one in bad] == [2]
    told = [found[0]._replace(group="g5"), candidate(4, GRAVE)]
    done = gather(told, moment, bad)
    assert done.train[0]["chosen"] == CALM
    assert done.train[0]["why"] == ["a failed conversation", "minimise"]
    path.write_text("{")
    with pytest.raises(DataError, match="JSON"):
        list(failed(path, []))


def test_examples_of_any_public_set_are_candidates_and_tasks_are_not() -> None:
    found = [example(SAID, GRAVE, kind="reply"), example(SAID, "Yes.")]
    assert [one.replies for one in candidates(found)] == [(GRAVE,)]


def test_what_is_written_is_loaded_and_what_comes_from_use_must_have_been_read(tmp_path: Path) -> None:
    folder = pairs(tmp_path)
    parts = load(folder)
    assert len(parts["train"]) == 12
    report = json.loads((folder / "report.json").read_text())
    assert report["why"]["diagnosis"] == 16
    lines = (folder / "train.jsonl").read_text().splitlines()
    used = {**json.loads(lines[0]), "source": USE, "reviewed_by": None}
    (folder / "train.jsonl").write_text("\n".join([json.dumps(used), *lines[1:]]))
    with pytest.raises(DataError, match="1 pairs from use that nobody has reviewed"):
        load(folder)
    (folder / "train.jsonl").write_text(json.dumps({**used, "reviewed_by": "A. Person, 2026-11-26"}))
    assert len(load(folder)["train"]) == 1
    (folder / "train.jsonl").write_text("{}\n")
    with pytest.raises(DataError, match="make it again"):
        load(folder)


def test_a_pair_is_learned_behind_the_prompt_of_a_turn_and_none_is_cut(tiny: Tiny, tmp_path: Path) -> None:
    loaded = load_base(find(str(tiny.base)), "float32", "cpu")
    rows = load(pairs(tmp_path / "data"))["train"]
    told = list(preferred(rows, loaded.tokenizer, loaded.ends, longest=3000))
    for row, one in zip(rows, told, strict=True):
        asked = render(row["brief"], count=lambda text: len(loaded.tokenizer(text)["input_ids"]), room=2900)
        assert one["prompt_ids"] == as_tokens(loaded.tokenizer, "base", talk(asked))
        assert loaded.tokenizer.decode(one["chosen_ids"]) == row["chosen"] + "<|end|>"
        assert loaded.tokenizer.decode(one["rejected_ids"]) == row["rejected"] + "<|end|>"
    parts = {"train": told[:4], "valid": told[:4]}
    trainer = tuned(PREFER, loaded, parts, tmp_path / "w", place="cpu")
    batch = next(iter(trainer.get_train_dataloader()))
    learned = [
        [int(i) for i, m in zip(ids, mask, strict=True) if m]
        for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True)
    ]
    wanted = [one[key] for key in ("chosen_ids", "rejected_ids") for one in told[:4]]  # type: ignore[literal-required]
    assert sorted(learned) == sorted(wanted)


@pytest.mark.parametrize("method", ["lora", "full"])
def test_dpo_makes_the_better_reply_likelier_and_goes_on_bit_for_bit(
    tiny: Tiny, tmp_path: Path, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = load_prompt().model_copy(update={"system": "Be kind."})
    monkeypatch.setattr("agent.prompt.load_prompt", lambda: few)  # a whole prompt takes minutes here

    class Cut(KeyboardInterrupt): ...

    def cut(told: dict[str, float]) -> None:
        if told["step"] == 4:
            raise Cut

    folder = pairs(tmp_path / "data")
    rate = 5e-3 if method == "lora" else 5e-4
    recipe = PREFER.model_copy(update={"method": method, "rate": rate})
    base = _long(tiny.base, tmp_path / "base")
    told: dict[str, Any] = {"model": str(base)}
    report = run(recipe, folder, tmp_path / "whole", work=tmp_path / "w1", **told)
    assert report["best validation loss"] < 0.69
    assert report["preferences"][-1]["accuracy"] == 1.0
    assert report["preferences"][-1]["margin"] > 0
    card = (tmp_path / "whole/README.md").read_text()
    assert "direct preference optimisation" in card
    assert "100.0%" in card
    with pytest.raises(Cut):
        run(recipe, folder, tmp_path / "again", work=tmp_path / "w2", progress=cut, **told)
    run(recipe, folder, tmp_path / "again", work=tmp_path / "w2", **told)
    file = "adapter_model.safetensors" if method == "lora" else "model.safetensors"
    assert (tmp_path / "whole" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()


def _long(base: Path, folder: Path) -> Path:
    """The tiny model, reading as many tokens as the notes of a turn take with so few of them."""
    shutil.copytree(base, folder)
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 4096}))
    return folder


def test_preferences_are_refused_where_they_cannot_be_learned(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="merge"):
        load_recipe("dpo", ["conditions=tokens"])
    with pytest.raises(SettingsError, match="packing"):
        load_recipe("dpo", ["packing=true"])
    with pytest.raises(DataError, match="data preferences"):
        run(PREFER, tmp_path, tmp_path / "o", work=tmp_path / "w", model=str(tiny.base))
    short = PREFER.model_copy(update={"length": 300})
    with pytest.raises(DataError, match="too_long: drop"):
        run(short, pairs(tmp_path / "d"), tmp_path / "o", work=tmp_path / "w", model=str(tiny.base))
