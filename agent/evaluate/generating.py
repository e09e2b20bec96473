"""Bare replies of a language model to prepared validation examples, measured beside those that people gave.

Nothing said here was guarded. The report holds figures only; what was said is kept while a run may still be
gone on with (`agent.evaluate.keeping`), and not longer.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from langchain_core.messages import BaseMessage

from agent.evaluate.generation import Score, item_scores, measured, perplexity
from agent.evaluate.keeping import Once
from agent.llm.local import LocalChat
from agent.llm.proxy import ProxyEngine
from agent.llm.proxy_study import self_check
from agent.train.dialogues import load_examples
from agent.train.examples import IGNORED, as_messages, talk, tokenised

__all__ = ["generated"]

BATCH = 8


def generated(  # noqa: PLR0913 - by name
    chat: LocalChat,
    data: Path,
    *,
    limit: int,
    tokens: int,
    more: Mapping[str, Score] | None = None,
    once: Once = lambda _name, make: make(),
) -> dict[str, Any]:
    """The report: every figure of `generation.measured`, each item's scores, and perplexity.

    once: does each batch of replies, or knows it from a run that was stopped.
    """
    examples = load_examples(data)["valid"][:limit]
    base = chat.engine.base
    room = min(chat.engine.reads, 2048)
    asked = [
        as_messages(one, count=lambda text: len(chat.get_token_ids(text)), room=room - tokens, form=base.form)
        for one in examples
    ]
    prompts = [talk(one[:-1]) for one in asked]
    said: list[str] = []
    for at in range(0, len(prompts), BATCH):
        some = prompts[at : at + BATCH]
        said += once(str(at), partial(_written, chat, some, tokens))
    wanted = [one[-1]["content"] for one in asked]
    scores = item_scores(said, wanted, more)
    figures = measured(said, wanted, scores=scores)
    if isinstance(chat.engine, ProxyEngine):
        losses = self_check(chat, list(zip(prompts, wanted, strict=True)))
        figures["perplexity"] = round(perplexity([losses.mixed * losses.tokens], [losses.tokens]), 3)
    else:
        figures["perplexity"] = round(_foreseen(chat, examples, room), 3)
    return {
        "task": "generation",
        "data": str(data),
        "model": chat.name_of_model,
        "figures": figures,
        "items": {name: [round(one, 6) for one in each] for name, each in scores.items()},
    }


def _written(chat: LocalChat, prompts: Sequence[Sequence[BaseMessage]], tokens: int) -> list[str]:
    return [one.text for one in chat.write_all(prompts, max_tokens=tokens, temperature=0)]


def _foreseen(chat: LocalChat, examples: Any, longest: int) -> float:
    """Perplexity of the wanted replies' own tokens and ends."""
    import torch  # noqa: PLC0415

    base, losses, counts = chat.engine.base, list[float](), list[int]()
    told: dict[str, Any] = {"longest": longest, "name": base.name, "form": base.form}
    for row in tokenised(examples, base.tokenizer, base.ends, **told):
        ids = torch.tensor([row["input_ids"]], device=base.model.device)
        labels = torch.tensor(row["labels"][1:], device=base.model.device)
        with torch.inference_mode():
            logits = base.model(input_ids=ids).logits[0, :-1].float()
        losses.append(
            float(torch.nn.functional.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum"))
        )
        counts.append(sum(label != IGNORED for label in row["labels"]))
    return perplexity(losses, counts)
