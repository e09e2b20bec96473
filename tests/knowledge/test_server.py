"""The library on a Chroma server: found by its URL, refused with a sentence, opened anew after a fall."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from knowledge import library as library_module
from knowledge.errors import LibraryError
from knowledge.library import Library
from tests.chroma_server import Chroma, chroma_server, free_port, let_go
from tests.knowledge.test_library import FERRY, MAKER, OWL, SHED, embed_words


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chroma]:
    with chroma_server(tmp_path_factory.mktemp("chroma") / "data") as server:
        yield server


@pytest.fixture
def chroma(running: Chroma, monkeypatch: pytest.MonkeyPatch) -> Iterator[Chroma]:
    """The server, empty, with a starter library of three; every library is closed afterwards."""
    monkeypatch.setattr(library_module, "_starter", lambda: [OWL, FERRY, SHED])
    running.kill()
    running.empty()
    running.start()
    with let_go(monkeypatch):
        yield running


def test_two_workers_share_what_is_on_the_server(chroma: Chroma) -> None:
    first = Library.open(chroma.url, embed_words, MAKER)
    assert not first.temporary
    assert first.count() == {"starter": 3}
    second = Library.open(chroma.url, embed_words, MAKER)
    (found,) = second.search("my neighbour painted the shed purple", k=1)
    assert found["text"] == SHED.text
    assert second.count() == {"starter": 3}
    first.close()
    assert second.search("the ferry makes my stomach turn", k=1)
    second.close()


def test_workers_that_start_at_once_fill_it_once(chroma: Chroma) -> None:
    counts: list[dict[str, int]] = []
    problems: list[Exception] = []

    def begin() -> None:
        try:
            counts.append(Library.open(chroma.url, embed_words, MAKER).count())
        except LibraryError as error:
            problems.append(error)

    threads = [threading.Thread(target=begin) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert not problems
    assert Library.open(chroma.url, embed_words, MAKER).count() == {"starter": 3}


def test_another_models_vectors_are_refused_and_indexed_again_by_the_command(chroma: Chroma) -> None:
    Library.open(chroma.url, embed_words, MAKER).close()
    with pytest.raises(LibraryError, match="hearken ingest starter --rebuild") as refused:
        Library.open(chroma.url, embed_words, "another")
    assert chroma.url in str(refused.value)
    Library.rebuild(chroma.url, embed_words, "another").close()
    renewed = Library.open(chroma.url, embed_words, "another")
    assert renewed.search("the ferry makes my stomach turn", k=1)
    with pytest.raises(LibraryError, match="rebuild"):
        Library.open(chroma.url, embed_words, MAKER)


def test_a_server_that_falls_is_told_and_serves_again_when_it_is_back(chroma: Chroma) -> None:
    library = Library.open(chroma.url, embed_words, MAKER)
    chroma.kill()
    with pytest.raises(LibraryError):
        library.search("the ferry makes my stomach turn", k=1)
    with pytest.raises(LibraryError, match="HEARKEN_LIBRARY_URL"):
        Library.open(chroma.url, embed_words, MAKER)
    chroma.start()
    assert library.search("the ferry makes my stomach turn", k=1), "what was kept is still there"


def test_a_server_that_lost_everything_is_filled_by_whoever_opens_it(chroma: Chroma) -> None:
    library = Library.open(chroma.url, embed_words, MAKER)
    chroma.kill()
    chroma.empty()
    chroma.start()
    with pytest.raises(LibraryError):
        library.search("the ferry makes my stomach turn", k=1)
    assert Library.open(chroma.url, embed_words, MAKER).count() == {"starter": 3}


def test_a_server_that_answers_nothing_is_given_up(chroma: Chroma, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("knowledge.server.ANSWER", 0.3)
    monkeypatch.setattr("knowledge.server.REACH", 0.3)
    library = Library.open(chroma.url, embed_words, MAKER)
    chroma.freeze()
    with pytest.raises(LibraryError):
        library.search("the ferry makes my stomach turn", k=1)
    with pytest.raises(LibraryError, match="No Chroma server answers"):
        Library.open(chroma.url, embed_words, MAKER)


def test_nobody_there_or_somebody_else_is_told_in_a_sentence() -> None:
    with pytest.raises(LibraryError, match="start it"):
        Library.open(f"http://127.0.0.1:{free_port()}", embed_words, MAKER)
    for address in ("chroma:8000", "ftp://x", "http://"):
        with pytest.raises(LibraryError, match="http://HOST:PORT"):
            Library.open(address, embed_words, MAKER)

    class Other(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *args: object) -> None:
            return

    other = HTTPServer(("127.0.0.1", 0), Other)
    threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        with pytest.raises(LibraryError, match="is no Chroma server"):
            Library.open(f"http://127.0.0.1:{other.server_address[1]}", embed_words, MAKER)
    finally:
        other.shutdown()
        other.server_close()


def test_the_folder_of_a_machine_needs_no_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library_module, "_starter", lambda: [OWL])
    with_folder = Library.open(tmp_path / "data", embed_words, MAKER)
    assert with_folder.count() == {"starter": 1}
    with_folder.close()
