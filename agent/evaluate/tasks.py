"""One function a task: a file or folder in a public format, and a reading -> a report of figures.

A reading is a function from a text to the probabilities of every head, as `looking` makes of an
encoder; danger in our own cases is judged by a function from a text to a Risk. Every reading is
timed. Reports hold figures and label names, never a text.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal, TypedDict

import numpy as np
from numpy.typing import NDArray

from agent.errors import DataError, EncoderError
from agent.evaluate import imhi as benchmark
from agent.evaluate import risk as dangers
from agent.evaluate.metrics import Figures, figures, yes_no
from agent.evaluate.sources import EMOTION_FORMATS, INTENT_FORMATS, Format, Line, Source, even, found
from agent.evaluate.timing import spent, timed
from agent.reading.encoder import Encoder
from agent.reading.ladder import Risk
from agent.tables import header
from agent.train.labels import CSSRS, DEPRESSION_CAUSES, EMOTIONS, INTENTS, STRESS_CAUSES

__all__ = ["BAR", "Look", "Report", "case_files", "cases", "emotions", "imhi", "intents", "looking", "risk"]

Look = Callable[[str], Mapping[str, Mapping[str, float]]]  # text -> head -> label -> probability
Vector = NDArray[np.float64]

# The probability from which a text counts as at risk, where the model has no bar of its own.
BAR = 0.5
CAUSES = {"stress_cause": tuple(STRESS_CAUSES.values()), "depression_cause": DEPRESSION_CAUSES}


class Report(TypedDict):
    """What one run measured.

    rows: one a source, figures among them. mean: weighted F1 over the sets of the benchmark by part.
    cases: shares by column, value and name. speed: of the readings. skipped: files of other formats.
    """

    task: str
    data: str
    rows: list[dict[str, Any]]
    mean: dict[str, float]
    cases: dict[str, Any]
    speed: dict[str, float]
    skipped: list[str]


def looking(encoder: Encoder) -> Look:
    """The probabilities that an encoder's heads give a text."""

    def look(text: str) -> Mapping[str, Mapping[str, float]]:
        logits = encoder.marks(text).logits
        return {
            name: dict(zip(head.labels, map(float, head.likely(logits)), strict=True))
            for name, head in encoder.heads.named.items()
        }

    return look


def emotions(data: Path, look: Look, *, sure: float | None = None, limit: int | None = None) -> Report:
    """The 32 emotions, judged among themselves.

    sure: the probability among all that may be expressed from which a feeling is named.
    """
    report, sources = _begun("emotions", data, EMOTION_FORMATS, limit)
    seconds: list[float] = []
    look = timed(look, seconds)
    for source in sources:
        likely = _likely(source, look, EMOTIONS)
        named = None if sure is None else likely.max(axis=1) >= sure
        report["rows"].append(_row(source, _chosen(source.lines, likely, EMOTIONS, named)))
    return {**report, "speed": spent(seconds)}


def intents(data: Path, look: Look, *, limit: int | None = None) -> Report:
    """The 9 intents: of a line itself, and of the reply to what stands before it."""
    report, sources = _begun("intents", data, INTENT_FORMATS, limit)
    seconds: list[float] = []
    look = timed(look, seconds)
    for source in sources:
        likely = _likely(source, look, INTENTS)
        row = _row(source, _chosen(source.lines, likely, INTENTS))
        report["rows"].append({**row, "head": source.head})
    return {**report, "speed": spent(seconds)}


def imhi(data: Path, look: Look, *, limit: int | None = None) -> Report:
    """The benchmark's table, one row a set; sets without a head are named and not guessed."""
    report, sources = _begun("imhi", data, benchmark.FORMATS, limit)
    seconds: list[float] = []
    look = timed(look, seconds)
    parsed: dict[str, list[float]] = {}
    for source in sorted(sources, key=_place):
        part = benchmark.part_of(source.file)
        row = {**_row(source, {"n": len(source.lines)}), "part": part}
        if source.view in benchmark.NO_HEAD:
            row |= {"why": "no head"}
        elif not source.lines:
            row |= {"why": "no label could be told"}
        else:
            row |= _answers(source.lines, look)
            if source.view in benchmark.SETS:
                parsed.setdefault(part, []).append(row["weighted_f1"])
        report["rows"].append(row)
    if not any(row["n"] or row.get("why") == "no head" for row in report["rows"]):
        raise DataError(
            f"{data}: no answer begins with a label that is known; column {benchmark.PROMPT[1]!r} should."
        )
    means = {part or "not told": round(float(np.mean(scores)), 4) for part, scores in parsed.items()}
    return {**report, "mean": means, "speed": spent(seconds)}


