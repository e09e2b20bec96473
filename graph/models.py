"""What this machine could word replies with: a list.

Looks at installed extras, models in the hub's cache, servers on the loopback, and at memory; it sends nothing
beyond the loopback and loads nothing. Knows nothing of how it is shown, and of whether one of them answers.
"""

import importlib.util
import json
import shutil
import subprocess
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TypedDict
from urllib.parse import urlsplit

from agent.backends import Backend, Guided
from agent.errors import SettingsError
from agent.llm.endpoint import LOOPBACK
from agent.llm.model_files import weights_of, whole
from agent.settings import Settings
from graph.backends import chosen, named, verdict

__all__ = ["Option", "as_set", "free_memory", "hub_models", "options", "servers"]

# Where the usual servers listen: Ollama, LM Studio, llama.cpp, vLLM.
PORTS = {"Ollama": 11434, "LM Studio": 1234, "llama.cpp": 8080, "vLLM": 8000}
EXTRAS = {
    "huggingface": ("local", ("torch", "transformers", "peft")),
    "endpoint": ("endpoint", ("langchain_openai",)),
}
SPARE = 1.25  # memory beyond the weights: keys and values, a forward pass
ASK = 0.5  # seconds that a local server has to list its models


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
        rows.append(_option(settings, now, as_set(settings, name), "hub cache", needs, room))
    for server, url, models in (found or servers)():
        rows += [_option(settings, now, _served(settings, url, model), server, 0, 0) for model in models]
    for backend in [*_spelled_out(settings), *_at_its_address(settings), now]:
        if named(backend) not in {row["name"] for row in rows}:
            rows.append(_option(settings, now, backend, "settings", 0, 0))
    return rows


def as_set(settings: Settings, model: str) -> Backend:
    """A model of this machine, by hub id or folder, with all else as the settings have it."""
    return settings.model_copy(update={"responder": "huggingface", "model": model}).backend


def _served(settings: Settings, url: str, model: str) -> Backend:
    told = {"responder": "endpoint", "endpoint_url": url, "model": model}
    return settings.model_copy(update=told).backend


def _at_its_address(settings: Settings) -> Iterator[Backend]:
    """What the settings' own server offers beside the model they name, where it runs on this machine."""
    url = settings.endpoint_url or ""
    if urlsplit(url).hostname in LOOPBACK:
        yield from (_served(settings, url, model) for model in _offered(url.rstrip("/")))


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


def hub_models(cache: Path | None = None) -> list[tuple[str, int]]:
    """Models in the hub's cache that write text, and the bytes of their weights, an adapter's base's too."""
    from huggingface_hub import CacheNotFound, scan_cache_dir  # noqa: PLC0415 - only where it is asked for

    try:
        repos = scan_cache_dir(cache).repos
    except (CacheNotFound, OSError):
        return []
    found: dict[str, Path] = {}
    for repo in sorted(repos, key=lambda one: one.repo_id):
        for revision in sorted(repo.revisions, key=lambda one: -one.last_modified)[:1]:
            folder = revision.snapshot_path
            if repo.repo_type == "model" and whole(folder) and _writes(folder):
                found[repo.repo_id] = folder
    return [(name, _weigh(folder) + _weigh(found.get(_base(folder)))) for name, folder in found.items()]


def _weigh(folder: Path | None) -> int:
    return sum(file.stat().st_size for file in weights_of(folder)) if folder else 0


def _base(folder: Path) -> str:
    """What an adapter's folder names as its base, "" for a whole model."""
    try:
        told = json.loads((folder / "adapter_config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    return str(told.get("base_model_name_or_path") or "") if isinstance(told, dict) else ""


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
        # Asked for without a proxy of the environment, which would be another machine.
        asking = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with asking.open(f"{url}/models", timeout=ASK) as answer:
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
