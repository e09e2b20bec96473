"""Proxy tuning at real sizes on a GPU: `python benchmarks/gpu.py [--json] [--only NAME] [--tiny]`.

In bfloat16, with random weights (nothing is fetched): 7B + 2 x 2B and 34B + 2 x 6B, in the form in which one
small model serves both. For each: tokens a second against the bound t_base + t_pair (see proxy.py), memory
at its highest, and whether every token is the one that the plain loop without caches takes too, within what
bfloat16 rounds away. What does not fit is left out and says so. Then a small model is loaded in 4 bits, alone
and under an adapter. A few minutes on a card of 80 GB or more.

Without CUDA it refuses; `--tiny` proves the code on a CPU, in float32 and with exact equality. Exit status 1
where a token differs or a share of the bound is under 0.9 (not with --tiny). Nobody has run it on a GPU yet.
"""

import argparse
import json
import tempfile
from argparse import Namespace
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import proxy  # benchmarks/proxy.py, beside this file
import torch
import transformers

from agent.backends import HuggingFace
from agent.errors import ResponderError
from agent.llm.decoding import Job, Wishes, decode
from agent.llm.local import load_local
from agent.llm.opinions import ProxyLogits, Reader
from agent.llm.tracks import Budget, Caches
from agent.llm.weights import Loaded, free_memory

# Layers, hidden, feed-forward, heads, key-value heads, as proxy.py takes them; and ids.
SIZES: dict[str, tuple[str, str, int]] = {
    "7B + 2 x 2B (Gemma's)": ("28,3072,24576,24,24", "18,2048,16384,16,2", 256000),
    "34B + 2 x 6B (Yi's)": ("60,7168,20480,56,8", "32,4096,11008,32,4", 64000),
}
TINY = {"tiny": ("3,64,128,4,2", "2,32,64,4,2", 500)}
LEAST = 0.9  # of the bound
ROUNDED = 2.0**-5  # of the largest logit, which bfloat16 may take from the best token


