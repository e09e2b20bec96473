"""A file of JSON lines, each sealed to the one before: what was changed, removed or moved in it shows.

    audit.jsonl   the lines, oldest first; after a purge an anchor line stands first
    audit.head    number and seal of the newest line, so that cutting the end off shows
    audit.key     the key, when none was given
    audit.lock    one writer at a time, over all processes

A line's `mac` is an HMAC over everything else in it, the mac of the line before included. Whoever holds the
key can forge the file, and an older copy of the whole folder looks whole: keep the key, and a copy of the
head, elsewhere. Knows nothing of what a line says.
"""

import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Callable, Iterator, MutableSequence, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from agent.errors import AuditError

__all__ = ["Record", "append", "lines", "load_key", "shorten", "verify"]

Record = dict[str, Any]
START = "0" * 64
# How much of the file's end is read to find its last line; a line is far shorter.
TAIL = 64 * 1024


def load_key(folder: Path, given: str | None) -> bytes:
    """The key: `given`, or that of the folder, which is made (for its owner alone) when there is none."""
    if given:
        return given.encode()
    file = folder / "audit.key"
    if not file.exists():
        with _locked(folder):
            if not file.exists():
                _replace(file, secrets.token_hex(32).encode())
    key = file.read_bytes().strip()
    if len(key) < 32:
        raise AuditError(f"{file} holds no key; put the old one back, or move the whole folder away.")
    return key


