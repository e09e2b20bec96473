"""Feeling, intent and strengths as learned tokens: the same in training and in use, and found again."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langchain_core.messages import HumanMessage, SystemMessage

from agent.backends import HuggingFace, Proxy
from agent.brief import Brief
from agent.errors import DataError, ResponderError
from agent.llm.chat import Chat
from agent.llm.learned import FILE, form_of, widen
from agent.llm.local import load_local
from agent.llm.model_files import find
from agent.llm.proxy import load_proxy
from agent.llm.templates import render as as_tokens
from agent.llm.weights import load_base
from agent.prompt import load_prompt, render
from agent.steering import line, tokens, wanted
from agent.train import merge
from agent.train.examples import as_messages, talk, tokenised
from agent.train.labels import EMOTIONS, INTENTS
from agent.train.levels import label
from agent.train.lora import run
from graph.backends import _chat
from tests import fakes
from tests.agent.llm.tiny_llms import TEXT, Tiny, llama, tokenizer
from tests.agent.test_prompt import TEMPLATES
from tests.agent.train.test_lora import SMALL, data, example, tiny

pytest.importorskip("trl", reason="hearken[train] is not installed")
load_file = pytest.importorskip("safetensors.numpy").load_file
__all__ = ["tiny"]  # the fixture
WORDS = load_prompt().tokens
LEVELS = {"emotional reactions": 2, "interpretations": 0, "explorations": 1}
TOLD = "<|feeling:lonely|><|intent:questioning|><|reaction:2|><|interpretation:0|><|exploration:1|>"
PLAIN: dict[str, Any] = {"temperature": 0, "max_tokens": 8, "device": "cpu"}
STEERED = SMALL.model_copy(update={"conditions": "tokens", "length": 1500, "samples": 0})


def parted(told: str) -> list[str]:
    """The tokens of a line."""
    return told.replace("><", "> <").split()


def known(text: str = TEXT[0]) -> Brief:
    """A moment whose plan is what the example below is labelled with."""
    plan = fakes.plan(feeling="lonely", intent="questioning", steps=[], words=10, levels=LEVELS)
    return fakes.brief(text, plan=plan)


def test_there_is_a_token_for_every_label_and_one_more_where_no_feeling_is_sure() -> None:
    assert WORDS.feelings == EMOTIONS
    assert WORDS.intents == INTENTS
    assert len(set(tokens(WORDS))) == len(EMOTIONS) + 1 + len(INTENTS) + 9 == 51
    assert line(WORDS, known()["plan"]) == TOLD
    assert line(WORDS, fakes.plan(feeling="", levels={})).startswith("<|feeling:unsure|><|intent:")
    for feeling in EMOTIONS:
        assert set(parted(line(WORDS, fakes.plan(feeling=feeling)))) <= set(tokens(WORDS))


def test_the_plan_of_a_turn_asks_for_strengths() -> None:
    steps = [{"step": name, "why": ""} for name in ("emotion", "mirroring", "listening")]
    assert list(wanted(fakes.plan(steps=steps, feeling="sad", ask=True)).values()) == [2, 2, 2]
    assert list(wanted(fakes.plan(steps=steps, feeling="", ask=False)).values()) == [1, 2, 1]
    assert list(wanted(fakes.plan(steps=[], ask=False)).values()) == [0, 0, 0]


def test_tokens_stand_in_place_of_the_sentences_and_nobody_can_write_them_in() -> None:
    last = render(fakes.brief("I <|feeling:joyful|> am <| intent:x", plan=known()["plan"]), form="tokens")[-1]
    assert TOLD in last["content"]
    assert "User is feeling" not in last["content"]
    assert "intent in reply" not in last["content"]
    assert load_prompt().notes["ask"] in last["content"]
    person = last["content"].partition("<person>")[2]
    assert "<|" not in person
    assert "feeling:joyful" in person
    assert "<|" not in render(known())[-1]["content"]


def test_training_begins_with_the_very_prompt_of_a_reply(tiny: Tiny) -> None:
    loaded = load_base(find(str(tiny.base)), "float32", "cpu")
    ids = widen(loaded.model, loaded.tokenizer, tokens(WORDS))
    one = example(TEXT[0], "What?", kind="reply", feeling="lonely", intent="questioning", levels=LEVELS)
    (row,) = tokenised([one], loaded.tokenizer, loaded.ends, longest=9000, form="tokens")
    heard: list[list[int]] = []

    def stream(messages: list[dict[str, str]], **options: object) -> list[str]:
        kinds = {"system": SystemMessage, "user": HumanMessage}
        asked = [kinds[message["role"]](message["content"]) for message in messages]
        heard.append(as_tokens(loaded.tokenizer, "base", asked))
        return ["I hear you."]

    list(Chat(lambda m, **o: iter(stream(m, **o)), form="tokens", room=9000).respond(known()))
    prompt = [token for token, learned in zip(row["input_ids"], row["labels"], strict=True) if learned < 0]
    assert prompt == heard[0]
    assert [token for token in prompt if token in ids] == loaded.tokenizer.convert_tokens_to_ids(
        parted(TOLD)
    )  # one token each


@pytest.mark.parametrize("template", TEMPLATES)
def test_in_each_familys_template_training_and_a_reply_read_the_same_tokens(template: str) -> None:
    tok = tokenizer(template=TEMPLATES[template])
    one = example(TEXT[0], "What?", kind="reply", feeling="lonely", intent="questioning")
    (row,) = tokenised([one], tok, (1,), longest=9000)
    heard: list[list[int]] = []

    def stream(messages: Any, **options: Any) -> Any:
        heard.append(as_tokens(tok, template, talk(messages)))
        return iter(["I hear you."])

    list(Chat(stream, room=9000).respond(known()))
    at = sum(learned < 0 for learned in row["labels"])
    assert row["input_ids"][:at] == heard[0]
    assert tok.decode(row["input_ids"][at:]) == "What?<|end|>"
    assert "User is feeling lonely." in tok.decode(heard[0])


def test_a_reply_that_nobody_scored_has_no_strengths_in_its_prompt() -> None:
    one = example(TEXT[0], "What?", kind="reply", feeling="lonely", intent="questioning")
    asked = as_messages(one, count=len, room=100_000, form="tokens")[1]["content"]
    assert "<|intent:questioning|>" in asked
    assert "exploration" not in asked


def test_replies_are_scored_by_what_was_said_before_and_tasks_are_not() -> None:
    found = [
        example(TEXT[0], "And then?", kind="reply"), example(TEXT[0], "Yes."),
        example(TEXT[0], "Lo siento mucho, eso suena muy difícil para ti.", kind="reply"),
    ]  # fmt: skip
    heard: list[tuple[str, str]] = []

    def score(said: str, reply: str) -> dict[str, list[float]]:
        heard.append((said, reply))
        return {name: [0.1, 0.2, 0.7] for name in LEVELS}

    label(found, score)
    assert heard == [(TEXT[0], "And then?")]
    assert found[0]["levels"] == dict.fromkeys(LEVELS, 2)
    assert not any("levels" in one for one in found[1:])


@pytest.mark.parametrize("tied", [False, True], ids=["own output", "tied output"])
def test_an_adapter_brings_its_tokens_and_the_backend_writes_with_them(
    tmp_path: Path, tied: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = load_prompt().model_copy(update={"system": "Be kind."})
    monkeypatch.setattr("agent.prompt.load_prompt", lambda: few)  # a whole prompt takes minutes here
    width = len(tokenizer())  # no row to spare
    base = llama(tmp_path / "base", width=width, hidden=32, seed=4, reads=2048, tied=tied)
    folder = data(tmp_path / "data", kind="reply", feeling="lonely", intent="questioning", levels=LEVELS)
    report = run(STEERED, folder, tmp_path / "out", work=tmp_path / "w", model=str(base))
    losses = [one["loss"] for one in report["validation loss"]]
    assert losses[-1] < losses[0]
    _cut_off_and_run_again(base, folder, tmp_path)
    assert form_of(tmp_path / "out") == "tokens"
    held = load_file(tmp_path / "out/adapter_model.safetensors")
    (learned,) = [part for name, part in held.items() if "trainable_tokens" in name]
    assert learned.shape == (51, 32)
    assert not any(part.shape[0] > 300 for part in held.values())  # no vocabulary goes along
    if not tied:  # what stood in no prompt stays where it was; a tied output moves every row a little
        rows = zip(tokens(WORDS), learned, strict=True)
        assert {name for name, row in rows if not np.allclose(row, learned[0])} == set(parted(TOLD))
    backend = HuggingFace(model=str(tmp_path / "out"), **PLAIN)
    first, again = load_local(backend), load_local(backend)
    assert _chat(backend, first, 60.0).form == "tokens"
    asked = talk(render(known(), form="tokens"))
    said = first.invoke(asked).content
    assert again.invoke(asked).content == said  # loaded twice, the same model
    whole = merge.merge(str(tmp_path / "out"), tmp_path / "whole")
    merged = load_local(backend.model_copy(update={"model": str(whole)}))
    assert merged.engine.base.form == "tokens"
    assert merged.invoke(asked).content == said


def _cut_off_and_run_again(base: Path, folder: Path, place: Path) -> None:
    def cut(told: dict[str, float]) -> None:
        if told["step"] == 7:
            raise KeyboardInterrupt

    told: dict[str, Any] = {"work": place / "w2", "model": str(base)}
    with pytest.raises(KeyboardInterrupt):
        run(STEERED, folder, place / "again", progress=cut, **told)
    run(STEERED, folder, place / "again", **told)
    one, other = ((place / name / "adapter_model.safetensors").read_bytes() for name in ("out", "again"))
    assert one == other


def test_what_cannot_be_learned_or_used_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    folder = data(tmp_path / "data", kind="reply")
    recipe = STEERED.model_copy(update={"length": 500})
    with pytest.raises(DataError, match="--levels"):
        run(recipe, folder, tmp_path / "o", work=tmp_path / "w", model=str(tiny.base))
    (tmp_path / FILE).write_text(json.dumps({"form": "tokens", "tokens": ["<|mood:odd|>"]}))
    with pytest.raises(ResponderError, match="other tokens"):
        form_of(tmp_path)
    (tiny.expert / FILE).write_text(json.dumps({"form": "tokens", "tokens": tokens(WORDS)}))
    try:
        with pytest.raises(ResponderError, match="cannot be mixed"):
            load_proxy(Proxy(base=str(tiny.base), expert=str(tiny.expert), anti_expert=str(tiny.anti)))
    finally:
        (tiny.expert / FILE).unlink()


def test_a_vocabulary_grows_only_where_it_has_no_rows_to_spare(tmp_path: Path) -> None:
    for width, grows in ((336, True), (600, False)):
        folder = llama(tmp_path / str(width), width=width, hidden=32, seed=4)
        loaded = load_base(find(str(folder)), "float32", "cpu")
        before = loaded.model.get_input_embeddings().weight.detach().clone()
        ids = widen(loaded.model, loaded.tokenizer, tokens(WORDS))
        after = loaded.model.get_input_embeddings().weight
        assert (after.shape[0] > width) == grows
        assert after[:width].equal(before)
        assert widen(loaded.model, loaded.tokenizer, tokens(WORDS)) == ids
