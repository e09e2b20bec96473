"""Many items through one function, in their order: by threads, by processes here, or over Ray Data.

Rules and arithmetic hold Python's lock: of two threads they keep little more than one core busy, and so many
processes so many cores. Ray runs on this machine alone, reached from nowhere else, unless a cluster's address
is given; it is started only here, and stopped when the work is done. A worker makes the function once. Items
pass to Ray and back as JSON, so that a worker's numbers are this process's to the last bit. Knows nothing of
what is done.
"""

import json
import os
import signal
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from itertools import chain, islice
from multiprocessing import get_context
from typing import Any, TypeVar

from agent.errors import DataError, SettingsError

__all__ = ["Make", "Spread", "in_threads", "over_processes", "over_ray", "some_at_once"]

Item = TypeVar("Item")
Found = TypeVar("Found")
Spread = Callable[[Iterable[Any]], Iterator[tuple[Any, Any]]]
"""Each item with what was found of it, in order."""
Make = Callable[[], Callable[[list[Any]], Iterable[Any]]]
"""Makes the function in a worker: of a module, so that a worker finds it by its name. It is given some items
at once, and finds something of each."""

WORKERS = 2  # onnxruntime and the tokenizer work outside of Python's lock, the rules inside
AHEAD = 32  # items read before what was found of an earlier one is given out
BLOCK = 512  # items that go to Ray at once
BATCH = 16  # of them to a worker
STORE = 256 * 2**20  # bytes of memory that pass between this process and workers here; more goes to disk
# What a worker must know to read as this process does; no key and no place of stored words is among them.
TOLD = tuple(f"HEARKEN_{name}" for name in ("ENCODER_DIR", "THREADS", "EMBEDDER", "JURISDICTION"))


def in_threads(
    work: Callable[[Item], Found], items: Iterable[Item], workers: int = WORKERS
) -> Iterator[tuple[Item, Found]]:
    """Each item with what was found of it, in order, while workers go a few items ahead."""
    with ThreadPoolExecutor(workers) as pool:
        yield from _ahead(pool, work, items)


def some_at_once(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in lists of BATCH."""
    left = iter(items)
    return iter(lambda: list(islice(left, BATCH)), [])


def _ahead(
    pool: Executor, work: Callable[[Item], Found], items: Iterable[Item]
) -> Iterator[tuple[Item, Found]]:
    waiting: deque[tuple[Item, Future[Found]]] = deque()
    try:
        for item in items:
            waiting.append((item, pool.submit(work, item)))
            while len(waiting) > AHEAD or (waiting and waiting[0][1].done()):
                first, found = waiting.popleft()
                yield first, found.result()
        while waiting:
            first, found = waiting.popleft()
            yield first, found.result()
    finally:
        for _, future in waiting:
            future.cancel()


@contextmanager
def over_processes(make: Make, processes: int, *, after: int = 0) -> Iterator[Spread]:
    """A spread over so many processes of this machine, each of which makes the function once.

    after: items that pass before any process is started; a shorter run is done here, by threads.
    Raises DataError where a process is killed, and whatever the function raises.
    """
    # A fork would carry over locks of threads that do not come with it; onnxruntime has such threads.
    pool = ProcessPoolExecutor(processes, get_context("spawn"), _made, (make,))
    try:
        yield lambda items: _processed(pool, make, iter(items), after)
    except BrokenProcessPool as error:
        raise DataError(
            "A process that read was killed, most likely for want of memory; use --processes 1."
        ) from error
    finally:
        pool.shutdown(cancel_futures=True)


def _processed(pool: Executor, make: Make, items: Iterator[Any], after: int) -> Iterator[tuple[Any, Any]]:
    first = list(islice(items, after + 1))
    batches = some_at_once(chain(first, items))
    each = in_threads(make(), batches) if len(first) <= after else _ahead(pool, _batch, batches)
    for batch, found in each:
        yield from zip(batch, found, strict=True)


_work: Callable[[list[Any]], Iterable[Any]] | None = None  # of a process that was started to work


def _made(make: Make) -> None:
    """Begin a process: what stops the whole run reaches the one that started it, which then stops this."""
    global _work  # noqa: PLW0603 - a process has one function
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _work = make()


def _batch(items: list[Any]) -> list[Any]:
    if _work is None:
        raise RuntimeError("A process was asked before it had made its function.")
    return list(_work(items))


@contextmanager
def over_ray(make: Make, address: str = "") -> Iterator[Spread]:
    """A spread over the workers of a cluster, or of this machine, as many as it has cores.

    Raises SettingsError where Ray is missing or cannot be reached, DataError where a worker fails.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nobody outside is told
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray  # noqa: PLC0415 - an extra of its own
        from ray.exceptions import RayError  # noqa: PLC0415
    except ImportError as error:
        raise SettingsError("--engine ray needs the extra: pip install 'hearken[ray]'.") from error
    told = {name: os.environ[name] for name in TOLD if name in os.environ}
    here: dict[str, Any] = {
        "include_dashboard": False, "_node_ip_address": "127.0.0.1", "object_store_memory": STORE,
    }  # fmt: skip
    try:
        ray.init(
            address=address or "local", log_to_driver=False, logging_level="ERROR",
            **({"runtime_env": {"env_vars": told}} if address else here),  # here they inherit what we know
        )  # fmt: skip
    except (RayError, ConnectionError, ValueError, RuntimeError) as error:
        where = f"at {address}: is it right, and is the cluster up?" if address else "on this machine."
        raise SettingsError(f"Ray cannot be had ({type(error).__name__}) {where}") from error
    try:
        yield lambda items: _mapped(make, items)
    except RayError as error:
        raise DataError(
            f"A worker of Ray failed ({type(error).__name__}); run it without --engine ray to see why."
        ) from error
    finally:
        ray.shutdown()


class _Worker:
    """What runs in each of Ray's processes."""

    def __init__(self, make: Make) -> None:
        self.work = make()

    def __call__(self, batch: Any) -> Any:
        items = batch.column("item").to_pylist()
        found = [json.dumps(each) for each in self.work(list(map(json.loads, items)))]
        return batch.append_column("found", [found])


def _mapped(make: Make, items: Iterable[Any]) -> Iterator[tuple[Any, Any]]:
    import pyarrow as pa  # noqa: PLC0415
    import ray  # noqa: PLC0415

    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.preserve_order = True
    blocks = []
    left = iter(items)
    while block := [json.dumps(item) for item in islice(left, BLOCK)]:
        blocks.append(ray.put(pa.table({"item": block})))
    if not blocks:
        return
    workers = max(1, int(ray.cluster_resources().get("CPU", 1)))
    data = ray.data.from_arrow_refs(blocks).map_batches(
        _Worker,
        fn_constructor_args=(make,),
        batch_format="pyarrow",
        batch_size=BATCH,
        compute=ray.data.ActorPoolStrategy(size=min(workers, len(blocks))),
    )
    for batch in data.iter_batches(batch_format="pyarrow", batch_size=BATCH):
        for item, found in zip(batch.column("item"), batch.column("found"), strict=True):
            yield json.loads(item.as_py()), json.loads(found.as_py())
