"""`hearken words`: what clinicians edit, checked and shown as a person would read it.

Knows nothing of schemas or of the guard; it prints what they say.
"""

from typing import Annotated

import typer

__all__ = ["words"]

words = typer.Typer(
    no_args_is_help=True, help="The sentences under agent/words, for those who edit them: check, preview."
)

Where = Annotated[
    str,
    typer.Argument(help="A file, or FILE#key.key, as in replies_told.yaml#tellings.guilt; all if left out."),
]
Say = Annotated[list[str] | None, typer.Option("--say", help="What a person writes; repeat it for a talk.")]


@words.command()
def check() -> None:
    """Hold files against their schemas and sentences against the guard; exit status 1 if one is stopped."""
    from agent.evaluate.wording import lines
    from ui.health import loaded

    loaded()
    found = lines()
    stopped = [line for line in found if line.stopped]
    for line in stopped:
        typer.echo(f"stopped by {line.stopped}  {line.place}\n      {line.text}")
    files = len({line.place.partition("#")[0] for line in found})
    typer.echo(f"{len(found):,} sentences in {files} files, {len(stopped)} stopped")
    if stopped:
        raise SystemExit(1)


@words.command()
def preview(where: Where = "", say: Say = None) -> None:
    """Show the sentences of a place with examples for the person's words, or the replies to what is said."""
    from agent.evaluate.wording import lines, said_at
    from graph import Session

    if where or not say:
        last = ""
        for line in lines(where):
            key = line.place.rpartition(".")[0]
            if key != last:
                typer.echo(f"\n{key}")
            last = key
            typer.echo(f"  {line.text}" + (f"   (stopped by {line.stopped})" if line.stopped else ""))
    if say:
        session = Session.open()
        for text in say:
            turn = session.say(text)
            typer.echo(
                f"\n> {text}\n  plan: {turn.plan['move']}, told: {turn.reading.get('telling') or 'not sure'}"
            )
            for sentence, place in said_at(turn.text):
                typer.echo(f"  {sentence}   [{place or 'in their own words'}]")
