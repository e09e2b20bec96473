"""What this machine could word replies with, and whether one of them answers: a list, and a short trial.

Looks at installed extras, models in the hub's cache, servers on the usual local ports, and at memory; it
sends nothing beyond the loopback and loads nothing before a trial. Knows nothing of how it is shown.
"""

import importlib.util
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypedDict

from agent.backends import Backend, Endpoint, Guided, HuggingFace
from agent.brief import Brief, Plan, Reading
from agent.errors import ResponderError, SettingsError
from agent.sentences import split
from agent.settings import Settings
from graph.backends import Verdict, chosen, named, verdict, worded
from graph.deadline import PartFailed, pump

__all__ = ["Option", "Tried", "as_brief", "free_memory", "hub_models", "options", "servers", "try_backend"]

# Where the usual servers listen: Ollama, LM Studio, llama.cpp, vLLM.
PORTS = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000}
EXTRAS = {
    "huggingface": ("local", ("torch", "transformers", "peft")),
    "endpoint": ("endpoint", ("langchain_openai",)),
}
SPARE = 1.25  # memory beyond the weights: keys and values, a forward pass
ASK = 0.5  # seconds that a local server has to list its models
TICK = 0.5  # seconds between two words on how a trial goes
FIRST = 60.0  # seconds that a model may take to get ready in a trial


class Option(TypedDict):
    """One way to word replies. needs, free: bytes, 0 where not known. runs: nothing known is in its way.

    missing: the extra to install, "" for none. tested: `passed`, `failed` or `untested`, by what
    `hearken models verify` found here. chosen: whether it words replies now.
    """

    name: str
    backend: Backend
    where: str
    needs: int
    free: int
    missing: str
    runs: bool
    tested: str
    chosen: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What a trial came to. says: a problem in one sentence, "" for none. Seconds from the request on."""

    ok: bool
    says: str
    ready: float = 0.0
    first: float = 0.0
    whole: float = 0.0
    sentences: int = 0
    words: int = 0


def options(
    settings: Settings,
    *,
    cached: Callable[[], Sequence[tuple[str, int]]] | None = None,
    found: Callable[[], Sequence[tuple[str, str, list[str]]]] | None = None,
    free: Callable[[], int] | None = None,
) -> list[Option]:
    """Everything found that could word replies, the guided responder first.

    cached, found, free: what lies in the hub's cache, which servers answer, how much memory is free.
    """
    room = (free or free_memory)()
    now = chosen(settings)
    rows = [_option(settings, now, Guided(), "in the package", 0, 0)]
    for name, size in (cached or hub_models)():
        needs = int(size * SPARE)
        rows.append(_option(settings, now, HuggingFace(model=name), "hub cache", needs, room))
    for server, url, models in (found or servers)():
        rows += [
            _option(settings, now, Endpoint(url=url, model=model, key=settings.endpoint_key), server, 0, 0)
            for model in models
        ]
    for backend in [*_spelled_out(settings), now]:
        if named(backend) not in {row["name"] for row in rows}:
            rows.append(_option(settings, now, backend, "settings", 0, 0))
    return rows


def _spelled_out(settings: Settings) -> Iterator[Backend]:
    """What the settings tell enough of to be used, though another may be the one that they choose."""
    kinds = ["proxy"] if settings.base else []
    if settings.model:  # a server's name for it where there is a server, else a hub id or a folder
        kinds.append("endpoint" if settings.endpoint_url else "huggingface")
    for kind in kinds:
        with suppress(SettingsError):
            yield settings.model_copy(update={"responder": kind}).backend


def _option(  # noqa: PLR0913, PLR0917 - a row's columns
    settings: Settings, now: Backend, backend: Backend, where: str, needs: int, free: int
) -> Option:
    extra, modules = EXTRAS.get("huggingface" if backend.kind == "proxy" else backend.kind, ("", ()))
    missing = extra if any(importlib.util.find_spec(name) is None for name in modules) else ""
    found = verdict(settings, backend)
    tested = "untested" if found is None else "passed" if found.get("passed") is True else "failed"
    return Option(
        name=named(backend),
        backend=backend,
        where=where,
        needs=needs,
        free=free,
        missing=missing,
        runs=not missing and (not free or needs <= free),
        tested="passed" if isinstance(backend, Guided) else tested,
        chosen=named(backend) == named(now),
    )


def _untold(doing: str, seconds: float) -> None:
    del doing, seconds


def try_backend(
    backend: Backend,
    settings: Settings,
    *,
    seconds: float | None = None,
    prepare: float = FIRST,
    told: Callable[[str, float], object] = _untold,
) -> Tried:
    """Make the backend ready and have it answer one harmless message; nothing is switched and nothing kept.

    told: hears what is being done (`loading`, `asking`) and for how many seconds. Never raises for a
    backend's own failures: `says` tells what to do.
    """
    limit = seconds or settings.reply_seconds
    wording, begun = worded(backend, limit), time.monotonic()
    wording.anew()  # a failure of before is no verdict on now
    trouble = wording.prepare(min(TICK, prepare))
    while trouble and wording.loading() and time.monotonic() - begun < prepare:
        told("loading", time.monotonic() - begun)
        trouble = wording.prepare(TICK)
    if trouble:
        return Tried(ok=False, says=trouble)
    ready, first = time.monotonic() - begun, 0.0
    said: list[str] = []
    told("asking", 0.0)
    begun = time.monotonic()
    try:
        for sentence in pump(limit, lambda: wording.respond(as_brief("I had a long day and feel tired."))):
            first = first or time.monotonic() - begun
            said.append(sentence)
    except PartFailed as error:
        cause = error.__cause__
        return Tried(ok=False, says=str(cause if isinstance(cause, ResponderError) else error), ready=ready)
    whole, words = time.monotonic() - begun, len(" ".join(said).split())
    ok = bool(said and split(" ".join(said)))
    return Tried(ok, "" if ok else "It said nothing.", ready, first, whole, len(said), words)


def as_brief(text: str, **changes: Any) -> Brief:
    """What a responder gets for a first message of somebody who wants to be heard."""
    step: Plan = {
        "move": "support",
        "steps": [{"step": "mirroring", "why": ""}, {"step": "listening", "why": ""}],
        "intent": "acknowledging",
        "stage": "explore",
        "topic": "general",
        "feeling": "",
        "ask": True,
        "offer": "",
        "words": 60,
        "careful": False,
    }
    reading = Reading(
        emotions=[], intents=[], sure=False, wants=["vent"], language="en", cues=[[]], degraded=False,
        heads={}, evidence=[],
    )  # fmt: skip
    base = Brief(
        text=text, history=[("user", text)], reading=reading, level="none", plan=step, passages=[],
        person={}, said=[], seed=0,
    )  # fmt: skip
    return {**base, **changes}  # type: ignore[typeddict-item]


# --- what is there ---


def hub_models(folder: Path | None = None) -> list[tuple[str, int]]:
    """Models in the hub's cache that write text, and the bytes of their weights."""
    from huggingface_hub import CacheNotFound, scan_cache_dir  # noqa: PLC0415 - only where it is asked for

    try:
        repos = scan_cache_dir(folder).repos
    except (CacheNotFound, OSError):
        return []
    found = []
    for repo in sorted(repos, key=lambda one: one.repo_id):
        for revision in sorted(repo.revisions, key=lambda one: -one.last_modified)[:1]:
            weights = sum(f.size_on_disk for f in revision.files if f.file_name.endswith(".safetensors"))
            if repo.repo_type == "model" and weights and _writes(revision.snapshot_path):
                found.append((repo.repo_id, weights))
    return found


