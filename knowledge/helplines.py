"""The helpline registry: whom a person can reach, by country, kind of danger, and hour.

Contacts are looked up in `helplines.csv`, never searched by similarity and never written by a model;
a country without rows gets international directories, never another country's number. Knows nothing
of conversations, models, or what a reply says.

Normal form of what a reply may name (`Helplines.allowed`, `contact_tokens`): a phone number, short
code or text code is its digits only (`"13 11 14"` -> `131114`); a web address or e-mail is its host in
lower case without `www.` (`988lifeline.org`). Words such as SHOUT are not tokens.
"""

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import NamedTuple, TypedDict
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["Age", "Contact", "HelplineError", "Helplines", "contact_tokens", "load_helplines"]

CHECK = "check this number"
FRESH = timedelta(days=180)
EXPIRES = timedelta(days=365)
CRISIS = ("suicide_crisis", "general")
CATEGORIES = {
    *("emergency", "suicide_crisis", "general", "child_youth", "domestic_violence", "poison", "substance"),
    *("eating_disorder", "perinatal", "lgbtq", "sexual_assault", "veterans", "directory"),
}
# Kind of danger -> its own category; kinds not named here go straight to the crisis lines.
SPECIAL = {
    "overdose": "poison",
    "medication": "poison",
    "abuse": "domestic_violence",
    "sexual_assault": "sexual_assault",
    "minor": "child_youth",
    "eating_disorder": "eating_disorder",
    "substance": "substance",
    "perinatal": "perinatal",
}
# The body, or someone else, may be in danger within minutes: emergency first as soon as it is high.
EMERGENCY_FIRST = {"overdose", "medical", "substance", "eating_disorder", "harm_to_others", "perinatal"}
CHILDREN = {"child_youth", "under_19", "ages_5_25", "child_abuse"}
YOUTH = {"child_youth", "under_19", "ages_5_25", "youth", "under_25", "youth_under35"}
# For some people only: never offered unasked, since nothing here knows who the person is.
SELECT = {"indigenous", "domestic_violence_men", "veterans", "lgbtq", "lgbtq_youth", "trans"}
NARROW = {"english_speakers", "disaster", "overdose_prevention", "social_emergency", "child_protection"}
FIRST = {"GB": "Samaritans", "IE": "Samaritans"}
RETIRED = {
    "KR": {"1393"},
    "SG": {"18002214444"},
    "IT": {"199284284"},
    "CA": {"18334564566"},
    "IN": {"18005990019"},
    "US": {"18009312237", "18002738255"},
}
ZONES = {"ET": "America/New_York", "CT": "America/Chicago", "AET": "Australia/Sydney"}
DAYS = {"weekdays": (0, 4), "Mon-Fri": (0, 4), "Mon-Sat": (0, 5), "Wed-Sun": (2, 6), "daily": (0, 6)}


class HelplineError(Exception):
    """The registry is missing or breaks its schema; the message names file, line and fix."""


class Contact(TypedDict):
    """One row for the card; "" when absent. note: "" or "check this number"."""

    country: str
    name: str
    phone: str
    sms: str
    chat_url: str
    hours: str
    category: str
    certainty: str
    note: str
    verified_at: str


class Age(NamedTuple):
    """How stale the registry is. rows: all; verified: dialled within 180 days; oldest: earliest date."""

    rows: int
    verified: int
    oldest: date | None


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


