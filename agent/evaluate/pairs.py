"""One report against another of the same items: how much more A has than B, by a paired bootstrap.

Items are drawn anew together with both their scores, so what is easy or hard for both does not blur the
difference. Knows no task: any report with `items`, and the people of two reports of conversations.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from agent.errors import DataError
from agent.evaluate.generation import compared

__all__ = ["paired"]


def paired(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, Any]:
    """Figure -> `generation.compared`. Raises DataError when they have no items in common."""
    if ours.get("task") != theirs.get("task"):
        raise DataError("The reports are of different tasks; name two of one task.")
    other = dict(_items(theirs))
    found: dict[str, Any] = {}
    for name, scores in _items(ours):
        if name in other and len(other[name]) == len(scores) > 1:
            found[name] = {"n": len(scores), **compared(scores, other[name])}
    if not found:
        raise DataError("The reports have no items in common: measure both on the same data and --limit.")
    return found


def _items(report: Mapping[str, Any]) -> Iterator[tuple[str, Sequence[float]]]:
    yield from dict(report.get("items") or {}).items()
    if report.get("task") == "conversations":
        people = sorted(report["rows"][1:], key=lambda row: str(row["view"]))
        names = ", ".join(str(row["view"]) for row in people)
        # under the names, so that other people are no pairs
        yield f"checks held by {names}", [float(row["checks"]["share"]) for row in people]
        yield f"not let down of {names}", [float(not row["failures"]) for row in people]
