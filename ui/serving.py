"""`hearken serve` and what belongs to it: keys for those who may ask, the database behind it."""

import json
from typing import Annotated, Any

import typer

from agent.errors import SettingsError
from agent.settings import load_settings

__all__ = ["serve", "store"]

store = typer.Typer(no_args_is_help=True, help="The database behind `hearken serve` (HEARKEN_STORE_URL).")
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
    """Lines on stderr: a request as JSON, whatever else as it comes."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(message)s"}},
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
        "root": {"handlers": ["stderr"], "level": "WARNING"},
        "loggers": {"hearken": {"level": "INFO"}, "uvicorn": {"level": "INFO"}},
    }


@store.command("key")
def print_key(owner: Annotated[str, typer.Argument(help="A name for who will use it.")]) -> None:
    """Make a key: the first line is for its owner, the second goes into HEARKEN_KEYS_FILE."""
    from ui.serve.auth import new_key

    for line in new_key(owner):
        typer.echo(line)


@store.command()
def migrate() -> None:
    """Create or upgrade the tables; safe to repeat, and to run beside workers."""
    from graph.shared import open_shared

    shared = open_shared(load_settings().served_store)
    shared.migrate()
    shared.close()
    typer.echo(json.dumps({"store": shared.kind, "migrated": True}))


@store.command()
def purge(
    days: Annotated[float, typer.Option(min=0, help="Remove what nobody has touched for so many days.")],
) -> None:
    """Remove old conversations for good; made for a daily job."""
    from graph.hosted import Hosted
    from graph.ledger import Ledger
    from graph.services import Services
    from graph.shared import open_shared

    shared = open_shared(load_settings().served_store)
    hosted = Hosted(Services(), Ledger(shared))
    gone = hosted.ledger.purge(days)
    hosted.scrub()
    shared.close()
    typer.echo(json.dumps({"purged": gone}))
