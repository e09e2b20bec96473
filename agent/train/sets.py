"""Public data sets, each format read into the same rows: a text and its labels.

Human labels are used where they exist, IMHI's only for DR. Knows nothing of splits, models or tokens.
Never prints a text.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.tables import grouped as _by
from agent.tables import known as _known
from agent.tables import lines, prompt
from agent.tables import objects as _jsonl
from agent.tables import rows as _csv
from agent.train.labels import (
    CSSRS,
    DEPRESSION_CAUSES,
    EMOTIONS,
    FACETS,
    HEADS,
    INTENTS,
    STRATEGIES,
    STRESS_CAUSES,
    WELLNESS,
)

__all__ = [
    "FILES",
    "PERMISSIVE",
    "PERMISSIVE_FILES",
    "READERS",
    "Row",
    "Targets",
    "hashed",
    "key",
]

Targets = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Row:
    text: str
    source: str
    targets: Targets
    group: str = ""  # what must stay together; the normalised text where nothing else must
    held: bool | None = None  # what the set's own parts say; None where it has none


Reader = Callable[[Path], Iterator[Row]]


# --- EmpatheticDialogues and what was made of it: the situation's text is the group everywhere ---


def _situations(data: Path) -> Iterator[Row]:
    for name, held in (("train", False), ("valid", True)):
        for row in _csv(data / f"empathetic_intents/{name}.csv", "label", "text"):
            label = _known(row["label"].lower(), EMOTIONS + INTENTS, data / f"empathetic_intents/{name}.csv")
            targets = {"expressed": {label: 1.0}}
            if label in EMOTIONS and label not in NEAR_LONELY:
                targets["facets"] = {"loneliness": float(label == "lonely")}
            yield Row(row["text"], "situations" if label in EMOTIONS else "intents", targets, held=held)


# A sad text may well be lonely too: such labels say nothing against loneliness.
NEAR_LONELY = frozenset({"sad", "devastated", "sentimental", "nostalgic", "disappointed"})


def _conversations(data: Path) -> Iterator[Row]:
    """Two views a conversation: all the speaker's turns; and those before one listener turn."""
    for name, held in (("train", False), ("valid", True)):
        path = data / f"empathetic_dialogues/{name}.csv"
        for turns in _by(
            _csv(path, "conv_id", "context", "prompt", "role", "utterance", "auto_intent"), "conv_id"
        ):
            group = key(turns[0]["prompt"])
            feeling = {"expressed": {_known(turns[0]["context"], EMOTIONS, path): 1.0}}
            spoken = [turn["utterance"] for turn in turns if turn["role"] == "speaker"]
            yield Row(" ".join(spoken), "conversations", feeling, group, held)
            answers = [
                i
                for i, turn in enumerate(turns)
                if turn["role"] == "listener" and turn["auto_intent"] in INTENTS
            ]
            if not answers:
                continue
            at = answers[hashed(group, "turn") % len(answers)]
            before = [turn["utterance"] for turn in turns[:at] if turn["role"] == "speaker"]
            if before:
                targets = {**feeling, "next_intent": {turns[at]["auto_intent"]: 1.0}}
                yield Row(" ".join(before), "turns", targets, group, held)


def _films(data: Path) -> Iterator[Row]:
    """EDOS: the last line with the three workers' votes as shares, and what it answers."""
    workers = ("Worker 1 answer", "Worker 2 answer", "Worker 3 answer")
    for row in _csv(data / "edos/groundtruth.csv", "Dialog", *workers):
        *before, last = row["Dialog"].strip().split("\n")
        votes = [
            vote for vote in (row[name].strip().lower() for name in workers) if vote in HEADS["expressed"]
        ]
        if not votes:
            continue
        group = key(last)
        yield Row(last, "films", {"expressed": _shares(votes)}, group)
        agreed = [vote for vote in votes if vote in INTENTS and votes.count(vote) > 1]
        if before and agreed:
            yield Row(" ".join(before[-2:]), "film answers", {"next_intent": {agreed[0]: 1.0}}, group)


