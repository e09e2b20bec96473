"""Tokens a second of proxy tuning: base alone, the plain loop, three models, one small model for two.

`python benchmarks/proxy.py [--json] [--base L,H,F,A,K] [--small L,H,F,A,K] [--vocabulary N] [--prompt N]
[--tokens N] [--rounds N] [--device cpu] [--dtype float32]`. A shape is layers, hidden, feed-forward,
heads, key-value heads. Weights are random and shapes Llama's: speed does not depend on what was learnt. All
forms run in turn in every round; a time is the tenth percentile of single steps and tokens, of the best
round. Read ratios, not times.

Bounds, each from steps measured alone: a token of base alone cannot take less than t_base, of the
shared form not less than t_base + t_pair (t_pair: one two-row step of the small model without adapter), of
three models not less than t_base + 2 t_small. A share is bound / measured. Says nothing of quality.
"""

import argparse
import itertools
import json
import statistics
import time
import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
import transformers

from agent.llm.decoding import Job, Wishes, decode
from agent.llm.opinions import ProxyLogits, Reader
from agent.llm.split_lora import split_rows
from agent.llm.tracks import Budget, Caches, read
from agent.llm.weights import Loaded


class NoText:
    """Stands where a tokenizer would: speed of text is another matter."""

    def decode(self, ids: list[int], **_: object) -> str:
        """A letter a token."""
        return "a" * len(ids)


def made(shape: str, options: argparse.Namespace, seed: int) -> Any:
    """A Llama of this shape with random weights."""
    layers, hidden, inner, heads, keys = (int(part) for part in shape.split(","))
    torch.manual_seed(seed)
    config = transformers.LlamaConfig(
        vocab_size=options.vocabulary,
        hidden_size=hidden,
        intermediate_size=inner,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=keys,
        max_position_embeddings=8192,
        tie_word_embeddings=False,
    )
    torch.set_default_dtype(getattr(torch, options.dtype))
    with torch.device(options.device):
        model = transformers.LlamaForCausalLM(config)
    torch.set_default_dtype(torch.float32)
    model.generation_config = transformers.GenerationConfig()
    return model.eval().requires_grad_(requires_grad=False)


def tuned(model: Any) -> Any:
    """The same model with a LoRA on every linear layer, split by rows."""
    from peft import LoraConfig, get_peft_model

    warnings.simplefilter("ignore", FutureWarning)  # peft's own, see agent/llm/weights.py
    adapter = get_peft_model(model, LoraConfig(r=8, lora_alpha=16, target_modules="all-linear"))
    for name, weight in adapter.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.01)
    return split_rows(adapter.eval())[1]


