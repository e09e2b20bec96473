"""MODEL_CARD.md from labels.json: the words of card.md beside this file, and tables of its figures.

Knows nothing of how a figure came about; prints what it is given.
"""

import string
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from agent.train.calibrate import HARD, PLAIN

__all__ = ["render", "summary"]

CLASSES = ("emotions", "intents", "want", "stress_cause", "danger")  # heads whose labels are shown one by one


def render(card: Mapping[str, Any]) -> str:
    """The card. Raises KeyError when labels.json lacks something the words ask for."""
    recipe = card["recipe"]
    runs = [*(run["recipe"] for run in card["after"]), recipe]
    fields = {
        "frozen": recipe["frozen"],
        "rate": runs[0]["rate"],
        "seed": recipe["seed"],
        "sure": card["sure"],
        "want": card.get("want", "never"),
        "telling": card.get("telling", "never"),
        "danger": ", ".join(f"{bar}" for bar in card.get("danger", {}).values()),
        "plain": ", ".join(f"{level} {share:.2%}" for level, share in PLAIN.items()),
        "hard": f"{HARD:.0%}",
        "further": " --further" if card["after"] else "",
        "passes": "; then ".join(
            ", ".join(f"{name} {times:g}" for name, times in run["passes"].items()) for run in runs
        ),
        "shares": ", ".join(f"{name} {_span(found)}" for name, found in card["shares"].items()),
        "probe": ", ".join(f"{name} {_span(found)}" for name, found in card.get("probe", {}).items())
        or "none",
        "second": ", ".join(f"{name} {_span(found)}" for name, found in card.get("second", {}).items())
        or "none",
        "rows": "\n".join(f"| {name} | {count:,} |" for name, count in card["rows"].items()),
        "data": "\n".join(f"- `{name}` `{digest}`" for name, digest in card["data"].items()),
        "tables": "\n\n".join(_tables(card["report"])),
        "fidelity": "\n".join(_fidelity(card["fidelity"])),
        "permissive": _permissive(card),
        "evidence": _evidence(card.get("evidence", {})),
        "classes": "\n\n".join(_classes(card["report"])),
    }
    words = Path(__file__).with_suffix(".md").read_text("utf-8")
    return string.Template(words).substitute(fields)


def summary(card: Mapping[str, Any]) -> str:
    """The figures, a line each, for the terminal."""
    lines = []
    for head, sources in card["report"].items():
        for source, found in sources.items():
            names = ("accuracy", "weighted_f1", "macro_f1", "ece", *(["auroc"] if "auroc" in found else []))
            told = ", ".join(f"{name} {found[name]:.3f}" for name in names)
            lines.append(f"{head}, {source}: n {found['n']}, {told}")
    return "\n".join(lines)


def _tables(report: Mapping[str, Any]) -> Iterator[str]:
    for head, sources in report.items():
        ranked = any("auroc" in found for found in sources.values())
        last = "AUROC" if ranked else "top 3"
        lines = [
            f"**{head}**",
            "",
            f"| held-out texts | n | accuracy | weighted F1 | macro F1 | {last} | ECE | ECE by chance |",
            "|---|---|---|---|---|---|---|---|",
        ]
        for source, found in sources.items():
            key = "auroc" if ranked else "top3"
            cells = [_cell(found, name) for name in ("accuracy", "weighted_f1", "macro_f1", key)]
            lines.append(f"| {source} | {found['n']:,} | {' | '.join(cells)} | {_calibration(found)} |")
        sure = {source: found for source, found in sources.items() if "sure" in found}
        if sure:
            lines += ["", "| may it be acted upon? | sure | right when sure |", "|---|---|---|"]
            lines += [
                f"| {source} | {found['sure']:.1%} | {_cell(found, 'sure_right')} |"
                for source, found in sure.items()
            ]
        yield "\n".join(lines)


def _permissive(card: Mapping[str, Any]) -> str:
    if "permissive" not in card:
        return "Not measured."
    told = [] if card.get("permissive_probe") else ["(Measured without a probe.)"]
    return "\n\n".join([*told, *_tables(card["permissive"])])


def _cell(found: Mapping[str, Any], name: str) -> str:
    if name not in found:
        return "–"
    low, high = found[f"{name}_95"]
    return f"{found[name]:.3f} ({low:.3f}–{high:.3f})"


def _calibration(found: Mapping[str, Any]) -> str:
    """What was measured, and what the fewness of the texts alone would show."""
    chance = found.get("ece_by_chance")
    return f"{found['ece']:.3f} | {'–' if chance is None else f'{chance:.3f}'}"


def _span(shares: Sequence[float]) -> str:
    """One share where all labels have the same, else the least and the most."""
    low, high = min(shares), max(shares)
    return f"{low:.0%}" if low == high else f"{low:.0%} to {high:.0%}"


def _fidelity(fidelity: Mapping[str, Mapping[str, float]]) -> Iterator[str]:
    for head, found in fidelity.items():
        yield f"| {head} | {found['n']} | {found['torch']:.3f} | {found['int8']:.3f} | {found['agree']:.1%} |"


def _evidence(found: Mapping[str, Mapping[str, float]]) -> str:
    if not found:
        return "Not measured."
    lines = [
        "Token F1 of the words picked as evidence with what people marked, on held-out texts:",
        "",
        "| human evidence | n | words, one pass | clauses, one pass | clauses left out, 5 passes "
        "| a random clause "
        "| all words |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in found.items():
        cells = (row[key] for key in ("words", "clauses", "occlusion", "random", "whole"))
        lines.append(f"| {name} | {row['n']:.0f} | " + " | ".join(f"{cell:.3f}" for cell in cells) + " |")
    return "\n".join(lines)


def _classes(report: Mapping[str, Any]) -> Iterator[str]:
    for head in CLASSES:
        for source, found in report.get(head, {}).items():
            lines = [
                f"{head}, {source}:",
                "",
                "| label | n | precision | recall | F1 | most often taken for |",
                "|---|---|---|---|---|---|",
            ]
            for label, one in found["classes"].items():
                shares = " | ".join(f"{one[name]:.2f}" for name in ("precision", "recall", "f1"))
                if one["n"]:
                    lines.append(f"| {label} | {one['n']} | {shares} | {one['taken_for'] or '–'} |")
            yield "\n".join(lines)
