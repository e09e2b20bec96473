"""How people who support others went on from a moment like this: what they did next, and which words fit.

Two small nets over the published encoder's vectors, trained on conversations between volunteers
(`hearken train plan`; agent/train/LOG.md has how well). One tells how likely each of ESConv's eight
strategies (Liu et al., 2021) is, the other how well each authored sentence answers what was said. It
knows nothing of danger, of wishes, or of what a plan makes of it. No text is kept: vectors of messages
stand in memory under a salted hash.
"""

import hashlib
import io
import json
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypedDict
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from agent.errors import SupporterError

__all__ = [
    "DEEDS", "FILES", "STAGES", "STRATEGIES", "Chances", "Fit", "Foresee", "Moment", "Nets", "Stage",
    "Supporter", "bank_of", "chances", "context", "deeds_of", "dump", "features", "key_of", "load_nets",
    "load_supporter", "stage_chances", "unit",
]  # fmt: skip

Stage = Literal["explore", "comfort", "act"]
Vector = NDArray[np.float32]
# ESConv's eight, in its own words. "Others" is small talk and courtesy, which belongs to no stage.
STRATEGIES = (
    *("Question", "Restatement or Paraphrasing", "Reflection of feelings", "Self-disclosure"),
    *("Affirmation and Reassurance", "Providing Suggestions", "Information", "Others"),
)
STAGES: Mapping[Stage, tuple[str, ...]] = {
    "explore": ("Question", "Restatement or Paraphrasing"),
    "comfort": ("Reflection of feelings", "Self-disclosure", "Affirmation and Reassurance"),
    "act": ("Providing Suggestions", "Information"),
}
# What is remembered of an earlier reply: it asked, it comforted, it put an idea. A plan tells no more.
DEEDS = ("asked", "comforted", "offered")
DEED_OF = {
    "Question": "asked",
    **dict.fromkeys(("Restatement or Paraphrasing", *STAGES["comfort"]), "comforted"),
    **dict.fromkeys(STAGES["act"], "offered"),
}
FILES = Path(__file__).parent / "supporter_model"
FIX = "reinstall hearken, or make it again with `hearken train plan`"
TURNS = (1, 2, 3, 4, 6, 9, 13)  # from which message of the person on a place in the conversation begins
REMEMBERED = 64  # vectors of messages


class Moment(NamedTuple):
    """Where a conversation stands before a reply.

    said: the person's last messages, oldest first, at most four. turns: how many there were in all.
    deeds: of our last two replies, newest first, which of DEEDS they held. now: strategies already used
    since the last message (people often write several lines; a reply of ours is one).
    """

    said: tuple[str, ...]
    turns: int
    deeds: tuple[frozenset[str], ...] = ()
    now: tuple[str, ...] = ()


class Chances(TypedDict):
    """Probability of each strategy: to be the next one, and to stand anywhere in the whole reply."""

    next: dict[str, float]
    reply: dict[str, float]


Foresee = Callable[[Moment], Chances]
Fit = Callable[[Moment], Mapping[str, float]]  # authored text -> how well it answers; more is better


def deeds_of(strategies: Iterable[str]) -> frozenset[str]:
    """Which of DEEDS a reply with these strategies held."""
    return frozenset(DEED_OF[name] for name in strategies if name in DEED_OF)


def stage_chances(told: Mapping[str, float]) -> dict[Stage, float]:
    """Probability of each stage, from those of the strategies; what belongs to no stage is left out."""
    sums = {stage: sum(told[name] for name in names) for stage, names in STAGES.items()}
    whole = sum(sums.values()) or 1.0
    return {stage: value / whole for stage, value in sums.items()}


@dataclass(frozen=True)
class Nets:
    """All numbers. hidden (inputs, h) and out (h, 16) tell strategies; asked and answered map what was
    said (768, d) and a sentence (384, d) to where they can be compared; usual (d,): where what is said
    stands on average, for a sentence that fits everything fits nothing in particular."""

    hidden: Vector
    hidden_bias: Vector
    out: Vector
    out_bias: Vector
    asked: Vector
    answered: Vector
    usual: Vector


class Supporter(NamedTuple):
    """What a turn may ask. told: the card of the model: labels, figures, hashes."""

    foresee: Foresee
    fit: Fit
    told: dict[str, Any]


def features(moment: Moment, vector: Callable[[str], Vector]) -> Vector:
    """The inputs (n,) of the strategy net."""
    message = moment.said[-1] if moment.said else ""
    words = message.split()
    place = np.zeros(len(TURNS), dtype=np.float32)
    place[max(sum(moment.turns >= start for start in TURNS) - 1, 0)] = 1
    deeds, asked = [*moment.deeds[:2], frozenset(), frozenset()][:2]
    before = [*(float(deed in deeds) for deed in DEEDS), float("asked" in asked)]
    now = [float(name in moment.now) for name in STRATEGIES]
    last = [float(moment.now[-1:] == (name,)) for name in STRATEGIES]
    surface = [
        np.log1p(len(words)) / 4, "?" in message, len(words) < 4, moment.turns == 0, len(moment.now[:4]) / 4
    ]  # fmt: skip
    told = np.array([*place, *before, *now, *last, *surface], dtype=np.float32)
    return np.concatenate([context(moment, vector), told])


