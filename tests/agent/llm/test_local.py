"""A local model as a chat model: what it reads, what it says, when it stops, and what it refuses."""

import asyncio
import json
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.backends import HuggingFace
from agent.errors import ResponderError
from agent.llm.local import LocalChat, load_local
from agent.llm.model_files import find, needed
from agent.llm.speech import Speech
from agent.llm.templates import render, turns
from agent.llm.tracks import HOLE, Caches, Track, _shared
from agent.llm.weights import choose_numbers, choose_place, free_memory
from tests.agent.llm.tiny_llms import (
    TEXT,
    Tiny,
    adapter,
    llama,
    tiny_llms,
    tokenizer,
    torch,
    transformers,
)

TALK: list[BaseMessage] = [SystemMessage("Listen."), HumanMessage(TEXT[0])]
LONGER: list[BaseMessage] = [*TALK, AIMessage(TEXT[1]), HumanMessage(TEXT[2])]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny_llms(tmp_path_factory.getbasetemp() / "llms")


def _load(folder: Path, **options: Any) -> LocalChat:
    plain = {"temperature": 0, "repetition_penalty": 1, "max_tokens": 16, "device": "cpu"}
    return load_local(HuggingFace(model=str(folder), **{**plain, **options}))


@pytest.fixture(scope="module")
def loaded(tiny: Tiny) -> LocalChat:
    return _load(tiny.base)


@pytest.fixture
def chat(loaded: LocalChat) -> Iterator[LocalChat]:
    loaded.engine.caches.clear()
    yield loaded
    loaded.engine.caches.clear()


@pytest.fixture(scope="module")
def plain(tiny: Tiny) -> Callable[..., str]:
    """What transformers itself makes of the same prompt."""
    model = transformers.AutoModelForCausalLM.from_pretrained(tiny.base).eval()
    tok = transformers.AutoTokenizer.from_pretrained(tiny.base)

    def write(talk: list[BaseMessage], count: int = 16) -> str:
        ids = tok.apply_chat_template(turns(talk), add_generation_prompt=True, return_tensors="pt")
        said = model.generate(**ids, max_new_tokens=count, do_sample=False, pad_token_id=0)[0]
        return str(tok.decode(said[ids["input_ids"].shape[1] :], skip_special_tokens=True))

    return write


def test_it_says_what_the_model_says_and_nothing_of_the_prompt(
    chat: LocalChat, plain: Callable[..., str]
) -> None:
    reply = chat.invoke(TALK)
    assert reply.text == plain(TALK)
    assert TEXT[0] not in reply.text
    assert isinstance(reply, AIMessage)
    assert reply.response_metadata["finish_reason"] == "length"
    assert reply.usage_metadata is not None
    assert reply.usage_metadata["output_tokens"] == 16
    assert reply.usage_metadata["input_tokens"] == chat.get_num_tokens_from_messages(TALK)


def test_streamed_is_what_would_come_at_once(chat: LocalChat) -> None:
    chunks = list(chat.stream(TALK))
    assert "".join(chunk.text for chunk in chunks) == chat.invoke(TALK).text
    assert len([chunk for chunk in chunks if chunk.text]) > 5

    async def later() -> str:
        return "".join([chunk.text async for chunk in chat.astream(TALK)])

    assert asyncio.run(later()) == chat.invoke(TALK).text


def test_it_says_what_langchain_huggingface_says(chat: LocalChat) -> None:
    bridge = pytest.importorskip("langchain_huggingface", reason="hearken[local] is not installed")
    base = chat.engine.base
    pipeline = transformers.pipeline(
        "text-generation",
        model=base.model,
        tokenizer=base.tokenizer,
        return_full_text=False,
        generation_config=transformers.GenerationConfig(max_new_tokens=16, do_sample=False, pad_token_id=0),
    )
    theirs = bridge.ChatHuggingFace(
        llm=bridge.HuggingFacePipeline(pipeline=pipeline), tokenizer=base.tokenizer
    )
    assert theirs.invoke(TALK).text == chat.invoke(TALK).text


