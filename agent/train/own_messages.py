"""Our own messages, written for this project, as rows to learn from: wants, risk with its cases, what only
hints at danger, ordinary talks, and grave lines.

The sealed part of the cases is never a row. Knows nothing of the public sets.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import itemgetter
from pathlib import Path

from agent.reading.ladder import KINDS, Kind
from agent.tables import rows as _csv
from agent.train.sets import Reader, Row

__all__ = ["OWN", "case_rows", "own_rows"]


def own_rows(name: str) -> list[dict[str, str]]:
    """The rows of one of our own tables beside this file: `wants`, `risk`, `oblique`,
    `ordinary` or `grave`."""
    return list(_csv(Path(__file__).parent / f"{name}.csv", "text"))


def case_rows() -> list[dict[str, str]]:
    """The risk cases under agent/evaluate/cases, every part."""
    folder = Path(__file__).parents[1] / "evaluate" / "cases"
    return [
        row for path in sorted(folder.glob("*.csv")) for row in _csv(path, "part", "kind", "level", "text")
    ]


def _wants(data: Path) -> Iterator[Row]:
    del data
    for row in own_rows("wants"):
        targets = {"want": {row["want"]: 1.0}, "danger": {"none" if row["want"] != "vent" else "low": 1.0}}
        yield Row(row["text"], "wants", targets, held=row["part"] == "test")


# The kinds our messages are filed under -> the ladder's. Worry about somebody is a subject, not a kind.
KIND: Mapping[str, Kind | None] = {
    **{kind: kind for kind in KINDS},
    "violence": "harm_to_others",
    "eating": "eating_disorder",
    "bereavement": "bereaved",
    "third_party": None,
}


def _dangers(data: Path) -> Iterator[Row]:
    """Messages written to train on, and the open part of the cases; the sealed part is never read."""
    del data
    cases = (row for row in case_rows() if row["part"] == "open")
    yield from _of_danger((*own_rows("risk"), *cases), "dangers")


def _of_danger(rows: Iterable[Mapping[str, str]], source: str) -> Iterator[Row]:
    for row in rows:
        targets: dict[str, dict[str, float]] = {"danger": {row["level"]: 1.0}}
        if row["level"] not in {"none", "low"}:
            targets["danger_subject"] = {row["subject"]: 1.0}
            kind = KIND[row["kind"]]
            if kind == "medical" and row["escalate"] == "no":
                kind = "medication"
            if kind:
                targets["danger_kind"] = {kind: 1.0}
        yield Row(row["text"], source, targets)


def _oblique(data: Path) -> Iterator[Row]:
    """Danger that is only hinted at, and lines that sound like it and tell of none."""
    del data
    yield from _of_danger(own_rows("oblique"), "oblique")


def _grave(data: Path) -> Iterator[Row]:
    """Lines that sound grave, terse and final, and tell of no danger: a pet's death, a box from work."""
    del data
    for row in own_rows("grave"):
        yield Row(row["text"], "grave", {"danger": {"none": 1.0}})


FIRST = (0.65, 0.35)  # of two things that a message does, the one a listener would rather answer
TOGETHER = 3  # messages of a talk that are read as one, as `graph.perceiving` does


def _ordinary(data: Path) -> Iterator[Row]:
    """The person's side of talks in which nobody is in danger: each message, with what it does where that
    was told apart (one label, or two that a listener might answer), and some in a row as one."""
    del data
    calm = {"danger": {"none": 1.0}}
    for talk, lines in groupby(own_rows("ordinary"), key=itemgetter("talk")):
        rows = list(lines)
        for row in rows:
            labels = row["told"].split()
            does = dict(zip(labels, FIRST, strict=True)) if len(labels) > 1 else dict.fromkeys(labels, 1.0)
            known = {**calm, "telling": does} if labels else calm
            yield Row(row["text"], "ordinary", known, group=f"ordinary {talk}")
        told = [row["text"] for row in rows]
        for at in range(0, len(told) - 1, TOGETHER):
            run = "\n".join(told[at : at + TOGETHER])
            yield Row(run, "ordinary", calm, group=f"ordinary {talk}")


OWN: Mapping[str, Reader] = {
    "wants": _wants,
    "dangers": _dangers,
    "oblique": _oblique,
    "ordinary": _ordinary,
    "grave": _grave,
}
