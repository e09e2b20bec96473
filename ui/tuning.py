"""`hearken train lora|proxy-pair` and `hearken export`: language models tuned, and made into files to use.

Knows nothing of how; see agent.train.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console

__all__ = ["export", "lora", "proxy_pair"]

export = typer.Typer(no_args_is_help=True, help="Make files of a tuned model (needs the `local` extra).")
Data = Annotated[Path, typer.Option("--data", help="A folder that `hearken data prepare` wrote.")]
Out = Annotated[Path, typer.Option("--out", help="Folder to write to.")]
Named = Annotated[str, typer.Option("--recipe", help="A preset, or a YAML file.")]
Changes = Annotated[list[str] | None, typer.Option("--set", help="key=value, before what the recipe says.")]
Work = Annotated[Path | None, typer.Option("--work", help="Folder of the run; cut off there, it goes on.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]


def lora(  # noqa: PLR0913 - options of a command
    *,
    data: Data,
    out: Out,
    recipe: Named = "recommended",
    changes: Changes = None,
    model: Annotated[str, typer.Option("--model", help="Hub id or folder, if the recipe names none.")] = "",
    work: Work = None,
    as_json: Json = False,
) -> None:
    """Tune a language model, an adapter or all of it. Many GPUs: accelerate launch -m ui.cli train lora."""
    _quietly()
    from agent.train.lora import run
    from agent.train.lora_recipe import load_recipe

    chosen = load_recipe(recipe, changes or ())
    with _watched(quiet=as_json or not _first()) as progress:
        report = run(chosen, data, out, work=work or _work(out), model=model, progress=progress)
    if _first():
        _told(report, as_json=as_json)


def proxy_pair(  # noqa: PLR0913 - options of a command
    *,
    data: Data,
    out: Out,
    anti_expert: Annotated[str, typer.Option(help="The small untuned model, hub id or folder.")],
    base: Annotated[str, typer.Option(help="The large model; alpha is tried on it when given.")] = "",
    recipe: Named = "recommended",
    changes: Changes = None,
    work: Work = None,
    as_json: Json = False,
) -> None:
    """Train an expert from its anti-expert, as proxy tuning wants them, and say how to use both."""
    _quietly()
    from agent.train.lora_recipe import load_recipe
    from agent.train.proxy_pair import pair

    chosen = load_recipe(recipe, changes or ())
    with _watched(quiet=as_json) as progress:
        told = pair(
            chosen, data, out, work=work or _work(out), anti=anti_expert, base=base, progress=progress
        )
    if as_json:
        typer.echo(json.dumps(told, indent=2, ensure_ascii=False))
        return
    _told(told["expert"], as_json=False)
    from agent.settings import variable

    console = Console(highlight=False, markup=False)
    for one in told.get("alphas", []):
        console.print("  ".join(f"{name} {value:.3f}" for name, value in one.items()))
    for name, value in told["settings"].items():
        console.print(f"{variable('responder' if name == 'kind' else name)}={value}", soft_wrap=True)


@export.command()
def merge(
    adapter: Annotated[str, typer.Argument(help="The adapter's folder or hub id.")],
    out: Out,
    dtype: Annotated[
        Literal["float32", "bfloat16", "float16"], typer.Option(help="Numbers to store it in.")
    ] = "float32",
) -> None:
    """Merge an adapter into its base: one model, with its card."""
    _quietly()
    from agent.train import merge as merging

    typer.echo(merging.merge(adapter, out, dtype=dtype))


@export.command()
def gguf(
    model: Annotated[str, typer.Argument(help="A whole model's folder.")],
    out: Annotated[Path, typer.Option("--out", help="The file to write.")],
    kind: Annotated[str, typer.Option(help="Numbers to store it in, as llama.cpp names them.")] = "q8_0",
) -> None:
    """Make a GGUF file, where llama.cpp's converter is on the path."""
    from agent.train import merge as merging

    typer.echo(merging.gguf(model, out, kind=kind))


def _first() -> bool:
    """Whether this process is the one of several that speaks; accelerate and torchrun number them."""
    return os.environ.get("RANK", "0") == "0"


def _work(out: Path) -> Path:
    """Beside the result, so that a second run with another result is another run."""
    return out.parent / f"{out.name}.run"


def _quietly() -> None:
    """Nothing that trains here tells anybody outside about it; set before the libraries look."""
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("DO_NOT_TRACK", "1")


@contextmanager
def _watched(*, quiet: bool) -> Iterator[Callable[[dict[str, float]], None]]:
    """A bar of the steps, with the losses of the last measurement."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = [BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(), TextColumn("{task.description}")]
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task, losses = bar.add_task("", total=None), dict[str, float]()

        def told(now: dict[str, float]) -> None:
            losses.update({name: value for name, value in now.items() if name not in {"step", "steps"}})
            text = "  ".join(f"{name} {value:.3f}" for name, value in losses.items())
            bar.update(task, completed=now["step"], total=now["steps"], description=text)

        yield told


def _told(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, markup=False)
    console.print(f"{report['weights that learned']:,} weights learned in {report['steps']} steps")
    for one in report["validation loss"]:
        console.print(f"step {one['step']:>6}  epoch {one['epoch']:g}  validation loss {one['loss']:.4f}")
    held = sum(sum(one["held back"].values()) for one in report["samples"])
    console.print(f"{len(report['samples'])} sample replies; the guard held back {held} sentences of them")
