"""What is checked before a run begins, so that nothing fails after hours that could be told at once.

Knows nothing of how a run goes.
"""

import hashlib
import importlib.util
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from agent.errors import DataError, SettingsError
from agent.llm.weights import Loaded
from agent.train.dialogue_sources import Example
from agent.train.lora_recipe import Recipe

__all__ = [
    "claim", "hashes", "last_checkpoint", "require_4bit", "require_disk", "require_levels",
    "require_tensorboard", "room",
]  # fmt: skip

SPARE = 200 * 2**20  # bytes that a run must leave on the disk
LITTLE = 20 * 2**20  # bytes below which a disk is full


def require_4bit(recipe: Recipe) -> None:
    """4-bit numbers need CUDA and bitsandbytes."""
    import torch  # noqa: PLC0415

    if recipe.method != "qlora":
        return
    if not torch.cuda.is_available():
        raise SettingsError(
            "QLoRA holds the model in 4-bit numbers, for which there is no CUDA device here: "
            "add --set method=lora, or run it where an NVIDIA GPU is."
        )
    if importlib.util.find_spec("bitsandbytes") is None:
        raise SettingsError(
            "QLoRA's 4-bit numbers need bitsandbytes: pip install bitsandbytes, or add --set method=lora."
        )


def require_tensorboard(recipe: Recipe) -> None:
    """Its curves are written by one of two packages."""
    if recipe.tensorboard and not any(map(importlib.util.find_spec, ("tensorboard", "tensorboardX"))):
        raise SettingsError(
            "TensorBoard's files need a package: pip install tensorboardx, or leave out tensorboard=true."
        )


def require_disk(
    recipe: Recipe, loaded: Loaded, folders: Sequence[Path], free: Callable[[Path], int]
) -> None:
    """Refuse a run whose checkpoints would not fit."""
    weights = sum(one.numel() for one in loaded.model.parameters())
    width = int(loaded.model.config.get_text_config(decoder=True).hidden_size)
    layers = int(loaded.model.config.get_text_config(decoder=True).num_hidden_layers)
    # An adapter on some seven layers a block, each with two thin matrices; feed-forward ones are wider.
    learns = weights if recipe.method == "full" else layers * 7 * 2 * 2 * width * recipe.rank
    need = 4 * learns * (3 * 3 + 1) + SPARE  # three checkpoints with Adam's two moments, and the result
    for folder in folders:
        folder.mkdir(parents=True, exist_ok=True)
        if free(folder) < need:
            raise SettingsError(
                f"{folder} has {free(folder) / 1e9:.1f} GB free and the run may take {need / 1e9:.1f} GB: "
                "free some, or name folders on another disk with --out and --work."
            )


@contextmanager
def room(work: Path, free: Callable[[Path], int]) -> Iterator[None]:
    """A disk that fills up in the meantime is told as that, whatever a library makes of it."""
    from safetensors import SafetensorError  # noqa: PLC0415

    try:
        yield
    except (OSError, RuntimeError, SafetensorError) as error:
        if free(work) > LITTLE:
            raise
        raise SettingsError(
            f"The disk of {work} is full: free some; the same command goes on from the last checkpoint."
        ) from error


def require_levels(parts: Mapping[str, Sequence[Example]], data: Path) -> None:
    """Strengths are learned from replies that were scored."""
    for part, examples in parts.items():
        if not any(one.get("levels") for one in examples):
            raise DataError(
                f"{data / part}.jsonl holds no strengths to learn tokens of: prepare it again with "
                "`hearken data prepare … --levels`, or add --set conditions=text."
            )


def claim(work: Path, recipe: Recipe, data: Path, name: str) -> None:
    """Note whose run this folder is; a run with another recipe or data must not go on from there."""
    told = {"recipe": recipe.model_dump(), "data": hashes(data), "model": name}
    path, half = work / "run.json", work / f"run.json.{os.getpid()}"  # of several processes, each its own
    try:
        if path.is_file():
            if json.loads(path.read_text("utf-8")) == json.loads(json.dumps(told)):
                return
            raise SettingsError(
                f"{work} holds a run with another recipe, model or data: name another folder with --work, "
                "or remove it."
            )
        half.write_text(json.dumps(told, indent=2) + "\n", "utf-8")
        half.replace(path)  # whole or not there: a run that was cut off here goes on all the same
    except (OSError, ValueError) as error:
        raise SettingsError(
            f"{path} cannot be used: name another folder with --work, or remove it."
        ) from error


def hashes(data: Path) -> dict[str, str]:
    """sha256 of each part."""
    return {
        name: hashlib.sha256((data / name).read_bytes()).hexdigest()
        for name in ("train.jsonl", "valid.jsonl")
    }


def last_checkpoint(work: Path) -> Path | None:
    """The last one that was written whole."""
    found = [path.parent for path in (work / "checkpoints").glob("checkpoint-*/trainer_state.json")]
    return max(found, key=lambda path: int(path.name.rpartition("-")[2]), default=None)
