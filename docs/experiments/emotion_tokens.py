"""Feeling, intent and strengths as learned tokens, against sentences, on models small enough to train here.

    python -m docs.experiments.emotion_tokens DATA WORK

DATA is the folder of public sets, WORK a folder for models and results.json; what is there is not made again.
One small Llama learns replies of EmpatheticDialogues without any condition; then each line goes on from it
with the same other dialogues, and differs in how it is told what the reply is to be like. The report is
docs/experiments/emotion-tokens.md.
"""

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from langchain_core.messages import HumanMessage

from agent.backends import HuggingFace
from agent.evaluate.scoring import load_scorers
from agent.llm.local import load_local
from agent.llm.model_files import find
from agent.llm.weights import load
from agent.prompt import Message, load_prompt
from agent.steering import line
from agent.train.dialogue_sources import Example, from_path
from agent.train.dialogues import prepare
from agent.train.examples import tokenised
from agent.train.levels import label
from agent.train.lora import run
from agent.train.lora_recipe import Recipe
from docs.experiments.proxy_tuning import llama, tokenizer

FIRST, THEN, HELD = 3500, 2500, 500  # exchanges to learn language from, to go on with, and to measure on
WRITTEN, WORDS = 120, 32  # validation messages answered, and tokens of an answer
LINES = ("nothing", "sentences", "tokens", "tokens and strengths")
METHODS = ("lora", "full")
TOLD: dict[str, Any] = {"schedule": "cosine", "warmup": 0.05, "length": 200, "too_long": "drop", "samples": 0}
LANGUAGE = Recipe(about="Language, from nothing.", method="full", epochs=2, batch=16, rate=4e-3, **TOLD)
TUNING = {
    "lora": Recipe(
        about="An adapter.", method="lora", rank=16, alpha=32, epochs=3, batch=16, rate=5e-3, **TOLD
    ),
    "full": Recipe(about="Every weight.", method="full", epochs=3, batch=16, rate=1.5e-3, **TOLD),
}


def exchanges(source: Path) -> list[Example]:
    """First messages with their answers, both labelled, of which the answer may be said."""
    found = [
        one
        for one in from_path(source, [])
        if len(one["messages"]) == 2
        and one["intent"]
        and all(4 <= len(message["content"].split()) <= 35 for message in one["messages"])
    ]
    done = prepare(found, [], share=0.08, limit=FIRST + THEN + 2 * HELD)
    return [*done.valid[:HELD], *done.train[: FIRST + THEN]]


def told(one: Example, how: str, **changes: Any) -> str:
    """The person's message with what the reply is to be like before it."""
    words, text = load_prompt(), one["messages"][0]["content"]
    known = {name: one[name] for name in ("feeling", "intent", "levels") if name in one}  # type: ignore[literal-required]
    plan: Any = {"levels": {}, **known, **changes}
    if how == "nothing":
        return text
    if how == "sentences":
        said = [Template(words.notes[name]).substitute({name: plan[name]}) for name in ("feeling", "intent")]
        return "\n".join([*said, text])
    return f"{line(words.tokens, {**plan, 'levels': plan['levels'] if how != 'tokens' else {}})}\n{text}"


