"""A run that is stopped goes on with what it has."""

from pathlib import Path

import pytest

from agent.errors import DataError
from agent.evaluate.keeping import parted


def test_each_thing_is_done_once_over_a_stop(tmp_path: Path) -> None:
    out, done = tmp_path / "new" / "report.json", list[str]()

    def make(name: str) -> list[str]:
        done.append(name)
        if name == "c" and done.count("c") == 1:
            raise KeyboardInterrupt
        return [name]

    def run() -> list[list[str]]:
        with parted(out, {"model": "x"}) as once:
            return [once(name, lambda name=name: make(name)) for name in "abcd"]  # type: ignore[misc]

    with pytest.raises(KeyboardInterrupt):
        run()
    assert run() == [["a"], ["b"], ["c"], ["d"]]
    assert done == ["a", "b", "c", "c", "d"]
    assert not list(out.parent.iterdir())


def stopped(out: Path, about: dict[str, str], **made: object) -> list[object]:
    """What a run got before it was stopped."""
    got: list[object] = []

    def run() -> None:
        with parted(out, about) as once:
            got.extend(once(name, lambda one=one: one) for name, one in made.items())  # type: ignore[misc]
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run()
    return got


def test_a_run_about_something_else_begins_anew(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    assert stopped(out, {"model": "x"}, a=1) == [1]
    assert stopped(out, {"model": "x"}, a=2) == [1]
    assert stopped(out, {"model": "y"}, a=2) == [2]


def test_a_line_that_was_cut_off_is_done_again(tmp_path: Path) -> None:
    out = tmp_path / "report.json"
    stopped(out, {}, a=1, b=2)
    part = tmp_path / "report.json.part"
    part.write_text(part.read_text("utf-8")[:-9], "utf-8")
    assert stopped(out, {}, a=7, b=3) == [1, 3]
    assert stopped(out, {}, a=7, b=7) == [1, 3]


def test_without_a_place_nothing_is_kept_and_a_place_that_is_none_is_told(tmp_path: Path) -> None:
    with parted(None, {}) as once:
        assert once("a", lambda: 1) == 1
        assert once("a", lambda: 2) == 2
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="another place"), parted(tmp_path / "file" / "out", {}):
        pass