@dataclass(frozen=True)
class Helplines:
    """The registry in memory. names: ISO 3166-1 alpha-2 -> English name; zones: code -> IANA zone."""

    rows: tuple[Row, ...]
    names: Mapping[str, str]
    zones: Mapping[str, str]

    def contacts(  # noqa: PLR0913 - what the choice depends on, each by name
        self,
        country: str | None,
        kinds: Sequence[str],
        *,
        level: str,
        young: bool = False,
        cannot_speak: bool = False,
        now: datetime | None = None,
        limit: int = 3,
    ) -> list[Contact]:
        """At most `limit` contacts for this danger, best first.

        kinds: worst first. young: offer lines for children and young people. cannot_speak: text and
        chat before calls. now: an aware time, or the wall clock where the person is; without it only
        round-the-clock lines count as open. Imminent puts emergency first; high puts it first for
        dangers to the body and last otherwise; moderate has none. Without rows for the country the
        result is directories, which have no phone number.
        """
        asked = [kind for kind in dict.fromkeys(kinds) if kind != "distress"] or ["distress"]
        lines = _shuffle([self._lines(country, kind, young, cannot_speak, now) for kind in asked])
        emergency = self._of(country, "emergency")[:1] if level in {"high", "imminent"} else []
        if emergency and set(asked) == {"medical"}:
            lines = []
        elif not lines:
            lines = self._directories(young)[: 1 if emergency else 2]
        if not emergency:
            chosen = lines[:1] + _second(lines, len(asked) > 1 or young)
        elif level == "imminent" or EMERGENCY_FIRST & set(asked):
            chosen = emergency + lines[: limit - 1]
        else:
            chosen = lines[: limit - 1] + emergency
        found = [_contact(row, now) for row in chosen[:limit]]
        if any(contact["verified_at"] for contact in found):
            # beside a number that somebody dialled, one that nobody did must not pass for the same
            for contact in found:
                contact["note"] = contact["note"] or ("" if contact["verified_at"] else CHECK)
        return found

    def emergency(self, country: str | None) -> Contact | None:
        """The country's emergency number, or None when not known."""
        return next((_contact(row, None) for row in self._of(country, "emergency")), None)

    def allowed(self, country: str | None) -> frozenset[str]:
        """Every token (see the module) a reply to this country may name, directories included."""
        found: set[str] = set()
        for row in self.rows:
            if row.country in {country, "ZZ"}:
                found |= contact_tokens(f"{row.name} | {row.phone} | {row.sms} | {row.chat_url}")
                found |= contact_tokens(row.notes if row.country == country else "")
        return frozenset(found - RETIRED.get(country or "", set()))

    def countries(self) -> dict[str, str]:
        """ISO 3166-1 alpha-2 code -> English short name, all 249."""
        return dict(self.names)

    def known(self, country: str) -> bool:
        """Whether this is an ISO 3166-1 alpha-2 code."""
        return country in self.names

    def covered(self) -> set[str]:
        """The countries with at least one row."""
        return {row.country for row in self.rows} - {"ZZ"}

    def age(self, today: date) -> Age:
        """How many rows somebody has dialled lately, and the oldest date on record."""
        dates = [date.fromisoformat(row.verified_at) for row in self.rows if row.verified_at]
        return Age(len(self.rows), sum(today - seen <= FRESH for seen in dates), min(dates, default=None))

    def expired(self, today: date) -> list[Row]:
        """The rows dialled so long ago that no release should carry them."""
        return [
            row
            for row in self.rows
            if row.verified_at and today - date.fromisoformat(row.verified_at) > EXPIRES
        ]

    def _of(self, country: str | None, category: str) -> list[Row]:
        return [row for row in self.rows if row.country == country and row.category == category]

    def _directories(self, young: bool) -> list[Row]:
        wanted = [row for row in self._of("ZZ", "directory") if young or row.audience == "general"]
        return sorted(
            wanted, key=lambda row: ("findahelpline" not in row.chat_url, row.audience == "general")
        )

    def _lines(
        self, country: str | None, kind: str, young: bool, mute: bool, now: datetime | None
    ) -> list[Row]:
        crisis = [row for category in CRISIS for row in self._ranked(country, category, mute, now)]
        special = self._ranked(country, SPECIAL.get(kind, ""), mute, now)
        if kind == "minor":
            return [row for row in special if row.audience in CHILDREN] + crisis
        special = [row for row in special if young or row.audience != "teen_dating_abuse"]
        youth = [row for row in self._ranked(country, "child_youth", mute, now) if row.audience in YOUTH]
        youth = [row for row in youth if row.certainty == "high"][:1] if young else []
        lead = special[:1] or crisis[:1]
        return list(dict.fromkeys(lead + youth + crisis + special))

    def _ranked(self, country: str | None, category: str, mute: bool, now: datetime | None) -> list[Row]:
        def rank(row: Row) -> tuple[bool, ...]:
            is_open = _open(row.hours, self.zones.get(row.country, ""), now)
            return (
                mute and not _by_text(row),
                not row.name.startswith(FIRST.get(row.country, "\0")),
                row.audience in NARROW,
                is_open is False,
                is_open is None,
                not row.hours.startswith("24/7"),
                row.certainty != "high",
                not row.phone,
                not row.sms,
            )

        return sorted((row for row in self._of(country, category) if row.audience not in SELECT), key=rank)


