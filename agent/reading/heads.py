"""From the reading encoder's numbers to probabilities, and to what a message says by itself.

Each head is a choice among labels (softmax over a temperature; Guo et al., ICML 2017) or a row of
yes-or-no facets (a logistic curve each; Platt, 1999). Both were fitted on held-out texts and are in
labels.json with the labels. Knows nothing of texts, tokens or ONNX.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NotRequired, TypedDict

import numpy as np
from numpy.typing import NDArray

from agent.brief import Evidence, Score
from agent.reading.ladder import LEVELS, Level, worst

__all__ = ["Choice", "Facets", "Heads", "Heard", "Marks", "heads_of"]

Vector = NDArray[np.float32]
Span = tuple[int, int]

# How many labels of a choice a reading keeps, likeliest first.
KEPT = 3
# Of what a message does, all that is at least so likely: a reply may go by several that are alike.
FAINTEST = 0.01


class Heard(TypedDict):
    """What one message says by itself. Every list is likeliest first, but `danger` and `facets`.

    emotions: the five likeliest of the 32, each with its probability if the text tells a feeling at
    all. intents: the same for the three likeliest of the 9. sure: whether the first emotion is likely
    enough, against emotions and intents alike, to be named to the person. want: what the person
    wants of this turn, "" when not likely enough. danger: the level the model is confident of.
    heads: the other heads by name: `next_intent` (of a good reply), `want`, `stress_cause`,
    `depression_cause`, `cssrs`, `danger_kind`, `danger_subject`: the three likeliest; `danger`: the five
    levels from none to imminent; `facets`: the probability of each; `telling`: all from .01 on.
    evidence: the clauses that carried the first emotion. telling: what the message does (a guilt owned up
    to, a kindness told; agent/words/replies_told.yaml), "" when not likely enough.
    """

    emotions: list[Score]
    intents: list[Score]
    sure: bool
    want: str
    telling: NotRequired[str]
    danger: Level
    heads: dict[str, list[Score]]
    evidence: list[Evidence]


@dataclass(frozen=True)
class Marks:
    """What the reading model gives a text, token by token.

    logits: (outputs,) of the whole text. parts: (windows, outputs) of each stretch of it. spans:
    [start, end) of each token in the text, in characters. tokens: (n, outputs), how far each token,
    seen in its context, speaks for each output.
    """

    logits: Vector
    parts: Vector
    spans: list[Span]
    tokens: Vector


@dataclass(frozen=True)
class Choice:
    """One of `labels` is right. place: its columns among the outputs."""

    labels: tuple[str, ...]
    place: slice
    temperature: float

    def likely(self, logits: Vector) -> Vector:
        """Probabilities (..., labels) of logits (..., outputs)."""
        scaled = logits[..., self.place] / self.temperature
        shares = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        result: Vector = shares / shares.sum(axis=-1, keepdims=True)
        return result


@dataclass(frozen=True)
class Facets:
    """Each of `labels` is so or not, whatever the others are."""

    labels: tuple[str, ...]
    place: slice
    scale: Vector
    shift: Vector

    def likely(self, logits: Vector) -> Vector:
        """Probabilities (..., labels) of logits (..., outputs)."""
        result: Vector = 1 / (
            1 + np.exp(-np.clip(logits[..., self.place] * self.scale + self.shift, -30, 30))
        )
        return result


@dataclass(frozen=True)
class Heads:
    """All heads of one reading model, and from which probability on a call is acted upon.

    emotions: how many labels of `expressed` are emotions; they stand first. sure: probability among
    all 41 from which a feeling is named. want, telling: from which one is taken. danger: level -> the
    probability of that level or worse from which it is held; `low`, that of moderate danger or worse from
    which it is worth asking about. A bar above 1 is never reached.
    """

    named: Mapping[str, Choice | Facets]
    emotions: int
    sure: float
    want: float = 1.01
    danger: Mapping[Level, float] = field(default_factory=dict)
    telling: float = 1.01

    @property
    def outputs(self) -> int:
        """How many numbers the model gives a text."""
        return sum(len(head.labels) for head in self.named.values())

    def read(self, logits: Vector, parts: Vector | None = None) -> Heard:
        """The reading of one text's logits (outputs,).

        parts: (windows, outputs) of a long text's stretches; danger in one of them is danger.
        """
        expressed = self.named["expressed"]
        likely = expressed.likely(logits)
        cut = self.emotions
        return {
            "emotions": scores(expressed.labels[:cut], _shares(likely[:cut]))[:5],
            "intents": scores(expressed.labels[cut:], _shares(likely[cut:]))[:3],
            "sure": float(likely[:cut].max()) >= self.sure,
            "want": self._taken("want", self.want, logits),
            "telling": self._taken("telling", self.telling, logits),
            "danger": worst(self._danger(part) for part in (logits[None] if parts is None else parts)),
            "heads": {name: self._kept(name, logits) for name in self.named if name != "expressed"},
            "evidence": [],
        }

    def column(self, name: str, label: str) -> int:
        """Where a label stands among the outputs."""
        head = self.named[name]
        return int(head.place.start) + head.labels.index(label)

    def _taken(self, name: str, bar: float, logits: Vector) -> str:
        """The likeliest label of a choice, "" under its bar or where the model has no such head."""
        head = self.named.get(name)
        likely = head.likely(logits) if head else np.zeros(1, dtype=np.float32)
        return head.labels[int(likely.argmax())] if head and float(likely.max()) >= bar else ""

    def _danger(self, logits: Vector) -> Level:
        head = self.named.get("danger")
        likely = head.likely(logits) if head else np.zeros(len(LEVELS), dtype=np.float32)
        held = (
            level
            for level in reversed(LEVELS[LEVELS.index("moderate") :])
            if likely[LEVELS.index(level) :].sum() >= self.danger.get(level, 2)
        )
        # Under every bar there may still be doubt: enough for a question, too little for care.
        doubt = likely[LEVELS.index("moderate") :].sum() >= self.danger.get("low", 2)
        return next(held, "low" if doubt else "none")

    def _kept(self, name: str, logits: Vector) -> list[Score]:
        head = self.named[name]
        likely = head.likely(logits)
        if name == "telling":
            return [score for score in scores(head.labels, likely) if score["p"] >= FAINTEST]
        if name == "danger" or isinstance(head, Facets):
            return [_score(label, p) for label, p in zip(head.labels, likely.tolist(), strict=True)]
        return scores(head.labels, likely)[:KEPT]


def _shares(likely: Vector) -> Vector:
    shares: Vector = likely / np.maximum(likely.sum(), np.float32(1e-12))
    return shares


def scores(labels: Sequence[str], likely: Vector) -> list[Score]:
    """Labels with their probabilities, likeliest first, in order among equals."""
    found = likely.tolist()
    return [_score(labels[i], found[i]) for i in np.argsort(-likely, kind="stable").tolist()]


def _score(label: str, p: float) -> Score:
    return {"label": label, "p": round(p, 4)}


def heads_of(card: Mapping[str, Any]) -> Heads:
    """The heads a labels.json describes. Raises KeyError, TypeError or ValueError when it does not."""
    named: dict[str, Choice | Facets] = {}
    start = 0
    for name, told in card["heads"].items():
        labels = tuple(told["labels"])
        place = slice(start, start + len(labels))
        if len(set(labels)) != len(labels):
            raise ValueError(f"a label of {name} stands twice")
        if "temperature" in told:
            named[name] = Choice(labels, place, float(told["temperature"]))
        else:
            scale, shift = (np.array(told[part], dtype=np.float32) for part in ("scale", "shift"))
            if scale.shape != (len(labels),) or shift.shape != scale.shape:
                raise ValueError(f"{name} needs a scale and a shift for each label")
            named[name] = Facets(labels, place, scale, shift)
        start = place.stop
    danger = {level: float(card["danger"][level]) for level in LEVELS if level in card.get("danger", {})}
    want, telling = (float(card.get(name, 1.01)) for name in ("want", "telling"))
    return Heads(named, int(card["emotions"]), float(card["sure"]), want, danger, telling)
