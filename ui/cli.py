"""The command line. Heavy imports stay in the command that needs them.

Errors made on purpose end as one sentence on stderr and exit status 2; a failed check or script as 1.
"""

import errno
import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from agent.errors import DataError, HearkenError
from ui import launch, terminal, training
from ui.auditing import audit
from ui.data import data
from ui.editing import words
from ui.evaluate.commands import evaluate
from ui.evaluate.compare import compare, generation, judge, report
from ui.evaluate.conversations import calm, conversations, hidden, latency
from ui.evaluate.everything import everything
from ui.evaluate.gate import gate
from ui.models import models
from ui.preferring import feedback, preferences
from ui.serving import serve, store
from ui.spreading import Address, Engine, Processes
from ui.tuning import export, lora, proxy_pair

__all__ = ["app", "main"]

app = typer.Typer(name="hearken", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
train = typer.Typer(
    no_args_is_help=True, help="Train the parts that ship as files (needs the `train` extra)."
)
app.add_typer(train, name="train")
app.add_typer(audit, name="audit")
app.add_typer(data, name="data")
app.add_typer(words, name="words")
app.add_typer(evaluate, name="evaluate")
app.add_typer(store, name="store")
app.command()(serve)
app.add_typer(models, name="models")
app.add_typer(export, name="export")
app.command("report")(report)
app.command()(terminal.chat)
app.command()(terminal.plan)
app.command()(terminal.notes)
app.command("exercises")(terminal.print_exercises)
app.command()(launch.ui)
app.command()(launch.console)
evaluate.command("generation")(generation)
evaluate.command("gate")(gate)
data.command("preferences")(preferences)
data.command("feedback")(feedback)
evaluate.command("compare")(compare)
evaluate.command("judge")(judge)
evaluate.command("conversations")(conversations)
evaluate.command("calm")(calm)
evaluate.command("hidden")(hidden)
evaluate.command("latency")(latency)
evaluate.command("all")(everything)
train.command("lora")(lora)
train.command("proxy-pair")(proxy_pair)
train.command("encoder")(training.encoder)
train.command("probe")(training.probe)
train.command("danger")(training.danger)
train.command("scorers")(training.scorers)
train.command("retrieval")(training.retrieval)
train.command("vectors")(training.vectors)
train.command("plan")(training.plan)
train.command("suits")(training.suits)

STOPPED = 130  # exit status of what was interrupted
FULL = {errno.ENOSPC, errno.EDQUOT}
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


def main() -> None:
    """The `hearken` command."""
    with _plainly():
        try:
            app()
        except SystemExit as ended:
            if ended.code == STOPPED:  # what Typer makes of Ctrl-C
                raise KeyboardInterrupt from ended
            raise


@contextmanager
def _plainly() -> Iterator[None]:
    """Our own errors as one sentence, never a traceback."""
    from knowledge.errors import KnowledgeError
    from knowledge.helplines import HelplineError

    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. What was done is kept; the same command goes on from there.")
        raise SystemExit(STOPPED) from None
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = f" ({error.filename})" if error.filename else ""
        told = f"The disk is full{where}: free some. What was done is kept."
        Console(stderr=True).print(escape(told), style="red", highlight=False)
        raise SystemExit(2) from error
    except (HearkenError, KnowledgeError, HelplineError) as error:
        Console(stderr=True).print(escape(str(error)), style="red", highlight=False)
        raise SystemExit(2) from error


@app.command()
def read(  # noqa: PLR0913 - options of a command
    text: Annotated[str | None, typer.Argument(help="One message.")] = None,
    *,
    file: Annotated[Path | None, typer.Option(help="Many: a .csv, .jsonl, or .txt with one a line.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where their readings go: .parquet or .jsonl.")] = None,
    column: Annotated[str, typer.Option(help="What the file calls its texts.")] = "text",
    with_text: Annotated[bool, typer.Option("--with-text", help="Write the texts too.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    explain: Annotated[
        bool, typer.Option(help="For researchers: each IMHI facet with its evidence.")
    ] = False,
    engine: Engine = "local",
    address: Address = "",
    processes: Processes = 0,
    as_json: Json = False,
) -> None:
    """Print what one message expresses: feelings, intent, wishes, signs of danger; or read a whole file."""
    if file and out and text is None:
        from ui.batch import read_all

        read_all(file, out, column=column, with_text=with_text, resume=resume, as_json=as_json,
                 engine=engine, address=address, processes=processes)  # fmt: skip
        return
    if text is None or file or out:
        raise DataError("Give one message in quotes, or --file with --out.")
    from agent.settings import load_settings
    from graph.read import explained, read_message
    from graph.services import from_settings

    settings = load_settings()
    found = read_message(text, from_settings(settings))
    facets = explained(text, settings) if explain else []
    if as_json:
        typer.echo(
            json.dumps({**found, **({"facets": facets} if explain else {})}, ensure_ascii=False, indent=2)
        )
        return
    console = Console(highlight=False)
    reading, risk = found["reading"], found["risk"]
    console.print(f"feelings  {_scored(reading['emotions'][:3])}{'' if reading['sure'] else '  (not sure)'}")
    console.print(f"intent    {_scored(reading['intents'][:2])}")
    console.print(f"reply     {_scored(reading['heads'].get('next_intent', [])[:2])}")
    console.print(f"wants     {', '.join(reading['wants']) or '-'}")
    console.print(f"language  {reading['language']}")
    console.print(f"risk      {risk['level']}{' (crisis branch)' if risk['escalate'] else ''}")
    for reason in risk["reasons"]:
        console.print(f"          {reason}", style="dim")
    for facet in facets:
        console.print(escape(f"{facet['facet']}: {facet['text']}"), soft_wrap=True)


def _scored(scores: list[Any]) -> str:
    return ", ".join(f"{score['label']} {score['p']:.2f}" for score in scores) or "(not available)"


@app.command()
def check(as_json: Json = False) -> None:
    """Print the settings and whether every part loads; exit status 1 when one does not."""
    from agent.settings import load_settings
    from ui.health import health

    report = health(load_settings(), date.today())
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        console = Console(highlight=False)
        for part, state in report["parts"].items():
            console.print(
                f"{'ok ' if state['ok'] else 'NOT'}  {part:<10} {escape(state['says'])}", soft_wrap=True
            )
        for name, value in report["settings"].items():
            console.print(f"     {name:<16} {escape(str(value))}", style="dim", soft_wrap=True)
    if not report["ok"]:
        raise SystemExit(1)


@app.command()
def ingest(  # noqa: PLR0913, PLR0917 - options of a command
    source: Annotated[str, typer.Argument(help="counselchat, starter, or a folder of texts.")],
    origin: Annotated[str, typer.Option("--from", help="A file, or `hub`.")] = "hub",
    rebuild: Annotated[bool, typer.Option(help="Begin the index anew.")] = False,
    engine: Engine = "local",
    address: Address = "",
    as_json: Json = False,
) -> None:
    """Add answers to what retrieval searches; may be stopped and started again."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from agent.settings import load_settings
    from graph.services import ingest as add
    from ui import spreading

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), disable=as_json) as bar:
        task = bar.add_task(source, total=None)
        report = add(
            load_settings(),
            source,
            origin,
            rebuild=rebuild,
            ahead=partial(spreading.table, engine, address, spreading.vectors, quiet=as_json),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        typer.echo(json.dumps(report))
    else:
        Console(highlight=False).print("  ".join(f"{name}: {count}" for name, count in report.items()))


@app.command("test")
def run_scripts(
    folder: Annotated[Path, typer.Argument(help="A folder of conversation scripts (YAML), or one file.")],
    junit: Annotated[Path | None, typer.Option(help="Write the outcome as JUnit XML.")] = None,
    transcript: Annotated[bool, typer.Option(help="Print what was said.")] = False,
    as_json: Json = False,
) -> None:
    """Run scripted conversations; exit status 1 when one fails."""
    from agent.settings import load_settings
    from graph.scripts import junit as as_junit
    from graph.scripts import load_scripts, run_script
    from graph.services import from_settings

    services = from_settings(load_settings())
    console = Console(highlight=False, stderr=as_json)
    outcomes = []
    for name, script in load_scripts(folder).items():
        outcome = run_script(name, script, services)
        outcomes.append(outcome)
        console.print(f"{'FAIL' if outcome.failures else 'pass'}  {name}")
        for failure in outcome.failures:
            console.print(escape(f"      {failure}"), style="red")
        if outcome.failures:
            console.print(escape(f"      about: {outcome.about}"), style="dim")
        for said, reply in outcome.transcript if transcript else ():
            console.print(escape(f"      > {said}\n      {reply}\n"))
    failed = sum(1 for outcome in outcomes if outcome.failures)
    if junit:
        junit.write_text(as_junit(outcomes), "utf-8")
    if as_json:
        typer.echo(
            json.dumps([{"name": o.name, "failures": o.failures} for o in outcomes], ensure_ascii=False)
        )
    console.print(f"{len(outcomes) - failed} passed, {failed} failed")
    if failed:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
