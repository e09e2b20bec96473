"""Words files are checked strictly, and a broken one is named with its key."""

from pathlib import Path

import pytest

from agent.errors import WordsError
from agent.words import Strict, load


class Pair(Strict):
    hello: str
    times: int


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("hello: hi\ntimes: 2\nmore: 1", "more"),
        ("hello: hi", "times"),
        ("hello: hi\ntimes: often", "times"),
        ("hello: [", "not valid YAML"),
    ],
)
def test_a_broken_file_is_named_with_its_key(tmp_path: Path, content: str, named: str) -> None:
    (tmp_path / "pair.yaml").write_text(content)
    with pytest.raises(WordsError, match=named) as error:
        load("pair.yaml", Pair, tmp_path)
    assert "pair.yaml" in str(error.value)


def test_a_missing_file_says_how_to_get_it_back(tmp_path: Path) -> None:
    with pytest.raises(WordsError, match="reinstall"):
        load("pair.yaml", Pair, tmp_path)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "pair.yaml").write_text("hello: hi\ntimes: 2")
    assert load("pair.yaml", Pair, tmp_path).times == 2
