"""Language models of two layers and a few hundred tokens: small, but real in every file they are made of."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="hearken[local] is not installed")
transformers = pytest.importorskip("transformers", reason="hearken[local] is not installed")
peft = pytest.importorskip("peft", reason="hearken[local] is not installed")

TEXT = [
    "I could not sleep again and the house was very quiet.",
    "That sounds like a long night, and a lonely one.",
    "My sister moved away and nobody calls me any more.",
    "You miss her, and the evenings have become hard to fill.",
    "What would make tomorrow a little easier for you?",
    "I went for a walk by the river and it helped for a while.",
]
MARKS = ["<|pad|>", "<|end|>", "<|system|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
OWN = TEMPLATE.replace("{{ m.content }}", "{{ m.content }} What would you say?")
NO_SYSTEM = "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}" + TEMPLATE


@contextmanager
def _quiet() -> Iterator[None]:
    """peft asks transformers by a name that transformers no longer likes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        yield


def tokenizer(text: Sequence[str] = TEXT, template: str | None = TEMPLATE) -> Any:
    """A byte-level BPE trained on `text`."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=330, special_tokens=MARKS, initial_alphabet=alphabet, show_progress=False
    )
    made.train_from_iterator(list(text), trainer)
    marks = {"pad_token": MARKS[0], "eos_token": MARKS[1], "additional_special_tokens": MARKS[2:]}
    fast = transformers.PreTrainedTokenizerFast(tokenizer_object=made, **marks)
    fast.chat_template = template
    return fast


def llama(
    folder: Path,
    *,
    width: int,
    hidden: int,
    seed: int,
    tok: Any | None = None,
    reads: int = 512,
    tied: bool = False,
) -> Path:
    """A Llama with `width` logits that reads so many tokens, saved with its tokenizer."""
    torch.manual_seed(seed)
    tok = tok or tokenizer()
    config = transformers.LlamaConfig(
        vocab_size=width,
        hidden_size=hidden,
        intermediate_size=2 * hidden,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=reads,
        initializer_range=0.25,
        tie_word_embeddings=tied,
        eos_token_id=1,
        bos_token_id=None,
        pad_token_id=0,
    )
    model = transformers.LlamaForCausalLM(config)
    model.generation_config.eos_token_id = 1
    model.save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder


def adapter(folder: Path, on: Path, *, template: str | None = None, **options: Any) -> Path:
    """A LoRA on a saved model, trained for a few steps."""
    tok = transformers.AutoTokenizer.from_pretrained(on)
    model = transformers.AutoModelForCausalLM.from_pretrained(on)
    torch.manual_seed(5)
    config = peft.LoraConfig(
        r=4, lora_alpha=16, target_modules=["q_proj", "v_proj", "up_proj", "down_proj"], **options
    )
    with _quiet():
        tuned = peft.get_peft_model(model, config)
    optimiser = torch.optim.AdamW(tuned.parameters(), lr=2e-2)
    for step in range(8):
        ids = torch.tensor([tok(TEXT[step % len(TEXT)])["input_ids"]])
        tuned(input_ids=ids, labels=ids).loss.backward()
        optimiser.step()
        optimiser.zero_grad()
    tuned.save_pretrained(folder)
    if template:
        tok.chat_template = template
        tok.save_pretrained(folder)
    return folder


def merged(folder: Path, tuned: Path, on: Path) -> Path:
    """The adapter's model as a whole of its own."""
    model = transformers.AutoModelForCausalLM.from_pretrained(on)
    with _quiet():
        whole = peft.PeftModel.from_pretrained(model, tuned).merge_and_unload()
    whole.save_pretrained(folder)
    transformers.AutoTokenizer.from_pretrained(on).save_pretrained(folder)
    return folder


@dataclass(frozen=True)
class Tiny:
    """Folders. Heads differ in width by padding only, but for `foreign`, which has other tokens."""

    base: Path
    anti: Path
    expert: Path
    whole: Path
    foreign: Path


@cache
def tiny_llms(folder: Path) -> Tiny:
    """Made once a process."""
    base = llama(folder / "base", width=352, hidden=64, seed=1)
    anti = llama(folder / "anti", width=336, hidden=32, seed=2)
    expert = adapter(folder / "expert", anti, template=OWN)
    whole = merged(folder / "whole", expert, anti)
    other = tokenizer(["Zwei alte Türme stehen über dem Fluss und warten.", "Niemand kommt vorbei."])
    foreign = llama(folder / "foreign", width=336, hidden=32, seed=3, tok=other)
    return Tiny(base, anti, expert, whole, foreign)
