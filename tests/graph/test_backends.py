"""A backend's settings become who words replies; a failing one is told of, an untested one is no default."""

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from agent.backends import Endpoint, Guided, HuggingFace, Proxy
from agent.errors import HearkenError, ResponderError
from agent.llm.chat import Chat, streamed
from agent.prompt import render
from agent.reading.ladder import Level
from agent.responders import guided
from agent.settings import Settings, load_settings
from graph import Session
from graph.backends import choose, chosen, loaded, named, remember, verdict, worded
from graph.services import Services, from_settings
from tests import fakes
from tests.stub_server import saying, served

CALM = "I feel alone even around people."
SERVED = Endpoint(url="http://127.0.0.1:1/v1", model="m")


def settings_with(monkeypatch: pytest.MonkeyPatch, **told: str) -> Settings:
    for name, value in told.items():
        monkeypatch.setenv(f"HEARKEN_{name}", value)
    return load_settings()


def light(settings: Settings) -> Services:
    """The services of these settings without the library and the reading model."""
    return replace(from_settings(settings), read=lambda text: fakes.heard(), search=lambda text, k: [])


def test_without_settings_the_guided_responder_answers() -> None:
    services = from_settings(load_settings())
    assert services.respond is guided.respond
    assert services.again is None
    assert services.prepare(0.0) == services.trouble() == ""


def test_an_endpoint_words_a_reply_through_the_whole_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    said = "It sounds lonely in the middle of them all. How long has it been like this?"
    with served(saying(said)) as (url, asked):
        settings = settings_with(monkeypatch, RESPONDER="endpoint", ENDPOINT_URL=url, MODEL="m")
        turn = Session.open(country="GB", services=light(settings), settings=settings).say(CALM)
    assert turn.text == said
    assert turn.responder == "endpoint"
    assert CALM in asked[0]["messages"][-1]["content"]


def test_a_failing_backend_is_told_of_and_the_guided_responder_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    with served(saying("x")) as (url, _):
        pass
    settings = settings_with(monkeypatch, RESPONDER="endpoint", ENDPOINT_URL=url, MODEL="m")
    services = light(settings)
    session = Session.open(country="GB", services=services, settings=settings)
    turn = session.say(CALM)
    assert turn.responder == "guided"
    assert turn.text
    assert "Nothing answers at" in services.trouble()
    assert session.say("It has been like this since spring.").text  # nothing of the conversation is lost


def test_danger_is_answered_without_the_model(monkeypatch: pytest.MonkeyPatch) -> None:
    with served(saying("Cheer up.")) as (url, asked):
        settings = settings_with(monkeypatch, RESPONDER="endpoint", ENDPOINT_URL=url, MODEL="m")
        turn = Session.open(services=light(settings), settings=settings).say("I want to kill myself")
    assert turn.responder == "crisis"
    assert asked == []


def test_the_guided_responder_has_no_model_to_load() -> None:
    with pytest.raises(ValueError, match="guided"):
        loaded(Guided(), lambda stage, share: None)


@pytest.mark.parametrize(
    "backend",
    [Guided(), HuggingFace(model="a/b"), Proxy(base="a", expert="b", anti_expert="c"), SERVED],
    ids=lambda one: str(one.kind),
)
def test_every_backend_has_a_name_and_is_made_ready_by_nobody_but_prepare(backend: Any) -> None:
    assert named(backend).startswith(backend.kind)
    assert worded(backend).trouble() == ""


def test_a_choice_holds_once_it_passed_and_the_environment_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings = load_settings()
    choose(settings, SERVED)
    assert chosen(settings) == Guided()
    remember(settings, SERVED, {"passed": False})
    assert chosen(settings) == Guided()
    remember(settings, SERVED, {"passed": True})
    assert chosen(settings) == SERVED
    found = verdict(settings, SERVED)
    assert found is not None
    assert found["at"].startswith("20")
    named_in_settings = settings_with(monkeypatch, RESPONDER="huggingface", MODEL="x/y")
    assert chosen(named_in_settings) == HuggingFace(model="x/y")
    assert chosen(settings_with(monkeypatch, RESPONDER="guided")) == Guided()


def test_a_key_is_never_written_and_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = settings_with(monkeypatch, ENDPOINT_KEY="sk-very-secret")
    backend = SERVED.model_copy(update={"key": settings.endpoint_key})
    choose(settings, backend)
    remember(settings, backend, {"passed": True})
    assert "very-secret" not in (settings.data_dir / "models.json").read_text()
    assert chosen(settings) == backend


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"chosen": {"kind": "parrot"}}', '{"verdicts": 7}'])
def test_a_file_of_choices_that_cannot_be_used_leaves_the_guided_responder(text: str) -> None:
    settings = load_settings()
    settings.data_dir.mkdir(parents=True)
    (settings.data_dir / "models.json").write_text(text)
    assert chosen(settings) == Guided()


def test_a_choice_that_cannot_be_kept_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    settings.data_dir.parent.mkdir(parents=True, exist_ok=True)
    settings.data_dir.write_text("a file where the folder should be")
    with pytest.raises(HearkenError, match="HEARKEN_DATA_DIR"):
        choose(settings, SERVED)


def test_what_is_kept_is_plain_json() -> None:
    settings = load_settings()
    remember(settings, Guided(), {"passed": True, "checks": []})
    kept = json.loads((settings.data_dir / "models.json").read_text())
    assert list(kept["verdicts"]) == ["guided"]


