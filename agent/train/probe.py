"""`hearken train probe`: a linear layer on the published vectors, added to a finished reading model.

Straight through: vectors -> one convex problem a head (a facet) -> its share, on the tuning texts -> curves
and bars anew where it has one -> figures and card. Needs no weights of the run. Knows nothing of sources.
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from agent.errors import DataError
from agent.reading import probe
from agent.reading.encoder import vectoriser
from agent.reading.heads import Heads
from agent.reading.probe import Probe
from agent.train import ship
from agent.train.calibrate import Lines, bars, recalibrated, shares
from agent.train.calm import alarming, with_calm
from agent.train.data import Example, examples
from agent.train.model import Layout, say
from agent.train.refit import best, solve

__all__ = ["FILE", "add", "fit"]

FILE = "probe.npz"
# Heads it leaves to the other two: danger, of which every stretch is read by itself; the next intent, whose
# rare labels the encoder was taught to weigh up; and what it was tried on in vain (LOG.md).
SILENT = ("danger", "danger_kind", "danger_subject", "next_intent", "stress_cause")
# Unit vectors are drawn out to this length, so that the strengths of `refit` suit them.
LENGTH = 8.0
TOLD_EVERY = 10_000
Vector = NDArray[np.float32]


def add(data: Path, out: Path, *, permissive: bool = False, only: Sequence[str] = ()) -> dict[str, Any]:
    """Fit a probe for the model folder `out`, write it and what changes with it; returns labels.json.

    Fits anew where the folder has one. only: heads to fit, the others staying as they are in the folder's
    probe, as after a head was added. Raises DataError as `agent.train.data.examples` does, and for a head in
    `only` that the folder does not have.
    """
    kept = probe.load((out / FILE).read_bytes()) if only else None
    card, without = ship.opened(out, FILE)
    layout = Layout({name: head.labels for name, head in without.heads.named.items()})
    found = with_calm(examples(data, permissive=permissive), alarming)
    if unknown := set(only) - layout.heads.keys():
        raise DataError(f"The model in {out} has no head {min(unknown)}; it has {', '.join(layout.heads)}.")
    wanted = [name for name in only or layout.heads if name not in SILENT]
    training = [e for e in found if e.part == "train" and not e.targets.keys().isdisjoint(wanted)]
    held = [e for e in found if e.part != "train"]

    third = fit(training, _vectors([e.text for e in training], out), layout, wanted)
    both = np.stack([without.marks(e.text).logits for e in held])
    vectors = _vectors([e.text for e in held], out)
    alone = Lines(held, third.logits(vectors))
    tune = ship.in_part("tune")
    share = shares(Lines(held, both).where(tune), alone.where(tune), layout.heads)
    for name in layout.heads.keys() - set(wanted):
        share[layout.slices()[name]] = 0.0
    third = replace(third, share=share)
    raw = probe.dump(_beside(kept, third, layout, wanted) if kept else third)
    (out / FILE).write_bytes(raw)
    whole = probe.load(raw)
    lines = Lines(held, whole.mixed(both, vectors))
    heads = _heads(without.heads, lines.where(tune), share)
    card |= {"sure": heads.sure, "want": heads.want, "telling": heads.telling, **ship.told(lines, heads)}
    card["probe"] = {name: ship.floats(whole.share[place]) for name, place in layout.slices().items()}
    return ship.closed(card, data, out, FILE)


def fit(training: Sequence[Example], vectors: Vector, layout: Layout, wanted: Sequence[str]) -> Probe:
    """The probe of the heads in `wanted`, with no share yet. vectors: (training, dimension)."""
    x = torch.from_numpy(vectors) * LENGTH
    weight, bias = torch.zeros(layout.outputs, x.shape[1]), torch.zeros(layout.outputs)
    for name, place in layout.slices().items():
        if name not in wanted:
            continue
        if name == "facets":
            for column, label in enumerate(layout.heads[name], place.start):
                mine = [i for i, e in enumerate(training) if label in e.targets.get(name, {})]
                yes = torch.tensor([float(training[i].targets[name][label] > 0.5) for i in mine])
                if 0 < yes.sum() < len(yes):
                    rows, ends = _solved(x[mine], torch.stack([1 - yes, yes], 1))
                    weight[column], bias[column] = rows[1] - rows[0], ends[1] - ends[0]
        else:
            mine = [i for i, e in enumerate(training) if name in e.targets]
            if mine:
                weight[place], bias[place] = _solved(x[mine], _targets(training, mine, name, layout))
        say(f"{name}: probe fitted on {sum(name in e.targets for e in training):,} texts")
    nothing = np.zeros(layout.outputs, dtype=np.float32)
    return Probe((weight * LENGTH).numpy(), bias.numpy(), nothing)


def _beside(kept: Probe, fresh: Probe, layout: Layout, wanted: Sequence[str]) -> Probe:
    """A probe as it was, but for the heads fitted anew; heads it did not know stood last."""
    arrays = {}
    for name, value in vars(fresh).items():
        old = getattr(kept, name)
        arrays[name] = np.concatenate([old, np.zeros_like(value[len(old) :])])
        for head in wanted:
            arrays[name][layout.slices()[head]] = value[layout.slices()[head]]
    return Probe(**arrays)


def _solved(x: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    return solve(x, target, best(x, target))


def _targets(training: Sequence[Example], mine: Sequence[int], name: str, layout: Layout) -> torch.Tensor:
    told: list[Mapping[str, float]] = [training[i].targets[name] for i in mine]
    target = torch.tensor([[one.get(label, 0.0) for label in layout.heads[name]] for one in told])
    return target / target.sum(1, keepdim=True).clamp(min=1e-6)


def _heads(before: Heads, tune: Lines, share: Vector) -> Heads:
    """Curves and bars fitted anew where the probe has a say; elsewhere those there were."""
    heads = recalibrated(before, tune, share)
    found = bars(tune, heads)
    # A third voice may make it more certain, not bolder: a wrong name for a feeling puts people off.
    return replace(
        heads,
        sure=max(before.sure, found["sure"]),
        want=found.get("want", before.want),
        telling=found.get("telling", before.telling),
    )


def _vectors(texts: Sequence[str], folder: Path) -> Vector:
    """Unit vectors (texts, dimension) of the published model; one model a thread."""
    raw, common = (folder / "encoder.onnx").read_bytes(), ship.common_of(folder)
    half = len(texts) // 2

    def read(part: Sequence[str]) -> Iterator[Vector]:
        vector = vectoriser(raw, common)
        for number, text in enumerate(part, 1):
            yield vector(text)
            if number % TOLD_EVERY == 0:
                say(f"{number:,} of {len(part):,} texts embedded")

    with ThreadPoolExecutor(2) as pool:
        parts = pool.map(lambda part: list(read(part)), (texts[:half], texts[half:]))
        return np.stack([row for rows in parts for row in rows])
