"""Language models into memory: which device, which numbers, whether they fit, and then loading them.

What would not fit is refused before the system ends the process for it. No code of a model's own
is run. Knows nothing of prompts, of replies and of how tokens are chosen.
"""

import importlib.util
import os
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from agent.errors import ResponderError
from agent.llm.learned import form_of, widen
from agent.llm.model_files import BYTES, Files, needed, stored_as
from agent.prompt import load_prompt
from agent.steering import Form, tokens

__all__ = ["Loaded", "Progress", "add_adapter", "choose_numbers", "choose_place"]
__all__ += ["free_memory", "load", "load_base", "load_tokenizer", "require_memory"]

Progress = Callable[[str, float], object]
"""Told what is being done (`loading NAME`, `warming NAME`) and what share of it, 0..1."""

Dtype = Literal["auto", "float32", "bfloat16", "float16", "4bit"]
_FIXED = {"local_files_only": True, "trust_remote_code": False}
_SPARE = 256 * 2**20  # what a forward pass itself takes


@dataclass(slots=True)
class Loaded:
    """A model that can speak. ends: the tokens that end a turn. form: how it is told feeling and intent."""

    name: str
    model: Any
    tokenizer: Any
    ends: tuple[int, ...]
    form: Form = "text"

    @property
    def reads(self) -> int:
        """How many tokens it can take in, at most."""
        config = self.model.config.get_text_config(decoder=True)
        return int(getattr(config, "max_position_embeddings", 0) or 1_000_000)

    @property
    def pad(self) -> int:
        """A token to fill with where nothing is read."""
        return self.ends[0] if self.ends else 0

    @property
    def width(self) -> int:
        """How many logits it gives."""
        return int(self.model.config.get_text_config(decoder=True).vocab_size)


def free_memory(place: str, container: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that can still be taken on `cpu`, `cuda` or `mps`. container: where a smaller share is told."""
    if place == "cuda":
        import torch  # noqa: PLC0415

        return int(torch.cuda.mem_get_info()[0])
    import psutil  # noqa: PLC0415  # peft brings it

    free = int(psutil.virtual_memory().available)
    limit, used = container / "memory.max", container / "memory.current"
    if limit.is_file() and used.is_file() and (most := limit.read_text("ascii").strip()).isdigit():
        free = min(free, int(most) - int(used.read_text("ascii")) + _given_back(container / "memory.stat"))
    return free


def _given_back(stat: Path) -> int:
    """Bytes of files that were read, a model's own among them: counted as used, and given up on demand."""
    if not stat.is_file():
        return 0
    told = dict(line.split() for line in stat.read_text("ascii").splitlines())
    return sum(int(told.get(name, 0)) for name in ("inactive_file", "active_file"))


def choose_place(wanted: str) -> str:
    """`cuda`, `mps` or `cpu`; a wanted place that is not there is refused."""
    import torch  # noqa: PLC0415

    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if wanted == "auto":
        return next(place for place in ("cuda", "mps", "cpu") if there[place])
    if not there[wanted]:
        raise ResponderError(f"There is no {wanted} device here: set device to cpu or auto.")
    return wanted


def _cpu_likes_bfloat16() -> bool:
    import torch  # noqa: PLC0415

    return bool(torch.ops.mkldnn._is_mkldnn_bf16_supported())


def choose_numbers(wanted: Dtype, place: str, files: Sequence[Files], free: int) -> str:
    """The numbers to hold weights in. `auto`: as stored, halved where the place is good at it or must."""
    if wanted == "4bit":
        if place != "cuda" or importlib.util.find_spec("bitsandbytes") is None:
            raise ResponderError(
                "4bit needs an NVIDIA GPU and bitsandbytes: pip install bitsandbytes, or set dtype to auto."
            )
        return wanted
    if wanted != "auto":
        return wanted
    if place == "cuda":
        import torch  # noqa: PLC0415

        return "bfloat16" if torch.cuda.is_bf16_supported() else "float16"
    if place == "mps":
        return "float16"
    stored_full = any(stored_as(f.folder) == "float32" for f in files)
    # A CPU without bfloat16 arithmetic is slower with it; still better than not to fit.
    if (stored_full or not _cpu_likes_bfloat16()) and sum(
        needed(f, "float32") for f in files
    ) + _SPARE <= free:
        return "float32"
    return "bfloat16"


def require_memory(files: Sequence[Files], dtype: str, place: str, free: int) -> None:
    """Refuse what would not fit, before the system ends the process for it."""
    want = sum(needed(f, dtype) for f in files) + _SPARE
    if want > free:
        names = ", ".join(f.name for f in files)
        raise ResponderError(
            f"{names}: {want / 1e9:.1f} GB of memory wanted on {place} in {dtype}, {max(free, 0) / 1e9:.1f} "
            "GB free. Choose a smaller model, set dtype to bfloat16 or 4bit, or close other programs."
        )


@contextmanager
def _told(stage: str, progress: Progress | None) -> Iterator[None]:
    """transformers' own progress bars go to `progress`, or nowhere."""
    from transformers.utils import logging  # noqa: PLC0415

    def bar(make: Callable[..., Any], args: tuple[Any, ...], options: dict[str, Any]) -> Any:
        if not args or not hasattr(args[0], "__len__"):
            return make(*args, **{**options, "disable": True})
        return _counted(args[0])

    def _counted(items: Iterable[Any]) -> Iterator[Any]:
        total = max(1, len(items))  # type: ignore[arg-type]
        for number, item in enumerate(items, 1):
            yield item
            if progress:
                progress(stage, number / total)

    before = logging.set_tqdm_hook(bar)
    try:
        yield
    finally:
        logging.set_tqdm_hook(before)


def _turn_ends(model: Any, tokenizer: Any) -> tuple[int, ...]:
    """Tokens that end a turn: those of the model, of the tokenizer, and what its template closes with."""
    from jinja2 import TemplateError  # noqa: PLC0415  # transformers' templates are jinja's

    ends: list[int] = []
    for source in (model.generation_config.eos_token_id, model.config.eos_token_id, tokenizer.eos_token_id):
        ends += source if isinstance(source, list) else [] if source is None else [source]
    if tokenizer.chat_template:
        turn = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "bcd"}]
        after = ""
        with suppress(TemplateError):  # it is told of where a prompt is made with it
            after = tokenizer.apply_chat_template(turn, tokenize=False).rpartition("bcd")[2].strip()
        ids = tokenizer(after, add_special_tokens=False)["input_ids"] if after else []
        special = {i for i, t in tokenizer.added_tokens_decoder.items() if t.special}
        ends += [i for i in ids[:1] if i in special]
    return tuple(dict.fromkeys(int(end) for end in ends))


