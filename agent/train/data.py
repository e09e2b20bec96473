"""The labelled texts the reading encoder learns from: public formats -> one list of examples.

A text that stands in several sets becomes one example with the labels of all, and lies on one side
of one split: held out when any set's own validation part holds it, or, where a set has none, by the
hash of its group (a conversation, a person, else the normalised text). Human labels are used where
they exist, IMHI's only for DR. Knows nothing of models or tokens. Never prints a text.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import DataError
from agent.reading.ladder import KINDS, LEVELS, Kind
from agent.tables import grouped as _by
from agent.tables import known as _known
from agent.tables import lines, prompt
from agent.tables import objects as _jsonl
from agent.tables import rows as _csv

__all__ = ["EMOTIONS", "FILES", "HEADS", "INTENTS", "PERMISSIVE", "Example", "Part", "examples", "own_rows"]

EMOTIONS = (
    *("afraid", "angry", "annoyed", "anticipating", "anxious", "apprehensive", "ashamed", "caring"),
    *("confident", "content", "devastated", "disappointed", "disgusted", "embarrassed", "excited"),
    *("faithful", "furious", "grateful", "guilty", "hopeful", "impressed", "jealous", "joyful"),
    *("lonely", "nostalgic", "prepared", "proud", "sad", "sentimental", "surprised", "terrified"),
    "trusting",
)
INTENTS = (
    *("agreeing", "acknowledging", "encouraging", "consoling", "sympathizing"),
    *("suggesting", "questioning", "wishing", "neutral"),
)
WANTS = (
    *("vent", "advice", "information", "greeting", "thanks"),
    *("goodbye", "complaint", "identity", "off_topic"),
)
WELLNESS = ("physical", "intellectual", "vocational", "social", "spiritual", "emotional")
FACETS = (
    *("depression", "stress", "loneliness", "thwarted belongingness", "perceived burdensomeness"),
    *(f"{dimension} wellness" for dimension in WELLNESS),
)
STRESS_CAUSES = {  # the SAD data's words -> IMHI's
    "Work": "work",
    "School": "school",
    "Financial Problem": "financial problem",
    "Family Issues": "family issues",
    "Social Relationships": "social relationships",
    "Health, Fatigue, or Physical Pain": "health issues",
    "Emotional Turmoil": "emotion turmoil",
    "Everyday Decision Making": "everyday decision making",
    "Other": "other causes",
}
DEPRESSION_CAUSES = ("none", "bias or abuse", "jobs and careers", "medication", "relationship", "alienation")
CSSRS = ("supportive", "uninformative", "indicator", "ideation", "behavior", "attempt")

# One linear head each. Every one is a choice among its labels, but `facets`, where each is yes or no.
HEADS: Mapping[str, tuple[str, ...]] = {
    "expressed": EMOTIONS + INTENTS,
    "next_intent": INTENTS,
    "want": WANTS,
    "facets": FACETS,
    "stress_cause": tuple(STRESS_CAUSES.values()),
    "depression_cause": DEPRESSION_CAUSES,
    "cssrs": CSSRS,
    "danger": LEVELS,
    "danger_kind": KINDS,
    "danger_subject": ("self", "other", "child"),
}

Part = Literal["train", "tune", "report"]
Targets = Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class Example:
    """A text and what is known of it: head -> label -> weight.

    Weights of a choice sum to 1 (votes of several annotators are kept as shares); a facet is 0 or
    1, and one that is not named is not known. source: the set it was first met in.
    """

    text: str
    part: Part
    source: str
    targets: Targets

    def label(self, head: str) -> str:
        """The likeliest label of a choice, "" where nothing is known of it."""
        weights = self.targets.get(head, {})
        return max(weights, key=lambda name: weights[name], default="")


@dataclass(frozen=True)
class _Row:
    text: str
    source: str
    targets: Targets
    group: str = ""  # what must stay together; the normalised text where nothing else must
    held: bool | None = None  # what the set's own parts say; None where it has none


Reader = Callable[[Path], Iterator[_Row]]


def examples(data: Path, *, permissive: bool = False) -> list[Example]:
    """All examples of the folder `data` and of our own messages, in a fixed order.

    permissive: only sets whose licence allows general use. Raises DataError, naming file, column or
    label and the fix, before anything is trained.
    """
    readers = PERMISSIVE if permissive else {**READERS, **OWN}
    rows = [row for read in readers.values() for row in read(data)]
    if not rows:
        raise DataError(f"{data} holds no labelled text; the README of agent/train names the files.")
    held = {_group(row) for row in rows if row.held} | {_key(row.text) for row in rows if row.held}
    split = {_group(row) for row in rows if row.held is None and _hash(_group(row), "held") % 7 == 0}
    return _merged(rows, held | split)


def _merged(rows: Iterable[_Row], held: set[str]) -> list[Example]:
    """One example a text: a choice keeps the labels it met first, facets gather."""
    found: dict[str, Example] = {}
    for row in rows:
        key, group = _key(row.text), _group(row)
        if not key:
            continue
        part: Part = "train"
        if {key, group} & held:
            part = "tune" if _hash(group, "tune") % 3 == 0 else "report"
        known = found.get(key)
        if known is None:
            found[key] = Example(row.text, part, row.source, row.targets)
            continue
        facets = {**row.targets.get("facets", {}), **known.targets.get("facets", {})}
        targets = {**row.targets, **known.targets, **({"facets": facets} if facets else {})}
        strict: Part = known.part if known.part != "train" else part
        found[key] = Example(known.text, strict, known.source, targets)
    return list(found.values())


# --- EmpatheticDialogues and what was made of it: the situation's text is the group everywhere ---


def _situations(data: Path) -> Iterator[_Row]:
    for name, held in (("train", False), ("valid", True)):
        for row in _csv(data / f"empathetic_intents/{name}.csv", "label", "text"):
            label = _known(row["label"].lower(), EMOTIONS + INTENTS, data / f"empathetic_intents/{name}.csv")
            targets = {"expressed": {label: 1.0}}
            if label in EMOTIONS and label not in NEAR_LONELY:
                targets["facets"] = {"loneliness": float(label == "lonely")}
            yield _Row(row["text"], "situations" if label in EMOTIONS else "intents", targets, held=held)


# A sad text may well be lonely too: such labels say nothing against loneliness.
NEAR_LONELY = frozenset({"sad", "devastated", "sentimental", "nostalgic", "disappointed"})


def _conversations(data: Path) -> Iterator[_Row]:
    """Two views a conversation: all the speaker's turns; and those before one listener turn."""
    for name, held in (("train", False), ("valid", True)):
        path = data / f"empathetic_dialogues/{name}.csv"
        for turns in _by(
            _csv(path, "conv_id", "context", "prompt", "role", "utterance", "auto_intent"), "conv_id"
        ):
            group = _key(turns[0]["prompt"])
            feeling = {"expressed": {_known(turns[0]["context"], EMOTIONS, path): 1.0}}
            spoken = [turn["utterance"] for turn in turns if turn["role"] == "speaker"]
            yield _Row(" ".join(spoken), "conversations", feeling, group, held)
            answers = [
                i
                for i, turn in enumerate(turns)
                if turn["role"] == "listener" and turn["auto_intent"] in INTENTS
            ]
            if not answers:
                continue
            at = answers[_hash(group, "turn") % len(answers)]
            before = [turn["utterance"] for turn in turns[:at] if turn["role"] == "speaker"]
            if before:
                targets = {**feeling, "next_intent": {turns[at]["auto_intent"]: 1.0}}
                yield _Row(" ".join(before), "turns", targets, group, held)