def _support(data: Path) -> Iterator[Row]:
    """ESConv: what the seeker said since the supporter last spoke -> the supporter's strategy."""
    for name, held in (("train", False), ("valid", True)):
        for number, line in enumerate(_jsonl(data / f"esconv/{name}.jsonl", "dialog")):
            said: list[str] = []
            for turn in line["dialog"]:
                if turn["speaker"] == "usr":
                    said.append(turn["text"].strip())
                    continue
                intent = STRATEGIES.get(turn.get("strategy", ""))
                if said and intent:
                    yield Row(
                        " ".join(said),
                        "support talks",
                        {"next_intent": {intent: 1.0}},
                        f"esconv {name} {number}",
                        held,
                    )
                said = []


# --- IMHI's sets, by their human labels ---


def _stress(data: Path) -> Iterator[Row]:
    for row in _csv(data / "human_labels/dreaddit.csv", "text", "label"):
        yield Row(row["text"], "dreaddit", {"facets": {"stress": float(row["label"] == "1")}})


def _interpersonal(data: Path) -> Iterator[Row]:
    path = data / "human_labels/irf.csv"
    for row in _csv(path, "split", "risk", "post", "label"):
        facet = _known(row["risk"], FACETS, path)
        yield Row(
            row["post"], "irf", {"facets": {facet: float(row["label"] == "1")}}, held=row["split"] == "val"
        )


def _wellness(data: Path) -> Iterator[Row]:
    path = data / "human_labels/multiwd.csv"
    for row in _csv(path, "dimension", "post", "label"):
        facet = f"{_known(row['dimension'], WELLNESS, path)} wellness"
        yield Row(row["post"], "multiwd", {"facets": {facet: float(row["label"] == "1")}})


def _causes(data: Path) -> Iterator[Row]:
    for name, column in (("cams_added", "cause"), ("cams_sdcnl", "ANNOTATIONS")):
        for row in _csv(data / f"human_labels/{name}.csv", "selftext", column):
            if row[column].strip():
                cause = DEPRESSION_CAUSES[int(float(row[column]))]
                yield Row(row["selftext"], "cams", {"depression_cause": {cause: 1.0}})


VOTES = 0.25  # how much of a stress cause's target is the five raters' votes, the rest its given label


def _stressors(data: Path) -> Iterator[Row]:
    """SAD by its original label, which is the one IMHI asks for; the votes soften it."""
    path = data / "human_labels/sad.csv"
    held = {key(_post(row["query"])) for row in _csv(data / "imhi/SAD/val.csv", "query")}
    for row in _csv(path, "sentence", "original_label", *STRESS_CAUSES):
        given = STRESS_CAUSES[_known(row["original_label"], tuple(STRESS_CAUSES), path)]
        votes = {label: max(0.0, float(row[name] or 0)) for name, label in STRESS_CAUSES.items()}
        total = sum(votes.values())
        shares = {label: VOTES * count / total for label, count in votes.items() if count} if total else {}
        shares[given] = shares.get(given, 0.0) + 1 - sum(shares.values())
        yield Row(row["sentence"], "sad", {"stress_cause": shares}, held=key(row["sentence"]) in held)


def _depression(data: Path) -> Iterator[Row]:
    """DR has no other labels than IMHI's answers."""
    for name, held in (("train", False), ("val", True)):
        for row in _csv(data / f"imhi/DR/{name}.csv", "query", "gpt-3.5-turbo"):
            yes = float(row["gpt-3.5-turbo"].strip().lower().startswith("yes"))
            yield Row(_post(row["query"]), "dr", {"facets": {"depression": yes}}, held=held)


def _severity(data: Path) -> Iterator[Row]:
    path = data / "risk/cssrs_posts.csv"
    for row in _csv(path, "sheet", "post", "label"):
        label = _known(row["label"], CSSRS, path)
        yield Row(row["post"], "cssrs", {"cssrs": {label: 1.0}}, f"cssrs {row['sheet']}")


