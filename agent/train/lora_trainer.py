"""The trainer of a run: TRL's for replies or for preferences, with the model and what is to learn in it.

Both get tokens that are ready, so that what is learned is what the app asks with, and neither cuts or
renders anything. Knows nothing of files and of what becomes of the result.
"""

import copy
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.llm.learned import widen
from agent.llm.weights import Loaded, choose_numbers
from agent.prompt import load_prompt
from agent.steering import tokens
from agent.train.lora_callbacks import Progress, reporter
from agent.train.lora_recipe import Recipe

__all__ = ["calm", "numbers", "tuned"]


def tuned(  # noqa: PLR0913 - what a trainer is made of
    recipe: Recipe,
    loaded: Loaded,
    parts: Mapping[str, Sequence[Mapping[str, list[int]]]],
    work: Path,
    *,
    place: str,
    progress: Progress | None = None,
) -> Any:
    """The trainer of a run, ready to train. parts: examples or pairs as tokens (agent.train.examples)."""
    import datasets  # noqa: PLC0415
    from transformers import EarlyStoppingCallback, PrinterCallback  # noqa: PLC0415

    if loaded.tokenizer.pad_token_id is None:
        loaded.tokenizer.pad_token_id = loaded.pad
    with calm():
        sets = {
            part: datasets.Dataset.from_list([dict(one) for one in found]) for part, found in parts.items()
        }
        kind, config, more = _kind(recipe, loaded)
        trainer = kind(
            model=_prepared(recipe, loaded),
            args=config(**_arguments(recipe, work, place, len(parts["train"]))),
            train_dataset=sets["train"],
            eval_dataset=sets["valid"],
            processing_class=loaded.tokenizer,
            callbacks=[EarlyStoppingCallback(recipe.patience)] if recipe.patience else [],
            **more,
        )
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(reporter(recipe, progress))
    return trainer


def _kind(recipe: Recipe, loaded: Loaded) -> tuple[Any, Any, dict[str, Any]]:
    """TRL's trainer for the objective, its configuration, and what only that one is given."""
    if recipe.objective == "replies":
        from trl import SFTConfig, SFTTrainer  # noqa: PLC0415

        return SFTTrainer, SFTConfig, {}
    from trl import DPOConfig, DPOTrainer  # noqa: PLC0415

    class Ready(DPOTrainer):  # type: ignore[misc]  # the only way to give it tokens
        """Takes tokens as they come; TRL would render and cut texts in a way of its own."""

        def _prepare_dataset(self, dataset: Any, *_: Any) -> Any:
            return dataset

    # An adapter is switched off to see what the model was; without one, that takes a second model.
    whole = recipe.method == "full"
    return Ready, DPOConfig, {"ref_model": copy.deepcopy(loaded.model) if whole else None}


def _arguments(recipe: Recipe, work: Path, place: str, count: int) -> dict[str, Any]:
    eight_bit = recipe.optimiser != "adamw_torch" and place == "cuda"
    per_epoch = math.ceil(count / (recipe.batch * recipe.accumulate))
    held = numbers(recipe, place)
    own: dict[str, Any] = (
        {"packing": recipe.packing, "eval_packing": False}
        if recipe.objective == "replies"
        else {"beta": recipe.beta}
    )
    return {
        **own,
        "output_dir": str(work / "checkpoints"),
        "num_train_epochs": recipe.epochs,
        "max_steps": recipe.steps or -1,
        "per_device_train_batch_size": recipe.batch,
        "per_device_eval_batch_size": recipe.batch,
        "gradient_accumulation_steps": recipe.accumulate,
        "learning_rate": recipe.rate,
        "lr_scheduler_type": recipe.schedule,
        "warmup_steps": recipe.warmup,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.clip,
        "optim": recipe.optimiser if eight_bit else "adamw_torch",
        "max_length": recipe.length,
        "activation_checkpointing": recipe.checkpointing,
        "bf16": place == "cuda" and held in {"bfloat16", "4bit"} and recipe.precision != "fp16",
        "fp16": place == "cuda" and recipe.precision == "fp16",
        "use_cpu": place == "cpu",
        "seed": recipe.seed,
        "data_seed": recipe.seed,
        "eval_strategy": "epoch",
        "save_strategy": "epoch",
        "save_total_limit": 2,
        "load_best_model_at_end": recipe.best,
        "metric_for_best_model": "eval_loss",
        "logging_steps": max(1, min(25, per_epoch // 4)),
        "report_to": ["tensorboard"] if recipe.tensorboard else [],
        "disable_tqdm": True,
        "dataloader_pin_memory": place == "cuda",
    }


def numbers(recipe: Recipe, place: str) -> str:
    """The numbers to hold the weights in."""
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
    learned = None
    if recipe.conditions == "tokens":
        learned = widen(model, loaded.tokenizer, tokens(load_prompt().tokens))
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
        trainable_token_indices=learned,
        task_type="CAUSAL_LM",
    )
    tuned_model = peft.get_peft_model(model, config)
    head = tuned_model.get_output_embeddings()
    if learned and not hasattr(head, "bias"):
        # Where the output shares the input's weights, peft wraps it, and TRL asks the wrap for a bias.
        head.bias = None
    return tuned_model


@contextmanager
def calm() -> Iterator[None]:
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
