"""Figures against values worked out by hand, and intervals against what statistics says of them."""

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.evaluate.metrics import figures, wilson, yes_no
from agent.evaluate.timing import spent, timed

NAMES = ("a", "b", "c")
LABELS = ["a", "a", "a", "b", "b", "c"]
GUESSES = ["a", "a", "b", "b", "c", "c"]


def chosen(guesses: list[str], names: tuple[str, ...] = NAMES) -> NDArray[np.float64]:
    return np.array([[0.8 if name == guess else 0.1 for name in names] for guess in guesses])


def test_f1_and_accuracy_of_a_known_table() -> None:
    measured = figures(chosen(GUESSES), LABELS, NAMES)
    assert measured["n"] == 6
    assert measured["accuracy"] == pytest.approx(4 / 6, abs=1e-4)
    assert measured["macro_f1"] == pytest.approx((0.8 + 0.5 + 2 / 3) / 3, abs=1e-4)
    assert measured["weighted_f1"] == pytest.approx((3 * 0.8 + 2 * 0.5 + 2 / 3) / 6, abs=1e-4)
    assert measured["classes"]["a"] == {
        "n": 3,
        "precision": 1.0,
        "recall": pytest.approx(2 / 3, abs=1e-4),
        "f1": 0.8,
        "taken_for": "b",
    }
    assert measured["classes"]["c"]["taken_for"] == ""


def test_a_label_that_never_occurs_does_not_count_in_macro_f1() -> None:
    measured = figures(chosen(["a", "b"], (*NAMES, "d")), ["a", "b"], (*NAMES, "d"))
    assert measured["macro_f1"] == 1
    assert measured["classes"]["d"]["n"] == 0


def test_what_the_commonest_label_alone_would_reach() -> None:
    measured = figures(chosen(GUESSES), LABELS, NAMES)
    assert measured["majority_accuracy"] == 0.5
    assert measured["majority_macro_f1"] == pytest.approx(2 * 3 / 9 / 3, abs=1e-4)


def test_top_three_is_told_where_there_are_more_than_three_labels() -> None:
    likely = np.array([[0.4, 0.3, 0.2, 0.1], [0.4, 0.3, 0.2, 0.1]])
    assert figures(likely, ["c", "d"], ("a", "b", "c", "d"))["top3"] == 0.5
    assert "top3" not in figures(chosen(GUESSES), LABELS, NAMES)


def test_calibration_error_is_the_gap_between_confidence_and_accuracy() -> None:
    likely = np.array([[0.9, 0.1], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]])
    measured = figures(likely, ["yes", "yes", "no", "no"], ("yes", "no"))
    assert measured["ece"] == pytest.approx((0.1 + 0.4 + 0.2 + 0.7) / 4, abs=1e-4)


def test_how_many_are_sure_and_how_many_of_these_right() -> None:
    sure = np.array([True, False, True, True, False, False])
    measured = figures(chosen(GUESSES), LABELS, NAMES, sure)
    assert (measured["sure"], measured["sure_right"]) == (0.5, pytest.approx(2 / 3, abs=1e-4))
    nobody = figures(chosen(GUESSES), LABELS, NAMES, np.zeros(6, dtype=bool))
    assert nobody["sure"] == 0
    assert "sure_right" not in nobody


def test_ranking_figures_of_a_known_order() -> None:
    measured = yes_no(np.array([0.9, 0.8, 0.4, 0.3]), np.array([True, False, True, False]), 0.5)
    assert measured["auroc"] == 0.75
    assert measured["average_precision"] == pytest.approx((1 + 2 / 3) / 2, abs=1e-4)
    assert measured["accuracy"] == 0.5


def test_equal_probabilities_rank_neither_above_the_other() -> None:
    measured = yes_no(np.array([0.5, 0.5, 0.5, 0.5]), np.array([True, False, True, False]), 0.5)
    assert measured["auroc"] == 0.5
    assert measured["average_precision"] == 0.5


def test_the_bar_decides_sensitivity_and_false_alarms() -> None:
    p, so = np.array([0.9, 0.5, 0.2, 0.6, 0.1]), np.array([True, True, True, False, False])
    at_half = yes_no(p, so, 0.5)
    assert (at_half["sensitivity"]["hits"], at_half["sensitivity"]["n"]) == (2, 3)
    assert at_half["false_alarms"]["share"] == 0.5
    higher = yes_no(p, so, 0.8)
    assert (higher["sensitivity"]["hits"], higher["false_alarms"]["hits"]) == (1, 0)
    assert higher["auroc"] == at_half["auroc"]
    # 0.9 right; 0.5 and 0.6 said no with confidence .5 and .4, 0.2 and 0.1 with .8 and .9
    assert higher["ece"] == pytest.approx((0.1 + 0.5 + 0.8 + 0.6 + 0.1) / 5, abs=1e-4)


def test_one_kind_only_has_no_ranking() -> None:
    measured = yes_no(np.array([0.9, 0.2]), np.array([True, True]), 0.5)
    assert "auroc" not in measured
    assert measured["false_alarms"]["share"] is None


def test_wilson_intervals_are_the_published_ones() -> None:
    assert wilson(8, 10)["share_95"] == [0.4902, 0.9433]
    assert wilson(0, 10)["share_95"] == [0.0, 0.2775]
    assert wilson(0, 0) == {"hits": 0, "n": 0, "share": None, "share_95": []}


def _half_right(lines: int) -> tuple[NDArray[np.float64], list[str]]:
    return chosen(["a", "b"] * (lines // 2)), ["a"] * lines


def test_an_interval_is_as_wide_as_the_normal_approximation_says() -> None:
    low, high = figures(*_half_right(400), NAMES)["accuracy_95"]
    assert (high - low) / 2 == pytest.approx(1.96 * 0.5 / 20, rel=0.1)
    p = np.linspace(0, 1, 300)
    so = np.arange(300) % 3 == 0
    low, high = yes_no(p, so, 0.5)["auroc_95"]
    assert low < 0.5 < high
    assert 0.05 < (high - low) / 2 < 0.1


def test_lines_that_belong_together_are_drawn_together() -> None:
    likely, labels = _half_right(400)
    likely, groups = np.repeat(likely[:100], 4, axis=0), [str(i // 4) for i in range(400)]
    alone, together = (figures(likely, labels, NAMES, groups=g)["accuracy_95"] for g in (None, groups))
    assert (together[1] - together[0]) / (alone[1] - alone[0]) == pytest.approx(2, rel=0.15)


def test_figures_are_the_same_every_time() -> None:
    assert figures(*_half_right(50), NAMES) == figures(*_half_right(50), NAMES)


def test_every_reading_is_timed() -> None:
    seconds: list[float] = []
    read = timed(str.upper, seconds)
    assert [read("a"), read("b")] == ["A", "B"]
    assert len(seconds) == 2
    assert spent([0.001] * 9 + [0.011]) == {
        "texts": 10,
        "p50_ms": 1.0,
        "p95_ms": pytest.approx(6.5),
        "texts_per_second": 500.0,
    }
    assert spent([]) == {"texts": 0}


def test_few_lines_alone_show_some_error_of_calibration_and_many_show_little() -> None:
    rng = np.random.default_rng(1)

    def chance(count: int) -> float:
        p = rng.random(count)
        return yes_no(p, rng.random(count) < p, 0.5)["ece_by_chance"]

    few, many = chance(60), chance(6000)
    assert few > 0.05
    assert many < 0.02