def test_where_words_leave_the_machine_no_reply_says_otherwise() -> None:
    far = fakes.services(away="models.example.org")
    claims = ("nobody is reading", "nobody is watching", "nothing goes from me")
    for text in ("is this private?", "is this conversation private? who reads it?"):
        near = Session.open(country="GB", services=fakes.services()).say(text).text
        told = Session.open(country="GB", services=far).say(text).text
        assert not any(claim in told.lower() for claim in claims), told
        assert told == near or "another computer" in told
    assert worded(Endpoint(url="https://models.example.org/v1", model="m")).away == "models.example.org"
    assert worded(SERVED).away == ""


def test_a_models_opinion_may_raise_the_level_and_never_lowers_it() -> None:
    calm = Session.open(country="GB", services=fakes.services()).say(CALM)
    assert calm.risk in {"none", "low"}
    asked: list[str] = []

    def fears(text: str) -> Level:
        asked.append(text)
        return "moderate"

    raised = Session.open(country="GB", services=fakes.services(fears=fears)).say(CALM)
    assert (raised.risk, raised.escalated, raised.responder) == ("moderate", True, "crisis")
    assert asked == [CALM]
    for text in ("I want to kill myself", "I have the pills in front of me"):
        alone = Session.open(country="GB", services=fakes.services()).say(text)
        told = Session.open(country="GB", services=fakes.services(fears=lambda _: "none")).say(text)
        assert (told.risk, told.text) == (alone.risk, alone.text)


@pytest.mark.parametrize(
    "fears", [fakes.raising(ResponderError("Gone.")), lambda text: "parrot"], ids=["fails", "nonsense"]
)
def test_an_opinion_that_cannot_be_had_changes_nothing(fears: Any) -> None:
    plain = Session.open(country="GB", services=fakes.services()).say(CALM)
    turn = Session.open(country="GB", services=fakes.services(fears=fears)).say(CALM)
    assert (turn.text, turn.risk, turn.reading["degraded"]) == (plain.text, plain.risk, False)


def test_an_opinion_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    told = {"RESPONDER": "endpoint", "ENDPOINT_URL": SERVED.url, "MODEL": "m"}
    assert from_settings(settings_with(monkeypatch, **told)).fears is None
    assert from_settings(settings_with(monkeypatch, OPINION="true")).fears is not None


@pytest.mark.parametrize("kind", ["huggingface", "proxy"])
@pytest.mark.parametrize(
    ("slowness", "says"), [(0.5, "no whole sentence in its time"), (5.0, "had not begun its reply in time")]
)
def test_a_slow_local_model_ends_in_time_though_no_word_comes_of_it(
    kind: str, slowness: float, says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tiny_llms = pytest.importorskip("tests.agent.llm.tiny_llms")
    base, small, anti = (
        str(tiny_llms.llama(tmp_path / f"{n}", width=352, hidden=32, seed=n, reads=4096)) for n in range(3)
    )
    how: dict[str, Any] = {"device": "cpu", "temperature": 0, "max_tokens": 200}
    backend: Any = (
        HuggingFace(model=base, **how)
        if kind == "huggingface"
        else Proxy(base=base, expert=small, anti_expert=anti, **how)
    )
    from agent.llm import local, proxy, tracks

    module, name = (local, "load_local") if kind == "huggingface" else (proxy, "load_proxy")
    made: list[Any] = []
    load = getattr(module, name)
    monkeypatch.setattr(module, name, lambda *told: made.append(load(*told)) or made[-1])
    chat = loaded(backend, lambda stage, share: None, seconds=20.0)
    now = [0.0]

    def passes(*_: Any) -> None:
        now[0] += slowness

    chat.clock = lambda: now[0]
    monkeypatch.setattr(tracks, "time", SimpleNamespace(monotonic=chat.clock))
    engine = made[0].engine
    engine.base.model.register_forward_hook(passes)
    monkeypatch.setattr(engine.base.tokenizer, "decode", lambda *_, **__: "")  # so that chat.py hears nothing
    with pytest.raises(ResponderError, match=says):
        list(chat.respond(fakes.brief()))
    assert now[0] < 20.0 + slowness


def _spoken(chat: Chat, brief: Any) -> None:
    with suppress(ResponderError):  # an untrained model may have no whole sentence
        list(chat.respond(brief))


def test_the_next_turn_of_a_conversation_reads_only_what_is_new(tmp_path: Path) -> None:
    tiny_llms = pytest.importorskip("tests.agent.llm.tiny_llms")
    from agent.llm import local

    folder = str(tiny_llms.llama(tmp_path / "m", width=352, hidden=32, seed=1, reads=8192))
    made = local.load_local(HuggingFace(model=folder, device="cpu", temperature=0, max_tokens=16))
    chat = Chat(streamed(made), count=made.get_num_tokens, room=6000, tokens=16)
    _spoken(chat, fakes.brief(CALM))
    history = [("user", CALM), ("assistant", "It sounds lonely there."), ("user", "It does.")]
    brief = fakes.brief("It does.", history=history)
    _spoken(chat, brief)
    system = made.get_num_tokens(render(brief)[0]["content"])
    assert made.engine.caches.reused > system
    longer = [*history, ("assistant", "How long has it been so?"), ("user", "Since spring.")]
    _spoken(chat, fakes.brief("Since spring.", history=longer))
    turns = sum(made.get_num_tokens(text) for _, text in history[:2])
    assert made.engine.caches.reused > system + turns
