"""Conversations from the public formats, and what is learned from a few of them."""

import json
from pathlib import Path

import numpy as np
import pytest

from agent.errors import DataError
from agent.supporter import STRATEGIES, Moment, Nets, chances, features, key_of
from agent.train.talks import Point, answers, esconv, failed, habits, listeners, points

TURNS = [
    ("usr", "hello there", ""),
    ("usr", "my boss shouts", ""),
    ("sys", "That must hurt.", "Reflection of feelings"),
    ("sys", "When did it begin?", "Question"),
    ("usr", "in march", ""),
    ("sys", "You could write it down each time.", "Providing Suggestions"),
]


def write(folder: Path) -> Path:
    dialog = [{"speaker": s, "text": t, **({"strategy": g} if g else {})} for s, t, g in TURNS]
    (folder / "train.jsonl").write_text(json.dumps({"dialog": dialog}) + "\n")
    return folder / "train.jsonl"


def test_a_conversation_becomes_its_moments(tmp_path: Path) -> None:
    first, second, third = (one for talk in esconv(write(tmp_path)) for one in points(talk))
    assert first.moment == Moment(("hello there my boss shouts",), 1)
    assert (first.strategy, first.opens) == ("Reflection of feelings", True)
    assert first.turn == second.turn == {"Reflection of feelings", "Question"}
    assert (second.moment.now, second.opens) == (("Reflection of feelings",), False)
    assert third.moment.said == ("hello there my boss shouts", "in march")
    assert third.moment.deeds == (frozenset({"asked", "comforted"}),)


def test_conversations_that_went_badly_have_other_names_for_the_same(tmp_path: Path) -> None:
    turns = [
        {"speaker": "speaker", "annotation": {}, "content": "hi\n"},
        {"speaker": "listener", "annotation": {"strategy": "Questions"}, "content": "How are you?"},
        {"speaker": "listener", "annotation": {}, "content": "?"},
    ]
    (tmp_path / "failed.json").write_text(json.dumps([{"dialog": turns}]))
    (point,) = (one for talk in failed(tmp_path / "failed.json") for one in points(talk))
    assert (point.strategy, point.moment.said) == ("Question", ("hi",))


def test_files_that_are_missing_or_say_who_knows_what_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"failed\.json"):
        list(failed(tmp_path / "failed.json"))
    (tmp_path / "valid.jsonl").write_text('{"dialog": [{"speaker": "nobody", "text": "x"}]}\n')
    with pytest.raises(DataError, match=r"valid\.jsonl"):
        list(esconv(tmp_path / "valid.jsonl"))


def test_listeners_and_counsellors_answer_what_was_said(tmp_path: Path) -> None:
    (tmp_path / "empathetic_dialogues").mkdir()
    (tmp_path / "counselchat").mkdir()
    (tmp_path / "empathetic_dialogues/train.csv").write_text(
        "conv_id,role,utterance\nc,speaker,I lost_comma_ again\nc,listener,Oh that is sad.\n"
    )
    (tmp_path / "counselchat/20200325_counsel_chat.csv").write_text(
        "questionID,questionTitle,questionText,answerText,split\n"
        "1,Why?,I cry,<p>It is good that you write. Go on.</p>,train\n2,Q,Q,Not this one here.,val\n"
    )
    found = list(listeners(tmp_path, 5, 5, seed=1))
    assert {(one.moment.said, one.text) for one in found} == {
        (("I lost, again",), "Oh that is sad."),
        (("Why? I cry",), "It is good that you write."),
    }


def test_habits_are_counted_by_how_good_the_talk_was(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text(
        "mi_quality,interlocutor,main_therapist_behaviour\nhigh,therapist,reflection\nhigh,client,n/a\n"
    )
    assert habits(tmp_path / "a.csv") == {"high": {"reflection": 1}}


def test_what_is_learned_foretells_a_plain_rule_and_finds_the_answer() -> None:
    plan = pytest.importorskip("agent.train.plan", reason="the `train` extra trains")
    from agent.evaluate.supporters import recall

    def vector(text: str) -> np.ndarray:
        made = np.random.default_rng(key_of(text.split(maxsplit=1)[0]) % 2**32).normal(size=384)
        return (made / np.linalg.norm(made)).astype(np.float32)

    topics = ("work", "sleep", "love", "money", "school", "grief")
    found = [
        Point(
            f"{n}",
            Moment((f"{topics[n % 6]} {n}",), 1),
            s,
            frozenset({s}),
            True,
            f"{topics[n % 6]} answer {n}",
        )
        for n in range(120)
        for s in [STRATEGIES[n % 2]]
    ]
    recipe = plan.Recipe(epochs=60, passes=2, rate=1e-2, room=32)
    nets = Nets(*plan.strategies(found, found[:3], vector, recipe), *plan.fitting(found, vector, recipe))
    told, _ = chances(nets, np.stack([features(one.moment, vector) for one in found]))
    assert (
        np.mean([STRATEGIES[at] == one.strategy for at, one in zip(told.argmax(1), found, strict=True)]) > 0.9
    )
    measured = recall(list(answers(found)), nets, vector)
    assert measured["this model"] > 0.03
    assert measured["n"] == 120
