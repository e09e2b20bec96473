"""Proxy tuning against the plain loop that runs three models on the whole text for every token."""

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, SystemMessage

from agent.backends import Proxy
from agent.errors import ResponderError
from agent.llm.local import LocalChat
from agent.llm.opinions import ProxyLogits
from agent.llm.proxy import ensemble, known_to_all, load_proxy
from agent.llm.proxy_study import losses_at, self_check, trace
from agent.llm.templates import render
from agent.llm.tracks import Caches
from tests.agent.llm.tiny_llms import (
    NO_SYSTEM,
    TEXT,
    Tiny,
    adapter,
    llama,
    peft,
    tiny_llms,
    tokenizer,
    torch,
    transformers,
)

TALK: list[BaseMessage] = [SystemMessage("Listen."), HumanMessage(TEXT[0])]
LONGER: list[BaseMessage] = [*TALK, AIMessage(TEXT[1]), HumanMessage(TEXT[2])]
OTHER: list[BaseMessage] = [SystemMessage("Listen."), HumanMessage(TEXT[5] + " " + TEXT[2])]


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny_llms(tmp_path_factory.getbasetemp() / "llms")


def _load(tiny: Tiny, expert: Path, anti: Path, **options: Any) -> LocalChat:
    plain = {"temperature": 0, "repetition_penalty": 1, "max_tokens": 12, "device": "cpu"}
    named = {"base": str(tiny.base), "expert": str(expert), "anti_expert": str(anti)}
    return load_proxy(Proxy(**{**plain, **named, **options}))


@pytest.fixture(scope="module")
def shared(tiny: Tiny) -> LocalChat:
    return _load(tiny, tiny.expert, tiny.anti)


@pytest.fixture(scope="module")
def three(tiny: Tiny) -> LocalChat:
    return _load(tiny, tiny.whole, tiny.anti)


def _cleared(chat: LocalChat) -> LocalChat:
    for caches in (chat.engine.caches, *(reader.caches for reader in chat.engine.readers)):
        caches.clear()
    return chat


@pytest.fixture(autouse=True)
def _fresh(request: pytest.FixtureRequest) -> Iterator[None]:
    """No test goes on from what another has read."""
    yield
    for name in {"shared", "three"}.intersection(request.fixturenames):
        _cleared(request.getfixturevalue(name))


class Naive:
    """Three models, no cache, one text at a time; the samplers are transformers' own."""

    def __init__(self, base: Path, expert: Path, anti: Path) -> None:
        load = transformers.AutoModelForCausalLM.from_pretrained
        self.models = [load(folder).eval() for folder in (base, expert, anti)]
        self.tok = transformers.AutoTokenizer.from_pretrained(base)

    @torch.no_grad()
    def write(
        self,
        talk: Sequence[BaseMessage],
        weights: tuple[float, float, float],
        *,
        count: int = 12,
        temperature: float = 0.0,
        top_p: float = 1.0,
        penalty: float = 1.0,
        seed: int = 0,
        prompts: Sequence[list[int]] | None = None,
    ) -> list[int]:
        starts = prompts or [render(self.tok, "base", talk)] * 3
        processors = transformers.LogitsProcessorList()
        if penalty != 1:
            processors.append(
                transformers.RepetitionPenaltyLogitsProcessor(penalty, prompt_ignore_length=len(starts[0]))
            )
        if temperature:
            processors.append(transformers.TemperatureLogitsWarper(temperature))
        if top_p < 1:
            processors.append(transformers.TopPLogitsWarper(top_p))
        torch.manual_seed(seed)
        said: list[int] = []
        while len(said) < count and (not said or said[-1] != 1):
            texts = [torch.tensor([[*start, *said]]) for start in starts]
            logits = [m(text).logits[:, -1, :330] for m, text in zip(self.models, texts, strict=True)]
            mixed = processors(texts[0], sum(w * x for w, x in zip(weights, logits, strict=True)))
            chosen = torch.multinomial(mixed.softmax(-1), 1) if temperature else mixed.argmax(-1)
            said.append(int(chosen))
        return said


@pytest.fixture(scope="module")
def naive(tiny: Tiny) -> Naive:
    return Naive(tiny.base, tiny.whole, tiny.anti)


def _tokens(chat: LocalChat, talk: Sequence[BaseMessage], **options: Any) -> list[int]:
    return list(chat.write_all([talk], **options)[0].tokens)


SAMPLED = {"temperature": 0.8, "top_p": 0.9, "seed": 11}


