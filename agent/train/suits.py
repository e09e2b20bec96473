"""`hearken train suits`: which of our sentences suit a message, learned from grades.

Straight through: graded moments -> what the reading hears in each -> a small net over vectors that do not
move, once for each fifth of the talks held out (the figures) and once on all (what ships). Knows nothing of
how sentences are offered.
"""

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from agent.errors import DataError
from agent.evaluate.metrics import yes_no
from agent.reading.encoder import Encoder
from agent.reading.heads import Heard
from agent.suits import (
    WORTH,
    Labels,
    Layers,
    Placed,
    beside,
    dump,
    heard,
    likely,
    sentence_side,
    table,
    worth,
)
from agent.supporter import Moment, key_of
from agent.train.model import say

__all__ = ["GRADED", "Graded", "Recipe", "figures", "fit", "graded", "run"]

GRADED = Path(__file__).parent / "graded.jsonl"
FOLDS = 5
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Recipe:
    """Every number of a run. room: dimensions in which a message and a sentence are compared, a bar."""

    seed: int = 7
    room: int = 8
    hidden: int = 32
    epochs: int = 12
    rate: float = 2e-3
    decay: float = 0.2
    dropout: float = 0.3
    batch: int = 128


class Graded(NamedTuple):
    """A moment and the grades (0 grates, 1 could be said to anybody, 2 a friend could have said it) that
    readers gave to sentences after it. talk: by which it is held out."""

    talk: str
    moment: Moment
    grades: tuple[tuple[str, int], ...]


def graded(file: Path = GRADED) -> list[Graded]:
    """The moments of a file, one a line. Raises DataError naming the line."""
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            said = (*row["before"], row["text"])
            asked = frozenset({"asked"} if "?" in row["last"] else ())
            grades = tuple((str(text), int(grade)) for text, grade in row["grades"])
            found.append(
                Graded(str(row["talk"]), Moment(said, len(said), (asked,) if row["last"] else ()), grades)
            )
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{file}, line {number}: a graded moment needs talk, before, last, text and grades."
            ) from error
        if not all(grade in range(len(WORTH)) for _, grade in grades):
            raise DataError(f"{file}, line {number}: a grade is 0, 1 or 2.")
    return found


class _Rows(NamedTuple):
    """Of every graded sentence: what was said, what is told beside, its vector, its grade, its moment."""

    said: Vector
    told: Vector
    vectors: Vector
    grades: Vector
    moments: NDArray[np.int64]


def run(out: Path, *, encoder: Encoder, sentences: Sequence[Placed], recipe: Recipe) -> None:
    """Write `suits.npz` and `suits.json` into `out`. sentences: those that may be weighed; grades of others
    are left out."""
    moments = graded()
    readings = [encoder.read(one.moment.said[-1]) for one in moments]
    labels = _labels(readings)
    rows = _rows(moments, readings, labels, sentences, encoder.vector)
    say(f"{len(rows.grades):,} graded sentences after {len(moments):,} messages")
    report = figures(rows, [one.talk for one in moments], recipe)
    layers = fit(rows, recipe)
    bank = sentence_side(np.stack([encoder.vector(one.text) for one in sentences]), layers)
    raw = dump(layers, [key_of(one.text) for one in sentences], bank)
    out.mkdir(parents=True, exist_ok=True)
    (out / "suits.npz").write_bytes(raw)
    told: dict[str, Any] = {
        "encoder": encoder.name,
        "labels": labels._asdict(),
        "sha256": hashlib.sha256(raw).hexdigest(),
        "recipe": vars(recipe),
        "rows": {"moments": len(moments), "grades": len(rows.grades), "bank": len(sentences)},
        "data": {GRADED.name: hashlib.sha256(GRADED.read_bytes()).hexdigest()},
        "report": report,
    }
    (out / "suits.json").write_text(json.dumps(told, indent=1) + "\n", "utf-8")
    say(json.dumps(report, indent=1))