def context(moment: Moment, vector: Callable[[str], Vector]) -> Vector:
    """(768,): the last message, and the mean of those before it."""
    vectors = [vector(text) for text in moment.said]  # the last one last: retrieval asks for it next
    none = np.zeros(384, dtype=np.float32)
    earlier: Vector = np.mean(vectors[:-1], axis=0) if len(vectors) > 1 else none
    return np.concatenate([vectors[-1] if vectors else none, earlier]).astype(np.float32)


def chances(nets: Nets, inputs: Vector) -> tuple[Vector, Vector]:
    """Of inputs (..., n), the chances (..., 8) to be next and to stand anywhere in the reply."""
    hidden = np.maximum(inputs @ nets.hidden + nets.hidden_bias, 0)
    logits = hidden @ nets.out + nets.out_bias
    nexts = np.exp(logits[..., :8] - logits[..., :8].max(axis=-1, keepdims=True))
    return nexts / nexts.sum(axis=-1, keepdims=True), 1 / (1 + np.exp(-logits[..., 8:]))


def unit(vectors: Vector) -> Vector:
    """The vectors (..., n) at length one."""
    long: Vector = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), np.float32(1e-9))
    return long


def key_of(text: str) -> int:
    """By what a sentence is found in the shipped bank."""
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest()[:8], "big")


def bank_of(texts: Sequence[str], nets: Nets, vector: Callable[[str], Vector]) -> Vector:
    """(n, d): where the sentences stand."""
    return unit(np.stack([vector(text) for text in texts]) @ nets.answered)


def load_supporter(
    vector: Callable[[str], Vector], texts: Sequence[str], folder: Path = FILES, encoder: str = ""
) -> Supporter:
    """The model in `folder` over an encoder's `vector`, and `texts`, the sentences that it may weigh.

    Vectors of the sentences ship with it; those of sentences that changed since are made here, once.
    encoder: its name, which must be the one that the model was made with. Raises SupporterError.
    """
    told, nets, keys, shipped = _read(folder)
    if encoder and told.get("encoder") != encoder:
        raise SupporterError(f"{folder} was made with another encoder than {encoder}: {FIX}.")
    found = dict(zip(keys.tolist(), shipped, strict=True))
    fresh = [text for text in texts if key_of(text) not in found]
    if fresh:
        made = bank_of(fresh, nets, vector)
        found |= {key_of(text): row for text, row in zip(fresh, made, strict=True)}
    bank = np.stack([found[key_of(text)] for text in texts])
    recalled = _recalled(vector)

    def foresee(moment: Moment) -> Chances:
        nexts, reply = chances(nets, features(moment, recalled))
        return {
            "next": dict(zip(STRATEGIES, map(float, nexts), strict=True)),
            "reply": dict(zip(STRATEGIES, map(float, reply), strict=True)),
        }

    def fit(moment: Moment) -> dict[str, float]:
        scores = bank @ (unit(context(moment, recalled) @ nets.asked) - nets.usual)
        return dict(zip(texts, map(float, scores), strict=True))

    return Supporter(foresee, fit, told)


def load_nets(folder: Path = FILES) -> Nets:
    """The nets alone. Raises SupporterError."""
    return _read(folder)[1]


def _recalled(vector: Callable[[str], Vector]) -> Callable[[str], Vector]:
    """`vector`, remembering its last results: every turn asks for the messages before once more."""
    known: OrderedDict[int, Vector] = OrderedDict()

    def recalled(text: str) -> Vector:
        key = hash(text)
        found = known.pop(key, None)
        known[key] = found = vector(text) if found is None else found
        while len(known) > REMEMBERED:
            known.popitem(last=False)
        return found

    return recalled


def dump(nets: Nets, keys: Sequence[int], bank: Vector) -> bytes:
    """The file of the nets and the sentences' vectors: whole numbers of eight bits, a scale a column."""
    arrays: dict[str, NDArray[np.generic]] = {"keys": np.array(keys, dtype=np.uint64)}
    for name, values in {**vars(nets), "bank": bank}.items():
        if values.ndim == 1:
            arrays[name] = values.astype(np.float32)
            continue
        scale = np.maximum(np.abs(values).max(axis=0), 1e-9).astype(np.float32) / 127
        arrays |= {name: np.round(values / scale).astype(np.int8), f"{name}_scale": scale}
    raw = io.BytesIO()
    np.savez_compressed(raw, allow_pickle=False, **arrays)
    return raw.getvalue()


def _read(folder: Path) -> tuple[dict[str, Any], Nets, NDArray[np.uint64], Vector]:
    """Card, nets, keys and vectors of the sentences; SupporterError when they are not whole."""
    try:
        told = json.loads((folder / "plan.json").read_text("utf-8"))
        raw = (folder / "plan.npz").read_bytes()
        if hashlib.sha256(raw).hexdigest() != told["sha256"] or tuple(told["labels"]) != STRATEGIES:
            raise SupporterError(f"{folder / 'plan.npz'} is not what plan.json was written for: {FIX}.")
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            whole = {
                name: arrays[name].astype(np.float32) * arrays.get(f"{name}_scale", np.float32(1))
                for name in arrays
                if name != "keys" and not name.endswith("_scale")
            }
            bank = whole.pop("bank")
            return told, Nets(**whole), arrays["keys"], bank
    except (OSError, ValueError, KeyError, TypeError, BadZipFile, EOFError) as error:
        raise SupporterError(f"{folder} holds no usable model of replies: {FIX}.") from error
