"""A language model tuned on prepared conversations or pairs of replies: an adapter, or all of its weights.

    report = run(load_recipe("recommended"), data, out, work=work, model="./small-model")

A run cut off in `work` goes on bit for bit. What would fail late is refused before the first step: an
empty part, an unknown label, examples longer than the model reads, no strengths where they are to be learned,
4-bit numbers without CUDA, a full disk.
Sample replies are held against the guard; no text is printed. Knows nothing of where the data come from.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.errors import DataError, SettingsError
from agent.llm.learned import note, widen
from agent.llm.model_files import find
from agent.llm.weights import Loaded, choose_place, load_base
from agent.prompt import load_prompt
from agent.steering import tokens
from agent.train import lora_card, preferences
from agent.train.dialogues import load_examples
from agent.train.examples import preferred, tokenised
from agent.train.lora_callbacks import Progress, sampler, samples
from agent.train.lora_checks import (
    claim,
    hashes,
    last_checkpoint,
    require_4bit,
    require_disk,
    require_levels,
    require_tensorboard,
    room,
)
from agent.train.lora_recipe import Recipe
from agent.train.lora_trainer import calm, numbers, tuned

__all__ = ["run"]


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
    examples = _examples(recipe, data)
    files = find(name)
    if files.adapter is not None:
        raise SettingsError(f"{name} is an adapter itself: merge it first with `hearken export merge`.")
    require_4bit(recipe)
    require_tensorboard(recipe)
    place = choose_place("auto")
    loaded = load_base(files, numbers(recipe, place), place)
    if loaded.reads < recipe.length:
        raise SettingsError(
            f"The recipe's length {recipe.length} is more than the {loaded.reads} tokens {name} reads: "
            f"add --set length={loaded.reads}."
        )
    if recipe.conditions == "tokens":
        widen(loaded.model, loaded.tokenizer, tokens(load_prompt().tokens))
        loaded.form = "tokens"
    parts = {part: _fitted(found, loaded, recipe) for part, found in examples.items()}
    require_disk(recipe, loaded, (work, out), free_disk)
    claim(work, recipe, data, name)
    with calm(), room(work, free_disk):
        trainer = tuned(recipe, loaded, parts, work, place=place, progress=progress)
        said = work / "samples.jsonl"
        trainer.add_callback(sampler(recipe, loaded, trainer.model, examples["valid"], said))
        last = last_checkpoint(work)
        trainer.train(resume_from_checkpoint=str(last) if last else None)
        report = _report(trainer, recipe, data, name, said)
        _save(trainer, loaded, out, report, recipe)
    return report


def _examples(recipe: Recipe, data: Path) -> Mapping[str, Sequence[Any]]:
    """What the data folder holds for this objective."""
    if recipe.objective == "preferences":
        return preferences.load(data)
    found = load_examples(data)
    if recipe.conditions == "tokens":
        require_levels(found, data)
    return found


def _fitted(examples: Sequence[Any], loaded: Loaded, recipe: Recipe) -> list[Any]:
    def ready(found: Sequence[Any]) -> Iterable[Any]:
        told: dict[str, Any] = {"longest": recipe.length, "name": loaded.name, "form": loaded.form}
        make: Callable[..., Iterable[Any]] = preferred if recipe.objective == "preferences" else tokenised
        return make(found, loaded.tokenizer, loaded.ends, **told)

    if recipe.too_long == "refuse":
        return list(ready(examples))
    kept: list[Any] = []
    for example in examples:
        try:
            kept += ready([example])
        except DataError as error:
            if "tokens of at most" not in str(error):
                raise
    if not kept:
        raise DataError(f"No example fits into {recipe.length} tokens: raise `length`.")
    return kept


# --- after ---


def _report(trainer: Any, recipe: Recipe, data: Path, name: str, said: Path) -> dict[str, Any]:
    history = [one for one in trainer.state.log_history if "eval_loss" in one]
    learned = sum(one.numel() for one in trainer.model.parameters() if one.requires_grad)
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
        **_preferences(history),
        "samples": samples(said),
        "data": {**hashes(data), "sources": made.get("train", {}).get("sources", {})},
        "recipe": recipe.model_dump(),
    }


def _preferences(history: Sequence[Mapping[str, float]]) -> dict[str, Any]:
    """How often, on validation pairs, the better reply gained on the other, and by how much."""
    found = [
        {
            "step": one["step"],
            "accuracy": one["eval_rewards/accuracies"],
            "margin": one["eval_rewards/margins"],
        }
        for one in history
        if "eval_rewards/accuracies" in one
    ]
    return {"preferences": found} if found else {}


def _save(trainer: Any, loaded: Loaded, out: Path, report: dict[str, Any], recipe: Recipe) -> None:
    import yaml  # noqa: PLC0415

    trainer.model.config.use_cache = True
    trainer.save_model(str(out))
    first = trainer.is_world_process_zero()
    if recipe.conditions == "tokens" and recipe.method != "full" and first:
        # peft takes a vocabulary that grew for one that was trained, and would save all of it.
        trainer.accelerator.unwrap_model(trainer.model).save_pretrained(out, save_embedding_layers=False)
    if not first:
        return
    loaded.tokenizer.save_pretrained(out)
    note(out, loaded.form)
    (out / "training_args.bin").unlink(missing_ok=True)  # a pickle, which nobody should have to trust
    (out / "metrics.json").write_text(json.dumps(report, indent=2, ensure_ascii=False) + "\n", "utf-8")
    (out / "recipe.yaml").write_text(yaml.safe_dump(recipe.model_dump(), sort_keys=False), "utf-8")
    (out / "README.md").write_text(lora_card.card(report), "utf-8")
