"""The library finds what is near, nothing when nothing is, and opens whatever the disk does."""

import hashlib
import logging
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from knowledge import library as library_module
from knowledge.errors import LibraryError
from knowledge.library import Entry, Library

ROOT = Path(__file__).parent.parent.parent
MAKER = "words-of-a-test"


def embed_words(texts: Sequence[str]) -> NDArray[np.float32]:
    """Unit vectors that are near when texts share words, and the same on every run."""
    vectors = np.full((len(texts), 256), 1e-4, dtype=np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"[a-z']+", text.lower()):
            vectors[row, int(hashlib.md5(word.encode()).hexdigest(), 16) % 256] += 1  # noqa: S324
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def flat(texts: Sequence[str]) -> NDArray[np.float32]:
    raise AssertionError(f"nothing had to be embedded, but {len(texts)} were")


OWL = Entry("Why do owls keep me up all night?", "Owls call when the moon is bright over barns.", "stress")
FERRY = Entry("The ferry makes my stomach turn", "Look at the horizon and breathe with the waves.", "anxiety")
SHED = Entry("My neighbour painted my shed purple", "Ask him over for tea and say what the shed means.")


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Library]:
    monkeypatch.setattr(library_module, "_starter", lambda: [OWL, FERRY, SHED])
    library = Library.open(tmp_path / "data", embed_words, MAKER)
    yield library
    library.close()


@pytest.fixture
def reopen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Library]:
    monkeypatch.setattr(library_module, "_starter", lambda: [OWL, FERRY])
    return lambda embed=embed_words, name=MAKER: Library.open(tmp_path / "data", embed, name)


def test_a_fresh_folder_is_filled_with_the_starter_library(tmp_path: Path) -> None:
    library = Library.open(tmp_path, embed_words, MAKER)
    assert library.count()["starter"] > 60
    assert not library.temporary
    library.close()


def test_it_finds_by_the_question_and_by_the_answer(small: Library) -> None:
    (first,) = small.search("my neighbour painted the shed purple", k=1)
    assert first["question"] == SHED.question
    assert first["text"] == SHED.text
    assert first["topic"] == "general"
    assert first["source"].startswith("hearken's own starter library")
    assert 0.44 <= first["score"] <= 1
    (second,) = small.search("look at the horizon and breathe with waves", k=1)
    assert second["question"] == FERRY.question


@pytest.mark.parametrize(
    "text",
    ["what is the capital of France", "", "   ", "ok", "owls?", "hi there", "\x00\u202e 😀😀😀", "1 2 3 4 5"],
)
def test_it_finds_nothing_when_nothing_fits(small: Library, text: str) -> None:
    assert small.search(text) == []


ASKED = Entry(
    "Every dusk the owls start up over our barn and my wife laughs while I lie there.",
    "Hang a thick curtain before the moon is up.",
    "stress",
    asked=("Birds keep waking me", "I lie awake from the hooting", "The barn is so noisy after dark"),
)


def test_it_finds_by_each_line_that_is_asked_and_shows_the_entry_once(small: Library) -> None:
    small.add([ASKED])
    for line in ASKED.asked:
        (found,) = [p for p in small.search(line, k=3) if p["text"] == ASKED.text]
        assert found["question"] == ASKED.question
        assert found["score"] == pytest.approx(1.0, abs=1e-3)


def test_with_lines_asked_neither_the_long_question_nor_the_answer_is_embedded(small: Library) -> None:
    said: list[str] = []

    def listening(texts: Sequence[str]) -> NDArray[np.float32]:
        said.extend(texts)
        return embed_words(texts)

    Library(small._index, listening).add([ASKED])
    assert sorted(said) == sorted(ASKED.asked)


def test_both_cores_get_as_much_to_embed_and_no_text_twice(small: Library) -> None:
    given: list[list[str]] = []

    def listening(texts: Sequence[str]) -> NDArray[np.float32]:
        given.append(list(texts))
        return embed_words(texts)

    names = [letter * 4 for letter in "abcdefghijklmnopqrst"]
    entries = [Entry(f"What of number {n // 2}?", f"{name} " * (n + 5)) for n, name in enumerate(names)]
    Library(small._index, listening).add(entries)
    first, second = (sum(map(len, texts)) for texts in given)
    assert abs(first - second) < max(len(entry.text) for entry in entries)
    every = [text for texts in given for text in texts]
    assert len(every) == len(set(every)) == 30
    (found,) = small.search(entries[7].text, k=1)
    assert found["text"] == entries[7].text
    assert found["score"] == pytest.approx(1.0, abs=1e-3)


def test_less_than_nothing_and_more_than_everything_may_be_asked_for(small: Library) -> None:
    assert small.search(OWL.question, k=0) == []
    assert len(small.search(OWL.question, k=50, floor=-1.0)) == 3


def test_best_comes_first(small: Library) -> None:
    scores = [passage["score"] for passage in small.search(FERRY.question, k=3, floor=-1.0)]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] == pytest.approx(1.0, abs=1e-3)


