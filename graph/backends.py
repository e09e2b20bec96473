"""A backend's settings as the functions that word a reply; and which backend a person chose.

The only place that names the modules that load models. Nothing is loaded before a first reply or
`prepare` asks for it, and each backend once a process. Knows nothing of plans and sentences.
"""

import json
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache, partial
from pathlib import Path
from typing import Any, assert_never

from pydantic import TypeAdapter, ValidationError

from agent.backends import Backend, Endpoint, Guided, HuggingFace, Proxy
from agent.brief import Brief, Respond
from agent.errors import SettingsError
from agent.llm.chat import Chat, streamed
from agent.llm.endpoint import away
from agent.llm.standby import Progress, Standby
from agent.prompt import ROOM, render
from agent.reading.ladder import Level
from agent.responders import guided
from agent.settings import Settings

__all__ = ["Verdict", "Wording", "at_once", "choose", "chosen", "foreseen", "named", "remember"]
__all__ += ["traced", "verdict", "worded"]

_BACKENDS: TypeAdapter[Backend] = TypeAdapter(Backend)
# The share of a reply's time that a model may use; the rest is for whoever answers instead.
SHARE = 0.85
# Tokens that a chat template may add to a prompt beyond what is reckoned with.
SPARE = 64
# The alpha under which a trio is held in memory, once for every other.
WHOLE = 1.0
Verdict = dict[str, Any]


def at_once(seconds: float) -> str:
    """What needs no making ready."""
    del seconds
    return ""


@dataclass(frozen=True, slots=True)
class Wording:
    """Who words replies: the functions of graph.services.Services of the same names.

    prepare: make it ready, waiting so many seconds at most; what is in the way, "" for nothing. away: the
    host that the conversation is sent to, "" where it stays on this machine. fears: its opinion on the
    danger in a message. loading: whether it is being made ready now. anew: forget that it failed to be.
    """

    name: str
    respond: Respond
    again: Callable[[Brief, Sequence[str], str], Iterable[str]] | None = None
    trouble: Callable[[], str] = lambda: ""
    prepare: Callable[[float], str] = at_once
    away: str = ""
    fears: Callable[[str], Level] | None = None
    loading: Callable[[], bool] = lambda: False
    anew: Callable[[], object] = lambda: None


def worded(backend: Backend, seconds: float = 60.0) -> Wording:
    """Who words replies with this backend, in at most `seconds`. Loads nothing yet."""
    if isinstance(backend, Guided):
        return Wording("guided", guided.respond)
    standby = _standby(backend, seconds)
    far = away(backend) if isinstance(backend, Endpoint) else ""
    return Wording(
        backend.kind,
        standby.respond,
        standby.again,
        standby.trouble,
        standby.prepare,
        far,
        standby.fears,
        standby.loading,
        partial(_anew, backend, seconds),
    )


def _anew(backend: HuggingFace | Proxy | Endpoint, seconds: float) -> None:
    if isinstance(backend, Proxy):
        _standby(backend.model_copy(update={"alpha": WHOLE}), seconds).anew()
    _standby(backend, seconds).anew()


@cache
def _standby(backend: HuggingFace | Proxy | Endpoint, seconds: float) -> Standby:
    patience = min(8.0, seconds / 2)
    if isinstance(backend, Proxy) and backend.alpha != WHOLE:  # the same models, mixed otherwise
        models = _standby(backend.model_copy(update={"alpha": WHOLE}), seconds)
        return Standby(lambda told: replace(models.chat(told), alpha=backend.alpha), patience=patience)
    return Standby(lambda progress: loaded(backend, progress, seconds), patience=patience)


def loaded(backend: Backend, progress: Progress, seconds: float = 60.0) -> Chat:
    """The backend's model, ready to write. Raises ResponderError with what to do."""
    match backend:
        case Guided():
            raise ValueError("The guided responder has no model.")
        case HuggingFace():
            from agent.llm.local import load_local  # noqa: PLC0415 - brings torch

            return _chat(backend, load_local(backend, progress), seconds)
        case Proxy():
            from agent.llm.proxy import load_proxy  # noqa: PLC0415 - brings torch

            return _chat(backend, load_proxy(backend, progress), seconds)
        case Endpoint():
            from agent.llm.endpoint import connect  # noqa: PLC0415 - of an extra

            stream = connect(backend)
            return Chat(stream, seconds=seconds * SHARE, tokens=backend.max_tokens)
        case _:
            assert_never(backend)


