"""The examples: what each public format becomes, one side of one split for each text, plain refusals."""

from collections import Counter
from pathlib import Path

import pytest

from agent.errors import DataError
from agent.train import sets as module
from agent.train.data import Example, examples
from agent.train.labels import HEADS
from agent.train.own_messages import case_rows, own_rows
from agent.train.sets import FILES
from tests.agent.train.public import public_data, write_csv


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return public_data(tmp_path)


def by_text(found: list[Example]) -> dict[str, Example]:
    return {example.text: example for example in found}


def test_every_head_has_examples_and_every_label_is_its_own(folder: Path) -> None:
    found = examples(folder)
    for head, labels in HEADS.items():
        told = [label for e in found for label in e.targets.get(head, {})]
        assert told, head
        assert set(told) <= set(labels), head


def test_a_choice_sums_to_one_and_a_facet_is_yes_or_no(folder: Path) -> None:
    for example in examples(folder):
        for head, weights in example.targets.items():
            if head == "facets":
                assert set(weights.values()) <= {0.0, 1.0}
            else:
                assert sum(weights.values()) == pytest.approx(1.0)


def test_labels_of_one_text_from_several_sets_gather(folder: Path) -> None:
    shared = by_text(examples(folder))["train a long post number 1 about others"].targets["facets"]
    assert {"thwarted belongingness", "perceived burdensomeness", "physical wellness"} <= set(shared)


def test_a_held_out_text_is_held_out_of_every_set(folder: Path) -> None:
    write_csv(
        folder / "human_labels/multiwd.csv",
        ("split", "dimension", "post", "label"),
        [("train", "social", "VAL a long post, number 1 about others!", "1")],
    )
    found = by_text(examples(folder))
    assert found["val a long post number 1 about others"].part != "train"
    assert "VAL a long post, number 1 about others!" not in found  # the same text, once


def test_a_conversation_lies_on_the_side_of_its_situation(folder: Path) -> None:
    for example in examples(folder):
        if example.source in {"situations", "conversations", "turns", "intents"}:
            assert (example.part == "train") == example.text.startswith("train"), example.text


def test_a_person_lies_on_one_side(folder: Path) -> None:
    write_csv(
        folder / "risk/cssrs_posts.csv",
        ("sheet", "post", "label"),
        [(f"person {i % 30}", f"ideation post {i}", "ideation") for i in range(300)],
    )
    sides: dict[str, set[bool]] = {}
    for example in examples(folder):
        if example.source == "cssrs":
            person = str(int(example.text.rsplit(" ", 1)[1]) % 30)
            sides.setdefault(person, set()).add(example.part == "train")
    assert all(len(side) == 1 for side in sides.values())
    assert {True, False} == {next(iter(side)) for side in sides.values()}


def test_the_next_intent_is_learnt_from_what_was_said_before_it(folder: Path) -> None:
    found = by_text(examples(folder))
    assert found["train before Question"].targets["next_intent"] == {"questioning": 1.0}
    assert found["train 0 sad says 1"].targets["next_intent"] == {"questioning": 1.0}
    assert found["before wishing 0"].targets["next_intent"] == {"wishing": 1.0}


def test_three_workers_votes_are_kept_as_shares(folder: Path) -> None:
    write_csv(
        folder / "edos/groundtruth.csv",
        ("Dialog", "Worker 1 answer", "Worker 2 answer", "Worker 3 answer"),
        [("one\ntwo", "Sad", "Sad", "Lonely")],
    )
    assert by_text(examples(folder))["two"].targets["expressed"] == {
        "sad": pytest.approx(2 / 3),
        "lonely": pytest.approx(1 / 3),
    }


def test_two_readings_of_the_same_folder_are_the_same(folder: Path) -> None:
    assert examples(folder) == examples(folder)


def test_the_permissive_recipe_reads_no_other_sets(folder: Path) -> None:
    write_csv(
        folder / "goemotions/train.csv",
        ("text", "labels", "id"),
        [("so glad", "0", "a"), ("two at once", "0,1", "b")],
    )
    write_csv(folder / "goemotions/dev.csv", ("text", "labels", "id"), [("so cross", "1", "c")])
    (folder / "goemotions/labels.txt").write_text("joy\nanger\n", "utf-8")
    found = examples(folder, permissive=True)
    assert {e.source for e in found} == {
        "films",
        "film answers",
        "comments",
        "grave",
        "dreaddit",
        "sad",
        "wants",
        "dangers",
        "oblique",
        "ordinary",
    }
    assert by_text(found)["so glad"].targets["expressed"] == {"joyful": 1.0}
    assert "two at once" not in by_text(found)


def test_the_sealed_cases_are_never_examples(folder: Path) -> None:
    sealed = {" ".join(row["text"].lower().split()) for row in case_rows() if row["part"] == "sealed"}
    assert sealed
    assert not sealed & {" ".join(e.text.lower().split()) for e in examples(folder)}


def test_an_ordinary_talk_stands_on_one_side_and_its_messages_are_read_together_too(folder: Path) -> None:
    talks: dict[str, list[str]] = {}
    for row in own_rows("ordinary"):
        talks.setdefault(row["talk"], []).append(row["text"])
    found = by_text([e for e in examples(folder) if e.source == "ordinary"])
    assert all(e.targets["danger"] == {"none": 1.0} for e in found.values())
    assert {head for e in found.values() for head in e.targets} == {"danger", "telling"}
    told = next(lines for lines in talks.values() if len(lines) > 5 and all(line in found for line in lines))
    assert len({found[line].part == "train" for line in told}) == 1
    assert "\n".join(told[:3]) in found


def test_our_own_messages_cover_every_want_and_level() -> None:
    wants = Counter((row["part"], row["want"]) for row in own_rows("wants"))
    assert sum(wants.values()) >= 600
    assert min(wants[part, want] for part in ("train", "test") for want in HEADS["want"]) >= 25
    levels = Counter(row["level"] for row in own_rows("risk"))
    assert min(levels[level] for level in HEADS["danger"]) >= 500


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named_before_anything_else(folder: Path, name: str) -> None:
    (folder / name).unlink()
    with pytest.raises(DataError, match=name.rsplit("/", 1)[1].replace(".", r"\.")):
        examples(folder)


def test_a_missing_column_is_named(folder: Path) -> None:
    write_csv(folder / "human_labels/dreaddit.csv", ("text", "stress"), [("a", "1")])
    with pytest.raises(DataError, match=r"dreaddit\.csv.*label"):
        examples(folder)


def test_an_empty_file_is_named(folder: Path) -> None:
    write_csv(folder / "human_labels/dreaddit.csv", ("text", "label"), [])
    with pytest.raises(DataError, match=r"dreaddit\.csv"):
        examples(folder)


def test_an_unknown_label_is_named_with_its_file(folder: Path) -> None:
    write_csv(folder / "risk/cssrs_posts.csv", ("sheet", "post", "label"), [("p1", "a post", "fine")])
    with pytest.raises(DataError, match=r"cssrs_posts\.csv.*fine"):
        examples(folder)


def test_no_message_of_an_error_holds_a_text(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CSSRS", ("supportive",))
    with pytest.raises(DataError) as error:
        examples(folder)
    assert "post 0" not in str(error.value)