def test_two_at_once_wait_for_each_other_and_say_the_same(chat: LocalChat) -> None:
    def said(seed: int) -> str:
        return "".join(chunk.text for chunk in chat.stream(TALK, temperature=1.0, seed=seed))

    alone = [said(seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(said, range(4))) == alone
    with ThreadPoolExecutor(1) as pool:
        long = chat.stream(TALK, max_tokens=100)
        next(long)
        with pytest.raises(ResponderError, match="busy with another reply"):
            pool.submit(chat.invoke, TALK, seconds=0.01).result()
        long.close()  # type: ignore[attr-defined]


def test_a_call_may_ask_for_something_else(chat: LocalChat) -> None:
    sampled = {"temperature": 1.0, "top_p": 0.95}
    one, same, other = (chat.invoke(TALK, seed=seed, **sampled).text for seed in (1, 1, 2))
    assert one == same != other
    assert len(chat.write_all([TALK], max_tokens=3)[0].tokens) == 3
    assert chat.invoke(TALK, alpha=2.0, unknown=True).text == chat.invoke(TALK).text
    before = torch.random.get_rng_state()
    chat.invoke(TALK, seed=3, **sampled)
    assert torch.equal(before, torch.random.get_rng_state())


def test_repeating_itself_costs_and_the_persons_words_do_not(chat: LocalChat) -> None:
    free, held = (chat.write_all([TALK], repetition_penalty=p, max_tokens=60)[0].tokens for p in (1.0, 1.8))
    assert len(set(held)) > len(set(free))
    talks = [[HumanMessage(text)] for text in TEXT]
    firsts = [[w.tokens for w in chat.write_all(talks, repetition_penalty=p, max_tokens=1)] for p in (1, 2)]
    assert firsts[0] == firsts[1]


def test_a_stop_string_is_never_seen(chat: LocalChat) -> None:
    whole = chat.invoke(TALK).text
    stop = whole[6:9]
    cut = whole[: whole.index(stop)]
    written = chat.write_all([TALK], stop=[stop, "no such thing"])[0]
    assert (written.text, written.finish) == (cut, "stop")
    pieces = [chunk.text for chunk in chat.stream(TALK, stop=[stop])]
    assert "".join(pieces) == cut
    assert len(written.tokens) < 16


def test_text_comes_in_whole_characters_and_holds_back_what_may_be_a_stop() -> None:
    tok = tokenizer()
    text = "So naïve 🙂 of\nUs"
    ids = tok(text, add_special_tokens=False)["input_ids"]
    speech = Speech(tok, ["\nUser:"])
    pieces = [speech.add(token) for token in ids]
    assert "\ufffd" not in "".join(pieces)
    assert not any("\n" in piece for piece in pieces)
    assert "".join(pieces) + speech.end() == speech.text == text
    stopped = Speech(tok, ["\nUser:"])
    said = [stopped.add(token) for token in tok(text + "er: more", add_special_tokens=False)["input_ids"]]
    assert "".join(said) == stopped.text == "So naïve 🙂 of"
    assert stopped.stopped
    assert stopped.end() == ""


def test_the_deadline_cuts_a_reply_and_refuses_one_not_begun(chat: LocalChat) -> None:
    chat.invoke(TALK)
    written = chat.write_all([TALK], max_tokens=400, seconds=0.3)[0]
    assert written.finish == "time"
    assert 0 < len(written.tokens) < 400
    with pytest.raises(ResponderError, match="allow more seconds"):
        chat.invoke(TALK, seconds=0.0)


def test_who_leaves_waits_for_a_token_not_for_the_reply(chat: LocalChat) -> None:
    stream = chat.stream(TALK, max_tokens=450)
    next(stream)
    started = time.monotonic()
    stream.close()  # type: ignore[attr-defined]
    left = time.monotonic() - started
    (track,) = chat.engine.caches._kept
    assert track.length < len(render(chat.engine.base.tokenizer, "base", TALK)) + 200, left
    assert chat.invoke(TALK).text


def test_the_next_turn_reads_only_what_is_new(chat: LocalChat, plain: Callable[..., str]) -> None:
    said = chat.invoke(TALK).text
    assert chat.invoke(LONGER).text == plain(LONGER)
    prompt = len(render(chat.engine.base.tokenizer, "base", TALK))
    assert chat.engine.caches.reused >= prompt - 1
    # back to an earlier state of the conversation, and a second conversation in between
    assert chat.invoke(TALK).text == said
    assert chat.invoke([HumanMessage(TEXT[3])]).text == plain([HumanMessage(TEXT[3])])
    assert chat.invoke(LONGER).text == plain(LONGER)
    for number in range(6):
        chat.invoke([HumanMessage(f"{number} {TEXT[3]}")], max_tokens=1)
    assert len(chat.engine.caches._kept) == Caches().most


def test_a_short_common_beginning_is_copied_not_taken(chat: LocalChat) -> None:
    chat.invoke(LONGER)
    chat.invoke([TALK[0], HumanMessage(TEXT[4] + " " + TEXT[5])])
    assert 0 < chat.engine.caches.reused < 10
    chat.invoke(LONGER)
    assert chat.engine.caches.reused == len(render(chat.engine.base.tokenizer, "base", LONGER)) - 1


def test_rows_of_unequal_length_keep_their_common_columns() -> None:
    kept = [[1, 2, 3, 4], [HOLE, 1, 2, 9]]
    assert _shared(kept, [[1, 2, 3, 5, 6], [1, 2, 9, 9]]) == (3, [3, 2])
    assert _shared(kept, [[1, 2, 3, 4], [1, 2, 9]]) == (3, [3, 2])  # something is left to read in each
    assert _shared(kept, [[1, 2, 3, 4]]) == (0, [0])
    assert Track(kept, None).holes


def test_a_batch_says_what_each_would_say_alone(chat: LocalChat) -> None:
    talks = [TALK, LONGER, [HumanMessage(TEXT[4])]]
    together = chat.write_all(talks, repetition_penalty=1.3, stop=["xx"])
    alone = [chat.write_all([talk], repetition_penalty=1.3, stop=["xx"])[0] for talk in talks]
    assert [w.text for w in together] == [w.text for w in alone]


def test_a_conversation_longer_than_the_model_reads_is_refused(chat: LocalChat) -> None:
    with pytest.raises(ResponderError, match="reads 512 tokens and was given"):
        chat.invoke([HumanMessage(TEXT[0] * 60)])
    near = [HumanMessage("a " * 240)]
    assert len(chat.write_all([near], max_tokens=500)[0].tokens) <= 512


def test_an_adapter_speaks_as_the_model_it_was_merged_into(tiny: Tiny) -> None:
    tuned, whole = _load(tiny.expert), _load(tiny.whole)
    message = [HumanMessage(TEXT[0] + " What would you say?")]
    assert tuned.invoke([HumanMessage(TEXT[0])]).text == whole.invoke(message).text  # it brings its template
    assert whole.invoke(message).text != _load(tiny.anti).invoke(message).text


def test_a_base_beside_the_adapter_is_found_from_anywhere(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(tiny.anti, tmp_path / "small")
    shutil.copytree(tiny.expert, tmp_path / "tuned")
    config = tmp_path / "tuned" / "adapter_config.json"
    told = json.loads(config.read_text("utf-8"))
    config.write_text(json.dumps({**told, "base_model_name_or_path": "../small"}), "utf-8")
    monkeypatch.chdir("/")
    assert find(str(tmp_path / "tuned")).folder == tmp_path / "small"
    config.write_text(json.dumps({**told, "base_model_name_or_path": "/gone/away"}), "utf-8")
    with pytest.raises(ResponderError, match=r"was made for /gone/away"):
        find(str(tmp_path / "tuned"))


def test_what_ends_a_turn_is_read_from_the_template(tmp_path: Path) -> None:
    tok = tokenizer()
    tok.eos_token = tok.pad_token
    tok.chat_template = tok.chat_template.replace("<|end|>", "<|system|>")
    chat = _load(llama(tmp_path / "m", width=336, hidden=32, seed=1, tok=tok))
    assert set(chat.engine.base.ends) == {0, 1, 2}


def test_loading_tells_how_far_it_is(tiny: Tiny, capsys: pytest.CaptureFixture[str]) -> None:
    told: list[tuple[str, float]] = []
    capsys.readouterr()
    load_local(HuggingFace(model=str(tiny.anti)), lambda stage, share: told.append((stage, share)))
    loading = [share for stage, share in told if stage == f"loading {tiny.anti}"]
    assert loading == sorted(loading)
    assert loading[-1] == 1.0
    assert told[-1] == (f"warming {tiny.anti}", 1.0)
    assert capsys.readouterr().err == ""


def test_memory_is_judged_before_weights_are_read(tiny: Tiny) -> None:
    files = find(str(tiny.base))
    stored = sum(f.stat().st_size for f in tiny.base.glob("*.safetensors"))
    keys = 2 * 2 * 2 * 16 * 512 * 4
    assert needed(files, "float32") == pytest.approx(stored + keys, rel=0.05)
    assert needed(files, "bfloat16") == pytest.approx(needed(files, "float32") / 2, rel=0.01)
    assert needed(files, "4bit") < needed(files, "bfloat16")
    with pytest.raises(ResponderError, match=r"0.0 GB free. Choose a smaller model") as refused:
        load_local(HuggingFace(model=str(tiny.base)), free=lambda place: 1000)
    assert "\n" not in str(refused.value)
    assert free_memory("cpu") > 0


def test_numbers_fit_what_is_stored_and_what_is_free(tiny: Tiny) -> None:
    files = [find(str(tiny.base))]
    assert choose_numbers("auto", "cpu", files, 10**12) == "float32"
    assert choose_numbers("auto", "cpu", files, 1000) == "bfloat16"
    assert choose_numbers("float16", "cpu", files, 10**12) == "float16"
    with pytest.raises(ResponderError, match="4bit needs an NVIDIA GPU and bitsandbytes"):
        choose_numbers("4bit", "cpu", files, 10**12)
    assert choose_place("cpu") == "cpu"
    if not torch.cuda.is_available():
        with pytest.raises(ResponderError, match="no cuda device"):
            choose_place("cuda")
    assert _load(tiny.anti, dtype="bfloat16").invoke(TALK).text


def _spoiled(tiny: Tiny, folder: Path, spoil: Callable[[Path], object]) -> Path:
    shutil.copytree(tiny.base, folder)
    spoil(folder)
    return folder


def _without_a_layer(folder: Path) -> None:
    from safetensors.torch import load_file, save_file

    held = load_file(folder / "model.safetensors")
    del held["model.layers.1.mlp.up_proj.weight"]
    save_file(held, folder / "model.safetensors", metadata={"format": "pt"})


def _as_pickle(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_without_a_layer, "lacks weights"),
        (_as_pickle, "other formats can run code"),
        (lambda f: (f / "model.safetensors").write_bytes(b"\xff" * 64), "is damaged"),
        (
            lambda f: (f / "config.json").write_text('{"model_type": "unheard-of"}', "utf-8"),
            "cannot be loaded",
        ),
        (lambda f: (f / "config.json").write_text("{", "utf-8"), "cannot be read"),
        (lambda f: (f / "config.json").unlink(), "holds no config.json"),
        (lambda f: (f / "chat_template.jinja").unlink(), "has no chat template"),
        (
            lambda f: (f / "chat_template.jinja").write_text("{% for m in", "utf-8"),
            "does not take this conversation",
        ),
    ],
)
def test_a_spoiled_folder_is_told_in_one_sentence(
    spoil: Callable[[Path], object], told: str, tiny: Tiny, tmp_path: Path
) -> None:
    with pytest.raises(ResponderError, match=told) as refused:
        _load(_spoiled(tiny, tmp_path / "spoiled", spoil))
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("./nowhere", "is not a folder"),
        ("/no/such/model", "is not a folder"),
        ("someone/absent-model", "is not on this machine and the hub is switched off"),
        ("not an id!", "neither a folder nor a hub id"),
    ],
)
def test_what_is_not_there_is_told_with_the_way_out(name: str, told: str) -> None:
    with pytest.raises(ResponderError, match=told):
        load_local(HuggingFace(model=name))


