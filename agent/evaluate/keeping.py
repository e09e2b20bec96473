"""Work that may be stopped and gone on with: what is done stands in `OUT.part` until the whole is.

One JSON object a line below the run's own line, which says what it is about; a run about something else
begins anew. Knows nothing of what is measured.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.errors import DataError

__all__ = ["Once", "parted"]

Once = Callable[[str, Callable[[], Any]], Any]
"""(name, make) -> what `make` gives, or what an earlier run kept under that name."""


@contextmanager
def parted(out: Path | None, about: Mapping[str, Any]) -> Iterator[Once]:
    """A way to do each thing once. out: the file that the whole goes to; without one nothing is kept.

    The parts are taken away when the block ends well, so write the whole within it. Raises DataError when
    the file cannot be written.
    """
    if out is None:
        yield lambda _name, make: make()
        return
    path = out.with_name(f"{out.name}.part")
    kept = _kept(path, about)

    def once(name: str, make: Callable[[], Any]) -> Any:
        if name not in kept:
            kept[name] = make()
            _append(path, {"name": name, "found": kept[name]})
        return kept[name]

    if not kept:
        _begin(path, about)
    yield once
    path.unlink(missing_ok=True)


def _kept(path: Path, about: Mapping[str, Any]) -> dict[str, Any]:
    """What a run about the same has done; a last line that was cut off does not count."""
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    told: list[Any] = []
    for line in lines:
        try:
            told.append(json.loads(line))
        except ValueError:
            break
    if not told or told[0] != json.loads(json.dumps(about)):
        return {}
    found = {one["name"]: one["found"] for one in told[1:]}
    if len(told) < len(lines):
        _begin(path, about)
        for name, one in found.items():
            _append(path, {"name": name, "found": one})
    return found


def _begin(path: Path, about: Mapping[str, Any]) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(about) + "\n", "utf-8")
    except OSError as error:
        raise DataError(f"{path} cannot be written; name another place with --out.") from error


def _append(path: Path, one: Mapping[str, Any]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(one, ensure_ascii=False) + "\n")
    except OSError as error:
        raise DataError(f"{path} cannot be written: is the disk full? What is done is kept.") from error
