"""Many messages: a file of any size -> one row of readings a message, in the file's order.

A row holds what `graph.read.read_message` says of the message alone.
Rows go to `OUT.part` as they are made, one JSON object a line below the run's own line, so that a run
that was cut off can go on; the finished file is made of it at the end. Memory does not grow with the
file. A text is written only when asked for. Knows nothing of conversations.
"""

import json
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

from agent.errors import DataError, EncoderError
from agent.reading.assess import assess
from agent.reading.heads import Heard
from agent.reading.opinion import RULE
from agent.tables import header, lines, objects, rows
from graph.read import MessageReading, read_message
from graph.services import Services
from graph.spread import Spread, in_threads, some_at_once

__all__ = ["Run", "messages", "read_file", "reader", "row_of"]

Row = dict[str, str | float | bool | int | None]
Message = tuple[str | None, str]  # id, text

GROUP = 5_000  # rows of a Parquet row group, held at once
# Nobody waits for a single message here, and a row must not depend on how busy the machine was.
PATIENCE = math.inf
KEPT = 3
CHOICES = ("want", "stress_cause", "depression_cause", "cssrs")


@dataclass(frozen=True)
class Run:
    """What is read, and how. column: of the texts in CSV and JSON lines. model: name of the encoder."""

    source: Path
    column: str = "text"
    with_text: bool = False
    model: str = ""


def reader(
    services: Services, together: Callable[[Sequence[str]], Iterable[Heard]] | None = None
) -> Callable[[Sequence[str]], list[Row]]:
    """The function texts -> a row each, of these services; EncoderError when the reading model cannot look.

    together: what `services.read` finds of many texts, sooner; what differs from these it still reads.
    """
    patient = replace(services, part_seconds=PATIENCE, step_seconds=PATIENCE)

    def read(texts: Sequence[str]) -> list[Row]:
        known = dict(zip(texts, together(texts), strict=True)) if together else {}

        def looked(text: str) -> Heard:
            return known[text] if text in known else services.read(text)

        found = [read_message(text, replace(patient, read=looked)) for text in texts]
        if any(one["reading"]["degraded"] for one in found):
            raise EncoderError("The reading model failed on a message; `hearken check` tells more.")
        return [row_of(one) for one in found]

    return read


def row_of(found: MessageReading) -> Row:
    """One flat row: labels with their probabilities, and the danger in the message taken alone.

    rules_: what the rules alone make of it. risk_: with the reading model's opinion.
    """
    reading, risk = found["reading"], found["risk"]
    row: Row = {}
    for place, score in enumerate(reading["emotions"][:KEPT], 1):
        row |= {f"emotion_{place}": score["label"], f"emotion_{place}_p": score["p"]}
    row |= {"sure": reading["sure"], "wants": " ".join(reading["wants"]), "language": reading["language"]}
    heads = reading["heads"]
    for name in CHOICES:
        for score in heads.get(name, [])[:1]:
            row |= {name: score["label"], f"{name}_p": score["p"]}
    row |= {score["label"].replace(" ", "_"): score["p"] for score in heads.get("facets", [])}
    row |= {f"danger_{score['label']}": score["p"] for score in heads.get("danger", [])}
    cues = [cue for cue in reading["cues"][-1] if cue["rule"] != RULE]
    rules = assess([cues], answers=[], before=None, pending={})
    row |= {"rules_level": rules["level"], "rules_escalate": rules["escalate"]}
    return {
        **row,
        "risk_level": risk["level"],
        "escalate": risk["escalate"],
        "kinds": " ".join(risk["kinds"]),
    }


def messages(run: Run) -> Iterator[Message]:
    """The messages of a CSV, JSON-lines or text file, one by one, with their `id` where there is one.

    Raises DataError, naming file, column and fix.
    """
    path, column = run.source, run.column
    if path.suffix == ".txt":
        yield from ((None, line) for line in lines(path))
    elif path.suffix == ".csv":
        if column not in header(path):
            raise DataError(f"{path} has no column {column!r}; name the one with the texts with --column.")
        yield from ((row.get("id"), row[column]) for row in rows(path, column))
    elif path.suffix == ".jsonl":
        for number, row in enumerate(objects(path, column), 1):
            if not isinstance(row[column], str):
                raise DataError(f"{path}: line {number} has no text under {column!r}; leave it out.")
            name = row.get("id")
            yield None if name is None else str(name), row[column]
    else:
        raise DataError(f"{path} is not .csv, .jsonl or .txt; save it as one of these.")


