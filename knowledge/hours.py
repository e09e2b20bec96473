"""Whether a helpline is open: reads the hours as the registry writes them. Knows no lines and no people."""

import re
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

__all__ = ["is_open"]

ZONES = {"ET": "America/New_York", "CT": "America/Chicago", "AET": "Australia/Sydney"}
DAYS = {"weekdays": (0, 4), "Mon-Fri": (0, 4), "Mon-Sat": (0, 5), "Wed-Sun": (2, 6), "daily": (0, 6)}


def is_open(hours: str, zone: str, now: datetime | None) -> bool | None:
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
