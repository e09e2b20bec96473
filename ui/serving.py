"""`hearken serve` and what belongs to it: keys for those who may ask, and what is kept, encrypted or not."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.errors import PassphraseError, SettingsError
from agent.settings import Settings, load_settings

if TYPE_CHECKING:
    from graph.shared import Shared
    from graph.vault import Key

__all__ = ["serve", "store", "unlocked"]

store = typer.Typer(
    no_args_is_help=True,
    help="What is kept: by the app, and behind `hearken serve` (HEARKEN_STORE_URL).",
)
File = Annotated[
    Path | None,
    typer.Option("--file", help="One file; otherwise all that are there, the app's and the API's."),
]
LOOPBACK = {"127.0.0.1", "::1", "localhost"}


def serve(
    host: Annotated[
        str, typer.Option(help="Address; others than loopback need keys or tokens.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port.")] = 8600,
    processes: Annotated[
        int, typer.Option(min=1, max=64, help="Workers; one that dies is begun anew. 400 MB each.")
    ] = 1,
) -> None:
    """Answer over HTTP: hearken's own endpoints under /v1/conversations, and OpenAI's chat completions."""
    settings = load_settings()
    if host not in LOOPBACK and not (settings.keys_file or settings.oidc_issuer):
        raise SettingsError(
            "Set HEARKEN_KEYS_FILE or HEARKEN_OIDC_ISSUER before others can reach this: "
            "without them everyone is the same owner."
        )
    try:
        import uvicorn

        from ui.serve.app import create_app
    except ImportError as error:
        raise SettingsError("The API needs the extra: pip install 'hearken[serve]'.") from error
    # uvicorn's own access lines name whole paths, with ids in them; ours name routes
    how: dict[str, Any] = {"access_log": False, "log_config": _logs(), "server_header": False}
    if processes == 1:
        uvicorn.run(create_app(settings), host=host, port=port, **how)
    else:  # each worker makes the app by itself; settings that cannot be used were told above
        made = "ui.serve.app:create_app"
        how["timeout_worker_healthcheck"] = 60  # loading takes long on a busy machine
        uvicorn.run(made, factory=True, workers=processes, host=host, port=port, **how)


def _logs() -> dict[str, object]:
    """Lines of JSON on stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": "ui.serve.lines.JsonLines"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "json"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"hearken": {"level": "INFO"}, "uvicorn": {"level": "INFO"}},
    }


@store.command("key")
def print_key(owner: Annotated[str, typer.Argument(help="A name for who will use it.")]) -> None:
    """Make a key: the first line is for its owner, the second goes into HEARKEN_KEYS_FILE."""
    from ui.serve.auth import new_key

    for line in new_key(owner):
        typer.echo(line)


@contextmanager
def _opened(settings: Settings, url: str = "") -> Iterator["Shared"]:
    """The store at `url`, or the one of the settings. Raises SettingsError when it does not answer."""
    from graph.shared import FAILURES, open_shared

    url = url or settings.served_store
    try:
        # the key is of files alone: copied from one to PostgreSQL, it opens the old store and is not refused
        shared = open_shared(url, settings.store_passphrase if url.startswith("sqlite:") else None)
        yield shared
        shared.close()
    except FAILURES as error:
        what = f"{type(error).__name__}: {error}" if url.startswith("sqlite:") else type(error).__name__
        raise SettingsError(
            f"The store cannot be used ({what}). See that it runs, and that HEARKEN_STORE_URL names it."
        ) from error


@store.command()
def migrate() -> None:
    """Create or upgrade the tables; safe to repeat, and to run beside workers."""
    with _opened(load_settings()) as shared:
        shared.migrate()
    typer.echo(json.dumps({"store": shared.kind, "migrated": True}))


