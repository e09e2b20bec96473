"""Reading CSV and JSON lines: rows as they stand, and a sentence with the fix when they cannot be had."""

from pathlib import Path

import pytest

from agent.errors import DataError
from agent.tables import grouped, header, known, lines, objects, prompt, rows


def written(path: Path, text: str | bytes) -> Path:
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def test_rows_keep_line_breaks_quotes_and_long_fields(tmp_path: Path) -> None:
    long = "so tired " * 30_000
    path = written(tmp_path / "a.csv", f'\ufeffid,text\n1,"two\nlines, ""quoted"""\n2,{long}\n')
    assert header(path) == ("id", "text")
    assert [row["text"] for row in rows(path, "id", "text")] == ['two\nlines, "quoted"', long]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("", "is empty"),
        ("text\nhello\n", "no column 'label'"),
        ("text,label\n", "no rows"),
        ("text,label\nhello\n", "row 1 is cut short"),
        (b"text,label\n\xff\xfe,1\n", "not UTF-8"),
    ],
)
def test_a_csv_that_cannot_be_used_is_named_with_the_fix(
    content: str | bytes, told: str, tmp_path: Path
) -> None:
    path = written(tmp_path / "posts.csv", content)
    with pytest.raises(DataError, match=rf"posts\.csv.*{told}"):
        list(rows(path, "text", "label"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"posts\.csv is missing"):
        list(rows(tmp_path / "posts.csv", "text"))


@pytest.mark.parametrize(
    ("content", "told"),
    [("", "is empty"), ('{"a": 1}\n{"a"', "line 2 is not JSON"), ("[1]\n", "line 1 has no 'a'")],
)
def test_json_lines_that_cannot_be_used_are_named(content: str, told: str, tmp_path: Path) -> None:
    path = written(tmp_path / "talks.jsonl", content)
    with pytest.raises(DataError, match=told):
        list(objects(path, "a"))


def test_a_line_may_hold_a_unicode_separator(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"a": "one\u2028two"}\n{"a": "three"}\n')
    assert [row["a"] for row in objects(path, "a")] == ["one\u2028two", "three"]
    assert list(lines(written(tmp_path / "a.txt", "one\r\n\r\ntwo"))) == ["one", "", "two"]


def test_an_unknown_label_is_told_but_never_a_sentence() -> None:
    assert known("sad", ("sad", "glad"), Path("a.csv")) == "sad"
    with pytest.raises(DataError, match=r"a\.csv, column 'mood': label 'mad' is not one of sad, glad"):
        known("mad", ("sad", "glad"), Path("a.csv"), "mood")
    with pytest.raises(DataError) as caught:
        known("I told nobody but my sister about this.", ("sad",), Path("a.csv"))
    assert "sister" not in str(caught.value)


def test_neighbouring_rows_with_one_value_make_a_group() -> None:
    told = [{"k": "a"}, {"k": "a"}, {"k": "b"}, {"k": "a"}]
    assert [len(group) for group in grouped(told, "k")] == [2, 1, 1]


def test_the_post_is_taken_out_of_imhis_prompt() -> None:
    query = 'Consider this post: "He said "go".\nSo I went." Question: Does the poster suffer from stress?'
    assert prompt(query) == ('He said "go".\nSo I went.', "Does the poster suffer from stress?")
    assert prompt("just a post") == ("just a post", "")