def main(given: list[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--only", default="", help="sizes whose name begins so")
    parser.add_argument("--tiny", action="store_true", help="tiny models on the CPU")
    asked = parser.parse_args(given)
    if not asked.tiny and not torch.cuda.is_available():
        raise SystemExit(
            "There is no CUDA device here: run this where there is one, or with --tiny to prove the code."
        )
    transformers.logging.set_verbosity_error()
    found: dict[str, Any] = {"device": "cpu" if asked.tiny else torch.cuda.get_device_name()}
    for name, (base, small, ids) in (TINY if asked.tiny else SIZES).items():
        if name.startswith(asked.only):
            found[name] = sized(_options(base, small, ids, tiny=asked.tiny))
            if not asked.json:
                print(name, json.dumps(found[name], indent=2))
    found["4bit"] = quantised(tiny=asked.tiny)
    print(json.dumps(found) if asked.json else f"4bit {json.dumps(found['4bit'], indent=2)}")
    rows = [row for row in found.values() if isinstance(row, dict)]
    slow = not asked.tiny and any(row.get("share_of_bound", 1) < LEAST for row in rows)
    if slow or any(row.get("equal", 1) < 1 for row in rows):
        raise SystemExit(1)


def _options(base: str, small: str, ids: int, *, tiny: bool) -> Namespace:
    sizes = {"prompt": 40, "tokens": 12, "steps": 4} if tiny else {"prompt": 512, "tokens": 64, "steps": 30}
    where = {"device": "cpu", "dtype": "float32"} if tiny else {"device": "cuda", "dtype": "bfloat16"}
    return Namespace(base=base, small=small, vocabulary=ids, **sizes, **where)


def _bytes(shape: str, ids: int, dtype: str) -> int:
    layers, hidden, inner, heads, keys = map(int, shape.split(","))
    each = hidden * (2 * hidden + 2 * hidden // heads * keys + 3 * inner)
    return (layers * each + 2 * ids * hidden) * (4 if dtype == "float32" else 2)


def sized(options: Namespace) -> dict[str, Any]:
    """One pair of sizes: speed, memory, equality; or why it was left out."""
    wanted = sum(_bytes(shape, options.vocabulary, options.dtype) for shape in (options.base, options.small))
    free = free_memory(options.device)
    if wanted * 1.05 > free:  # keys, values and a forward pass come on top
        return {"left_out": f"It takes {wanted / 1e9:.0f} GB and {free / 1e9:.0f} GB are free."}
    if options.device == "cuda":
        torch.cuda.reset_peak_memory_stats()
    base = Loaded("base", proxy.made(options.base, options, 1), proxy.NoText(), ())
    small = proxy.made(options.small, options, 3)
    t_base, t_pair = proxy.step_seconds(base.model, 1, options), proxy.step_seconds(small, 2, options)
    both = Loaded("both", proxy.tuned(small), proxy.NoText(), ())
    reader = Reader(both, ("expert", "anti"), Caches(0))
    alone = proxy.seconds_a_token(base, [], options)
    mixed = proxy.seconds_a_token(base, [reader], options)
    found = {
        "weights_gb": round(wanted / 1e9, 2),
        "base_tokens_per_s": round(1 / alone, 2),
        "shared_tokens_per_s": round(1 / mixed, 2),
        "bound_tokens_per_s": round(1 / (t_base + t_pair), 2),
        "share_of_bound": round((t_base + t_pair) / mixed, 3),
        "overhead_over_base": round(mixed / alone, 3),
        "equal": equal(base, both, options),
    }
    if options.device == "cuda":
        found["peak_gb"] = round(torch.cuda.max_memory_allocated() / 1e9, 2)
    del base, small, both, reader
    if options.device == "cuda":
        torch.cuda.empty_cache()
    return found


def equal(base: Loaded, both: Loaded, options: Namespace) -> float:
    """The share of a reply's tokens that the plain loop, which keeps nothing, would take as well."""
    prompt, written = [5 + i % 90 for i in range(options.prompt)], list[int]()

    def first(budget: Budget) -> Any:
        prompts = {voice: [prompt] for voice in ("base", "expert", "anti")}
        reader = Reader(both, ("expert", "anti"), Caches(0))
        return nullcontext([ProxyLogits([reader], prompts, 1.0, options.vocabulary, budget)])

    wishes = Wishes(options.tokens, 0.0, 1.0, 1.0)
    job = Job([prompt], wishes, Budget(), first=first, chose=lambda _, token: written.append(token))
    decode(base, job, Caches(0))
    taken = 0
    with torch.inference_mode():
        for at, token in enumerate(written):
            ids = torch.tensor([prompt + written[:at]], device=base.model.device)
            large = base.model(input_ids=ids, use_cache=False).logits[0, -1].float()
            tuned, plain = both.model(input_ids=ids.repeat(2, 1), use_cache=False).logits[:, -1].float()
            wanted = large + tuned - plain
            slack = 1e-4 if options.dtype == "float32" else ROUNDED * float(wanted.abs().max())
            taken += float(wanted.max() - wanted[token]) <= slack
    return round(taken / len(written), 3)


def quantised(*, tiny: bool) -> dict[str, Any]:
    """A small model loaded in 4 bits, alone and under an adapter, as the backend does it; or why not.

    tiny: the same in float32 too, so that all but the quantising itself is gone through.
    """
    from peft import LoraConfig, get_peft_model

    shape = Namespace(vocabulary=512, device="cpu", dtype="float32")
    with tempfile.TemporaryDirectory() as place:
        folder, tuned = Path(place) / "whole", Path(place) / "adapter"
        model = proxy.made("2,256,512,4,2", shape, 1)
        model.save_pretrained(folder)
        _tokenizer().save_pretrained(folder)
        get_peft_model(model, LoraConfig(r=4, target_modules=["q_proj", "v_proj"])).save_pretrained(tuned)
        told = json.loads((tuned / "adapter_config.json").read_text("utf-8"))
        told["base_model_name_or_path"] = str(folder)
        (tuned / "adapter_config.json").write_text(json.dumps(told), "utf-8")
        found: dict[str, Any] = {}
        where: Any = "cpu" if tiny else "cuda"
        numbers: list[Any] = ["4bit", "float32"] if tiny else ["4bit", "bfloat16"]
        for name, at in (("whole", folder), ("adapter", tuned)):
            for dtype in numbers:
                config = HuggingFace(model=str(at), dtype=dtype, device=where, temperature=0)
                found[f"{name} {dtype}"] = _loaded(config)
        return found


def _loaded(config: HuggingFace) -> str:
    """What came of loading it and of eight tokens."""
    try:
        chat = load_local(config)
    except ResponderError as error:
        return str(error)
    (written,) = chat.write_all([chat_of("Are you there?")], max_tokens=8)
    size = chat.engine.base.model.get_memory_footprint()
    return f"{len(written.tokens)} tokens written, {size / 1e6:.2f} MB"


def chat_of(text: str) -> Any:
    """A conversation of one message."""
    from langchain_core.messages import HumanMessage

    return [HumanMessage(text)]


def _tokenizer() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(["Are you there?"], trainer)
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made, eos_token="<|end|>")  # noqa: S106
    fast.chat_template = "{% for m in messages %}{{ m.content }}<|end|>{% endfor %}"
    return fast


if __name__ == "__main__":
    main()
