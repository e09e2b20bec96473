"""`hearken evaluate conversations|calm|hidden|latency`: conversations with scripted people, ordinary talks,
those with hidden danger, and how long turns take.

Registers its commands where `ui.cli` says. Prints figures only; texts go to the folder of transcripts, if
one is named.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ui.evaluate.figures import Json, Model, Out, counted, printed, settings_of

if TYPE_CHECKING:
    from agent.evaluate.personas import Persona
    from agent.evaluate.turns import Open
    from graph.services import Services

__all__ = ["calm", "conversations", "held_with", "hidden", "latency", "latency_of"]

AWAY = "GB"  # whose helplines somebody sees who named no country


def conversations(
    *,
    personas: Annotated[
        Path | None, typer.Option(help="A folder of personas, or one file; those that ship if left out.")
    ] = None,
    model: Model = "",
    transcripts: Annotated[
        Path | None, typer.Option(help="Write each whole conversation into this folder, as Markdown.")
    ] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Scripted people over 20 to 40 turns, each with its way of telling: who is let down, and where."""
    from agent.evaluate.personas import FOLDER, load_personas

    folder = personas or FOLDER
    told = held_with(load_personas(folder), model, transcripts, out, data=str(folder), quiet=as_json)
    everybody, *rows = told["rows"]
    shown = {row["view"]: row["failures"] or "not let down" for row in rows}
    printed(
        {**shown, "everybody": everybody["nobody let down"], "checks": everybody["checks"]},
        told,
        as_json=as_json,
    )


def held_with(  # noqa: PLR0913 - one call of two commands
    personas: Mapping[str, "Persona"],
    model: str,
    transcripts: Path | None,
    out: Path | None,
    *,
    data: str,
    quiet: bool,
) -> dict[str, Any]:
    """The report of these people's conversations; each is kept beside `out` as soon as it is held."""
    from agent.evaluate.conversations import hold, row_of, summed, transcript
    from agent.evaluate.keeping import parted
    from agent.evaluate.report import write

    services, name = _services(model)
    about = {
        "task": "conversations",
        "model": name,
        "people": {k: _digest(one) for k, one in personas.items()},
    }
    with counted(_quietly, quiet=quiet) as counting, parted(out, about) as once:
        opened = _sessions(services)

        def held(name: str, person: "Persona") -> dict[str, Any]:
            say = opened(person.country or AWAY)()
            turns = hold(person, lambda text: counting(say(text)))
            if transcripts:
                _write(transcripts / f"{name}.md", transcript(name, person, turns))
            return row_of(name, person, turns)

        rows = [once(name, partial(held, name, one)) for name, one in personas.items()]
        told = {"task": "conversations", "data": data, "model": about["model"], "rows": [summed(rows), *rows]}
        if out:
            write(told, out)
        return told


def calm(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Talks, `talk,text`; those that ship if left out.")
    ] = None,
    model: Model = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Ordinary talks: how many are met as if somebody were in danger, who is not."""
    from agent.evaluate.calm import TALKS, ordinary
    from agent.evaluate.calm import calm as measured

    held = partial(measured, ordinary(data or TALKS))
    _talks({"task": "calm", "data": str(data or TALKS.name)}, held, model, out, as_json=as_json)


def hidden(
    *,
    data: Annotated[
        Path | None, typer.Option(help="Talks, `talk,level,text`; those that ship if left out.")
    ] = None,
    model: Model = "",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Talks in which danger shows unnamed: how many are met with care when it does, and not before."""
    from agent.evaluate.hidden import TALKS, told
    from agent.evaluate.hidden import hidden as measured

    held = partial(measured, told(data or TALKS))
    _talks({"task": "hidden", "data": str(data or TALKS.name)}, held, model, out, as_json=as_json)


def _talks(
    about: Mapping[str, str],
    measured: "Callable[[Open], dict[str, Any]]",
    model: str,
    out: Path | None,
    *,
    as_json: bool,
) -> None:
    """Hold the talks of a file with a model, then print and write what came of it."""
    from agent.evaluate.report import write
    from ui.evaluate.sessions import sessions

    services, name = _services(model)
    with counted(services.read, quiet=as_json) as read:
        row = measured(sessions(replace(services, read=read), AWAY))
    found = {**about, "model": name, "rows": [row]}
    if out:
        write(found, out)
    printed(row, found, as_json=as_json)


def latency(model: Model = "", out: Out = None, as_json: Json = False) -> None:
    """How long turns take, p50 and p95: by step, whole, and where danger is met."""
    from agent.evaluate.report import write

    told = latency_of(model, quiet=as_json)
    if out:
        write(told, out)
    shown = {
        row["view"]: f"p50 {row['p50_ms']} ms, p95 {row['p95_ms']} ms, of {row['n']}" for row in told["rows"]
    }
    printed(
        {"the first turn, with what is loaded once": f"{told['first_turn_ms']} ms", **shown},
        told,
        as_json=as_json,
    )


def latency_of(model: str, *, quiet: bool) -> dict[str, Any]:
    """The report."""
    from agent.evaluate import latency as timing
    from agent.evaluate.gate import load_gate
    from agent.evaluate.talks import openings
    from ui.evaluate.sessions import sessions

    services, name = _services(model)
    with counted(services.read, quiet=quiet) as read:
        services = replace(services, read=read)
        return timing.latency(
            lambda watch: sessions(services, AWAY, watch),
            [talk.messages for part in ("gate", "long") for talk in openings(part)],
            load_gate().danger,
            model=name,
        )


def _services(model: str) -> tuple["Services", str]:
    """Services with that model, and its name. Nobody is called for a made-up danger."""
    from graph.backends import named
    from graph.services import from_settings

    settings = settings_of(model)
    services = replace(from_settings(settings), escalate=None, desk=None, audit=None)
    return services, named(settings.backend)


def _sessions(services: "Services") -> Callable[[str], "Open"]:
    from ui.evaluate.sessions import sessions

    return lambda country: sessions(services, country)


def _digest(persona: "Persona") -> str:
    import hashlib

    return hashlib.sha256(persona.model_dump_json().encode()).hexdigest()[:16]


def _quietly(reply: Any) -> Any:
    return reply


def _write(path: Path, text: str) -> None:
    from agent.errors import DataError

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written; name another folder with --transcripts.") from error
