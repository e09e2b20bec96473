"""How well each authored sentence would suit what was just said, as readers graded it.

A small net over the published encoder's vectors and what the reading heard, fitted to grades of sentences
after a message (`hearken train suits`; agent/train/graded.jsonl): 0 grates, 1 could be said to anybody, 2
a good friend could have said it. Language models in the part of the reader gave them; no person has. One
number a sentence comes of it. It does not know what may be said (truth, freshness and danger are others'
business), and knows no word that it weighs.
"""

import hashlib
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from agent.brief import Reading
from agent.errors import SupporterError
from agent.reading.heads import Heard
from agent.supporter import FILES, Moment, key_of
from agent.themes import is_up

__all__ = [
    "FIX", "KINDS", "WORTH", "Labels", "Layers", "Placed", "Suit", "beside", "dump", "heard", "likely",
    "load_suits", "sentence_side", "table", "worth",
]  # fmt: skip

Vector = NDArray[np.float32]
# The places a sentence may stand at (`agent.responders.replies.placed`).
KINDS = (
    *("heard.back", "heard.say", "heard.ask"),
    *("cue.back", "cue.say", "cue.ask", "told.back", "told.say", "told.ask"),
    *("told.apt", "told.apt_ask", "matter", "matter_ask"),
    *("mirroring", "listening", "invite", "emotion", "perspective", "yielding", "guess"),
)
TONES = ("bright", "plain", "heavy")
ASKS = ("told.ask", "told.apt_ask", "matter_ask", "listening")
# What a sentence is worth that grates, that could be said to anybody, and that a friend could have said.
WORTH = (-0.15, 0.3, 1.0)
# From these probabilities of what it answers a sentence is another matter.
STEPS = (0.2, 0.4, 0.65)
TOGETHER = 3  # of the person's last messages, read as one
FIX = "reinstall hearken, or make it again with `hearken train suits`"


class Placed(NamedTuple):
    """A sentence of ours or its template, where it stands, the telling it answers, its tone ("" for none)."""

    text: str
    kind: str
    telling: str = ""
    tone: str = ""


class Labels(NamedTuple):
    """In which order the reading's probabilities stand among the inputs."""

    emotions: tuple[str, ...]
    tellings: tuple[str, ...]
    wants: tuple[str, ...]
    intents: tuple[str, ...]


@dataclass(frozen=True)
class Layers:
    """All numbers. centre, spread (f,): of what is told `beside`. hidden (f, h), out (h, 2): the plain part.
    asked (m, 2 r) and answered (384, 2 r) map what was said and a sentence to where they can be compared,
    apart for each of two bars; alone (384, 2): what a sentence is worth by itself."""

    centre: Vector
    spread: Vector
    hidden: Vector
    hidden_bias: Vector
    out: Vector
    out_bias: Vector
    asked: Vector
    asked_bias: Vector
    answered: Vector
    answered_bias: Vector
    alone: Vector
    alone_bias: Vector


Suit = Callable[[Moment, Reading], Mapping[str, float]]


def heard(
    moment: Moment, reading: Reading | Heard, labels: Labels, vector: Callable[[str], Vector]
) -> Vector:
    """(m,): the message, it and the ones before as one, and what the reading heard in it."""
    said = moment.said[-TOGETHER:]
    heads = reading["heads"]
    told = (
        (reading["emotions"], labels.emotions),
        (heads.get("telling", []), labels.tellings),
        (heads.get("want", []), labels.wants),
        (heads.get("next_intent", []), labels.intents),
    )
    likely = [{one["label"]: one["p"] for one in scores} for scores, _ in told]
    chances = [found.get(name, 0.0) for found, (_, names) in zip(likely, told, strict=True) for name in names]
    return np.concatenate([vector(said[-1]), vector("\n".join(said)), chances]).astype(np.float32)


class Table(NamedTuple):
    """What can be told of sentences once and for all, a row each: place (n, KINDS), tone (n, TONES), whether
    it asks and its words / 12 (n,), and the number of its telling among `tellings`."""

    kinds: Vector
    tones: Vector
    asks: Vector
    length: Vector
    telling: NDArray[np.int64]
    tellings: tuple[str, ...]
    bright: frozenset[str]

    def only(self, rows: Sequence[int]) -> "Table":
        """The table of some of its sentences."""
        return self._replace(
            kinds=self.kinds[rows],
            tones=self.tones[rows],
            asks=self.asks[rows],
            length=self.length[rows],
            telling=self.telling[rows],
        )


def table(sentences: Sequence[Placed]) -> Table:
    """The table of some sentences."""
    tellings = tuple(dict.fromkeys(one.telling for one in sentences))
    return Table(
        kinds=np.array([[one.kind == kind for kind in KINDS] for one in sentences], dtype=np.float32),
        tones=np.array([[one.tone == tone for tone in TONES] for one in sentences], dtype=np.float32),
        asks=np.array(["?" in one.text for one in sentences], dtype=np.float32),
        length=np.array([len(one.text.split()) / 12 for one in sentences], dtype=np.float32),
        telling=np.array([tellings.index(one.telling) for one in sentences]),
        tellings=tellings,
        bright=frozenset(one.telling for one in sentences if one.tone == "bright") - {""},
    )


