"""Does the evidence point where people pointed? Token F1 with human spans.

IRF's annotators marked the words that show an interpersonal risk (Garg et al., 2023); EPITOME's the words
of a reply that carry a mechanism of empathy (Sharma et al., 2020), which is set against the nearest intent.
Knows nothing of how the evidence is found. Prints no text.
"""

import random
import re
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from agent.brief import Evidence
from agent.reading.encoder import Encoder
from agent.reading.evidence import carried, clauses, evidence, word_weights
from agent.tables import rows

__all__ = ["against_people"]

MOST = 150  # texts of one set; leaving clauses out takes six passes each
# EPITOME's mechanisms -> the intent that is nearest to them.
MECHANISMS = {
    "emotional-reactions": "sympathizing",
    "interpretations": "acknowledging",
    "explorations": "questioning",
}
Pick = Callable[[str, int], Sequence[Evidence]]


def against_people(data: Path, encoder: Encoder) -> dict[str, dict[str, float]]:
    """Set -> n and the mean token F1 of each way to pick evidence, of a random clause, of all words."""
    found = {}
    columns = ("split", "risk", "post", "label", "human_evidence_span")
    marks = list(rows(data / "human_labels/irf.csv", *columns))
    for risk in ("thwarted belongingness", "perceived burdensomeness"):
        marked = [
            (r["post"], r["human_evidence_span"])
            for r in marks
            if r["split"] == "val"
            and r["risk"] == risk
            and r["label"] == "1"
            and r["human_evidence_span"] in r["post"]
        ]
        if marked and risk in encoder.heads.named["facets"].labels:
            found[f"IRF, {risk}"] = _scored(marked, encoder, encoder.heads.column("facets", risk))
    for mechanism, intent in MECHANISMS.items():
        path = data / f"epitome/{mechanism}-reddit.csv"
        marked = [
            (r["response_post"], r["rationales"])
            for r in rows(path, "sp_id", "response_post", "level", "rationales")
            if r["rationales"].strip("|") and len(clauses(r["response_post"])) > 1
        ]
        found[f"EPITOME, {mechanism}"] = _scored(marked, encoder, encoder.heads.column("expressed", intent))
    return {name: row for name, row in found.items() if row["n"]}


def _scored(marked: Sequence[tuple[str, str]], encoder: Encoder, column: int) -> dict[str, float]:
    rng = random.Random(0)  # noqa: S311 - not for secrets
    ways: dict[str, Pick] = {
        "words": lambda text, c: word_weights(text, encoder.marks(text), c),
        "clauses": lambda text, c: _half(carried(text, encoder.marks(text), c)),
        "occlusion": lambda text, c: _half(evidence(text, encoder.marks, lambda logits: float(logits[c]), c)),
        "random": lambda text, _: [
            Evidence(start=a, end=b, weight=1.0) for a, b in [rng.choice(clauses(text) or [(0, len(text))])]
        ],
        "whole": lambda text, _: [Evidence(start=0, end=len(text), weight=1.0)],
    }
    some = list(marked)[:: max(1, len(marked) // MOST)]
    scores = {
        name: [_f1(text, pick(text, column), gold) for text, gold in some] for name, pick in ways.items()
    }
    return {
        "n": float(len(some)),
        **{name: round(float(np.mean(each)), 4) if each else 0.0 for name, each in scores.items()},
    }


def _half(pieces: Sequence[Evidence]) -> list[Evidence]:
    """The heaviest pieces that together hold half of the weight."""
    taken: list[Evidence] = []
    for piece in pieces:
        if sum(one["weight"] for one in taken) >= 0.5:
            break
        taken.append(piece)
    return taken


def _f1(text: str, pieces: Sequence[Evidence], gold: str) -> float:
    """F1 over word positions: the marked ones are those of each marked piece's first occurrence."""
    words = [match.span() for match in re.finditer(r"\w+", text)]
    spans = [(text.find(part), len(part)) for part in gold.split("|") if part.strip()]
    real = {
        i
        for i, (a, _) in enumerate(words)
        for start, size in spans
        if start >= 0 and start <= a < start + size
    }
    said = {i for i, (a, _) in enumerate(words) for piece in pieces if piece["start"] <= a < piece["end"]}
    both = len(real & said)
    return 2 * both / (len(real) + len(said)) if real or said else 0.0
