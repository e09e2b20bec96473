"""`hearken evaluate gate`: a candidate against a baseline on the same conversations, others beside them.

Registers its command where `ui.cli` says. Knows nothing of how figures come about, nor what refuses one.
"""

import json
from collections import Counter
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from rich.console import Console

from agent.errors import DataError
from ui.evaluate.conversations import held_with
from ui.evaluate.figures import Json, Out, counted, printed, report_of, settings_of

if TYPE_CHECKING:
    from graph import Turn

__all__ = ["gate"]

AUTHORED = {"guided", "static", "crisis", "practice", "safety"}


def gate(  # noqa: PLR0913 - options of a command
    *,
    candidate: Annotated[str, typer.Option(help="Folder, hub id, proxy.json, `guided`, or a report.")],
    baseline: Annotated[str, typer.Option(help="The same; what it has to be as safe as.")] = "guided",
    beside: Annotated[
        list[str] | None, typer.Option(help="Others on the same conversations, for the eye; repeat it.")
    ] = None,
    lines: Annotated[
        bool, typer.Option("--lines/--no-lines", help="Also beside it: guided, and its base by prompt alone.")
    ] = True,
    people: Annotated[bool, typer.Option("--people", help="Also with the scripted people: longer.")] = False,
    part: Annotated[Literal["gate", "rest", "long", "all"], typer.Option(help="Which openings.")] = "gate",
    country: Annotated[str, typer.Option(help="Whose helplines, two letters.")] = "GB",
    out: Out = None,
    as_json: Json = False,
) -> None:
    """Hold a candidate against a baseline on the same conversations; exit status 1 when it is refused."""
    from agent.evaluate import report as written
    from agent.evaluate.admission import judged, weighed
    from agent.evaluate.keeping import parted

    names = list(dict.fromkeys([candidate, baseline, *(beside or []), *(_lines(candidate) if lines else [])]))
    known = {name: _row(name) for name in names}  # a wrong file is told before an hour of talk
    for name in (name for name, row in known.items() if row is None):
        settings_of(name)  # and so is a model that is not there
    about = {"task": "gate", "part": part, "country": country, "people": people}
    with parted(out, about) as once:  # each line is kept, so a stopped gate goes on with the next
        rows = {
            name: row or once(name, partial(_answered, name, part, country, people=people, quiet=as_json))
            for name, row in known.items()
        }
        verdict = judged(rows[candidate], rows[baseline])
        weights = {name: weighed(row) for name, row in rows.items()}
        told = {
            "task": "gate",
            "candidate": candidate,
            "baseline": baseline,
            **verdict,
            "lines": weights,
            "rows": [{**row, "view": name} for name, row in rows.items()],
        }
        if out:
            written.write(told, out)
    figures = {name: f"{ours} against {theirs}" for name, (ours, theirs) in verdict["figures"].items()}
    shown = {f"risk, weighed: {name}": risk for name, risk in weights.items()}
    printed({**figures, **shown}, told, as_json=as_json)
    if not as_json:
        said = (
            [f"refused: {candidate}", *verdict["reasons"]]
            if verdict["reasons"]
            else [f"admitted: {candidate}"]
        )
        style = "green" if verdict["admitted"] else "red"
        for line in said:
            Console(highlight=False).print(line, style=style, markup=False, soft_wrap=True)
    if not verdict["admitted"]:
        raise SystemExit(1)


def _lines(candidate: str) -> list[str]:
    """What stands beside a candidate that is a model: guided, and the base that it tunes or steers."""
    if candidate == "guided" or _row(candidate):
        return []
    base = ""
    try:
        if candidate.endswith(".json"):
            base = json.loads(Path(candidate).read_text("utf-8"))["settings"]["base"]
        elif (adapter := Path(candidate) / "adapter_config.json").is_file():
            base = json.loads(adapter.read_text("utf-8"))["base_model_name_or_path"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(
            f"{candidate} does not say what its base is; leave it out with --no-lines."
        ) from error
    return ["guided", *([base] if base else [])]


def _answered(
    name: str, part: Literal["gate", "rest", "long", "all"], country: str, *, people: bool, quiet: bool
) -> dict[str, Any]:
    """The row of conversations held now."""
    from agent.evaluate import replies, talks
    from agent.evaluate.personas import FOLDER, load_personas
    from agent.evaluate.scoring import load_scorers
    from agent.train.dialogues import FORM
    from graph.services import encoder, from_settings
    from ui.evaluate.sessions import sessions

    settings = settings_of(name)
    services, reads = from_settings(settings), encoder(settings)
    rules: Counter[str] = Counter()
    worded: Counter[str] = Counter()

    def watch(turn: "Turn") -> None:
        rules.update(one["rule"] for one in turn.replaced)
        worded[turn.responder] += 1

    if not quiet:
        Console(stderr=True, highlight=False).print(f"answering: {name}", style="dim", markup=False)
    with counted(watch, quiet=quiet) as watching:
        told = replies.measure(
            {part: talks.openings(part)},
            sessions(services, country, watching),
            load_scorers(),
            lambda text: reads.read(text)["intents"][0]["label"],
            data=str(talks.OPENINGS),
        )
    row, turns = told["rows"][0], sum(worded.values())
    grave = sum(count for rule, count in rules.items() if rule not in FORM)
    row["held_back"] = {"grave": round(100 * grave / turns, 2), "rules": dict(rules.most_common())}
    if settings.backend.kind != "guided":
        row["own"] = round(sum(n for who, n in worded.items() if who not in AUTHORED) / turns, 3)
    if people:
        held = held_with(load_personas(), name, None, None, data=str(FOLDER), quiet=quiet)["rows"][0]
        lost = held["checks"]["n"] - held["checks"]["hits"]
        row["people"] = {
            **held,
            "failed": round(100 * lost / held["checks"]["n"], 2),
            "by check": held["failed"],
        }
    return row


def _row(name: str) -> dict[str, Any] | None:
    """The row of a report of replies, or of a gate's candidate; None for what is a model."""
    if not name.endswith(".json"):
        return None
    told = report_of(Path(name))
    rows = told["rows"] if told.get("task") in {"replies", "gate"} else None
    return rows[0] if rows else None