def beside(moment: Moment, reading: Reading | Heard, of: Table) -> Vector:
    """(n, f): what can be told of each sentence and of the message without their vectors."""
    message = moment.said[-1]
    words, before = len(message.split()), min(len(moment.said) - 1, TOGETHER - 1)
    asked = float(bool(moment.deeds) and "asked" in moment.deeds[0])
    chances = {one["label"]: one["p"] for one in reading["heads"].get("telling", [])}
    glad = sum(chances.get(name, 0.0) for name in of.bright)
    up = sum(one["p"] for one in reading["emotions"] if is_up(one["label"]))
    p = np.array([chances.get(name, 0.0) for name in of.tellings], dtype=np.float32)[of.telling]
    mirrors = of.kinds[:, KINDS.index("mirroring")]
    puts = of.kinds[:, [KINDS.index(kind) for kind in ASKS]].sum(axis=1)
    said = [words / 30, words < 4, words < 8, words > 25, "?" in message, before > 0]
    columns = [p, np.sqrt(p), *(p > step for step in STEPS), *(np.full(len(p), one) for one in said)]
    columns += [of.asks, of.length, of.asks * asked, of.asks * before / 2]
    columns += [puts * (words < 6), mirrors * (words < 6), mirrors * (words > 15)]
    columns += [tone * mood for tone in of.tones.T for mood in (1, glad, up)]
    return np.column_stack([of.kinds, *columns]).astype(np.float32)


def sentence_side(vectors: Vector, layers: Layers) -> Vector:
    """(n, 2 r + 2): what a sentence brings, from its vector (n, 384)."""
    where = vectors @ layers.answered + layers.answered_bias
    return np.concatenate([where, vectors @ layers.alone + layers.alone_bias], axis=1)


def likely(layers: Layers, said: Vector, told: Vector, bank: Vector) -> Vector:
    """(n, 2): the chances of grade 1 or 2, and of 2. said (m,), told (n, f), bank (n, 2 r + 2)."""
    hidden = np.maximum((told - layers.centre) / layers.spread @ layers.hidden + layers.hidden_bias, 0)
    where = said @ layers.asked + layers.asked_bias
    fits = (bank[:, :-2] * where).reshape(len(bank), 2, -1).sum(axis=2)
    logits = hidden @ layers.out + layers.out_bias + fits + bank[:, -2:]
    chances: Vector = np.reciprocal(1 + np.exp(-logits), dtype=np.float32)
    return chances


def worth(chances: Vector) -> Vector:
    """(n,): what is to be expected of each sentence, in WORTH."""
    some, best = chances[:, 0], np.minimum(chances[:, 1], chances[:, 0])
    grades = np.stack([1 - some, some - best, best], axis=1)
    found: Vector = grades @ np.array(WORTH, dtype=np.float32)
    return found


def dump(layers: Layers, keys: Sequence[int], bank: Vector) -> bytes:
    """The file of the layers and of what the sentences bring, in half precision."""
    arrays = {name: values.astype(np.float16) for name, values in {**vars(layers), "bank": bank}.items()}
    raw = io.BytesIO()
    np.savez_compressed(raw, allow_pickle=False, keys=np.array(keys, dtype=np.uint64), **arrays)
    return raw.getvalue()


def load_suits(
    vector: Callable[[str], Vector],
    sentences: Sequence[Placed],
    folder: Path = FILES,
    encoder: str = "",
    called: Callable[[str], Iterable[str]] | None = None,
) -> Suit:
    """The net in `folder` over an encoder's `vector`, and the sentences that it may weigh.

    What they bring ships with it; of sentences that changed since it is made here, once. encoder: its name,
    which must be the one the net was made with. called: of the sentences that answer particular words, those
    that a message calls for; the others are not weighed. Raises SupporterError.
    """
    told, layers, known = _read(folder)
    if encoder and told["encoder"] != encoder:
        raise SupporterError(f"{folder} was made with another encoder than {encoder}: {FIX}.")
    labels = Labels(*(tuple(told["labels"][name]) for name in Labels._fields))
    fresh = [one.text for one in sentences if key_of(one.text) not in known]
    if fresh:
        made = sentence_side(np.stack([vector(text) for text in fresh]), layers)
        known |= {key_of(text): row for text, row in zip(fresh, made, strict=True)}
    bank, of = np.stack([known[key_of(one.text)] for one in sentences]), table(sentences)
    places = {one.text: place for place, one in enumerate(sentences)}
    bound = ("heard.", "cue.") if called else ()
    ever = [place for place, one in enumerate(sentences) if not one.kind.startswith(bound)]

    def suit(moment: Moment, reading: Reading) -> dict[str, float]:
        now = called(moment.said[-1]) if called else ()
        rows = [*ever, *(places[text] for text in dict.fromkeys(now) if text in places)]
        said = heard(moment, reading, labels, vector)
        found = worth(likely(layers, said, beside(moment, reading, of.only(rows)), bank[rows]))
        return dict(zip((sentences[row].text for row in rows), map(float, found), strict=True))

    return suit


def _read(folder: Path) -> tuple[dict[str, Any], Layers, dict[int, Vector]]:
    """Card, layers, and key -> what a sentence brings; SupporterError when they are not whole."""
    try:
        told = json.loads((folder / "suits.json").read_text("utf-8"))
        raw = (folder / "suits.npz").read_bytes()
        if hashlib.sha256(raw).hexdigest() != told["sha256"]:
            raise SupporterError(f"{folder / 'suits.npz'} is not what suits.json was written for: {FIX}.")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            whole = {name: arrays[name].astype(np.float32) for name in arrays if name != "keys"}
            bank = whole.pop("bank")
            return told, Layers(**whole), dict(zip(arrays["keys"].tolist(), bank, strict=True))
    except (OSError, ValueError, KeyError, TypeError, BadZipFile, EOFError) as error:
        raise SupporterError(f"{folder} holds no usable model of what suits: {FIX}.") from error
