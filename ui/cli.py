"""The command line. Heavy imports stay in the command that needs them.

Errors made on purpose end as one sentence on stderr and exit status 2; a failed check or script as 1.
"""

import json
import os
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from agent.errors import DataError, HearkenError
from ui.admitting import gate
from ui.auditing import audit
from ui.comparing import compare, generation, judge, report
from ui.data import data
from ui.evaluating import evaluate
from ui.everything import everything
from ui.holding import conversations, latency
from ui.models import models
from ui.preferring import feedback, preferences
from ui.serving import serve, store, unlocked
from ui.spreading import Address, Engine
from ui.tuning import export, lora, proxy_pair

if TYPE_CHECKING:
    from graph import Session

__all__ = ["app", "main"]

app = typer.Typer(name="hearken", no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
train = typer.Typer(
    no_args_is_help=True, help="Train the parts that ship as files (needs the `train` extra)."
)
app.add_typer(train, name="train")
ASKING = Path(__file__).parent.parent / "knowledge" / "asking.npz"
app.add_typer(audit, name="audit")
app.add_typer(data, name="data")
app.add_typer(evaluate, name="evaluate")
app.add_typer(store, name="store")
app.command()(serve)
app.add_typer(models, name="models")
app.add_typer(export, name="export")
app.command("report")(report)
evaluate.command("generation")(generation)
evaluate.command("gate")(gate)
data.command("preferences")(preferences)
data.command("feedback")(feedback)
evaluate.command("compare")(compare)
evaluate.command("judge")(judge)
evaluate.command("conversations")(conversations)
evaluate.command("latency")(latency)
evaluate.command("all")(everything)
train.command("lora")(lora)
train.command("proxy-pair")(proxy_pair)

LOOPBACK = "127.0.0.1"
STOPPED = 130  # exit status of what was interrupted
LEAVING = 60.0  # seconds that leaving a chat may wait for parts that still load
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


def main() -> None:
    """The `hearken` command."""
    with _plainly():
        if app(standalone_mode=False) == STOPPED:  # what Typer makes of Ctrl-C
            raise KeyboardInterrupt


@contextmanager
def _plainly() -> Iterator[None]:
    """Our own errors as one sentence, never a traceback."""
    from knowledge.errors import KnowledgeError
    from knowledge.helplines import HelplineError

    try:
        yield
    except KeyboardInterrupt:
        Console(stderr=True).print("Stopped. What was done is kept; the same command goes on from there.")
        raise SystemExit(STOPPED) from None
    except (HearkenError, KnowledgeError, HelplineError) as error:
        Console(stderr=True).print(escape(str(error)), style="red", highlight=False)
        raise SystemExit(2) from error


@app.command()
def chat(
    country: Annotated[str | None, typer.Option(help="Two-letter code, for the right helplines.")] = None,
    keep: Annotated[bool, typer.Option(help="Write this conversation to disk.")] = False,
    thread: Annotated[str | None, typer.Option(help="Go on with a kept conversation.")] = None,
    why: Annotated[bool, typer.Option(help="Explain each reply.")] = False,
) -> None:
    """Have a conversation in the terminal."""
    from agent.settings import load_settings
    from graph import Session
    from graph.deadline import settle
    from graph.services import from_settings, warm
    from ui.wording import about, fill, load_ui_words, reminded

    words, console = load_ui_words(), Console(highlight=False)
    settings = load_settings()
    services = from_settings(settings)
    key = unlocked(settings) if keep or thread else None
    session = Session.open(
        country=country, keep=keep, thread=thread, services=services, settings=settings, key=key
    )
    # The first start fills the index: nobody should wait for that before the first word.
    problems: list[str] = []
    told: set[str] = set()
    warming = threading.Thread(target=lambda: problems.extend(warm(services)), daemon=True)
    warming.start()
    restricted = [words.about_restricted] if services.restricted else []
    session.due()  # the disclosure, which stands in the lines that follow
    for line in [*about(operator=settings.operator, away=services.away), *restricted, words.chat_intro]:
        console.print(line, style="dim")
    if keep or thread:
        console.print(f"--thread {session.thread}", style="dim")
    while True:
        try:
            text = console.input(f"\n[bold]{words.chat_you}[/bold]  ")
        except (EOFError, KeyboardInterrupt):
            console.print(f"\n{words.chat_goodbye}")
            warming.join(LEAVING)
            settle(LEAVING)  # a search that was given up may still be filling the library
            return
        if text.strip() in {"/plan", "/notes"}:
            (_print_plan if text.strip() == "/plan" else _print_notes)(session)
            continue
        _converse(console, session, text, why=why)
        for line in reminded(session.due()):
            console.print(line, style="dim")
        if (trouble := services.trouble()) and trouble not in told:
            told.add(trouble)
            problems.append(trouble)
        while problems:
            console.print(escape(fill(words.problem, problem=problems.pop())), style="dim")


def _converse(console: Console, session: "Session", text: str, *, why: bool) -> None:
    """One turn, printed as it comes."""
    from graph import CardShown, Done, Said, StepStarted
    from ui import explain
    from ui.wording import load_ui_words

    words = load_ui_words()
    with console.status(words.steps["perceive"]) as status:
        for event in session.stream(text):
            match event:
                case StepStarted(name):
                    status.update(words.steps.get(name, name))
                case CardShown(contacts):
                    _print_card(console, contacts)
                case Said(said):
                    console.print(escape(said), end=" ")
                case Done(turn):
                    console.print()
                    if why:
                        console.print(escape(" ".join(explain.sentences(turn))), style="dim")
    if not session.saved:
        console.print(words.not_saved, style="dim")


def _print_card(console: Console, contacts: list[dict[str, str]]) -> None:
    from ui.wording import fill, load_ui_words

    words = load_ui_words()
    console.print(f"\n[bold]{words.card_title}[/bold]")
    for contact in contacts:
        ways = [fill(words.call, number=contact["phone"])] if contact["phone"] else []
        ways += [fill(words.text, number=contact["sms"])] if contact["sms"] else []
        ways += [contact["chat_url"]] if contact["chat_url"] else []
        note = f" ({contact['note']})" if contact["note"] else ""
        console.print(escape(f"  {contact['name']}: {', '.join(ways)}{note}"))
    if not any(contact["verified_at"] for contact in contacts):
        console.print(words.undialled, style="dim")
    console.print()


@app.command()
def plan(
    thread: Annotated[str, typer.Argument(help="The id of a kept conversation.")],
    as_json: Json = False,
) -> None:
    """Print the safety plan of a kept conversation, as Markdown or JSON; exit status 1 when there is none."""
    from agent.settings import load_settings
    from graph import Session
    from graph.store import listed

    settings = load_settings()
    known = thread in {found for found, _ in listed(settings.conversations_db)}
    session = Session.open(thread=thread, settings=settings, key=unlocked(settings)) if known else None
    if not _print_plan(session, as_json=as_json):
        raise SystemExit(1)


def _print_plan(session: "Session | None", *, as_json: bool = False) -> bool:
    """The safety plan on stdout, as it would stand in a file; False when there is none."""
    from agent.safety_plan import markdown
    from ui.wording import load_ui_words

    found = session.safety_plan() if session else None
    if found is None:
        typer.echo(load_ui_words().plan_none, err=session is None)
        return False
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else markdown(found))
    return True