def fit(rows: _Rows, recipe: Recipe) -> Layers:
    """The net, fitted to whether a grade is above 0 and above 1."""
    torch.manual_seed(recipe.seed)
    torch.set_num_threads(1)  # of steps so small, threads only wait for each other
    said, told, vectors = map(torch.from_numpy, (rows.said, rows.told, rows.vectors))
    target = torch.from_numpy(np.stack([rows.grades > 0, rows.grades > 1], axis=1).astype(np.float32))
    centre, spread = told.mean(0), told.std(0) + 1e-2
    told = (told - centre) / spread
    hidden, out = torch.nn.Linear(told.shape[1], recipe.hidden), torch.nn.Linear(recipe.hidden, 2)
    asked = torch.nn.Linear(said.shape[1], 2 * recipe.room)
    answered, alone = torch.nn.Linear(vectors.shape[1], 2 * recipe.room), torch.nn.Linear(vectors.shape[1], 2)
    torch.nn.init.normal_(alone.weight, std=0.01)
    parts = (hidden, out, asked, answered, alone)
    weights = [weight for part in parts for weight in part.parameters()]
    optimiser = torch.optim.AdamW(weights, lr=recipe.rate, weight_decay=recipe.decay)
    steps, step = recipe.epochs * -(-len(target) // recipe.batch), 0
    for _ in range(recipe.epochs):
        for batch in torch.randperm(len(target)).split(recipe.batch):
            where = functional.dropout(asked(said[batch]), recipe.dropout) * answered(vectors[batch])
            logits = out(functional.relu(hidden(told[batch]))) + alone(vectors[batch])
            logits = logits + where.view(len(batch), 2, -1).sum(2)
            loss = functional.binary_cross_entropy_with_logits(logits, target[batch])
            for group in optimiser.param_groups:
                group["lr"] = recipe.rate * (1 - step / steps)
            step += 1
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
    pairs = {"hidden": hidden, "out": out, "asked": asked, "answered": answered, "alone": alone}
    arrays = {name: part.weight.detach().T.contiguous().numpy() for name, part in pairs.items()}
    biases = {f"{name}_bias": part.bias.detach().numpy() for name, part in pairs.items()}
    return Layers(centre=centre.numpy(), spread=spread.numpy(), **arrays, **biases)


def figures(rows: _Rows, talks: Sequence[str], recipe: Recipe) -> dict[str, Any]:
    """What a net that has not seen the talk makes of it, over all fifths of the talks."""
    fold = np.array([zlib.crc32(talk.encode()) % FOLDS for talk in talks])[rows.moments]
    chances = np.zeros((len(rows.grades), 2), dtype=np.float32)
    for number in range(FOLDS):
        seen, held = np.flatnonzero(fold != number), np.flatnonzero(fold == number)
        layers = fit(_only(rows, seen), recipe)
        part = _only(rows, held)
        bank = sentence_side(part.vectors, layers)
        each = zip(part.said, part.told, bank, strict=True)
        chances[held] = np.concatenate([likely(layers, s, t[None], b[None]) for s, t, b in each])
    value, paid = worth(chances), np.array(WORTH, dtype=np.float32)[rows.grades.astype(int)]
    first = [
        at[value[at].argmax()]
        for at in (np.flatnonzero(rows.moments == n) for n in set(rows.moments.tolist()))
    ]
    return {
        "n": len(value),
        "AUROC, 1 or 2": yes_no(chances[:, 0], rows.grades > 0, 0.5)["auroc"],
        "AUROC, 2": yes_no(chances[:, 1], rows.grades > 1, 0.5)["auroc"],
        "first": _shares(rows.grades[first], paid[first]),
        "all": _shares(rows.grades, paid),
    }


def _shares(grades: Vector, paid: Vector) -> Mapping[str, float]:
    shares = {str(grade): round(float((grades == grade).mean()), 4) for grade in range(len(WORTH))}
    return {**shares, "worth": round(float(paid.mean()), 4)}


def _only(rows: _Rows, which: NDArray[np.int64]) -> _Rows:
    said, told, vectors, grades, moments = rows
    return _Rows(said[which], told[which], vectors[which], grades[which], moments[which])


def _labels(readings: Sequence[Heard]) -> Labels:
    """Every label that is heard in them, in order."""
    heads = ("telling", "want", "next_intent")
    names = [sorted({one["label"] for reading in readings for one in reading["emotions"]})]
    names += [sorted({s["label"] for r in readings for s in r["heads"].get(head, [])}) for head in heads]
    return Labels(*map(tuple, names))


def _rows(
    moments: Sequence[Graded],
    readings: Sequence[Heard],
    labels: Labels,
    sentences: Sequence[Placed],
    vector: Callable[[str], Vector],
) -> _Rows:
    placed = {one.text: one for one in sentences}
    vectors = {text: vector(text) for one in moments for text, _ in one.grades if text in placed}
    said, told, theirs, grades, where = [], [], [], [], []
    for number, (one, reading) in enumerate(zip(moments, readings, strict=True)):
        known = [(placed[text], grade) for text, grade in one.grades if text in placed]
        if not known:
            continue
        message = heard(one.moment, reading, labels, vector)
        told.append(beside(one.moment, reading, table([place for place, _ in known])))
        for place, grade in known:
            said.append(message)
            theirs.append(vectors[place.text])
            grades.append(grade)
            where.append(number)
    return _Rows(
        np.stack(said),
        np.concatenate(told),
        np.stack(theirs),
        np.array(grades, np.float32),
        np.array(where, np.int64),
    )
