"""The idea that is put: near, fitting, light, and not the same thing twice."""

from agent.brief import Passage
from agent.offering import choose, load_offering
from agent.plan import load_ideas
from agent.themes import load_themes


def passage(score: float, *techniques: str) -> Passage:
    return {
        "id": "1",
        "question": "q",
        "text": "t",
        "topic": "stress",
        "techniques": list(techniques),
        "source": "s",
        "score": score,
    }


def test_every_idea_has_one_kind_and_every_name_is_known() -> None:
    data, ideas = load_offering(), load_ideas().ideas
    named = [name for names in data.kinds.values() for name in names]
    assert sorted(named) == sorted(ideas)
    assert set(data.light) <= set(ideas)
    assert {kind for kinds in data.feelings.values() for kind in kinds} <= set(data.kinds)
    assert set(data.feelings) <= {emotion.family for emotion in load_themes().emotions.values()}


def test_only_what_suits_and_a_passage_suggests_is_chosen() -> None:
    suits = ["movement", "routine", "talk-to-someone"]
    assert choose([passage(0.6, "routine", "grounding")], suits, used=(), family="") == "routine"
    assert choose([passage(0.6, "grounding")], suits, used=(), family="") == ""
    assert choose([], suits, used=(), family="") == ""
    assert choose([passage(0.6, "routine")], suits, used={"routine"}, family="") == ""


def test_the_nearer_answer_says_more_and_several_say_more_than_one() -> None:
    suits = ["activity-plan", "routine"]
    near = [passage(0.9, "routine"), passage(0.5, "activity-plan")]
    assert choose(near, suits, used=(), family="") == "routine"
    several = [passage(0.6, "activity-plan"), passage(0.6, "routine"), passage(0.6, "activity-plan")]
    assert choose(several, suits, used=(), family="") == "activity-plan"


def test_the_feeling_and_what_was_offered_before_turn_the_scale() -> None:
    suits = ["write-it-down", "grounding"]
    near = [passage(0.5, "write-it-down", "grounding")]
    assert choose(near, suits, used=(), family="") == "write-it-down"
    assert choose(near, suits, used={"thought-record"}, family="") == "grounding"
    words = [passage(0.5, "i-statements", "facts-check")]
    assert choose(words, ["facts-check", "i-statements"], used=(), family="") == "facts-check"
    assert (
        choose(words, ["facts-check", "i-statements"], used={"worry-time"}, family="anger") == "i-statements"
    )
