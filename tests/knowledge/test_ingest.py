"""Sources are checked before anything is embedded, cleaned, tagged, and added once."""

import csv
import hashlib
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge import library as library_module
from knowledge.errors import IngestError
from knowledge.ingest import ingest_counselchat, ingest_folder, tagger
from knowledge.library import Library

COLUMNS = ("questionID", "questionTitle", "questionText", "topic", "therapistInfo", "answerText", "split")
REST = (
    "It makes sense that the evenings feel long right now. You could pick one small thing for tonight "
    "and let the rest wait until the morning. If a friend is near, a cup of tea together may do more "
    "than any plan. Try to notice which hours are the hardest, and be gentle with yourself in those."
)
BREATHE = (
    "A racing heart in the lift is a frightening thing. Take slow deep breaths and make each breath out "
    "longer than the breath in. When the doors open, stand still for a moment before you walk on. It "
    "can take some weeks until the lift is only a lift again, and that is a fair time to take."
)


def hashed(texts: Sequence[str]) -> NDArray[np.float32]:
    vectors = np.full((len(texts), 256), 1e-4, dtype=np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"[a-z']+", text.lower()):
            vectors[row, int(hashlib.md5(word.encode()).hexdigest(), 16) % 256] += 1  # noqa: S324
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setattr(library_module, "_starter", list)
    opened = Library.open(tmp_path / "data", hashed, "hashed")
    yield opened
    opened.close()


def row(title: str = "How do I get through evenings?", answer: str = REST, **cells: str) -> dict[str, str]:
    base = dict.fromkeys(COLUMNS, "")
    return {**base, "questionTitle": title, "answerText": answer, "topic": "depression", **cells}


def write_csv(path: Path, rows: Sequence[dict[str, str]], columns: Sequence[str] = COLUMNS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_fit_answers_are_added_with_their_topic_and_source(library: Library, tmp_path: Path) -> None:
    rows = [
        row(),
        row("Why do lifts scare me?", BREATHE, topic="anxiety"),
        row("Another question?", REST),
        row("I think about suicide", BREATHE + " It is late."),
        row("What now?", "Call me at 555 010 2233."),
        row("Which topic is this?", BREATHE.replace("lift", "train"), topic="weather"),
    ]
    seen: list[tuple[int, int]] = []
    path = write_csv(tmp_path / "cc.csv", rows)
    report = ingest_counselchat(path, library, progress=lambda done, of: seen.append((done, of)))
    assert (report.read, report.added, report.there) == (6, 3, 0)
    assert report.dropped == {
        "answer: said before": 1,
        "question: suicide or self-harm": 1,
        "answer: too short": 1,
    }
    assert seen[-1] == (6, 6)
    assert library.count() == {"counselchat": 3}
    (found,) = library.search("why do lifts scare me", k=1)
    assert found["source"] == "An answer by a counsellor on counselchat.com (anxiety)"
    assert found["techniques"] == ["paced-breathing"]
    (other,) = library.search("which topic is this", k=1)
    assert other["topic"] == "general"


def test_a_second_run_adds_nothing(library: Library, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "cc.csv", [row(), row("Why do lifts scare me?", BREATHE)])
    ingest_counselchat(path, library)
    again = ingest_counselchat(path, library)
    assert (again.added, again.there) == (0, 2)
    assert library.count() == {"counselchat": 2}


def test_what_was_stopped_goes_on(library: Library, tmp_path: Path) -> None:
    rows = [row(f"How are things at {word}?", REST.replace("tea", word)) for word in _words(40)]
    path = write_csv(tmp_path / "cc.csv", rows)

    def stop(done: int, of: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        ingest_counselchat(path, library, progress=stop)
    kept = library.count()["counselchat"]
    assert 0 < kept < 40
    report = ingest_counselchat(path, library)
    assert (report.added, report.there) == (40 - kept, kept)


def _words(many: int) -> list[str]:
    return ["".join(chr(97 + int(digit)) for digit in str(1000 + n)) for n in range(many)]


def test_amods_pairs_are_read_too(library: Library, tmp_path: Path) -> None:
    context = "I cannot stand lifts. My office is on floor nine."
    pairs = [{"Context": context, "Response": BREATHE}, {"Context": "I think of suicide.", "Response": REST}]
    as_csv = write_csv(tmp_path / "amod.csv", pairs, ("Context", "Response"))
    assert ingest_counselchat(as_csv, library).added == 1
    as_lines = tmp_path / "amod.jsonl"
    as_lines.write_text("\n".join(json.dumps(pair) for pair in pairs) + "\n", "utf-8")
    assert ingest_counselchat(as_lines, library).there == 1
    assert library.search("I cannot stand lifts", k=1)[0]["question"] == "I cannot stand lifts."


def test_a_byte_order_mark_and_missing_cells_do_no_harm(library: Library, tmp_path: Path) -> None:
    path = write_csv(tmp_path / "cc.csv", [row()])
    text = "\ufeff" + path.read_text("utf-8") + "7,only a title\n"
    path.write_text(text, "utf-8")
    report = ingest_counselchat(path, library)
    assert (report.read, report.added, dict(report.dropped)) == (2, 1, {"answer: empty": 1})


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("none.csv", None, "no file"),
        ("empty.csv", b"", "empty"),
        ("header.csv", b"questionTitle,questionText,topic,answerText\n", "no row"),
        ("wrong.csv", b"questionTitle,questionText,topic,reply\na,b,c,d\n", "no column answerText"),
        ("half.csv", b"Context,Reply\na,b\n", "no column"),
        ("latin.csv", "questionTitle,questionText,topic,answerText\né,b,c,d\n".encode("latin-1"), "UTF-8"),
        ("bad.jsonl", b'{"Context": "a"\n', "Line 1"),
        ("list.jsonl", b"[1, 2]\n", "Line 1"),
        ("zeros.csv", b"\x00" * 100, "no column"),
    ],
)
def test_a_source_that_cannot_be_read_is_named_before_anything_is_embedded(
    library: Library, tmp_path: Path, name: str, content: bytes | None, says: str
) -> None:
    def never(texts: Sequence[str]) -> NDArray[np.float32]:
        raise AssertionError

    library.embed = never
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(IngestError, match=re.escape(name)) as raised:
        ingest_counselchat(tmp_path / name, library)
    assert says in str(raised.value)