def _chat(backend: HuggingFace | Proxy, model: Any, seconds: float) -> Chat:
    return Chat(
        streamed(model),
        count=model.get_num_tokens,
        room=min(ROOM, model.engine.reads - backend.max_tokens - SPARE),
        seconds=seconds * SHARE,
        tokens=backend.max_tokens,
        timed=True,
        alpha=backend.alpha if isinstance(backend, Proxy) else None,
        form=model.engine.base.form,
        model=model,
    )


def traced(backend: Proxy, file: Path, seconds: float = 60.0, *, pieces: bool = False) -> Chat:
    """The proxy, which leaves in `file` what each of its models wanted at every token of its last reply."""
    from agent.llm.proxy import load_proxy  # noqa: PLC0415 - brings torch
    from agent.llm.proxy_study import traced as noted  # noqa: PLC0415 - brings torch

    model = load_proxy(backend)
    return replace(_chat(backend, model, seconds), stream=noted(model, file, pieces=pieces))


def foreseen(backend: Proxy, exchanges: Sequence[tuple[Brief, str]], seconds: float = 60.0) -> Verdict:
    """How well a proxy's parts and their mixture foresee these replies (agent.llm.proxy_study.foreseen)."""
    from agent.llm import proxy_study  # noqa: PLC0415 - brings torch

    chat = _standby(backend, seconds).chat(_untold)
    asked = [(render(brief, count=chat.count, room=chat.room), reply) for brief, reply in exchanges]
    return proxy_study.foreseen(chat.model, asked, alpha=backend.alpha)


def _untold(stage: str, share: float) -> None:
    del stage, share


def named(backend: Backend) -> str:
    """What a backend is called in lists and in what is remembered of it; no key stands in it."""
    match backend:
        case Guided():
            return "guided"
        case HuggingFace():
            return f"huggingface {backend.model}"
        case Proxy():
            return f"proxy {backend.base} + {backend.expert} - {backend.anti_expert}"
        case Endpoint():
            return f"endpoint {backend.model} at {backend.url}"
        case _:
            assert_never(backend)


# --- what is remembered of backends on this machine ---


def verdict(settings: Settings, backend: Backend) -> Verdict | None:
    """What `hearken models verify` found of it here, None when it never ran."""
    every = _kept(settings).get("verdicts")
    found = every.get(named(backend)) if isinstance(every, dict) else None
    return found if isinstance(found, dict) else None


def remember(settings: Settings, backend: Backend, found: Verdict) -> None:
    """Keep what was found, in the data folder."""
    kept = _kept(settings)
    before = kept.get("verdicts")
    at = datetime.now(UTC).isoformat(timespec="seconds")
    kept["verdicts"] = {**(before if isinstance(before, dict) else {}), named(backend): {**found, "at": at}}
    _keep(settings, kept)


def choose(settings: Settings, backend: Backend) -> None:
    """Make it the choice for the next starts; it holds once it is verified. No key is written."""
    _keep(settings, {**_kept(settings), "chosen": backend.model_dump(mode="json", exclude={"key"})})


def chosen(settings: Settings) -> Backend:
    """Who is to word replies: what the environment says, else a choice that passed, else the guided one."""
    if settings.responder is not None:
        return settings.backend
    try:
        backend = _BACKENDS.validate_python(_kept(settings).get("chosen") or {"kind": "guided"})
    except ValidationError:  # written by another version
        return Guided()
    found = verdict(settings, backend)
    if not found or found.get("passed") is not True:
        return Guided()
    return (
        backend.model_copy(update={"key": settings.endpoint_key})
        if isinstance(backend, Endpoint)
        else backend
    )


def _kept(settings: Settings) -> dict[str, Any]:
    try:
        kept = json.loads(_file(settings).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def _keep(settings: Settings, kept: dict[str, Any]) -> None:
    file = _file(settings)
    beside = file.with_suffix(f".{os.getpid()}")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_text(json.dumps(kept, indent=2, ensure_ascii=False), "utf-8")
        beside.replace(file)
    except OSError as error:
        raise SettingsError(
            f"{file} cannot be written; set HEARKEN_DATA_DIR to a folder that can be."
        ) from error


def _file(settings: Settings) -> Path:
    return settings.data_dir / "models.json"
