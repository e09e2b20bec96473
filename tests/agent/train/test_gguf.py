"""`hearken export gguf` by llama.cpp's real converter: its server says with the file what is said here.

No package holds the converter alone: it lies in llama.cpp's sources (and in those of llama-cpp-python, whose
archive pip can download). It wants sentencepiece. Where it is not on the path, nothing here runs.
"""
# ruff: noqa: S106 - tokens of a tokenizer are no passwords

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from agent.backends import Endpoint, HuggingFace
from agent.errors import SettingsError
from agent.llm.endpoint import connect
from agent.llm.local import load_local
from agent.prompt import Message
from agent.train import merge as merging

pytest.importorskip("langchain_openai", reason="endpoints need hearken[endpoint]")
tiny_llms = pytest.importorskip("tests.agent.llm.tiny_llms", reason="hearken[local] is not installed")
load_file = pytest.importorskip("safetensors.numpy").load_file
save_file = pytest.importorskip("safetensors.numpy").save_file
tiny_gguf = pytest.importorskip("tests.agent.llm.tiny_gguf", reason="gguf and xllamacpp are not installed")
if shutil.which(merging.CONVERTER) is None:
    pytest.skip(f"llama.cpp's {merging.CONVERTER} is not on the path", allow_module_level=True)

MARKS = ["<unk>", "<s>", "</s>", "<|system|>", "<|user|>", "<|assistant|>"]
TEMPLATE = "{{ bos_token }}" + tiny_llms.TEMPLATE.replace("<|end|>", "</s>")
TALK = [Message(role="system", content="Listen."), Message(role="user", content=tiny_llms.TEXT[0])]


def spoken() -> Any:
    """A tokenizer of the kind that Llama 2 and Yi have, in which each character is a token.

    Longer pieces need the scores of a SentencePiece model; without them llama.cpp cuts otherwise.
    """
    from tokenizers import Tokenizer, decoders, models, normalizers

    letters = sorted(set("".join(tiny_llms.TEXT).replace(" ", "▁")))
    pieces = [*MARKS, *(f"<0x{n:02X}>" for n in range(256)), *letters]
    vocabulary = {piece: index for index, piece in enumerate(pieces)}
    made = Tokenizer(models.BPE(vocabulary, [], byte_fallback=True, unk_token="<unk>", fuse_unk=True))
    made.normalizer = normalizers.Replace(" ", "▁")
    made.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    names = {"unk_token": MARKS[0], "bos_token": MARKS[1], "eos_token": MARKS[2]}
    fast = tiny_llms.transformers.PreTrainedTokenizerFast(
        tokenizer_object=made, additional_special_tokens=MARKS[3:], add_prefix_space=False, **names
    )
    fast.chat_template = TEMPLATE
    return fast


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tok = spoken()
    made: Path = tiny_llms.llama(
        tmp_path_factory.mktemp("converted") / "m", width=len(tok), hidden=64, seed=1, reads=4096, tok=tok
    )
    config = json.loads((made / "config.json").read_text("utf-8"))
    (made / "config.json").write_text(json.dumps({**config, "bos_token_id": 1, "eos_token_id": 2}), "utf-8")
    (made / "generation_config.json").unlink()
    weights = load_file(made / "model.safetensors")
    weights["lm_head.weight"][: len(MARKS) + 256] = 0  # letters are said, no halves of characters
    save_file(weights, made / "model.safetensors", metadata={"format": "pt"})
    return made


def test_llama_cpps_server_says_with_the_file_what_the_model_says_here(folder: Path, tmp_path: Path) -> None:
    file = merging.gguf(str(folder), tmp_path / "m.gguf", kind="f32")
    here = load_local(
        HuggingFace(
            model=str(folder), device="cpu", dtype="float32", temperature=0, top_p=1, repetition_penalty=1
        )
    )
    with tiny_gguf.llama_cpp(file) as url:
        config = Endpoint(url=url, model="m", temperature=0, top_p=1, repetition_penalty=1, first_seconds=90)
        there = "".join(connect(config)(TALK, max_tokens=24))
    assert there == here.invoke([dict(one) for one in TALK], max_tokens=24).text != ""


def test_numbers_that_llama_cpp_does_not_know_are_told_in_its_words(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"convert_hf_to_gguf\.py failed: .*invalid choice"):
        merging.gguf(str(folder), tmp_path / "m.gguf", kind="q0")
