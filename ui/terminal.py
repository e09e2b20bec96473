"""`hearken chat` and what a kept conversation left: `plan`, `notes`; and `exercises`, to read without one.

Registers nothing itself; ui.cli does. Knows nothing of how a reply is made.
"""

import json
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from ui.serving import unlocked

if TYPE_CHECKING:
    from graph import Session

__all__ = ["chat", "notes", "plan", "print_exercises"]

LEAVING = 60.0  # seconds that leaving a chat may wait for parts that still load
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


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


def plan(
    thread: Annotated[str, typer.Argument(help="The id of a kept conversation.")],
    as_json: Json = False,
) -> None:
    """Print the safety plan of a kept conversation, as Markdown or JSON; exit status 1 when there is none."""
    if not _print_plan(_kept(thread), as_json=as_json):
        raise SystemExit(1)


def notes(
    thread: Annotated[str, typer.Argument(help="The id of a kept conversation.")],
    as_json: Json = False,
) -> None:
    """Print notes of a kept conversation in the person's own lines; exit status 1 when there are none."""
    if not _print_notes(_kept(thread), as_json=as_json):
        raise SystemExit(1)


def _kept(thread: str) -> "Session | None":
    """The kept conversation of that id, if there is one."""
    from agent.settings import load_settings
    from graph import Session
    from graph.store import listed

    settings = load_settings()
    known = thread in {found for found, _ in listed(settings.conversations_db)}
    return Session.open(thread=thread, settings=settings, key=unlocked(settings)) if known else None


def _print_plan(session: "Session | None", *, as_json: bool = False) -> bool:
    """The safety plan on stdout, as it would stand in a file; False when there is none."""
    from agent.safety_plan import markdown
    from ui.wording import load_ui_words

    found = session.safety_plan() if session else None
    missing = load_ui_words().plan_none
    return _printed(found, markdown, missing, as_json=as_json, alone=session is None)


def _print_notes(session: "Session | None", *, as_json: bool = False) -> bool:
    """The notes on stdout, as they would stand in a file; False when there are none."""
    from agent.notes import markdown
    from ui.wording import load_ui_words

    found = session.notes() if session else None
    missing = load_ui_words().notes_none
    return _printed(found, markdown, missing, as_json=as_json, alone=session is None)


def _printed(
    found: dict[str, Any] | None,
    markdown: Callable[[dict[str, Any]], str],
    missing: str,
    *,
    as_json: bool,
    alone: bool,
) -> bool:
    """What was found, or that nothing was; `alone` as a command, where that belongs on stderr."""
    if found is None:
        typer.echo(missing, err=alone)
        return False
    typer.echo(json.dumps(found, ensure_ascii=False, indent=2) if as_json else markdown(found))
    return True


def print_exercises(
    name: Annotated[str | None, typer.Argument(help="One of them; all without a name.")] = None,
) -> None:
    """Print the exercises for reading: every step and every wording of it."""
    from agent.exercises import exercises, load_practice_words, printed

    if name and name not in exercises():
        typer.echo(f"{load_practice_words().list.unknown} {', '.join(exercises())}", err=True)
        raise SystemExit(2)
    typer.echo(printed([name] if name else list(exercises())))
