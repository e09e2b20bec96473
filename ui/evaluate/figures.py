"""What the commands of `hearken evaluate` share: what is measured, the options, and how figures are shown.

Knows nothing of how figures come about. A text is never printed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer
from rich.console import Console

from agent.errors import DataError

if TYPE_CHECKING:
    from agent.evaluate.tasks import Report
    from agent.settings import Settings

__all__ = [
    "Data",
    "Json",
    "Limit",
    "Model",
    "Out",
    "counted",
    "printed",
    "report_of",
    "settings_of",
    "told",
]

Found = TypeVar("Found")
Said = TypeVar("Said")
Data = Annotated[Path, typer.Option("--data", help="A file or a folder in the sets' own formats.")]


def _place(path: Path | None) -> Path | None:
    """The report's file, whose folder is there: it would be sad to learn after an hour that it is not."""
    if path is None:
        return None
    if path.is_dir():
        raise DataError(f"{path} is a folder: name a file in it, such as {path / 'report.json'}.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DataError(f"{path} cannot be written ({error.strerror}): name another place.") from error
    return path


Out = Annotated[Path | None, typer.Option("--out", help="Write the report as JSON.", callback=_place)]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Lines of each source, spread evenly.")]
Model = Annotated[
    str, typer.Option("--model", help="`guided`, hub id, folder, proxy.json; the settings' if left out.")
]


@contextmanager
def counted(read: Callable[[Said], Found], *, quiet: bool) -> Iterator[Callable[[Said], Found]]:
    """`read`, counted on a terminal while it runs."""
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

    columns = [SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("", total=None)

        def counted(text: Said) -> Found:
            found = read(text)
            bar.advance(task)
            return found

        yield counted


def told(report: "Report", out: Path | None, *, as_json: bool, engine: str = "local") -> None:
    from agent.evaluate.report import tables, write

    if engine != "local":
        report = {**report, "speed": {}}  # what was timed is looking things up
    if out:
        write(report, out)
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False)
    for table in tables(report):
        console.print(table)
    if report["skipped"]:
        console.print(f"Not of this task: {', '.join(report['skipped'])}", style="dim", markup=False)


def settings_of(name: str) -> "Settings":
    """The settings of this installation with that model as the responder.

    Raises ResponderError where the model is not there: the app would answer with authored sentences instead,
    and they would be measured under its name.
    """
    settings = _settings_of(name)
    backend = settings.backend
    if backend.kind in {"huggingface", "proxy"}:
        from agent.llm.model_files import find

        names = [getattr(backend, field, "") for field in ("model", "base", "expert", "anti_expert")]
        for one in filter(None, names):
            find(one)
    return settings


def _settings_of(name: str) -> "Settings":
    from agent.settings import load_settings

    settings = load_settings()
    if name in {"", "settings"}:
        return settings
    if name == "guided":
        return settings.model_copy(update={"responder": name})
    if name.endswith(".json"):
        try:
            told = json.loads(Path(name).read_text("utf-8"))["settings"]
            fields = {field: told[field] for field in ("base", "expert", "anti_expert", "alpha")}
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{name} is no report and no proxy.json of `hearken train proxy-pair`."
            ) from error
        if not fields["base"]:
            raise DataError(f"{name} names no base: train the pair with --base, or write it there.")
        return settings.model_copy(update={"responder": "proxy", **fields})
    return settings.model_copy(update={"responder": "huggingface", "model": name})


def printed(figures: Mapping[str, Any], told: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False, markup=False)
    for name, value in figures.items():
        console.print(f"{name}: {_plain(value)}", soft_wrap=True)


def _plain(value: Any) -> str:
    """A figure of a report in a line: shares as counts, intervals as what they lie between."""
    if isinstance(value, Mapping):
        if {"hits", "n"} <= value.keys():
            low, high = value.get("share_95") or (0.0, 1.0)
            return f"{value['hits']} of {value['n']} ({low:.0%} to {high:.0%})" if value["n"] else "none of 0"
        return ", ".join(f"{name.removesuffix('_95')} {_plain(one)}" for name, one in value.items())
    if isinstance(value, list) and len(value) == 2:
        return f"({value[0]} to {value[1]})"
    return str(value)


def report_of(path: Path) -> dict[str, Any]:
    """What `--out` wrote there. Raises DataError where nothing can be read."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON; write it anew with --out.") from error
    return told if isinstance(told, dict) else {}
