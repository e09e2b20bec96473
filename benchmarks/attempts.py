"""What fine-tuning gains from what the field knows, each at the same small budget on the same texts.

`python benchmarks/attempts.py --data FOLDER --out FOLDER [--only NAME ...] [--teachers WEIGHTS ...]`.
All begin at the published weights, learn the 32 emotions from the same situations of the training part by
the kept recipe (`agent.train.recipe`), and are asked the same held-out ones. `plain twice` is what a
pre-stage that reads the same texts once more must beat. An attempt whose logits lie in --out is not run
again, so a run can be cut off between two. Needs `hearken[train]`; one core, half an hour in all. Prints no
text.
"""

import argparse
import functools
import json
import operator
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch.nn import functional

from agent.train.data import Example, examples
from agent.train.encoder import _groups, _warm
from agent.train.labels import EMOTIONS, HEADS
from agent.train.model import SMOOTH, Model, padded, published, say, tokenised
from agent.train.recipe import Recipe, schedule
from agent.train.sets import hashed

SITUATIONS, HELD, READ = 1500, 1500, 6000  # texts to learn from, to be asked, to hide words in
SEED, DRAWS = 20261126, 2000
MASK, SPECIAL = 103, 999  # the mask's id; below SPECIAL stand marks, not words
HIDDEN = 0.15  # of the tokens, as in Devlin et al. (2019)
CONTRAST, SHARP = 0.3, 0.1  # weight of the contrastive term, its temperature (Khosla et al., 2020)
SOFT, WARMTH = 0.5, 2.0  # share of the teachers' answers, their temperature (Hinton et al., 2015)
KEPT = Recipe(passes={})  # rates, frozen layers and batches of the kept recipe
Ids = Sequence[Sequence[int]]


@dataclass(frozen=True)
class Attempt:
    """One way to spend the budget.

    passes: over the situations. hidden: tokens read before with words hidden. drawn: passes of contrast
    alone before. beside: contrast beside the labels. few: in batches of few labels. taught: by the teachers.
    """

    passes: int = 1
    hidden: int = 0
    drawn: int = 0
    beside: bool = False
    few: bool = False
    taught: bool = False


ATTEMPTS = {
    "plain": Attempt(),
    "plain twice": Attempt(passes=2),
    "contrastive term": Attempt(beside=True),
    "contrastive term, few labels a batch": Attempt(beside=True, few=True),
    "distilled": Attempt(taught=True),
    "contrastive stage": Attempt(drawn=1),
    "hidden words": Attempt(hidden=100_000),
}


def steps(ids: Ids, passes: int) -> list[list[int]]:
    """Batches of like length by the kept recipe."""
    recipe = replace(KEPT, passes={"situations": float(passes)}, rounds=1, seed=SEED)
    return schedule([len(line) for line in ids], ["situations"] * len(ids), recipe)[0]


def kinds(labels: Sequence[int], ids: Ids, each: int = 4, of: int = 8) -> list[list[int]]:
    """Batches of `of` labels with `each` texts, so that every text has others of its own beside it."""
    rng = random.Random(SEED)  # noqa: S311 - not for secrets
    parts = []
    for label in sorted(set(labels)):
        mine = [i for i, other in enumerate(labels) if other == label]
        mine.sort(key=lambda i: len(ids[i]) + rng.random() * 4)
        parts += [mine[at : at + each] for at in range(0, len(mine), each)]
    parts.sort(key=lambda part: len(ids[part[0]]) + rng.random() * 6)
    batches = [functools.reduce(operator.iadd, parts[at : at + of], []) for at in range(0, len(parts), of)]
    rng.shuffle(batches)
    return batches


