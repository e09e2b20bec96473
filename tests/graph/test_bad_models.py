"""A model that cannot be had: one sentence with the way out, the guided responder meanwhile, nothing lost."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.backends import Backend, Endpoint, HuggingFace, Proxy
from agent.settings import load_settings
from graph import Session
from graph.backends import worded
from graph.services import from_settings
from tests import fakes
from tests.stub_server import saying, served

FIRST, SECOND = "I feel alone even around people.", "It has been like this since the spring."
Bad = Callable[[Path, pytest.MonkeyPatch], Backend]


def _tiny(folder: Path) -> Any:
    module = pytest.importorskip("tests.agent.llm.tiny_llms")
    return module, str(module.llama(folder / "base", width=352, hidden=32, seed=1))


def missing_extra(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    from agent.llm import model_files

    monkeypatch.setattr(model_files.importlib.util, "find_spec", lambda name: None)
    return HuggingFace(model=str(place / "m"))


def missing_client(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    from agent.llm import endpoint

    monkeypatch.setattr(endpoint.importlib.util, "find_spec", lambda name: None)
    return Endpoint(url="http://127.0.0.1:1/v1", model=place.name)


def wrong_path(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    return HuggingFace(model=str(place / "nowhere"))


def absent(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    return HuggingFace(model=f"someone/{place.name}"[:60])


def _refused_by_the_hub(kind: str) -> Bad:
    def bad(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
        import httpx
        import huggingface_hub as hub

        def fetched(name: str, *, local_files_only: bool = False, **_: Any) -> str:
            if local_files_only:
                raise hub.errors.LocalEntryNotFoundError("not here")
            answer = httpx.Response(403, request=httpx.Request("GET", "https://hub.example"))
            raise getattr(hub.errors, kind)("no", response=answer) if kind else OSError("no route")

        monkeypatch.setattr(hub, "snapshot_download", fetched)
        monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
        return HuggingFace(model=f"someone/{kind or 'unreached'}")

    return bad


def adapter_without_its_base(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    (place / "tuned").mkdir()
    (place / "tuned/adapter_config.json").write_text('{"base_model_name_or_path": "/gone/away"}')
    return HuggingFace(model=str(place / "tuned"))


def adapter_for_another(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    module, base = _tiny(place)
    other = str(module.llama(place / "other", width=352, hidden=32, seed=2))
    return Proxy(base=base, expert=str(module.adapter(place / "tuned", Path(base))), anti_expert=other)


def other_tokens(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    module, base = _tiny(place)
    tok = module.tokenizer(["Zwei alte Türme stehen über dem Fluss und warten."])
    other = str(module.llama(place / "other", width=352, hidden=32, seed=2, tok=tok))
    return Proxy(base=base, expert=other, anti_expert=base)


def short_of_memory(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    from agent.llm.local import load_local

    monkeypatch.setitem(load_local.__kwdefaults__, "free", lambda place: 1000)
    return HuggingFace(model=_tiny(place)[1])


def memory_that_gives_out(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    import torch
    import transformers

    def full(*_: Any, **__: Any) -> Any:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")

    monkeypatch.setattr(transformers.AutoModelForCausalLM, "from_pretrained", full)
    return HuggingFace(model=_tiny(place)[1])


def quarter_numbers(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    return HuggingFace(model=_tiny(place)[1], dtype="4bit", device="cpu")


def down(place: Path, monkeypatch: pytest.MonkeyPatch) -> Backend:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    with served(saying("x")) as (url, _):
        return Endpoint(url=url, model="m")


CASES: list[tuple[Bad, str]] = [
    (missing_extra, r"pip install 'hearken\[local\]'"),
    (missing_client, r"pip install 'hearken\[endpoint\]'"),
    (wrong_path, "give the folder of a model, or its hub id"),
    (absent, "unset HF_HUB_OFFLINE to fetch it, or give a folder"),
    (_refused_by_the_hub("GatedRepoError"), "accept its terms on the hub, then set HF_TOKEN"),
    (_refused_by_the_hub("RepositoryNotFoundError"), "check its spelling, or set HF_TOKEN"),
    (_refused_by_the_hub(""), "check the connection"),
    (adapter_without_its_base, "was made for /gone/away"),
    (adapter_for_another, "set anti_expert to|choose another expert"),
    (other_tokens, "choose models of one family"),
    (short_of_memory, "Choose a smaller model"),
    (memory_that_gives_out, "choose a smaller one"),
    (quarter_numbers, "pip install bitsandbytes, or set dtype to auto"),
    (down, "start the server, or change HEARKEN_ENDPOINT_URL"),
]
NAMES = [f"{bad.__name__} {number}" for number, (bad, _) in enumerate(CASES)]


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
@pytest.mark.parametrize(("bad", "way_out"), CASES, ids=NAMES)
def test_what_cannot_be_had_is_one_sentence_and_the_conversation_goes_on(
    bad: Bad, way_out: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wording = worded(bad(tmp_path, monkeypatch))
    wording.prepare(300)
    services = replace(
        from_settings(load_settings()),
        read=lambda text: fakes.heard(), search=lambda text, k: [], respond=wording.respond,
        again=wording.again, trouble=wording.trouble, responder=wording.name,
    )  # fmt: skip
    session = Session.open(country="GB", services=services)
    turns = [session.say(text) for text in (FIRST, SECOND)]
    assert [turn.responder for turn in turns] == ["guided", "guided"]
    told = [str(message.content) for message in session.messages]
    assert told == [FIRST, turns[0].text, SECOND, turns[1].text]
    trouble = services.trouble()
    assert re.search(way_out, trouble), trouble
    assert "\n" not in trouble
    assert trouble.endswith(".")


def test_when_it_can_be_had_again_it_is_told_all_that_was_said_before() -> None:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    said = "It sounds lonely in the middle of all of them."
    status = (lambda asked: (400, iter([b"{}"])), saying(said))
    with served(*status) as (url, asked):
        wording = worded(Endpoint(url=url, model="m"))
        services = fakes.services(respond=wording.respond, again=None, responder=wording.name)
        session = Session.open(country="GB", services=services)
        first, second = session.say(FIRST), session.say(SECOND)
    assert (first.responder, second.responder) == ("guided", "endpoint")
    told = [message["content"] for message in asked[-1]["messages"]]
    assert [FIRST in told[1], told[2] == first.text, SECOND in told[3]] == [True, True, True]
    assert wording.trouble() == ""
