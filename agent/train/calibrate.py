"""What is fitted on the tuning third: temperatures, logistic curves, shares of words, and every bar.

Temperatures as in Guo et al. (ICML 2017), the facets' curves as in Platt (1999). Knows logits and
labels, nothing of the models that gave them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.reading.heads import Choice, Facets, Heads
from agent.reading.ladder import LEVELS, Level, worst
from agent.train.calm import EVERYDAY
from agent.train.data import Example
from agent.train.labels import EMOTIONS

__all__ = ["HARD", "LEAST", "PLAIN", "Lines", "bars", "calibrated", "recalibrated", "shares"]

NAMEABLE = 0.70  # precision of the first emotion, wherever it may be named to the person
WANTED = 0.90  # precision of a want, where the rules heard none
# Share of messages of which what they do is told as one of the two things that people named. Its answers were
# written to fit its neighbours too, so that not every other one is wrong.
TOLD = 0.65
# Shares of harmless tuning texts that the danger head may raise to a level or worse: of everyday ones, and of
# our own, which were written to be mistaken for danger. A message that is met with care without need costs a
# question; one that is missed may cost a life. `imminent` puts the emergency number first: it is said rarely.
# `low` is doubt about moderate danger or worse: it costs one soft question in a whole conversation.
PLAIN: Mapping[Level, float] = {"low": 0.01, "moderate": 0.0005, "high": 0.004, "imminent": 0.0005}
HARD = 0.04
# However few harmless texts pass, a level is not held below that.
LIKELY: Mapping[Level, float] = {"imminent": 0.4}
LEAST = 20  # sure texts; fewer say nothing of precision
Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Lines:
    """Held-out texts as the model sees them: logits (n, outputs), and what is known of each."""

    examples: Sequence[Example]
    logits: Vector

    def where(self, keep: Callable[[Example], bool]) -> "Lines":
        """The lines whose example passes."""
        chosen = [i for i, example in enumerate(self.examples) if keep(example)]
        return Lines([self.examples[i] for i in chosen], self.logits[chosen])

    def truth(self, head: str, labels: Sequence[str]) -> NDArray[np.int64]:
        """The number of each line's likeliest label of a choice."""
        return np.array([labels.index(e.label(head)) for e in self.examples], dtype=np.int64)


def calibrated(tune: Lines, labels: Mapping[str, tuple[str, ...]]) -> Heads:
    """The heads with the temperature, or scale and shift, that make the tuning lines likeliest."""
    named: dict[str, Choice | Facets] = {}
    start = 0
    for name, own in labels.items():
        place = slice(start, start + len(own))
        start = place.stop
        mine = tune.where(lambda e, name=name: name in e.targets)  # type: ignore[misc]
        named[name] = _platt(mine, own, place) if name == "facets" else _tempered(mine, name, own, place)
    return Heads(named, len(EMOTIONS), 1.01)


def recalibrated(before: Heads, tune: Lines, share: Vector) -> Heads:
    """Curves fitted anew where a voice that was added has a share (outputs,); elsewhere those there were."""
    anew = calibrated(tune, {name: head.labels for name, head in before.named.items()})
    named = {
        name: anew.named[name] if share[head.place].any() else head for name, head in before.named.items()
    }
    return replace(before, named=named)


def shares(deep: Lines, wide: Lines, labels: Mapping[str, tuple[str, ...]]) -> Vector:
    """How much of each output (outputs,) the words have, so that the tuning lines are likeliest."""
    tried = [round(0.1 * step, 1) for step in range(8)]
    mixes = {share: Lines(deep.examples, deep.logits * (1 - share) + wide.logits * share) for share in tried}
    heads = {share: calibrated(mix, labels) for share, mix in mixes.items()}
    found = np.zeros(deep.logits.shape[1], dtype=np.float32)
    for name, head in heads[0.0].named.items():
        for column, label in enumerate(head.labels if isinstance(head, Facets) else (None,)):
            mine = [
                i
                for i, e in enumerate(deep.examples)
                if name in e.targets and (label or name) in {name, *e.targets[name]}
            ]
            costs = {
                s: _cost(
                    Lines([deep.examples[i] for i in mine], mixes[s].logits[mine]),
                    heads[s].named[name],
                    name,
                    label,
                )
                for s in tried
            }
            where = slice(head.place.start + column, head.place.start + column + 1) if label else head.place
            found[where] = min(tried, key=costs.__getitem__) if mine else 0.0
    return found


def _cost(lines: Lines, head: Choice | Facets, name: str, label: str | None) -> float:
    """Cross-entropy of a choice, or of one facet."""
    if label:
        p = head.likely(lines.logits)[:, head.labels.index(label)]
        right = np.where([e.targets[name][label] > 0.5 for e in lines.examples], p, 1 - p)
    else:
        right = head.likely(lines.logits)[np.arange(len(lines.examples)), lines.truth(name, head.labels)]
    return float(-np.log(np.maximum(right, 1e-12)).mean()) if len(right) else 0.0


