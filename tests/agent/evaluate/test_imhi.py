"""The IMHI benchmark's table from small made-up files, and the human labels behind it."""

from pathlib import Path
from typing import Any

import pytest

from agent.errors import DataError
from agent.evaluate import tasks
from agent.evaluate.imhi import part_of
from tests.agent.evaluate.reading import look, write_csv

COLUMNS = ("query", "gpt-3.5-turbo")
STRESS = "Does the poster suffer from stress?"
BELONGING = "Does the post show risk of thwarted belongingness?"
BURDEN = "Does the post show risk of perceived burdensomeness?"


def asked(post: str, question: str) -> str:
    return f'Consider this post: "{post}" Question: {question}'


def table(data: Path) -> dict[str, dict[str, Any]]:
    return {row["view"]: row for row in tasks.imhi(data, look)["rows"]}


def test_one_row_a_set_in_the_benchmarks_order(tmp_path: Path) -> None:
    yes, no = (
        "Yes, the poster suffers from stress. Reasoning: no rest.",
        "No, they do not. Reasoning: yes, but.",
    )
    posts = [
        ("[stress] a", yes),
        ("b", no),
        ("[stress] c", no),
        ("d", yes),
        ("e", "Hard to say. Reasoning: yes."),
    ]
    write_csv(tmp_path / "dreaddit.csv", COLUMNS, [(asked(post, STRESS), gold) for post, gold in posts])
    causes = [
        ("[school] a", "This post shows the stress cause related to school. Reasoning: work is hard."),
        ("[other causes] b", "This post shows other stress causes. Reasoning: family issues."),
        ("[work] c", "This post shows the stress cause related to social relationships. Reasoning: x"),
    ]
    question = "What is the stress cause of this post?"
    write_csv(tmp_path / "SAD.csv", COLUMNS, [(asked(post, question), gold) for post, gold in causes])
    depression = [
        ("[none] a", "This post shows no causes. Reasoning: relationship."),
        ("[jobs and careers] b", "This post shows the cause related to jobs and careers. Reasoning: x"),
        ("[alienation] c", "This post shows the cause related to alienation. Reasoning: none"),
    ]
    question = "What cause of depression does this post show?"
    write_csv(tmp_path / "CAMS.csv", COLUMNS, [(asked(post, question), gold) for post, gold in depression])
    report = tasks.imhi(tmp_path, look)
    assert [row["view"] for row in report["rows"]] == ["CAMS", "dreaddit", "SAD"]
    cams, dreaddit, sad = report["rows"]
    assert (dreaddit["n"], dreaddit["unparsed"]) == (4, 1)
    assert dreaddit["weighted_f1"] == dreaddit["macro_f1"] == dreaddit["accuracy"] == 0.5
    assert dreaddit["auroc"] == 0.5
    assert dreaddit["weighted_f1_95"][0] < 0.5 < dreaddit["weighted_f1_95"][1]
    assert (sad["n"], sad["accuracy"]) == (3, pytest.approx(2 / 3, abs=1e-4))
    assert sad["classes"]["social relationships"]["taken_for"] == "work"
    assert sad["macro_f1"] == pytest.approx(2 / 4, abs=1e-4)
    assert sad["weighted_f1"] == pytest.approx(2 / 3, abs=1e-4)
    assert (cams["n"], cams["accuracy"]) == (3, 1.0)
    assert report["mean"] == {"not told": pytest.approx((1 + 0.5 + 2 / 3) / 3, abs=1e-3)}


def test_a_question_names_the_facet_it_is_judged_by(tmp_path: Path) -> None:
    rows = [
        (asked("[thwarted belongingness] a", BELONGING), "Yes, the post shows this risk. Reasoning: x"),
        (asked("[thwarted belongingness] a", BURDEN), "No, the post does not show this risk. Reasoning: x"),
        (asked("b", BURDEN), "Yes, the post shows this risk. Reasoning: x"),
    ]
    write_csv(tmp_path / "Irf" / "val.csv", COLUMNS, rows)
    question = "Does the {} wellness dimension exist in the post?"
    rows = [
        (asked("[social wellness] a", question.format("social")), "Yes, it does. Reasoning: x"),
        (asked("[social wellness] a", question.format("spiritual")), "No. Reasoning: x"),
    ]
    write_csv(tmp_path / "MultiWD" / "val.csv", COLUMNS, rows)
    rows = [(asked("[loneliness] a", "Does the poster suffer from loneliness?"), "Yes, they do.")]
    write_csv(tmp_path / "lonely_test.csv", COLUMNS, rows)
    found = table(tmp_path)
    assert found["IRF"]["accuracy"] == pytest.approx(2 / 3, abs=1e-4)
    assert found["IRF"]["part"] == "val"
    assert found["IRF"]["facets"]["perceived burdensomeness"]["accuracy"] == 0.5
    assert found["IRF"]["facets"]["thwarted belongingness"]["accuracy"] == 1
    assert found["MultiWD"]["accuracy"] == 1
    assert (found["loneliness"]["part"], found["loneliness"]["accuracy"]) == ("test", 1.0)


