"""Tuning a language model: what it learns from, how a run goes on, what it refuses, what it leaves behind."""

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import HumanMessage

from agent.backends import HuggingFace
from agent.errors import DataError, SettingsError
from agent.llm.local import load_local
from agent.llm.model_files import find
from agent.llm.weights import load_base
from agent.prompt import Message, load_prompt
from agent.train.dialogue_sources import Example
from agent.train.examples import IGNORED, as_messages, tokenised
from agent.train.lora import run
from agent.train.lora_checks import claim
from agent.train.lora_recipe import Recipe, load_recipe, presets
from agent.train.lora_trainer import tuned
from tests.agent.llm.tiny_llms import TEXT, Tiny, tiny_llms, torch

pytest.importorskip("trl", reason="hearken[train] is not installed")
SMALL = Recipe(
    about="A test.", method="lora", rank=4, alpha=16, dropout=0.1, epochs=2, batch=4, rate=2e-2,
    schedule="constant", length=256, samples=1, sample_tokens=8, save_every=3,
)  # fmt: skip


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny_llms(tmp_path_factory.getbasetemp() / "llms")


def example(asked: str, reply: str, **told: Any) -> Example:
    messages = [Message(role="user", content=asked), Message(role="assistant", content=reply)]
    plain = Example(
        messages=messages, kind="task", feeling="", intent="", source="imhi", group=asked, held=False,
        counsel=False, author="",
    )  # fmt: skip
    return {**plain, **told}  # type: ignore[typeddict-item]