@pytest.mark.parametrize(
    ("form", "alpha"), [("shared", 0), ("shared", 0.5), ("shared", 1), ("shared", 3), ("three", 1)]
)
def test_token_for_token_as_the_plain_loop(
    form: str, alpha: float, naive: Naive, request: pytest.FixtureRequest
) -> None:
    chat = request.getfixturevalue(form)
    weights = (1.0, alpha, -alpha)
    assert _tokens(chat, TALK, alpha=alpha) == naive.write(TALK, weights)
    assert _tokens(chat, TALK, alpha=alpha, **SAMPLED) == naive.write(TALK, weights, **SAMPLED)


def test_alpha_matters_and_penalty_comes_after_the_mixture(shared: LocalChat, naive: Naive) -> None:
    assert len({tuple(_tokens(shared, TALK, alpha=a)) for a in (0, 1, 3)}) == 3
    expected = naive.write(TALK, (1, 3, -3), penalty=1.9, count=40)
    assert _tokens(shared, TALK, alpha=3, repetition_penalty=1.9, max_tokens=40) == expected


def test_one_small_model_for_both_is_as_good_as_two(tiny: Tiny, shared: LocalChat) -> None:
    (reader,) = shared.engine.readers
    expert, anti = (
        transformers.AutoModelForCausalLM.from_pretrained(f).eval() for f in (tiny.whole, tiny.anti)
    )
    ids = torch.tensor([render(shared.engine.base.tokenizer, "base", LONGER)])
    with torch.no_grad():
        both = reader.loaded.model(input_ids=ids.repeat(2, 1)).logits
        assert torch.allclose(both[:1], expert(ids).logits, atol=1e-4)
        assert torch.allclose(both[1:], anti(ids).logits, atol=1e-4)
        assert not torch.allclose(both[:1], both[1:], atol=0.1)


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_rows_are_split_as_peft_mixes_them(tiny: Tiny, shared: LocalChat) -> None:
    load = transformers.AutoModelForCausalLM.from_pretrained
    mixing = peft.PeftModel.from_pretrained(load(tiny.anti), tiny.expert).eval()
    ids = torch.randint(0, 330, (6, 12))
    names = ["default"] * 3 + ["__base__"] * 3
    with torch.no_grad():
        expected = mixing(input_ids=ids, adapter_names=names).logits
        (reader,) = shared.engine.readers
        assert torch.allclose(reader.loaded.model(input_ids=ids).logits, expected, atol=1e-4)


@pytest.mark.parametrize("form", ["shared", "three"])
def test_the_next_turn_reads_only_what_is_new(form: str, request: pytest.FixtureRequest) -> None:
    chat = request.getfixturevalue(form)
    fresh = _tokens(chat, LONGER)
    _tokens(_cleared(chat), TALK)
    assert _tokens(chat, LONGER) == fresh
    prompt = len(render(chat.engine.base.tokenizer, "base", TALK))
    for caches in (chat.engine.caches, *(reader.caches for reader in chat.engine.readers)):
        assert caches.reused >= prompt - 1
    _tokens(chat, OTHER, alpha=0)  # only the base reads this
    assert _tokens(chat, [*OTHER, AIMessage("So"), HumanMessage(TEXT[3])]) == _tokens(
        _cleared(chat), [*OTHER, AIMessage("So"), HumanMessage(TEXT[3])]
    )


@pytest.mark.parametrize("form", ["shared", "three"])
def test_a_batch_says_what_each_would_say_alone(form: str, request: pytest.FixtureRequest) -> None:
    chat = request.getfixturevalue(form)
    together = chat.write_all([TALK, OTHER, LONGER], repetition_penalty=1.2)
    assert [list(w.tokens) for w in together] == [
        _tokens(chat, talk, repetition_penalty=1.2) for talk in (TALK, OTHER, LONGER)
    ]


def test_streamed_is_what_would_come_at_once(shared: LocalChat) -> None:
    pieces = [chunk.text for chunk in shared.stream(TALK, **SAMPLED)]
    assert "".join(pieces) == shared.invoke(TALK, **SAMPLED).text
    assert len(pieces) > 5


def test_each_in_its_own_template(tiny: Tiny, naive: Naive) -> None:
    chat = _load(tiny, tiny.expert, tiny.anti, own_templates=True)
    own = transformers.AutoTokenizer.from_pretrained(tiny.expert)
    for talk in (TALK, LONGER):  # the second goes on from rows of unequal length
        theirs, ours = render(own, "expert", talk), render(naive.tok, "base", talk)
        assert len(theirs) > len(ours)
        expected = naive.write(talk, (1, 1, -1), prompts=[ours, theirs, ours])
        assert _tokens(chat, talk) == expected != naive.write(talk, (1, 1, -1))
    assert chat.engine.readers[0].caches.reused > 0