@app.command()
def notes(
    thread: Annotated[str, typer.Argument(help="The id of a kept conversation.")],
    as_json: Json = False,
) -> None:
    """Print notes of a kept conversation in the person's own lines; exit status 1 when there are none."""
    from agent.settings import load_settings
    from graph import Session
    from graph.store import listed

    settings = load_settings()
    known = thread in {found for found, _ in listed(settings.conversations_db)}
    session = Session.open(thread=thread, settings=settings, key=unlocked(settings)) if known else None
    if not _print_notes(session, as_json=as_json):
        raise SystemExit(1)


def _print_notes(session: "Session | None", *, as_json: bool = False) -> bool:
    """The notes on stdout, as they would stand in a file; False when there are none."""
    from agent.notes import markdown
    from ui.wording import load_ui_words

    found = session.notes() if session else None
    if found is None:
        typer.echo(load_ui_words().notes_none, err=session is None)
        return False
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else markdown(found))
    return True


@app.command("exercises")
def print_exercises(
    name: Annotated[str | None, typer.Argument(help="One of them; all without a name.")] = None,
) -> None:
    """Print the exercises for reading: every step and every wording of it."""
    from agent.exercises import exercises, load_practice_words, printed

    if name and name not in exercises():
        typer.echo(f"{load_practice_words().list.unknown} {', '.join(exercises())}", err=True)
        raise SystemExit(2)
    typer.echo(printed([name] if name else list(exercises())))


@app.command()
def ui(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8501,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
    host: Annotated[str, typer.Option(help="Address; others than loopback: HEARKEN_SHARED.")] = LOOPBACK,
) -> None:
    """Open the app on http://127.0.0.1:8501."""
    from agent.errors import SettingsError
    from agent.settings import load_settings

    if host != LOOPBACK and not load_settings().shared:
        raise SettingsError(
            "Set HEARKEN_SHARED=true before others can reach this: "
            "without it they would read what each of them chose to keep."
        )
    _serve("app.py", port, browser=browser, host=host)


