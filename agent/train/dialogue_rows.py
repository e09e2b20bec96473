"""Rows of data sets for training with the line each stands on: a CSV, JSON lines, or a set on the hub.

Unlike `agent.tables`, which refuses a damaged file, a row that cannot be read is noted and left out. Knows
nothing of what a column means.
"""

import csv
import itertools
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import DataError
from agent.tables import LONGEST

__all__ = ["Malformed", "Table", "fetched", "is_held", "is_test", "opened", "peeked"]

_HELD = re.compile(r"(?:^|[^a-z])(?:val|valid|validation|dev)(?:$|[^a-z])")
_TEST = re.compile(r"(?:^|[^a-z])test(?:$|[^a-z])")


class Malformed(NamedTuple):
    """A row that was left out: the file, the line it ends on, and why; never its text."""

    file: str
    line: int
    why: str


class Table(NamedTuple):
    """Rows with their lines. held: the whole of it is for validation."""

    path: Path
    columns: tuple[str, ...]
    rows: Iterator[tuple[int, dict[str, Any]]]
    held: bool
    bad: list[Malformed]

    def refuse(self, line: int, why: str) -> None:
        self.bad.append(Malformed(str(self.path), line, why))


def is_held(name: str) -> bool:
    """Whether a file or part of this name is for validation."""
    return bool(_HELD.search(name.lower()))


def is_test(name: str) -> bool:
    """Whether it is a test part, which training leaves alone."""
    return bool(_TEST.search(name.lower()))


def fetched(name: str) -> Mapping[str, Any]:
    import datasets  # noqa: PLC0415

    try:
        return dict(datasets.load_dataset(name))
    except (OSError, ValueError) as error:  # datasets' own errors are kinds of these
        raise DataError(
            f"{name} cannot be fetched from the hub: check its spelling and the connection."
        ) from error


def opened(path: Path, bad: list[Malformed]) -> Table:
    held = is_held(path.stem)
    if not path.is_file():
        raise DataError(f"{path} is missing; give a file, or a folder that holds some.")
    lines = _csv(path, bad) if path.suffix == ".csv" else _jsonl(path, bad)
    return peeked(path, lines, held, bad)


def peeked(path: Path, rows: Iterator[tuple[int, dict[str, Any]]], held: bool, bad: list[Malformed]) -> Table:
    try:
        first = next(rows, None)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    if first is None:
        raise DataError(f"{path} has no row that can be read; download the file again.")
    return Table(path, tuple(first[1]), itertools.chain([first], rows), held, bad)


def _csv(path: Path, bad: list[Malformed]) -> Iterator[tuple[int, dict[str, Any]]]:
    csv.field_size_limit(LONGEST)
    with path.open(encoding="utf-8-sig", newline="") as file:
        table = csv.DictReader(file)
        while True:
            try:
                row = next(table)
            except StopIteration:
                return
            except csv.Error:
                bad.append(Malformed(str(path), table.line_num, "no CSV"))
                continue
            if None in row or None in row.values():
                bad.append(Malformed(str(path), table.line_num, "too many or too few fields"))
                continue
            yield table.line_num, dict(row)


def _jsonl(path: Path, bad: list[Malformed]) -> Iterator[tuple[int, dict[str, Any]]]:
    with path.open(encoding="utf-8-sig") as file:
        for number, line in enumerate(file, 1):
            try:
                row = json.loads(line)
            except ValueError:
                row = None
            if isinstance(row, dict):
                yield number, row
            elif line.strip():
                bad.append(Malformed(str(path), number, "no JSON object"))