def contact_tokens(text: str) -> set[str]:
    """Every phone-like number (three digits or more, years left out) and web or e-mail host in `text`."""
    hosts = re.findall(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", text.lower())
    rest = re.sub(r"(?i)\S*(?:[a-z0-9-]+\.)+[a-z]{2,}\S*", "|", text)
    runs: list[str] = re.findall(r"[+*(]*\d[\d\s().-]*", rest)
    digits = {re.sub(r"\D", "", run) for run in runs}
    return {host.removeprefix("www.") for host in hosts} | {
        token for token in digits if len(token) > 2 and not re.fullmatch(r"(?:19|20)\d\d", token)
    }


def load_helplines(path: Path | None = None) -> Helplines:
    """Read and check the registry (`path`, or the one shipped); the result is cached.

    Raises HelplineError when the file is missing or a line breaks the schema.
    """
    return _load(path)


@cache
def _load(path: Path | None) -> Helplines:
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
    return Helplines(
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
        "this number was retired; remove it": bool(shown & RETIRED.get(row.country, set())),
        "basis must name where the number is known from": not row.basis.strip(),
        "verified_at must be a date such as 2026-11-20": not re.fullmatch(
            r"(\d{4}-\d\d-\d\d)?", row.verified_at
        ),
    }
    for fix, broken in faults.items():
        if broken:
            raise HelplineError(f"{file} line {line}: {fix}.")
    return row


def _contact(row: Row, now: datetime | None) -> Contact:
    stale = False
    if row.verified_at and now:
        stale = now.date() - date.fromisoformat(row.verified_at) > FRESH
    return Contact(
        country=row.country,
        name=row.name,
        phone=row.phone,
        sms=row.sms,
        chat_url=row.chat_url,
        hours=row.hours,
        category=row.category,
        certainty=row.certainty,
        note=CHECK if stale or row.certainty == "medium" else "",
        verified_at=row.verified_at,
    )


def _by_text(row: Row) -> bool:
    return bool(row.sms) or "chat" in row.chat_url


def _second(lines: list[Row], mixed: bool) -> list[Row]:
    """At moderate: one more line only for another need, another channel, or another language."""
    if not lines or mixed:
        return lines[1:2]
    first = lines[0]
    if first.audience.startswith("general_"):
        return [
            row for row in lines[1:] if row.audience.startswith("general_") and row.audience != first.audience
        ][:1]
    return [] if _by_text(first) else [row for row in lines[1:] if _by_text(row)][:1]


def _shuffle(columns: list[list[Row]]) -> list[Row]:
    """The best row of every kind first, then what is left of each, without repeats."""
    heads = [column[0] for column in columns if column]
    return list(dict.fromkeys(heads + [row for column in columns for row in column]))


def _open(hours: str, zone: str, now: datetime | None) -> bool | None:
    """Whether a line with these hours is open at `now`; None when that cannot be told."""
    if hours.startswith("24/7"):
        return True
    clock = r"(\d{1,2})(?:[:.](\d\d))?(am|pm)?"
    named = "|".join(DAYS)
    found = re.fullmatch(
        rf"(?:({named}) )?{clock}-(?:{clock}|(midnight))(?: ({named}))?(?: (ET|CT|AET))?", hours
    )
    there = _local(now, ZONES.get(found[10], zone) if found else zone)
    if found is None or there is None:
        return None
    start, end = _minutes(*found.group(2, 3, 4)), 1440 if found[8] else _minutes(*found.group(5, 6, 7))
    first, last = DAYS[found[1] or found[9] or "daily"]
    minute = there.hour * 60 + there.minute
    within = start <= minute < end if start < end else minute >= start or minute < end
    return within and first <= there.weekday() <= last


def _local(now: datetime | None, zone: str) -> datetime | None:
    if now is None or now.tzinfo is None:
        return now
    try:
        return now.astimezone(ZoneInfo(zone)) if zone else None
    except ZoneInfoNotFoundError:  # no zone data on this machine: the hour there cannot be told
        return None


def _minutes(hour: str, minute: str | None, half: str | None) -> int:
    hours = int(hour) % 12 + (12 if half == "pm" else 0) if half else int(hour)
    return hours * 60 + int(minute or 0)