def data(folder: Path, count: int = 20, **told: Any) -> Path:
    """Prepared data: half of it asks one thing, half the other, and the answer tells which."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, share in (("train", count), ("valid", 4)):
        rows = [
            example(f"{part} {n} {TEXT[n % 2]}", "Yes, a long night." if n % 2 else "No.", **told)
            for n in range(share)
        ]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_only_the_reply_and_its_end_cost_loss(tiny: Tiny) -> None:
    loaded = load_base(find(str(tiny.base)), "float32", "cpu")
    found = [example(TEXT[0], TEXT[1]), example(TEXT[2], TEXT[3])]
    rows = list(tokenised(found, loaded.tokenizer, loaded.ends, longest=256))
    for row, one in zip(rows, found, strict=True):
        learned = [token for token in row["labels"] if token != IGNORED]
        assert loaded.tokenizer.decode(learned) == one["messages"][-1]["content"] + "<|end|>"
        assert row["labels"][-len(learned) :] == row["input_ids"][-len(learned) :]
    # and so they come out of the trainer's own collator, packed or not
    for packing in (False, True):
        recipe = SMALL.model_copy(update={"packing": packing})
        trainer = tuned(
            recipe,
            load_base(find(str(tiny.base)), "float32", "cpu"),
            {"train": rows, "valid": rows},
            Path("unused"),
            place="cpu",
        )
        batch = next(iter(trainer.get_train_dataloader()))
        assert int((batch["labels"] != IGNORED).sum()) == sum(
            token != IGNORED for row in rows for token in row["labels"]
        )


def test_a_reply_is_learned_behind_the_very_prompt_the_app_asks_with() -> None:
    one = example(TEXT[0], "When did it begin?", kind="reply", feeling="lonely", intent="questioning")
    system, asked, reply = as_messages(one, count=len, room=100_000)
    assert system["content"] == load_prompt().system
    assert "User is feeling lonely." in asked["content"]
    assert "intent in reply should be questioning" in asked["content"]
    assert load_prompt().notes["ask"] in asked["content"]
    assert TEXT[0] in asked["content"].partition("<person>")[2]
    assert reply["content"] == "When did it begin?"
    advice = example(TEXT[0], "You could write it down.", kind="reply", intent="suggesting")
    assert load_prompt().notes["no_idea"] not in as_messages(advice, count=len, room=100_000)[1]["content"]


def test_a_label_nobody_knows_is_refused() -> None:
    one = example(TEXT[0], TEXT[1], kind="reply", feeling="peckish")
    with pytest.raises(DataError, match="peckish"):
        as_messages(one, count=len, room=100_000)


def test_training_lowers_validation_loss_and_changes_what_the_backend_says(
    tiny: Tiny, tmp_path: Path
) -> None:
    told: list[dict[str, float]] = []
    report = run(
        SMALL,
        data(tmp_path / "data"),
        tmp_path / "out",
        work=tmp_path / "w",
        model=str(tiny.base),
        progress=told.append,
    )
    losses = [one["loss"] for one in report["validation loss"]]
    assert len(losses) == 2
    assert losses[-1] < losses[0]
    assert report["best validation loss"] == min(losses)
    assert told[-1]["step"] == report["steps"] == 10
    assert {one["step"] for one in report["samples"]} == {5, 10}
    assert (tmp_path / "out/adapter_model.safetensors").is_file()
    card = (tmp_path / "out/README.md").read_text()
    assert report["data"]["train.jsonl"] in card
    plain = {"temperature": 0, "max_tokens": 8, "device": "cpu"}
    before = load_local(HuggingFace(model=str(tiny.base), **plain))
    after = load_local(HuggingFace(model=str(tmp_path / "out"), **plain))
    asked = [HumanMessage(f"valid 1 {TEXT[1]}")]
    assert after.invoke(asked).text != before.invoke(asked).text


def test_two_hundred_steps_lower_validation_loss_by_more_than_one_nat(tiny: Tiny, tmp_path: Path) -> None:
    recipe = SMALL.model_copy(update={"epochs": 40, "rate": 5e-3, "samples": 0, "save_every": 100})
    report = run(recipe, data(tmp_path / "data"), tmp_path / "out", work=tmp_path / "w", model=str(tiny.base))
    losses = [one["loss"] for one in report["validation loss"]]
    assert report["steps"] == 200
    assert report["best validation loss"] < losses[0] - 1.0


def test_a_run_cut_off_goes_on_bit_for_bit(tiny: Tiny, tmp_path: Path) -> None:
    class Cut(KeyboardInterrupt): ...

    def cut(told: dict[str, float]) -> None:
        if told["step"] == 8:
            raise Cut

    folder = data(tmp_path / "data")
    run(SMALL, folder, tmp_path / "whole", work=tmp_path / "w1", model=str(tiny.base))
    with pytest.raises(Cut):
        run(SMALL, folder, tmp_path / "again", work=tmp_path / "w2", model=str(tiny.base), progress=cut)
    assert not (tmp_path / "again/README.md").exists()
    with (tmp_path / "w2/samples.jsonl").open("a") as file:
        file.write('{"step": 5, "exam')  # as a process leaves it that was killed while it wrote
    report = run(SMALL, folder, tmp_path / "again", work=tmp_path / "w2", model=str(tiny.base))
    one, other = ((tmp_path / name / "adapter_model.safetensors").read_bytes() for name in ("whole", "again"))
    assert one == other
    assert len(report["samples"]) == 2
    with pytest.raises(SettingsError, match="another recipe"):
        run(
            SMALL.model_copy(update={"rank": 2}),
            folder,
            tmp_path / "x",
            work=tmp_path / "w2",
            model=str(tiny.base),
        )


def test_it_ends_when_validation_no_longer_gets_better(tiny: Tiny, tmp_path: Path) -> None:
    wild = SMALL.model_copy(update={"rate": 0.9, "epochs": 6, "patience": 1, "samples": 0, "method": "full"})
    report = run(
        wild, data(tmp_path / "data", 8), tmp_path / "out", work=tmp_path / "w", model=str(tiny.base)
    )
    assert report["steps"] < 12
    assert (tmp_path / "out/model.safetensors").is_file()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"method": "qlora"}, "--set method=lora"),
        ({"length": 4096}, "--set length=512"),
        ({"length": 20}, "too_long: drop"),
    ],
)
def test_what_cannot_go_well_is_refused_before_the_first_step(
    tiny: Tiny, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    if torch.cuda.is_available() and "method" in changes:
        pytest.skip("there is a GPU")
    with pytest.raises((SettingsError, DataError), match=says):
        run(
            SMALL.model_copy(update=changes),
            data(tmp_path / "d"),
            tmp_path / "o",
            work=tmp_path / "w",
            model=str(tiny.base),
        )
    assert not (tmp_path / "w/checkpoints").exists()


def test_four_bits_are_loaded_and_prepared_as_published(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a GPU nothing can be quantised: this holds what would be, up to the first step."""
    peft, transformers = pytest.importorskip("peft"), pytest.importorskip("transformers")
    recipe = load_recipe("s1-imhi").model_copy(update={"length": 256, "too_long": "drop"})
    assert recipe.method == "qlora"
    asked: dict[str, Any] = {}
    real = transformers.AutoModelForCausalLM.from_pretrained

    def loaded(folder: Path, **options: Any) -> Any:
        asked.update(options)
        plain = {name: options[name] for name in ("output_loading_info", "local_files_only")}
        return real(folder, **plain)

    def prepared(model: Any, **options: Any) -> Any:
        asked["prepared"] = options
        return model

    class Done(KeyboardInterrupt): ...

    def trained(model: Any, config: Any) -> Any:
        asked["config"] = config
        raise Done

    places: dict[str, Any] = {"out": tmp_path / "o", "work": tmp_path / "w", "model": str(tiny.base)}
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    there, spec = set[str](), importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *more: name in there or None if name == "bitsandbytes" else spec(name, *more),
    )
    with pytest.raises(SettingsError, match="pip install bitsandbytes"):
        run(recipe, data(tmp_path / "d"), **places)
    there.add("bitsandbytes")
    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", loaded)
    monkeypatch.setattr(peft, "prepare_model_for_kbit_training", prepared)
    monkeypatch.setattr(peft, "get_peft_model", trained)
    with pytest.raises(Done):
        run(recipe, tmp_path / "d", **places)
    bits = asked["quantization_config"]
    assert bits.load_in_4bit
    assert bits.bnb_4bit_use_double_quant
    assert bits.bnb_4bit_quant_type == "nf4"
    assert bits.bnb_4bit_compute_dtype == asked["dtype"] == torch.bfloat16
    assert asked["device_map"] == "cuda"
    assert asked["prepared"] == {"use_gradient_checkpointing": recipe.checkpointing}
    assert (asked["config"].r, asked["config"].lora_alpha) == (recipe.rank, recipe.alpha)