def append(folder: Path, key: bytes, waiting: MutableSequence[Record]) -> None:
    """Seal and write what waits, first in first out; what was written is taken out of `waiting`.

    Raises OSError when the disk will not have it; what then still waits was not written.
    """
    with _locked(folder):
        number, seal = _end(folder, key)
        file = os.open(folder / "audit.jsonl", os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            _drop_torn(file)
            while waiting:
                line = _sealed({"n": number + 1, **waiting[0], "prev": seal}, key)
                if os.write(file, _text(line)) != len(_text(line)):
                    raise OSError("the disk took half a line")
                del waiting[0]
                number, seal = line["n"], line["mac"]
        finally:
            os.close(file)
        _replace(folder / "audit.head", _text(_sealed({"n": number, "last": seal}, key)))


def lines(folder: Path) -> list[Record]:
    """Every whole line, oldest first; none when there is no file."""
    return [line for _, line in _raw(folder) if line is not None]


def verify(folder: Path, key: bytes) -> list[tuple[int, str]]:
    """(line number, what is wrong there) for each line that was changed, removed, moved or added."""
    problems: list[tuple[int, str]] = []
    number, seal, at = 0, START, 0
    for at, (raw, line) in enumerate(_raw(folder), 1):
        if line is None:
            problems.append((at, "is not a whole record"))
            number, seal = number + 1, ""
            continue
        if raw != _text(line) or not _true(line, key):
            problems.append((at, "was changed"))
        anchor = "anchor" in line
        if anchor and at > 1:
            problems.append((at, "is an anchor where none may stand"))
        elif not anchor and line.get("n") != number + 1:
            problems.append((at, _gap(line.get("n"), number)))
        elif not anchor and seal and line.get("prev") != seal:
            problems.append((at, "does not follow the line before it"))
        number, seal = _reached(line, number)
    head = _head(folder, key)
    if head is None and at:
        problems.append((at, "cannot be told to be the last, for audit.head is missing or was changed"))
    elif head is not None and (head[0] > number or (head[0] == number and seal and head[1] != seal)):
        problems.append((at + 1, f"is missing, {max(head[0] - number, 1)} in all"))
    return problems


def shorten(
    folder: Path,
    key: bytes,
    old: Callable[[Record], bool],
    summary: Callable[[Sequence[Record]], Record],
) -> int:
    """Remove the lines at the beginning that are `old`; an anchor with their `summary` keeps the chain.

    How many went. Raises AuditError when the file does not verify: it would hide what was done to it.
    """
    with _locked(folder):
        if problems := verify(folder, key):
            raise AuditError(f"Line {problems[0][0]} {problems[0][1]}; look into it before purging.")
        found = lines(folder)
        cut = next((i for i, line in enumerate(found) if "anchor" not in line and not old(line)), len(found))
        gone = [line for line in found[:cut] if "anchor" not in line]
        if gone:
            last = {"n": gone[-1]["n"], "after": gone[-1]["mac"]}
            anchor = _sealed({"anchor": True, **last, **summary(found[:cut])}, key)
            _replace(folder / "audit.jsonl", b"".join(map(_text, [anchor, *found[cut:]])))
    return len(gone)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    import fcntl  # noqa: PLC0415 - POSIX alone has it; nobody else should fail at import

    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = os.open(folder / "audit.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def _replace(file: Path, content: bytes) -> None:
    """Write a whole file, readable by its owner alone, or leave the old one as it was."""
    fresh = file.with_name(file.name + ".new")
    fresh.unlink(missing_ok=True)
    made = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(made, "wb") as to:
        to.write(content)
    fresh.replace(file)


def _drop_torn(file: int) -> None:
    """Take away a last line that a crash or a full disk left unfinished: it was never sealed."""
    size = os.fstat(file).st_size
    tail = os.pread(file, TAIL, max(size - TAIL, 0))
    if tail and not tail.endswith(b"\n"):
        os.ftruncate(file, size - len(tail) + tail.rfind(b"\n") + 1)


def _end(folder: Path, key: bytes) -> tuple[int, str]:
    """Number and seal to go on from: the last line's, or the head's when the end was cut off."""
    number, seal = _head(folder, key) or (0, START)
    file = folder / "audit.jsonl"
    if not file.exists():
        return number, seal
    with file.open("rb") as lines_:
        lines_.seek(max(file.stat().st_size - TAIL, 0))
        whole = [raw for raw in lines_.read().splitlines(keepends=True) if raw.endswith(b"\n")]
    last = _parsed(whole[-1]) if whole else None
    reached = _reached(last, 0) if last is not None else (0, START)
    return max((number, seal), reached, key=lambda end: end[0])


def _head(folder: Path, key: bytes) -> tuple[int, str] | None:
    try:
        head = _parsed((folder / "audit.head").read_bytes())
    except FileNotFoundError:
        return None
    return (head["n"], head["last"]) if head is not None and _true(head, key) else None


def _raw(folder: Path) -> Iterator[tuple[bytes, Record | None]]:
    try:
        with (folder / "audit.jsonl").open("rb") as file:
            yield from ((raw, _parsed(raw)) for raw in file)
    except FileNotFoundError:
        return


def _parsed(raw: bytes) -> Record | None:
    try:
        line = json.loads(raw)
    except ValueError:
        return None
    return line if isinstance(line, dict) and raw.endswith(b"\n") else None


def _gap(found: object, number: int) -> str:
    if not isinstance(found, int):
        return "carries no number"
    missing = found - number - 1
    return f"comes after {missing} that are missing" if missing > 0 else "stands in the wrong place"


def _reached(line: Record, number: int) -> tuple[int, str]:
    """Number and seal that the next line must follow."""
    at = line.get("n")
    return at if isinstance(at, int) else number + 1, str(
        line.get("after" if "anchor" in line else "mac", "")
    )


def _sealed(line: Record, key: bytes) -> Record:
    return {**line, "mac": _mac(line, key)}


def _true(line: Record, key: bytes) -> bool:
    body = {name: value for name, value in line.items() if name != "mac"}
    return hmac.compare_digest(_mac(body, key), str(line.get("mac", "")))


def _mac(body: Record, key: bytes) -> str:
    plain = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return hmac.new(key, plain, hashlib.sha256).hexdigest()


def _text(line: Record) -> bytes:
    return json.dumps(line, separators=(",", ":")).encode() + b"\n"
