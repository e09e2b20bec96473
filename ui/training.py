"""`hearken train encoder|probe|danger|scorers|retrieval|vectors|plan|suits`: the small models, made again.

Registers nothing itself; ui.cli does. Knows nothing of how; see agent.train.
"""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["danger", "encoder", "plan", "probe", "retrieval", "scorers", "suits", "vectors"]

ASKING = Path(__file__).parent.parent / "knowledge" / "asking.npz"


def encoder(  # noqa: PLR0913, PLR0917 - one for each option
    data: Annotated[Path, typer.Option(help="Folder that holds the public data sets.")],
    out: Annotated[Path, typer.Option(help="Folder to write the reading model to.")],
    work: Annotated[Path, typer.Option(help="Folder of the run; a run cut off there goes on.")] = Path(
        "runs/encoder"
    ),
    permissive: Annotated[bool, typer.Option(help="Only data whose licence allows general use.")] = False,
    further: Annotated[
        bool, typer.Option(help="Three more runs afterwards, as the shipped model had.")
    ] = False,
    beside: Annotated[
        Path | None, typer.Option(help="A permissive model's folder, to show its figures too.")
    ] = None,
) -> None:
    """Fine-tune the reading encoder on every head, then export, calibrate and measure it."""
    from agent.train import pipeline

    if permissive and further:
        raise typer.BadParameter("the further runs go on from the default one; leave one of the two out.")
    pipeline.run(data, work, out, permissive=permissive, further=further, beside=beside)


def probe(
    data: Annotated[Path, typer.Option(help="Folder that holds the public data sets.")],
    out: Annotated[Path, typer.Option(help="Folder of a finished reading model.")],
    permissive: Annotated[bool, typer.Option(help="Only data whose licence allows general use.")] = False,
    only: Annotated[
        list[str] | None, typer.Option(help="A head to fit; the others stay. May be repeated.")
    ] = None,
) -> None:
    """Fit the reading model's probe on the published vectors anew, and measure the whole again."""
    from agent.train import card, probe

    made = probe.add(data, out, permissive=permissive, only=only or ())
    Console(highlight=False).print(card.summary(made))


def danger(
    data: Annotated[Path, typer.Option(help="Folder that holds the public data sets.")],
    out: Annotated[Path, typer.Option(help="Folder of a finished reading model.")],
    work: Annotated[Path, typer.Option(help="Folder of the run; a run cut off there goes on.")] = Path(
        "runs/danger"
    ),
    permissive: Annotated[bool, typer.Option(help="Only data whose licence allows general use.")] = False,
) -> None:
    """Train the second encoder, of danger and of what a message does; add it to the model, and measure."""
    from agent.train import card, danger

    Console(highlight=False).print(card.summary(danger.add(data, work, out, permissive=permissive)))


def scorers(
    data: Annotated[Path, typer.Option(help="Folder that holds epitome/ and reply_safety/.")],
    out: Annotated[Path, typer.Option(help="Folder to write the scorers to.")] = Path(
        "agent/evaluate/scorers"
    ),
) -> None:
    """Fit what `hearken evaluate replies` scores replies by: EPITOME's mechanisms and DiaSafety's unsafe."""
    from agent.train import scorers

    scorers.train(data, out)


def retrieval(
    data: Annotated[Path, typer.Option(help="A counselchat file with its column `split`.")],
    out: Annotated[Path, typer.Option(help="File to write; the shipped one if left out.")] = ASKING,
) -> None:
    """Train the turn of a question's vector towards the answers that such questions get."""
    from agent.reading.encoder import load_encoder
    from agent.train.retrieval import run

    encoder = load_encoder()
    Console(highlight=False).print(run(data, out, encoder.embed, encoder.name))


def vectors() -> None:
    """Embed the starter library's lines, so that a first start need not; run it when a line changed."""
    from agent.reading.encoder import load_encoder
    from knowledge.library import starter_lines
    from knowledge.starter.vectors import SHIPPED, write_vectors

    encoder = load_encoder()
    Console(highlight=False).print(write_vectors(SHIPPED, starter_lines(), encoder.embed, encoder.name))


def plan(
    out: Annotated[Path, typer.Option(help="Folder of the model of supporters.")],
    data: Annotated[
        Path | None, typer.Option(help="Public data sets; left out, only the sentences' vectors are renewed.")
    ] = None,
    work: Annotated[Path, typer.Option(help="Folder of the run; a run cut off there goes on.")] = Path(
        "runs/plan"
    ),
) -> None:
    """Learn what human supporters do next and which authored sentences answer a moment."""
    from agent.responders.replies import bank
    from agent.settings import load_settings
    from agent.train import plan
    from graph.services import encoder

    reader = encoder(load_settings())
    if data is None:
        plan.renew(out, reader, bank())
    else:
        plan.run(data, work, out, encoder=reader, bank=bank(), recipe=plan.Recipe())


def suits(
    out: Annotated[Path, typer.Option(help="Folder of the model of supporters.")],
) -> None:
    """Learn from graded examples which authored sentences suit a message; some two minutes."""
    from agent.responders.replies import placed
    from agent.settings import load_settings
    from agent.train import suits
    from graph.services import encoder

    reader = encoder(load_settings())
    suits.run(out, encoder=reader, sentences=placed(), recipe=suits.Recipe())
