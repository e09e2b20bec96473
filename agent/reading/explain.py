"""IMHI-style explanations: for each facet a sentence `<label>. Reasoning: <...>`.

Built from the label, the model's confidence, the clauses that carried it (`agent.reading.evidence`)
and the likeliest cause; or, where a language model is passed, that model's answer to the benchmark's
own prompt (Yang et al., WWW 2024). For researchers and the panel's developer depth, which is off by
default: a label is never spoken to the person. An explanation says what the model looked at; it is
no finding about anybody. Knows nothing of the conversation or of risk.
"""

import string
from collections.abc import Callable, Sequence
from functools import cache
from typing import TypedDict

from pydantic import Field

from agent.brief import Evidence
from agent.reading.encoder import Encoder
from agent.reading.evidence import carried, evidence
from agent.reading.heads import Facets
from agent.words import Strict, load

__all__ = ["Explanation", "explanations", "load_facet_words"]

QUOTES = 2  # clauses an explanation quotes, at most
CAUSED = frozenset({"depression", "stress"})  # facets whose explanation names a cause


class Confidence(Strict):
    """Words for a probability of at least `least`; $p is the number."""

    least: float = Field(alias="from")
    words: str


class FacetWords(Strict):
    """The schema of agent/words/facets.yaml."""

    reviewed_by: str | None
    facets: dict[str, tuple[str, str]]
    choices: dict[str, str]
    confidence: tuple[Confidence, ...]
    evidence: str
    no_evidence: str
    cause: str
    quote: str
    prompt: str
    questions: dict[str, str]


class Explanation(TypedDict):
    """One facet or cause: its name, label, probability of that label, evidence, and the sentence."""

    facet: str
    label: str
    p: float
    evidence: list[Evidence]
    text: str


@cache
def load_facet_words() -> FacetWords:
    """The words. Raises WordsError when the file breaks its schema."""
    return load("facets.yaml", FacetWords)


def explanations(
    text: str, encoder: Encoder, *, passes: bool = False, ask: Callable[[str], str] | None = None
) -> list[Explanation]:
    """One explanation for each facet and cause the reading model has a head for.

    passes: also leave clauses out one at a time, up to five further passes a facet; otherwise
    everything comes from one pass. ask: prompt -> answer of a language model, used as the sentence.
    """
    marks = encoder.marks(text)
    words = load_facet_words()
    found: list[Explanation] = []
    for name, head in encoder.heads.named.items():
        if isinstance(head, Facets):
            for label, p in zip(head.labels, head.likely(marks.logits), strict=True):
                column = encoder.heads.column(name, label)
                yes = float(p) >= 0.5
                pieces = _evidence(text, encoder, column, passes=passes) if yes else []
                found.append(
                    _explained(
                        text, label, words.facets[label][0 if yes else 1], float(p if yes else 1 - p), pieces
                    )
                )
        elif name in words.choices:
            likely = head.likely(marks.logits)
            best = int(likely.argmax())
            label = head.labels[best]
            pieces = _evidence(text, encoder, encoder.heads.column(name, label), passes=passes)
            sentence = string.Template(words.choices[name]).substitute(label=label)
            found.append(_explained(text, name, sentence, float(likely[best]), pieces))
    return [_asked(text, one, ask) if ask else one for one in _with_causes(found)]


def _evidence(text: str, encoder: Encoder, column: int, *, passes: bool) -> list[Evidence]:
    if not passes:
        return carried(text, encoder.marks(text), column)
    return evidence(text, encoder.marks, lambda logits: float(logits[column]), column)


def _explained(text: str, facet: str, label: str, p: float, pieces: Sequence[Evidence]) -> Explanation:
    words = load_facet_words()
    quotes = [
        string.Template(words.quote).substitute(words=text[e["start"] : e["end"]]) for e in pieces[:QUOTES]
    ]
    sure = next(c.words for c in words.confidence if p >= c.least)
    confidence = string.Template(sure).substitute(p=f"{p:.2f}")
    rests = (
        string.Template(words.evidence).substitute(quotes=", ".join(quotes)) if quotes else words.no_evidence
    )
    return Explanation(
        facet=facet,
        label=label,
        p=round(p, 4),
        evidence=list(pieces),
        text=f"{label}. Reasoning: {confidence}, {rests}.",
    )


def _with_causes(found: Sequence[Explanation]) -> list[Explanation]:
    """The causes put behind what they may be causes of, where that is said to be there."""
    words = load_facet_words()
    causes = {f"{name}_cause": name for name in CAUSED}
    said = {causes[one["facet"]]: one["label"] for one in found if one["facet"] in causes}
    out = []
    for one in found:
        behind = said.get(one["facet"], "") if one["label"].startswith("Yes") else ""
        cause = string.Template(words.cause).substitute(label=behind.rpartition(" related to ")[2])
        out.append(Explanation(**{**one, "text": f"{one['text']} {cause}" if behind else one["text"]}))
    return out


def _asked(text: str, one: Explanation, ask: Callable[[str], str]) -> Explanation:
    words = load_facet_words()
    prompt = string.Template(words.prompt).substitute(post=text, question=words.questions[one["facet"]])
    return Explanation(**{**one, "text": ask(prompt).strip()})
