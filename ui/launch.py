"""`hearken ui` and `hearken console`: the two pages, started in this process and closed to others.

Registers nothing itself; ui.cli does. Knows nothing of what the pages show.
"""

import os
import sys
import threading
import time
import urllib.error
import urllib.request
import webbrowser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

__all__ = ["console", "ui"]

LOOPBACK = "127.0.0.1"


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
