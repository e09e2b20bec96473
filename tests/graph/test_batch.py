"""Whole files read row by row: the same as single messages, in order, and able to go on when cut off."""

import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from agent.brief import Score
from agent.errors import DataError, EncoderError
from agent.reading import encoder as module
from graph import batch, spread
from graph.batch import Run, read_file, reader, row_of
from graph.read import read_message
from tests import fakes

TEXTS = ["I want to kill myself", "so tired today", "", "What can I do?", "my dog died", "hello\nthere"] * 20


def heads(p: float) -> dict[str, list[Score]]:
    return {
        "want": [Score(label="vent", p=p), Score(label="advice", p=0.1)],
        "cssrs": [Score(label="ideation", p=p)],
        "stress_cause": [Score(label="work", p=p)],
        "depression_cause": [Score(label="none", p=p)],
        "facets": [Score(label="stress", p=p), Score(label="social wellness", p=0.2)],
        "danger": [Score(label=level, p=p) for level in ("none", "low", "moderate", "high", "imminent")],
    }


def heard(text: str) -> Any:
    """A reading that depends on the text, and takes longer for some, so that threads overtake each other."""
    time.sleep(0.002 if "tired" in text else 0)
    p = round((len(text) % 10) / 10, 4)
    emotions = [Score(label=label, p=p) for label in ("sad", "lonely", "angry", "afraid")]
    return fakes.heard(sure="died" in text, emotions=emotions, heads=heads(p))


def single(text: str) -> dict[str, Any]:
    return row_of(read_message(text, fakes.services(read=heard)))


def source(path: Path, texts: list[str] = TEXTS) -> Path:
    path.write_text(
        "".join(json.dumps({"id": f"m{i}", "text": text}) + "\n" for i, text in enumerate(texts)), "utf-8"
    )
    return path