def _films(data: Path) -> Iterator[_Row]:
    """EDOS: the last line with the three workers' votes as shares, and what it answers."""
    workers = ("Worker 1 answer", "Worker 2 answer", "Worker 3 answer")
    for row in _csv(data / "edos/groundtruth.csv", "Dialog", *workers):
        *before, last = row["Dialog"].strip().split("\n")
        votes = [
            vote for vote in (row[name].strip().lower() for name in workers) if vote in HEADS["expressed"]
        ]
        if not votes:
            continue
        group = _key(last)
        yield _Row(last, "films", {"expressed": _shares(votes)}, group)
        agreed = [vote for vote in votes if vote in INTENTS and votes.count(vote) > 1]
        if before and agreed:
            yield _Row(" ".join(before[-2:]), "film answers", {"next_intent": {agreed[0]: 1.0}}, group)


# ESConv's eight strategies in EmpatheticIntents' words; self-disclosure has no counterpart.
STRATEGIES = {
    "Question": "questioning",
    "Restatement or Paraphrasing": "acknowledging",
    "Reflection of feelings": "sympathizing",
    "Affirmation and Reassurance": "encouraging",
    "Providing Suggestions": "suggesting",
    "Information": "suggesting",
    "Others": "neutral",
}


def _support(data: Path) -> Iterator[_Row]:
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
                    yield _Row(
                        " ".join(said),
                        "support talks",
                        {"next_intent": {intent: 1.0}},
                        f"esconv {name} {number}",
                        held,
                    )
                said = []