def read_file(  # noqa: PLR0913 - what a run is told
    run: Run,
    out: Path,
    read: Callable[[Sequence[str]], list[Row]],
    *,
    resume: bool = False,
    spread: Spread | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> int:
    """Read every message of the file and write `out`, .parquet or .jsonl; returns how many rows.

    read: called from several threads at once. resume: go on after the rows of a run that was cut off.
    spread: what goes through the messages in the place of threads and `read` (graph.spread).
    Raises DataError before anything is read when the file, or what an earlier run left, does not fit.
    """
    if out.suffix not in {".parquet", ".jsonl"}:
        raise DataError(f"{out} must end in .parquet or .jsonl.")
    total = sum(1 for _ in messages(run))
    part = out.with_name(out.name + ".part")
    done = _begin(part, run, resume=resume)
    told = progress or _silent
    told(done, total)
    with part.open("a", encoding="utf-8") as file:
        left = islice(messages(run), done, None)
        found = spread(left) if spread else _in_threads(read, left)
        for number, ((name, text), row) in enumerate(found, done + 1):
            kept = {"text": _plain(text)} if run.with_text else {}
            file.write(json.dumps({"row": number, "id": _plain(name), **kept, **row}) + "\n")
            told(number, total)
    _finish(part, out)
    return total


def _in_threads(
    read: Callable[[Sequence[str]], list[Row]], left: Iterable[Message]
) -> Iterator[tuple[Message, Row]]:
    for some, found in in_threads(lambda some: read([text for _, text in some]), some_at_once(left)):
        yield from zip(some, found, strict=True)


def _silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


def _plain(text: str | None) -> str | None:
    """A text that every output can hold: a lone surrogate, which JSON can name, is not a character."""
    return None if text is None else text.encode("utf-8", "replace").decode("utf-8")


# --- a run that can be cut off ---


def _begin(part: Path, run: Run, *, resume: bool) -> int:
    """Make `part` ready to be added to; how many rows it holds already."""
    told = {**asdict(run), "source": run.source.name, "bytes": run.source.stat().st_size}
    mark = json.dumps({"run": told}) + "\n"
    if part.exists() and not resume:
        raise DataError(f"{part} is what an earlier run left: add --resume to go on from it, or remove it.")
    if not part.exists() or part.stat().st_size < len(mark):
        try:
            part.write_text(mark, "utf-8")
        except OSError as error:
            raise DataError(f"{part} cannot be written; name a file in a folder that exists.") from error
        return 0
    with part.open("r+b") as file:
        if file.readline() != mark.encode():
            raise DataError(f"{part} is of another file, model or other options; remove it to begin anew.")
        done, end = 0, file.tell()
        for line in file:
            if line.endswith(b"\n"):  # the last may have been cut off
                done, end = done + 1, end + len(line)
        file.truncate(end)
    return done


def _finish(part: Path, out: Path) -> None:
    new = out.with_name(out.name + ".new")
    with part.open(encoding="utf-8") as file:
        next(file)
        if out.suffix == ".jsonl":
            with new.open("w", encoding="utf-8") as written:
                written.writelines(file)
        else:
            _parquet(map(json.loads, file), new)
    new.replace(out)
    part.unlink()


def _parquet(found: Iterator[dict[str, Any]], path: Path) -> None:
    import pyarrow as pa  # noqa: PLC0415 - only this output needs it
    from pyarrow import parquet  # noqa: PLC0415

    group = list(islice(found, GROUP))
    kinds = {bool: pa.bool_(), int: pa.int64(), float: pa.float64()}
    schema = pa.schema([(name, kinds.get(type(value), pa.string())) for name, value in group[0].items()])
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        while group:
            writer.write_table(pa.Table.from_pylist(group, schema))
            group = list(islice(found, GROUP))