def load_tokenizer(files: Files) -> Any:
    """The adapter's own tokenizer, which may hold another template, or else its base's."""
    from transformers import AutoTokenizer  # noqa: PLC0415

    own = files.adapter is not None and (files.adapter / "tokenizer_config.json").is_file()
    return AutoTokenizer.from_pretrained(files.adapter if own else files.folder, **_FIXED)


def load_base(files: Files, dtype: str, place: str, progress: Progress | None = None) -> Loaded:
    """The model without its adapter. Raises ResponderError where the files do not make up a whole model."""
    import torch  # noqa: PLC0415
    from safetensors import SafetensorError  # noqa: PLC0415
    from transformers import AutoModelForCausalLM, GenerationConfig  # noqa: PLC0415

    options: dict[str, Any] = {"dtype": getattr(torch, dtype) if dtype in BYTES else torch.bfloat16}
    if dtype == "4bit":
        from transformers import BitsAndBytesConfig  # noqa: PLC0415

        options["quantization_config"] = BitsAndBytesConfig(
            load_in_4bit=True,
            bnb_4bit_quant_type="nf4",
            bnb_4bit_use_double_quant=True,
            bnb_4bit_compute_dtype=torch.bfloat16,
        )
    if place != "cpu":
        options["device_map"] = place  # `cuda` is then this process's own card, where several train at once
    try:
        with _told(f"loading {files.name}", progress):
            model, report = AutoModelForCausalLM.from_pretrained(
                files.folder, use_safetensors=True, output_loading_info=True, **_FIXED, **options
            )
        tokenizer = load_tokenizer(files)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ResponderError(f"{files.name} does not fit into memory: choose a smaller one.") from error
    except (OSError, ValueError, KeyError, RuntimeError, ImportError, SafetensorError) as error:
        raise ResponderError(
            f"{files.name} cannot be loaded ({type(error).__name__}): "
            "its files are damaged, or transformers does not know this kind of model."
        ) from error
    if lacking := sorted(report.get("missing_keys", [])):
        raise ResponderError(f"{files.name} lacks weights ({lacking[0]}): fetch or save the model again.")
    model.eval().requires_grad_(requires_grad=False)
    ends = _turn_ends(model, tokenizer)
    model.generation_config = GenerationConfig()  # what a reply is asked for is said call by call
    return Loaded(files.name, model, tokenizer, ends, form_of(files.folder))


def add_adapter(loaded: Loaded, adapter: Path, name: str) -> Any:
    """The peft model of an adapter on this one. Raises ResponderError when it was made for another."""
    from peft import PeftModel  # noqa: PLC0415

    try:
        with warnings.catch_warnings():  # peft calls transformers by names that it no longer likes
            warnings.simplefilter("ignore", FutureWarning)
            return PeftModel.from_pretrained(loaded.model, os.fspath(adapter), local_files_only=True)
    except (RuntimeError, ValueError, OSError, KeyError, TypeError) as error:
        raise ResponderError(
            f"The adapter {name} does not fit {loaded.name}: it was made for another model."
        ) from error


def load(files: Files, dtype: str, place: str, progress: Progress | None = None) -> Loaded:
    """The model, with its adapter merged in (kept beside the weights where they are quantised)."""
    loaded = load_base(files, dtype, place, progress)
    if files.adapter is not None:
        if form_of(files.adapter) == "tokens":
            loaded.form = "tokens"
            widen(loaded.model, loaded.tokenizer, tokens(load_prompt().tokens))
        tuned = add_adapter(loaded, files.adapter, files.name)
        loaded.model = tuned if dtype == "4bit" else tuned.merge_and_unload()
        loaded.model.eval().requires_grad_(requires_grad=False)
    return loaded
