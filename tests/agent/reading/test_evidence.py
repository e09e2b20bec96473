"""Evidence: clauses and words with their shares, from made-up marks."""

import re

import numpy as np
import pytest

from agent.reading.evidence import PASSES, carried, clauses, evidence, word_weights
from agent.reading.heads import Marks

TEXT = "I went to the shop, and my heart is broken because she left."


def marks_of(text: str) -> Marks:
    """One token a word; output 0 is told by "broken" most and by "left" a little, output 1 by nothing."""
    words = list(re.finditer(r"\w+", text))
    tokens = np.zeros((len(words), 2), dtype=np.float32)
    for row, word in enumerate(words):
        tokens[row, 0] = {"broken": 6.0, "left": 2.0}.get(word.group(), 0.0)
    mean = tokens.mean(axis=0) if len(tokens) else np.zeros(2, dtype=np.float32)
    return Marks(logits=mean, parts=mean[None], spans=[word.span() for word in words], tokens=tokens)


def said(pieces: list, text: str = TEXT) -> list[str]:
    return [text[piece["start"] : piece["end"]] for piece in pieces]


def test_clauses_are_cut_at_commas_and_joining_words() -> None:
    assert [TEXT[a:b] for a, b in clauses(TEXT)] == [
        "I went to the shop",
        "and my heart is broken",
        "because she left",
    ]


@pytest.mark.parametrize("text", ["", "  ", "...", "?!", "\n\n", "😀😀", "a", "no", "and and", "x" * 5000])
def test_odd_texts_have_clauses_inside_them_or_none(text: str) -> None:
    for start, end in clauses(text):
        assert 0 <= start < end <= len(text)
        assert text[start:end] == text[start:end].strip()
    assert isinstance(carried(text, marks_of(text), 0), list)


def test_words_above_the_mean_share_the_weight() -> None:
    words = word_weights(TEXT, marks_of(TEXT), 0)
    assert said(words) == ["broken", "left."]
    assert sum(word["weight"] for word in words) == pytest.approx(1, abs=1e-3)
    assert words[0]["weight"] > words[1]["weight"]


def test_the_heaviest_clause_comes_first() -> None:
    assert said(carried(TEXT, marks_of(TEXT), 0)) == ["and my heart is broken", "because she left"]


def test_nothing_speaks_for_a_label_that_no_word_tells() -> None:
    assert carried(TEXT, marks_of(TEXT), 1) == []


def test_leaving_out_clauses_ranks_them_by_what_is_lost() -> None:
    read: list[str] = []

    def spy(text: str) -> Marks:
        read.append(text)
        return marks_of(text)

    found = evidence(TEXT, spy, lambda logits: float(logits[0]), 0)
    assert said(found)[0] == "and my heart is broken"
    assert len(read) <= 1 + PASSES


def test_a_long_message_takes_no_more_than_five_further_passes() -> None:
    text, read = "one thing, " * 40 + TEXT, []

    def spy(text: str) -> Marks:
        read.append(text)
        return marks_of(text)

    found = evidence(text, spy, lambda logits: float(logits[0]), 0)
    assert len(read) == 1 + PASSES
    assert said(found, text)[0] == "and my heart is broken"


def test_a_message_of_one_clause_is_its_own_evidence_without_a_further_pass() -> None:
    found = evidence("she left", marks_of, lambda logits: float(logits[0]), 0)
    assert [(piece["start"], piece["end"], piece["weight"]) for piece in found] == [(0, 8, 1.0)]
