"""`hearken evaluate generation|compare|judge` and `hearken report`: language models, one against another.

Registers its commands where `ui.cli` says. Knows nothing of how figures come about.
"""

import hashlib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from agent.errors import DataError, SettingsError
from ui.evaluate.figures import Json, Out, counted, printed, report_of, settings_of
from ui.evaluate.measures import writer

__all__ = ["compare", "generation", "judge", "report"]

ANSWER = 8  # tokens of a judge's yes or no


def generation(  # noqa: PLR0913 - options of a command
    *,
    data: Annotated[Path, typer.Option("--data", help="A folder that `hearken data prepare` wrote.")],
    model: Annotated[str, typer.Option("--model", help="Hub id, folder or proxy.json.")] = "",
    limit: Annotated[int, typer.Option("--limit", min=1, help="Validation examples.")] = 100,
    tokens: Annotated[int, typer.Option(min=1, help="Of one reply, at most.")] = 120,
    bart: Annotated[Path | None, typer.Option(help="Folder of bart-large-cnn, for BARTScore.")] = None,
    paraphrases: Annotated[Path | None, typer.Option(help="ParaBank2's weights on top of it.")] = None,
    bert: Annotated[Path | None, typer.Option(help="Folder of an encoder, for BERTScore.")] = None,
    layer: Annotated[int | None, typer.Option(min=0, help="Its layer; the last if left out.")] = None,
    out: Out = None,
    as_json: Json = False,
) -> None:
    """A model's bare replies, unguarded, beside those people gave.

    ROUGE, BLEU, variety and perplexity; BERTScore and BARTScore by an encoder and a BART on this machine.
    """
    from agent.evaluate import report as written
    from agent.evaluate.bartscore import load_bartscore
    from agent.evaluate.bertscore import load_bertscore
    from agent.evaluate.generating import generated
    from agent.evaluate.keeping import parted

    more = {"bartscore": load_bartscore(bart, paraphrases)} if bart else {}
    more |= {"bertscore": load_bertscore(bert, layer)} if bert else {}
    chat = _backend(model)
    about = {"task": "generation", "model": chat.name_of_model, "data": _digest(data)}
    about |= {"limit": limit, "tokens": tokens}
    with parted(out, about) as once, counted(_same, quiet=as_json) as seen:

        def counting(name: str, make: Callable[[], Any]) -> Any:
            return seen(once(name, make))

        told = generated(chat, data, limit=limit, tokens=tokens, more=more, once=counting)
        if out:
            written.write(told, out)
    printed(told["figures"], told, as_json=as_json)


def compare(
    ours: Annotated[
        Path, typer.Argument(help="A report with items: generation, imhi --model, conversations.")
    ],
    theirs: Annotated[Path, typer.Argument(help="Another of the same task on the same data.")],
    out: Out = None,
    as_json: Json = False,
) -> None:
    """One report against another of the same items, by a paired bootstrap: how much more the first has."""
    from agent.evaluate import report as written
    from agent.evaluate.pairs import paired

    found = paired(report_of(ours), report_of(theirs))
    told = {"task": "compare", "data": f"{ours} against {theirs}", "figures": found}
    if out:
        written.write(told, out)
    printed(found, told, as_json=as_json)


def judge(
    *,
    judges: Annotated[list[str], typer.Option("--judge", help="Two models: repeat it.")],
    model: Annotated[str, typer.Option("--model", help="Whose replies are judged.")] = "guided",
    part: Annotated[Literal["gate", "rest", "long", "all"], typer.Option(help="Which openings.")] = "gate",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Two language models as second readers of replies, with their kappa. Advisory: it decides nothing."""
    from agent.evaluate import report as written
    from agent.evaluate.judging import judged
    from agent.evaluate.keeping import parted
    from agent.evaluate.talks import openings
    from agent.evaluate.turns import held
    from graph.services import from_settings
    from ui.evaluate.sessions import sessions

    if len(set(judges)) != 2:
        raise SettingsError("Two different judges are needed: --judge ONE --judge OTHER.")
    asking = {name: writer(name, ANSWER)[0] for name in judges}
    opened = sessions(from_settings(settings_of(model)), "GB")
    about = {"task": "judge", "judges": judges, "model": model, "part": part}
    with parted(out, about) as once, counted(_same, quiet=as_json) as seen:

        def asked(name: str, prompt: str) -> str:
            digest = hashlib.sha256(prompt.encode()).hexdigest()
            return str(seen(once(f"{name} {digest}", partial(asking[name], prompt))))

        turns = [turn for talk in openings(part) for turn in held(talk.messages, opened())]
        told = {**judged(turns, {name: partial(asked, name) for name in judges}), "model": model}
        if out:
            written.write(told, out)
    shown = {
        row["view"]: {name: value for name, value in row.items() if name != "view"} for row in told["rows"]
    }
    printed({**shown, "note": told["advisory"]}, told, as_json=as_json)


def report(
    folder: Annotated[Path, typer.Argument(help="A folder of reports that `--out` wrote.")],
    out: Annotated[Path, typer.Option("--out", help="The page to write.")] = Path("report.html"),
    markdown: Annotated[Path | None, typer.Option(help="Also a summary for a model card.")] = None,
) -> None:
    """Turn a folder of reports into one page that needs no network."""
    from agent.evaluate import page

    found = page.reports(folder)
    try:
        out.write_text(page.page(found), "utf-8")
        if markdown:
            markdown.write_text(page.markdown(found), "utf-8")
    except OSError as error:
        raise DataError(
            f"{out} cannot be written ({error.strerror}): name a file in a folder that exists, with room."
        ) from error
    typer.echo(out)


def _same(found: Any) -> Any:
    """What is counted as it comes."""
    return found


def _digest(data: Path) -> str:
    """Of the validation part: another one is another run."""
    path = data / "valid.jsonl"
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(data)


def _backend(name: str) -> Any:
    """The chat model itself, without a graph around it."""
    from agent.llm.local import load_local
    from agent.llm.proxy import load_proxy

    backend = settings_of(name).backend
    if backend.kind == "huggingface":
        return load_local(backend)
    if backend.kind == "proxy":
        return load_proxy(backend)
    raise SettingsError(f"{backend.kind} is no model on this machine: give --model a folder or a hub id.")