def test_a_probability_of_half_is_a_yes(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "dreaddit.csv", COLUMNS, [(asked("a", STRESS), "Yes. Reasoning: x")])
    half = {"facets": {"stress": 0.5}}
    assert tasks.imhi(path, lambda text: half)["rows"][0]["accuracy"] == 1


def test_sets_without_a_head_are_named_and_never_read(tmp_path: Path) -> None:
    sets = {
        "CLP": "Does the poster suffer from depression?",
        "swmh": "What mental disorder symptoms does this post show?",
        "t-sid": "What mental disorder does this post show?",
    }
    for name, question in sets.items():
        write_csv(tmp_path / f"{name}.csv", COLUMNS, [(asked("a", question), "Yes. Reasoning: x")])

    def never(text: str) -> dict[str, dict[str, float]]:
        raise AssertionError("nothing should be read")

    rows = tasks.imhi(tmp_path, never)["rows"]
    assert {row["view"]: row["why"] for row in rows} == dict.fromkeys(("CLP", "SWMH", "T-SID"), "no head")
    assert not any("weighted_f1" in row for row in rows)


def test_a_file_that_does_not_name_its_set_is_known_by_its_questions(tmp_path: Path) -> None:
    rows = [
        (asked("a", STRESS), "No. Reasoning: x"),
        (asked("[depression] b", "Does the poster suffer from depression?"), "Yes. Reasoning: x"),
    ]
    found = table(write_csv(tmp_path / "posts.csv", COLUMNS, rows))
    assert {name: row["accuracy"] for name, row in found.items()} == {"DR": 1.0, "dreaddit": 1.0}


def test_answers_of_which_none_can_be_told_are_refused(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "DR.csv", COLUMNS, [("a post", "an answer")])
    with pytest.raises(DataError, match=r"column 'gpt-3\.5-turbo'"):
        tasks.imhi(path, look)


def test_human_labels_are_a_source_of_their_own(tmp_path: Path) -> None:
    write_csv(
        tmp_path / "dreaddit.csv", ("subreddit", "text", "label"), [("x", "[stress]", "1"), ("x", "b", "0")]
    )
    irf = [
        ("train", "thwarted belongingness", "[thwarted belongingness]", "1"),
        ("val", "thwarted belongingness", "b", "1"),
    ]
    write_csv(tmp_path / "irf.csv", ("split", "risk", "post", "label"), irf)
    write_csv(
        tmp_path / "multiwd.csv", ("dimension", "post", "label"), [("social", "[social wellness]", "1")]
    )
    cams = [("[alienation]", "5.0"), ("[none]", "0.0"), ("c", "")]
    write_csv(tmp_path / "cams.csv", ("selftext", "ANNOTATIONS"), cams)
    write_csv(
        tmp_path / "sad.csv", ("sentence", "original_label"), [("[emotion turmoil]", "Emotional Turmoil")]
    )
    found = table(tmp_path)
    assert {name: row["accuracy"] for name, row in found.items()} == {
        "CAMS, human labels": 1.0,
        "IRF, human labels, train": 1.0,
        "IRF, human labels, val": 0.0,
        "MultiWD, human labels": 1.0,
        "SAD, human labels": 1.0,
        "dreaddit, human labels": 1.0,
    }
    assert found["CAMS, human labels"]["unparsed"] == 1


@pytest.mark.parametrize(
    ("columns", "row", "told"),
    [
        (
            ("subreddit", "text", "label"),
            ("x", "a", "maybe"),
            "column 'label': label 'maybe' is not one of 0, 1",
        ),
        (("dimension", "post", "label"), ("dental", "a", "1"), "column 'dimension'"),
        (("selftext", "cause"), ("a", "9"), "column 'cause'"),
        (("sentence", "original_label"), ("a", "Weather"), "column 'original_label'"),
    ],
)
def test_an_unknown_human_label_is_named(
    columns: tuple[str, ...], row: tuple[str, ...], told: str, tmp_path: Path
) -> None:
    with pytest.raises(DataError, match=told):
        tasks.imhi(write_csv(tmp_path / "a.csv", columns, [row]), look)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("DR/val.csv", "val"),
        ("DR_test.csv", "test"),
        ("train/DR.csv", "train"),
        ("test_instruction/DR.csv", "test"),
        ("my test of it/DR.csv", ""),
        ("DR.csv", ""),
    ],
)
def test_the_part_is_told_by_file_or_folder(path: str, part: str) -> None:
    assert part_of(Path("data") / path) == part
