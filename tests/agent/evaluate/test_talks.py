"""Where conversations come from: our openings and the public formats."""

import json
from pathlib import Path

import pytest

from agent.errors import DataError
from agent.evaluate.scoring import held_back
from agent.evaluate.talks import found, openings
from tests.agent.evaluate.reading import write_csv

DIALOG = {
    "dialog": [
        {"speaker": "sys", "text": "Hello", "strategy": "Question"},
        {"speaker": "usr", "text": "I lost my job."},
        {"speaker": "usr", "text": "On Monday."},
        {"speaker": "sys", "text": "That is hard.", "strategy": "Others"},
        {"speaker": "sys", "text": "What happened?", "strategy": "Question"},
        {"speaker": "usr", "text": "They closed it."},
    ]
}


def test_what_a_seeker_wrote_in_a_row_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "valid.jsonl").write_text(json.dumps(DIALOG) + "\n", "utf-8")
    (tmp_path / "train.jsonl").write_text(json.dumps(DIALOG) + "\n", "utf-8")
    sources = found(tmp_path)
    assert list(sources) == ["ESConv, valid"]
    (talk,) = sources["ESConv, valid"]
    assert talk.messages == ("I lost my job. On Monday.", "They closed it.")
    assert talk.humans == (("That is hard. What happened?",), ())


def test_a_dialogue_opens_with_its_first_line(tmp_path: Path) -> None:
    told = [("c1", "1", "I won_comma_ once"), ("c1", "2", "Lovely!"), ("c1", "3", "Yes"), ("c2", "1", "Hm")]
    write_csv(tmp_path / "valid.csv", ("conv_id", "utterance_idx", "utterance"), told)
    first, second = found(tmp_path)["EmpatheticDialogues, valid"]
    assert (first.messages, first.humans) == (("I won, once",), (("Lovely!",),))
    assert second.humans == ((),)


def test_of_posts_only_those_held_back_are_answered_and_each_once(tmp_path: Path) -> None:
    names = [f"p{n}" for n in range(40)]
    told = [(name, f"r{n}", f"post {name}", f"reply {n}", "0") for name in names for n in (1, 2)]
    for mechanism in ("emotional-reactions", "explorations"):
        write_csv(
            tmp_path / f"{mechanism}.csv", ("sp_id", "rp_id", "seeker_post", "response_post", "level"), told
        )
    posts = found(tmp_path)["EPITOME, held back"]
    assert [talk.name for talk in posts] == [name for name in names if held_back(name)]
    assert posts[0].humans == (("reply 1", "reply 2"),)


def test_a_limit_takes_evenly(tmp_path: Path) -> None:
    write_csv(tmp_path / "own.csv", ("part", "talk", "text"), [("rest", f"t{n}", "hi") for n in range(10)])
    assert [talk.name for talk in found(tmp_path, 2)["own"]] == ["t0", "t5"]


def test_a_folder_without_conversations_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no conversations"):
        found(tmp_path)
    with pytest.raises(DataError, match="is missing"):
        found(tmp_path / "nowhere")


def test_our_openings_are_many_and_each_different() -> None:
    talks = openings()
    texts = [text for talk in talks for text in talk.messages if len(text.split()) > 3]
    assert len(talks) >= 140
    assert len(set(texts)) == len(texts)
    assert len({talk.name for talk in talks}) == len(talks)
    assert len(openings("gate")) >= 40
    assert all(len(talk.messages) == 20 for talk in openings("long"))


def test_an_unknown_part_is_refused(tmp_path: Path) -> None:
    write_csv(tmp_path / "own.csv", ("part", "talk", "text"), [("shut", "t", "hi")])
    with pytest.raises(DataError, match="part"):
        found(tmp_path)