def test_one_question_and_one_answer_are_shown_once(small: Library) -> None:
    question = "Why does the kettle sing at me?"
    answers = [
        f"Kettles sing since steam leaves through spout number {name}." for name in ("one", "two", "ten")
    ]
    small.add([Entry(question, answer) for answer in answers])
    small.add([Entry("Why does a kettle sing at all?", answers[0] + " Truly.")])
    found = [passage for passage in small.search(question, k=3, floor=0.3) if "ettle" in passage["question"]]
    assert len(found) == 1


def test_many_answers_to_one_question_do_not_hide_the_next_question(small: Library) -> None:
    small.add(
        [
            Entry("Why does the kettle sing?", f"Answer {'abcdefgh'[n % 8] * (n + 1)} it is.")
            for n in range(60)
        ]
    )
    small.add([Entry("Why does the kettle drip?", "A seal may be worn inside its lid.")])
    questions = [passage["question"] for passage in small.search("why does the kettle sing", k=2)]
    assert questions == ["Why does the kettle sing?", "Why does the kettle drip?"]


def test_a_startling_topic_must_be_nearer(small: Library) -> None:
    text = "my neighbour painted the fence"
    (score,) = [p["score"] for p in small.search(text, k=1, floor=0.0)]
    small.add([Entry("My neighbour painted the bench red", "A very different text altogether.", "self-harm")])
    assert "self-harm" in {p["topic"] for p in small.search(text, floor=score - 0.2)}
    assert "self-harm" not in {p["topic"] for p in small.search(text, floor=score)}


def test_adding_again_adds_nothing(small: Library) -> None:
    entries = [Entry(f"How is thing {word} done?", f"With {word}.") for word in ("red", "blue", "red")]
    first = small.add(entries)
    assert (first.added, first.kept) == (2, 1)
    again = small.add(entries)
    assert (again.added, again.kept) == (0, 3)
    assert small.count() == {"starter": 5}


def test_opening_again_embeds_nothing(reopen: Callable[..., Library]) -> None:
    reopen().close()
    library = reopen(flat)
    assert library.count() == {"starter": 2}
    library.close()


def test_a_changed_starter_entry_takes_the_place_of_the_old(
    reopen: Callable[..., Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    library = reopen()
    library.add([Entry("Who left the gate open?", "The wind did it.", kind="counselchat")])
    library.close()
    retold = Entry(OWL.question, "Hang a thick curtain before dusk.", "stress", ("routine",))
    retagged = Entry(FERRY.question, FERRY.text, FERRY.topic, ("paced-breathing",))
    monkeypatch.setattr(library_module, "_starter", lambda: [retold, retagged])
    library = reopen()
    assert library.count() == {"starter": 2, "counselchat": 1}
    found = {p["question"]: p for p in library.search(OWL.question, k=9, floor=-1.0)}
    assert found[OWL.question]["text"] == retold.text
    assert found[FERRY.question]["techniques"] == ["paced-breathing"]
    library.close()


def test_a_line_that_is_no_longer_asked_finds_nothing(
    reopen: Callable[..., Library], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library_module, "_starter", lambda: [ASKED, FERRY])
    first = reopen()
    first.close()
    fewer = replace(ASKED, asked=ASKED.asked[1:])
    monkeypatch.setattr(library_module, "_starter", lambda: [fewer, FERRY])
    library = reopen()
    assert library.search(ASKED.asked[0], floor=0.9) == []
    assert library.search(ASKED.asked[1], floor=0.9)[0]["text"] == ASKED.text
    assert library.count() == {"starter": 2}
    library.close()


def test_another_encoders_vectors_are_refused_and_can_be_made_anew(
    reopen: Callable[..., Library], tmp_path: Path
) -> None:
    library = reopen()
    library.add([Entry("Who left the gate open?", "The wind did it.", kind="counselchat")])
    library.close()

    def longer(texts: Sequence[str]) -> NDArray[np.float32]:
        return np.hstack([embed_words(texts), np.zeros((len(texts), 8), dtype=np.float32)])

    with pytest.raises(LibraryError, match="hearken ingest starter --rebuild"):
        reopen(longer, "another")
    seen: list[tuple[int, int]] = []
    rebuilt = Library.rebuild(tmp_path / "data", longer, "another", lambda done, of: seen.append((done, of)))
    assert rebuilt.count() == {"starter": 2, "counselchat": 1}
    assert seen == [(3, 3)]
    assert rebuilt.search("who left the gate open", k=1)[0]["text"] == "The wind did it."
    rebuilt.close()
    library = reopen(longer, "another")
    assert library.count() == {"starter": 2, "counselchat": 1}
    library.close()


def test_a_rebuild_that_stops_leaves_the_old_index(reopen: Callable[..., Library], tmp_path: Path) -> None:
    reopen().close()

    def stops(texts: Sequence[str]) -> NDArray[np.float32]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Library.rebuild(tmp_path / "data", stops, "another")
    library = reopen(flat)
    assert library.count() == {"starter": 2}
    library.close()


def _garbage(index: Path) -> None:
    (index / "chroma.sqlite3").write_bytes(b"not a database " * 500)


def _cut(index: Path) -> None:
    database = index / "chroma.sqlite3"
    database.write_bytes(database.read_bytes()[:20_000])


def _holed(index: Path) -> None:
    data = bytearray((index / "chroma.sqlite3").read_bytes())
    data[4096 * 4 : 4096 * 30] = b"\x5a" * (4096 * 26)
    (index / "chroma.sqlite3").write_bytes(data)


def _foreign(index: Path) -> None:
    """Sound for SQLite, but not Chroma's: only Chroma itself can tell."""
    (index / "chroma.sqlite3").unlink()
    with closing(sqlite3.connect(index / "chroma.sqlite3")) as connection:
        connection.execute("CREATE TABLE collections (a)")
        connection.commit()


def _a_file(index: Path) -> None:
    for path in sorted(index.rglob("*"), reverse=True):
        path.unlink() if path.is_file() else path.rmdir()
    index.rmdir()
    index.write_text("a file where a folder was")


@pytest.mark.parametrize("damage", [_garbage, _cut, _holed, _foreign, _a_file], ids=lambda f: f.__name__)
def test_a_damaged_index_is_moved_aside_and_begun_anew(
    reopen: Callable[..., Library],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], None],
) -> None:
    for n in (1, 2):
        reopen().close()
        damage(tmp_path / "data" / "index")
        with caplog.at_level(logging.WARNING):
            library = reopen()
        assert library.count() == {"starter": 2}
        assert library.search(OWL.question, k=1)[0]["question"] == OWL.question
        assert not library.temporary
        assert (tmp_path / "data" / f"index.broken-{n}").exists()
        library.close()
    assert "damaged" in caplog.text
    assert OWL.question not in caplog.text
    library = reopen(flat)
    assert library.count() == {"starter": 2}
    library.close()


