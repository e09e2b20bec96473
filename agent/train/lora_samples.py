"""Replies of a model in training to validation examples, each sentence held against the guard.

Only what the guard lets through is kept; of the rest, which rules it broke. Knows nothing of how a run goes.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from agent.guard import Bounds, fold, split
from agent.llm.templates import render
from agent.llm.weights import Loaded
from agent.train.dialogue_sources import Example
from agent.train.examples import asked, heard, talk
from agent.train.lora_recipe import Recipe
from agent.train.preferences import Preference

__all__ = ["sampled"]


def sampled(
    loaded: Loaded, model: Any, examples: Sequence[Example | Preference], recipe: Recipe
) -> Iterator[dict[str, Any]]:
    """The likeliest reply to each: what may be said of it, and which rules held back the rest."""
    import torch  # noqa: PLC0415

    def count(text: str) -> int:
        return len(loaded.tokenizer(text, add_special_tokens=False)["input_ids"])

    was, model.config.use_cache = model.training, True
    model.eval()
    try:
        for number, example in enumerate(examples):
            room = recipe.length - recipe.sample_tokens
            messages = asked(example, count=count, room=room, form=loaded.form)
            prompt = torch.tensor([render(loaded.tokenizer, loaded.name, talk(messages))])
            prompt = prompt.to(next(model.parameters()).device)
            with torch.inference_mode():
                said = model.generate(
                    input_ids=prompt, attention_mask=torch.ones_like(prompt), do_sample=False,
                    max_new_tokens=min(recipe.sample_tokens, max(1, loaded.reads - prompt.shape[1])),
                    eos_token_id=list(loaded.ends), pad_token_id=loaded.pad,
                )  # fmt: skip
            text = loaded.tokenizer.decode(said[0, prompt.shape[1] :], skip_special_tokens=True)
            judged = fold(split(text), Bounds(heard=heard(example)))
            rules = [broken["rule"] for broken in judged.replaced]
            yield {
                "example": number,
                "may be said": " ".join(judged.sentences),
                "held back": {rule: rules.count(rule) for rule in dict.fromkeys(rules)},
            }
    finally:
        model.config.use_cache = False
        model.train(was)
