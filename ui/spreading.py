"""`--engine ray` and `--processes`: the same work over Ray Data or several cores, where rows are many.

What a worker does is made here, by settings of its own environment. Knows nothing of how work is spread.
"""

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

from graph.spread import Make, Spread

__all__ = ["Address", "Engine", "Processes", "here", "looks", "rows", "spread", "table", "vectors"]

Engine = Annotated[
    Literal["local", "ray"], typer.Option("--engine", help="Over Ray's workers (needs the extra `ray`).")
]
Processes = Annotated[
    int,
    typer.Option("--processes", min=0, help="Cores to use, 0.4 GB each: all of up to 8 if 0."),
]
Address = Annotated[str, typer.Option("--address", help="A Ray cluster; this machine alone if left out.")]


FEW = 400  # messages that are read sooner than a process has started
MOST = 8  # processes where nobody said how many


@contextmanager
def here(make: Make, processes: int) -> Iterator[Spread | None]:
    """What spreads the work over so many cores of this machine (0: all, up to MOST); None for one."""
    from graph.spread import over_processes

    count = processes or min(MOST, os.cpu_count() or 1)
    if count == 1:
        yield None
        return
    with over_processes(make, count, after=FEW) as over:
        yield over


@contextmanager
def spread(engine: str, address: str, make: Make, *, quiet: bool) -> Iterator[Spread | None]:
    """What spreads the work, None for this process; tells how fast it went."""
    from agent.errors import DataError
    from graph.spread import over_ray

    if engine == "local":
        if address:
            raise DataError("--address names a Ray cluster: add --engine ray.")
        yield None
        return
    with over_ray(make, address) as over:
        count, begun = 0, time.monotonic()

        def counted(items: Any) -> Iterator[tuple[Any, Any]]:
            nonlocal count
            for one in over(items):
                count += 1
                yield one

        yield counted
        seconds = max(time.monotonic() - begun, 1e-9)
    if count and not quiet:
        told = f"{count} in {seconds:.1f} s over Ray: {count / seconds:.1f} a second"
        Console(stderr=True, highlight=False).print(told)


def table(engine: str, address: str, make: Make, texts: Sequence[str], *, quiet: bool) -> Mapping[str, Any]:
    """What workers found of each text, to be looked up; empty for this process, which looks itself."""
    with spread(engine, address, make, quiet=quiet) as over:
        return dict(over(texts)) if over else {}


# --- what a worker does ---


def rows() -> Callable[[Any], Any]:
    """(id, text) -> the row of `read --file`, of some at once."""
    from agent.settings import load_settings
    from graph.batch import reader
    from graph.services import encoder, from_settings

    settings = load_settings()
    read = reader(from_settings(settings), encoder(settings).read_all)
    return lambda messages: read([text for _, text in messages])


def looks() -> Callable[[Any], Any]:
    """Text -> the probabilities of every head, of some at once."""
    from agent.evaluate.tasks import looking
    from agent.settings import load_settings
    from graph.services import encoder

    return partial(map, looking(encoder(load_settings())))


def vectors() -> Callable[[Any], Any]:
    """Text -> its vector, of some at once."""
    from agent.settings import load_settings
    from graph.services import embedder

    compared = embedder(load_settings())
    return lambda texts: compared.embed(texts).tolist()
