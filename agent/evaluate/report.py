"""A report as tables for a terminal and as a JSON file. Knows its shape, not how it comes about."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent.errors import DataError
from agent.evaluate.replies import flattened
from agent.evaluate.tasks import Report

if TYPE_CHECKING:
    from rich.table import Table

__all__ = ["tables", "write"]

# What a terminal has room for, by task; JSON has every figure.
COLUMNS = {
    "emotions": ("view", "n", "weighted_f1", "accuracy", "macro_f1", "top3", "ece", "sure", "sure_right"),
    "intents": ("view", "n", "weighted_f1", "accuracy", "macro_f1", "majority_macro_f1", "top3", "ece"),
    "imhi": ("view", "n", "unparsed", "weighted_f1", "accuracy", "macro_f1", "ece", "why"),
    "imhi-asked": (
        "view",
        "n",
        "not parsed",
        "weighted_f1",
        "weighted_f1 of those parsed",
        "accuracy",
        "macro_f1",
    ),
    "risk": ("view", "n", "accuracy", "weighted_f1", "auroc", "sensitivity", "false_alarms", "ece"),
}
HEADINGS = {
    "view": "set",
    "n": "n",
    "weighted_f1": "weighted F1",
    "accuracy": "accuracy",
    "macro_f1": "macro F1",
    "majority_macro_f1": "macro F1 of the commonest",
    "top3": "top 3",
    "auroc": "AUROC",
    "sensitivity": "sensitive",
    "false_alarms": "false alarms",
    "ece": "ECE",
    "sure": "sure",
    "sure_right": "right when sure",
    "unparsed": "unparsed",
    "not parsed": "answers not parsed",
    "weighted_f1 of those parsed": "F1 of those parsed",
    "why": "not judged",
}
SHARES = {
    "severe": "high or imminent, escalated",
    "moderate": "moderate, escalated",
    "false_alarms": "false alarms",
    "level": "level right or accepted",
    "under_by_two": "two levels too low",
    "blocked": "bad, stopped as written",
    "every_way": "stopped every way",
    "each": "all ways, one by one",
    "by_shape": "for shape alone",
    "over_blocked": "good, cut",
}


def write(report: Mapping[str, object], path: Path) -> None:
    """Write the report as JSON; DataError when there is no such folder, or no room."""
    try:
        path.write_text(json.dumps(report, ensure_ascii=False, indent=1) + "\n", "utf-8")
    except OSError as error:
        raise DataError(
            f"{path} cannot be written ({error.strerror}); name a file in a folder that exists, with room."
        ) from error


def tables(report: Report) -> Iterator["Table"]:
    """Tables for rich: the rows, the cases by each reading, and how fast the readings were."""
    if report["task"] == "replies":
        yield from _answers(report)
        return
    if report["rows"]:
        yield _rows(report)
    for name, judged in report["cases"].items():
        yield _cases(name, judged)
    if speed := report["speed"]:
        names = [key.replace("_", " ") for key in speed]
        yield _table("speed", names, [[str(value) for value in speed.values()]])


def _rows(report: Report) -> "Table":
    keys = COLUMNS[report["task"]]
    cells = [[_cell(row, key) for key in keys] for row in report["rows"]]
    for part, mean in report["mean"].items():
        name = {"view": f"mean of the sets ({part})", "weighted_f1": f"{mean:.3f}"}
        cells.append([name.get(key, "") for key in keys])
    return _table(report["task"], [HEADINGS[key] for key in keys], cells)


def _answers(report: Report) -> Iterator["Table"]:
    """A column for each source, since the figures are many; and how well the scorers themselves do."""
    flat = [flattened(row) for row in report["rows"]]
    names = dict.fromkeys(name for row in flat for name in row if not name.startswith("lints.of_due"))
    quiet = {name for name in names if "per_hundred" in name and not any(row.get(name) for row in flat)}
    told = [name for name in names if name not in quiet]
    cells = [[name.replace("_", " "), *(_short(row, name) for row in flat)] for name in told]
    yield _table("replies", ["", *(row["view"] for row in report["rows"])], cells)
    keys = ("n", "accuracy", "macro_f1", "auroc", "paper_accuracy", "paper_macro_f1")
    scorers = [(name, flattened(told)) for name, told in report["cases"]["scorers"].items()]
    cells = [[name, *(_short(told, key) for key in keys)] for name, told in scorers]
    yield _table("the scorers themselves", ["", *(key.replace("_", " ") for key in keys)], cells)


def _short(row: Mapping[str, float], name: str) -> str:
    return f"{row[name]:.3f}".rstrip("0").rstrip(".") if name in row else ""


def _cases(name: str, judged: Mapping[str, Mapping[str, Mapping[str, Any]]]) -> "Table":
    keys = [key for key in SHARES if key in judged["all"]["all"]]
    cells = [
        [column if value == "all" else f"{column} {value}", *(_share(shares[key]) for key in keys)]
        for column, values in judged.items()
        for value, shares in values.items()
    ]
    return _table(f"cases, by {name}", ["", *(SHARES[key] for key in keys)], cells)


def _table(title: str, headings: list[str], cells: list[list[str]]) -> "Table":
    from rich import box  # noqa: PLC0415 - only a terminal needs it
    from rich.table import Table  # noqa: PLC0415

    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for place, heading in enumerate(headings):
        # A figure that is cut off would be a wrong one; the first column may fold.
        width = max((len(line) for row in cells for line in row[place].split("\n")), default=0)
        table.add_column(heading, overflow="fold", min_width=width if place else None)
    for row in cells:
        table.add_row(*row)
    return table


def _cell(row: Mapping[str, Any], key: str) -> str:
    """A figure with its interval below, so that a table fits a terminal."""
    value = row.get(key)
    if value is None:
        return ""
    if key == "view":
        return "\n".join(filter(None, (str(value), row.get("head"), row["file"], row.get("part"))))
    if isinstance(value, Mapping):
        return _share(value)
    if isinstance(value, float):
        return f"{value:.3f}{_interval(row.get(f'{key}_95'))}"
    return str(value)


def _share(share: Mapping[str, Any]) -> str:
    if share["share"] is None:
        return "-"
    return f"{share['share']:.3f}{_interval(share['share_95'])}"


def _interval(ends: list[float] | None) -> str:
    return "\n" + "-".join(f"{end:.2f}".removeprefix("0") for end in ends) if ends else ""
