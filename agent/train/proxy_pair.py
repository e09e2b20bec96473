"""The two small models that proxy tuning wants: an expert trained from its own anti-expert.

The expert is an adapter on the anti-expert, so that their difference is what training changed and nothing
else, and one small model in memory serves both. Where the large model is at hand, tokens are compared before
training and alpha is tried on validation examples after it. Knows nothing of prompts.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage

from agent.backends import Proxy
from agent.errors import SettingsError
from agent.llm.model_files import find
from agent.llm.proxy import known_to_all, load_proxy
from agent.llm.proxy_study import losses_at
from agent.llm.weights import load_tokenizer
from agent.train.dialogues import load_examples
from agent.train.examples import as_messages, talk
from agent.train.lora import run
from agent.train.lora_callbacks import Progress
from agent.train.lora_recipe import Recipe

__all__ = ["ALPHAS", "pair", "swept"]

ALPHAS = (0.25, 0.5, 0.75, 1.0, 1.25, 1.5)
CHECKED = 40  # validation examples that alpha is tried on


def pair(  # noqa: PLR0913 - what a run is told
    recipe: Recipe,
    data: Path,
    out: Path,
    *,
    work: Path,
    anti: str,
    base: str = "",
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train the expert into `out`, and beside it proxy.json: settings, and losses where base is given."""
    if recipe.method == "full":
        raise SettingsError(
            "A proxy's expert is an adapter on its anti-expert, so that one model in memory serves both: "
            "add --set method=lora."
        )
    if recipe.objective != "replies" or recipe.conditions != "text":
        raise SettingsError(
            "A proxy's expert learns from replies and is told what its base is told: leave out "
            "preferences and tokens, with --set objective=replies --set conditions=text."
        )
    if base:
        files = [find(name) for name in (base, anti)]
        known_to_all([(load_tokenizer(one), one.name) for one in files], [])
    report = run(recipe, data, out, work=work, model=anti, progress=progress)
    settings = {"kind": "proxy", "base": base, "expert": str(out), "anti_expert": anti, "alpha": 1.0}
    told: dict[str, Any] = {"settings": settings, "expert": report}
    if base:
        config = Proxy(base=base, expert=str(out), anti_expert=anti, temperature=0)
        told["alphas"] = swept(config, load_examples(data)["valid"][:CHECKED], recipe.length)
        settings["alpha"] = min(told["alphas"], key=lambda one: one["mixed"])["alpha"]
    (out / "proxy.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return told


def swept(
    config: Proxy, examples: Sequence[Any], length: int, alphas: Sequence[float] = ALPHAS
) -> list[dict[str, Any]]:
    """Mean loss of a reply's token at each alpha: of base, expert, anti-expert and the mixture."""
    chat = load_proxy(config)

    def count(text: str) -> int:
        return len(chat.get_token_ids(text))

    asked: list[tuple[list[BaseMessage], str]] = []
    for example in examples:
        messages = as_messages(example, count=count, room=length)
        asked.append((talk(messages[:-1]), messages[-1]["content"]))
    return [
        {"alpha": alpha, **{voice: getattr(losses, voice) for voice in ("base", "expert", "anti", "mixed")}}
        for alpha, losses in zip(alphas, losses_at(chat, asked, alphas), strict=True)
    ]
