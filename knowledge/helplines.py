"""The helplines: whom a person can reach, by country, kind of danger, and hour.

Contacts are looked up in the registry, never searched by similarity and never written by a model;
a country without rows gets international directories, never another country's number. Knows nothing
of conversations, models, or what a reply says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import NamedTuple, TypedDict

from knowledge.hours import is_open
from knowledge.registry import HelplineError, Row, contact_tokens, read_registry, retired

__all__ = ["Age", "Contact", "HelplineError", "Helplines", "contact_tokens", "load_helplines"]

CHECK = "check this number"
FRESH = timedelta(days=180)
EXPIRES = timedelta(days=365)
CRISIS = ("suicide_crisis", "general")
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
        return frozenset(found - retired().get(country or "", frozenset()))

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
            open_now = is_open(row.hours, self.zones.get(row.country, ""), now)
            return (
                mute and not _by_text(row),
                not row.name.startswith(FIRST.get(row.country, "\0")),
                row.audience in NARROW,
                open_now is False,
                open_now is None,
                not row.hours.startswith("24/7"),
                row.certainty != "high",
                not row.phone,
                not row.sms,
            )

        return sorted((row for row in self._of(country, category) if row.audience not in SELECT), key=rank)


def load_helplines(path: Path | None = None) -> Helplines:
    """Read and check the registry (`path`, or the one shipped); the result is cached.

    Raises HelplineError when the file is missing or a line breaks the schema.
    """
    return _load(path)


@cache
def _load(path: Path | None) -> Helplines:
    return Helplines(*read_registry(path))


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