def loaded(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.fixture
def read() -> Callable[[Any], Any]:
    return reader(fakes.services(read=heard))


def test_rows_equal_single_calls_and_keep_their_order(tmp_path: Path, read: Callable[[Any], Any]) -> None:
    out = tmp_path / "readings.jsonl"
    assert read_file(Run(source(tmp_path / "posts.jsonl")), out, read) == len(TEXTS)
    rows = loaded(out)
    expected = [{"row": i + 1, "id": f"m{i}", **single(text)} for i, text in enumerate(TEXTS)]
    assert rows == expected
    assert sorted(p.name for p in tmp_path.glob("readings*")) == ["readings.jsonl"]


def test_a_row_tells_feelings_facets_causes_and_danger() -> None:
    row = single("I want to kill myself")
    assert (row["emotion_1"], row["emotion_3"], row["emotion_1_p"]) == ("sad", "angry", 0.1)
    assert "emotion_4" not in row
    assert (row["want"], row["want_p"]) == ("vent", 0.1)
    assert (row["stress"], row["social_wellness"]) == (0.1, 0.2)
    assert (row["stress_cause"], row["depression_cause"], row["cssrs"]) == ("work", "none", "ideation")
    assert row["danger_imminent"] == 0.1
    assert (row["rules_level"], row["rules_escalate"]) == ("high", True)
    assert (row["risk_level"], row["escalate"], row["kinds"]) == ("high", True, "suicide")
    calm = single("my dog died")
    assert (calm["sure"], calm["rules_escalate"]) == (True, False)


def test_what_the_rules_alone_heard_is_told_apart() -> None:
    worried = fakes.heard(danger="high", heads={"danger_kind": [Score(label="suicide", p=0.9)]})
    row = row_of(read_message("my dog died", fakes.services(read=lambda text: worried)))
    assert (row["rules_escalate"], row["escalate"], row["risk_level"]) == (False, True, "high")


def test_parquet_holds_the_same_rows_in_groups(
    tmp_path: Path, read: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch, "GROUP", 50)
    run = Run(source(tmp_path / "posts.jsonl"))
    read_file(run, tmp_path / "a.jsonl", read)
    read_file(run, tmp_path / "a.parquet", read)
    file = parquet.ParquetFile(tmp_path / "a.parquet")
    assert file.metadata.num_row_groups == 3
    assert file.read().to_pylist() == loaded(tmp_path / "a.jsonl")
    kinds = {field.name: str(field.type) for field in file.schema_arrow}
    assert (kinds["row"], kinds["sure"], kinds["stress"], kinds["id"]) == (
        "int64",
        "bool",
        "double",
        "string",
    )


@pytest.mark.parametrize(("asked", "found"), [(False, False), (True, True)])
def test_a_text_is_written_only_when_asked_for(
    asked: bool, found: bool, tmp_path: Path, read: Callable[[Any], Any]
) -> None:
    path = source(tmp_path / "posts.jsonl", ["my dog died \ud800"])
    read_file(Run(path, with_text=asked), tmp_path / "a.jsonl", read)
    read_file(Run(path, with_text=asked), tmp_path / "a.parquet", read)
    assert ("my dog died" in (tmp_path / "a.jsonl").read_text("utf-8")) is found
    assert ("text" in parquet.read_schema(tmp_path / "a.parquet").names) is found


def test_csv_and_plain_text_are_read_too(tmp_path: Path, read: Callable[[Any], Any]) -> None:
    (tmp_path / "a.csv").write_text('post,id\n"my dog\ndied",7\nhello,8\n')
    (tmp_path / "a.txt").write_text("my dog\nhello\n")
    read_file(Run(tmp_path / "a.csv", column="post"), tmp_path / "csv.jsonl", read)
    read_file(Run(tmp_path / "a.txt"), tmp_path / "txt.jsonl", read)
    assert [row["id"] for row in loaded(tmp_path / "csv.jsonl")] == ["7", "8"]
    assert loaded(tmp_path / "csv.jsonl")[0] == {"row": 1, "id": "7", **single("my dog\ndied")}
    assert [row["row"] for row in loaded(tmp_path / "txt.jsonl")] == [1, 2]


def test_a_run_that_was_cut_off_goes_on_where_it_stopped(tmp_path: Path, read: Callable[[Any], Any]) -> None:
    run, out = Run(source(tmp_path / "posts.jsonl")), tmp_path / "a.jsonl"
    again: list[str] = []

    def stopped(texts: Sequence[str]) -> Any:
        if len(again) >= 50:
            raise KeyboardInterrupt
        again.extend(texts)
        return read(texts)

    with pytest.raises(KeyboardInterrupt):
        read_file(run, out, stopped)
    part = tmp_path / "a.jsonl.part"
    kept = part.read_text("utf-8").count("\n") - 1
    assert 0 < kept <= 50 + spread.BATCH
    with part.open("a") as file:
        file.write(f'{{"row": {kept + 1}, "emo')  # a line that was cut off in the middle
    with pytest.raises(DataError, match="--resume"):
        read_file(run, out, read)
    with pytest.raises(DataError, match="other options"):
        read_file(replace(run, with_text=True), out, read, resume=True)
    seen: list[tuple[int, int]] = []
    read_file(run, out, read, resume=True, progress=lambda done, total: seen.append((done, total)))
    assert seen[0] == (kept, len(TEXTS))
    assert seen[-1] == (len(TEXTS), len(TEXTS))
    assert len(seen) == len(TEXTS) - kept + 1
    read_file(run, tmp_path / "whole.jsonl", read)
    assert out.read_bytes() == (tmp_path / "whole.jsonl").read_bytes()


def test_resuming_where_nothing_was_left_begins_anew(tmp_path: Path, read: Callable[[Any], Any]) -> None:
    path = source(tmp_path / "posts.jsonl", ["hello"])
    assert read_file(Run(path), tmp_path / "a.jsonl", read, resume=True) == 1


def test_no_more_than_a_few_messages_are_held_at_once(
    tmp_path: Path, read: Callable[[Any], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = written = most = 0
    lock = threading.Lock()
    told = batch.messages

    def counted(run: Run) -> Iterator[tuple[str | None, str]]:
        nonlocal taken, most
        for message in told(run):
            with lock:
                taken += 1
                most = max(most, taken - written)
            yield message

    def progress(done: int, total: int) -> None:
        nonlocal written, taken, most
        if done == 0:
            taken = most = 0  # until here they were only counted
        written = done

    run = Run(source(tmp_path / "posts.jsonl", TEXTS * 5))
    monkeypatch.setattr(batch, "messages", counted)
    monkeypatch.setattr(spread, "AHEAD", 8)
    read_file(run, tmp_path / "a.jsonl", read, progress=progress)
    assert written == taken == len(TEXTS) * 5
    assert 2 <= most <= (8 + 2) * spread.BATCH


def test_two_threads_read_at_a_time(tmp_path: Path) -> None:
    both = threading.Barrier(2, timeout=10)

    def wait(texts: Sequence[str]) -> list[dict[str, Any]]:
        both.wait()  # raises when a second thread never comes
        return [{"emotion_1": "sad"} for _ in texts]

    texts = ["a"] * 10 * spread.BATCH
    assert read_file(Run(source(tmp_path / "posts.jsonl", texts)), tmp_path / "a.jsonl", wait) == len(texts)


def test_what_was_found_of_many_at_once_is_not_looked_for_again() -> None:
    asked: list[str] = []

    def alone(text: str) -> Any:
        asked.append(text)
        return heard(text)

    at_once = reader(fakes.services(read=alone), lambda texts: list(map(heard, texts)))
    assert at_once(TEXTS) == [single(text) for text in TEXTS]
    assert asked == []


def test_the_encoders_memory_of_its_last_text_is_safe_between_threads(tmp_path: Path) -> None:
    """Every worker may use one encoder: what it remembers is swapped whole, so a thread can only miss it."""

    def slow(text: str) -> str:
        time.sleep(0.0005)
        return text.upper()

    remembered = module._last(slow)
    read_file(
        Run(source(tmp_path / "posts.jsonl", [f"{i // 2}" for i in range(400)])),
        tmp_path / "a.jsonl",
        lambda texts: [{"emotion_1": remembered(text)} for text in texts],
    )
    assert [row["emotion_1"] for row in loaded(tmp_path / "a.jsonl")] == [f"{i // 2}" for i in range(400)]


def test_a_model_that_fails_ends_the_run(tmp_path: Path) -> None:
    read = reader(fakes.services(read=fakes.raising(EncoderError("gone"))))
    with pytest.raises(EncoderError, match="hearken check"):
        read_file(Run(source(tmp_path / "posts.jsonl", ["hello"])), tmp_path / "a.jsonl", read)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("a.csv", "post\nhello\n", "no column 'text'; name the one with the texts with --column"),
        ("a.csv", "", "is empty"),
        ("a.csv", "text\n", "no rows"),
        ("a.jsonl", '{"text": 3}\n', "line 1 has no text"),
        ("a.jsonl", '{"post": "a"}\n', "line 1 has no 'text'"),
        ("a.xls", "x", "is not .csv, .jsonl or .txt"),
        ("a.txt", "", "is empty"),
    ],
)
def test_a_file_that_cannot_be_read_is_named_before_anything_is(
    name: str, content: str, told: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(DataError, match=told):
        read_file(Run(tmp_path / name), tmp_path / "out.jsonl", fakes.raising(AssertionError()))
    assert not list(tmp_path.glob("out*"))


@pytest.mark.parametrize(
    ("out", "told"), [("a.csv", "must end in"), ("nowhere/a.jsonl", "cannot be written")]
)
def test_an_output_that_cannot_be_written_is_named(out: str, told: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=told):
        read_file(Run(source(tmp_path / "posts.jsonl")), tmp_path / out, fakes.raising(AssertionError()))