@app.command()
def console(
    port: Annotated[int, typer.Option(help="Port on 127.0.0.1.")] = 8502,
    browser: Annotated[bool, typer.Option(help="Open a browser window.")] = True,
) -> None:
    """Open the operator's page: conversations in danger that wait for a person."""
    from agent.errors import SettingsError
    from agent.settings import load_settings

    if not load_settings().operator:
        raise SettingsError("Set HEARKEN_OPERATOR=true, for the app too, if people are to read along.")
    _serve("console.py", port, browser=browser)


def _serve(script: str, port: int, *, browser: bool, host: str = LOOPBACK) -> None:
    url = f"http://{host}:{port}"
    Console().print(f"hearken is on {url}  (Ctrl-C stops it)", highlight=False)
    if (
        browser
        and sys.stdout.isatty()
        and (os.name == "nt" or sys.platform == "darwin" or "DISPLAY" in os.environ)
    ):
        threading.Thread(target=_open_when_up, args=(url,), daemon=True).start()
    flags = {
        "server.address": host,
        "server.port": str(port),
        "server.headless": "true",
        "server.enableXsrfProtection": "true",
        "server.enableCORS": "true",
        "server.fileWatcherType": "none",
        "browser.gatherUsageStats": "false",
        "client.showErrorDetails": "none",
        "client.toolbarMode": "minimal",
        "theme.light.primaryColor": "#2f6b6f",
        "theme.dark.primaryColor": "#7fb9bc",
    }
    from streamlit.web import cli as streamlit

    # In this very process, so that a signal that ends us ends the server too.
    options = [f"--{name}={value}" for name, value in flags.items()]
    streamlit.main_run.main(args=[str(Path(__file__).parent / script), *options], prog_name="hearken")


def _open_when_up(url: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            with urllib.request.urlopen(f"{url}/_stcore/health", timeout=1):  # noqa: S310 - loopback
                webbrowser.open(url)
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)


@app.command()
def read(  # noqa: PLR0913 - options of a command
    text: Annotated[str | None, typer.Argument(help="One message.")] = None,
    *,
    file: Annotated[Path | None, typer.Option(help="Many: a .csv, .jsonl, or .txt with one a line.")] = None,
    out: Annotated[Path | None, typer.Option(help="Where their readings go: .parquet or .jsonl.")] = None,
    column: Annotated[str, typer.Option(help="What the file calls its texts.")] = "text",
    with_text: Annotated[bool, typer.Option("--with-text", help="Write the texts too.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")] = False,
    explain: Annotated[
        bool, typer.Option(help="For researchers: each IMHI facet with its evidence.")
    ] = False,
    engine: Engine = "local",
    address: Address = "",
    as_json: Json = False,
) -> None:
    """Print what one message expresses: feelings, intent, wishes, signs of danger; or read a whole file."""
    if file and out and text is None:
        from ui.batch import read_all

        read_all(file, out, column=column, with_text=with_text, resume=resume, as_json=as_json,
                 engine=engine, address=address)  # fmt: skip
        return
    if text is None or file or out:
        raise DataError("Give one message in quotes, or --file with --out.")
    from agent.settings import load_settings
    from graph.read import explained, read_message
    from graph.services import from_settings

    settings = load_settings()
    found = read_message(text, from_settings(settings))
    facets = explained(text, settings) if explain else []
    if as_json:
        typer.echo(
            json.dumps({**found, **({"facets": facets} if explain else {})}, ensure_ascii=False, indent=2)
        )
        return
    console = Console(highlight=False)
    reading, risk = found["reading"], found["risk"]
    console.print(f"feelings  {_scored(reading['emotions'][:3])}{'' if reading['sure'] else '  (not sure)'}")
    console.print(f"intent    {_scored(reading['intents'][:2])}")
    console.print(f"reply     {_scored(reading['heads'].get('next_intent', [])[:2])}")
    console.print(f"wants     {', '.join(reading['wants']) or '-'}")
    console.print(f"language  {reading['language']}")
    console.print(f"risk      {risk['level']}{' (crisis branch)' if risk['escalate'] else ''}")
    for reason in risk["reasons"]:
        console.print(f"          {reason}", style="dim")
    for facet in facets:
        console.print(escape(f"{facet['facet']}: {facet['text']}"), soft_wrap=True)


def _scored(scores: list[Any]) -> str:
    return ", ".join(f"{score['label']} {score['p']:.2f}" for score in scores) or "(not available)"