def test_a_hub_id_is_taken_from_the_cache(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub

    kept = tmp_path / "models--someone--tiny"
    shutil.copytree(tiny.base, kept / "snapshots" / "abc")
    (kept / "refs").mkdir()
    (kept / "refs" / "main").write_text("abc", "ascii")
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    assert find("someone/tiny").folder == kept / "snapshots" / "abc"
    assert load_local(HuggingFace(model="someone/tiny")).name_of_model == "someone/tiny"


def test_what_lies_beside_a_models_weights_is_not_counted(tiny: Tiny, tmp_path: Path) -> None:
    shutil.copytree(tiny.base, tmp_path / "m")
    wanted = needed(find(str(tmp_path / "m")), "float32")
    shutil.copy(tiny.base / "model.safetensors", tmp_path / "m" / "consolidated.safetensors")
    assert needed(find(str(tmp_path / "m")), "float32") == wanted


def test_a_download_that_broke_off_is_gone_on_with(
    tiny: Tiny, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import huggingface_hub as hub

    half, fetched = tmp_path / "half", list[dict[str, Any]]()
    shutil.copytree(tiny.base, half)
    names = {"a": "model-1.safetensors", "b": "model-2.safetensors"}
    (half / "model.safetensors").rename(half / names["a"])
    (half / "model.safetensors.index.json").write_text(json.dumps({"weight_map": names}), "utf-8")

    def snapshot(name: str, **how: Any) -> str:
        fetched.append(how)
        if not how.get("local_files_only"):
            shutil.copy(half / names["a"], half / names["b"])
        return str(half)

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    with pytest.raises(ResponderError, match="unset HF_HUB_OFFLINE"):
        find("someone/half")
    monkeypatch.setattr(hub.constants, "HF_HUB_OFFLINE", False)
    assert find("someone/half").folder == half
    find("someone/half")
    assert [bool(how.get("local_files_only")) for how in fetched] == [True, True, False, True]
    assert all("consolidated*" in how["ignore_patterns"] for how in fetched)


def test_files_that_were_read_are_no_memory_that_is_gone(tmp_path: Path) -> None:
    plenty = free_memory("cpu", tmp_path)
    (tmp_path / "memory.max").write_text("5000000\n", "ascii")
    (tmp_path / "memory.current").write_text("4000000\n", "ascii")
    assert plenty > free_memory("cpu", tmp_path) == 1_000_000
    (tmp_path / "memory.stat").write_text("anon 100\ninactive_file 2000000\nactive_file 500000\n", "ascii")
    assert free_memory("cpu", tmp_path) == 3_500_000
    (tmp_path / "memory.max").write_text("max\n", "ascii")
    assert free_memory("cpu", tmp_path) > 5_000_000


def test_a_missing_extra_is_told(tiny: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ResponderError, match=r"needs peft: pip install 'hearken\[local\]'"):
        load_local(HuggingFace(model=str(tiny.base)))


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_whose_base_has_changed_is_refused(tmp_path: Path) -> None:
    on = llama(tmp_path / "small", width=336, hidden=32, seed=9)
    tuned = adapter(tmp_path / "tuned", on)
    llama(on, width=336, hidden=64, seed=9)
    with pytest.raises(ResponderError, match="it was made for another model"):
        _load(tuned)
