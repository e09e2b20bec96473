"""Danger in posts by the heads, in our own cases by a whole reading; all shares worked out by hand."""

from pathlib import Path
from typing import Any

import pytest

from agent.errors import DataError
from agent.evaluate import tasks
from agent.evaluate.risk import CASE_COLUMNS, CASES
from agent.reading.assess import no_risk
from agent.reading.ladder import LEVELS, Risk
from tests.agent.evaluate.reading import look, write_csv


def heard(text: str) -> Risk:
    """A reading that finds the level named in the text, and escalates where an ! stands."""
    level = next((level for level in LEVELS if level in text), "none")
    return {**no_risk(), "level": level, "escalate": "!" in text}


@pytest.fixture
def cases(tmp_path: Path) -> Path:
    rows = [
        ("open", "suicide", "imminent", "", "yes", "self", "imminent!"),
        ("open", "suicide", "imminent", "", "yes", "self", "moderate!"),
        ("open", "suicide", "high", "moderate", "yes", "other", "moderate"),
        ("open", "abuse", "moderate", "", "yes", "self", "moderate!"),
        ("open", "abuse", "moderate", "", "no", "self", "moderate"),
        ("open", "abuse", "moderate", "none low", "no", "self", "none"),
        ("open", "abuse", "low", "", "no", "self", "low!"),
        ("open", "abuse", "none", "low", "no", "child", "high"),
        ("sealed", "abuse", "high", "", "yes", "self", "none"),
    ]
    write_csv(tmp_path / "cases.csv", CASE_COLUMNS, rows)
    return tmp_path


def told(table: dict[str, Any]) -> dict[str, tuple[int, int]]:
    return {name: (share["hits"], share["n"]) for name, share in table.items()}


def test_cases_are_judged_as_a_whole_and_by_each_column(cases: Path) -> None:
    report = tasks.cases(cases, {"whole": heard})
    table = report["cases"]["whole"]
    assert told(table["all"]["all"]) == {
        "severe": (2, 3),
        "moderate": (1, 1),
        "false_alarms": (1, 4),
        "level": (6, 8),
        "under_by_two": (1, 8),
    }
    assert list(table["level"]) == ["none", "low", "moderate", "high", "imminent"]
    assert told(table["level"]["imminent"])["severe"] == (1 + 1, 2)
    assert told(table["subject"]["other"])["severe"] == (0, 1)
    assert told(table["kind"]["abuse"])["false_alarms"] == (1, 4)
    assert table["kind"]["abuse"]["severe"]["share"] is None
    assert table["all"]["all"]["severe"]["share_95"] == [0.2077, 0.9385]
    assert report["speed"]["texts"] == 8


def test_the_sealed_part_is_read_only_when_asked_for(cases: Path) -> None:
    assert told(tasks.cases(cases, {"x": heard}, part="sealed")["cases"]["x"]["all"]["all"])["severe"] == (
        0,
        1,
    )
    whole = tasks.cases(cases, {"x": heard}, part="all")["cases"]["x"]
    assert told(whole["part"]["sealed"])["under_by_two"] == (1, 1)
    assert told(whole["all"]["all"])["severe"] == (2, 4)


def test_a_limit_spreads_over_the_cases(cases: Path) -> None:
    read: list[str] = []

    def spy(text: str) -> Risk:
        read.append(text)
        return heard(text)

    tasks.cases(cases, {"x": spy}, limit=2)
    assert read == ["imminent!", "moderate"]


@pytest.mark.parametrize(("place", "value"), [(0, "shut"), (2, "dire"), (3, "dire"), (4, "perhaps")])
def test_a_case_with_an_unknown_word_is_named(place: int, value: str, tmp_path: Path) -> None:
    row = ["open", "abuse", "low", "", "no", "self", "a"]
    row[place] = value
    path = write_csv(tmp_path / "cases.csv", CASE_COLUMNS, [row])
    with pytest.raises(DataError, match=rf"cases\.csv, column '{CASE_COLUMNS[place]}'"):
        tasks.cases(path, {"x": heard})


def test_a_part_without_cases_is_told(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "cases.csv", CASE_COLUMNS, [("open", "abuse", "low", "", "no", "self", "a")])
    with pytest.raises(DataError, match="--part"):
        tasks.cases(path, {"x": heard}, part="sealed")


def test_our_own_cases_are_all_well_formed() -> None:
    files = tasks.case_files(CASES)
    assert len(files) == len(list(CASES.glob("*.csv")))
    report = tasks.cases(CASES, {"calm": lambda text: no_risk()}, part="all")
    everything = report["cases"]["calm"]["all"]["all"]
    assert everything["severe"]["hits"] == everything["false_alarms"]["hits"] == 0
    assert everything["under_by_two"]["n"] > 2000


def test_posts_are_at_risk_from_ideation_on(tmp_path: Path) -> None:
    rows = [
        ("[attempt] [danger:high]", "attempt", "u1"),
        ("[behavior]", "ideation", "u1"),
        ("[indicator]", "ideation", "u2"),
        ("[supportive]", "supportive", "u3"),
        ("[ideation]", "indicator", "u4"),
    ]
    write_csv(tmp_path / "posts.csv", ("post", "label", "sheet"), rows)
    report = tasks.risk(tmp_path, look, bars={"danger": 0.95})
    classes, cssrs, danger = report["rows"]
    assert (classes["view"], classes["n"], classes["accuracy"]) == ("C-SSRS classes", 5, 0.4)
    assert (cssrs["head"], cssrs["bar"]) == ("cssrs", 0.5)
    assert (cssrs["sensitivity"]["hits"], cssrs["sensitivity"]["n"]) == (2, 3)
    assert (cssrs["false_alarms"]["hits"], cssrs["false_alarms"]["n"]) == (1, 2)
    assert cssrs["accuracy"] == 0.6
    # pairs of at risk and not: the two heard win against one and tie with the other; the third loses and ties
    assert cssrs["auroc"] == pytest.approx((1.5 + 1.5 + 0.5) / 6, abs=1e-4)
    assert (danger["bar"], danger["sensitivity"]["hits"]) == (0.95, 0)


def test_tweets_and_subreddit_posts_are_flagged_or_not(tmp_path: Path) -> None:
    write_csv(tmp_path / "tweets.csv", ("tweet", "intention"), [("[attempt]", "1"), ("[supportive]", "0")])
    write_csv(
        tmp_path / "sdcnl.csv",
        ("title", "selftext", "is_suicide"),
        [("[attempt]", "a", "1"), ("b", "c", "0")],
    )
    rows = tasks.risk(tmp_path, lambda text: {"cssrs": look(text)["cssrs"]})["rows"]
    assert [(row["view"], row["n"], row["auroc"]) for row in rows] == [
        ("SDCNL", 2, 1.0),
        ("suicidal tweets", 2, 1.0),
    ]


def test_an_unknown_class_is_named(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "posts.csv", ("post", "label", "sheet"), [("a", "severe", "1")])
    with pytest.raises(
        DataError, match=r"posts\.csv, column 'label': label 'severe' is not one of supportive"
    ):
        tasks.risk(path, look)
