"""`hearken evaluate all`: every measure that needs no language model, one after the other, into one folder.

Each part's report is written as soon as it is there. Stop it when you like: the same command goes on with the
part that was begun, and begins anew once all was done. Knows nothing of how figures come about.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from ui.evaluate import figures, measures
from ui.evaluate.conversations import held_with, latency_of
from ui.evaluate.figures import Json, Model

__all__ = ["everything"]

Part = tuple[str, Callable[[], Mapping[str, Any]]]
LIMIT = 100
VECTORS = "vectors.npz"  # what took longest, for a run that goes on or is run again
FOLDERS = {  # measure -> folders of public sets that it reads
    "emotions": ("empathetic_dialogues", "empathetic_intents", "edos"),
    "intents": ("empathetic_dialogues", "empathetic_intents", "edos", "esconv"),
    "imhi": ("imhi", "human_labels"),
}


def everything(
    *,
    data: Annotated[
        Path, typer.Option("--data", help="A folder of public sets; those it lacks are left out.")
    ],
    out: Annotated[Path, typer.Option("--out", help="A folder for the reports and the page.")] = Path(
        "reports"
    ),
    model: Model = "guided",
    limit: Annotated[
        int, typer.Option("--limit", min=1, help="Lines of each source, spread evenly.")
    ] = LIMIT,
    as_json: Json = False,
) -> None:
    """Reading, danger, guard, library, replies, conversations and latency; and a page of it all."""
    from agent.evaluate import page
    from agent.evaluate.keeping import parted

    console = Console(stderr=True, highlight=False)
    figures.settings_of(model)  # a model that is not there is told at once
    parts = list(_parts(data, out, model, limit, quiet=as_json))
    about = {"task": "all", "data": str(data), "model": model, "limit": limit}
    seconds: dict[str, list[float]] = {}
    with parted(out / "all", about) as once:
        for number, (name, measure) in enumerate(parts, 1):
            if not as_json:
                console.print(f"{number} of {len(parts)}: {name}", style="dim")
            seconds[name] = once(name, partial(_timed, measure, out / f"{name}.json"))
        found = page.reports(out)
        (out / "report.html").write_text(page.page(found), "utf-8")
        (out / "report.md").write_text(page.markdown(found), "utf-8")
    told = {"task": "all", "seconds": seconds, "page": str(out / "report.html")}
    shown = {name: f"{clock} s, {work} s of a processor" for name, (clock, work) in seconds.items()}
    clocks, works = zip(*seconds.values(), strict=True)
    every = {"altogether": f"{sum(clocks):.0f} s, {sum(works):.0f} s of a processor", "page": told["page"]}
    figures.printed({**shown, **every}, told, as_json=as_json)


def _timed(measure: Callable[[], Mapping[str, Any]], out: Path) -> list[float]:
    """Write what is measured; seconds by the clock, and of a processor: others may be at work beside."""
    from agent.evaluate.report import write

    begun, worked = time.monotonic(), time.process_time()
    write(measure(), out)
    return [round(time.monotonic() - begun, 1), round(time.process_time() - worked, 1)]


def _parts(data: Path, out: Path, model: str, limit: int, *, quiet: bool) -> Iterator[Part]:
    """Name and measure, the quickest first. Nothing is loaded before a part's turn comes."""
    from agent.evaluate import guard, personas

    yield "guard", guard.canned
    yield "latency", lambda: latency_of(model, quiet=quiet)
    yield from _readings(data, limit, {}, quiet=quiet)
    if (answers := data / "counselchat").is_dir():
        for path in sorted(answers.glob("*.csv"))[:1]:
            yield "retrieval", partial(measures.searched, path, kept=out / VECTORS, quiet=quiet)
    yield "replies", lambda: measures.answered(None, limit, "GB", model, quiet=quiet)
    if (talks := data / "esconv").is_dir():
        few = max(1, limit // 20)  # conversations of some thirty messages
        yield "replies-esconv", lambda: measures.answered(talks, few, "GB", model, quiet=quiet)
    people = personas.load_personas()
    yield (
        "conversations",
        partial(
            held_with,
            people,
            model,
            out / "transcripts",
            out / "conversations.json",
            data=str(personas.FOLDER),
            quiet=quiet,
        ),
    )


def _readings(data: Path, limit: int, read: dict[str, Any], *, quiet: bool) -> Iterator[Part]:
    """What messages are read for, a folder a part. What one part has `read`, another need not read again."""
    from agent.evaluate import risk

    yield "risk-cases", lambda: measures.in_cases(risk.CASES, "open", None, quiet=quiet)
    if (posts := data / "risk").is_dir():
        ready = measures.on_two_cores("risk", posts, limit, read)
        yield "risk-posts", lambda: {**measures.in_posts(posts, None, limit, ready, quiet=quiet), "speed": {}}
    for name, folders in FOLDERS.items():
        for folder in (data / one for one in folders if (data / one).is_dir()):
            ready = measures.on_two_cores(name, folder, limit, read)
            yield f"{name}-{folder.name}", partial(_by_encoder, name, folder, ready, limit, quiet=quiet)


def _by_encoder(
    task: str, folder: Path, ready: Callable[[Any], Any], limit: int, *, quiet: bool
) -> Mapping[str, Any]:
    from agent.evaluate import tasks

    model = measures.encoder()
    by_head: dict[str, Callable[..., Mapping[str, Any]]] = {
        "emotions": partial(tasks.emotions, sure=model.heads.sure),
        "intents": tasks.intents,
        "imhi": tasks.imhi,
    }
    with figures.counted(tasks.looking(model), quiet=quiet) as look:
        found = by_head[task](folder, ready(look), limit=limit)
    return {**found, "speed": {}}  # what was timed is looking things up; `latency` tells how fast
