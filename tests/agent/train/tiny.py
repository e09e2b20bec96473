"""A BERT of two layers and a few hundred words with random weights, in the published model's format."""

import json
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="hearken[train] is not installed")
transformers = pytest.importorskip("transformers", reason="hearken[train] is not installed")


def tiny_model(folder: Path) -> Path:
    """The folder, with config, weights and tokenizer. Ids of the marks are those of the real vocabulary."""
    folder.mkdir(parents=True, exist_ok=True)
    words = [
        "train",
        "valid",
        "thing",
        "is",
        "film",
        "before",
        "says",
        "well",
        "post",
        "long",
        "number",
        "about",
        "others",
        "strain",
        "cause",
        "why",
        "weighs",
        "low",
    ]
    letters = [chr(code) for code in range(97, 123)] + list("0123456789?,.!'-")
    vocabulary = ["[PAD]", *(f"[unused{i}]" for i in range(99)), "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    vocabulary += [*words, *letters, *("##" + letter for letter in letters)]
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(vocabulary),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=1,
        intermediate_size=48,
        max_position_embeddings=300,
    )
    transformers.BertModel(config, add_pooling_layer=True).save_pretrained(folder)
    tokenizer = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [],
        "normalizer": {
            "type": "BertNormalizer",
            "clean_text": True,
            "handle_chinese_chars": True,
            "strip_accents": None,
            "lowercase": True,
        },
        "pre_tokenizer": {"type": "BertPreTokenizer"},
        "post_processor": None,
        "decoder": None,
        "model": {
            "type": "WordPiece",
            "unk_token": "[UNK]",
            "continuing_subword_prefix": "##",
            "max_input_chars_per_word": 100,
            "vocab": {word: i for i, word in enumerate(dict.fromkeys(vocabulary))},
        },
    }
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    return folder
