"""From trained weights to the files that ship: reading.onnx, labels.json, MODEL_CARD.md.

Held-out texts are read by the int8 model one at a time, as at run time. Their `tune` third fits
temperatures (Guo et al., ICML 2017), the facets' logistic curves (Platt, 1999) and every bar; their
`report` part gives the figures, and is compared with the torch model the int8 one was made from.
Knows nothing of how the weights came about. Writes figures, hashes and labels, never a text.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agent.evaluate import metrics
from agent.evaluate.evidence import against_people
from agent.reading.encoder import READ_WINDOW, READ_WINDOWS, load_encoder, marker, windows
from agent.reading.heads import Choice, Facets, Heads
from agent.reading.ladder import LEVELS, Level
from agent.reading.ngrams import NGrams, dump
from agent.train import export
from agent.train.data import EMOTIONS, FILES, INTENTS, PERMISSIVE_FILES, Example, Part, examples
from agent.train.model import Layout, Model, padded, published, tokenised
from agent.train.ngrams import fit

__all__ = ["Lines", "bars", "calibrated", "ship", "write"]

SHIPPED = Path(__file__).parents[1] / "reading" / "model"
MODEL_FILES = ("encoder.onnx", "reading.onnx", "ngrams.npz", "tokenizer.json")
ANY = 10**6  # tokens; a text is not cut
NAMEABLE = 0.70  # precision of the first emotion, wherever it may be named to the person
WANTED = 0.90  # precision of a want, where the rules heard none
HARD, EVERYDAY = 0.02, 0.001  # shares of harmless tuning texts that the danger head may raise
CONFIDENT = 0.9  # no level is held below this probability
# The labels of a choice that mean risk.
WORSE = {"cssrs": ("ideation", "behavior", "attempt"), "danger": ("moderate", "high", "imminent")}
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


def ship(
    weights: Path, data: Path, out: Path, *, permissive: bool = False, source: Path | None = None
) -> dict[str, Any]:
    """Write the model folder `out` from `weights` and the held-out parts of `data`; returns labels.json.

    source: the published model the weights began as. Some ten minutes on two cores. Raises DataError
    as `agent.train.data.examples` does.
    """
    layout = json.loads(weights.with_name("layout.json").read_text("utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    for name in ("encoder.onnx", "tokenizer.json", "LICENSE-weights.txt"):
        if not (out / name).exists():
            shutil.copy(SHIPPED / name, out / name)
    (out / "reading.onnx").write_bytes(export.reading(load_file(weights)))
    found = examples(data, permissive=permissive)
    held = [e for e in found if e.part != "train"]
    named = {k: tuple(v) for k, v in layout["heads"].items()}
    words = fit([e for e in found if e.part == "train"], Layout(named), source or published())
    deep, wide = (
        _deep([e.text for e in held], out),
        _wide([e.text for e in held], words, source or published()),
    )
    words = replace(
        words, share=shares(Lines(held, deep).where(_in("tune")), Lines(held, wide).where(_in("tune")), named)
    )
    (out / "ngrams.npz").write_bytes(dump(words))
    lines = Lines(held, deep * (1 - words.share) + wide * words.share)
    heads = calibrated(lines.where(_in("tune")), named)
    tuned = bars(lines.where(_in("tune")), heads)
    heads = replace(heads, sure=tuned["sure"])
    files = PERMISSIVE_FILES if permissive else FILES
    card = {
        "name": "all-MiniLM-L6-v2-int8",
        "dimension": export.WIDTH,
        "emotions": len(EMOTIONS),
        **tuned,
        "heads": {name: _told(head) for name, head in heads.named.items()},
        "sha256": {name: _sha256(out / name) for name in MODEL_FILES},
        "shares": {name: _floats(words.share[head.place]) for name, head in heads.named.items()},
        "recipe": {**layout["recipe"], "permissive": permissive},
        "after": layout.get("after", []),
        "rows": _rows(held),
        "data": {name: _sha256(data / name) for name in files},
        "report": report(lines.where(_in("report")), heads),
        "fidelity": fidelity(weights, lines.where(_in("report")), heads, words, source or published()),
    }
    write(card, out)
    if not permissive:  # what people marked is compared with the finished model
        card["evidence"] = against_people(data, load_encoder(out))
        write(card, out)
    return card


def write(card: Mapping[str, Any], out: Path) -> None:
    """labels.json of the model folder `out`."""
    (out / "labels.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")


def _in(part: Part) -> Callable[[Example], bool]:
    return lambda example: example.part == part


def _deep(texts: Sequence[str], folder: Path) -> Vector:
    """Logits (n, outputs) of the encoder alone; one model a thread, for each remembers its last text."""
    raw, tokenizer = (folder / "reading.onnx").read_bytes(), (folder / "tokenizer.json").read_bytes()
    half = len(texts) // 2

    def read(part: Sequence[str]) -> list[Vector]:
        marks = marker(raw, tokenizer)
        return [marks(text).logits for text in part]

    with ThreadPoolExecutor(2) as pool:
        return np.stack([row for rows in pool.map(read, (texts[:half], texts[half:])) for row in rows])


def _wide(texts: Sequence[str], words: NGrams, source: Path) -> Vector:
    """Logits (n, outputs) of words and pairs alone, over the same windows that the encoder reads."""
    found = []
    for line in tokenised(texts, source, ANY):
        ids = line[1:-1]
        parts = [words.logits(ids[start:end]) for start, end in windows(len(ids), READ_WINDOW, READ_WINDOWS)]
        found.append(np.mean(parts, axis=0))
    return np.stack(found)


# --- what is fitted on the tuning third ---


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

    sure: a feeling may be named. want: a want is taken where the rules heard none. danger: a level is
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
    if "want" in heads.named:
        wanted = tune.where(lambda e: "want" in e.targets)
        likely = heads.named["want"].likely(wanted.logits)
        right = likely.argmax(axis=1) == wanted.truth("want", heads.named["want"].labels)
        top = likely.max(axis=1)
        found["want"] = next(
            (round(float(b), 2) for b in np.arange(0.4, 0.99, 0.01) if _often(right[top >= b], WANTED)), 1.01
        )
    if "danger" in heads.named:
        found["danger"] = _danger_bars(tune, heads.named["danger"])
    return found


def _danger_bars(tune: Lines, head: Choice | Facets) -> dict[Level, float]:
    """For each level from moderate up, the bar that few harmless texts pass.

    Harmless are our own messages of no or low danger, written to be mistaken for more, and the everyday
    texts of other sets: of the one a share HARD may pass, of the other EVERYDAY.
    """
    found: dict[Level, float] = {}
    for number, level in list(enumerate(LEVELS))[2:]:
        bar = CONFIDENT
        for share, keep in ((HARD, _hard), (EVERYDAY, _everyday)):
            calm = tune.where(keep)
            if calm.examples:
                risen = head.likely(calm.logits)[:, number:].sum(axis=1)
                bar = max(bar, float(np.quantile(risen, 1 - share)))
        found[level] = round(bar, 3)
    return found


def _hard(example: Example) -> bool:
    return example.label("danger") in {"none", "low"}


def _everyday(example: Example) -> bool:
    return not example.label("danger") and example.source in {"situations", "turns", "sad"}


def _precise(right: NDArray[np.bool_]) -> bool:
    """Right often enough, one standard error above NAMEABLE, for the tuning thirds are small."""
    return _often(right, NAMEABLE, errors=1.0)


def _often(right: NDArray[np.bool_], bar: float, errors: float = 0.0) -> bool:
    if len(right) < LEAST:
        return False
    share = float(right.mean())
    return bool(share - errors * np.sqrt(share * (1 - share) / len(right)) >= bar)


# --- figures ---


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
            found[name] = {label: _facet(mine, head, label) for label in head.labels}
            continue
        for source, part in _by_source(mine):
            found.setdefault(name, {})[source] = metrics.figures(
                head.likely(part.logits), _labels(part, name), head.labels
            )
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
    weights: Path, lines: Lines, heads: Heads, words: NGrams, source: Path, most: int = 2000
) -> dict[str, dict[str, float]]:
    """int8 against the torch model it was made from, on every k-th line: accuracy of both, agreement."""
    every = max(1, len(lines.examples) // most)
    some = Lines(lines.examples[::every], lines.logits[::every])
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


def _told(head: Choice | Facets) -> dict[str, Any]:
    if isinstance(head, Facets):
        return {"labels": head.labels, "scale": _floats(head.scale), "shift": _floats(head.shift)}
    return {"labels": head.labels, "temperature": head.temperature}


def _floats(values: Vector) -> list[float]:
    return [round(float(value), 4) for value in values]


def _rows(held: Sequence[Example]) -> dict[str, int]:
    names = [f"{e.source}, {e.part}" for e in held]
    return {name: names.count(name) for name in sorted(set(names))}


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
