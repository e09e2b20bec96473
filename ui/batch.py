"""`hearken read --file`: reads a whole file with a progress bar. Never prints what it reads."""

import json
from pathlib import Path

import typer
from rich.console import Console
from rich.markup import escape

__all__ = ["read_all"]


def read_all(  # noqa: PLR0913 - options of a command
    source: Path,
    out: Path,
    *,
    column: str,
    with_text: bool,
    resume: bool,
    as_json: bool,
    engine: str = "local",
    address: str = "",
    processes: int = 0,
) -> None:
    """Read every message of `source` into `out`; stopping keeps what was read."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from agent.errors import DataError
    from agent.settings import load_settings
    from graph.batch import Run, read_file, reader
    from graph.services import encoder, from_settings
    from ui import spreading

    over_ray = engine != "local" or address
    if over_ray and processes:
        raise DataError("--processes is of this machine: leave it out, or leave out --engine ray.")
    settings = load_settings()
    run = Run(source, column=column, with_text=with_text, model=encoder(settings).name)
    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    console = Console(stderr=True, highlight=False)
    try:
        with (
            (
                spreading.spread(engine, address, spreading.rows, quiet=as_json)
                if over_ray
                else spreading.here(spreading.rows, processes)
            ) as over,
            Progress(*columns, console=console, disable=as_json) as bar,
        ):
            task = bar.add_task(escape(source.name), total=None)
            count = read_file(
                run,
                out,
                reader(from_settings(settings), encoder(settings).read_all),
                resume=resume,
                spread=over,
                progress=lambda done, total: bar.update(task, completed=done, total=total),
            )
    except KeyboardInterrupt:
        console.print("Stopped. What was read is kept; the same command with --resume goes on from there.")
        raise SystemExit(130) from None
    if as_json:
        typer.echo(json.dumps({"rows": count, "out": str(out)}))
    else:
        console.print(escape(f"{count} messages read into {out}"))
