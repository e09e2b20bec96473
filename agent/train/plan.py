"""`hearken train plan`: how people who support others went on, learned on vectors that do not move.

Two nets on what ESConv's supporters did and said (and, for the words alone, listeners of EmpatheticDialogues
and counselchat's answers): see `agent.supporter`. Conversations that went badly count a little for what was
done, and not at all for how it was said. Knows nothing of what a plan makes of it. Writes figures, hashes
and labels, never a text.
"""

import hashlib
import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from agent.evaluate import supporters
from agent.reading.encoder import Encoder
from agent.supporter import STRATEGIES, Nets, bank_of, context, dump, features, key_of, load_nets
from agent.train.model import say
from agent.train.talks import Point, answers, esconv, failed, listeners, points

__all__ = ["FILES", "Recipe", "Vectors", "fitting", "renew", "run", "strategies"]

FILES = (
    *("esconv/train.jsonl", "esconv/failed.json", "empathetic_dialogues/train.csv"),
    "counselchat/20200325_counsel_chat.csv",
)
Vector = NDArray[np.float32]
EARLIER = 0.4  # what the messages before the last one weigh at the start
SAVED = 1000  # texts embedded between two writes; what a cut-off may lose


@dataclass(frozen=True)
class Recipe:
    """Every number of a run.

    badly: what a moment of a conversation that went badly counts. whole: how much the strategies of the
    whole reply count beside the next one. room: dimensions in which words are compared. slow: the rate of
    that. blank: the share of a vector left out in training. near: how much an answer of the same
    conversation counts as a wrong one. listeners, counsellors: how many of their answers are drawn.
    """

    seed: int = 7
    hidden: int = 64
    epochs: int = 8
    rate: float = 2e-3
    decay: float = 0.03
    dropout: float = 0.3
    badly: float = 0.3
    whole: float = 0.5
    room: int = 192
    passes: int = 8
    slow: float = 3e-4
    blank: float = 0.4
    near: float = 0.3
    sharpness: float = 14.0
    listeners: int = 800
    counsellors: int = 400


class Vectors:
    """Vectors of texts, kept in a file under hashes, so that a run that was cut off goes on."""

    def __init__(self, embed: Callable[[str], Vector], file: Path) -> None:
        self._embed, self._file = embed, file
        self._known: dict[int, NDArray[np.float16]] = {}
        if file.exists():
            with np.load(file, allow_pickle=False) as kept:
                self._known = dict(zip(kept["keys"].tolist(), kept["rows"], strict=True))

    def __call__(self, text: str) -> Vector:
        key = key_of(text)
        if key not in self._known:
            self._known[key] = self._embed(text).astype(np.float16)
        return self._known[key].astype(np.float32)

    def fill(self, texts: Iterable[str]) -> None:
        """Embed what is not there yet."""
        missing = [text for text in dict.fromkeys(texts) if key_of(text) not in self._known]
        for number, text in enumerate(missing):
            self(text)
            if number % SAVED == SAVED - 1 or number == len(missing) - 1:
                keys = np.array(list(self._known), dtype=np.uint64)
                np.savez(self._file, keys=keys, rows=np.stack(list(self._known.values())))
                say(f"{number + 1:,} of {len(missing):,} texts embedded")


def run(  # noqa: PLR0913 - the options of the command
    data: Path, work: Path, out: Path, *, encoder: Encoder, bank: Sequence[str], recipe: Recipe
) -> None:
    """Write `plan.npz` and `plan.json` into `out`, made from `data`; vectors are kept in `work`.

    bank: the authored sentences whose vectors ship. Raises DataError before anything is embedded.
    """
    work.mkdir(parents=True, exist_ok=True)
    good = [one for talk in esconv(data / "esconv/train.jsonl") for one in points(talk)]
    bad = [one for talk in failed(data / "esconv/failed.json") for one in points(talk)]
    pairs = [*answers(good), *listeners(data, recipe.listeners, recipe.counsellors, recipe.seed)]
    vectors = Vectors(encoder.vector, work / "vectors.npz")
    vectors.fill(text for one in (*good, *bad) for text in one.moment.said)
    vectors.fill(text for pair in pairs for text in (*pair.moment.said, pair.text))
    vectors.fill(bank)
    nets = Nets(*strategies(good, bad, vectors, recipe), *fitting(pairs, vectors, recipe))
    raw = dump(nets, [key_of(text) for text in bank], bank_of(bank, nets, vectors))
    out.mkdir(parents=True, exist_ok=True)
    (out / "plan.npz").write_bytes(raw)
    told: dict[str, Any] = {
        "labels": STRATEGIES,
        "encoder": encoder.name,
        "sha256": hashlib.sha256(raw).hexdigest(),
        "recipe": vars(recipe),
        "rows": {"good": len(good), "badly": len(bad), "pairs": len(pairs), "bank": len(bank)},
        "data": {name: hashlib.sha256((data / name).read_bytes()).hexdigest() for name in FILES},
    }
    _write(told, out)
    told["report"] = supporters.measured(data, out, vectors)
    _write(told, out)
    say(json.dumps(told["report"], indent=1))


def renew(folder: Path, encoder: Encoder, bank: Sequence[str]) -> None:
    """Put vectors of the sentences as they are now beside the nets in `folder`; the nets stay as they are."""
    nets, told = load_nets(folder), json.loads((folder / "plan.json").read_text("utf-8"))
    raw = dump(nets, [key_of(text) for text in bank], bank_of(bank, nets, encoder.vector))
    (folder / "plan.npz").write_bytes(raw)
    told["rows"]["bank"], told["sha256"] = len(bank), hashlib.sha256(raw).hexdigest()
    _write(told, folder)
    say(f"{len(bank):,} sentences embedded")


