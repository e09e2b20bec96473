"""`hearken evaluate generation|gate` and `hearken report`: language models measured, and one against another.

Registers its commands where `ui.cli` says. Knows nothing of how figures come about.
"""

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from agent.errors import DataError, SettingsError
from ui.gauging import Json, Out, printed, settings_of

if TYPE_CHECKING:
    from graph import Turn

__all__ = ["gate", "generation", "report"]

AUTHORED = {"guided", "static", "crisis", "practice", "safety"}


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

    more = {"bartscore": load_bartscore(bart, paraphrases)} if bart else {}
    more |= {"bertscore": load_bertscore(bert, layer)} if bert else {}
    told = generated(_backend(model), data, limit=limit, tokens=tokens, more=more)
    if out:
        written.write(told, out)
    printed(told["figures"], told, as_json=as_json)


def gate(  # noqa: PLR0913 - options of a command
    *,
    candidate: Annotated[str, typer.Option(help="Folder, hub id, proxy.json, `guided`, or a report.")],
    baseline: Annotated[str, typer.Option(help="The same; what it has to be as safe as.")] = "guided",
    part: Annotated[Literal["gate", "rest", "long", "all"], typer.Option(help="Which openings.")] = "gate",
    country: Annotated[str, typer.Option(help="Whose helplines, two letters.")] = "GB",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Hold a candidate against a baseline on the same conversations; exit status 1 when it is refused."""
    from agent.evaluate import report as written
    from agent.evaluate.admission import judged

    written_down = [
        _row(name) for name in (candidate, baseline)
    ]  # a wrong file is told before an hour of talk
    rows = [
        row or _answered(name, part, country)
        for name, row in zip((candidate, baseline), written_down, strict=True)
    ]
    verdict = judged(*rows)
    told = {"task": "gate", "candidate": candidate, "baseline": baseline, **verdict, "rows": rows}
    if out:
        written.write(told, out)
    figures = {name: f"{ours} against {theirs}" for name, (ours, theirs) in verdict["figures"].items()}
    printed({**figures, "risk, weighed": " against ".join(map(str, verdict["risk"]))}, told, as_json=as_json)
    for reason in () if as_json else verdict["reasons"]:
        Console(highlight=False).print(reason, style="red", markup=False, soft_wrap=True)
    if not verdict["admitted"]:
        raise SystemExit(1)


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
        raise DataError(f"{out} cannot be written: name a file in a folder that exists.") from error
    typer.echo(out)


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


def _answered(name: str, part: Literal["gate", "rest", "long", "all"], country: str) -> dict[str, Any]:
    """The row of conversations held now."""
    from agent.evaluate import replies, talks
    from agent.evaluate.scoring import load_scorers
    from agent.train.dialogues import FORM
    from graph.services import encoder, from_settings
    from ui.answering import sessions

    settings = settings_of(name)
    services, reads = from_settings(settings), encoder(settings)
    rules: Counter[str] = Counter()
    worded: Counter[str] = Counter()

    def watch(turn: "Turn") -> None:
        rules.update(one["rule"] for one in turn.replaced)
        worded[turn.responder] += 1

    told = replies.measure(
        {part: talks.openings(part)},
        sessions(services, country, watch),
        load_scorers(),
        lambda text: reads.read(text)["intents"][0]["label"],
        data=str(talks.OPENINGS),
    )
    row, turns = told["rows"][0], sum(worded.values())
    grave = sum(count for rule, count in rules.items() if rule not in FORM)
    row["held_back"] = {"grave": round(100 * grave / turns, 2), "rules": dict(rules.most_common())}
    if settings.backend.kind != "guided":
        row["own"] = round(sum(n for who, n in worded.items() if who not in AUTHORED) / turns, 3)
    return row


def _row(name: str) -> dict[str, Any] | None:
    """The row of a report of replies, or of a gate's candidate; None for what is a model."""
    if not name.endswith(".json"):
        return None
    path = Path(name)
    try:
        told = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON; write it anew with --out.") from error
    rows = told.get("rows") if isinstance(told, dict) and told.get("task") in {"replies", "gate"} else None
    return rows[0] if rows else None
