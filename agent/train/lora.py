"""A language model tuned on prepared conversations: an adapter, or all of its weights (TRL and peft).

    report = run(load_recipe("recommended"), data, out, work=work, model="./small-model")

A run cut off in `work` goes on bit for bit. What would fail late is refused before the first step: an
empty part, an unknown label, examples longer than the model reads, 4-bit numbers without CUDA, a full disk.
Sample replies are held against the guard; no text is printed. Knows nothing of where the data come from.
"""

import json
import math
import os
import shutil
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.errors import DataError, SettingsError
from agent.llm.model_files import find
from agent.llm.weights import Loaded, choose_numbers, choose_place, load_base
from agent.train import lora_card
from agent.train.dialogue_sources import Example
from agent.train.dialogues import load_examples
from agent.train.examples import Tokens, tokenised
from agent.train.lora_callbacks import Progress, reporter, sampler
from agent.train.lora_checks import claim, hashes, last_checkpoint, require_4bit, require_disk
from agent.train.lora_recipe import Recipe

__all__ = ["run", "tuned"]


def run(  # noqa: PLR0913 - what a run is told
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    work: Path,
    model: str = "",
    progress: Progress | None = None,
    free_disk: Callable[[Path], int] = lambda path: shutil.disk_usage(path).free,
) -> dict[str, Any]:
    """Train by the recipe and write model, card and metrics into `out`. Raises DataError, SettingsError."""
    name = model or recipe.model
    if not name:
        raise SettingsError("No model is named: give --model a hub id or a folder.")
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")  # TRL would tell that it is used
    examples = load_examples(data)
    files = find(name)
    if files.adapter is not None:
        raise SettingsError(f"{name} is an adapter itself: merge it first with `hearken export merge`.")
    require_4bit(recipe)
    place = choose_place("auto")
    loaded = load_base(files, _numbers(recipe, place), place)
    if loaded.reads < recipe.length:
        raise SettingsError(
            f"The recipe's length {recipe.length} is more than the {loaded.reads} tokens {name} reads: "
            f"add --set length={loaded.reads}."
        )
    parts = {part: _fitted(found, loaded, recipe) for part, found in examples.items()}
    require_disk(recipe, loaded, (work, out), free_disk)
    claim(work, recipe, data, name)
    with _calm():
        trainer = tuned(recipe, loaded, parts, work, place=place, progress=progress)
        said = work / "samples.jsonl"
        trainer.add_callback(sampler(recipe, loaded, trainer.model, examples["valid"], said))
        last = last_checkpoint(work)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        report = _report(trainer, recipe, data, name, said)
        _save(trainer, loaded, out, report, recipe)
    return report


def tuned(  # noqa: PLR0913 - what a trainer is made of
    recipe: Recipe,
    loaded: Loaded,
    parts: dict[str, list[Tokens]],
    work: Path,
    *,
    place: str,
    progress: Progress | None = None,
) -> Any:
    """The trainer of a run, ready to train."""
    import datasets  # noqa: PLC0415
    from transformers import EarlyStoppingCallback, PrinterCallback  # noqa: PLC0415
    from trl import SFTTrainer  # noqa: PLC0415

    if loaded.tokenizer.pad_token_id is None:
        loaded.tokenizer.pad_token_id = loaded.pad
    with _calm():
        sets = {
            part: datasets.Dataset.from_list([dict(one) for one in found]) for part, found in parts.items()
        }
        trainer = SFTTrainer(
            model=_prepared(recipe, loaded),
            args=_arguments(recipe, work, place, len(parts["train"])),
            train_dataset=sets["train"],
            eval_dataset=sets["valid"],
            processing_class=loaded.tokenizer,
            callbacks=[EarlyStoppingCallback(recipe.patience)] if recipe.patience else [],
        )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(reporter(recipe, progress))
    return trainer