def written(folder: Path, parts: dict[str, Sequence[Example]], how: str) -> Path:
    """The data of one line, as the trainer takes it."""
    folder.mkdir(parents=True, exist_ok=True)
    for part, found in parts.items():
        rows = [
            {
                **one,
                "kind": "task",  # asked as it stands: a whole prompt would take these models hours
                "messages": [Message(role="user", content=told(one, how)), one["messages"][1]],
            }
            for one in found
        ]
        (folder / f"{part}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
    return folder


def losses(model: Path, data: Path) -> list[float]:
    """Nats a token of each validation reply."""
    import torch

    loaded = load(find(str(model)), "float32", "cpu")
    rows = [json.loads(text) for text in (data / "valid.jsonl").read_text("utf-8").splitlines()]
    found = []
    for row in tokenised(rows, loaded.tokenizer, loaded.ends, longest=320):
        ids = torch.tensor([row["input_ids"]])
        with torch.inference_mode():
            likely = loaded.model(input_ids=ids).logits[0, :-1].log_softmax(-1)
        wanted = torch.tensor(row["labels"][1:])
        learned = wanted >= 0
        picked = likely[learned].gather(1, wanted[learned][:, None])
        found.append(-float(picked.mean()))
    return found


def interval(values: Sequence[float]) -> dict[str, float]:
    """The mean, and where 95 % of the means of drawn rows lie."""
    told_, draw = np.array(values, dtype=float), np.random.default_rng(20261126)
    means = told_[draw.integers(0, len(told_), (2000, len(told_)))].mean(axis=1)
    low, high = np.quantile(means, (0.025, 0.975))
    return {"mean": round(float(told_.mean()), 4), "low": round(float(low), 4), "high": round(float(high), 4)}


def steered(model: Path, rows: Sequence[Example], how: str, **changes: Any) -> dict[str, Any]:
    """What the likeliest answers are like when all are asked for the same."""
    chat = load_local(HuggingFace(model=str(model), temperature=0, repetition_penalty=1, device="cpu"))
    asked = [told(one, how, **changes) for one in rows]
    said: list[str] = []
    for at in range(0, len(asked), 20):
        talks = [[HumanMessage(text)] for text in asked[at : at + 20]]
        said += [one.text for one in chat.write_all(talks, max_tokens=WORDS, temperature=0)]
    score = load_scorers().score
    levels = [score(one["messages"][0]["content"], text) for one, text in zip(rows, said, strict=True)]
    strong = load_prompt().tokens.mechanisms
    return {
        "asks": interval(["?" in text for text in said]),
        **{name: interval([int(one[name].argmax()) for one in levels]) for name in strong},
        "different answers": len(set(said)),
    }


def main(public: Path, work: Path) -> None:
    """Everything, and results.json."""
    work.mkdir(parents=True, exist_ok=True)
    kept = work / "exchanges.json"
    if not kept.is_file():
        found = exchanges(public / "empathetic_dialogues/train.csv")
        label(found, load_scorers().score)
        kept.write_text(json.dumps(found), "utf-8")
    found = json.loads(kept.read_text("utf-8"))
    held, first, then = found[:HELD], found[HELD : HELD + FIRST], found[HELD + FIRST :]
    began = time.process_time()
    base = work / "base"
    if not (base / "README.md").is_file():
        texts = [message["content"] for one in first for message in one["messages"]]
        cut = tokenizer([*texts, *(told(one, "sentences") for one in first[:500])])
        raw = llama(work / "raw", cut, 128, 3)
        data = written(work / "language", {"train": first, "valid": held}, "nothing")
        run(LANGUAGE, data, base, work=work / "base.run", model=str(raw))
    results: dict[str, Any] = {"rows": {"first": len(first), "then": len(then), "held": len(held)}}
    before: dict[str, list[float]] = {}
    for method in METHODS:
        for how in LINES:
            data = written(work / f"data {how}", {"train": then, "valid": held}, how)
            out = work / f"{method} {how}"
            form = "tokens" if how.startswith("tokens") else "text"
            if not (out / "README.md").is_file():
                recipe = TUNING[method].model_copy(update={"conditions": form})
                run(recipe, data, out, work=work / f"{method} {how}.run", model=str(base))
            before[f"{method} {how}"] = losses(out, data)
    results["seconds of one thread, training and losses"] = round(time.process_time() - began)
    before["base"] = losses(base, written(work / "data nothing", {"train": then, "valid": held}, "nothing"))
    results["loss"] = {name: interval(values) for name, values in before.items()}
    results["less loss than"] = {
        f"{method} {how} than {other}": interval(
            [b - a for a, b in zip(before[f"{method} {how}"], before[f"{method} {other}"], strict=True)]
        )
        for method in METHODS
        for how, other in (
            *(("sentences", "nothing"), ("tokens", "nothing"), ("tokens", "sentences")),
            ("tokens and strengths", "tokens"),
        )
    }
    some, strong = held[:WRITTEN], list(load_prompt().tokens.mechanisms)
    results["steered"] = {
        f"{method} {how}, {name}": steered(work / f"{method} {how}", some, how, **changes)
        for method in METHODS
        for how, asked in {
            "sentences": {f"intent {one}": {"intent": one} for one in ("questioning", "sympathizing")},
            "tokens": {f"intent {one}": {"intent": one} for one in ("questioning", "sympathizing")},
            "tokens and strengths": {
                f"{which} {level}": {"levels": {**dict.fromkeys(strong, 0), which: level}}
                for which in strong
                for level in (0, 2)
            },
        }.items()
        for name, changes in asked.items()
    }
    (work / "results.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(json.dumps(results, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
