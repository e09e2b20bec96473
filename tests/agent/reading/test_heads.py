"""From logits to a reading: probabilities, what may be named, and cards that do not fit."""

from typing import Any

import numpy as np
import pytest

from agent.reading.heads import Heads, heads_of

CARD: dict[str, Any] = {
    "emotions": 2,
    "sure": 0.6,
    "want": 0.7,
    "danger": {"moderate": 0.5, "high": 0.6, "imminent": 0.9},
    "heads": {
        "expressed": {"labels": ["sad", "glad", "asking"], "temperature": 1.0},
        "want": {"labels": ["vent", "advice"], "temperature": 2.0},
        "danger": {"labels": ["none", "low", "moderate", "high", "imminent"], "temperature": 1.0},
        "facets": {"labels": ["stress", "other"], "scale": [1.0, 2.0], "shift": [0.0, 1.0]},
    },
}


def heads(**changes: Any) -> Heads:
    return heads_of({**CARD, **changes})


def logits(expressed: list[float], want: list[float], danger: list[float], facets: list[float]) -> Any:
    return np.array([*expressed, *want, *danger, *facets], dtype=np.float32)


CALM = [9.0, 0.0, 0.0, 0.0, 0.0]


def test_emotions_and_intents_are_shares_of_their_own() -> None:
    heard = heads().read(logits([2.0, 1.0, 3.0], [0, 0], CALM, [0, 0]))
    assert [s["label"] for s in heard["emotions"]] == ["sad", "glad"]
    assert sum(s["p"] for s in heard["emotions"]) == pytest.approx(1, abs=1e-3)
    assert heard["intents"] == [{"label": "asking", "p": 1.0}]


def test_a_feeling_is_sure_against_intents_too() -> None:
    assert heads().read(logits([3.0, 0.0, 0.0], [0, 0], CALM, [0, 0]))["sure"]
    assert not heads().read(logits([3.0, 0.0, 3.0], [0, 0], CALM, [0, 0]))["sure"]


def test_a_want_below_its_bar_is_not_taken() -> None:
    assert heads().read(logits([0, 0, 0], [0, 4.0], CALM, [0, 0]))["want"] == "advice"
    assert heads().read(logits([0, 0, 0], [0, 1.0], CALM, [0, 0]))["want"] == ""


@pytest.mark.parametrize(
    ("scores", "level"),
    [
        (CALM, "none"),
        ([0, 9, 0, 0, 0], "none"),
        ([0, 0, 9, 0, 0], "moderate"),
        ([0, 0, 0, 9, 0], "high"),
        ([0, 0, 0, 0, 9], "imminent"),
        ([0, 0, 0, 9, 9.5], "high"),  # imminent is likely, not likely enough
        ([2.5, 0, 2, 2, 0], "moderate"),  # moderate or worse is likelier than not
    ],
)
def test_danger_is_held_at_the_worst_level_that_passes_its_bar(scores: list[float], level: str) -> None:
    assert heads().read(logits([0, 0, 0], [0, 0], scores, [0, 0]))["danger"] == level


def test_a_model_without_a_head_reads_on_without_it() -> None:
    only = {"expressed": CARD["heads"]["expressed"]}
    heard = heads(heads=only).read(np.zeros(3, dtype=np.float32))
    assert (heard["want"], heard["danger"], heard["heads"]) == ("", "none", {})


def test_a_facet_is_scaled_and_shifted() -> None:
    facets = heads().read(logits([0, 0, 0], [0, 0], CALM, [0.0, 0.0]))["heads"]["facets"]
    assert [(s["label"], s["p"]) for s in facets] == [("stress", 0.5), ("other", pytest.approx(0.7311))]


def test_extreme_numbers_give_probabilities_all_the_same() -> None:
    heard = heads().read(logits([1e4, -1e4, 0], [0, 0], CALM, [1e6, -1e6]))
    assert all(0 <= s["p"] <= 1 for s in [*heard["emotions"], *heard["heads"]["facets"]])


@pytest.mark.parametrize(
    "broken",
    [
        {"heads": {"expressed": {"labels": ["sad", "sad"], "temperature": 1.0}}},
        {"heads": {"facets": {"labels": ["stress"], "scale": [1.0, 2.0], "shift": [0.0]}}},
        {"heads": {"facets": {"labels": ["stress"]}}},
        {"emotions": None},
    ],
)
def test_a_card_that_does_not_fit_is_refused(broken: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        heads(**broken)


def test_danger_in_one_stretch_of_a_long_text_is_danger() -> None:
    calm, alarm = (logits([0, 0, 0], [0, 0], scores, [0, 0]) for scores in (CALM, [0, 0, 0, 9.0, 0]))
    parts = np.stack([calm, calm, alarm, calm])
    assert heads().read(parts.mean(axis=0), parts)["danger"] == "high"
    assert heads().read(calm, np.stack([calm, calm]))["danger"] == "none"


def test_what_a_message_does_is_taken_from_its_bar_on_where_the_model_has_that_head() -> None:
    told = {"telling": {"labels": ["kindness", "guilt"], "temperature": 1.0}}
    knowing = heads(heads={**CARD["heads"], **told}, telling=0.8)
    plain = logits([0, 0, 0], [0, 0], CALM, [0, 0])
    assert knowing.read(np.append(plain, [3.0, 0.0]))["telling"] == "kindness"
    assert knowing.read(np.append(plain, [1.0, 0.0]))["telling"] == ""
    assert heads().read(plain)["telling"] == ""
