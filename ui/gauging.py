"""What the commands of `hearken evaluate` share: what is measured, the options, and how figures are shown.

Knows nothing of how figures come about. A text is never printed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, cast

import typer
from rich.console import Console

from agent.errors import DataError, SettingsError

if TYPE_CHECKING:
    from agent.evaluate.tasks import Report
    from agent.reading.encoder import Encoder
    from agent.settings import Settings

__all__ = [
    "Data",
    "Json",
    "Limit",
    "Model",
    "Out",
    "answered",
    "asked",
    "counted",
    "encoder",
    "in_cases",
    "in_posts",
    "printed",
    "reading",
    "report_of",
    "searched",
    "settings_of",
    "told",
    "whole",
    "writer",
]

SECONDS = 600.0  # that a model may take for one answer: a slow machine is waited for
Found = TypeVar("Found")
Said = TypeVar("Said")
Data = Annotated[Path, typer.Option("--data", help="A file or a folder in the sets' own formats.")]
Out = Annotated[Path | None, typer.Option("--out", help="Write the report as JSON.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Lines of each source, spread evenly.")]
Model = Annotated[
    str, typer.Option("--model", help="`guided`, hub id, folder, proxy.json; the settings' if left out.")
]


def reading() -> Callable[[str], Any]:
    """What a message expresses taken alone, and how dangerous it is."""
    from agent.settings import load_settings
    from graph.read import read_message
    from graph.services import from_settings

    services = from_settings(load_settings())

    def read(text: str) -> tuple[Any, Any]:
        told = read_message(text, services)
        return told["reading"], told["risk"]["level"]

    return read


def encoder() -> "Encoder":
    from agent.settings import load_settings
    from graph.services import encoder

    return encoder(load_settings())


def whole() -> Callable[[str], Any]:
    """Rules and encoder together, as a conversation's first message would be read."""
    from agent.settings import load_settings
    from graph.read import read_message
    from graph.services import from_settings

    services = from_settings(load_settings())
    return lambda text: read_message(text, services)["risk"]


def rules() -> Callable[[str], Any]:
    from agent.reading.assess import assess
    from agent.reading.rules import load_rules

    scan = load_rules().scan
    return lambda text: assess([scan(text)], answers=[], before=None, pending={})


def in_cases(
    data: Path, part: Literal["open", "sealed", "all"], limit: int | None, *, quiet: bool
) -> "Report":
    """Danger in our own cases, by the rules and by the whole reading."""
    from agent.evaluate import tasks

    with counted(whole(), quiet=quiet) as read:
        return tasks.cases(data, {"rules": rules(), "whole reading": read}, part=part, limit=limit)


def in_posts(data: Path, bar: float | None, limit: int | None, *, quiet: bool) -> "Report":
    """Danger in public posts, by the encoder; bar: instead of the model's own."""
    from agent.evaluate import tasks

    model = encoder()
    bars = {"danger": model.heads.danger.get("moderate", tasks.BAR)}
    if bar is not None:
        bars = {"danger": bar, "cssrs": bar}
    with counted(tasks.looking(model), quiet=quiet) as look:
        return tasks.risk(data, look, bars=bars, limit=limit)


def searched(
    data: Path, *, cleaned: bool = False, techniques: bool = False, quiet: bool
) -> Mapping[str, Any]:
    """What the library finds; techniques: the tags of its answers judged by labels instead."""
    from agent.settings import load_settings
    from graph.services import embedder
    from knowledge import labelled, measure
    from knowledge.library import FLOOR

    settings = load_settings()
    compared = embedder(settings)
    floor = FLOOR if settings.floor is None else settings.floor
    with counted(compared.embed, quiet=quiet) as embed:
        if techniques:
            return labelled.techniques(data, embed, compared.name)
        return measure.retrieval(data, embed, compared.name, floor=floor, cleaned=cleaned)


def answered(  # noqa: PLR0913 - by name
    data: Path | None,
    limit: int | None,
    country: str,
    model: str,
    *,
    part: Literal["gate", "rest", "long", "all"] = "all",
    quiet: bool,
) -> "Report":
    """Replies to conversations of a file or folder, to our own openings without one."""
    from agent.evaluate import replies, talks
    from agent.evaluate.scoring import load_scorers
    from graph.services import from_settings
    from ui.answering import sessions

    services = from_settings(settings_of(model))
    sources = talks.found(data, limit) if data else {"our openings": talks.openings(part)}
    reads = encoder()
    with counted(services.read, quiet=quiet) as read:
        return replies.measure(
            sources,
            sessions(replace(services, read=read), country),
            load_scorers(),
            lambda text: reads.read(text)["intents"][0]["label"],
            data=str(data or talks.OPENINGS),
        )


def asked(  # noqa: PLR0913 - by name
    data: Path,
    model: str,
    out: Path | None,
    *,
    form: Literal["instruction", "completion"],
    tokens: int,
    limit: int | None,
    quiet: bool,
) -> "Report":
    """IMHI's questions asked of a language model; each answer's label is kept beside `out` at once."""
    from agent.evaluate import imhi_asked
    from agent.evaluate.keeping import parted
    from agent.evaluate.report import write as write_report

    write, name = writer(model, tokens)
    about = {"task": "imhi", "model": name, "data": str(data), "form": form, "tokens": tokens, "limit": limit}
    with counted(write, quiet=quiet) as counting, parted(out, about) as once:
        report = imhi_asked.asked(data, counting, once, model=name, form=form, limit=limit)
        if out:
            write_report(report, out)
        return cast("Report", report)


def writer(model: str, tokens: int) -> tuple[Callable[[str], str], str]:
    """A language model as a function from a prompt to a text, and its name. Raises SettingsError for none."""
    from agent.evaluate.asking import writing
    from graph.backends import loaded, named

    backend = settings_of(model).backend
    if backend.kind == "guided":
        raise SettingsError(
            "The guided responder answers no such question: name a model with --model, or set one up "
            "(HEARKEN_RESPONDER) and say --model settings."
        )
    return writing(loaded(backend, lambda _stage, _share: None, SECONDS), tokens), named(backend)


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


def told(report: "Report", out: Path | None, *, as_json: bool) -> None:
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


def settings_of(name: str) -> "Settings":
    """The settings of this installation with that model as the responder."""
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
        console.print(f"{name}: {value}", soft_wrap=True)


def report_of(path: Path) -> dict[str, Any]:
    """What `--out` wrote there. Raises DataError where nothing can be read."""
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON; write it anew with --out.") from error
    return told if isinstance(told, dict) else {}
