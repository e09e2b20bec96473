"""From public conversations to the examples a model learns replies from, and a report of what was left out.

Cleaned (a forum's answers by an injected function), near duplicates removed, every reply held against the
guard, messages that the crisis branch answers left out, and split by question or conversation, so that no
question stands on both sides. Knows nothing of models; what a text weighs in tokens is injected. Prints
no text.
"""

import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from agent.errors import DataError
from agent.guard import Bounds, fold, split
from agent.prompt import Message, roughly
from agent.reading.assess import assess
from agent.reading.rules import load_rules
from agent.reading.spanish import is_spanish
from agent.train.dialogue_rows import Malformed
from agent.train.dialogue_sources import Example
from agent.train.sets import hashed

__all__ = ["FORM", "Prepared", "load_examples", "prepare", "stats", "write"]

Clean = Callable[[str, str], tuple[str, str]]
"""(answer, author) -> what is fit of it, and where nothing is, why."""

# What a sentence may be left out for; any other rule costs the whole reply.
FORM = frozenset({"questions", "repeat", "emoji", "loop", "size", "empty", "unfinished", "exclamation"})
LEAST = 0.6  # of a reply's words must be left when a sentence is taken out of it
ALIKE = 0.8  # Jaccard similarity of two texts' shingles from which they are near duplicates
SHORT = 12  # words; a reply as short as that may be said more than once, to different messages
PERMUTATIONS = 64
SALT = "dialogues"
TOLD = 5  # reasons and malformed rows that an error names


@dataclass
class Prepared:
    """The two parts, and what became of the rest. malformed: rows that could not be read."""

    train: list[Example] = field(default_factory=list)
    valid: list[Example] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)
    mended: Counter[str] = field(default_factory=Counter)
    malformed: list[Malformed] = field(default_factory=list)
    read: int = 0


def prepare(  # noqa: PLR0913 - what a run is told
    found: Iterable[Example],
    malformed: list[Malformed],
    *,
    clean: Clean | None = None,
    share: float = 0.1,
    limit: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Prepared:
    """The examples fit to learn from. share: of the groups that go to validation. limit: of each source.

    Raises DataError when either part would be empty.
    """
    out = Prepared(malformed=malformed)
    kept: list[Example] = []
    alike = _Alike()
    taken: Counter[str] = Counter()
    for example in found:
        if limit is not None and taken[example["source"]] >= limit:
            continue
        taken[example["source"]] += 1
        out.read += 1
        if progress:
            progress(out.read)
        reason = _mend(example, clean, out.mended) or alike.seen(example)
        if reason:
            out.dropped[f"{example['source']}: {reason}"] += 1
        else:
            kept.append(example)
    groups = {group for example in kept if example["held"] for group in [alike.group(example)]}
    for example in kept:
        group = alike.group(example)
        held = group in groups or hashed(group, SALT) % 10_000 < share * 10_000
        (out.valid if held else out.train).append({**example, "group": group, "held": held})
    for part, examples in (("training", out.train), ("validation", out.valid)):
        if not examples:
            fix = "add data, or change the share for validation (--share)"
            if out.train + out.valid and all(one["held"] for one in kept):
                fix = "what is there is for validation by its makers' word: add a part to train on"
            raise DataError(
                f"No example is left for {part} of {out.read} read and {len(malformed)} malformed"
                f"{_reasons(out)}; {fix}."
            )
    return out


def _reasons(out: Prepared) -> str:
    """What became of the rest, the commonest first, and where the first malformed rows stand."""
    told = [f"{reason} {count}" for reason, count in out.dropped.most_common(TOLD)]
    told += [f"{Path(row.file).name} line {row.line}: {row.why}" for row in out.malformed[:TOLD]]
    return f" ({'; '.join(told)})" if told else ""


def _mend(example: Example, clean: Clean | None, mended: Counter[str]) -> str:
    """Make the reply fit, in place; the reason why it cannot be made so, or ""."""
    *before, last = example["messages"]
    heard = " ".join(one["content"] for one in before if one["role"] == "user")
    if not heard.strip() or not last["content"].strip():
        return "empty"
    if example["kind"] == "task":
        return ""
    if _in_danger(before[-1]["content"]):
        return "the crisis branch answers this"
    spanish = is_spanish(re.findall(r"\w+", last["content"].lower()))
    if example["counsel"] and clean and not spanish:
        fit, reason = clean(last["content"], example["author"])
        if not fit:
            return f"clean: {reason}"
        mended["cleaned"] += fit != last["content"]
        last["content"] = fit
    budget = Bounds(heard=heard, words=100_000, language="es" if spanish else "en")
    return _guarded(last, budget, mended)


def _guarded(last: Message, budget: Bounds, mended: Counter[str]) -> str:
    """Only what the guard lets through, unless that costs too much of the reply or too much is wrong."""
    judged = fold([_calm(one) for one in split(last["content"])], budget)
    grave = [broken["rule"] for broken in judged.replaced if broken["rule"] not in FORM]
    said = " ".join(judged.sentences)
    if grave or len(said.split()) < LEAST * len(last["content"].split()):
        return f"guard: {[*grave, *(broken['rule'] for broken in judged.replaced), 'empty'][0]}"
    mended["a sentence left out"] += bool(judged.replaced)
    last["content"] = said
    return ""


def _calm(sentence: str) -> str:
    """Without shouting, and ended: many a good answer lacks nothing but that."""
    sentence = re.sub(r"\s*!+(?=\s|$)", ".", sentence.strip())
    return re.sub(r"(?<=\w)$", ".", sentence)


@cache
def _in_danger(text: str) -> bool:
    """Whether the app would answer this with authored words; a model never gets to."""
    return assess([load_rules().scan(text)], answers=[], before=None, pending={})["escalate"]


class _Alike:
    """Near duplicates by MinHash, and questions so alike that they are one group."""

    def __init__(self) -> None:
        from datasketch import MinHashLSH  # noqa: PLC0415

        self._replies = MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)
        self._asked = MinHashLSH(threshold=ALIKE, num_perm=PERMUTATIONS)
        self._alias: dict[str, str] = {}
        self._known: set[str] = set()
        self._count = 0

    def seen(self, example: Example) -> str:
        """ "near duplicate" where its like was met before, else "", and it is remembered."""
        asked, reply = example["messages"][-2]["content"], example["messages"][-1]["content"]
        whole = example["kind"] == "task" or len(reply.split()) < SHORT
        sketch = _sketch(f"{asked}\n{reply}" if whole else reply)
        if self._replies.query(sketch):
            return "near duplicate"
        self._replies.insert(self._count, sketch)
        self._count += 1
        if (group := example["group"]) not in self._known:
            self._known.add(group)
            first = _sketch(example["messages"][0]["content"])
            like = self._asked.query(first)
            if like and len(example["messages"][0]["content"].split()) >= SHORT:
                self._alias[group] = self._alias.get(min(like), min(like))
            self._asked.insert(group, first)
        return ""

    def group(self, example: Example) -> str:
        """The group it is split by."""
        return self._alias.get(example["group"], example["group"])


