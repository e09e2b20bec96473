"""`hearken audit`: is the trail whole, forget what is old, count for a yearly report.

Knows nothing of how lines come about.
"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.errors import SettingsError

if TYPE_CHECKING:
    from agent.settings import Settings

__all__ = ["audit"]

audit = typer.Typer(no_args_is_help=True, help="The audit trail that HEARKEN_AUDIT_DIR names.")

Json = Annotated[bool, typer.Option("--json", help="Print machine-readable JSON.")]


def _folder() -> "tuple[Settings, Path]":
    from agent.settings import load_settings

    settings = load_settings()
    if settings.audit_dir is None:
        raise SettingsError("No audit trail is kept: set HEARKEN_AUDIT_DIR to the folder it is to be in.")
    return settings, settings.audit_dir


def _keyed() -> tuple[Path, bytes]:
    """The folder and its key. Making a key would only say that every line is wrong."""
    from graph.chain import load_key

    settings, folder = _folder()
    if settings.audit_key is None and not (folder / "audit.key").exists():
        raise SettingsError(f"There is no key: {folder} holds no audit.key, and HEARKEN_AUDIT_KEY is unset.")
    return folder, load_key(folder, settings.audit_key.get_secret_value() if settings.audit_key else None)


@audit.command()
def verify(as_json: Json = False) -> None:
    """Find lines that were changed, removed or moved; exit status 1 when there is one."""
    from graph import chain

    folder, key = _keyed()
    problems = chain.verify(folder, key)
    found: dict[str, Any] = {
        "ok": not problems,
        "lines": len(chain.lines(folder)),
        "problems": [{"line": line, "says": says} for line, says in problems],
    }
    if as_json:
        typer.echo(json.dumps(found))
    else:
        for line, says in problems:
            typer.echo(f"line {line} {says}")
        typer.echo(f"{found['lines']} lines, {len(problems)} problems")
    if problems:
        raise SystemExit(1)


@audit.command()
def purge(
    days: Annotated[int, typer.Option(min=0, help="Keep so many days.")] = 30,
    as_json: Json = False,
) -> None:
    """Remove lines older than so many days; their counts stay, and the rest still verifies."""
    from graph.audit import purge as remove

    gone = remove(*_keyed(), days=days)
    typer.echo(json.dumps({"removed": gone}) if as_json else f"{gone} lines removed")


@audit.command()
def counts(as_json: Json = False) -> None:
    """Count turns by year and level, and the turns that showed helplines by kind and country."""
    from graph.audit import counts as count

    years = count(_folder()[1])
    if as_json:
        typer.echo(json.dumps(years, indent=2))
        return
    for year, counted in years.items():
        typer.echo(f"{year}  turns {counted['turns']}  referrals {counted['referrals']}")
        for group in ("levels", "kinds", "countries"):
            told = ", ".join(f"{name} {n}" for name, n in sorted(counted[group].items()))
            typer.echo(f"      {group:<10} {told or '-'}")
