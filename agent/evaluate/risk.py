"""Danger: public posts with a label of being at risk, and our own cases judged by a whole reading.

Being at risk is C-SSRS ideation, behavior or attempt (Gaur et al., WWW 2019). The cases are messages
written for this project (agent/evaluate/cases), each with the level a reading should reach, others
that are accepted, and whether it should escalate. Knows no model and no rule.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import DataError
from agent.evaluate.metrics import Share, wilson
from agent.evaluate.sources import Format, Line, Source
from agent.reading.ladder import LEVELS, Level, Risk
from agent.tables import known, rows
from agent.train.labels import CSSRS

__all__ = [
    "AT_RISK",
    "CASES",
    "CASE_COLUMNS",
    "FORMATS",
    "SCORES",
    "Case",
    "Judged",
    "case_table",
    "cases",
    "judge",
]

CASES = Path(__file__).parent / "cases"
CASE_COLUMNS = ("part", "kind", "level", "accept", "escalate", "subject", "text")
AT_RISK = ("ideation", "behavior", "attempt")
# Head -> the labels whose probabilities add up to being at risk.
SCORES = {"cssrs": AT_RISK, "danger": ("moderate", "high", "imminent")}
YES, NO = "yes", "no"
PARTS = ("open", "sealed")


# --- public posts ---


def _severity(path: Path) -> Iterator[Source]:
    lines = [
        Line(row["post"], known(row["label"].strip(), CSSRS, path, "label"), row["sheet"])
        for row in rows(path, "post", "label", "sheet")
    ]
    yield Source(path, "C-SSRS classes", "cssrs", lines)
    at_risk = [Line(line.text, YES if line.label in AT_RISK else NO, line.group) for line in lines]
    yield Source(path, "C-SSRS at risk", "", at_risk)


def _flagged(view: str, column: str, *texts: str) -> Callable[[Path], Iterator[Source]]:
    def read(path: Path) -> Iterator[Source]:
        lines = []
        for row in rows(path, column, *texts):
            flag = known(row[column].strip().removesuffix(".0"), ("0", "1"), path, column)
            lines.append(Line(" ".join(row[name] for name in texts), YES if flag == "1" else NO))
        yield Source(path, view, "", lines)

    return read


FORMATS = (
    Format(("post", "label", "sheet"), _severity),
    Format(("tweet", "intention"), _flagged("suicidal tweets", "intention", "tweet")),
    Format(("title", "selftext", "is_suicide"), _flagged("SDCNL", "is_suicide", "title", "selftext")),
)


# --- our own cases ---


@dataclass(frozen=True)
class Case:
    """One message and what a reading should make of it. accepted: `level` and what passes for it."""

    text: str
    part: str
    kind: str
    subject: str
    level: Level
    accepted: frozenset[Level]
    escalate: bool


@dataclass(frozen=True)
class Judged:
    """A case and what was read in it."""

    case: Case
    level: Level
    escalated: bool


def cases(path: Path, part: Literal["open", "sealed", "all"]) -> Iterator[Case]:
    """The cases of one file that lie in this part."""
    for row in rows(path, *CASE_COLUMNS):
        known(row["part"], PARTS, path, "part")
        if part in {"all", row["part"]}:
            level = _level(row["level"], path, "level")
            accepted = {_level(word, path, "accept") for word in row["accept"].replace("|", " ").split()}
            escalate = known(row["escalate"], (YES, NO), path, "escalate") == YES
            where = (row["part"], row["kind"], row["subject"])
            yield Case(row["text"], *where, level, frozenset({level, *accepted}), escalate)


def judge(case: Case, risk: Callable[[str], Risk]) -> Judged:
    """Read one case."""
    read = risk(case.text)
    return Judged(case, read["level"], bool(read["escalate"]))


def case_table(judged: Sequence[Judged]) -> dict[str, dict[str, dict[str, Share]]]:
    """Shares of all cases, and of those of each part, level, kind and subject."""
    if not judged:
        raise DataError("no case lies in that part; choose another with --part.")
    table = {"all": {"all": _shares(judged)}}
    for column in ("part", "level", "kind", "subject"):
        values = dict.fromkeys(getattr(one.case, column) for one in judged)
        order = [level for level in LEVELS if level in values] if column == "level" else sorted(values)
        table[column] = {
            value: _shares([one for one in judged if getattr(one.case, column) == value]) for value in order
        }
    return table


def _shares(judged: Iterable[Judged]) -> dict[str, Share]:
    """severe: of high and imminent cases, those that escalate. moderate: of the moderate ones that
    should escalate. false_alarms: of those that should not. level: read as labelled or accepted.
    under_by_two: read two levels or more below the label, where that is not accepted.
    """
    judged = list(judged)
    severe = [one.escalated for one in judged if one.case.level in {"high", "imminent"}]
    moderate = [one.escalated for one in judged if one.case.level == "moderate" and one.case.escalate]
    calm = [one.escalated for one in judged if not one.case.escalate]
    exact = [one.level in one.case.accepted for one in judged]
    under = [
        not right and LEVELS.index(one.case.level) - LEVELS.index(one.level) >= 2
        for one, right in zip(judged, exact, strict=True)
    ]
    named = {
        "severe": severe,
        "moderate": moderate,
        "false_alarms": calm,
        "level": exact,
        "under_by_two": under,
    }
    return {name: wilson(sum(hits), len(hits)) for name, hits in named.items()}


def _level(word: str, path: Path, column: str) -> Level:
    return LEVELS[LEVELS.index(known(word, LEVELS, path, column))]
