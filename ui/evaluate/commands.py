"""`hearken evaluate`: how well reading, guard and replies do on labelled files, as a table and as JSON.

Figures only: a text is never printed, but for the transcripts of openings written here.
"""

import json
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from agent.errors import DataError
from ui.evaluate import figures, measures
from ui.evaluate.figures import Data, Json, Limit, Out
from ui.spreading import Address, Engine

__all__ = ["evaluate"]

evaluate = typer.Typer(no_args_is_help=True, help="Measure the reading, the guard and the replies.")


@evaluate.command()
def emotions(  # noqa: PLR0913 - options of a command
    *,
    data: Data,
    out: Out = None,
    as_json: Json = False,
    limit: Limit = None,
    engine: Engine = "local",
    address: Address = "",
) -> None:
    """The 32 emotions: EmpatheticIntents, EmpatheticDialogues, EDOS."""
    from agent.evaluate import tasks

    encoder = measures.encoder()
    ready = measures.ahead("emotions", data, limit, engine, address, quiet=as_json)
    with figures.counted(ready(tasks.looking(encoder)), quiet=as_json) as look:
        report = tasks.emotions(data, look, sure=encoder.heads.sure, limit=limit)
    figures.told(report, out, as_json=as_json, engine=engine)


@evaluate.command()
def intents(  # noqa: PLR0913 - options of a command
    *,
    data: Data,
    out: Out = None,
    as_json: Json = False,
    limit: Limit = None,
    engine: Engine = "local",
    address: Address = "",
) -> None:
    """The 9 intents, of a line and of the reply to it: EmpatheticIntents and -Dialogues, EDOS, ESConv."""
    from agent.evaluate import tasks

    ready = measures.ahead("intents", data, limit, engine, address, quiet=as_json)
    with figures.counted(ready(tasks.looking(measures.encoder())), quiet=as_json) as look:
        report = tasks.intents(data, look, limit=limit)
    figures.told(report, out, as_json=as_json, engine=engine)


@evaluate.command()
def imhi(  # noqa: PLR0913 - options of a command
    *,
    data: Data,
    model: Annotated[
        str,
        typer.Option("--model", help="Ask a language model instead: hub id, folder, proxy.json, `settings`."),
    ] = "",
    form: Annotated[
        Literal["instruction", "completion"], typer.Option(help="Which of IMHI's forms it is asked in.")
    ] = "instruction",
    tokens: Annotated[int, typer.Option(min=1, help="Of one answer, at most.")] = 40,
    out: Out = None,
    as_json: Json = False,
    limit: Limit = None,
    engine: Engine = "local",
    address: Address = "",
) -> None:
    """The IMHI benchmark, one row a set, and the human labels behind it; answers that say nothing counted."""
    from agent.evaluate import tasks

    if model:
        report = measures.asked(data, model, out, form=form, tokens=tokens, limit=limit, quiet=as_json)
        figures.told(report, None, as_json=as_json)
        return
    ready = measures.ahead("imhi", data, limit, engine, address, quiet=as_json)
    with figures.counted(ready(tasks.looking(measures.encoder())), quiet=as_json) as look:
        report = tasks.imhi(data, look, limit=limit)
    figures.told(report, out, as_json=as_json, engine=engine)


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
    engine: Engine = "local",
    address: Address = "",
) -> None:
    """Danger: C-SSRS posts and the like by the encoder, our own cases by the whole reading."""
    from agent.evaluate import risk as dangers
    from agent.evaluate import tasks

    data = data or dangers.CASES
    if tasks.case_files(data):
        if engine == "ray":
            raise DataError("Our own cases are few and are read here: leave out --engine ray.")
        report = measures.in_cases(data, part, limit, quiet=as_json)
    else:
        ready = measures.ahead("risk", data, limit, engine, address, quiet=as_json)
        report = measures.in_posts(data, bar, limit, ready, quiet=as_json)
    figures.told(report, out, as_json=as_json, engine=engine)


@evaluate.command()
def retrieval(
    *,
    data: Annotated[Path, typer.Option("--data", help="A counselchat file with its column `split`.")],
    cleaned: Annotated[
        bool, typer.Option("--cleaned", help="Index only what ingestion would keep of it.")
    ] = False,
    techniques: Annotated[
        bool, typer.Option("--techniques", help="Judge the tags of its answers by labels instead.")
    ] = False,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """The library: own answers found among all, and nothing found for what is off the subject."""
    from agent.evaluate.report import write

    report = measures.searched(data, cleaned=cleaned, techniques=techniques, quiet=as_json)
    if out:
        write(report, out)
    if as_json:
        typer.echo(json.dumps(report, indent=2))
        return
    console = Console(highlight=False)
    for part, figures_of_part in report.items():
        if isinstance(figures_of_part, dict):
            for name, value in figures_of_part.items():
                console.print(f"{part.replace('_', ' ')}: {name.replace('_', ' ')} {value}", markup=False)


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

    figures.told(guarding.outside(data) if data else guarding.canned(part), out, as_json=as_json)


@evaluate.command()
def replies(  # noqa: PLR0913 - options of a command
    *,
    data: Annotated[
        Path | None,
        typer.Option("--data", help="ESConv, EmpatheticDialogues, EPITOME; our openings if left out."),
    ] = None,
    part: Annotated[
        Literal["gate", "rest", "long", "all"], typer.Option(help="Which of our own openings.")
    ] = "all",
    country: Annotated[str, typer.Option(help="Whose helplines, two letters.")] = "GB",
    transcripts: Annotated[
        Path | None, typer.Option(help="Only write our openings with their replies into this folder.")
    ] = None,
    out: Out = None,
    as_json: Json = False,
    limit: Limit = None,
) -> None:
    """The replies: empathy (EPITOME), safety, what never to do, form, beside people's replies."""
    from agent.evaluate import transcripts as written
    from agent.settings import load_settings
    from graph.services import from_settings
    from ui.evaluate.sessions import sessions

    if transcripts:
        written.write(sessions(from_settings(load_settings()), country), transcripts)
        return
    report = measures.answered(data, limit, country, "", part=part, quiet=as_json)
    figures.told(report, out, as_json=as_json)


@evaluate.command()
def plan(
    *,
    data: Annotated[Path, typer.Option("--data", help="The folder that holds esconv/valid.jsonl.")],
    out: Out = None,
    as_json: Json = False,
    limit: Limit = None,
) -> None:
    """The model of human supporters on ESConv's validation part, and what it changes in plans and words."""
    from agent.evaluate import planning, supporters
    from agent.evaluate.report import write
    from agent.responders.replies import bank
    from agent.supporter import FILES, load_supporter

    encoder, read = measures.encoder(), measures.reading()
    told: dict[str, Any] = {"task": "plan", "data": str(data)}
    supporter = load_supporter(encoder.vector, bank(), encoder=encoder.name)
    with figures.counted(encoder.vector, quiet=as_json) as vector:
        told |= supporters.measured(data, FILES, cache(vector))
    with figures.counted(read, quiet=as_json) as counted:
        told["plans, beside the human's replies"] = planning.agreement(data, counted, supporter, limit=limit)
        told["replies to 100 openings"] = planning.variety(data, counted, supporter)
    if out:
        write(told, out)
    typer.echo(json.dumps(told, ensure_ascii=False, indent=2) if as_json else supporters.summary(told))