# GoEmotions' labels that have a plain counterpart among ours.
GOEMOTIONS = {
    "admiration": "impressed", "anger": "angry", "annoyance": "annoyed", "approval": "agreeing",
    "caring": "caring", "curiosity": "questioning", "disappointment": "disappointed",
    "disgust": "disgusted", "embarrassment": "embarrassed", "excitement": "excited", "fear": "afraid",
    "gratitude": "grateful", "grief": "devastated", "joy": "joyful", "nervousness": "anxious",
    "neutral": "neutral", "optimism": "hopeful", "pride": "proud", "remorse": "guilty",
    "sadness": "sad", "surprise": "surprised",
}  # fmt: skip
MOST_OF_ONE = 400  # lines of one GoEmotions label; two thirds of the set are neutral or admiration


def _comments(data: Path) -> Iterator[Row]:
    names = [line.strip() for line in lines(data / "goemotions/labels.txt")]
    for name, held in (("train", False), ("dev", True)):
        taken: dict[str, int] = {}
        for row in _csv(data / f"goemotions/{name}.csv", "text", "labels"):
            label = GOEMOTIONS.get(names[int(row["labels"])]) if row["labels"].isdigit() else None
            if label and taken.get(label, 0) < MOST_OF_ONE:
                taken[label] = taken.get(label, 0) + 1
                yield Row(row["text"], "comments", {"expressed": {label: 1.0}}, held=held)


READERS: Mapping[str, Reader] = {
    "situations": _situations,
    "conversations": _conversations,
    "films": _films,
    "support": _support,
    "stress": _stress,
    "interpersonal": _interpersonal,
    "wellness": _wellness,
    "causes": _causes,
    "stressors": _stressors,
    "depression": _depression,
    "severity": _severity,
}
# Sets whose licence allows general use: EDOS (CC BY 4.0), GoEmotions (Apache-2.0), dreaddit and SAD
# (MIT), beside what was written for this project. GoEmotions stands in for EmpatheticDialogues there.
PERMISSIVE: Mapping[str, Reader] = {
    "films": _films,
    "comments": _comments,
    "stress": _stress,
    "stressors": _stressors,
}
# What the recipes read, for the hashes in labels.json.
FILES = (
    *("empathetic_intents/train.csv", "empathetic_intents/valid.csv"),
    *("empathetic_dialogues/train.csv", "empathetic_dialogues/valid.csv"),
    *("edos/groundtruth.csv", "esconv/train.jsonl", "esconv/valid.jsonl"),
    *("human_labels/dreaddit.csv", "human_labels/irf.csv", "human_labels/multiwd.csv"),
    *("human_labels/cams_added.csv", "human_labels/cams_sdcnl.csv", "human_labels/sad.csv"),
    *("imhi/SAD/val.csv", "imhi/DR/train.csv", "imhi/DR/val.csv", "risk/cssrs_posts.csv"),
)
PERMISSIVE_FILES = (
    *("edos/groundtruth.csv", "goemotions/train.csv", "goemotions/dev.csv", "goemotions/labels.txt"),
    *("human_labels/dreaddit.csv", "human_labels/sad.csv", "imhi/SAD/val.csv"),
)


# --- small parts ---


def _post(query: str) -> str:
    """The post inside IMHI's prompt."""
    return prompt(query)[0]


def _shares(votes: Sequence[str]) -> dict[str, float]:
    return {vote: votes.count(vote) / len(votes) for vote in dict.fromkeys(votes)}


def key(text: str) -> str:
    """A text without case and punctuation: what makes two texts the same."""
    return " ".join(re.findall(r"\w+", text.lower()))


def hashed(name: str, salt: str) -> int:
    """The same number for the same name, on every machine."""
    return int.from_bytes(hashlib.sha256(f"{salt}:{name}".encode()).digest()[:4], "big")
