"""Tokens that a model learned for feeling, intent and strengths: added to it, noted beside it, found again.

A folder says in conditions.json which tokens its model expects to be told with (agent.steering). Knows
nothing of prompts and of training.
"""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.errors import ResponderError
from agent.prompt import load_prompt
from agent.steering import Form, tokens

__all__ = ["FILE", "form_of", "note", "widen"]

FILE = "conditions.json"


def note(folder: Path, form: Form) -> None:
    """Say beside a model how it learned to be told feeling and intent; nothing where that is in text."""
    if form == "tokens":
        told = {"form": form, "tokens": tokens(load_prompt().tokens)}
        (folder / FILE).write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def form_of(folder: Path) -> Form:
    """How the model in a folder learned to be told. ResponderError where its tokens are others than ours."""
    path = folder / FILE
    if not path.is_file():
        return "text"
    try:
        learned = json.loads(path.read_text("utf-8"))["tokens"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ResponderError(f"{path} cannot be read: fetch the model again.") from error
    if learned != tokens(load_prompt().tokens):
        raise ResponderError(
            f"The model in {folder} learned other tokens than agent/words/prompt.yaml holds now: "
            "train it again, or put those back."
        )
    return "tokens"


def widen(model: Any, tokenizer: Any, added: Sequence[str]) -> list[int]:
    """The ids of `added` in a tokenizer and a model that now both know them.

    What a new token says before it has learned anything is the mean of all others, so that a model is the
    same however often it is loaded. Spare rows of a vocabulary are used before it grows.
    """
    tokenizer.add_tokens(list(added), special_tokens=True)
    ids = [int(one) for one in tokenizer.convert_tokens_to_ids(list(added))]
    rows = int(model.get_input_embeddings().weight.shape[0])
    if len(tokenizer) > rows:
        model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    _settle(model, [one for one in ids if one >= rows], rows)
    return ids


def _settle(model: Any, fresh: Sequence[int], rows: int) -> None:
    import torch  # noqa: PLC0415

    if not fresh:
        return
    with torch.no_grad():
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            if layer is not None:  # tied ones are the same weights, set twice to the same
                layer.weight[list(fresh)] = layer.weight[:rows].mean(dim=0)