# --- IMHI's sets, by their human labels ---


def _stress(data: Path) -> Iterator[_Row]:
    for row in _csv(data / "human_labels/dreaddit.csv", "text", "label"):
        yield _Row(row["text"], "dreaddit", {"facets": {"stress": float(row["label"] == "1")}})


def _interpersonal(data: Path) -> Iterator[_Row]:
    path = data / "human_labels/irf.csv"
    for row in _csv(path, "split", "risk", "post", "label"):
        facet = _known(row["risk"], FACETS, path)
        yield _Row(
            row["post"], "irf", {"facets": {facet: float(row["label"] == "1")}}, held=row["split"] == "val"
        )


def _wellness(data: Path) -> Iterator[_Row]:
    path = data / "human_labels/multiwd.csv"
    for row in _csv(path, "dimension", "post", "label"):
        facet = f"{_known(row['dimension'], WELLNESS, path)} wellness"
        yield _Row(row["post"], "multiwd", {"facets": {facet: float(row["label"] == "1")}})


def _causes(data: Path) -> Iterator[_Row]:
    for name, column in (("cams_added", "cause"), ("cams_sdcnl", "ANNOTATIONS")):
        for row in _csv(data / f"human_labels/{name}.csv", "selftext", column):
            if row[column].strip():
                cause = DEPRESSION_CAUSES[int(float(row[column]))]
                yield _Row(row["selftext"], "cams", {"depression_cause": {cause: 1.0}})


VOTES = 0.25  # how much of a stress cause's target is the five raters' votes, the rest its given label


def _stressors(data: Path) -> Iterator[_Row]:
    """SAD by its original label, which is the one IMHI asks for; the votes soften it."""
    path = data / "human_labels/sad.csv"
    held = {_key(_post(row["query"])) for row in _csv(data / "imhi/SAD/val.csv", "query")}
    for row in _csv(path, "sentence", "original_label", *STRESS_CAUSES):
        given = STRESS_CAUSES[_known(row["original_label"], tuple(STRESS_CAUSES), path)]
        votes = {label: max(0.0, float(row[name] or 0)) for name, label in STRESS_CAUSES.items()}
        total = sum(votes.values())
        shares = {label: VOTES * count / total for label, count in votes.items() if count} if total else {}
        shares[given] = shares.get(given, 0.0) + 1 - sum(shares.values())
        yield _Row(row["sentence"], "sad", {"stress_cause": shares}, held=_key(row["sentence"]) in held)


