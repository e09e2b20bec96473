"""The registry's files, read and checked line by line: helplines.csv, countries.csv, retired.csv.

Knows what a sound row is, not which row suits whom.

Normal form of what a reply may name (`contact_tokens`): a phone number, short code or text code is its
digits only (`"13 11 14"` -> `131114`); a web address or e-mail is its host in lower case without `www.`
(`988lifeline.org`). Words such as SHOUT are not tokens.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple

__all__ = ["HelplineError", "Registry", "Row", "contact_tokens", "read_registry", "retired"]

CATEGORIES = {
    *("emergency", "suicide_crisis", "general", "child_youth", "domestic_violence", "poison", "substance"),
    *("eating_disorder", "perinatal", "lgbtq", "sexual_assault", "veterans", "directory"),
}


class HelplineError(Exception):
    """The registry is missing or breaks its schema; the message names file, line and fix."""


@dataclass(frozen=True)
class Row:
    """One line of helplines.csv, as written."""

    country: str
    name: str
    phone: str
    sms: str
    chat_url: str
    hours: str
    audience: str
    certainty: str
    category: str
    basis: str
    notes: str
    verified_at: str


class Registry(NamedTuple):
    """What the files hold. names: ISO 3166-1 alpha-2 -> English name; zones: code -> IANA zone."""

    rows: tuple[Row, ...]
    names: Mapping[str, str]
    zones: Mapping[str, str]


def contact_tokens(text: str) -> set[str]:
    """Every phone-like number (three digits or more, years left out) and web or e-mail host in `text`."""
    hosts = re.findall(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", text.lower())
    rest = re.sub(r"(?i)\S*(?:[a-z0-9-]+\.)+[a-z]{2,}\S*", "|", text)
    runs: list[str] = re.findall(r"[+*(]*\d[\d\s().-]*", rest)
    digits = {re.sub(r"\D", "", run) for run in runs}
    return {host.removeprefix("www.") for host in hosts} | {
        token for token in digits if len(token) > 2 and not re.fullmatch(r"(?:19|20)\d\d", token)
    }


@cache
def retired() -> Mapping[str, frozenset[str]]:
    """Country -> numbers that led nowhere any more when last heard of; none may ever be shown there."""
    found: dict[str, frozenset[str]] = {}
    for _, row in _table(files("knowledge") / "retired.csv", ("country", "number", "what")):
        found[row["country"]] = found.get(row["country"], frozenset()) | {row["number"]}
    return found


def read_registry(path: Path | None = None) -> Registry:
    """Read and check the registry (`path`, or the one shipped).

    Raises HelplineError when a file is missing or a line breaks the schema.
    """
    here = files("knowledge")
    places = list(_table(here / "countries.csv", ("code", "name", "zone")))
    names = {place["code"]: place["name"] for _, place in places}
    source = path or here / "helplines.csv"
    rows = [_checked(source.name, line, cells, names) for line, cells in _table(source, _columns())]
    seen: set[tuple[str, str]] = set()
    for line, row in enumerate(rows, start=2):
        if (row.country, row.name) in seen:
            raise HelplineError(f"{source.name} line {line}: {row.name} is listed twice; remove one.")
        seen.add((row.country, row.name))
    return Registry(
        tuple(rows), names, {place["code"]: place["zone"] for _, place in places if place["zone"]}
    )


def _columns() -> tuple[str, ...]:
    return tuple(field.name for field in fields(Row))


def _table(source: Traversable, columns: tuple[str, ...]) -> Iterable[tuple[int, dict[str, str]]]:
    try:
        text = source.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise HelplineError(f"{source.name} cannot be read ({error}); reinstall hearken.") from error
    reader = csv.reader(text.splitlines())
    if tuple(next(reader, ())) != columns:
        raise HelplineError(f"{source.name} line 1: the columns must be {','.join(columns)}.")
    for line, cells in enumerate(reader, start=2):
        if len(cells) != len(columns):
            raise HelplineError(
                f"{source.name} line {line}: {len(columns)} cells needed, {len(cells)} found."
            )
        yield line, dict(zip(columns, cells, strict=True))


def _checked(file: str, line: int, cells: dict[str, str], names: Mapping[str, str]) -> Row:
    row = Row(**cells)
    shown = contact_tokens(f"{row.phone} | {row.sms}")
    faults = {
        "country must be an ISO 3166-1 alpha-2 code, or ZZ": row.country not in names and row.country != "ZZ",
        "name must not be empty": not row.name.strip(),
        "certainty must be high or medium; leave other rows out": row.certainty not in {"high", "medium"},
        "category is not one of the registry's": row.category not in CATEGORIES,
        "give a phone, sms or chat_url": not (row.phone or row.sms or row.chat_url),
        "phone must start with digits": bool(row.phone) and not re.match(r"[+*(]?\d", row.phone),
        "a number has 15 digits at most": any(len(token) > 15 for token in shown if token.isdigit()),
        "chat_url must start with http": bool(row.chat_url) and not row.chat_url.startswith("http"),
        "this number was retired; remove it": bool(shown & retired().get(row.country, frozenset())),
        "basis must name where the number is known from": not row.basis.strip(),
        "verified_at must be a date such as 2026-11-20": not re.fullmatch(
            r"(\d{4}-\d\d-\d\d)?", row.verified_at
        ),
    }
    for fix, broken in faults.items():
        if broken:
            raise HelplineError(f"{file} line {line}: {fix}.")
    return row