def test_a_full_disk_an_empty_part_and_an_adapter_as_base_are_refused(tiny: Tiny, tmp_path: Path) -> None:
    folder = data(tmp_path / "d")
    places: dict[str, Any] = {"out": tmp_path / "o", "work": tmp_path / "w"}
    with pytest.raises(SettingsError, match="GB free"):
        run(SMALL, folder, model=str(tiny.base), free_disk=lambda path: 1000, **places)
    with pytest.raises(SettingsError, match="merge it first"):
        run(SMALL, folder, model=str(tiny.expert), **places)
    with pytest.raises(SettingsError, match="--model"):
        run(SMALL, folder, **places)
    (folder / "valid.jsonl").write_text("")
    with pytest.raises(DataError, match="no example"):
        run(SMALL, folder, model=str(tiny.base), **places)


def test_curves_are_written_for_tensorboard_where_asked_for(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = SMALL.model_copy(update={"tensorboard": True, "steps": 2, "samples": 0})
    places: dict[str, Any] = {"work": tmp_path / "w", "model": str(tiny.base)}
    run(recipe, data(tmp_path / "d", 8), tmp_path / "o", **places)
    (events,) = (tmp_path / "w").rglob("events.out.tfevents*")
    assert b"eval/loss" in events.read_bytes()
    spec = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *more: None if name.startswith("tensorboard") else spec(name, *more),
    )
    with pytest.raises(SettingsError, match="pip install tensorboardx"):
        run(recipe, tmp_path / "d", tmp_path / "o", **places)


def test_a_disk_that_fills_up_is_told_and_the_run_goes_on_afterwards(tiny: Tiny, tmp_path: Path) -> None:
    folder, left = data(tmp_path / "d"), [10**12]
    places: dict[str, Any] = {"work": tmp_path / "w", "model": str(tiny.base)}

    def full(told: dict[str, float]) -> None:
        if told["step"] == 5:
            left[0] = 4096
            raise RuntimeError("PytorchStreamWriter failed writing file data/0: file write failed")

    with pytest.raises(SettingsError, match=r"is full.*goes on"):
        run(SMALL, folder, tmp_path / "o", progress=full, free_disk=lambda path: left[0], **places)
    with pytest.raises(RuntimeError, match="my own"):
        run(SMALL, folder, tmp_path / "o", progress=broken, **places)
    assert run(SMALL, folder, tmp_path / "o", **places)["steps"] == 10


def broken(_told: dict[str, float]) -> None:
    raise RuntimeError("my own")


def test_what_is_too_long_may_be_left_out(tiny: Tiny, tmp_path: Path) -> None:
    folder = data(tmp_path / "d", 8)
    with (folder / "train.jsonl").open("a") as file:
        file.write(json.dumps(example(TEXT[0] * 20, "No.")) + "\n")
    recipe = SMALL.model_copy(update={"too_long": "drop", "steps": 1, "samples": 0})
    assert run(recipe, folder, tmp_path / "o", work=tmp_path / "w", model=str(tiny.base))["steps"] == 1


def test_every_preset_is_whole_and_says_what_it_is() -> None:
    seeds = {"s1-counselling", "s1-imhi", "s2-counselling", "s3-empathetic"}
    assert set(presets()) == {"recommended", "dpo", "emotion-tokens", *seeds}
    assert all(load_recipe(name).about for name in presets())
    assert load_recipe("s2-counselling").rank == 64


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        (["rank=0"], "rank"),
        (["colour=red"], "colour"),
        (["rank"], "rank"),
        (["epochs=.inf"], "epochs"),
        (["seed=-1"], "seed"),
        (["targets=[]"], "targets"),
        (["length=["], "key: value"),
    ],
)
def test_a_recipe_that_is_wrong_names_the_key(changes: Sequence[str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load_recipe("recommended", changes)


def test_a_file_that_is_no_recipe_is_told(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="presets"):
        load_recipe("no-such-recipe")
    (tmp_path / "weights.yaml").write_bytes(b"\xff\xfe\x00a")
    with pytest.raises(SettingsError, match="not YAML"):
        load_recipe(str(tmp_path / "weights.yaml"))


def test_the_note_of_a_run_is_whole_or_not_there(tmp_path: Path) -> None:
    folder = data(tmp_path / "d")
    (tmp_path / "run.json.7").write_text('{"rec')  # cut off while it was written
    claim(tmp_path, SMALL, folder, "m")
    before = (tmp_path / "run.json").stat().st_mtime_ns
    claim(tmp_path, SMALL, folder, "m")
    assert (tmp_path / "run.json").stat().st_mtime_ns == before
    with pytest.raises(SettingsError, match="another recipe"):
        claim(tmp_path, SMALL, folder, "n")
    (tmp_path / "run.json").write_text("")
    with pytest.raises(SettingsError, match="--work"):
        claim(tmp_path, SMALL, folder, "m")
