"""Where a language model's files lie, and what they will take: told before any weight is read.

A name is a hub id, a folder, or a LoRA adapter's folder or hub id, which names its base. Only
safetensors count as weights. Knows nothing of devices and loads no model.
"""

import importlib.util
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from agent.errors import ResponderError

__all__ = ["BYTES", "Files", "find", "needed", "same_model", "stored_as", "weights_of", "whole"]

BYTES = {"float32": 4.0, "bfloat16": 2.0, "float16": 2.0}
_STORED = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_CONTEXT = 4096  # tokens of keys and values that are reckoned with
_WANTED = ["*.json", "*.safetensors", "*.model", "*.txt", "*.jinja"]
# Not the steps of a training run in folders of their own, nor the same weights in another layout.
_LEFT = ["*/*", "consolidated*"]


@dataclass(frozen=True, slots=True)
class Files:
    """Where a model lies: its folder, and the folder of the adapter on it, if any."""

    name: str
    base: str
    folder: Path
    adapter: Path | None = None


def _require_extra() -> None:
    missing = [n for n in ("torch", "transformers", "peft", "psutil") if importlib.util.find_spec(n) is None]
    if missing:
        raise ResponderError(
            f"A model on this machine needs {', '.join(missing)}: pip install 'hearken[local]', "
            "or choose the guided responder."
        )


def _looks_like_a_path(name: str) -> bool:
    return name.startswith((".", "/", "~")) or "\\" in name or name.count("/") > 1


def _folder(name: str) -> Path:
    """The local folder of a name, fetched from the hub when it is allowed and not there yet."""
    place = Path(name).expanduser()
    if place.is_dir():
        return place.resolve()
    if _looks_like_a_path(name) or place.exists():
        raise ResponderError(f"{name} is not a folder: give the folder of a model, or its hub id.")
    import huggingface_hub as hub  # noqa: PLC0415
    from huggingface_hub import errors  # noqa: PLC0415

    fetch = partial(hub.snapshot_download, name, allow_patterns=_WANTED, ignore_patterns=_LEFT)
    try:
        local = Path(fetch(local_files_only=True)).resolve()
        if whole(local):
            return local
    except errors.LocalEntryNotFoundError:
        pass
    except errors.HFValidationError as error:
        raise ResponderError(f"{name} is neither a folder nor a hub id: check its spelling.") from error
    if hub.constants.HF_HUB_OFFLINE:
        raise ResponderError(
            f"{name} is not on this machine and the hub is switched off: "
            "unset HF_HUB_OFFLINE to fetch it, or give a folder."
        )
    try:
        return Path(fetch()).resolve()
    except errors.GatedRepoError as error:
        raise ResponderError(
            f"{name} is given out on request only: accept its terms on the hub, then set HF_TOKEN."
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise ResponderError(
            f"The hub has no {name}, or it is private: check its spelling, or set HF_TOKEN."
        ) from error
    except (OSError, errors.HfHubHTTPError) as error:
        raise ResponderError(f"{name} cannot be fetched from the hub: check the connection.") from error


def _read_json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise ResponderError(f"{file} cannot be read: fetch the model again.") from error
    return found if isinstance(found, dict) else {}


def find(name: str) -> Files:
    """The files of a model or of an adapter and its base. Raises ResponderError with what to do."""
    _require_extra()
    folder = _folder(name)
    if not (folder / "adapter_config.json").is_file():
        if not (folder / "config.json").is_file():
            raise ResponderError(f"{name} holds no config.json: give the folder a model was saved in.")
        return Files(name, name, folder)
    base = str(_read_json(folder / "adapter_config.json").get("base_model_name_or_path") or "")
    if not base:
        raise ResponderError(f"The adapter {name} names no base model: save it again with one.")
    # A relative base is meant from the adapter's folder, wherever this process was started.
    beside = (folder / base).resolve()
    try:
        under = beside if beside.is_dir() else _folder(base)
    except ResponderError as error:
        raise ResponderError(
            f"The adapter {name} was made for {base}, which cannot be had: {error}"
        ) from error
    return Files(name, base, under, folder)


def same_model(one: Files, name: str) -> bool:
    """Whether `name` is the model that these files' base is, by whatever way it is named."""
    other = find(name)
    return other.adapter is None and other.folder == one.folder


def weights_of(folder: Path) -> list[Path]:
    """The files that are loaded, there or not: one, or those of an index; what else lies beside is not."""
    for name in ("model.safetensors", "adapter_model.safetensors"):
        if (folder / name).exists():
            return [folder / name]
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return []
    told = _read_json(index).get("weight_map")
    return [folder / name for name in sorted(set(told.values()))] if isinstance(told, dict) else []


def whole(folder: Path) -> bool:
    """Whether nothing of a model is still to be fetched, as after a download that broke off."""
    files = weights_of(folder)
    return bool(files) and all(file.is_file() for file in files)


def _headers(folder: Path) -> Iterator[tuple[str, str, int]]:
    """Name, stored type and number of values of every tensor, from the headers of the files alone."""
    files = weights_of(folder)
    if not files:
        raise ResponderError(
            f"{folder} holds no weights as safetensors: other formats can run code and are not loaded; "
            "save the model again with safetensors."
        )
    for file in files:
        try:
            with file.open("rb") as stream:
                (length,) = struct.unpack("<Q", stream.read(8))
                if length > file.stat().st_size:
                    raise ValueError(length)  # noqa: TRY301
                header = json.loads(stream.read(length))
        except (OSError, ValueError, struct.error) as error:
            raise ResponderError(f"{file} is damaged: fetch the model again.") from error
        for name, tensor in header.items():
            if name != "__metadata__":
                count = 1
                for size in tensor["shape"]:
                    count *= int(size)
                yield name, str(tensor["dtype"]), count


def stored_as(folder: Path) -> str:
    """`float32` or `half`: what most of the weights are stored as."""
    held: dict[str, int] = {}
    for _, kind, count in _headers(folder):
        held[kind] = held.get(kind, 0) + count
    return "float32" if max(held, key=lambda kind: held[kind]) in {"F32", "F64"} else "half"


def needed(files: Files, dtype: str, context: int = _CONTEXT) -> int:
    """Bytes the model takes when loaded in these numbers, keys and values of `context` tokens included."""
    weights = 0.0
    for folder in (files.folder, files.adapter):
        for name, kind, count in _headers(folder) if folder else ():
            if dtype == "4bit" and "embed" not in name and "head" not in name and "norm" not in name:
                weights += 0.56 * count  # a nibble each, and the scales of every block
            elif kind in {"F64", "F32", "F16", "BF16"}:
                weights += BYTES.get(dtype, 2.0) * count
            else:
                weights += _STORED.get(kind, 1) * count
    config = _read_json(files.folder / "config.json")
    config = config.get("text_config") or config
    heads = int(config.get("num_attention_heads") or 1)
    per_head = int(config.get("head_dim") or int(config.get("hidden_size") or 0) // heads)
    layers = int(config.get("num_hidden_layers") or 0)
    tokens = min(context, int(config.get("max_position_embeddings") or context))
    keys = 2 * layers * int(config.get("num_key_value_heads") or heads) * per_head * tokens
    return int(weights + keys * BYTES.get(dtype, 2.0))
