"""The model card of a tuned model, from its report and lora_card.md. Knows nothing else."""

from collections.abc import Iterator
from pathlib import Path
from string import Template
from typing import Any

from agent.words import Strict, load

__all__ = ["card"]

CARD = Path(__file__).with_suffix(".md")
TASKS = Path(__file__).with_name("lora_card_tasks.md")
PREFERENCES = Path(__file__).with_name("lora_card_preferences.md")


class Measures(Strict):
    """The file lora_card_measures.yaml."""

    replies: str
    preferences: str


def card(report: dict[str, Any]) -> str:
    """The card as Markdown."""
    sources = report["data"]["sources"]
    told: dict[str, int] = {}
    for sample in report["samples"]:
        for rule, count in sample["held back"].items():
            told[rule] = told.get(rule, 0) + count
    measures = load("lora_card_measures.yaml", Measures, CARD.parent)
    return Template(CARD.read_text("utf-8")).substitute(
        model=report["model"],
        library="transformers" if report["method"] == "full" else "peft",
        method=report["method"],
        about=report["recipe"]["about"],
        weights=f"{report['weights that learned']:,}",
        steps=report["steps"],
        tasks="\n\n".join(_parts(report)),
        measure=getattr(measures, report["recipe"]["objective"]),
        sources="\n".join(f"- {name}: {count} examples" for name, count in sources.items()),
        train=report["data"]["train.jsonl"],
        valid=report["data"]["valid.jsonl"],
        losses="\n".join(
            f"| {one['step']} | {one['epoch']:g} | {one['loss']:.4f} |" for one in report["validation loss"]
        ),
        samples=len(report["samples"]),
        held=sum(told.values()),
        rules=", ".join(f"{rule} {count}" for rule, count in told.items()) or "none",
    )


def _parts(report: dict[str, Any]) -> Iterator[str]:
    """What only some models need told."""
    if "imhi" in report["data"]["sources"]:
        yield TASKS.read_text("utf-8").strip()
    if found := report.get("preferences"):
        rows = "\n".join(f"| {one['step']} | {one['accuracy']:.1%} | {one['margin']:.3f} |" for one in found)
        yield Template(PREFERENCES.read_text("utf-8").strip()).substitute(preferences=rows)
