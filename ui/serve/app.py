"""The API put together: who may ask, how much may be sent, what is answered when something breaks.

`create_app()` gives the ASGI app, with settings from the environment; nothing is loaded before it starts. The
web is closed to it (no CORS) unless origins are named. No log line carries a path's ids or a body.
"""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.middleware.cors import CORSMiddleware
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from agent.errors import SettingsError
from agent.settings import Settings, load_settings
from graph.hosted import Hosted, rehearse
from graph.ledger import Busy, KeyReused, Ledger, Unknown
from graph.services import Services, from_settings, warm
from graph.shared import FAILURES, open_shared
from ui.serve.auth import owners
from ui.serve.cores import Cores, lending
from ui.serve.errors import Refused
from ui.serve.health import llm_check, readiness
from ui.serve.measured import Measured
from ui.serve.metrics import Metrics
from ui.serve.native import native
from ui.serve.openai import openai
from ui.serve.turns import Turns
from ui.serve.words import serve_words
from ui.wording import fill

__all__ = ["create_app"]

log = logging.getLogger("hearken")
# Seconds after which a turn of a worker that died is answered by another that is asked for it.
LEASE = 20.0


def create_app(settings: Settings | None = None, services: Services | None = None) -> FastAPI:
    """The app. services: to answer with functions of your own. Raises SettingsError."""
    settings = settings or load_settings()
    services = services or from_settings(settings)
    cores = Cores(settings.serve_cores)
    services = lending(services, cores, settings.serve_workers)
    owner, metrics = owners(settings), Metrics()
    turns = Turns(
        services,
        metrics,
        workers=settings.serve_workers,
        waiting=settings.serve_waiting,
        rate=settings.serve_rate,
        cores=cores,
    )
    shared = open_shared(settings.served_store, settings.store_passphrase)
    hosted = Hosted(services, Ledger(shared, lease=LEASE))

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        del app
        await turns.looked_up(lambda: _prepare(hosted))
        renewing = asyncio.create_task(_renewed(turns, hosted))
        yield
        renewing.cancel()
        turns.close()
        hosted.shared.close()

    app = FastAPI(title="hearken", version=_version(), lifespan=life, docs_url=None, redoc_url=None)
    app.router.redirect_slashes = False  # it would name an address by what the client calls the host
    app.state.hosted, app.state.turns, app.state.metrics = hosted, turns, metrics
    app.state.owner = owner or _anyone
    app.include_router(native)
    app.include_router(openai)
    _seen(app, hosted, metrics, llm_check(settings, services))
    _refusals(app)
    app.add_middleware(Measured, metrics=metrics, most=settings.serve_bytes)
    if settings.serve_origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=list(settings.serve_origins),
            allow_methods=["GET", "POST", "PUT", "DELETE"],
            allow_headers=["Authorization", "Content-Type", "Idempotency-Key"],
        )
    return app


async def _renewed(turns: Turns, hosted: Hosted) -> None:
    """Tell the other workers that this one lives, so that none answers its turns anew."""
    while True:
        await asyncio.sleep(LEASE / 4)
        await turns.looked_up(hosted.renew)


def _anyone(header: str | None) -> str:
    """The one owner there is where nobody is told apart."""
    del header
    return "local"


def _prepare(hosted: Hosted) -> None:
    for problem in warm(hosted.services):
        log.warning("%s", problem)
    rehearse(hosted.services)
    try:
        hosted.shared.migrate()
    except FAILURES as error:  # people are answered without it until it is back
        log.error("the store cannot be prepared: %s", type(error).__name__)


def _version() -> str:
    try:
        return version("hearken")
    except PackageNotFoundError:
        return "unknown"


def _seen(app: FastAPI, hosted: Hosted, metrics: Metrics, llm: Callable[[], bool]) -> None:
    """What whoever runs this may look at, without a key: nothing of anybody is in it."""

    @app.get("/health/live", tags=["health"])
    async def live() -> dict[str, bool]:
        """Whether the process answers at all."""
        return {"ok": True}

    @app.get("/health", tags=["health"], responses={503: {"description": "a part is not well"}})
    def health() -> JSONResponse:
        """Every part by itself: rules, encoder, store, index, llm."""
        parts = readiness(hosted, llm)
        ok = all(part["ok"] for part in parts.values())
        return JSONResponse({"ok": ok, "parts": parts}, 200 if ok else 503)

    @app.get("/health/ready", tags=["health"], responses={503: {"description": "send people elsewhere"}})
    def ready() -> JSONResponse:
        """Whether people may be sent here: the rules hear danger, and the store takes conversations."""
        parts = readiness(hosted, llm, only=("rules", "store"))
        ok = all(part["ok"] for part in parts.values())
        return JSONResponse({"ok": ok}, 200 if ok else 503)

    @app.get("/v1/info", tags=["info"])
    async def info() -> dict[str, Any]:
        """What this is."""
        return {"name": "hearken", "version": _version(), **serve_words().info.model_dump()}

    @app.get(
        "/metrics", tags=["health"], responses={200: {"content": {"text/plain": {}}}}, response_class=Response
    )
    async def measured() -> Response:
        """Counts and times, as Prometheus reads them."""
        return Response(metrics.text(), media_type="text/plain; version=0.0.4")


def _refusals(app: FastAPI) -> None:
    words = serve_words()

    def say(kind: type[Exception], status: int, code: str, message: str, again: int | None = None) -> None:
        async def handler(request: Request, error: Exception) -> Response:
            del request
            if status >= 500:
                log.error("%s: %s", code, type(error).__name__)
            return Refused(status, code, message, again=again).response()

        app.add_exception_handler(kind, handler)

    say(Unknown, 404, "unknown", words.unknown)
    say(KeyReused, 409, "key_reused", words.key_reused)
    say(Busy, 409, "busy", words.busy, again=2)
    for kind in FAILURES:
        say(kind, 503, "store_away", words.store_away, again=5)
    say(Exception, 500, "failed", words.failed)

    @app.exception_handler(Refused)
    async def refused(_: Request, error: Refused) -> Response:
        return error.response()

    @app.exception_handler(SettingsError)
    async def settings(_: Request, error: SettingsError) -> Response:
        return Refused(422, "malformed", str(error)).response()

    @app.exception_handler(RequestValidationError)
    async def malformed(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        called = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if tuple(first["loc"]) == ("body",) and first["type"] != "missing" and not called.endswith("json"):
            return Refused(415, "not_called_json", words.not_called_json).response()
        if first["type"] == "json_invalid":
            return Refused(400, "not_json", words.not_json).response()
        where = ".".join(
            str(part) for part in first["loc"]
        )  # names alone: an input may be what a person wrote
        message = fill(words.malformed, problem=f"{where[:100]}: {first['msg'][:200]}")
        return Refused(422, "malformed", message, param=where[:100]).response()

    @app.exception_handler(HTTPException)
    async def nothing(_: Request, error: HTTPException) -> Response:
        if error.status_code == 400:
            return Refused(400, "not_json", words.not_json).response()
        gone = error.status_code == 404
        message = words.wrong_path if gone else words.wrong_method
        response = Refused(error.status_code, "wrong_path" if gone else "wrong_method", message).response()
        response.headers.update(error.headers or {})
        return response
