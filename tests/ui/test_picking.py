"""Choosing who words the replies on the page: tried before it is switched, and for one session alone."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from agent.backends import Endpoint, Guided, Proxy
from agent.llm.chat import Chat
from agent.settings import load_settings
from graph import backends, trial
from graph import models as there
from graph.backends import chosen, remember, worded
from tests.stub_server import saying, served
from tests.ui.pages import APP, everything, literal, opened, replies, say, turn_to
from ui import picking
from ui.wording import fill, load_ui_words

SAID = "It sounds lonely in the middle of them all. How long has it been like this?"
CALM = "I feel alone even around people."
WORDS = load_ui_words().choices.picker
TRIO = {"HEARKEN_BASE": "a/base", "HEARKEN_EXPERT": "a/expert", "HEARKEN_ANTI_EXPERT": "a/small"}


@pytest.fixture(autouse=True)
def _nothing_else_here(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(there, "hub_models", list)
    monkeypatch.setattr(there, "servers", list)
    backends._standby.cache_clear()
    yield
    backends._standby.cache_clear()


@pytest.fixture
def server() -> Iterator[str]:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    with served(saying(SAID)) as (url, _):
        yield url


def offered(monkeypatch: pytest.MonkeyPatch, url: str, **environment: str) -> AppTest:
    """The settings page, with the list of models open and the endpoint at `url` in it."""
    told = {"HEARKEN_ENDPOINT_URL": url, "HEARKEN_MODEL": "m", "HEARKEN_COUNTRY": "GB", **environment}
    return listed(opened(monkeypatch, **told))


def listed(at: AppTest) -> AppTest:
    turn_to(at, "choices")
    return at.button(key="models-look").click().run()


def pick(at: AppTest, name: str) -> AppTest:
    radio = at.radio(key="model")
    place = [literal(option).strip("`") for option in radio.options].index(name)
    radio.set_value(place).run()
    assert not at.exception
    return at


def click(at: AppTest, key: str) -> AppTest:
    at.button(key=key).click().run()
    assert not at.exception
    return at


def shown(at: AppTest) -> str:
    return literal(everything(at))


def test_the_list_says_what_is_untested_and_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(there, "hub_models", lambda: [("huge/model", 2**45)])
    monkeypatch.setattr(there, "free_memory", lambda: 8 * 2**30)
    asked: list[Any] = []

    def missing(name: str) -> None:
        asked.append(name)

    at = offered(monkeypatch, "http://127.0.0.1:1/v1")
    captions = [literal(one) for one in at.radio(key="model").proto.captions]
    assert "passed the checks" in captions[0]
    assert "only 8.0 GB are free" in captions[1]
    assert "untested on this machine" in captions[2]
    assert WORDS.scope in shown(at)
    monkeypatch.setattr(there.importlib.util, "find_spec", missing)
    click(at, "models-look")
    assert "pip install 'hearken[endpoint]'" in literal(at.radio(key="model").proto.captions[2])
    pick(at, "endpoint m at http://127.0.0.1:1/v1")
    assert at.button(key="model-use").disabled
    assert asked


def test_a_choice_that_answers_words_the_replies_of_this_session_alone(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = offered(monkeypatch, server)
    before = at.session_state.session.thread
    pick(at, f"endpoint m at {server}")
    assert WORDS.untested in shown(at)
    click(at, "model-use")
    assert "It answered after" in shown(at)
    assert WORDS.now in shown(at)
    assert at.session_state.session.thread == before
    turn_to(at, "talk")
    say(at, CALM)
    assert replies(at)[-1].startswith("It sounds lonely")
    at.button(key="new").click().run()  # a new conversation of the same session goes on with it
    say(at, CALM)
    assert replies(at)[-1].startswith("It sounds lonely")

    beside = AppTest.from_file(APP, default_timeout=30).run()
    say(beside, CALM)
    assert not replies(beside)[-1].startswith("It sounds lonely")
    turn_to(beside, "choices")
    assert load_ui_words().choices.guided in everything(beside)
    assert chosen(load_settings()) == Guided()


def test_a_conversation_goes_on_with_the_new_choice_and_back(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at = opened(monkeypatch, HEARKEN_ENDPOINT_URL=server, HEARKEN_MODEL="m", HEARKEN_COUNTRY="GB")
    say(at, CALM)
    said = len(at.session_state.session.messages)
    click(pick(listed(at), f"endpoint m at {server}"), "model-use")
    assert len(at.session_state.session.messages) == said
    say(turn_to(at, "talk"), "It has been like this since spring.")
    assert len(at.session_state.session.messages) == said + 2
    assert replies(at)[-1].startswith("It sounds lonely")
    click(pick(listed(at), "guided"), "model-use")
    say(turn_to(at, "talk"), "My sister does not call any more.")
    assert not replies(at)[-1].startswith("It sounds lonely")


def test_a_choice_that_fails_leaves_the_old_one_and_says_why_and_may_be_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
    broken = [True]

    def answer(asked: dict[str, Any]) -> tuple[int, Iterator[bytes]]:
        return (400, iter([b"{}"])) if broken[0] else saying(SAID)(asked)

    with served(answer) as (url, _):
        at = offered(monkeypatch, url)
        click(pick(at, f"endpoint m at {url}"), "model-use")
        assert fill(WORDS.stays, why="") in shown(at)
        assert load_ui_words().choices.guided in everything(at)
        assert "backend" not in at.session_state
        broken[0] = False
        click(at, "model-use")
        assert WORDS.now in shown(at)


def test_that_words_leave_this_machine_is_said_before_it_is_chosen(monkeypatch: pytest.MonkeyPatch) -> None:
    url = "https://words.example.org/v1"
    at = offered(monkeypatch, url)
    warning = fill(WORDS.away, host="words.example.org")
    assert warning not in shown(at)
    pick(at, f"endpoint m at {url}")
    assert warning in shown(at)
    assert load_ui_words().choices.guided in everything(at)


def test_the_first_screen_says_where_the_words_of_this_session_go(monkeypatch: pytest.MonkeyPatch) -> None:
    answered = trial.Tried(ok=True, says="")
    monkeypatch.setattr(picking, "try_backend", lambda *args, **options: answered)
    url = "https://words.example.org/v1"
    at = click(pick(offered(monkeypatch, url), f"endpoint m at {url}"), "model-use")
    assert fill(load_ui_words().choices.other_away, host="words.example.org") in shown(at)
    assert "words.example.org" in shown(turn_to(at, "talk"))
    assert "words.example.org" not in shown(AppTest.from_file(APP, default_timeout=30).run())


def test_only_what_passed_can_be_kept_and_only_by_asking_for_it(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = Endpoint(url=server, model="m")
    remember(load_settings(), backend, {"passed": True})
    at = click(pick(offered(monkeypatch, server), f"endpoint m at {server}"), "model-use")
    assert chosen(load_settings()) == Guided()
    click(at, "model-keep")
    assert WORDS.kept in shown(at)
    assert chosen(load_settings()) == backend
    assert WORDS.holds in shown(at)


def test_what_the_environment_names_cannot_be_kept_over(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at = offered(monkeypatch, server, HEARKEN_RESPONDER="guided")
    click(pick(at, f"endpoint m at {server}"), "model-use")
    assert WORDS.by_settings in shown(at)
    assert not [button for button in at.button if button.key == "model-keep"]


def test_what_failed_the_checks_cannot_be_chosen_and_what_fails_them_is_let_go(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    verdicts = [{"passed": True, "checks": []}, {"passed": False, "checks": [{"ok": False, "says": "Mute."}]}]

    def verify(*args: object, told: Callable[[str], object]) -> dict[str, Any]:
        told("ok   runs")
        return verdicts.pop(0)

    monkeypatch.setattr(picking, "verify", verify)
    at = click(pick(offered(monkeypatch, server), f"endpoint m at {server}"), "model-use")
    click(at, "model-verify")
    assert load_ui_words().models.passed in shown(at)
    assert at.button(key="model-keep")
    click(at, "model-verify")
    assert "Mute." in shown(at)
    assert WORDS.back in shown(at)
    assert at.session_state.backend == Guided()
    assert at.button(key="model-use").disabled


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("HEARKEN_OPERATOR", "true", WORDS.by_operator),
        ("HEARKEN_JURISDICTION", "restricted", WORDS.restricted),
    ],
)
def test_where_others_decide_nothing_can_be_chosen(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    at = turn_to(opened(monkeypatch, **{name: value}), "choices")
    assert says in shown(at)
    assert not [button for button in at.button if str(button.key).startswith("model")]


def test_how_strongly_a_trio_is_steered_is_asked_only_where_there_is_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at = turn_to(opened(monkeypatch), "choices")
    assert not at.slider
    at = opened(monkeypatch, HEARKEN_RESPONDER="proxy", **TRIO)
    turn_to(at, "choices")
    assert literal(WORDS.alpha_help) in shown(at)
    at.slider(key="alpha").set_value(0.5).run()
    assert at.session_state.backend.alpha == 0.5
    assert at.slider(key="alpha").value == 0.5
    beside = turn_to(AppTest.from_file(APP, default_timeout=30).run(), "choices")
    assert beside.slider(key="alpha").value == 1.0


def test_another_strength_loads_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    loads: list[float] = []
    strengths: list[float] = []

    def stream(asked: object, **options: Any) -> Iterator[str]:
        strengths.append(options["alpha"])
        return iter([SAID])

    def load(backend: Proxy, *rest: object) -> Chat:
        loads.append(backend.alpha)
        return Chat(stream, alpha=backend.alpha)

    monkeypatch.setattr(backends, "loaded", load)
    trio = Proxy(base="a", expert="b", anti_expert="c", alpha=0.5)
    for alpha in (0.5, 2.0, 1.0):
        wording = worded(trio.model_copy(update={"alpha": alpha}))
        assert wording.prepare(10.0) == ""
        assert list(wording.respond(trial.as_brief(CALM)))
    assert loads == [1.0]
    assert strengths[1] == 4 * strengths[0] == 2 * strengths[2]