def contrast(pooled: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Supervised contrastive loss of the texts that have another of their label in the batch."""
    unit = functional.normalize(pooled, dim=1)
    near = unit @ unit.T / SHARP
    own = torch.eye(len(labels), dtype=torch.bool)
    likely = near.masked_fill(own, -1e9).log_softmax(dim=1)
    same = (labels[:, None] == labels[None]) & ~own
    told = same.any(dim=1)
    if not told.any():
        return pooled.sum() * 0
    return -((likely * same).sum(dim=1)[told] / same.sum(dim=1)[told]).mean()


def pooled(model: Model, lines: Ids) -> torch.Tensor:
    """The mean of the last states of each line."""
    ids, mask = padded(lines)
    states = model.body(input_ids=ids, attention_mask=mask).last_hidden_state
    weight = mask[..., None].to(states.dtype)
    return (states * weight).sum(1) / weight.sum(1)


Loss = Callable[[Sequence[int]], torch.Tensor]


def descend(model: Model, batches: Sequence[Sequence[int]], loss: Loss, more: Iterator[torch.Tensor]) -> None:
    """One run with the kept recipe's rates over `batches`; `more`: parameters beside the model's own."""
    parts = [*_groups(model, KEPT), *({"params": [p], "lr": KEPT.head_rate} for p in more)]
    peaks = [float(part["lr"]) for part in parts]
    steps = torch.optim.AdamW(parts, weight_decay=0.01)
    model.train()
    for number, batch in enumerate(batches):
        torch.manual_seed(SEED + number)
        for part, peak in zip(parts, peaks, strict=True):
            part["lr"] = peak * _warm(number / len(batches))
        value = loss(batch)
        steps.zero_grad()
        value.backward()
        torch.nn.utils.clip_grad_norm_([p for part in parts for p in part["params"]], 1.0)
        steps.step()
        if number % 50 == 49:
            say(f"  step {number + 1}/{len(batches)}  loss {value.item():.3f}")


def hide(lines: Ids, rng: random.Random) -> tuple[list[list[int]], torch.Tensor, torch.Tensor]:
    """The lines with words hidden, where (n, longest), and which words stood there, in that order."""
    shown, words = [list(line) for line in lines], []
    where = torch.zeros(len(lines), max(map(len, lines)), dtype=torch.bool)
    for row, line in enumerate(shown):
        for at, word in enumerate(line):
            if word > SPECIAL and rng.random() < HIDDEN:
                where[row, at], words = True, [*words, word]
                line[at] = MASK if rng.random() < 0.9 else word
    return shown, where, torch.tensor(words)


def read_hidden(model: Model, ids: Ids, tokens: int) -> None:
    """Continued masked-language pre-training on `tokens` tokens of `ids`, decoded by the word vectors."""
    rng = random.Random(SEED)  # noqa: S311 - not for secrets
    table = model.body.embeddings.word_embeddings.weight.detach()
    turn = torch.nn.Linear(table.shape[1], table.shape[1])
    torch.nn.init.eye_(turn.weight)
    torch.nn.init.zeros_(turn.bias)
    bias = torch.nn.Parameter(torch.zeros(len(table)))
    chosen: list[list[int]] = []
    read = 0
    for batch in steps(ids, 1):
        chosen, read = [*chosen, batch], read + sum(len(ids[i]) for i in batch)
        if read >= tokens:
            break

    def loss(batch: Sequence[int]) -> torch.Tensor:
        shown, where, words = hide([ids[i] for i in batch], rng)
        states = model.body(
            **dict(zip(("input_ids", "attention_mask"), padded(shown), strict=True))
        ).last_hidden_state
        if not len(words):
            return states.sum() * 0
        return functional.cross_entropy(turn(states[where]) @ table.T + bias, words)

    descend(model, chosen, loss, iter([turn.weight, turn.bias, bias]))


@dataclass(frozen=True)
class Texts:
    """What all attempts share. soft: the teachers' shares (n, 32) of the training situations, if any."""

    ids: Ids
    labels: torch.Tensor
    held: Ids
    every: Ids
    soft: torch.Tensor | None


def run(attempt: Attempt, texts: Texts, source: Path) -> NDArray[np.float32]:
    """Logits (held-out situations, 32) of an encoder made by this attempt."""
    torch.manual_seed(SEED)
    model = Model(source, len(EMOTIONS))
    if attempt.hidden:
        read_hidden(model, texts.every, attempt.hidden)
    for _ in range(attempt.drawn):
        batches = kinds(texts.labels.tolist(), texts.ids)
        descend(
            model,
            batches,
            lambda batch: contrast(pooled(model, [texts.ids[i] for i in batch]), texts.labels[batch]),
            iter(()),
        )

    def loss(batch: Sequence[int]) -> torch.Tensor:
        states, labels = pooled(model, [texts.ids[i] for i in batch]), texts.labels[batch]
        scores = model.head(functional.dropout(states, 0.1))
        value = functional.cross_entropy(scores, labels, label_smoothing=SMOOTH)
        if attempt.taught and texts.soft is not None:
            told = (texts.soft[batch] * -(scores / WARMTH).log_softmax(1)).sum(1).mean() * WARMTH**2
            value = (1 - SOFT) * value + SOFT * told
        return value + CONTRAST * contrast(states, labels) if attempt.beside else value

    batches = kinds(texts.labels.tolist(), texts.ids) if attempt.few else steps(texts.ids, attempt.passes)
    descend(model, batches, loss, iter(()))
    return answers(model, texts.held)


def answers(model: Model, ids: Ids) -> NDArray[np.float32]:
    """Logits of each line, in order."""
    model.eval()
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    found: NDArray[np.float32] = np.zeros((len(ids), model.head.out_features), dtype=np.float32)
    with torch.no_grad():
        for start in range(0, len(order), 32):
            rows = order[start : start + 32]
            found[rows] = model(*padded([ids[i] for i in rows])).numpy()
    return found


def teaching(weights: Sequence[Path], ids: Ids, held: Ids, out: Path, source: Path) -> torch.Tensor:
    """The teachers' shares of `ids`, from their mean logits; what they say of `held` is kept."""
    every = []
    for number, path in enumerate(weights, 1):
        model = Model(source, sum(map(len, HEADS.values())))
        model.load_state_dict(load_file(path), strict=False)
        every.append(answers(model, [*ids, *held])[:, : len(EMOTIONS)])
        np.save(out / f"teacher {number}.npy", every[-1][len(ids) :])
    mean = np.mean(every, axis=0)
    np.save(out / "teachers together.npy", mean[len(ids) :])
    return (torch.from_numpy(mean[: len(ids)]) / WARMTH).softmax(1)


def figures(found: dict[str, NDArray[np.float32]], truth: NDArray[np.int64]) -> dict[str, dict[str, object]]:
    """Accuracy, first three, and the difference to `plain`, with intervals over the same drawings."""
    rng = np.random.default_rng(0)
    draws = rng.integers(len(truth), size=(DRAWS, len(truth)))
    right = {name: (scores.argmax(axis=1) == truth).astype(float) for name, scores in found.items()}
    result: dict[str, dict[str, object]] = {}
    for name, scores in found.items():
        three = (np.argsort(-scores, axis=1)[:, :3] == truth[:, None]).any(axis=1)
        row: dict[str, object] = {"n": len(truth), "accuracy": round(float(right[name].mean()), 4)}
        row["accuracy_95"] = ends(right[name][draws].mean(axis=1))
        row["top3"] = round(float(three.mean()), 4)
        if name != "plain" and "plain" in right:
            more = right[name] - right["plain"]
            row["more"], row["more_95"] = round(float(more.mean()), 4), ends(more[draws].mean(axis=1))
        result[name] = row
    return result


def ends(drawn: NDArray[np.float64]) -> list[float]:
    """The middle 95 %."""
    return [round(float(end), 4) for end in np.percentile(drawn, [2.5, 97.5])]


def some(found: Sequence[Example], most: int) -> list[Example]:
    """At most `most`, the same ones on every machine."""
    return sorted(found, key=lambda e: hashed(e.text, "attempts"))[:most]


def main() -> None:
    """Run what is missing, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True, help="where logits are kept")
    parser.add_argument("--only", nargs="*", default=list(ATTEMPTS), choices=list(ATTEMPTS))
    parser.add_argument("--teachers", nargs="*", type=Path, default=[], help="weights of finished runs")
    chosen = parser.parse_args()
    chosen.out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    source, found = published(), examples(chosen.data)
    told = [e for e in found if e.source == "situations" and e.label("expressed") in EMOTIONS]
    train = some([e for e in told if e.part == "train"], SITUATIONS)
    held = some([e for e in told if e.part != "train"], HELD)
    every = some([e for e in found if e.part == "train"], READ)
    truth = np.array([EMOTIONS.index(e.label("expressed")) for e in held])
    ids, asked, rest = (
        tokenised([e.text for e in part], source, KEPT.tokens) for part in (train, held, every)
    )
    missing = [name for name in chosen.only if not (chosen.out / f"{name}.npy").exists()]
    soft = None
    if chosen.teachers and any(ATTEMPTS[name].taught for name in missing):
        soft = teaching(chosen.teachers, ids, asked, chosen.out, source)
    labels = torch.tensor([EMOTIONS.index(e.label("expressed")) for e in train])
    for name in missing:
        if ATTEMPTS[name].taught and soft is None:
            continue
        say(f"{name} begins")
        np.save(
            chosen.out / f"{name}.npy", run(ATTEMPTS[name], Texts(ids, labels, asked, rest, soft), source)
        )
    table = figures({path.stem: np.load(path) for path in sorted(chosen.out.glob("*.npy"))}, truth)
    sys.stdout.write(json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
