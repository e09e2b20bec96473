"""`hearken models`: what could word replies on this machine, and whether one of them may be trusted with it.

`verify` is a plain function too, for a page. Knows nothing of how models run.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.errors import SettingsError
from ui.saying import say
from ui.wording import fill, load_ui_words

if TYPE_CHECKING:
    from agent.backends import Backend, Proxy
    from agent.evaluate.guard import Reply
    from agent.settings import Settings
    from graph import Turn
    from graph.models import Option
    from ui.wording import Models

__all__ = ["LOADING", "called", "models", "state", "verify"]

models = typer.Typer(
    invoke_without_command=True, help="Who could word replies on this machine, and whether it passed."
)
models.command("say")(say)
Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]
LOADING = 1800.0  # seconds that a model may take to be fetched and loaded here
SLOWEST = 0.5  # the share of a reply's time within which its first sentence must be there
GIB = 2**30


def _unheard(line: str) -> None:
    del line


@models.callback()
def listed(context: typer.Context, as_json: Json = False) -> None:
    """List what this machine could run, the choice marked with an asterisk."""
    if context.invoked_subcommand:
        return
    from agent.settings import load_settings
    from graph.models import options

    rows = options(load_settings())
    if as_json:
        typer.echo(json.dumps([_plain(row) for row in rows], ensure_ascii=False, indent=2))
        return
    for row in rows:
        known = state(row, load_ui_words().models)
        typer.echo(f"{'*' if row['chosen'] else ' '} {row['name']}  ({row['where']})  {known}")
    if len(rows) == 1:
        typer.echo(load_ui_words().models.alone)


def _plain(row: Any) -> dict[str, Any]:
    return {**row, "backend": row["backend"].model_dump(mode="json", exclude={"key"})}


def state(row: "Option", words: "Models") -> str:
    """What is known of it, in words: whether it was tested, what is missing, and its memory."""
    told = [words.tested[row["tested"]]]
    if row["missing"]:
        told.append(fill(words.missing, extra=row["missing"]))
    if row["needs"]:
        needs, free = f"{row['needs'] / GIB:.1f}", f"{row['free'] / GIB:.1f}"
        told.append(
            fill(words.memory if row["runs"] or row["missing"] else words.short, needs=needs, free=free)
        )
    return "; ".join(told)


@models.command("verify")
def verify_one(
    name: Annotated[
        str | None, typer.Argument(help="As `hearken models` lists it; without it the one of the settings.")
    ] = None,
    use: Annotated[bool, typer.Option(help="If it passes, let it word replies from now on.")] = False,
    as_json: Json = False,
) -> None:
    """Put a model to contract, safety gate and speed on this machine; exit status 1 when it does not pass."""
    from agent.settings import load_settings
    from graph.backends import choose, named

    settings = load_settings()
    backend = called(name, settings)
    found = verify(backend, settings, told=_unheard if as_json else typer.echo)
    if use and found["passed"]:
        choose(settings, backend)
    if as_json:
        typer.echo(json.dumps({"name": named(backend), **found}, ensure_ascii=False, indent=2))
    else:
        words = load_ui_words().models
        typer.echo(words.passed if found["passed"] else words.failed)
    if not found["passed"]:
        raise SystemExit(1)


def called(name: str | None, settings: "Settings") -> "Backend":
    """The backend of this name, without a name the settings' one. Raises SettingsError with what there is."""
    from graph.models import as_set, options

    if name is None:
        return settings.backend
    rows = options(settings)
    found = [row["backend"] for row in rows if row["name"] == name or name in row["name"].split()]
    if found:
        return found[0]
    if "/" in name or name.startswith("."):
        return as_set(settings, name)
    listed = ", ".join(row["name"] for row in rows)
    raise SettingsError(f"There is no model {name} here; found were: {listed}.")


def verify(
    backend: "Backend", settings: "Settings", *, told: Callable[[str], object] = _unheard
) -> dict[str, Any]:
    """Whether a backend passes on this machine, kept in the data folder for `hearken.models` and the page.

    told: hears of each check as it is done. Takes a few dozen replies' time.
    """
    from agent.backends import Proxy
    from agent.evaluate.gate import Check, contract, cost, gate
    from graph.backends import remember, worded
    from graph.deadline import pump, within
    from graph.trial import as_brief, as_verdict, try_backend

    limit, checks = settings.reply_seconds, []

    def note(*done: Check) -> bool:
        for check in done:
            checks.append(check)
            told(f"ok   {check.name}" if check.ok else f"NOT  {check.name:<14} {check.says}")
        return all(check.ok for check in done)

    tried = try_backend(backend, settings, prepare=LOADING)
    wording = worded(backend, limit)
    quick = tried.first <= SLOWEST * limit
    speed = Check("speed", quick, f"Its first sentence took {tried.first:.1f} s.")
    if (
        note(Check("runs", tried.ok, tried.says))
        and note(speed)
        and note(*contract(lambda brief: pump(limit, lambda: wording.respond(brief)), as_brief))
    ):
        note(*gate(*_turns(backend, settings), wording.name))
    found: dict[str, Any] = {
        "passed": len(checks) > 2 and all(check.ok for check in checks),
        "checks": [asdict(check) for check in checks],
        "speed": as_verdict(tried),
    }
    if settings.opinion and wording.fears and tried.ok:
        found["opinion"] = cost(lambda text: within(limit, lambda: wording.fears(text)))  # type: ignore[misc]
        told(fill(load_ui_words().models.opinion, **found["opinion"]))
    if isinstance(backend, Proxy) and tried.ok:
        found["mixture"] = _mixture(backend, limit, told)
    remember(settings, backend, found)
    return found


def _mixture(backend: "Proxy", limit: float, told: Callable[[str], object]) -> dict[str, Any]:
    """Whether mixing pays: how well the parts and the mixture foresee a few replies; it warns only."""
    from agent.errors import ResponderError
    from agent.evaluate.gate import load_gate
    from graph.backends import foreseen
    from graph.trial import as_brief

    words = load_ui_words().models
    exchanges = [(as_brief(one.heard), one.reply) for one in load_gate().foreseen]
    try:
        found = foreseen(backend, exchanges, limit)
    except (ResponderError, ArithmeticError, LookupError, RuntimeError, ValueError) as error:
        why = str(error) if isinstance(error, ResponderError) else type(error).__name__
        told(fill(words.not_foreseen, why=why))
        return {"says": why}
    told(fill(words.foreseen, **found))
    if worse := found["worse_than"]:
        told(fill(words.worse, parts=" + ".join(worse)))
    return found


def _turns(
    backend: "Backend", settings: "Settings"
) -> "tuple[Callable[[str], Turn], Callable[[Reply], Turn]]":
    """A turn of a new conversation with this backend, and one in which a canned reply is the model's."""
    from graph import Session
    from graph.backends import worded
    from graph.services import from_settings

    wording = worded(backend, settings.reply_seconds)
    base = replace(from_settings(settings), audit=None, escalate=None, desk=None, operator=False)
    live = replace(base, respond=wording.respond, again=wording.again, responder=wording.name)

    def say(text: str) -> "Turn":
        return Session.open(country="GB", services=live, settings=settings).say(text)

    def canned(reply: "Reply") -> "Turn":
        services = replace(base, respond=lambda _: list(reply.sentences), again=None, responder="model")
        heard = reply.heard or "I feel alone even when people are around me."
        return Session.open(country="GB", services=services, settings=settings).say(heard)

    return say, canned