def test_a_folder_that_cannot_be_written_gives_a_library_of_its_own(
    reopen: Callable[..., Library], tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("in the way")
    one, other = reopen(), reopen()
    assert one.temporary
    one.add([Entry("Who left the gate open?", "The wind did it.", kind="counselchat")])
    assert one.count() == {"starter": 2, "counselchat": 1}
    assert other.count() == {"starter": 2}
    one.close()
    other.close()


def test_without_any_disk_it_lives_in_memory(
    reopen: Callable[..., Library], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**_: str) -> str:
        raise OSError("no space left")

    (tmp_path / "data").write_text("in the way")
    monkeypatch.setattr("knowledge.opening.tempfile.mkdtemp", full)
    one, other = reopen(), reopen()
    one.add([Entry("Who left the gate open?", "The wind did it.", kind="counselchat")])
    assert one.search(OWL.question, k=1)
    assert other.count() == {"starter": 2}
    one.close()
    other.close()


def test_two_processes_may_open_at_once(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import importlib.util as u;"
        f"s = u.spec_from_file_location('shared', {str(Path(__file__))!r}); m = u.module_from_spec(s);"
        "s.loader.exec_module(m);"
        f"l = m.Library.open(Path({str(tmp_path)!r}), m.embed_words, m.MAKER); "
        "print(l.count()['starter'], l.temporary)"
    )
    racing = [
        subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, cwd=ROOT)
        for _ in "ab"
    ]
    said = [process.communicate(timeout=120)[0].split() for process in racing]
    assert [process.returncode for process in racing] == [0, 0]
    assert said[0] == said[1]
    assert said[0][1] == "False"


def test_nothing_heavy_is_loaded_before_it_is_opened() -> None:
    code = "import sys, knowledge.library, knowledge.ingest; print('chromadb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_an_index_that_fails_in_use_says_so(small: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    narrow = Library(small._index, lambda texts: np.ones((len(texts), 3), dtype=np.float32))
    with pytest.raises(LibraryError, match="hearken check"):
        narrow.search("three words here")


def test_a_reranker_has_the_last_word_among_what_is_near(small: Library) -> None:
    text = "owls call and the ferry calls when the moon is bright over waves"
    plain = [passage["text"] for passage in small.search(text, k=2, floor=0.1)]
    backwards = Library(
        small._index,
        embed_words,
        lambda said, answers: [-plain.index(a) if a in plain else -9 for a in answers],
    )
    assert [passage["text"] for passage in backwards.search(text, k=2, floor=0.1)] == plain
    other = Library(
        small._index,
        embed_words,
        lambda said, answers: [plain.index(a) if a in plain else -9 for a in answers],
    )
    assert [passage["text"] for passage in other.search(text, k=2, floor=0.1)] == plain[::-1]
    assert other.search(text, k=2, floor=0.99) == []