def test_the_twin_as_base_is_an_ensemble_of_two(tiny: Tiny) -> None:
    config = ensemble(str(tiny.base), str(tiny.whole), (1, 3), temperature=0, repetition_penalty=1)
    chat = load_proxy(config)
    assert [reader.voices for reader in chat.engine.readers] == [("expert",)]
    loop = Naive(tiny.base, tiny.whole, tiny.whole)
    assert _tokens(chat, TALK, max_tokens=12) == loop.write(TALK, (1, 3, 0))
    sampled = ensemble(str(tiny.base), str(tiny.whole), (1, 1), temperature=1.4)
    assert (sampled.alpha, sampled.temperature) == (0.5, 0.7)
    with pytest.raises(ResponderError, match="weights"):
        ensemble("a", "b", (-1, 1))


def test_a_template_is_borrowed_where_the_base_has_none(
    tiny: Tiny, tmp_path: Path, shared: LocalChat
) -> None:
    bare = llama(tmp_path / "bare", width=352, hidden=64, seed=1, tok=tokenizer(template=None))
    chat = _load(tiny, tiny.whole, tiny.anti, base=str(bare))
    assert _tokens(chat, TALK) == _tokens(shared, TALK)
    with pytest.raises(ResponderError, match="bare has no chat template"):
        _load(tiny, tiny.whole, tiny.anti, base=str(bare), own_templates=True)


def test_padding_is_never_chosen(shared: LocalChat) -> None:
    engine = shared.engine
    assert engine.width == 330
    assert [engine.base.width, engine.readers[0].loaded.width] == [352, 336]
    prompt = [5, 6, 7]
    mixed = ProxyLogits(engine.readers, {"base": [prompt], "expert": [prompt], "anti": [prompt]}, 1.0, 330)
    scores = mixed(torch.tensor([prompt]), torch.zeros(1, 352))
    assert scores.shape == (1, 330)
    assert torch.isfinite(scores).all()


def test_opinions_are_not_carried_over_to_another_text(shared: LocalChat) -> None:
    prompts = {voice: [[5, 6, 7]] for voice in ("base", "expert", "anti")}
    with torch.no_grad():
        with pytest.raises(ValueError, match="another prompt"):
            ProxyLogits(shared.engine.readers, prompts, 1.0, 330)(
                torch.tensor([[5, 6, 8]]), torch.zeros(1, 352)
            )
        mixed = ProxyLogits(shared.engine.readers, prompts, 1.0, 330)
        mixed(torch.tensor([[5, 6, 7]]), torch.zeros(1, 352))
        with pytest.raises(ValueError, match="another text"):
            mixed(torch.tensor([[5, 6, 8, 9]]), torch.zeros(1, 352))


def test_other_tokens_are_refused_with_both_names(tiny: Tiny) -> None:
    with pytest.raises(ResponderError, match=r"base and \S*foreign cut text into different tokens"):
        _load(tiny, tiny.foreign, tiny.anti)


def test_extra_tokens_of_one_model_are_left_out() -> None:
    more = tokenizer()
    more.add_special_tokens({"additional_special_tokens": ["<|tool|>"]})
    assert known_to_all([(tokenizer(), "a"), (more, "b")], [352, 336]) == len(tokenizer())


@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning")
def test_an_adapter_for_another_model_is_refused(tiny: Tiny, tmp_path: Path) -> None:
    with pytest.raises(ResponderError, match=r"was made for \S*anti, not for \S*whole"):
        _load(tiny, tiny.expert, tiny.whole)
    on = llama(tmp_path / "small", width=336, hidden=32, seed=9)
    tuned = adapter(tmp_path / "tuned", on)
    llama(on, width=336, hidden=64, seed=9)  # the same folder now holds something else
    with pytest.raises(ResponderError, match="does not fit"):
        _load(tiny, tuned, on)


@pytest.mark.parametrize(
    "more", [{"use_dora": True}, {"init_lora_weights": "pissa"}, {"layer_replication": [(0, 2), (1, 2)]}]
)
def test_an_adapter_that_does_more_is_loaded_as_a_model_of_its_own(
    more: dict[str, Any], tiny: Tiny, tmp_path: Path
) -> None:
    tuned = adapter(tmp_path / "more", tiny.anti, **more)
    chat = _load(tiny, tuned, tiny.anti)
    assert [reader.voices for reader in chat.engine.readers] == [("expert",), ("anti",)]
    ids = torch.tensor([render(chat.engine.base.tokenizer, "base", TALK)])
    plain = transformers.AutoModelForCausalLM.from_pretrained(tiny.anti).eval()
    with torch.no_grad():  # whatever the adapter did to the model that it is on
        assert torch.allclose(
            chat.engine.readers[1].loaded.model(input_ids=ids).logits, plain(ids).logits, atol=1e-4
        )


