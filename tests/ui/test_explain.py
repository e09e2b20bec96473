"""Why this reply: what the model of supporters chose is told, and nothing where it chose nothing."""

from agent.plan import load_empathy
from agent.supporter import STRATEGIES, Chances, Moment
from graph import Session
from tests import fakes
from ui.explain import sentences

STORY = (
    "my boss keeps giving me all of his shifts",
    "he shouted at me in front of everyone",
    "nobody at the office says a single word",
    "today I cried in the store room again",
)


def suggests(moment: Moment) -> Chances:
    del moment
    nexts = dict.fromkeys(STRATEGIES, 0.0) | {"Providing Suggestions": 1.0}
    return {"next": nexts, "reply": dict.fromkeys(STRATEGIES, 0.3)}


def test_the_panel_says_where_a_step_was_chosen_by_what_supporters_did() -> None:
    why = load_empathy().learned.why["act"]
    told = {}
    for foresee in (None, suggests):
        session = Session.open(country="GB", services=fakes.services(foresee=foresee))
        told[foresee] = [sentences(session.say(text)) for text in STORY]
    assert not any(why in each for each in told[None])
    assert any(why in each for each in told[suggests])
    assert why not in told[suggests][0]