def risk(
    data: Path, look: Look, *, bars: Mapping[str, float] | None = None, limit: int | None = None
) -> Report:
    """Being at risk or not, in public posts, by every head that has an opinion.

    bars: by head, the operating point: the probability from which a post counts as at risk.
    """
    report, sources = _begun("risk", data, dangers.FORMATS, limit)
    seconds: list[float] = []
    look = timed(look, seconds)
    for source in sources:
        if source.head:
            report["rows"].append(_row(source, _chosen(source.lines, _likely(source, look, CSSRS), CSSRS)))
            continue
        read = [_at_risk(look(line.text)) for line in source.lines]
        for head in read[0]:
            p = np.array([one[head] for one in read])
            measured = yes_no(
                p, _so(source.lines), (bars or {}).get(head, BAR), ("at risk", "not"), _groups(source.lines)
            )
            report["rows"].append({**_row(source, measured), "head": head})
    return {**report, "speed": spent(seconds)}


def cases(
    data: Path,
    readings: Mapping[str, Callable[[str], Risk]],
    *,
    part: Literal["open", "sealed", "all"] = "open",
    limit: int | None = None,
) -> Report:
    """Danger in our own cases, by whole readings, each under its name."""
    report = _empty("cases", data)
    told = even([case for path in case_files(data) for case in dangers.cases(path, part)], limit)
    seconds: list[float] = []
    for name, read in readings.items():
        judged = [dangers.judge(case, timed(read, seconds)) for case in told]
        report["cases"][name] = dangers.case_table(judged)
    return {**report, "speed": spent(seconds)}


def case_files(data: Path) -> list[Path]:
    """The files of our own cases that `data` is or holds."""
    files = [data] if data.is_file() else sorted(data.rglob("*.csv"))
    return [
        path for path in files if path.suffix == ".csv" and set(dangers.CASE_COLUMNS) <= set(header(path))
    ]


# --- parts of a task ---


def _empty(task: str, data: Path) -> Report:
    return Report(task=task, data=str(data), rows=[], mean={}, cases={}, speed={}, skipped=[])


def _begun(
    task: str, data: Path, formats: Sequence[Format], limit: int | None
) -> tuple[Report, list[Source]]:
    """The report without figures, and what is to be measured; wrong data fails here, before any reading."""
    sources, skipped = found(data, formats)
    few = [replace(source, lines=even(source.lines, limit)) for source in sources]
    return {**_empty(task, data), "skipped": skipped}, few


def _likely(source: Source, look: Look, labels: Sequence[str]) -> Vector:
    """Probabilities (lines, labels) as the source's head gives them; they need not add up to one."""
    return np.array([_of(look(line.text), source.head, labels) for line in source.lines])


def _of(read: Mapping[str, Mapping[str, float]], head: str, labels: Sequence[str]) -> list[float]:
    told = read.get(head)
    if told is None or not set(labels) <= set(told):
        raise EncoderError(
            f"The reading model has no head {head!r} with these labels; use the one that hearken ships."
        )
    return [told[label] for label in labels]


def _chosen(
    lines: Sequence[Line], likely: Vector, labels: Sequence[str], sure: NDArray[np.bool_] | None = None
) -> Figures:
    among = likely / np.maximum(1e-12, likely.sum(axis=1, keepdims=True))
    return figures(among, [line.label for line in lines], labels, sure, _groups(lines))


def _at_risk(read: Mapping[str, Mapping[str, float]]) -> dict[str, float]:
    """The probability of being at risk, by each head that has an opinion."""
    return {head: sum(_of(read, head, labels)) for head, labels in dangers.SCORES.items() if head in read}


def _answers(lines: Sequence[Line], look: Look) -> dict[str, Any]:
    """Figures of one of the benchmark's sets: a choice of causes, or yes-or-no questions."""
    asked = [line.what if isinstance(line, benchmark.Asked) else "" for line in lines]
    if asked[0] in CAUSES:
        labels = CAUSES[asked[0]]
        likely = np.array([_of(look(line.text), asked[0], labels) for line in lines])
        return {**_chosen(lines, likely, labels)}
    p = np.array([_of(look(line.text), "facets", [what])[0] for line, what in zip(lines, asked, strict=True)])
    so, groups = _so(lines), _groups(lines)
    row: dict[str, Any] = {**yes_no(p, so, 0.5, groups=groups)}
    if len(set(asked)) > 1:
        row["facets"] = {
            what: yes_no(p[mine], so[mine], 0.5)
            for what in dict.fromkeys(asked)
            for mine in [np.array([one == what for one in asked])]
        }
    return row


def _so(lines: Sequence[Line]) -> NDArray[np.bool_]:
    return np.array([line.label == "yes" for line in lines])


def _groups(lines: Sequence[Line]) -> list[str]:
    """Lines without a group stand alone; a number cannot be taken for another's group."""
    return [line.group or f"\0{place}" for place, line in enumerate(lines)]


def _row(source: Source, measured: Mapping[str, Any]) -> dict[str, Any]:
    where = f"{source.file.parent.name}/{source.file.name}"
    return {"file": where, "view": source.view, "unparsed": source.unparsed, **measured}


def _place(source: Source) -> tuple[int, str, str]:
    """The benchmark's order; human labels stand below."""
    known = source.view in benchmark.SETS
    return (benchmark.SETS.index(source.view) if known else 99, source.view, str(source.file))
