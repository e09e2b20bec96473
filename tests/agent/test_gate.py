"""The contract that every backend passes, and the gate of safety: both hear what they are for."""

import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from agent.backends import Backend, Endpoint, HuggingFace, Proxy
from agent.brief import Brief, Replaced
from agent.errors import ResponderError
from agent.evaluate.gate import Check, contract, cost, gate, load_gate, sample
from agent.llm.chat import Chat, streamed
from agent.llm.endpoint import connect
from agent.prompt import render
from agent.reading.ladder import Level
from agent.responders import guided
from graph.backends import loaded
from graph.trial import as_brief
from tests.stub_server import saying, served

REPLY = "It sounds lonely in the middle of all of them. How long has it been like this?"


def failed(checks: Iterable[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


def fake_chat() -> Callable[[Brief], Iterable[str]]:
    fake = GenericFakeChatModel(messages=(AIMessage(REPLY) for _ in iter(int, 1)))
    return Chat(streamed(fake)).respond


@pytest.fixture
def endpoint() -> Iterator[Callable[[Brief], Iterable[str]]]:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    with served(saying(REPLY[:20], REPLY[20:])) as (url, _):
        yield Chat(connect(Endpoint(url=url, model="m"))).respond


@pytest.fixture
def local(tmp_path: Path) -> dict[str, Callable[[Brief], Iterable[str]]]:
    """A model in this process, and a mixture of three: untrained, so that only their form can be judged."""
    tiny_llms = pytest.importorskip("tests.agent.llm.tiny_llms")
    folders = [tiny_llms.llama(tmp_path / name, width=352, hidden=32, seed=n) for n, name in enumerate("bea")]
    for folder in folders:  # made to read short texts; a whole prompt is more
        config = json.loads((folder / "config.json").read_text())
        (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 4096}))
    base, expert, anti = map(str, folders)
    how: dict[str, Any] = {"device": "cpu", "temperature": 0, "max_tokens": 24}
    one: Backend = HuggingFace(model=base, **how)
    three: Backend = Proxy(base=base, expert=expert, anti_expert=anti, **how)
    return {backend.kind: loaded(backend, lambda stage, share: None).respond for backend in (one, three)}


@pytest.mark.parametrize("backend", ["guided", "chat", "endpoint", "huggingface", "proxy"])
def test_every_backend_passes_the_contract(backend: str, request: pytest.FixtureRequest) -> None:
    respond = {
        "guided": lambda: guided.respond,
        "chat": fake_chat,
        "endpoint": lambda: request.getfixturevalue("endpoint"),
        "huggingface": lambda: request.getfixturevalue("local")["huggingface"],
        "proxy": lambda: request.getfixturevalue("local")["proxy"],
    }[backend]()
    assert failed(contract(respond, as_brief)) == []


def _raises(brief: Brief) -> Iterator[str]:
    raise ResponderError("The server is gone.")
    yield ""


def _once() -> Callable[[Brief], Iterable[str]]:
    answers = iter([[REPLY[:46], REPLY[47:]]])

    def respond(brief: Brief) -> Iterable[str]:
        answer = next(answers, None)
        if answer is None:
            raise ResponderError("It answers once only.")
        return answer

    return respond


@pytest.mark.parametrize(
    ("respond", "breaks"),
    [
        (_raises, "answers"),
        (lambda brief: [], "answers"),
        (lambda brief: [REPLY], "sentences"),
        (lambda brief: ["I feel alone even around people."], "no echo"),
        (lambda brief: Chat(lambda asked, **how: iter([_piece(brief)])).respond(brief), "no echo"),
        (lambda brief: [f"{'word ' * 50}{n}." for n in range(9)], "short"),
        (_once(), "left alone"),
        (lambda brief: [REPLY[:46]] if "people" in brief["text"] else _raises(brief), "odd messages"),
    ],
    ids=["fails", "mute", "whole", "echo", "prompt", "long", "once", "odd"],
)
def test_the_contract_hears_what_breaks_it(respond: Callable[[Brief], Iterable[str]], breaks: str) -> None:
    assert breaks in failed(contract(respond, as_brief))


def _piece(brief: Brief) -> str:
    """A stretch out of the middle of the prompt."""
    return " ".join(render(brief)[0]["content"].split()[20:40]) + "."


@dataclass
class Turn:
    text: str = REPLY
    escalated: bool = False
    responder: str = "model"
    replaced: list[Replaced] = field(default_factory=list)


def judged(**changes: Any) -> list[str]:
    danger = load_gate().danger

    def say(text: str) -> Turn:
        if text in danger and changes.get("danger", True):
            return Turn("Please call someone.", escalated=True, responder="crisis")
        return Turn(**{"text": REPLY, **changes.get("turn", {})})

    said_by_model = changes.get("canned", lambda reply: Turn(responder="guided"))
    return failed(gate(say, said_by_model, "model"))


def test_a_model_that_stays_out_of_danger_and_in_the_rules_passes() -> None:
    assert judged() == []


def test_the_gate_hears_what_it_is_for() -> None:
    assert judged(danger=False) == ["danger"]
    assert "guarded" in judged(turn={"text": "As your doctor I know this well."})
    assert judged(canned=lambda reply: Turn(" ".join(reply.sentences))) == ["canned"]
    assert judged(turn={"responder": "guided"}) == ["own words"]
    held = [Replaced(rule="loop", position=n) for n in range(3)]
    assert judged(turn={"replaced": held}) == ["stopped"]


def test_the_canned_replies_are_of_every_kind_and_none_is_sealed() -> None:
    found = sample()
    assert len({one.category for one in found}) == len(found) > 15
    assert {one.part for one in found} == {"open"}


def test_the_contract_is_quick_for_a_quick_model() -> None:
    begun = time.monotonic()
    contract(fake_chat(), as_brief)
    assert time.monotonic() - begun < 30


def test_what_an_opinion_costs_and_is_worth_is_counted() -> None:
    words = load_gate()

    def fears(text: str) -> Level:
        if text == words.danger[0]:
            raise ResponderError("The server is gone.")
        return "moderate" if text in (*words.danger, words.calm[0]) else "none"

    found = cost(fears)
    assert (found["heard"], found["raised"]) == (len(words.danger) - 1, 1)
    assert found["seconds"] >= 0