def _write(told: dict[str, Any], out: Path) -> None:
    (out / "plan.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")


def strategies(
    good: Sequence[Point], bad: Sequence[Point], vectors: Callable[[str], Vector], recipe: Recipe
) -> tuple[Vector, Vector, Vector, Vector]:
    """Hidden and outer layer of the net that tells strategies."""
    every = [*good, *bad]
    inputs = torch.tensor(np.stack([features(one.moment, vectors) for one in every]))
    nexts = torch.tensor([STRATEGIES.index(one.strategy) for one in every])
    whole = torch.tensor([[float(name in one.turn) for name in STRATEGIES] for one in every])
    weight = torch.tensor([1.0] * len(good) + [recipe.badly] * len(bad))
    opens = torch.tensor([one.opens for one in every])
    torch.manual_seed(recipe.seed)
    first, second = torch.nn.Linear(inputs.shape[1], recipe.hidden), torch.nn.Linear(recipe.hidden, 16)

    def loss(rows: torch.Tensor) -> torch.Tensor:
        x = functional.dropout(inputs[rows], 0.1)
        told = second(functional.dropout(functional.relu(first(x)), recipe.dropout))
        one = functional.cross_entropy(told[:, :8], nexts[rows], reduction="none", label_smoothing=0.05)
        all_ = functional.binary_cross_entropy_with_logits(told[:, 8:], whole[rows], reduction="none")
        return (weight[rows] * (one + recipe.whole * opens[rows] * all_.sum(1))).mean()

    _descend([*first.parameters(), *second.parameters()], loss, len(every), 128, recipe.epochs, recipe)
    return _plain(first.weight.T), _plain(first.bias), _plain(second.weight.T), _plain(second.bias)


def fitting(
    pairs: Sequence[Point], vectors: Callable[[str], Vector], recipe: Recipe
) -> tuple[Vector, Vector, Vector]:
    """The maps of what was said and of an answer, and where what is said usually stands.

    Each answer is told from those of a batch, and from another of the same conversation, which speaks of
    the same things: only what answers this very moment is left to tell them apart.
    """
    said = torch.tensor(np.stack([context(one.moment, vectors) for one in pairs]))
    answer = torch.tensor(np.stack([vectors(one.text) for one in pairs]))
    texts = torch.tensor([key_of(one.text.lower()) % 2**62 for one in pairs])
    near = _neighbours(pairs)
    torch.manual_seed(recipe.seed)
    chance = np.random.default_rng(recipe.seed)
    # Both maps begin where the untrained vectors stand, and learn how far to move from there.
    _, _, axes = torch.linalg.svd(answer - answer.mean(0), full_matrices=False)
    base = axes[: recipe.room].T
    start = (torch.cat([base, EARLIER * base]), base)
    moved = [torch.zeros_like(part).requires_grad_() for part in start]

    def loss(rows: torch.Tensor) -> torch.Tensor:
        hard = torch.tensor([int(chance.choice(near[row])) for row in rows.tolist()])
        others, right_one = torch.cat([rows, hard]), torch.arange(len(rows))
        left = functional.dropout(said[rows], recipe.blank) @ (start[0] + moved[0])
        right = functional.dropout(answer[others], recipe.blank) @ (start[1] + moved[1])
        scores = recipe.sharpness * functional.normalize(left, dim=1) @ functional.normalize(right, dim=1).T
        same = texts[rows][:, None] == texts[others][None]
        same[right_one, right_one] = False
        scores = scores.masked_fill(same, -1e4)
        back = functional.cross_entropy(scores[:, : len(rows)].T, right_one)
        scores = torch.cat([scores[:, : len(rows)], scores[:, len(rows) :] + float(np.log(recipe.near))], 1)
        return functional.cross_entropy(scores, right_one) + 0.5 * back

    _descend(moved, loss, len(pairs), 256, recipe.passes, replace(recipe, rate=recipe.slow))
    with torch.no_grad():
        asked, answered = (begun + delta for begun, delta in zip(start, moved, strict=True))
        usual = functional.normalize(said @ asked, dim=1).mean(0)
    return _plain(asked), _plain(answered), _plain(usual)


def _neighbours(pairs: Sequence[Point]) -> list[list[int]]:
    """For each pair, other pairs of its conversation; any pair where there is none."""
    talks: dict[str, list[int]] = {}
    for place, one in enumerate(pairs):
        talks.setdefault(one.talk, []).append(place)
    return [[row for row in talks[one.talk] if row != place] or [0] for place, one in enumerate(pairs)]


def _descend(  # noqa: PLR0913, PLR0917 - what a descent depends on
    parameters: Sequence[torch.nn.Parameter],
    loss: Callable[[torch.Tensor], torch.Tensor],
    count: int,
    batch: int,
    passes: int,
    recipe: Recipe,
) -> None:
    solver = torch.optim.AdamW(parameters, lr=recipe.rate, weight_decay=recipe.decay)
    steps = passes * -(-count // batch)
    rate = torch.optim.lr_scheduler.OneCycleLR(solver, max_lr=recipe.rate, total_steps=steps)
    for _ in range(passes):
        for rows in torch.randperm(count).split(batch):
            solver.zero_grad()
            loss(rows).backward()
            solver.step()
            rate.step()


def _plain(tensor: torch.Tensor) -> Vector:
    found: Vector = tensor.detach().contiguous().numpy().astype(np.float32)
    return found
