"""From trained weights to the files that ship: reading.onnx, labels.json, MODEL_CARD.md.

Held-out texts are read by the int8 model one at a time, as at run time. Their `tune` third fits
temperatures (Guo et al., ICML 2017), the facets' logistic curves (Platt, 1999) and every bar; their
`report` part gives the figures, and is compared with the torch model the int8 one was made from.
Knows nothing of how the weights came about. Writes figures, hashes and labels, never a text.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file

from agent.evaluate.evidence import against_people
from agent.reading.encoder import READ_WINDOW, READ_WINDOWS, Encoder, load_encoder, marker
from agent.reading.forward_pass import Shared, shared, windows
from agent.reading.heads import Choice, Facets, Heads
from agent.reading.ngrams import NGrams, dump
from agent.train import card as cards
from agent.train import export
from agent.train.calibrate import Lines, bars, calibrated, shares
from agent.train.calm import alarming, with_calm
from agent.train.data import Example, Part, examples
from agent.train.figures import fidelity, report
from agent.train.labels import EMOTIONS
from agent.train.model import Layout, published, tokenised
from agent.train.ngrams import fit
from agent.train.sets import FILES, PERMISSIVE_FILES

__all__ = ["closed", "common_of", "floats", "in_part", "opened", "sha256", "ship", "told", "write"]

SHIPPED = Path(__file__).parents[1] / "reading" / "model"
MODEL_FILES = ("encoder.onnx", "reading.onnx", "ngrams.npz", "tokenizer.json", "words.npz")
ANY = 10**6  # tokens; a text is not cut
Vector = NDArray[np.float32]


def ship(
    weights: Path, data: Path, out: Path, *, permissive: bool = False, source: Path | None = None
) -> dict[str, Any]:
    """Write the model folder `out` from `weights` and the held-out parts of `data`; returns labels.json.

    source: the published model the weights began as. Some ten minutes on two cores. Raises DataError
    as `agent.train.data.examples` does.
    """
    layout = json.loads(weights.with_name("layout.json").read_text("utf-8"))
    out.mkdir(parents=True, exist_ok=True)
    for name in ("encoder.onnx", "tokenizer.json", "words.npz", "LICENSE-weights.txt"):
        if not (out / name).exists():
            shutil.copy(SHIPPED / name, out / name)
    (out / "reading.onnx").write_bytes(export.reading(load_file(weights)))
    found = with_calm(examples(data, permissive=permissive), alarming)
    held = [e for e in found if e.part != "train"]
    named = {k: tuple(v) for k, v in layout["heads"].items()}
    words = fit([e for e in found if e.part == "train"], Layout(named), source or published())
    deep, wide = (
        _deep([e.text for e in held], out),
        _wide([e.text for e in held], words, source or published()),
    )
    words = replace(
        words,
        share=shares(
            Lines(held, deep).where(in_part("tune")), Lines(held, wide).where(in_part("tune")), named
        ),
    )
    (out / "ngrams.npz").write_bytes(dump(words))
    lines = Lines(held, deep * (1 - words.share) + wide * words.share)
    heads = calibrated(lines.where(in_part("tune")), named)
    tuned = bars(lines.where(in_part("tune")), heads)
    heads = replace(heads, sure=tuned["sure"])
    files = PERMISSIVE_FILES if permissive else FILES
    card = {
        "name": "all-MiniLM-L6-v2-int8",
        "dimension": export.WIDTH,
        "emotions": len(EMOTIONS),
        **tuned,
        "sha256": {name: sha256(out / name) for name in MODEL_FILES},
        "shares": {name: floats(words.share[head.place]) for name, head in heads.named.items()},
        "recipe": {**layout["recipe"], "permissive": permissive},
        "after": layout.get("after", []),
        "data": {name: sha256(data / name) for name in files},
        **told(lines, heads),
        "fidelity": fidelity(weights, lines.where(in_part("report")), heads, words, source or published()),
    }
    write(card, out)
    if not permissive:  # what people marked is compared with the finished model
        card["evidence"] = against_people(data, load_encoder(out))
        write(card, out)
    return card


def told(lines: Lines, heads: Heads) -> dict[str, Any]:
    """What labels.json says of heads, and of how they do on the held-out lines."""
    return {
        "heads": {name: _head(head) for name, head in heads.named.items()},
        "rows": _rows(lines.examples),
        "report": report(lines.where(in_part("report")), heads),
    }


def write(card: Mapping[str, Any], out: Path) -> None:
    """labels.json of the model folder `out`."""
    (out / "labels.json").write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n", "utf-8")


def opened(out: Path, file: str) -> tuple[dict[str, Any], Encoder]:
    """labels.json of the model folder `out`, and its model, both without `file`, which is to be made anew."""
    card: dict[str, Any] = json.loads((out / "labels.json").read_text("utf-8"))
    card["sha256"].pop(file, None)
    write(card, out)
    load_encoder.cache_clear()
    return card, load_encoder(out)


def closed(card: dict[str, Any], data: Path, out: Path, file: str) -> dict[str, Any]:
    """Write labels.json and the card of `out`, to which `file` was added; returns labels.json."""
    card["sha256"][file] = sha256(out / file)
    card["data"] = {name: sha256(data / name) for name in card["data"]}
    write(card, out)
    load_encoder.cache_clear()
    (out / "MODEL_CARD.md").write_text(cards.render(card), "utf-8")
    return card


def in_part(part: Part) -> Callable[[Example], bool]:
    return lambda example: example.part == part


def _deep(texts: Sequence[str], folder: Path) -> Vector:
    """Logits (n, outputs) of the encoder alone."""
    model, common = (folder / "reading.onnx").read_bytes(), common_of(folder)
    half = len(texts) // 2

    def read(part: Sequence[str]) -> list[Vector]:
        marks = marker(model, common)
        return [marks([text])[0].logits for text in part]

    with ThreadPoolExecutor(2) as pool:
        return np.stack([row for rows in pool.map(read, (texts[:half], texts[half:])) for row in rows])


def common_of(folder: Path) -> Shared:
    """What the models of a folder read with."""
    return shared((folder / "tokenizer.json").read_bytes(), (folder / "words.npz").read_bytes())


def _wide(texts: Sequence[str], words: NGrams, source: Path) -> Vector:
    """Logits (n, outputs) of words and pairs alone, over the same windows that the encoder reads."""
    found = []
    for line in tokenised(texts, source, ANY):
        ids = line[1:-1]
        parts = [words.logits(ids[start:end]) for start, end in windows(len(ids), READ_WINDOW, READ_WINDOWS)]
        found.append(np.mean(parts, axis=0))
    return np.stack(found)


def _head(head: Choice | Facets) -> dict[str, Any]:
    if isinstance(head, Facets):
        return {"labels": head.labels, "scale": floats(head.scale), "shift": floats(head.shift)}
    return {"labels": head.labels, "temperature": head.temperature}


def floats(values: Vector) -> list[float]:
    return [round(float(value), 4) for value in values]


def _rows(held: Sequence[Example]) -> dict[str, int]:
    names = [f"{e.source}, {e.part}" for e in held]
    return {name: names.count(name) for name in sorted(set(names))}


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
