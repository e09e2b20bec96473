"""What `hearken evaluate` measures with what is installed here: reading, library, replies, language models.

Each loads what it needs when it is called. Knows nothing of options and of how figures are shown.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, cast

from agent.errors import SettingsError
from ui.evaluate.figures import counted, settings_of

if TYPE_CHECKING:
    from agent.evaluate.tasks import Look, Report
    from agent.reading.encoder import Encoder

__all__ = [
    "ahead",
    "answered",
    "asked",
    "encoder",
    "in_cases",
    "in_posts",
    "on_two_cores",
    "reading",
    "searched",
    "writer",
]

SECONDS = 600.0  # that a model may take for one answer: a slow machine is waited for


def reading() -> Callable[[str], Any]:
    """What a message expresses taken alone, and how dangerous it is."""
    from agent.settings import load_settings
    from graph.read import read_message
    from graph.services import from_settings

    services = replace(from_settings(load_settings()), part_seconds=SECONDS)

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

    services = replace(from_settings(load_settings()), part_seconds=SECONDS)
    return lambda text: read_message(text, services)["risk"]


def rules() -> Callable[[str], Any]:
    from agent.reading.assess import assess
    from agent.reading.rules import load_rules
    from agent.reading.tongues import scan

    base = load_rules()
    return lambda text: assess([scan(text, base)], answers=[], before=None, pending={})


def in_cases(
    data: Path, part: Literal["open", "sealed", "all"], limit: int | None, *, quiet: bool
) -> "Report":
    """Danger in our own cases, by the rules and by the whole reading."""
    from agent.evaluate import tasks

    with counted(whole(), quiet=quiet) as read:
        return tasks.cases(data, {"rules": rules(), "whole reading": read}, part=part, limit=limit)


def ahead(  # noqa: PLR0913 - the options of a command
    task: str, data: Path, limit: int | None, engine: str, address: str, *, quiet: bool
) -> "Callable[[Look], Look]":
    """What of a task was read beforehand, over Ray, is looked up; the figures come about in the same way."""
    from agent.evaluate import ahead as beforehand
    from ui import spreading

    texts = beforehand.texts(task, data, limit) if engine == "ray" else ()
    known = spreading.table(engine, address, spreading.looks, texts, quiet=quiet)
    return lambda look: beforehand.known(known, look)


def in_posts(
    data: Path,
    bar: float | None,
    limit: int | None,
    ready: "Callable[[Look], Look]" = lambda look: look,
    *,
    quiet: bool,
) -> "Report":
    """Danger in public posts, by the encoder; bar: instead of the model's own; ready: see `ahead`."""
    from agent.evaluate import tasks

    model = encoder()
    bars = {"danger": model.heads.danger.get("moderate", tasks.BAR)}
    if bar is not None:
        bars = {"danger": bar, "cssrs": bar}
    with counted(tasks.looking(model), quiet=quiet) as look:
        return tasks.risk(data, ready(look), bars=bars, limit=limit)


def on_two_cores(task: str, data: Path, limit: int | None, read: dict[str, Any]) -> "Callable[[Look], Look]":
    """What of a task nothing has read yet is read by two threads before it is measured, and kept in `read`.

    A text reads the same whoever reads it, so figures are those of one thread; how fast is not told. Data
    that cannot be used are told here, before anything is read.
    """
    from agent.evaluate import ahead as beforehand
    from graph.spread import in_threads

    texts = beforehand.texts(task, data, limit)

    def ready(look: "Look") -> "Look":
        read.update(in_threads(look, [text for text in texts if text not in read]))
        return beforehand.known(read, look)

    return ready


def searched(
    data: Path,
    *,
    cleaned: bool = False,
    techniques: bool = False,
    kept: Path | None = None,
    quiet: bool,
) -> Mapping[str, Any]:
    """What the library finds; techniques: the tags of its answers judged by labels instead.

    kept: a file of vectors that a run before made, and this one leaves for the next.
    """
    from agent.evaluate.vectors import remembering
    from agent.settings import load_settings
    from graph.services import embedder
    from knowledge import labelled, measure
    from knowledge.library import FLOOR

    settings = load_settings()
    compared = embedder(settings)
    floor = FLOOR if settings.floor is None else settings.floor
    with (
        remembering(compared.embed, compared.name, kept) as known,
        counted(known, quiet=quiet) as embed,
    ):
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
    from ui.evaluate.sessions import sessions

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