def _sketch(text: str) -> Any:
    from datasketch import MinHash  # noqa: PLC0415

    words = re.findall(r"\w+", text.lower())
    sketch = MinHash(num_perm=PERMUTATIONS, seed=1)
    sketch.update_batch([" ".join(words[at : at + 3]).encode() for at in range(max(1, len(words) - 2))])
    return sketch


# --- files ---


def write(prepared: Prepared, folder: Path, *, count: Callable[[str], int] = roughly) -> dict[str, Any]:
    """train.jsonl, valid.jsonl and report.json in `folder`; the report."""
    told = stats({"train": prepared.train, "valid": prepared.valid}, count)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, examples in (("train", prepared.train), ("valid", prepared.valid)):
            text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in map(_stored, examples))
            (folder / f"{part}.jsonl").write_text(text, "utf-8")
            told[part]["sha256"] = hashlib.sha256(text.encode()).hexdigest()
        told |= {
            "read": prepared.read,
            "dropped": dict(prepared.dropped.most_common()),
            "mended": dict(prepared.mended),
            "malformed": [one._asdict() for one in prepared.malformed],
        }
        (folder / "report.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}; choose another folder.") from error
    return told


def _stored(example: Example) -> dict[str, Any]:
    return {name: value for name, value in example.items() if name not in {"author", "counsel", "held"}}


def load_examples(folder: Path) -> dict[str, list[Example]]:
    """The parts that `write` wrote. Raises DataError when one is missing, empty or not of that kind."""
    parts: dict[str, list[Example]] = {}
    for part in ("train", "valid"):
        path = folder / f"{part}.jsonl"
        if not path.is_file():
            raise DataError(f"{path} is missing; make it with `hearken data prepare SOURCE --out {folder}`.")
        try:
            parts[part] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            wanted = all(map(_whole, parts[part]))
        except (ValueError, KeyError, IndexError, TypeError) as error:
            raise DataError(f"{path} was not written by `hearken data prepare`; prepare it again.") from error
        if not parts[part] or not wanted:
            raise DataError(f"{path} holds no example with a reply; prepare more data.")
    return parts


def _whole(one: Example) -> bool:
    """Whether there is a reply, and all that a run will ask of it. Raises KeyError, TypeError, IndexError."""
    text = [message["content"] + message["role"] for message in one["messages"]]
    told = [one["feeling"] + one["intent"] + one["source"] + one["group"]]
    return (
        all(text + told) and one["kind"] in {"reply", "task"} and one["messages"][-1]["role"] == "assistant"
    )


def stats(parts: Mapping[str, Sequence[Example]], count: Callable[[str], int] = roughly) -> dict[str, Any]:
    """Of each part: examples by source, feeling and intent, groups, and tokens of prompts and replies."""
    told: dict[str, Any] = {}
    for part, examples in parts.items():
        told[part] = {
            "examples": len(examples),
            "groups": len({one["group"] for one in examples}),
            "sources": dict(Counter(one["source"] for one in examples)),
            "tasks, not held against the guard": sum(one["kind"] == "task" for one in examples),
            "feelings": dict(Counter(one["feeling"] or "untold" for one in examples).most_common()),
            "intents": dict(Counter(one["intent"] or "untold" for one in examples).most_common()),
            "tokens": {
                "conversation": _spread(
                    sum(count(m["content"]) for m in one["messages"]) for one in examples
                ),
                "reply": _spread(count(one["messages"][-1]["content"]) for one in examples),
            },
        }
    return told


def _spread(counts: Iterator[int]) -> dict[str, int]:
    ordered = sorted(counts)
    if not ordered:
        return {}
    at = {name: ordered[min(len(ordered) - 1, int(share * len(ordered)))] for name, share in
          (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))}  # fmt: skip
    over = {f"over {size}": sum(one > size for one in ordered) for size in (128, 512, 1024, 2048)}
    return {**at, "max": ordered[-1], **over}