def _arguments(recipe: Recipe, work: Path, place: str, count: int) -> Any:
    from trl import SFTConfig  # noqa: PLC0415

    eight_bit = recipe.optimiser != "adamw_torch" and place == "cuda"
    per_epoch = math.ceil(count / (recipe.batch * recipe.accumulate))
    numbers = _numbers(recipe, place)
    return SFTConfig(
        output_dir=str(work / "checkpoints"),
        num_train_epochs=recipe.epochs,
        max_steps=recipe.steps or -1,
        per_device_train_batch_size=recipe.batch,
        per_device_eval_batch_size=recipe.batch,
        gradient_accumulation_steps=recipe.accumulate,
        learning_rate=recipe.rate,
        lr_scheduler_type=recipe.schedule,
        warmup_steps=recipe.warmup,
        weight_decay=recipe.weight_decay,
        max_grad_norm=recipe.clip,
        optim=recipe.optimiser if eight_bit else "adamw_torch",
        max_length=recipe.length,
        packing=recipe.packing,
        eval_packing=False,
        activation_checkpointing=recipe.checkpointing,
        bf16=place == "cuda" and numbers in {"bfloat16", "4bit"} and recipe.precision != "fp16",
        fp16=place == "cuda" and recipe.precision == "fp16",
        use_cpu=place == "cpu",
        seed=recipe.seed,
        data_seed=recipe.seed,
        eval_strategy="epoch",
        save_strategy="epoch",
        save_total_limit=2,
        load_best_model_at_end=recipe.best,
        metric_for_best_model="eval_loss",
        logging_steps=max(1, min(25, per_epoch // 4)),
        report_to=["tensorboard"] if recipe.tensorboard else [],
        disable_tqdm=True,
        dataloader_pin_memory=place == "cuda",
    )


def _numbers(recipe: Recipe, place: str) -> str:
    if recipe.method == "qlora":
        return choose_numbers("4bit", place, [], 0)
    wanted = {"fp32": "float32", "bf16": "bfloat16", "fp16": "float32"}.get(recipe.precision)
    # Adam's small steps are lost in half numbers: weights that learn are float32 unless asked otherwise.
    return wanted or ("float32" if place != "cuda" or recipe.method == "full" else "bfloat16")


def _prepared(recipe: Recipe, loaded: Loaded) -> Any:
    """The model with what is to learn in it."""
    import torch  # noqa: PLC0415

    model = loaded.model
    model.config.use_cache = False
    if recipe.method == "full":
        return model.requires_grad_(requires_grad=True)
    import peft  # noqa: PLC0415

    if recipe.method == "qlora":
        model = peft.prepare_model_for_kbit_training(model, use_gradient_checkpointing=recipe.checkpointing)
    torch.manual_seed(recipe.seed)  # the adapter's first weights are drawn
    config = peft.LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=None if recipe.targets == "default" else recipe.targets,
        task_type="CAUSAL_LM",
    )
    return peft.get_peft_model(model, config)


def _fitted(examples: Sequence[Example], loaded: Loaded, recipe: Recipe) -> list[Tokens]:
    def tokens(found: Sequence[Example]) -> Iterator[Tokens]:
        return tokenised(found, loaded.tokenizer, loaded.ends, longest=recipe.length, name=loaded.name)

    if recipe.too_long == "refuse":
        return list(tokens(examples))
    kept: list[Tokens] = []
    for example in examples:
        try:
            kept += tokens([example])
        except DataError as error:
            if "tokens of at most" not in str(error):
                raise
    if not kept:
        raise DataError(f"No example fits into {recipe.length} tokens: raise `length`.")
    return kept


@contextmanager
def _calm() -> Iterator[None]:
    """The libraries call one another by names they no longer like; a person can do nothing about it."""
    import datasets  # noqa: PLC0415
    from transformers.utils import logging  # noqa: PLC0415

    before = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    datasets.disable_progress_bars()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)
            warnings.simplefilter("ignore", DeprecationWarning)
            warnings.simplefilter("ignore", UserWarning)
            yield
    finally:
        logging.set_verbosity(before)
        logging.enable_progress_bar()
        datasets.enable_progress_bars()


# --- after ---


def _report(trainer: Any, recipe: Recipe, data: Path, name: str, samples: Path) -> dict[str, Any]:
    history = [one for one in trainer.state.log_history if "eval_loss" in one]
    learned = sum(one.numel() for one in trainer.model.parameters() if one.requires_grad)
    lines = samples.read_text("utf-8").splitlines() if samples.is_file() else []
    # A run that was cut off wrote some of them twice.
    told = list({(one["step"], one["example"]): one for one in map(json.loads, lines)}.values())
    made = json.loads((data / "report.json").read_text("utf-8")) if (data / "report.json").is_file() else {}
    return {
        "task": "train",
        "model": name,
        "method": recipe.method,
        "weights that learned": learned,
        "steps": trainer.state.global_step,
        "validation loss": [
            {"step": one["step"], "epoch": round(one["epoch"], 3), "loss": one["eval_loss"]}
            for one in history
        ],
        "best validation loss": min((one["eval_loss"] for one in history), default=None),
        "samples": told,
        "data": {**hashes(data), "sources": made.get("train", {}).get("sources", {})},
        "recipe": recipe.model_dump(),
    }


def _save(trainer: Any, loaded: Loaded, out: Path, report: dict[str, Any], recipe: Recipe) -> None:
    import yaml  # noqa: PLC0415

    trainer.model.config.use_cache = True
    trainer.save_model(str(out))
    loaded.tokenizer.save_pretrained(out)
    (out / "training_args.bin").unlink(missing_ok=True)  # a pickle, which nobody should have to trust
    (out / "metrics.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (out / "recipe.yaml").write_text(yaml.safe_dump(recipe.model_dump(), sort_keys=False), "utf-8")
    (out / "README.md").write_text(lora_card.card(report), "utf-8")