def _depression(data: Path) -> Iterator[_Row]:
    """DR has no other labels than IMHI's answers."""
    for name, held in (("train", False), ("val", True)):
        for row in _csv(data / f"imhi/DR/{name}.csv", "query", "gpt-3.5-turbo"):
            yes = float(row["gpt-3.5-turbo"].strip().lower().startswith("yes"))
            yield _Row(_post(row["query"]), "dr", {"facets": {"depression": yes}}, held=held)


def _severity(data: Path) -> Iterator[_Row]:
    path = data / "risk/cssrs_posts.csv"
    for row in _csv(path, "sheet", "post", "label"):
        label = _known(row["label"], CSSRS, path)
        yield _Row(row["post"], "cssrs", {"cssrs": {label: 1.0}}, f"cssrs {row['sheet']}")


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


def _comments(data: Path) -> Iterator[_Row]:
    names = [line.strip() for line in lines(data / "goemotions/labels.txt")]
    for name, held in (("train", False), ("dev", True)):
        taken: dict[str, int] = {}
        for row in _csv(data / f"goemotions/{name}.csv", "text", "labels"):
            label = GOEMOTIONS.get(names[int(row["labels"])]) if row["labels"].isdigit() else None
            if label and taken.get(label, 0) < MOST_OF_ONE:
                taken[label] = taken.get(label, 0) + 1
                yield _Row(row["text"], "comments", {"expressed": {label: 1.0}}, held=held)


# --- our own messages, written for this project ---


def own_rows(name: str) -> list[dict[str, str]]:
    """The rows of one of our own tables beside this file: `wants` or `risk`."""
    return list(_csv(Path(__file__).parent / f"{name}.csv", "text"))


def case_rows() -> list[dict[str, str]]:
    """The risk cases under agent/evaluate/cases, every part."""
    folder = Path(__file__).parents[1] / "evaluate" / "cases"
    return [
        row for path in sorted(folder.glob("*.csv")) for row in _csv(path, "part", "kind", "level", "text")
    ]


def _wants(data: Path) -> Iterator[_Row]:
    del data
    for row in own_rows("wants"):
        targets = {"want": {row["want"]: 1.0}, "danger": {"none" if row["want"] != "vent" else "low": 1.0}}
        yield _Row(row["text"], "wants", targets, held=row["part"] == "test")


# The kinds our messages are filed under -> the ladder's. Worry about somebody is a subject, not a kind.
KIND: Mapping[str, Kind | None] = {
    **{kind: kind for kind in KINDS},
    "violence": "harm_to_others",
    "eating": "eating_disorder",
    "bereavement": "bereaved",
    "third_party": None,
}


def _dangers(data: Path) -> Iterator[_Row]:
    """Messages written to train on, and the open part of the cases; the sealed part is never read."""
    del data
    cases = (row for row in case_rows() if row["part"] == "open")
    for row in (*own_rows("risk"), *cases):
        targets: dict[str, dict[str, float]] = {"danger": {row["level"]: 1.0}}
        if row["level"] not in {"none", "low"}:
            targets["danger_subject"] = {row["subject"]: 1.0}
            kind = KIND[row["kind"]]
            if kind == "medical" and row["escalate"] == "no":
                kind = "medication"
            if kind:
                targets["danger_kind"] = {kind: 1.0}
        yield _Row(row["text"], "dangers", targets)


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
OWN: Mapping[str, Reader] = {"wants": _wants, "dangers": _dangers}
# Sets whose licence allows general use: EDOS (CC BY 4.0), GoEmotions (Apache-2.0), dreaddit and SAD
# (MIT), and what was written for this project. GoEmotions stands in for EmpatheticDialogues there.
PERMISSIVE: Mapping[str, Reader] = {
    "films": _films,
    "comments": _comments,
    "stress": _stress,
    "stressors": _stressors,
    **OWN,
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


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _group(row: _Row) -> str:
    return row.group or _key(row.text)


def _hash(key: str, salt: str) -> int:
    return int.from_bytes(hashlib.sha256(f"{salt}:{key}".encode()).digest()[:4], "big")
