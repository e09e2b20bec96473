"""Where the model of supporters may choose, and that it never may where the rules must."""

from typing import Any

import pytest

from agent.brief import Plan
from agent.choosing import checked, choose, moment_of, weighed
from agent.plan import load_empathy, make_plan
from agent.supporter import STRATEGIES, Chances
from tests.agent.test_plan import STORY, read

SUGGESTS, ASKS, REFLECTS = "Providing Suggestions", "Question", "Reflection of feelings"


def told(first: str, *, asked: float = 0.3) -> Chances:
    nexts = dict.fromkeys(STRATEGIES, 0.01) | {first: 0.93}
    return {"next": nexts, "reply": dict.fromkeys(STRATEGIES, 0.1) | {ASKS: asked}}


def planned(*texts: str, first: str = "", asked: float = 0.3, **given: Any) -> Plan:
    history: list[tuple[Any, str]] = []
    for text in texts[:-1]:
        history += [("user", text), ("assistant", "I hear you.")]
    given = {"reading": read("vent"), "level": "none", "kinds": (), "person": {}, "before": None, **given}
    return make_plan(
        text=texts[-1],
        history=[*history, ("user", texts[-1])],
        escalate=given.pop("escalate", False),
        foresee=(lambda: told(first, asked=asked)) if first else None,
        **given,
    )


def test_a_sure_model_changes_the_stage_and_the_panel_says_why() -> None:
    rules, plan = planned(*STORY[:4]), planned(*STORY[:4], first=SUGGESTS)
    assert (rules["stage"], plan["stage"]) == ("comfort", "act")
    why = {step["step"]: step["why"] for step in plan["steps"]}
    assert why["helping"] == load_empathy().learned.why["act"]
    assert plan["offer"]


def test_an_unsure_model_changes_nothing() -> None:
    even = Chances(next=dict.fromkeys(STRATEGIES, 0.125), reply=dict.fromkeys(STRATEGIES, 0.3))
    chosen = choose("comfort", even, load_empathy().learned, may_act=True)
    assert chosen == ("comfort", None, frozenset())


@pytest.mark.parametrize(
    ("texts", "given"),
    [
        (STORY[:1], {}),
        (STORY[:4], {"level": "moderate"}),
        (STORY[:4], {"escalate": True}),
        (STORY[:4], {"kinds": ("medication",)}),
        (STORY[:4], {"reading": read("vent", kind="medication")}),
        (STORY[:4], {"person": {"advice": False}}),
        (STORY[:4], {"person": {"questions": False}}),
        (STORY[:4], {"reading": read("heard_only")}),
        (STORY[:4], {"reading": read("advice")}),
        (STORY[:4], {"reading": {**read("vent"), "language": "fr"}}),
        (STORY[:4], {"reading": {**read("vent"), "degraded": True}}),
        (STORY[:4], {"restricted": True}),
        (("my mum died last week", "I miss my mum so much", "the funeral was today"), {}),
        (("hello you", "it is sunny here", "I had soup for lunch today"), {}),
    ],
)
def test_where_the_rules_must_decide_the_model_changes_nothing(texts: Any, given: dict[str, Any]) -> None:
    for first in (SUGGESTS, ASKS, REFLECTS):
        for asked in (0.01, 0.99):
            assert planned(*texts, first=first, asked=asked, **given) == planned(*texts, **given)


def test_where_people_seldom_asked_the_reply_stays_and_the_panel_says_so() -> None:
    why = load_empathy().learned.why
    plan = planned(*STORY[:4], first=REFLECTS, asked=0.01)
    assert not plan["ask"]
    assert why["stay"] in {step["why"] for step in plan["steps"]}
    assert planned(*STORY[:4], first=ASKS, asked=0.9)["ask"]


def test_no_idea_comes_before_two_messages_were_heard_or_right_after_another() -> None:
    assert planned(*STORY[:2], first=SUGGESTS)["stage"] != "act"
    before = planned(*STORY[:4], first=SUGGESTS)
    assert before["offer"]
    assert planned(*STORY, first=SUGGESTS, before=before)["stage"] != "act"


def test_a_moment_knows_what_our_last_replies_did() -> None:
    before = planned(*STORY[:4], first=SUGGESTS)
    history: Any = [
        ("user", "one"),
        ("assistant", "Why?"),
        ("user", "two"),
        ("assistant", "So."),
        ("user", "3"),
    ]
    moment = moment_of(history, before)
    assert (moment.said, moment.turns) == (("one", "two", "3"), 3)
    assert "offered" in moment.deeds[0]
    assert moment.deeds[1] == {"asked"}


@pytest.mark.parametrize("broken", [float("nan"), -0.1, 1.5, "much"])
def test_what_is_no_probability_is_refused(broken: Any) -> None:
    wrong = told(ASKS)
    wrong["reply"][ASKS] = broken
    with pytest.raises(ValueError, match=r"probability|float"):
        checked(wrong)
    with pytest.raises(KeyError):
        checked({"next": {}, "reply": {}})
    with pytest.raises(ValueError, match="no number"):
        weighed({"a": float("inf")})
