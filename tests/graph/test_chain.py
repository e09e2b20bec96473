"""A sealed file: whatever is done to a line without the key shows, and is named by its number."""

import json
import multiprocessing
from collections.abc import Callable
from pathlib import Path

import pytest

from agent.errors import AuditError
from graph import chain

KEY = b"a key of this test, long enough"


def filled(folder: Path, count: int = 6) -> Path:
    for number in range(count):
        chain.append(folder, KEY, [{"what": number}])
    return folder / "audit.jsonl"


def edited(file: Path, change: Callable[[list[str]], object]) -> None:
    rows = file.read_text("utf-8").splitlines(keepends=True)
    change(rows)
    file.write_text("".join(rows), "utf-8")


def named(folder: Path) -> list[int]:
    return [line for line, _ in chain.verify(folder, KEY)]


def test_an_untouched_file_verifies(tmp_path: Path) -> None:
    filled(tmp_path)
    assert chain.verify(tmp_path, KEY) == []
    assert [line["n"] for line in chain.lines(tmp_path)] == [1, 2, 3, 4, 5, 6]


def test_a_changed_line_is_named(tmp_path: Path) -> None:
    file = filled(tmp_path)

    def change(rows: list[str]) -> None:
        rows[2] = rows[2].replace('"what":2', '"what":9')

    edited(file, change)
    assert named(tmp_path) == [3]


@pytest.mark.parametrize("row", ["", "{}\n", "[]\n", "nonsense\n", '{"n":3}\n', '{"n":"x","mac":3}\n'])
def test_a_line_of_somebody_elses_is_named(tmp_path: Path, row: str) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.__setitem__(2, row))
    assert 3 in named(tmp_path)


def test_a_blank_between_is_a_change_too(tmp_path: Path) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.__setitem__(2, rows[2].replace(",", ", ", 1)))
    assert named(tmp_path) == [3]


def test_a_removed_line_is_missed_where_it_stood(tmp_path: Path) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.pop(2))
    assert chain.verify(tmp_path, KEY) == [(3, "comes after 1 that are missing")]


@pytest.mark.parametrize("count", [1, 2, 6])
def test_a_missing_end_is_told_with_how_many(tmp_path: Path, count: int) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.__delitem__(slice(6 - count, 6)))
    assert chain.verify(tmp_path, KEY) == [(7 - count, f"is missing, {count} in all")]


def test_a_missing_beginning_is_named(tmp_path: Path) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.__delitem__(slice(0, 2)))
    assert named(tmp_path) == [1]


def test_lines_that_changed_places_are_named(tmp_path: Path) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.insert(2, rows.pop(3)))
    assert {3, 4} <= set(named(tmp_path))


def test_a_doubled_line_is_named(tmp_path: Path) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.insert(3, rows[2]))
    assert 4 in named(tmp_path)


def test_the_end_stays_missed_after_more_was_written(tmp_path: Path) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.pop())
    chain.append(tmp_path, KEY, [{"what": "later"}])
    assert named(tmp_path) == [6]


def test_a_head_that_was_changed_or_taken_away_shows(tmp_path: Path) -> None:
    filled(tmp_path)
    head = tmp_path / "audit.head"
    head.write_text(head.read_text("utf-8").replace('"n":6', '"n":5'), "utf-8")
    assert named(tmp_path) == [6]
    head.unlink()
    assert named(tmp_path) == [6]


def test_another_key_verifies_nothing(tmp_path: Path) -> None:
    filled(tmp_path)
    assert {line for line, _ in chain.verify(tmp_path, b"another key altogether")} == {1, 2, 3, 4, 5, 6}


def test_a_line_torn_by_a_crash_is_taken_away_and_the_chain_goes_on(tmp_path: Path) -> None:
    file = filled(tmp_path)
    with file.open("a", encoding="utf-8") as end:
        end.write('{"n":7,"wh')
    assert named(tmp_path) == [7]
    chain.append(tmp_path, KEY, [{"what": "after"}])
    assert chain.verify(tmp_path, KEY) == []
    assert len(chain.lines(tmp_path)) == 7


def test_what_could_not_be_written_goes_on_waiting(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    waiting: list[chain.Record] = [{"what": 1}, {"what": 2}]
    with pytest.raises(OSError, match="file"):
        chain.append(blocked, KEY, waiting)
    assert len(waiting) == 2
    chain.append(tmp_path / "fine", KEY, waiting)
    assert waiting == []
    assert len(chain.lines(tmp_path / "fine")) == 2


def test_shortening_leaves_an_anchor_and_a_chain_that_holds(tmp_path: Path) -> None:
    filled(tmp_path)
    gone = chain.shorten(tmp_path, KEY, lambda line: line["what"] < 4, lambda cut: {"sum": len(cut)})
    assert gone == 4
    assert chain.verify(tmp_path, KEY) == []
    assert [line.get("sum") for line in chain.lines(tmp_path)] == [4, None, None]
    chain.append(tmp_path, KEY, [{"what": 6}])
    assert chain.verify(tmp_path, KEY) == []
    assert chain.shorten(tmp_path, KEY, lambda line: True, lambda cut: {"sum": len(cut)}) == 3
    assert chain.verify(tmp_path, KEY) == []
    chain.append(tmp_path, KEY, [{"what": 7}])
    assert [line["n"] for line in chain.lines(tmp_path)] == [7, 8]
    assert chain.verify(tmp_path, KEY) == []


def test_an_anchor_that_was_changed_or_moved_is_named(tmp_path: Path) -> None:
    file = filled(tmp_path)
    chain.shorten(tmp_path, KEY, lambda line: line["what"] < 2, lambda cut: {"sum": len(cut)})
    whole = file.read_text("utf-8")
    edited(file, lambda rows: rows.__setitem__(0, rows[0].replace('"sum":2', '"sum":1')))
    assert named(tmp_path) == [1]
    file.write_text(whole, "utf-8")
    edited(file, lambda rows: rows.insert(1, rows.pop(0)))
    assert {1, 2} <= set(named(tmp_path))
    file.write_text(whole, "utf-8")
    edited(file, lambda rows: rows.pop(1))
    assert named(tmp_path) == [2]


def test_a_file_that_does_not_verify_is_not_shortened(tmp_path: Path) -> None:
    file = filled(tmp_path)
    edited(file, lambda rows: rows.pop(1))
    before = file.read_bytes()
    with pytest.raises(AuditError, match="Line 2"):
        chain.shorten(tmp_path, KEY, lambda line: True, lambda cut: {})
    assert file.read_bytes() == before


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "new"
    key = chain.load_key(folder, None)
    assert chain.load_key(folder, None) == key
    assert (folder / "audit.key").stat().st_mode & 0o777 == 0o600
    chain.append(folder, key, [{"what": 1}])
    assert {path.stat().st_mode & 0o077 for path in [folder, *folder.iterdir()]} == {0}
    assert chain.load_key(folder, "given by the operator") == b"given by the operator"


def test_an_empty_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / "audit.key").write_text("")
    with pytest.raises(AuditError, match="holds no key"):
        chain.load_key(tmp_path, None)


def _many(folder: Path) -> None:
    for number in range(20):
        chain.append(folder, KEY, [{"what": number}])


def test_several_processes_write_one_chain(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_many, args=(tmp_path,)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert len(chain.lines(tmp_path)) == 40
    assert chain.verify(tmp_path, KEY) == []
    assert json.loads((tmp_path / "audit.head").read_text("utf-8"))["n"] == 40