def test_a_folder_in_place_of_a_file_is_said(library: Library, tmp_path: Path) -> None:
    with pytest.raises(IngestError, match="give a file"):
        ingest_counselchat(tmp_path, library)


def test_the_hub_out_of_reach_is_said(
    library: Library, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    with pytest.raises(IngestError, match="--from"):
        ingest_counselchat("hub", library)


def test_a_folder_of_texts_becomes_passages(library: Library, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    (notes / "deep").mkdir(parents=True)
    (notes / "lifts.md").write_text(
        f"# Why do lifts scare me?\n\n{BREATHE}\n\n## Long evenings\n\n{REST}\n", "utf-8"
    )
    (notes / "deep" / "slow-mornings.txt").write_text(REST.replace("evenings", "mornings"), "utf-8")
    (notes / "ignored.pdf").write_bytes(b"%PDF")
    report = ingest_folder(notes, library)
    assert (report.read, report.added) == (3, 3)
    assert ingest_folder(notes, library).there == 3
    (found,) = library.search("why do lifts scare me", k=1)
    assert found["source"] == "The file lifts.md, added by whoever runs this copy of hearken"
    assert library.search("slow mornings feel long", k=1)[0]["question"] == "slow mornings"


def test_a_long_section_is_cut_between_paragraphs(library: Library, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.mkdir()
    paragraphs = [
        REST.replace("evenings", word).replace("tea", word) for word in ("ports", "barns", "hills", "lakes")
    ]
    (notes / "long.txt").write_text("\n\n".join(paragraphs), "utf-8")
    report = ingest_folder(notes, library)
    assert report.read == 2
    assert report.added == 2


@pytest.mark.parametrize("make", [False, True])
def test_a_folder_without_texts_is_said(library: Library, tmp_path: Path, make: bool) -> None:
    if make:
        (tmp_path / "notes").mkdir()
    with pytest.raises(IngestError, match="notes"):
        ingest_folder(tmp_path / "notes", library)


def test_a_technique_needs_its_cue_and_nearness() -> None:
    tag = tagger(hashed)
    assert "paced-breathing" in tag(
        "Take slow deep breaths and make each breath out longer than the breath in."
    )
    assert tag("The train leaves at nine and the lake is cold.") == ()
    everything = (
        "Go for a walk or do some exercise, since moving your body lifts your mood. "
        "Write down your thoughts and feelings in a journal. "
        "Set a clear boundary about what you will and will not accept. "
        "Take slow deep breaths and make each breath out longer than the breath in."
    )
    assert len(tag(everything)) == 3
