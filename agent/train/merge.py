"""A tuned model as one whole: the adapter merged into its base, or a GGUF file of that.

Knows nothing of how it was trained.
"""

import shutil
import subprocess
from pathlib import Path

from agent.errors import SettingsError
from agent.llm.learned import FILE
from agent.llm.model_files import Files, find, needed
from agent.llm.weights import free_memory, load, require_memory

__all__ = ["gguf", "merge"]

CONVERTER = "convert_hf_to_gguf.py"  # llama.cpp's; no package holds it


def merge(name: str, out: Path, *, dtype: str = "float32") -> Path:
    """The adapter's model as a model of its own in `out`. Raises SettingsError, ResponderError."""
    files = find(name)
    if files.adapter is None:
        raise SettingsError(f"{name} is a whole model already: there is no adapter to merge.")
    _require_empty(out)
    require_memory([files], dtype, "cpu", free_memory("cpu"))
    _require_disk(files, out, dtype)
    loaded = load(files, dtype, "cpu")
    loaded.model.generation_config.eos_token_id = list(loaded.ends) or None
    from transformers.utils import logging  # noqa: PLC0415

    logging.disable_progress_bar()  # of a second or two, in the middle of the answer
    try:
        loaded.model.save_pretrained(out)
    finally:
        logging.enable_progress_bar()
    loaded.tokenizer.save_pretrained(out)
    # Where it comes from goes along, and which tokens it learned.
    for note in ("README.md", "metrics.json", "recipe.yaml", FILE):
        if (files.adapter / note).is_file():
            shutil.copy(files.adapter / note, out / note)
    return out


def gguf(name: str, out: Path, *, kind: str = "q8_0") -> Path:
    """A whole model as a GGUF file, by llama.cpp's own converter where that is on the path."""
    converter = shutil.which(CONVERTER)
    if converter is None:
        raise SettingsError(
            f"GGUF files are made by llama.cpp's {CONVERTER}, which is not on the path: get llama.cpp, "
            "put it there, and run this again."
        )
    files = find(name)
    if files.adapter is not None:
        raise SettingsError(f"{name} is an adapter: merge it first with `hearken export merge`.")
    command = [converter, str(files.folder), "--outfile", str(out), "--outtype", kind]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - their own tool
    if done.returncode or not out.is_file():
        last = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise SettingsError(f"{CONVERTER} failed: {last}")
    return out


def _require_empty(out: Path) -> None:
    if out.exists() and any(out.iterdir()):
        raise SettingsError(f"{out} is not empty: name a new folder.")
    out.mkdir(parents=True, exist_ok=True)


def _require_disk(files: Files, out: Path, dtype: str) -> None:
    need, free = needed(files, dtype, context=0), shutil.disk_usage(out).free
    if free < need:
        raise SettingsError(f"{out} has {free / 1e9:.1f} GB free and the model takes {need / 1e9:.1f} GB.")
