"""`hearken models say`: one message answered by a model, and for researchers what a proxy's parts wanted.

Nothing of it is kept but the trace that was asked for. Knows nothing of how models run.
"""

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.errors import SettingsError
from ui.wording import fill, load_ui_words

if TYPE_CHECKING:
    from agent.backends import Backend
    from agent.llm.chat import Chat
    from agent.settings import Settings

__all__ = ["say"]


def say(  # noqa: PLR0913 - options of a command
    text: Annotated[str, typer.Argument(help="One message of a new conversation; it is not kept.")],
    *,
    name: Annotated[
        str | None, typer.Option(help="As `hearken models` lists it; left out, the settings' one.")
    ] = None,
    trace: Annotated[
        Path | None, typer.Option(help="For researchers: a proxy's tokens, one a row, as .parquet.")
    ] = None,
    pieces: Annotated[bool, typer.Option(help="Write the text of the tokens into the trace too.")] = False,
    alpha: Annotated[float | None, typer.Option(help="How strongly a proxy is steered this once.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")] = False,
) -> None:
    """Answer one message by a model, through plan and guard as always."""
    from agent.settings import load_settings
    from ui.models import called

    settings = load_settings()
    backend = _steered(called(name, settings), alpha)
    told = _answer(text, backend, settings, trace, pieces=pieces)
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False, indent=2))
        return
    typer.echo(told["text"])
    words = load_ui_words()
    if trace:
        line = words.models.traced if told["tokens"] else words.models.not_traced
        typer.echo(fill(line, **{**told, "file": trace}).strip())
        if told["tokens"] and told["responder"] != backend.kind:
            typer.echo(fill(words.models.unsaid, **told))
    elif told["trouble"]:
        typer.echo(fill(words.problem, problem=told["trouble"]))


def _steered(backend: "Backend", alpha: float | None) -> "Backend":
    from agent.backends import Proxy

    if alpha is None:
        return backend
    if not isinstance(backend, Proxy):
        raise SettingsError("Only a proxy is steered: leave --alpha out, or set HEARKEN_RESPONDER=proxy.")
    return Proxy.model_validate({**backend.model_dump(), "alpha": alpha})


def _answer(
    text: str, backend: "Backend", settings: "Settings", trace: Path | None, *, pieces: bool
) -> dict[str, Any]:
    """A turn of a new conversation with this backend as plain data; tokens: how many the trace tells of."""
    from graph import Session
    from graph.backends import worded
    from graph.services import from_settings
    from ui.models import LOADING

    quiet = replace(from_settings(settings), audit=None, escalate=None, desk=None, operator=False)
    before = 0
    if trace is None:
        wording = worded(backend, settings.reply_seconds)
        wording.prepare(LOADING)
        live, trouble = replace(quiet, respond=wording.respond, again=wording.again), wording.trouble
    else:
        before = _written(trace)
        chat = _traced(backend, settings, trace, pieces=pieces)
        live, trouble = replace(quiet, respond=chat.respond, again=None), lambda: chat.trouble
    turn = Session.open(services=replace(live, responder=backend.kind), settings=settings).say(text)
    return {
        "text": turn.text,
        "responder": turn.responder,
        "replaced": turn.replaced,
        "tokens": _rows(trace) if trace and _written(trace) != before else 0,
        "trouble": trouble(),
    }


def _traced(backend: "Backend", settings: "Settings", file: Path, *, pieces: bool) -> "Chat":
    from agent.backends import Proxy
    from graph.backends import traced

    if not isinstance(backend, Proxy):
        raise SettingsError("Only a proxy can be traced: leave --trace out, or set HEARKEN_RESPONDER=proxy.")
    if not file.absolute().parent.is_dir():
        raise SettingsError(f"{file} cannot be written: there is no such folder; make it, or name another.")
    return traced(backend, file, settings.reply_seconds, pieces=pieces)


def _written(file: Path) -> int:
    """When a file was written, 0 where there is none."""
    return file.stat().st_mtime_ns if file.is_file() else 0


def _rows(file: Path) -> int:
    from pyarrow import parquet

    return int(parquet.read_metadata(file).num_rows)