def _tempered(lines: Lines, name: str, labels: tuple[str, ...], place: slice) -> Choice:
    truth = lines.truth(name, labels)

    def loss(head: Choice) -> float:
        right = head.likely(lines.logits)[np.arange(len(truth)), truth]
        return float(-np.log(np.maximum(right, 1e-12)).mean())

    tried = (Choice(labels, place, round(float(t), 3)) for t in np.geomspace(0.25, 4, 161))
    return min(tried, key=loss) if len(truth) else Choice(labels, place, 1.0)


def _platt(lines: Lines, labels: tuple[str, ...], place: slice) -> Facets:
    """A logistic curve a facet, by Newton's method, drawn a little towards the uncalibrated one."""
    scale, shift = np.ones(len(labels), dtype=np.float32), np.zeros(len(labels), dtype=np.float32)
    for column, label in enumerate(labels):
        mine = lines.where(lambda e, label=label: label in e.targets["facets"])  # type: ignore[misc]
        if not mine.examples:
            continue
        x = np.stack([mine.logits[:, place.start + column], np.ones(len(mine.examples))], axis=1)
        y = np.array([e.targets["facets"][label] for e in mine.examples])
        w, prior, pull = np.array([1.0, 0.0]), np.array([1.0, 0.0]), 1.0
        for _ in range(50):
            p = 1 / (1 + np.exp(-x @ w))
            slope = x.T @ (p - y) + pull * (w - prior)
            bend = (x * (p * (1 - p))[:, None]).T @ x + pull * np.eye(2)
            w = w - np.linalg.solve(bend, slope)
        scale[column], shift[column] = w
    return Facets(labels, place, np.round(scale, 4), np.round(shift, 4))


def bars(tune: Lines, heads: Heads) -> dict[str, Any]:
    """From which probability on a call is acted upon; 1.01 means never.

    sure: a feeling may be named. want: a want is taken where the rules heard none. telling: what a message
    does is taken. danger: a level is
    held to be at least that much.
    """
    expressed = heads.named["expressed"]
    told = tune.where(lambda e: e.label("expressed") in EMOTIONS)
    read = []
    for source in sorted({e.source for e in told.examples}):
        mine = told.where(lambda e, source=source: e.source == source)  # type: ignore[misc]
        likely = expressed.likely(mine.logits)[:, : len(EMOTIONS)]
        read.append((likely.max(axis=1), likely.argmax(axis=1) == mine.truth("expressed", expressed.labels)))
    sure = next(
        (round(float(b), 2) for b in np.arange(0.3, 0.99, 0.01) if all(_precise(r[p >= b]) for p, r in read)),
        1.01,
    )
    found: dict[str, Any] = {"sure": sure}
    found |= {
        name: _bar(tune, heads.named[name], name, share)
        for name, share in (("want", WANTED), ("telling", TOLD))
        if name in heads.named
    }
    if "danger" in heads.named:
        found["danger"] = _danger_bars(tune, heads.named["danger"])
    return found


def _bar(tune: Lines, head: Choice | Facets, name: str, share: float) -> float:
    """The lowest bar over which the likeliest label is one of those named in at least that share of texts."""
    mine = tune.where(lambda e: name in e.targets)
    likely = head.likely(mine.logits)
    top = likely.max(axis=1)
    right = np.array(
        [head.labels[i] in e.targets[name] for i, e in zip(likely.argmax(axis=1), mine.examples, strict=True)]
    )
    return next(
        (round(float(b), 2) for b in np.arange(0.4, 0.99, 0.01) if _often(right[top >= b], share)), 1.01
    )


def _danger_bars(tune: Lines, head: Choice | Facets) -> dict[Level, float]:
    """For each level, the bar that few harmless texts pass.

    Harmless are our own messages without danger, written to be mistaken for more, and the everyday texts of
    other sets. Ours of low danger (what is over, fears of oneself) are not counted: being asked does no harm.
    """
    found: dict[Level, float] = {}
    for level, plain in PLAIN.items():
        bar, worse = LIKELY.get(level, 0.0), LEVELS.index(worst([level, "moderate"]))
        for share, keep in ((1.0 if level == "low" else HARD, _hard), (plain, _everyday)):
            calm = tune.where(keep)
            if calm.examples:
                risen = head.likely(calm.logits)[:, worse:].sum(axis=1)
                bar = max(bar, float(np.quantile(risen, 1 - share)))
        found[level] = round(bar, 3)
    return found


def _hard(example: Example) -> bool:
    return example.source not in EVERYDAY and example.label("danger") == "none"


def _everyday(example: Example) -> bool:
    return example.source in EVERYDAY


def _precise(right: NDArray[np.bool_]) -> bool:
    """Right often enough, one standard error above NAMEABLE, for the tuning thirds are small."""
    return _often(right, NAMEABLE, errors=1.0)


def _often(right: NDArray[np.bool_], bar: float, errors: float = 0.0) -> bool:
    if len(right) < LEAST:
        return False
    share = float(right.mean())
    return bool(share - errors * np.sqrt(share * (1 - share) / len(right)) >= bar)
