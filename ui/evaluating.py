"""`hearken evaluate`: how well reading and guard do on labelled files, as a table and as JSON.

Figures only: a text is never printed.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar

import typer
from rich.console import Console

if TYPE_CHECKING:
    from agent.evaluate.tasks import Report
    from agent.reading.encoder import Encoder

__all__ = ["evaluate"]

evaluate = typer.Typer(no_args_is_help=True, help="Measure the reading and the guard on labelled files.")

Found = TypeVar("Found")
Data = Annotated[Path, typer.Option("--data", help="A file or a folder in the sets' own formats.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the report as JSON.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Lines of each source, spread evenly.")]


@evaluate.command()
def emotions(data: Data, out: Out = None, as_json: Json = False, limit: Limit = None) -> None:
    """The 32 emotions: EmpatheticIntents, EmpatheticDialogues, EDOS."""
    from agent.evaluate import tasks

    encoder = _encoder()
    with _counted(tasks.looking(encoder), quiet=as_json) as look:
        report = tasks.emotions(data, look, sure=encoder.heads.sure, limit=limit)
    _told(report, out, as_json=as_json)


@evaluate.command()
def intents(data: Data, out: Out = None, as_json: Json = False, limit: Limit = None) -> None:
    """The 9 intents, of a line and of the reply to it: EmpatheticIntents and -Dialogues, EDOS, ESConv."""
    from agent.evaluate import tasks

    with _counted(tasks.looking(_encoder()), quiet=as_json) as look:
        report = tasks.intents(data, look, limit=limit)
    _told(report, out, as_json=as_json)


@evaluate.command()
def imhi(data: Data, out: Out = None, as_json: Json = False, limit: Limit = None) -> None:
    """The IMHI benchmark, one row a set, and the human labels behind it."""
    from agent.evaluate import tasks

    with _counted(tasks.looking(_encoder()), quiet=as_json) as look:
        report = tasks.imhi(data, look, limit=limit)
    _told(report, out, as_json=as_json)


@evaluate.command()
def risk(  # noqa: PLR0913 - options of a command
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="Posts with labels; our cases if left out.")
    ] = None,
    part: Annotated[
        Literal["open", "sealed", "all"], typer.Option(help="Which of our cases; sealed ones only to report.")
    ] = "open",
    bar: Annotated[
        float | None, typer.Option(min=0, max=1, help="Probability from which a post counts as at risk.")
    ] = None,
    out: Out = None,
    as_json: Json = False,
    limit: Limit = None,
) -> None:
    """Danger: C-SSRS posts and the like by the encoder, our own cases by the whole reading."""
    from agent.evaluate import risk as dangers
    from agent.evaluate import tasks

    data = data or dangers.CASES
    if tasks.case_files(data):
        with _counted(_whole(), quiet=as_json) as whole:
            report = tasks.cases(data, {"rules": _rules(), "whole reading": whole}, part=part, limit=limit)
    else:
        encoder = _encoder()
        bars = {"danger": encoder.heads.danger.get("moderate", tasks.BAR)}
        if bar is not None:
            bars = {"danger": bar, "cssrs": bar}
        with _counted(tasks.looking(encoder), quiet=as_json) as look:
            report = tasks.risk(data, look, bars=bars, limit=limit)
    _told(report, out, as_json=as_json)


@evaluate.command()
def guard(
    *,
    data: Annotated[
        Path | None, typer.Option("--data", help="DiaSafety's CSV; our own replies if left out.")
    ] = None,
    part: Annotated[
        Literal["open", "sealed", "all"],
        typer.Option(help="Which of our own replies; sealed ones only to report."),
    ] = "open",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """The guard: how much it stops of replies that must never be said, and cuts from those that may."""
    from agent.evaluate import guard as guarding

    _told(guarding.outside(data) if data else guarding.canned(part), out, as_json=as_json)


@evaluate.command()
def plan(data: Data, out: Out = None, as_json: Json = False, limit: Limit = None) -> None:
    """The model of human supporters on ESConv's validation part, and what it changes in plans and words."""
    from agent.evaluate import planning, supporters
    from agent.responders.replies import bank
    from agent.supporter import FILES, load_supporter

    encoder, read = _encoder(), _read()
    told: dict[str, Any] = {"task": "plan", "data": str(data)}
    supporter = load_supporter(encoder.vector, bank(), encoder=encoder.name)
    with _counted(encoder.vector, quiet=as_json) as vector:
        told |= supporters.measured(data, FILES, cache(vector))
    with _counted(read, quiet=as_json) as counted:
        told["plans, beside the human's replies"] = planning.agreement(data, counted, supporter, limit=limit)
        told["replies to 100 openings"] = planning.variety(data, counted, supporter)
    text = json.dumps(told, ensure_ascii=False, indent=2)
    if out:
        out.write_text(text + "\n", "utf-8")
    typer.echo(text if as_json else supporters.summary(told))


def _read() -> Callable[[str], Any]:
    """What a message expresses taken alone, and how dangerous it is."""
    from agent.settings import load_settings
    from graph.read import read_message
    from graph.services import from_settings

    services = from_settings(load_settings())

    def read(text: str) -> tuple[Any, Any]:
        told = read_message(text, services)
        return told["reading"], told["risk"]["level"]

    return read


def _encoder() -> "Encoder":
    from agent.settings import load_settings
    from graph.services import encoder

    return encoder(load_settings())


def _whole() -> Callable[[str], Any]:
    """Rules and encoder together, as a conversation's first message would be read."""
    from agent.settings import load_settings
    from graph.read import read_message
    from graph.services import from_settings

    services = from_settings(load_settings())
    return lambda text: read_message(text, services)["risk"]


def _rules() -> Callable[[str], Any]:
    from agent.reading.assess import assess
    from agent.reading.rules import load_rules

    scan = load_rules().scan
    return lambda text: assess([scan(text)], answers=[], before=None, pending={})


@contextmanager
def _counted(read: Callable[[str], Found], *, quiet: bool) -> Iterator[Callable[[str], Found]]:
    """`read`, counted on a terminal while it runs."""
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

    columns = [SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("", total=None)

        def counted(text: str) -> Found:
            found = read(text)
            bar.advance(task)
            return found

        yield counted


def _told(report: "Report", out: Path | None, *, as_json: bool) -> None:
    from agent.evaluate.report import tables, write

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
