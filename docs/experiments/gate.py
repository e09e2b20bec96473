"""Two small models that share a tokenizer and can read a whole prompt of the app, to try the gate on.

    python -m docs.experiments.gate DATA WORK

DATA is the folder of public sets. WORK/large and WORK/small are written: Llamas that have learned, from
nothing, how people answer one another in EmpatheticDialogues; what is there is not made again. The
adapter, the proxy pair and the gate itself are commands: docs/experiments/gate.md.
"""

import json
import sys
from pathlib import Path

from agent.prompt import load_prompt
from agent.train.lora import run
from agent.train.lora_recipe import Recipe
from docs.experiments.emotion_tokens import exchanges, written
from docs.experiments.proxy_tuning import llama, tokenizer

TOKENS, READS = 2000, 4096
HELD, LEARNED = 100, 3000
SIZES = {"large": (128, 3), "small": (64, 2)}  # width and layers
LANGUAGE = Recipe(
    about="Language, from nothing.", method="full", epochs=2, batch=16, rate=4e-3, schedule="cosine",
    warmup=0.05, length=200, too_long="drop", samples=0,
)  # fmt: skip


def main(public: Path, work: Path) -> None:
    """Both models."""
    work.mkdir(parents=True, exist_ok=True)
    kept = work / "exchanges.json"
    if not kept.is_file():
        kept.write_text(json.dumps(exchanges(public / "empathetic_dialogues/train.csv")), "utf-8")
    found = json.loads(kept.read_text("utf-8"))
    held, first = found[:HELD], found[HELD : HELD + LEARNED]
    texts = [message["content"] for one in first for message in one["messages"]]
    words = load_prompt()
    # the words of the prompt too, often enough that most are one token each
    cut = tokenizer(texts + [words.system, *words.notes.values()] * 50, TOKENS)
    data = written(work / "language", {"train": first, "valid": held}, "nothing")
    losses = {}
    for name, (hidden, layers) in SIZES.items():
        if not (work / name / "README.md").is_file():
            raw = llama(work / f"{name}.raw", cut, hidden, layers, READS)
            told = run(LANGUAGE, data, work / name, work=work / f"{name}.run", model=str(raw))
            losses[name] = told["validation loss"]
    print(json.dumps(losses, indent=1))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