@app.command()
def check(as_json: Json = False) -> None:
    """Print the settings and whether every part loads; exit status 1 when one does not."""
    from agent.settings import load_settings
    from ui.health import health

    report = health(load_settings(), date.today())
    if as_json:
        typer.echo(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        console = Console(highlight=False)
        for part, state in report["parts"].items():
            console.print(
                f"{'ok ' if state['ok'] else 'NOT'}  {part:<10} {escape(state['says'])}", soft_wrap=True
            )
        for name, value in report["settings"].items():
            console.print(f"     {name:<16} {escape(str(value))}", style="dim", soft_wrap=True)
    if not report["ok"]:
        raise SystemExit(1)


@app.command()
def ingest(  # noqa: PLR0913, PLR0917 - options of a command
    source: Annotated[str, typer.Argument(help="counselchat, starter, or a folder of texts.")],
    origin: Annotated[str, typer.Option("--from", help="A file, or `hub`.")] = "hub",
    rebuild: Annotated[bool, typer.Option(help="Begin the index anew.")] = False,
    engine: Engine = "local",
    address: Address = "",
    as_json: Json = False,
) -> None:
    """Add answers to what retrieval searches; may be stopped and started again."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from agent.settings import load_settings
    from graph.services import ingest as add
    from ui import spreading

    columns = [TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()]
    with Progress(*columns, console=Console(stderr=True), disable=as_json) as bar:
        task = bar.add_task(source, total=None)
        report = add(
            load_settings(),
            source,
            origin,
            rebuild=rebuild,
            ahead=partial(spreading.table, engine, address, spreading.vectors, quiet=as_json),
            progress=lambda done, total: bar.update(task, completed=done, total=total),
        )
    if as_json:
        typer.echo(json.dumps(report))
    else:
        Console(highlight=False).print("  ".join(f"{name}: {count}" for name, count in report.items()))


@app.command("test")
def run_scripts(
    folder: Annotated[Path, typer.Argument(help="A folder of conversation scripts (YAML), or one file.")],
    junit: Annotated[Path | None, typer.Option(help="Write the outcome as JUnit XML.")] = None,
    transcript: Annotated[bool, typer.Option(help="Print what was said.")] = False,
    as_json: Json = False,
) -> None:
    """Run scripted conversations; exit status 1 when one fails."""
    from agent.settings import load_settings
    from graph.scripts import junit as as_junit
    from graph.scripts import load_scripts, run_script
    from graph.services import from_settings

    services = from_settings(load_settings())
    console = Console(highlight=False, stderr=as_json)
    outcomes = []
    for name, script in load_scripts(folder).items():
        outcome = run_script(name, script, services)
        outcomes.append(outcome)
        console.print(f"{'FAIL' if outcome.failures else 'pass'}  {name}")
        for failure in outcome.failures:
            console.print(escape(f"      {failure}"), style="red")
        if outcome.failures:
            console.print(escape(f"      about: {outcome.about}"), style="dim")
        for said, reply in outcome.transcript if transcript else ():
            console.print(escape(f"      > {said}\n      {reply}\n"))
    failed = sum(1 for outcome in outcomes if outcome.failures)
    if junit:
        junit.write_text(as_junit(outcomes), "utf-8")
    if as_json:
        typer.echo(
            json.dumps([{"name": o.name, "failures": o.failures} for o in outcomes], ensure_ascii=False)
        )
    console.print(f"{len(outcomes) - failed} passed, {failed} failed")
    if failed:
        raise SystemExit(1)


@train.command("encoder")
def train_encoder(  # noqa: PLR0913, PLR0917 - one for each option
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


@train.command("scorers")
def train_scorers(
    data: Annotated[Path, typer.Option(help="Folder that holds epitome/ and reply_safety/.")],
    out: Annotated[Path, typer.Option(help="Folder to write the scorers to.")] = Path(
        "agent/evaluate/scorers"
    ),
) -> None:
    """Fit what `hearken evaluate replies` scores replies by: EPITOME's mechanisms and DiaSafety's unsafe."""
    from agent.train import scorers

    scorers.train(data, out)


@train.command("retrieval")
def train_retrieval(
    data: Annotated[Path, typer.Option(help="A counselchat file with its column `split`.")],
    out: Annotated[Path, typer.Option(help="File to write; the shipped one if left out.")] = ASKING,
) -> None:
    """Train the turn of a question's vector towards the answers that such questions get."""
    from agent.reading.encoder import load_encoder
    from agent.train.retrieval import run

    encoder = load_encoder()
    Console(highlight=False).print(run(data, out, encoder.embed, encoder.name))


@train.command("vectors")
def train_vectors() -> None:
    """Embed the starter library's lines, so that a first start need not; run it when a line changed."""
    from agent.reading.encoder import load_encoder
    from knowledge.library import starter_lines
    from knowledge.starter.vectors import SHIPPED, write_vectors

    encoder = load_encoder()
    Console(highlight=False).print(write_vectors(SHIPPED, starter_lines(), encoder.embed, encoder.name))


@train.command("plan")
def train_plan(
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


if __name__ == "__main__":
    main()
