"""`hearken data preferences|feedback`: pairs of replies to learn from, and what people said of replies.

Brings together what does not know each other: moments of the graph, and pairs of agent.train.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

if TYPE_CHECKING:
    from agent.brief import Brief
    from agent.settings import Settings
    from agent.train.dialogue_rows import Malformed
    from agent.train.pairing import Ask, Candidate, Say
    from graph.feedback import Used

__all__ = ["feedback", "moments", "preferences"]

Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON.")]
PATIENCE = 600.0  # seconds; a moment must not depend on how busy the machine was


def preferences(  # noqa: PLR0913 - options of a command
    sources: Annotated[
        list[str], typer.Argument(help="Public sets, ESConv's failed.json, or reviewed pairs from use.")
    ],
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for train.jsonl, valid.jsonl, report.json.")],
    model: Annotated[
        str, typer.Option("--model", help="Judge what this model replies, not what stands in the data.")
    ] = "",
    samples: Annotated[int, typer.Option(min=1, max=16, help="Replies of the model to each moment.")] = 2,
    temperature: Annotated[float, typer.Option(min=0.1, max=2, help="How freely it chooses words.")] = 1.0,
    share: Annotated[float, typer.Option(min=0.01, max=0.5, help="Share of groups for validation.")] = 0.1,
    limit: Annotated[int | None, typer.Option(min=1, help="Pairs of each source.")] = None,
    as_json: Json = False,
) -> None:
    """Replies the guard stops beside the same mended, for `train lora --recipe dpo`."""
    from agent.train import pairing
    from agent.train.preferences import write

    malformed: list[Malformed] = []
    found, reviewed = _sorted(sources, malformed)
    with _counting(quiet=as_json) as progress:
        gathered = pairing.gather(
            found,
            moments(),
            malformed,
            say=_sampler(model, samples, temperature) if model else None,
            more=reviewed,
            share=share,
            limit=limit,
            progress=progress,
        )
    report = write(gathered, out)
    if as_json:
        typer.echo(json.dumps(report, indent=2, ensure_ascii=False))
        return
    console = Console(highlight=False, markup=False)
    for part in ("train", "valid"):
        console.print(f"{part}: {report[part]['pairs']} pairs of {report[part]['groups']} conversations")
    for name in ("why", "left out"):
        for reason, count in report[name].items():
            console.print(f"{name:<9}{count:>6}  {reason}")
    if malformed:
        console.print(f"{len(malformed)} malformed rows, listed in {out / 'report.json'}")


def feedback(
    *,
    out: Annotated[Path, typer.Option("--out", help="Folder for pairs.jsonl and proposals.yaml.")],
    consented: Annotated[
        Path | None,
        typer.Option(help="Of the served conversations, those of the owners named here, one a line."),
    ] = None,
    as_json: Json = False,
) -> None:
    """What people said of replies, with consent: pairs and word edits for somebody to review."""
    from agent.errors import DataError
    from agent.settings import load_settings
    from agent.train import pairing, proposals
    from graph.feedback import on_this_device
    from ui.serving import unlocked

    settings = load_settings()
    if consented:
        found = _served(settings, consented)
    else:
        found = on_this_device(settings.conversations_db, unlocked(settings))
    ask = moments()
    pairs = [pair for one in found if not one.helpful for pair in pairing.from_use(_candidate(one), ask)]
    heard = [proposals.Heard(one.reply, one.helpful, one.why) for one in found]
    edits = proposals.proposed(heard)
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = "".join(json.dumps(pair, ensure_ascii=False) + "\n" for pair in pairs)
        for name in ("pairs.jsonl", "proposals.yaml"):
            (out / name).touch(mode=0o600)
        (out / "pairs.jsonl").write_text(text, "utf-8")
        proposals.written(edits, out / "proposals.yaml")
    except OSError as error:
        raise DataError(f"{out} cannot be written: {error.strerror}; choose another folder.") from error
    told = {"replies": len(found), "pairs": len(pairs), "sentences": len(edits)}
    if as_json:
        typer.echo(json.dumps(told))
        return
    console = Console(highlight=False, markup=False)
    console.print(f"{told['replies']} replies that people said something of, with consent")
    console.print(f"{told['pairs']} pairs in {out / 'pairs.jsonl'}, not learned before somebody signs them")
    console.print(f"{told['sentences']} sentences in {out / 'proposals.yaml'}, for somebody to decide on")


def moments() -> "Ask":
    """The moment in which a conversation stands, as a turn of this installation sees it."""
    from langchain_core.messages import AIMessage, HumanMessage

    from agent.responders import guided
    from agent.sentences import split
    from agent.settings import load_settings
    from agent.train.pairing import Moment
    from graph.hosted import passing
    from graph.services import from_settings

    caught: list[Brief] = []

    def respond(brief: "Brief") -> Iterator[str]:
        caught.append(brief)
        return guided.respond(brief)

    services = replace(
        from_settings(load_settings()), respond=respond, again=None, fears=None, audit=None, escalate=None,
        desk=None, operator=False, part_seconds=PATIENCE, step_seconds=PATIENCE, reply_seconds=PATIENCE,
    )  # fmt: skip

    def ask(before: Sequence[Any]) -> Moment | None:
        caught.clear()
        kinds = {"user": HumanMessage, "assistant": AIMessage}
        turn = passing(
            services, [kinds[one["role"]](one["content"]) for one in before[:-1]], services.country
        ).say(before[-1]["content"])
        if turn.escalated or not caught:
            return None
        return Moment(caught[-1], tuple(split(turn.text)), services.allowed(services.country))

    return ask


def _sorted(sources: Iterable[str], malformed: "list[Malformed]") -> "tuple[Iterator[Candidate], list[Any]]":
    """What is to be paired, and pairs from use, which are ready."""
    from agent.train.dialogue_sources import from_path
    from agent.train.pairing import candidates, failed
    from agent.train.preferences import reviewed

    found: list[Iterable[Candidate]] = []
    ready: list[Any] = []
    for source in map(Path, sources):
        if source.suffix == ".json":
            found.append(failed(source, malformed))
        elif source.name == "pairs.jsonl":
            ready += reviewed(source)
        else:
            found.append(candidates(from_path(source, malformed)))
    return chain.from_iterable(found), ready


def _sampler(model: str, samples: int, temperature: float) -> "Say":
    """Replies of a model on this machine to a moment; what breaks off is left out."""
    from agent.backends import HuggingFace
    from agent.errors import ResponderError
    from graph.backends import loaded

    backend = HuggingFace(model=model, temperature=temperature)
    with _counting(quiet=True) as count:
        chat = loaded(backend, lambda _, share: count(int(share)), PATIENCE)
    drawn = [replace(chat, stream=partial(chat.stream, seed=seed)) for seed in range(samples)]

    def say(brief: "Brief") -> Iterator[str]:
        for one in drawn:
            try:
                yield " ".join(one.respond(brief))
            except ResponderError:
                continue

    return say


def _served(settings: "Settings", consented: Path) -> "list[Used]":
    from agent.errors import DataError
    from graph.feedback import served
    from graph.hosted import Hosted
    from graph.ledger import Ledger
    from graph.services import from_settings
    from graph.shared import FAILURES, open_shared

    try:
        owners = [line.strip() for line in consented.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise DataError(f"{consented} cannot be read; name a text file with one owner a line.") from error
    shared = open_shared(settings.served_store, settings.store_passphrase)
    try:
        return served(Hosted(from_settings(settings), Ledger(shared)), owners)
    except FAILURES as error:
        raise DataError("The store of the served conversations cannot be read; is it running?") from error
    finally:
        shared.close()


def _candidate(one: "Used") -> "Candidate":
    from agent.prompt import Message
    from agent.train.pairing import Candidate
    from agent.train.preferences import USE

    before = [
        Message(role="user" if role == "user" else "assistant", content=text) for role, text in one.before
    ]
    why = "reported" if one.reported else "marked as not helpful"
    return Candidate(before, (one.reply,), USE, one.thread or "reported", held=False, why=why)


@contextmanager
def _counting(*, quiet: bool) -> Iterator[Callable[[int], None]]:
    from rich.progress import MofNCompleteColumn, Progress, SpinnerColumn, TimeElapsedColumn

    columns = [SpinnerColumn(), MofNCompleteColumn(), TimeElapsedColumn()]
    with Progress(*columns, console=Console(stderr=True), disable=quiet, transient=True) as bar:
        task = bar.add_task("", total=None)
        yield lambda done: bar.update(task, completed=done)
