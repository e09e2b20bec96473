"""A tiny Llama as a GGUF file, and llama.cpp's own server over it in a process of its own.

The file is written with llama.cpp's `gguf` package, tensor by tensor: its converter knows only published
tokenizers.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

gguf = pytest.importorskip("gguf", reason="pip install gguf writes the file that llama.cpp reads")
pytest.importorskip("xllamacpp", reason="pip install xllamacpp brings llama.cpp's server")

NAMES = {
    "input_layernorm": "attn_norm",
    "self_attn.q_proj": "attn_q",
    "self_attn.k_proj": "attn_k",
    "self_attn.v_proj": "attn_v",
    "self_attn.o_proj": "attn_output",
    "post_attention_layernorm": "ffn_norm",
    "mlp.gate_proj": "ffn_gate",
    "mlp.up_proj": "ffn_up",
    "mlp.down_proj": "ffn_down",
}
SERVER = """
import json, sys
import xllamacpp
told = json.loads(sys.argv[1])
params = xllamacpp.CommonParams()
params.model.path = told["file"]
params.n_ctx = told["reads"]
params.n_parallel = 1
params.n_gpu_layers = 0
params.use_jinja = True
params.port = 0
params.cpuparams.n_threads = 1
server = xllamacpp.Server(params)
print("listening at", server.listening_address, flush=True)
sys.stdin.read()
"""


def _turned(weight: Any, heads: int) -> Any:
    """Rows as llama.cpp turns them: neighbours are a pair, where transformers pairs the halves of a head."""
    rows, columns = weight.shape
    return weight.reshape(heads, 2, rows // heads // 2, columns).swapaxes(1, 2).reshape(rows, columns)


def written(folder: Path, file: Path) -> Path:
    """The model of a folder, a Llama with a byte-level BPE, as a GGUF file in full precision."""
    from safetensors.numpy import load_file
    from transformers import AutoTokenizer

    config = json.loads((folder / "config.json").read_text("utf-8"))
    weights, tok = load_file(folder / "model.safetensors"), AutoTokenizer.from_pretrained(folder)
    out = gguf.GGUFWriter(file, "llama")
    _described(out, config)
    _spoken(out, tok, config["vocab_size"])
    for name, weight in weights.items():
        _, _, rest = name.partition("model.layers.")
        number, _, part = rest.partition(".")
        if not rest:
            plain = {"model.embed_tokens.weight": "token_embd", "model.norm.weight": "output_norm"}
            out.add_tensor(f"{plain.get(name, 'output')}.weight", weight)
            continue
        part = part.removesuffix(".weight")
        heads = {"self_attn.q_proj": "num_attention_heads", "self_attn.k_proj": "num_key_value_heads"}.get(
            part
        )
        told = _turned(weight, config[heads]) if heads else weight
        out.add_tensor(f"blk.{number}.{NAMES[part]}.weight", told)
    out.write_header_to_file()
    out.write_kv_data_to_file()
    out.write_tensors_to_file()
    out.close()
    return file


def _described(out: Any, config: dict[str, Any]) -> None:
    out.add_context_length(config["max_position_embeddings"])
    out.add_embedding_length(config["hidden_size"])
    out.add_block_count(config["num_hidden_layers"])
    out.add_feed_forward_length(config["intermediate_size"])
    out.add_head_count(config["num_attention_heads"])
    out.add_head_count_kv(config["num_key_value_heads"])
    out.add_rope_dimension_count(config["hidden_size"] // config["num_attention_heads"])
    out.add_layer_norm_rms_eps(config["rms_norm_eps"])
    out.add_vocab_size(config["vocab_size"])


def _spoken(out: Any, tok: Any, width: int) -> None:
    told = json.loads(tok.backend_tokenizer.to_str())
    names = {index: token for token, index in tok.get_vocab().items()}
    special = {index for index, token in tok.added_tokens_decoder.items() if token.special}
    kinds = gguf.TokenType
    out.add_tokenizer_model("gpt2")
    out.add_tokenizer_pre("gpt-2")
    out.add_token_list([names.get(index, f"[PAD{index}]") for index in range(width)])
    out.add_token_types(
        [
            kinds.CONTROL if index in special else kinds.NORMAL if index in names else kinds.UNUSED
            for index in range(width)
        ]
    )
    out.add_token_merges([one if isinstance(one, str) else " ".join(one) for one in told["model"]["merges"]])
    out.add_eos_token_id(tok.eos_token_id)
    out.add_pad_token_id(tok.pad_token_id)
    out.add_add_bos_token(False)
    out.add_chat_template(tok.chat_template)


@contextmanager
def llama_cpp(file: Path, reads: int = 4096) -> Iterator[str]:
    """The address of llama.cpp's server over this file."""
    told = json.dumps({"file": str(file), "reads": reads})
    command = [sys.executable, "-c", SERVER, told]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        try:
            assert process.stdout is not None
            lines = (line for line in process.stdout if line.startswith("listening at"))
            yield next(lines).rpartition(" ")[2].strip() + "/v1"
        finally:
            process.kill()