def test_a_reply_ends_where_the_small_models_can_read_no_more(tiny: Tiny, tmp_path: Path) -> None:
    small = llama(tmp_path / "small", width=336, hidden=32, seed=2, reads=128)
    base = llama(tmp_path / "base", width=352, hidden=64, seed=1, reads=2048)
    chat = _load(tiny, small, small, base=str(base))
    assert chat.engine.reads == 128
    prompt = len(render(chat.engine.base.tokenizer, "base", TALK))
    (written,) = chat.write_all([TALK], max_tokens=400, temperature=1.0, seed=1)
    assert written.finish in {"stop", "length"}
    assert prompt + len(written.tokens) <= 128
    with pytest.raises(ResponderError, match="small reads 128 tokens and was given"):
        chat.write_all([[HumanMessage(" ".join(TEXT * 4))]])


def test_memory_is_judged_for_all_of_them(tiny: Tiny) -> None:
    config = Proxy(base=str(tiny.base), expert=str(tiny.whole), anti_expert=str(tiny.anti))
    with pytest.raises(ResponderError, match=r"base, \S*whole, \S*anti: .* free"):
        load_proxy(config, free=lambda place: 1000)


def test_a_trace_tells_what_each_wanted(shared: LocalChat, naive: Naive, tmp_path: Path) -> None:
    file = tmp_path / "tokens.parquet"
    trace(shared, TALK, file, top=3, max_tokens=6)
    rows = pq.read_table(file).to_pylist()
    assert [row["token"] for row in rows] == naive.write(TALK, (1, 1, -1), count=6)
    assert not [key for key in rows[0] if "piece" in key]
    start = torch.tensor([render(naive.tok, "base", TALK)])
    with torch.no_grad():
        logs = [m(start).logits[0, -1, :330].log_softmax(-1) for m in naive.models]
    for voice, log in zip(("base", "expert", "anti"), logs, strict=True):
        assert rows[0][f"{voice}_top"] == log.topk(3).indices.tolist()
        assert rows[0][f"{voice}_logp"] == pytest.approx(float(log[rows[0]["token"]]), abs=1e-4)
    assert rows[0]["mixed_top"][0] == rows[0]["token"]
    text = trace(shared, TALK, file, pieces=True, max_tokens=6)
    assert text.startswith(pq.read_table(file).to_pylist()[0]["piece"])
    with pytest.raises(ResponderError, match="cannot be written"):
        trace(shared, TALK, tmp_path / "absent" / "tokens.parquet", max_tokens=2)


def test_the_self_check_warns_when_a_part_does_better_alone(
    shared: LocalChat, naive: Naive, caplog: pytest.LogCaptureFixture
) -> None:
    examples = [(TALK, TEXT[1]), (LONGER, TEXT[3])]
    with caplog.at_level(logging.WARNING, "hearken"):
        losses = self_check(shared, examples, alpha=5)
    assert losses.expert < losses.mixed
    assert "expert" in losses.better_parts
    assert "expert" in caplog.text
    assert TEXT[1] not in caplog.text
    start = render(naive.tok, "base", TALK)
    reply = [*naive.tok(TEXT[1], add_special_tokens=False)["input_ids"], 1]
    with torch.no_grad():
        logits = naive.models[1](torch.tensor([[*start, *reply]])).logits[0, len(start) - 1 : -1, :330]
    alone = self_check(shared, examples[:1])
    assert alone.expert == pytest.approx(
        float(torch.nn.functional.cross_entropy(logits, torch.tensor(reply))), abs=1e-4
    )
    caplog.clear()
    assert losses_at(shared, examples, [0.5, 5]) == [
        self_check(shared, examples, alpha=at) for at in (0.5, 5)
    ]
    better = self_check(shared, examples, alpha=0)
    assert better.mixed == pytest.approx(better.base)
    with pytest.raises(ResponderError, match="at least one"):
        self_check(shared, [])


def test_a_template_without_a_system_message(tiny: Tiny, tmp_path: Path) -> None:
    strict = tokenizer(template=NO_SYSTEM)
    told = strict.decode(render(strict, "strict", TALK))
    assert told.startswith("<|user|>Listen.")
    assert TEXT[0] in told


def test_kept_readings_are_few(shared: LocalChat) -> None:
    for number in range(6):
        _tokens(shared, [HumanMessage(f"{number} {TEXT[number]}")], max_tokens=2)
    assert all(len(c._kept) <= Caches().most for c in (shared.engine.caches, shared.engine.readers[0].caches))