@store.command()
def copy(
    source: Annotated[str, typer.Argument(help="URL of the store until now: sqlite:///PATH, postgresql://…")],
) -> None:
    """Copy every conversation into HEARKEN_STORE_URL; stop the workers first. Safe to repeat.

    HEARKEN_STORE_KEY opens the old store and encrypts the new one, where they are SQLite files.
    """
    from graph.moving import moved

    settings = load_settings()
    if source == settings.served_store:
        raise SettingsError("HEARKEN_STORE_URL is the same store. Set it to the new one.")
    if source.startswith("sqlite:///") and not Path(source.removeprefix("sqlite:///")).is_file():
        raise SettingsError(f"There is no file {source.removeprefix('sqlite:///')}.")
    with _opened(settings, source) as old, _opened(settings) as new:
        taken, there = moved(old, new)
    typer.echo(json.dumps({"copied": taken, "there_already": there, "store": new.kind}))


@store.command()
def purge(
    days: Annotated[float, typer.Option(min=0, help="Remove what nobody has touched for so many days.")],
) -> None:
    """Remove old conversations for good; made for a daily job."""
    from graph.hosted import Hosted
    from graph.ledger import Ledger
    from graph.services import Services

    with _opened(load_settings()) as shared:
        hosted = Hosted(Services(), Ledger(shared))
        gone = hosted.ledger.purge(days)
        hosted.scrub()
    typer.echo(json.dumps({"purged": gone}))


@store.command()
def encrypt(file: File = None) -> None:
    """Encrypt what is kept, with HEARKEN_STORE_KEY or a passphrase that is asked for. A lost one is lost.

    Safe to repeat, and after an interruption.
    """
    from graph import sealing

    settings = load_settings()
    files = _files(settings, file)
    passphrase = _passphrase(settings, twice=True) if files else ""
    for one in files:
        sealing.encrypt(one, passphrase)
    typer.echo(json.dumps({"encrypted": [one.name for one in files]}))


@store.command()
def decrypt(file: File = None) -> None:
    """Write what is kept in the clear again. Unset HEARKEN_STORE_KEY after it, or the next start encrypts."""
    from graph import sealing

    settings = load_settings()
    files = [one for one in _files(settings, file) if sealing.encrypted(one)]
    passphrase = _passphrase(settings) if files else ""
    for one in files:
        sealing.decrypt(one, sealing.unlock(one, passphrase))
    typer.echo(json.dumps({"decrypted": [one.name for one in files]}))


@store.command()
def passphrase(file: File = None) -> None:
    """Change the passphrase: the one until now, then the new one twice."""
    from graph import sealing

    settings = load_settings()
    files = [one for one in _files(settings, file) if sealing.encrypted(one)]
    if files:
        keys = [sealing.unlock(one, before) for before in [_passphrase(settings)] for one in files]
        new = _typed("new", twice=True)
        for one, key in zip(files, keys, strict=True):
            sealing.change(one, key, new)
    typer.echo(json.dumps({"changed": [one.name for one in files]}))


def unlocked(settings: Settings) -> "Key | None":
    """The key to the conversations that the app keeps, asked for where they are locked."""
    from graph import sealing

    path = settings.conversations_db
    if settings.store_passphrase or not sealing.encrypted(path):
        return None  # a session finds the setting's key by itself
    return sealing.unlock(path, _typed("now"))


def _files(settings: Settings, file: Path | None) -> list[Path]:
    if file is not None:
        if not file.is_file():
            raise SettingsError(f"There is no file {file}.")
        return [file]
    url = settings.served_store
    served = [Path(url.removeprefix("sqlite:///"))] if url.startswith("sqlite:///") else []
    return [one for one in (settings.conversations_db, *served, settings.desk_db) if one.exists()]


def _passphrase(settings: Settings, *, twice: bool = False) -> str:
    return settings.store_passphrase or _typed("now", twice=twice)


def _typed(which: str, *, twice: bool = False) -> str:
    """What is typed, unseen; nothing is asked where nobody can type."""
    from ui.wording import load_ui_words

    words = load_ui_words().locking
    if not sys.stdin.isatty():
        raise PassphraseError("What is kept is encrypted: set HEARKEN_STORE_KEY to its passphrase.")
    label = words.new if which == "new" else words.passphrase
    if twice:
        typer.echo(words.forgotten, err=True)
    try:
        return str(typer.prompt(label, hide_input=True, confirmation_prompt=twice, err=True))
    except typer.Abort:
        raise KeyboardInterrupt from None
