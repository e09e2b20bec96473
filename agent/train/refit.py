"""Fits small heads anew on the finished encoder: a convex problem, solved to its end.

While the encoder moves, a head with few texts is pulled about by those with many. Afterwards its best
linear layer on the vectors that no longer move is found by L-BFGS on cross-entropy with a pull towards zero
(strength chosen by five-fold cross-validation on the training texts alone). Knows nothing of sources.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file

from agent.train.data import Example
from agent.train.model import Layout, Model, padded, published, say, tokenised

__all__ = ["REFITTED", "best", "pooled", "refit", "solve"]

REFITTED = ("want", "danger", "danger_kind", "danger_subject")
STRENGTHS = (3e-4, 1e-3, 3e-3, 1e-2, 3e-2)
FOLDS = 5
Vector = NDArray[np.float32]


def refit(
    weights: Path, training: Sequence[Example], layout: Layout, tokens: int, source: Path | None = None
) -> Path:
    """Write `refitted.safetensors` beside `weights`, with the heads of REFITTED fitted anew."""
    source = source or published()
    tensors = load_file(weights)
    model = Model(source, layout.outputs)
    model.load_state_dict(tensors, strict=False)
    model.eval()
    where = layout.slices()
    heads = [name for name in REFITTED if name in layout.heads]
    told = [e for e in training if any(name in e.targets for name in heads)]
    every = pooled(model, tokenised([e.text for e in told], source, tokens)) if told else torch.empty(0)
    for name in heads:
        mine = [(row, e) for row, e in enumerate(told) if name in e.targets]
        if not mine:
            continue
        labels = layout.heads[name]
        vectors = every[[row for row, _ in mine]]
        target = torch.tensor([[e.targets[name].get(label, 0.0) for label in labels] for _, e in mine])
        strength = best(vectors, target)
        tensors["head.weight"][where[name]], tensors["head.bias"][where[name]] = solve(
            vectors, target, strength
        )
        say(f"{name}: fitted anew on {len(mine)} texts, strength {strength:g}")
    out = weights.with_name("refitted.safetensors")
    save_file({name: value.contiguous() for name, value in tensors.items()}, out)
    return out


def pooled(model: Any, ids: Sequence[Sequence[int]]) -> torch.Tensor:
    """The mean of the last states, (n, width), of each text."""
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    out: list[torch.Tensor | None] = [None] * len(ids)
    with torch.no_grad():
        for start in range(0, len(order), 32):
            rows = order[start : start + 32]
            tokens, mask = padded([ids[i] for i in rows])
            states = model.body(input_ids=tokens, attention_mask=mask).last_hidden_state
            weight = mask[..., None].to(states.dtype)
            for row, vector in zip(rows, (states * weight).sum(1) / weight.sum(1), strict=True):
                out[row] = vector
    return torch.stack([vector for vector in out if vector is not None])


def solve(vectors: torch.Tensor, target: torch.Tensor, strength: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Weight (k, width) and bias (k,) of the likeliest linear layer; target: shares (n, k)."""
    weight = torch.zeros(target.shape[1], vectors.shape[1], requires_grad=True)
    bias = torch.zeros(target.shape[1], requires_grad=True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=300, line_search_fn="strong_wolfe")

    def loss() -> torch.Tensor:
        solver.zero_grad()
        told = -(torch.log_softmax(vectors @ weight.T + bias, 1) * target).sum(1).mean()
        value = told + strength * weight.square().sum() / 2
        value.backward()
        return value

    solver.step(loss)
    return weight.detach(), bias.detach()


def best(vectors: torch.Tensor, target: torch.Tensor) -> float:
    """The strength whose folds are likeliest; a text's fold is its place in the list."""
    fold = torch.arange(len(vectors)) % FOLDS

    def held_out(strength: float) -> float:
        total = 0.0
        for number in range(FOLDS):
            out = fold == number
            weight, bias = solve(vectors[~out], target[~out], strength)
            total -= float((torch.log_softmax(vectors[out] @ weight.T + bias, 1) * target[out]).sum())
        return total

    return min(STRENGTHS, key=held_out)
