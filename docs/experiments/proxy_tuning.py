"""Proxy tuning against a tuned model and its parts, on models small enough to be trained here.

    python docs/experiments/proxy_tuning.py DATA WORK

DATA is the folder of public sets, WORK a folder for models and results.json. Two sizes of one architecture
share a tokenizer; both first learn how IMHI's answers are worded (dreaddit's, without the posts), and are
then tuned, or steered, to answer its question about the cause of stress (SAD). The report is
docs/experiments/proxy-tuning.md.
"""

import json
import sys
from pathlib import Path
from typing import Any

from langchain_core.messages import HumanMessage

from agent.backends import HuggingFace, Proxy
from agent.evaluate.generation import compared, measured, rouge
from agent.evaluate.imhi import answered
from agent.llm.local import load_local
from agent.llm.proxy import load_proxy
from agent.prompt import Message
from agent.tables import prompt
from agent.train.dialogue_sources import Example, from_path
from agent.train.dialogues import prepare, write
from agent.train.labels import STRESS_CAUSES
from agent.train.lora import run
from agent.train.lora_recipe import Recipe
from agent.train.proxy_pair import swept

TALKS, POSTS, TOKENS = 1000, 800, 1000
HELD, WRITTEN, WORDS, LONGEST = 80, 80, 40, 110
ALPHAS = (0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
MARKS = ["<|pad|>", "<|end|>", "<|user|>", "<|assistant|>"]
TEMPLATE = (
    "{% for m in messages %}<|{{ m.role }}|>{{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
FIRST = Recipe(
    about="Language, from nothing.", method="full", epochs=1, batch=8, rate=4e-3, schedule="cosine",
    warmup=0.05, length=256, too_long="drop", samples=0,
)  # fmt: skip
THEN = Recipe(
    about="Causes of stress.", method="full", epochs=2, batch=8, rate=3e-3,
    schedule="cosine", warmup=0.05, length=256, too_long="drop", samples=0,
)  # fmt: skip


def causes(source: Path, out: Path) -> None:
    """SAD: the post, IMHI's question about its cause, and the answer."""
    examples = [one for one in from_path(source, []) if _words(one) < LONGEST][:POSTS]
    write(prepare(examples, []), out)


def language(source: Path, out: Path) -> None:
    """How such answers are worded, without what they are about: two other questions, and no post."""
    examples: list[Example] = []
    for one in from_path(source, []):
        asked, answer = (message["content"] for message in one["messages"])
        short = " ".join(answer.split()[:60])
        messages = [
            Message(role="user", content=prompt(asked)[1]),
            Message(role="assistant", content=short),
        ]
        examples.append({**one, "messages": messages})
    write(prepare(examples[:TALKS], []), out)


def _words(example: Example) -> int:
    return sum(len(one["content"].split()) for one in example["messages"])


def tokenizer(texts: list[str], count: int = TOKENS) -> Any:
    """A byte-level BPE of the training texts."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    made = Tokenizer(models.BPE())
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=count,
        special_tokens=MARKS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    made.train_from_iterator(texts, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=made, pad_token=MARKS[0], eos_token=MARKS[1], additional_special_tokens=MARKS[2:]
    )
    fast.chat_template = TEMPLATE
    return fast


def llama(folder: Path, tok: Any, hidden: int, layers: int, reads: int = 320) -> Path:
    """An untrained Llama. reads: tokens it may take in."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(hidden)
    config = LlamaConfig(
        vocab_size=len(tok), hidden_size=hidden, intermediate_size=3 * hidden, num_hidden_layers=layers,
        num_attention_heads=4, num_key_value_heads=4, max_position_embeddings=reads, eos_token_id=1,
        pad_token_id=0, bos_token_id=None, tie_word_embeddings=True,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tok.save_pretrained(folder)
    return folder


def trained(work: Path) -> dict[str, Path]:
    """The five models' folders; what is there already is not made again."""
    texts = [
        one["content"]
        for name in ("talks", "causes")
        for line in (work / name / "train.jsonl").read_text("utf-8").splitlines()
        for one in json.loads(line)["messages"]
    ]
    tok = tokenizer(texts)
    places = {name: work / name for name in ("base", "anti", "tuned", "expert")}
    for name, (hidden, layers) in {"base": (112, 3), "anti": (56, 2)}.items():
        if not (places[name] / "README.md").is_file():
            raw = llama(work / f"{name}.raw", tok, hidden, layers)
            run(FIRST, work / "talks", places[name], work=work / f"{name}.run", model=str(raw))
    for name, on in (("tuned", "base"), ("expert", "anti")):
        if not (places[name] / "README.md").is_file():
            run(THEN, work / "causes", places[name], work=work / f"{name}.run", model=str(places[on]))
    return places


def answers(chat: Any, queries: list[str], **options: Any) -> list[str]:
    """The likeliest answer to each."""
    said: list[str] = []
    for at in range(0, len(queries), 20):
        talks = [[HumanMessage(query)] for query in queries[at : at + 20]]
        said += [one.text for one in chat.write_all(talks, max_tokens=WORDS, temperature=0, **options)]
    return said


def labelled(queries: list[str], said: list[str], wanted: list[str]) -> dict[str, Any]:
    """Weighted F1 of the labels by the stated rule; an answer without one is wrong, and counted."""
    from sklearn.metrics import f1_score

    truth = [answered(query, one) for query, one in zip(queries, wanted, strict=True)]
    guess = [answered(query, one) or "unparsed" for query, one in zip(queries, said, strict=True)]
    labels = list(STRESS_CAUSES.values())
    return {
        "weighted_f1": round(
            float(f1_score(truth, guess, labels=labels, average="weighted", zero_division=0)), 4
        ),
        "right": round(sum(map(str.__eq__, truth, guess)) / len(truth), 4),
        "unparsed": guess.count("unparsed"),
        "labels said": len(set(guess)),
        "commonest": round(max(map(truth.count, set(truth))) / len(truth), 4),
    }


def main(public: Path, work: Path) -> None:
    """Everything, and results.json."""
    language(public / "imhi/dreaddit/train.csv", work / "talks")
    causes(public / "imhi/SAD/train.csv", work / "causes")
    places = trained(work)
    lines = (work / "causes/valid.jsonl").read_text("utf-8").splitlines()
    valid = [json.loads(line) for line in lines][:HELD]
    config = Proxy(
        base=str(places["base"]), expert=str(places["expert"]), anti_expert=str(places["anti"]),
        temperature=0, repetition_penalty=1, device="cpu",
    )  # fmt: skip
    results: dict[str, Any] = {"loss by alpha": swept(config, valid, 256, ALPHAS)}
    tuned = {"expert": str(places["tuned"]), "anti_expert": str(places["base"])}
    twin = Proxy(**{**config.model_dump(), **tuned})
    results["loss of the tuned large model"] = swept(twin, valid, 256, (1.0,))[0]["expert"]
    queries = [one["messages"][0]["content"] for one in valid][:WRITTEN]
    wanted = [one["messages"][-1]["content"] for one in valid][:WRITTEN]
    said: dict[str, list[str]] = {}
    for name in ("base", "tuned", "expert", "anti"):
        plain = HuggingFace(model=str(places[name]), temperature=0, repetition_penalty=1, device="cpu")
        said[name] = answers(load_local(plain), queries)
    proxy = load_proxy(config)
    for alpha in ALPHAS[1:]:
        said[f"proxy {alpha}"] = answers(proxy, queries, alpha=alpha)
    results["lines"] = {
        name: {**measured(texts, wanted), **labelled(queries, texts, wanted)} for name, texts in said.items()
    }
    found = {name: rouge(texts, wanted)["rougeL"] for name, texts in said.items()}
    results["rougeL, proxy 1.0 and another"] = {
        name: compared(found["proxy 1.0"], found[name]) for name in ("base", "tuned", "expert", "anti")
    }
    (work / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