def step_seconds(model: Any, rows: int, options: argparse.Namespace) -> float:
    """One token of `rows` rows after the prompt, in the middle of the reply."""
    track = Caches(0).track(model, [[5] * (options.prompt + options.tokens // 2)] * rows)
    ids = torch.full((rows, 1), 7, device=model.device)
    times = []
    with torch.inference_mode():
        read(model, track, 0, Budget())
        for _ in range(options.steps):
            start = now(options)
            model(input_ids=ids, past_key_values=track.cache, use_cache=True)
            times.append(now(options) - start)
            track.cache.crop(-1)
    return tenth(times)


def tenth(times: list[float]) -> float:
    """The tenth percentile: what it takes when nothing else runs, whatever else does run."""
    return statistics.quantiles(times, n=10)[0]


def now(options: argparse.Namespace) -> float:
    """The time once the device has done what it was told.

    With one thread on a CPU the process's own time: who else is at work does not count.
    """
    if options.device == "cuda":
        torch.cuda.synchronize()
    return time.process_time() if own_clock(options) else time.perf_counter()


def own_clock(options: argparse.Namespace) -> bool:
    """Whether the process's own time can be taken for the wall clock's on a quiet machine."""
    return bool(options.device == "cpu" and torch.get_num_threads() == 1)


def plain_loop(models: list[Any], prompt: list[int], count: int) -> None:
    """The source projects' loop: all three on the whole text for every token."""
    ids = torch.tensor([prompt], device=models[0].device)
    with torch.inference_mode():
        for _ in range(count):
            base, expert, anti = (m(input_ids=ids, use_cache=False).logits[:, -1].float() for m in models)
            ids = torch.cat([ids, (base + expert - anti).argmax(-1)[:, None]], dim=-1)


def seconds_a_token(base: Loaded, readers: list[Reader], options: argparse.Namespace) -> float:
    """Of a reply, without the reading of the prompt."""
    prompt = [5 + i % 90 for i in range(options.prompt)]
    ends: list[float] = []

    def first(budget: Budget) -> AbstractContextManager[list[Any]]:
        prompts = {voice: [prompt] for voice in ("base", "expert", "anti")}
        mixed = [ProxyLogits(readers, prompts, 1.0, options.vocabulary, budget)] if readers else []
        return nullcontext(mixed)

    def chose(row: int, token: int) -> None:
        del row, token
        ends.append(now(options))

    job = Job([prompt], Wishes(options.tokens + 1, 0.0, 1.0, 1.0), Budget(), first=first, chose=chose)
    decode(base, job, Caches(0))
    return tenth([after - before for before, after in itertools.pairwise(ends)])


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Everything, in one run."""
    base = Loaded("base", made(options.base, options, 1), NoText(), ())
    expert = Loaded("expert", made(options.small, options, 2), NoText(), ())
    anti = Loaded("anti", made(options.small, options, 3), NoText(), ())
    both = Loaded("both", tuned(made(options.small, options, 3)), NoText(), ())
    three = [Reader(expert, ("expert",), Caches(0)), Reader(anti, ("anti",), Caches(0))]
    shared = [Reader(both, ("expert", "anti"), Caches(0))]
    prompt = [5 + i % 90 for i in range(options.prompt)]

    def naive() -> float:
        start = now(options)
        plain_loop([base.model, expert.model, anti.model], prompt, options.naive)
        return (now(options) - start) / options.naive

    timed: dict[str, Callable[[], float]] = {
        "t_base": lambda: step_seconds(base.model, 1, options),
        "t_small": lambda: step_seconds(anti.model, 1, options),
        "t_pair": lambda: step_seconds(anti.model, 2, options),
        "base": lambda: seconds_a_token(base, [], options),
        "naive": naive,
        "three": lambda: seconds_a_token(base, three, options),
        "shared": lambda: seconds_a_token(base, shared, options),
    }
    rounds = [{name: call() for name, call in timed.items()} for _ in range(options.rounds)]
    return report({name: min(done[name] for done in rounds) for name in timed}, options)


def report(best: dict[str, float], options: argparse.Namespace) -> dict[str, Any]:
    """Speeds, bounds and shares."""
    t_base, t_small, t_pair = (best[name] for name in ("t_base", "t_small", "t_pair"))
    bounds = {"base": t_base, "three": t_base + 2 * t_small, "shared": t_base + t_pair}
    gain, gain_bound = best["three"] / best["shared"], bounds["three"] / bounds["shared"]
    return {
        **{f"{name}_ms": round(1000 * best[name], 3) for name in ("t_base", "t_small", "t_pair")},
        **{f"{n}_tokens_per_s": round(1 / best[n], 2) for n in ("base", "naive", "three", "shared")},
        **{f"{name}_bound_tokens_per_s": round(1 / bound, 2) for name, bound in bounds.items()},
        **{f"{name}_share_of_bound": round(bound / best[name], 3) for name, bound in bounds.items()},
        "shared_over_three": round(gain, 3),
        "shared_over_three_bound": round(gain_bound, 3),
        "shared_over_three_share": round(gain / gain_bound, 3),
        "shared_over_naive": round(best["naive"] / best["shared"], 2),
        "overhead_over_base": round(best["shared"] / best["base"], 3),
        "device": options.device if options.device == "cpu" else torch.cuda.get_device_name(),
        "dtype": options.dtype,
        "clock": "process" if own_clock(options) else "wall",
        "threads": torch.get_num_threads(),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--base", default="12,1024,2816,16,4")
    parser.add_argument("--small", default="8,512,1408,8,2")
    parser.add_argument("--vocabulary", type=int, default=32000)
    parser.add_argument("--prompt", type=int, default=128)
    parser.add_argument("--tokens", type=int, default=32)
    parser.add_argument("--naive", type=int, default=3, help="tokens of the plain loop")
    parser.add_argument("--steps", type=int, default=20, help="single steps of each model")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--dtype", default="float32", choices=["float32", "bfloat16", "float16"])
    options = parser.parse_args()
    transformers.logging.set_verbosity_error()
    found = measure(options)
    if options.json:
        print(json.dumps(found))
    else:
        for name, value in found.items():
            print(f"{name:30} {value}")


if __name__ == "__main__":
    main()
