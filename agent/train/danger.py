"""`hearken train danger`: a second encoder, of danger and of what a message does, added to a finished model.

The encoder of all heads gives danger a small part of its passes; one that learns nothing else makes other
mistakes, and the mean of both is right more often than either (a deep ensemble; Lakshminarayanan et al.,
2017). Straight through: a run of `agent.train.encoder` -> ONNX in 8 bits -> its share a head, on the tuning
texts -> temperatures and bars anew -> figures and card. Knows nothing of sources.
"""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agent.reading import probe
from agent.reading.encoder import Encoder, load_encoder, marker
from agent.reading.heads import Heads
from agent.train import encoder, export, ship
from agent.train.calibrate import Lines, bars, recalibrated, shares
from agent.train.calm import alarming, with_calm
from agent.train.data import examples
from agent.train.model import Layout
from agent.train.probe import FILE as PROBE
from agent.train.recipe import Recipe, danger_recipe

__all__ = ["FILE", "add"]

FILE = "danger.onnx"
Vector = NDArray[np.float32]


def add(  # noqa: PLR0913 - what a run is made of
    data: Path,
    work: Path,
    out: Path,
    *,
    permissive: bool = False,
    recipe: Recipe | None = None,
    source: Path | None = None,
) -> dict[str, Any]:
    """Train the second encoder in `work`, or take the weights that stand there; add it to the model folder
    `out`, with what changes by it; returns labels.json.

    recipe, source: as in `agent.train.encoder.train`; `danger_recipe` and the published model if left out.
    Raises DataError as `agent.train.data.examples` does, before anything is trained.
    """
    load_encoder(out)  # a folder that cannot be read ends it before anything is trained
    weights = work / "weights.safetensors"
    if not weights.exists():
        encoder.train(data, work, recipe or danger_recipe(), permissive=permissive, source=source)
    card, without = ship.opened(out, FILE)
    taught: Mapping[str, Any] = json.loads((work / "layout.json").read_text("utf-8"))
    for name, labels in taught["heads"].items():  # a head that the first does not know stands behind its own
        card["heads"].setdefault(name, {"labels": labels, "temperature": 1.0})
    ship.write(card, out)
    load_encoder.cache_clear()
    without = load_encoder(out)
    layout = Layout({name: head.labels for name, head in without.heads.named.items()})
    (out / FILE).write_bytes(_exported(weights, taught["heads"], layout))

    held = [e for e in with_calm(examples(data, permissive=permissive), alarming) if e.part != "train"]
    one = np.stack([without.marks(e.text).logits for e in held])
    marks = marker((out / FILE).read_bytes(), ship.common_of(out))
    other = _beside_probe(
        np.stack([marks([e.text])[0].logits for e in held]), [e.text for e in held], without, out
    )
    tune = ship.in_part("tune")
    share = shares(Lines(held, one).where(tune), Lines(held, other).where(tune), layout.heads)
    for name, place in layout.slices().items():
        if name not in taught["heads"]:
            share[place] = 0.0
    lines = Lines(held, one * (1 - share) + other * share)
    heads = _heads(without.heads, lines.where(tune), share)
    card |= {"danger": dict(heads.danger), "telling": heads.telling, **ship.told(lines, heads)}
    card["second"] = {name: ship.floats(share[layout.slices()[name]]) for name in taught["heads"]}
    card["second_recipe"] = taught["recipe"]
    return ship.closed(card, data, out, FILE)


def _exported(weights: Path, taught: Mapping[str, list[str]], layout: Layout) -> bytes:
    """The int8 graph, its logits in the places of the whole reading model's; what it was not taught is 0."""
    tensors, where, start = dict(load_file(weights)), layout.slices(), 0
    weight, bias = tensors["head.weight"], tensors["head.bias"]
    wide = np.zeros((layout.outputs, weight.shape[1]), dtype=np.float32)
    ends = np.zeros(layout.outputs, dtype=np.float32)
    for name, labels in taught.items():
        rows = slice(start, start + len(labels))
        wide[where[name]], ends[where[name]] = weight[rows], bias[rows]
        start = rows.stop
    return export.reading({**tensors, "head.weight": wide, "head.bias": ends})


def _beside_probe(logits: Vector, texts: list[str], without: Encoder, out: Path) -> Vector:
    """What the second says, with the probe's share in it as in the first: a mean of means is a mean."""
    if not (out / PROBE).exists():
        return logits
    third = probe.load((out / PROBE).read_bytes())
    return third.mixed(logits, np.stack([without.vector(text) for text in texts]))


def _heads(before: Heads, tune: Lines, share: Vector) -> Heads:
    """Curves fitted anew where the second has a say, and the bars of its own heads; elsewhere those there
    were."""
    heads = recalibrated(before, tune, share)
    found = bars(tune, heads)
    return replace(heads, danger=found["danger"], telling=found.get("telling", before.telling))
