"""How well the library finds, in figures: counselchat's own answers, and nothing for what is off the subject.

The questions of the `val` part are asked, title and text as one message; their answers are indexed, their
question vectors are not, and all others are there with both. An own answer is one with the words of an
answer to the question asked: some were given to several. Nothing is tuned here. It knows nothing of
models, and holds figures only, never a text.
"""

import csv
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any, NamedTuple, TypedDict

import numpy as np

from knowledge.clean import clean_answer, clean_question, normalised
from knowledge.errors import IngestError
from knowledge.library import FLOOR, Embed, Entry, Library
from knowledge.opening import open_index
from knowledge.tables import topics

__all__ = ["Report", "off_topic", "retrieval"]

COLUMNS = ("questionID", "questionTitle", "questionText", "topic", "answerText", "split")
ASKED = "val"  # the part whose questions are asked
DEEP = 10
DRAWS = 1000  # of the intervals


class Report(TypedDict):
    """rows: a figure or an interval each, of answers found and of what must find nothing."""

    task: str
    data: str
    encoder: str
    floor: float
    found: dict[str, Any]
    off_topic: dict[str, Any]
    speed: dict[str, float]


class _Case(NamedTuple):
    """A question to ask, and the words of the answers that are its own."""

    text: str
    own: frozenset[str]


def retrieval(
    data: Path,
    embed: Embed,
    encoder_name: str,
    *,
    floor: float = FLOOR,
    cleaned: bool = False,
) -> Report:
    """Index a counselchat file and the starter library in a folder of their own, ask, and judge.

    cleaned: index only what ingestion would keep of the file, and ask the questions that keep an answer.
    Raises IngestError when the file lacks a column or has no question to ask.
    """
    entries, cases = _prepared(data, cleaned=cleaned)
    with tempfile.TemporaryDirectory(prefix="hearken-") as folder:
        library = Library(open_index(Path(folder) / "a", encoder_name), embed)
        starter = Library.open(Path(folder) / "b", embed, encoder_name)
        try:
            library.add(entries)
            seconds: list[float] = []
            places = np.array([_place(case, library, floor, seconds) for case in cases])
            quiet = _quiet((library, starter), floor)
        finally:
            library.close()
            starter.close()
    return {
        "task": "retrieval",
        "data": data.name,
        "encoder": encoder_name,
        "floor": floor,
        "found": {"questions": len(cases), "passages": len(entries), **_figures(places)},
        "off_topic": quiet,
        "speed": {
            "texts": len(seconds),
            "p50_ms": round(1000 * float(np.percentile(seconds, 50)), 2),
            "p95_ms": round(1000 * float(np.percentile(seconds, 95)), 2),
        },
    }


def off_topic() -> list[tuple[str, str]]:
    """Texts that have nothing to do with what the library is for, each `plain` or `tricky`."""
    with (files("knowledge") / "off_topic.csv").open(encoding="utf-8") as file:
        return [(row["text"], row["kind"]) for row in csv.DictReader(file)]


def _prepared(data: Path, *, cleaned: bool) -> tuple[list[Entry], list[_Case]]:
    asked: dict[str, str] = {}
    own: dict[str, set[str]] = {}
    entries: list[Entry] = []
    for row in _rows(data):
        title, body, answer = (row[name].strip() for name in COLUMNS[1:3] + COLUMNS[4:5])
        question = title or body
        if cleaned:
            question = clean_question(title, body).text
            answer = clean_answer(answer, row.get("therapistInfo") or "").text if question else ""
        if not answer or not question:
            continue
        topic = row["topic"].strip().lower()
        known = topic if topic in topics() else "general"
        is_asked = row["split"].strip() == ASKED
        entries.append(
            Entry(question, answer, known, kind="counselchat", asked=(answer,) if is_asked else ())
        )
        if is_asked:
            asked.setdefault(row["questionID"], f"{title}\n{body}".strip())
            own.setdefault(row["questionID"], set()).add(normalised(answer))
    if not asked:
        raise IngestError(f"{data} has no question with {ASKED} in its column split; give one that has.")
    return entries, [_Case(text, frozenset(own[id_])) for id_, text in asked.items()]


def _rows(data: Path) -> Iterable[dict[str, str]]:
    try:
        with data.open(encoding="utf-8-sig", newline="") as file:
            table = csv.DictReader(file)
            missing = [name for name in COLUMNS if name not in (table.fieldnames or ())]
            if missing:
                raise IngestError(f"{data} has no column {missing[0]}; it needs {', '.join(COLUMNS)}.")
            return [{key: value or "" for key, value in row.items() if key} for row in table]
    except OSError as error:
        raise IngestError(f"{data} cannot be read ({error.strerror}); give a counselchat file.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise IngestError(f"{data} is no CSV in UTF-8; save it as that.") from error


def _place(case: _Case, library: Library, floor: float, seconds: list[float]) -> float:
    """How many others stand before the first own answer; infinite when it is not among the first."""
    start = time.perf_counter()
    found = library.search(case.text, DEEP, floor)
    seconds.append(time.perf_counter() - start)
    mine = (place for place, passage in enumerate(found) if normalised(passage["text"]) in case.own)
    return next(mine, float("inf"))


def _figures(places: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, Any]:
    gains: dict[str, Callable[[Any], Any]] = {
        "mrr10": lambda at: np.where(at < DEEP, 1 / (at + 1), 0.0),
        "hit1": lambda at: at < 1,
        "hit5": lambda at: at < 5,
        "hit10": lambda at: at < DEEP,
    }
    draws = np.random.default_rng(0).integers(len(places), size=(DRAWS, len(places)))
    found: dict[str, Any] = {}
    for name, gain in gains.items():
        each = gain(places).astype(float)
        found[name] = round(float(each.mean()), 4)
        ends = np.percentile(each[draws].mean(axis=1), [2.5, 97.5])
        found[f"{name}_95"] = [round(float(end), 4) for end in ends]
    return found


def _quiet(libraries: Sequence[Library], floor: float) -> dict[str, Any]:
    """The share of off-topic texts for which no library finds anything."""
    found: dict[str, list[bool]] = {}
    for text, kind in off_topic():
        nothing = not any(library.search(text, 1, floor) for library in libraries)
        found.setdefault(kind, []).append(nothing)
    every = [nothing for row in found.values() for nothing in row]
    shares = {kind: round(sum(row) / len(row), 4) for kind, row in found.items()}
    return {"texts": len(every), "nothing": round(sum(every) / len(every), 4), **shares}
