"""A folder of reports as one HTML page that needs nothing from anywhere, and as Markdown for a model card.

Takes whatever reports hold: numbers become a table, intervals a plot, a run's losses a curve. Knows no task.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from string import Template
from typing import Any, NamedTuple

from agent.errors import DataError

__all__ = ["Figure", "figures", "markdown", "page", "reports"]

PAGE = Path(__file__).with_name("page.html")
WIDE, HIGH, LEFT = 640, 22, 260
DEEP = 3  # marks in the name of a figure from which it is a finer one


class Figure(NamedTuple):
    """A number by its place in the report; interval: its 95 % one, where there is any."""

    name: str
    value: float
    interval: tuple[float, float] | None


def reports(folder: Path) -> dict[str, dict[str, Any]]:
    """Name -> report, of every JSON file that is one (it says its `task`). DataError when there is none."""
    found: dict[str, dict[str, Any]] = {}
    for path in sorted(folder.rglob("*.json")):
        try:
            told = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        if isinstance(told, dict) and isinstance(told.get("task"), str):
            found[path.relative_to(folder).with_suffix("").as_posix()] = told
    if not found:
        raise DataError(f"{folder} holds no report; write some there with `hearken evaluate … --out`.")
    return found


def figures(told: Mapping[str, Any], before: str = "") -> Iterator[Figure]:
    """The numbers of a report, in order; lists of rows by what each row calls itself."""
    for key, value in told.items():
        name = f"{before} · {key}" if before else key
        if key.endswith("_95") or isinstance(value, bool) or key in {"items", "recipe", "samples", "speed"}:
            continue
        if isinstance(value, Mapping) and "share" in value:
            if value["share"] is not None:
                yield Figure(name, float(value["share"]), _pair(value.get("share_95")))
        elif isinstance(value, Mapping):
            yield from figures(value, name)
        elif isinstance(value, int | float):
            yield Figure(name, float(value), _pair(told.get(f"{key}_95")))
        elif isinstance(value, Sequence) and not isinstance(value, str):
            for place, one in enumerate(value):
                if isinstance(one, Mapping):
                    called = one.get("view") or one.get("set") or one.get("name") or one.get("alpha") or place
                    yield from figures(one, f"{before or key} · {called}" if before else str(called))


def page(found: Mapping[str, Mapping[str, Any]]) -> str:
    """The whole page."""
    sections = "\n".join(_section(name, told) for name, told in found.items())
    return Template(PAGE.read_text("utf-8")).substitute(sections=sections)


def markdown(found: Mapping[str, Mapping[str, Any]]) -> str:
    """A table a report: figure, value, 95 % interval; what is finer is counted, and stands on the page."""
    parts = []
    for name, told in found.items():
        listed, finer = _parted(figures(told))
        rows = [f"| {one.name} | {one.value:.4g} | {_told(one.interval)} |" for one in listed]
        rows += [f"| + {len(finer)} | | |"] if finer else []
        parts.append(
            "\n".join(
                [f"## {name} ({told['task']})", "", "| figure | value | 95 % |", "|---|---|---|", *rows]
            )
        )
    return "\n\n".join(parts) + "\n"


def _section(name: str, told: Mapping[str, Any]) -> str:
    listed, finer = _parted(figures(told))
    more = f"<details><summary>+ {len(finer)}</summary>{_table(finer)}</details>" if finer else ""
    about = ", ".join(str(told[key]) for key in ("data", "model") if isinstance(told.get(key), str))
    return (
        f"<h2>{escape(name)} <small>{escape(told['task'])}</small></h2><p><small>{escape(about)}</small></p>"
        f"{_curve(told.get('validation loss'))}{_bars([one for one in listed if one.interval])}"
        f"{_table(listed)}{more}"
    )


def _parted(found: Iterator[Figure]) -> tuple[list[Figure], list[Figure]]:
    """Those of a whole row, and the finer ones: by class, by rule, by case."""
    listed = list(found)
    finer = [one for one in listed if one.name.count(" · ") >= DEEP]
    return [one for one in listed if one.name.count(" · ") < DEEP], finer


def _table(listed: Sequence[Figure]) -> str:
    rows = "".join(
        f"<tr><td>{escape(one.name)}</td><td>{one.value:.4g}</td><td>{_told(one.interval)}</td></tr>"
        for one in listed
    )
    return f'<div class="wide"><table>{rows}</table></div>'


def _bars(listed: Sequence[Figure]) -> str:
    """Horizontal bars of figures between 0 and 1, their intervals across them."""
    fit = [one for one in listed if one.interval and 0 <= one.value <= 1 and one.interval[1] <= 1][:40]
    if not fit:
        return ""
    scale, drawn = WIDE - LEFT - 60, []
    for row, one in enumerate(fit):
        top, (low, high) = row * HIGH, one.interval or (0.0, 0.0)
        drawn.append(
            f'<text x="{LEFT - 8}" y="{top + 15}" text-anchor="end">{escape(one.name[-40:])}</text>'
            f'<rect class="bar" x="{LEFT}" y="{top + 5}" width="{scale * one.value:.1f}" height="12"/>'
            f'<path class="ci" d="M{LEFT + scale * max(low, 0):.1f} {top + 11}H{LEFT + scale * high:.1f}"/>'
            f'<text x="{LEFT + scale + 8}" y="{top + 15}">{one.value:.3f}</text>'
        )
    return f'<svg viewBox="0 0 {WIDE} {HIGH * len(fit) + 4}" role="img">{"".join(drawn)}</svg>'


def _curve(losses: object) -> str:
    """Validation loss over steps."""
    points = [(one["step"], one["loss"]) for one in losses] if isinstance(losses, list) else []
    if len(points) < 2:
        return ""
    steps, values = [step for step, _ in points], [loss for _, loss in points]
    low, span = min(values), (max(values) - min(values)) or 1.0
    wide = max(1, steps[-1] - steps[0])
    path = "L".join(
        f"{40 + 560 * (step - steps[0]) / wide:.1f} {150 - 120 * (loss - low) / span:.1f}"
        for step, loss in points
    )
    marks = (
        (4, 34, f"{max(values):.3f}"),
        (4, 154, f"{low:.3f}"),
        (40, 172, steps[0]),
        (560, 172, steps[-1]),
    )
    ends = "".join(f'<text x="{x}" y="{y}">{text}</text>' for x, y, text in marks)
    return f'<svg viewBox="0 0 {WIDE} 180" role="img"><path class="run" d="M{path}"/>{ends}</svg>'


def _pair(value: object) -> tuple[float, float] | None:
    return (float(value[0]), float(value[1])) if isinstance(value, list) and len(value) == 2 else None


def _told(interval: tuple[float, float] | None) -> str:
    return f"{interval[0]:.3g} to {interval[1]:.3g}" if interval else ""
