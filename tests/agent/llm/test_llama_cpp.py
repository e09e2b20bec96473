"""The endpoint against llama.cpp's own server, over a GGUF file of a tiny model that is also run here."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.backends import Endpoint, HuggingFace
from agent.errors import ResponderError
from agent.llm.endpoint import connect
from agent.llm.flow import cut
from agent.llm.local import load_local
from agent.prompt import Message, render
from agent.sentences import split
from tests import fakes

pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
tiny_llms = pytest.importorskip("tests.agent.llm.tiny_llms", reason="hearken[local] is not installed")
tiny_gguf = pytest.importorskip("tests.agent.llm.tiny_gguf", reason="gguf and xllamacpp are not installed")

TALK = [Message(role="system", content="Listen."), Message(role="user", content=tiny_llms.TEXT[0])]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tiny_llms.llama(
        tmp_path_factory.mktemp("gguf") / "m", width=352, hidden=64, seed=1, reads=4096
    )
    return made


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    with tiny_gguf.llama_cpp(tiny_gguf.written(folder, folder / "m.gguf")) as address:
        yield address


def _config(url: str, **changes: object) -> Endpoint:
    plain = {"url": url, "model": "m", "temperature": 0, "top_p": 1, "repetition_penalty": 1}
    return Endpoint.model_validate({**plain, **changes})


def test_it_says_token_for_token_what_the_model_says_here(url: str, folder: Path) -> None:
    here = load_local(
        HuggingFace(
            model=str(folder), device="cpu", dtype="float32", temperature=0, top_p=1, repetition_penalty=1
        )
    )
    pieces = list(connect(_config(url))(TALK, max_tokens=24))
    assert "".join(pieces) == here.invoke([dict(one) for one in TALK], max_tokens=24).text
    assert len(pieces) > 5  # word by word, not at once


def test_a_stop_string_and_a_seed_are_heeded(url: str) -> None:
    whole = "".join(connect(_config(url))(TALK, max_tokens=24))
    found = re.compile("[A-Za-z]{2}").search(whole, 4)  # what is no half of a character
    assert found
    stop = found[0]
    cut = "".join(connect(_config(url))(TALK, max_tokens=24, stop=[stop]))
    assert cut == whole[: whole.index(stop)]
    drawn = [
        "".join(connect(_config(url, temperature=1.0, seed=seed))(TALK, max_tokens=24)) for seed in (1, 1, 2)
    ]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_whole_prompt_of_ours_is_taken(url: str) -> None:
    pieces = list(connect(_config(url))(render(fakes.brief()), max_tokens=40))
    assert list(cut(pieces)) == split("".join(pieces)) != []


def test_a_prompt_that_is_too_long_is_told(url: str) -> None:
    asked = [Message(role="user", content=tiny_llms.TEXT[0] * 400)]
    with pytest.raises(ResponderError, match="HTTP 4"):
        list(connect(_config(url))(asked, max_tokens=8))