def _writes(folder: Path) -> bool:
    """Whether a model's own settings say that it writes text, or that it is an adapter for one that does."""
    if (folder / "adapter_config.json").exists():
        return True
    try:
        told = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return False
    kinds = told.get("architectures") if isinstance(told, dict) else None
    return isinstance(kinds, list) and any(str(kind).endswith("ForCausalLM") for kind in kinds)


def servers(ports: dict[str, int] | None = None) -> list[tuple[str, str, list[str]]]:
    """Servers on the loopback's usual ports: name, address, and the models that they offer."""
    found = []
    for name, port in (ports or PORTS).items():
        url = f"http://127.0.0.1:{port}/v1"
        if models := list(_offered(url)):
            found.append((name, url, models))
    return found


def _offered(url: str) -> Iterator[str]:
    try:
        with urllib.request.urlopen(f"{url}/models", timeout=ASK) as answer:  # noqa: S310 - loopback
            told = json.loads(answer.read(1_000_000))
    except (urllib.error.URLError, OSError, ValueError):
        return
    rows = told.get("data") if isinstance(told, dict) else None
    for row in rows if isinstance(rows, list) else []:
        if isinstance(row, dict) and isinstance(row.get("id"), str):
            yield row["id"]


def free_memory() -> int:
    """Bytes that a model could take: the freest GPU's where there is one, else the main memory's."""
    if shutil.which("nvidia-smi"):
        asked = ["nvidia-smi", "--query-gpu=memory.free", "--format=csv,noheader,nounits"]
        try:
            told = subprocess.run(asked, capture_output=True, text=True, timeout=5, check=True)  # noqa: S603
            return max(int(line) for line in told.stdout.split()) * 2**20
        except (OSError, ValueError, subprocess.SubprocessError):
            pass
    return _main_memory()


def _main_memory(file: Path = Path("/proc/meminfo")) -> int:
    try:
        lines = file.read_text("ascii").splitlines()
        (kilobytes,) = (line.split()[1] for line in lines if line.startswith("MemAvailable:"))
        return int(kilobytes) * 1024
    except (OSError, ValueError):  # not Linux: what it has is not told without a library
        return 0


def as_verdict(tried: Tried) -> Verdict:
    """A trial as plain data."""
    return {
        "ok": tried.ok,
        "says": tried.says,
        "ready_seconds": round(tried.ready, 2),
        "first_seconds": round(tried.first, 2),
        "seconds": round(tried.whole, 2),
        "words": tried.words,
    }
