"""Each family of models that docs/MODELS.md names, in small: what it says here is what transformers says.

A family differs in how it attends (a sliding window, every other layer), in what it does to its logits, and
in whether what it has read can be cut back to a shorter text.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage

from agent.backends import HuggingFace
from agent.llm.local import LocalChat, load_local
from agent.llm.templates import render
from tests.agent.llm.tiny_llms import TEXT, tokenizer, torch, transformers

LONG = " ".join(TEXT * 3)  # more than is read at once
TALK: list[BaseMessage] = [HumanMessage(LONG)]
LATER: list[BaseMessage] = [*TALK, AIMessage(TEXT[1]), HumanMessage(TEXT[2])]
OTHER: list[BaseMessage] = [HumanMessage(TEXT[4])]
SHARED = {
    "vocab_size": 352,
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "head_dim": 16,
    "max_position_embeddings": 1024,
    "initializer_range": 0.25,
    "eos_token_id": 1,
    "bos_token_id": None,
    "pad_token_id": 0,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "llama": {},  # SmolLM2, Llama 3 and Yi too
    "qwen2": {},
    "qwen3": {},
    "mistral": {"sliding_window": 24},
    "phi3": {"sliding_window": None},
    "gemma": {},
    "gemma2": {"sliding_window": 24, "query_pre_attn_scalar": 16},
    "gemma3_text": {"sliding_window": 24, "query_pre_attn_scalar": 16},
    "gemma4_text": {"sliding_window": 24},
    # What these have read is a state, and no list of keys that could be cut back.
    "lfm2": {"layer_types": ["conv", "full_attention", "conv"]},
    "falcon_h1": {"mamba_n_heads": 8, "mamba_d_head": 16, "mamba_d_state": 16, "mamba_d_ssm": 128},
}


def _saved(name: str, folder: Path) -> Path:
    torch.manual_seed(7)
    config = transformers.AutoConfig.for_model(name, **{**SHARED, **FAMILIES[name]})
    model = transformers.AutoModelForCausalLM.from_config(config)
    model.save_pretrained(folder)
    tokenizer().save_pretrained(folder)
    return folder


@pytest.fixture(scope="module", params=FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _saved(request.param, tmp_path_factory.mktemp("families") / request.param)


@pytest.fixture(scope="module")
def chat(folder: Path) -> LocalChat:
    how: dict[str, Any] = {"temperature": 0, "repetition_penalty": 1, "max_tokens": 12, "device": "cpu"}
    return load_local(HuggingFace(model=str(folder), dtype="float32", **how))


@pytest.fixture(scope="module")
def plain(folder: Path) -> Callable[[list[BaseMessage]], tuple[int, ...]]:
    """What transformers itself says to the same prompt, with nothing kept."""
    model = transformers.AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    tok = transformers.AutoTokenizer.from_pretrained(folder)

    def write(talk: list[BaseMessage]) -> tuple[int, ...]:
        ids = torch.tensor([render(tok, "plain", talk)])
        said = model.generate(ids, max_new_tokens=12, do_sample=False, pad_token_id=0, eos_token_id=1)
        return tuple(said[0, ids.shape[1] :].tolist())

    return write


def test_a_family_says_what_transformers_says_turn_by_turn(
    chat: LocalChat, plain: Callable[[list[BaseMessage]], tuple[int, ...]]
) -> None:
    for talk in (TALK, LATER, TALK, OTHER, LATER):  # onwards, back, elsewhere, and back again
        assert chat.write_all([talk])[0].tokens == plain(talk)


def test_a_family_says_in_a_batch_what_it_says_alone(chat: LocalChat) -> None:
    talks = [TALK, OTHER, LATER]
    together = [one.tokens for one in chat.write_all(talks)]
    assert together == [chat.write_all([talk])[0].tokens for talk in talks]
