"""The figures of a finished model on the reporting third, and how far int8 is from the torch model.

Knows logits, labels and calibrated heads; writes nothing.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agent.evaluate import metrics
from agent.reading.encoder import READ_WINDOW
from agent.reading.heads import Choice, Facets, Heads
from agent.reading.ngrams import NGrams
from agent.train.calibrate import LEAST, Lines
from agent.train.labels import EMOTIONS, INTENTS
from agent.train.model import Model, padded, tokenised

__all__ = ["fidelity", "report"]

# The labels of a choice that mean risk.
WORSE = {"cssrs": ("ideation", "behavior", "attempt"), "danger": ("moderate", "high", "imminent")}
Vector = NDArray[np.float32]


def report(lines: Lines, heads: Heads) -> dict[str, Any]:
    """Head -> source (or facet) -> figures; emotions and intents are judged among their own."""
    found: dict[str, Any] = {}
    expressed = heads.named["expressed"]
    for name, own in (("emotions", EMOTIONS), ("intents", INTENTS)):
        for source, mine in _by_source(lines.where(lambda e, own=own: e.label("expressed") in own)):  # type: ignore[misc]
            likely = _among(expressed, mine.logits, own)
            named = None
            if name == "emotions":
                named = expressed.likely(mine.logits)[:, : len(EMOTIONS)].max(axis=1) >= heads.sure
            found.setdefault(name, {})[source] = metrics.figures(
                likely, _labels(mine, "expressed"), own, named
            )
    for name, head in heads.named.items():
        if name == "expressed":
            continue
        mine = lines.where(lambda e, name=name: name in e.targets)  # type: ignore[misc]
        if isinstance(head, Facets):
            told = [label for label in head.labels if any(label in e.targets[name] for e in mine.examples)]
            found[name] = {label: _facet(mine, head, label) for label in told}
            continue
        for source, part in _by_source(mine):
            likely = head.likely(part.logits)
            if name == "telling":  # people named one thing or two, and either is an answer to the person
                named = likely.max(axis=1) >= heads.telling
                found.setdefault(name, {})[source] = metrics.figures(
                    likely, _either(part, name, likely, head.labels), head.labels, named
                )
                continue
            found.setdefault(name, {})[source] = metrics.figures(likely, _labels(part, name), head.labels)
            if name in WORSE:
                found.setdefault(f"{name}, at risk or not", {})[source] = _at_risk(
                    part, head, name, WORSE[name]
                )
    return found


def _by_source(lines: Lines) -> Iterator[tuple[str, Lines]]:
    for source in sorted({e.source for e in lines.examples}):
        mine = lines.where(lambda e, source=source: e.source == source)  # type: ignore[misc]
        if len(mine.examples) >= LEAST:
            yield source, mine


def _labels(lines: Lines, head: str) -> NDArray[np.str_]:
    return np.array([e.label(head) for e in lines.examples])


def _either(lines: Lines, head: str, likely: Vector, labels: Sequence[str]) -> NDArray[np.str_]:
    """The label that was thought likeliest where it is one of those named, else the first one named."""
    top = (labels[i] for i in likely.argmax(axis=1))
    return np.array(
        [one if one in e.targets[head] else e.label(head) for one, e in zip(top, lines.examples, strict=True)]
    )


def _among(head: Choice | Facets, logits: Vector, own: Sequence[str]) -> Vector:
    columns = [head.labels.index(label) for label in own]
    likely = head.likely(logits)[:, columns]
    result: Vector = likely / likely.sum(axis=1, keepdims=True)
    return result


def _facet(lines: Lines, head: Facets, label: str) -> metrics.Figures:
    mine = lines.where(lambda e: label in e.targets["facets"])
    likely = head.likely(mine.logits)[:, head.labels.index(label)]
    truth = np.array([e.targets["facets"][label] > 0.5 for e in mine.examples])
    return metrics.yes_no(likely, truth, 0.5)


def _at_risk(lines: Lines, head: Choice | Facets, name: str, worse: Sequence[str]) -> metrics.Figures:
    """The labels in `worse` against the others: at risk or not, moderate danger or less."""
    likely = head.likely(lines.logits)[:, [head.labels.index(label) for label in worse]].sum(axis=1)
    return metrics.yes_no(likely, np.isin(_labels(lines, name), worse), 0.5)


def fidelity(  # noqa: PLR0913, PLR0917 - both models and the lines
    weights: Path, lines: Lines, heads: Heads, words: NGrams, source: Path, most: int = 400
) -> dict[str, dict[str, float]]:
    """int8 against the torch model it was made from: accuracy of both, agreement; `most` lines a head."""
    every = {i for name in heads.named for i in _spread(lines, name, most)}
    rows = sorted(every)
    some = Lines([lines.examples[i] for i in rows], lines.logits[rows])
    model = Model(source, some.logits.shape[1])
    model.load_state_dict(
        {name: torch.from_numpy(value) for name, value in load_file(weights).items()}, strict=False
    )
    model.eval()
    ids = tokenised([e.text for e in some.examples], source, READ_WINDOW)
    exact = np.zeros_like(some.logits)
    with torch.no_grad():
        for row, line in enumerate(ids):
            exact[row] = words.mixed(model(*padded([line]))[0].numpy(), line[1:-1])
    short = [
        row for row, line in enumerate(ids) if len(line) < READ_WINDOW
    ]  # longer ones are read in windows
    found = {}
    for name, head in heads.named.items():
        rows = [row for row in short if name in some.examples[row].targets]
        if not rows or isinstance(head, Facets):
            continue
        mine = Lines([some.examples[row] for row in rows], some.logits[rows])
        truth = mine.truth(name, head.labels)
        small, large = (head.likely(logits).argmax(axis=1) for logits in (mine.logits, exact[rows]))
        found[name] = {
            "n": len(rows),
            "int8": round(float((small == truth).mean()), 4),
            "torch": round(float((large == truth).mean()), 4),
            "agree": round(float((small == large).mean()), 4),
        }
    return found


def _spread(lines: Lines, head: str, most: int) -> list[int]:
    """At most `most` lines that know the head, from all over the list; for a choice, of those alone."""
    mine = [i for i, e in enumerate(lines.examples) if head in e.targets and head != "facets"]
    return mine[:: max(1, len(mine) // most)]
