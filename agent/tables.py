"""Rows of the public file formats: CSV and JSON lines, or a DataError that names file, column and fix.

Streams, so that a file of any size is read in constant memory. Knows nothing of what a column means,
but for the prompt that IMHI wraps a post in. No error carries what a person wrote.
"""

import csv
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from agent.errors import DataError

__all__ = ["grouped", "header", "known", "lines", "objects", "prompt", "rows"]

LONGEST = 10_000_000  # characters of one field; some posts are longer than the library's default
AGAIN = "download the file again"


def rows(path: Path, *columns: str) -> Iterator[dict[str, str]]:
    """The rows of a CSV file that must have these columns, and at least one row."""
    csv.field_size_limit(LONGEST)
    with _opened(path) as file:
        number = 0
        try:
            table = csv.DictReader(file)
            _has(path, table.fieldnames or (), columns)
            for row in table:
                number += 1
                if any(row[name] is None for name in columns):
                    raise DataError(f"{path}: row {number} is cut short; {AGAIN}.")
                yield row
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
        except csv.Error as error:
            raise DataError(f"{path}: row {number + 1} is no CSV; {AGAIN}.") from error
    if not number:
        raise DataError(f"{path} has a header and no rows; {AGAIN}.")


def header(path: Path) -> tuple[str, ...]:
    """The column names of a CSV file."""
    with _opened(path) as file:
        try:
            names = next(csv.reader(file), [])
        except (UnicodeDecodeError, csv.Error) as error:
            raise DataError(f"{path} is not CSV in UTF-8; save it as UTF-8.") from error
    if not names:
        raise DataError(f"{path} is empty; {AGAIN}.")
    return tuple(names)


def lines(path: Path) -> Iterator[str]:
    """The lines of a text file without their ends; at least one."""
    number = 0
    with _opened(path) as file:
        try:
            for line in file:
                number += 1
                yield line.rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise DataError(f"{path} is not UTF-8 text; save it as UTF-8.") from error
    if not number:
        raise DataError(f"{path} is empty; {AGAIN}.")


def objects(path: Path, *keys: str) -> Iterator[dict[str, Any]]:
    """The objects of a file with one JSON object a line; each must have these keys."""
    for number, line in enumerate(lines(path), 1):
        try:
            row = json.loads(line)
        except ValueError as error:
            raise DataError(f"{path}: line {number} is not JSON; {AGAIN}.") from error
        missing = [key for key in keys if not isinstance(row, dict) or key not in row]
        if missing:
            raise DataError(f"{path}: line {number} has no {missing[0]!r}.")
        yield row


def known(label: str, labels: Sequence[str], path: Path, column: str = "") -> str:
    """The label, if it is one of those; DataError names them all."""
    if label in labels:
        return label
    # A row that slipped by a column may hold a person's words where the label should be.
    told = repr(label) if re.fullmatch(r"[\w()/,& -]{0,32}", label) else f"of {len(label)} characters"
    where = f"{path}, column {column!r}" if column else str(path)
    raise DataError(f"{where}: label {told} is not one of {', '.join(labels)}.")


def grouped(found: Iterable[dict[str, str]], column: str) -> Iterator[list[dict[str, str]]]:
    """Runs of rows that share a column's value, in order."""
    for _, group in itertools.groupby(found, key=lambda row: row[column]):
        yield list(group)


def prompt(query: str) -> tuple[str, str]:
    """The post and the question inside IMHI's prompt; a text without that prompt is all post."""
    found = re.match(r'Consider this post: "(.*)" Question:(.*)', query, re.DOTALL)
    return (found[1], found[2].strip()) if found else (query, "")


def _opened(path: Path) -> IO[str]:
    try:
        # Spreadsheets put a mark before the first column's name.
        return path.open(encoding="utf-8-sig", newline="")
    except FileNotFoundError as error:
        raise DataError(f"{path} is missing; --data names a folder that holds it.") from error
    except IsADirectoryError as error:
        raise DataError(f"{path} is a folder; name a file in it.") from error


def _has(path: Path, names: Sequence[str], wanted: Sequence[str]) -> None:
    if not names:
        raise DataError(f"{path} is empty; {AGAIN}.")
    missing = [name for name in wanted if name not in names]
    if missing:
        raise DataError(f"{path} has no column {missing[0]!r}; it must have {', '.join(wanted)}.")
