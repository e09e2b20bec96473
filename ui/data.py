"""`hearken data`: conversations from public sets made fit to learn replies from, and what they hold.

Brings together what does not know each other: the readers of agent.train and the cleaning of knowledge.
"""

import json
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from agent.train.dialogue_rows import Malformed
    from agent.train.dialogue_sources import Example
    from agent.train.dialogues import Prepared

__all__ = ["data"]

data = typer.Typer(no_args_is_help=True, help="Prepare conversations for training (needs the `train` extra).")
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
Model = Annotated[str | None, typer.Option("--model", help="Count tokens as this model or folder does.")]
SHOWN = 5  # malformed rows of each file that are printed; the report has them all


@data.command()
def prepare(  # noqa: PLR0913 - options of a command
    sources: Annotated[list[str], typer.Argument(help="Files or folders; with --hub also hub ids.")],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for train.jsonl, valid.jsonl, report.json.")],
    hub: Annotated[bool, typer.Option("--hub", help="Fetch what is no file here from the hub.")] = False,
    clean: Annotated[bool, typer.Option(help="Clean the answers of forums.")] = True,
    share: Annotated[float, typer.Option(min=0.01, max=0.5, help="Share of groups for validation.")] = 0.1,
    limit: Annotated[int | None, typer.Option(min=1, help="Replies of each source.")] = None,
    levels: Annotated[
        bool, typer.Option("--levels", help="Score each reply's strengths, for `conditions: tokens`.")
    ] = False,
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Read, clean, remove near duplicates, hold every reply against the guard, split by conversation."""
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

    from agent.train import dialogues

    malformed: list[Malformed] = []
    columns = [SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), disable=as_json, transient=True) as bar:
        task = bar.add_task("", total=None)
        found = chain.from_iterable(_found(source, malformed, hub=hub) for source in sources)
        prepared = dialogues.prepare(
            found,
            malformed,
            clean=_clean if clean else None,
            share=share,
            limit=limit,
            progress=lambda done: bar.update(task, completed=done),
        )
        if levels:
            _levels(prepared, lambda done: bar.update(task, completed=done))
    _told(dialogues.write(prepared, out, count=_count(model)), as_json=as_json)


@data.command()
def stats(
    folder: Annotated[Path, typer.Argument(help="A folder that `hearken data prepare` wrote.")],
    model: Model = None,
    as_json: Json = False,
) -> None:
    """Examples by source, feeling and intent, and how long they are."""
    from agent.train import dialogues

    _told(dialogues.stats(dialogues.load_examples(folder), _count(model)), as_json=as_json)


def _found(source: str, malformed: "list[Malformed]", *, hub: bool) -> "Iterator[Example]":
    from agent.train.dialogue_sources import from_hub, from_path

    path = Path(source)
    return from_hub(source, malformed) if hub and not path.exists() else from_path(path, malformed)


def _levels(prepared: "Prepared", progress: Callable[[int], object]) -> None:
    from agent.evaluate.scoring import load_scorers
    from agent.train.levels import label

    label([*prepared.train, *prepared.valid], load_scorers().score, progress)


def _clean(answer: str, author: str) -> tuple[str, str]:
    from knowledge.clean import clean_answer

    cleaned = clean_answer(answer, author)
    return cleaned.text, cleaned.reason


def _count(model: str | None) -> Any:
    from agent.prompt import roughly

    if model is None:
        return roughly
    from agent.llm.model_files import find
    from agent.llm.weights import load_tokenizer

    tokenizer = load_tokenizer(find(model))
    return lambda text: len(tokenizer(text, add_special_tokens=False)["input_ids"])


def _told(report: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2))
        return
    console = Console(highlight=False, markup=False)
    for part in ("train", "valid"):
        figures = report[part]
        console.print(
            f"{part}: {figures['examples']} examples of {figures['groups']} questions or conversations"
        )
        for name in ("sources", "feelings", "intents"):
            listed = ", ".join(f"{label} {count}" for label, count in figures[name].items())
            console.print(f"  {name}: {listed}", style="dim", soft_wrap=True)
        for name, spread in figures["tokens"].items():
            told = ", ".join(f"{at} {count}" for at, count in spread.items())
            console.print(f"  tokens of a {name}: {told}", style="dim", soft_wrap=True)
    for reason, count in report.get("dropped", {}).items():
        console.print(f"left out {count:>6}  {reason}")
    for reason, count in report.get("mended", {}).items():
        console.print(f"mended   {count:>6}  {reason}")
    shown: dict[str, int] = {}
    for row in report.get("malformed", []):
        shown[row["file"]] = shown.get(row["file"], 0) + 1
        if shown[row["file"]] <= SHOWN:
            console.print(f"malformed: {row['file']}, line {row['line']}: {row['why']}", soft_wrap=True)
    for file, count in shown.items():
        if count > SHOWN:
            console.print(
                f"malformed: {file}, {count - SHOWN} more rows; report.json lists them", soft_wrap=True
            )
