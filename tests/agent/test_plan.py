"""The plan: which move, which steps, one question at most, advice only when it is welcome."""

from collections.abc import Sequence
from typing import Any, cast

import pytest

from agent.brief import Person, Plan, Reading
from agent.plan import asks_soon, choose_offer, fitting, load_empathy, load_ideas, make_plan, offered
from agent.reading.ladder import LEVELS, Cue, Kind, Level
from agent.themes import load_themes, masks, own_word, pronouns, puts_question, theme_of, weighs

INTENTS = {
    "agreeing",
    "acknowledging",
    "encouraging",
    "consoling",
    "sympathizing",
    "suggesting",
    "questioning",
    "wishing",
    "neutral",
}
TOPICS = {
    "addiction",
    "anger-management",
    "anxiety",
    "behavioral-change",
    "children-adolescents",
    "counseling-fundamentals",
    "depression",
    "diagnosis",
    "domestic-violence",
    "eating-disorders",
    "family-conflict",
    "grief-and-loss",
    "human-sexuality",
    "intimacy",
    "legal-regulatory",
    "lgbtq",
    "marriage",
    "military-issues",
    "parenting",
    "professional-ethics",
    "relationship-dissolution",
    "relationships",
    "self-esteem",
    "self-harm",
    "sleep-improvement",
    "social-relationships",
    "spirituality",
    "stress",
    "substance-abuse",
    "trauma",
    "workplace-relationships",
}


def read(*wants: str, emotion: str = "", sure: bool = False, kind: Kind | None = None) -> Reading:
    cue: list[Cue] = []
    if kind:
        cue = [
            {
                "rule": "r",
                "kind": kind,
                "subject": "self",
                "level": "moderate",
                "escalate": False,
                "past": False,
                "marks": [],
                "span": [0, 1],
            }
        ]
    return {
        "emotions": [{"label": emotion, "p": 0.9}] if emotion else [],
        "intents": [],
        "sure": sure,
        "wants": list(wants),
        "language": "en",
        "cues": [cue],
        "degraded": False,
        "heads": {},
        "evidence": [],
    }


def planned(
    *texts: str,
    reading: Reading | None = None,
    level: Level = "none",
    kinds: Sequence[Kind] = (),
    person: Person | None = None,
    before: Plan | None = None,
    replies: str = "I hear you.",
) -> Plan:
    history: list[tuple[str, str]] = []
    for text in texts[:-1]:
        history += [("user", text), ("assistant", replies)]
    return make_plan(
        text=texts[-1],
        reading=reading or read("vent"),
        level=level,
        kinds=kinds,
        escalate=False,
        person=person or {},
        history=[*history, ("user", texts[-1])],
        before=before,
    )


STORY = (
    "my boss keeps giving me all of his shifts",
    "he shouted at me in front of everyone",
    "I cannot sleep on sunday nights now",
    "nobody at the office says a single word",
    "today I cried in the store room again",
)


def test_data_names_only_known_things() -> None:
    data, themes = load_empathy(), load_themes()
    assert {move.intent for move in data.moves.values()} <= INTENTS
    assert {theme.topic for theme in themes.themes.values()} == TOPICS
    assert len(themes.emotions) == 32
    assert {word for word in themes.own_words.values() if word} <= set(themes.emotions)
    assert set(data.order) <= set(data.moves)
    ideas = load_ideas()
    assert {idea for names in ideas.suits.values() for idea in names} <= set(ideas.ideas)
    assert set(ideas.suits) - {"general"} <= set(themes.themes) | TOPICS


@pytest.mark.parametrize("want", load_empathy().order)
@pytest.mark.parametrize("level", LEVELS)
def test_every_want_has_a_plan(want: str, level: Level) -> None:
    plan = planned("some message about my boss", reading=read(want), level=level)
    assert plan["move"] == want
    assert plan["steps"]
    assert all(step["why"] for step in plan["steps"])
    assert plan["intent"] in INTENTS
    assert 0 < plan["words"] <= 120
    assert plan["careful"] == (level in {"moderate", "high", "imminent"})


def test_small_talk_gives_way_to_pain() -> None:
    assert planned("hi, my dad died", reading=read("greeting", "vent"))["move"] == "support"
    assert planned("hi", reading=read("greeting"))["move"] == "greeting"


def test_first_telling_gets_no_advice_unless_asked() -> None:
    first = planned(STORY[0])
    assert first["stage"] == "explore"
    assert first["offer"] == ""
    asked = planned(STORY[0] + ", what can I do?", reading=read("advice"))
    assert asked["stage"] == "act"
    assert asked["offer"] in load_ideas().ideas


def test_stages_follow_the_telling() -> None:
    stages = [planned(*STORY[:count])["stage"] for count in range(1, 6)]
    assert stages == ["explore", "explore", "comfort", "comfort", "act"]
    assert planned(*STORY)["offer"]


def test_no_advice_is_honoured() -> None:
    plan = planned(*STORY, person={"advice": False})
    assert plan["stage"] == "comfort"
    assert plan["offer"] == ""
    assert planned(*STORY, reading=read("advice"), person={"advice": False})["offer"] == ""


def test_an_idea_is_not_pressed_twice_in_a_row() -> None:
    before = planned(*STORY)
    assert before["offer"]
    after = planned(*STORY, "and then he shouted at me all over again", before=before)
    assert after["offer"] == ""


def test_no_question_after_two_and_none_when_unwanted() -> None:
    texts = STORY[:3]
    assert planned(*texts, replies="Is it so?", reading=read("identity"))["ask"] is False
    assert planned(*texts, replies="It is so.", reading=read("identity"))["ask"] is True
    assert planned(*texts, reading=read("identity"), person={"questions": False})["ask"] is False


def test_brief_is_honoured() -> None:
    for move in load_empathy().order:
        assert planned(*STORY, reading=read(move), person={"brief": True})["words"] <= 35


def test_a_feeling_is_named_only_when_sure_or_said() -> None:
    assert planned(STORY[1], reading=read("vent", emotion="angry"))["feeling"] == ""
    assert planned(STORY[1], reading=read("vent", emotion="angry", sure=True))["feeling"] == "angry"
    assert planned("I feel so ashamed of it all", reading=read("vent"))["feeling"] == "ashamed"
    assert planned("my mum died", reading=read("vent", emotion="grateful", sure=True))["feeling"] == ""
    glad = planned("I passed", reading=read("good_news", emotion="proud", sure=True))
    assert glad["feeling"] == "proud"


def test_praise_that_does_not_get_through_is_no_good_news() -> None:
    down = read("good_news", emotion="sad", sure=True)
    assert (
        planned("my boss said i'm doing great and i thought, not for long", reading=down)["move"] == "support"
    )
    up = read("good_news", emotion="joyful", sure=True)
    assert planned("my boss said i'm doing great", reading=up)["move"] == "good_news"


def test_without_a_feeling_no_shape_speaks_of_one() -> None:
    for count in range(1, 6):
        plan = planned(*STORY[:count])
        assert "emotion" not in [step["step"] for step in plan["steps"]]


def test_the_shape_changes_from_turn_to_turn() -> None:
    before: Plan | None = None
    for count in range(1, 6):
        plan = planned(*STORY[:count], before=before)
        assert before is None or plan["steps"] != before["steps"]
        before = plan


@pytest.mark.parametrize("kind", load_empathy().professional_kinds)
def test_kinds_without_escalation_go_to_people_with_training(kind: Kind) -> None:
    plan = planned("words", reading=read("vent", kind=kind), level="moderate", kinds=[kind])
    assert plan["move"] == "professional"
    assert plan["careful"] is True
    assert plan["offer"] == ""
    later = planned("words", reading=read("vent"), level="moderate", kinds=[kind], before=plan)
    assert later["move"] == "support"


def test_find_care_goes_on_when_money_comes_up() -> None:
    before = planned("how do I find someone", reading=read("find_care"))
    assert planned("how do I find someone", "we can't afford it", before=before)["move"] == "find_care"
    assert planned("we can't afford it")["move"] == "support"


def test_ideas_come_from_passages_first_and_never_twice() -> None:
    assert choose_offer("work", ["paced-breathing"], set()) == "paced-breathing"
    assert choose_offer("work", ["paced-breathing"], {"paced-breathing"}) != "paced-breathing"
    assert choose_offer("work", [], set(load_ideas().ideas)) == ""
    assert choose_offer("violence", ["repair-conversation"], set()) != "repair-conversation"
    spoken = load_ideas().ideas["grounding"].offer[0]
    assert offered([("assistant", f"Okay. {spoken}")]) == {"grounding"}


@pytest.mark.parametrize(
    ("texts", "theme"),
    [
        (["my dog was put to sleep"], "grief"),
        (["my ex left me"], "breakup"),
        (["exam tomorrow and I can't study"], "exam"),
        (["the rent is due and I have debts"], "money"),
        (["my mum criticizes me", "not that"], "family"),
        (["my mum died", "I miss her", "today I went back to work"], "grief"),
        (["my mum died", "can you call my sister?"], "grief"),
        (["hello"], "general"),
    ],
)
def test_theme(texts: list[str], theme: str) -> None:
    assert theme_of([("user", text) for text in texts]) == theme


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("I feel so numb", "numb"),
        ("i'm exhausted", "exhausted"),
        ("I'm not sad", ""),
        ("I'm tired of it", ""),
    ],
)
def test_own_word(text: str, word: str) -> None:
    assert own_word(text) == word


def test_masks_and_pronouns_and_weight() -> None:
    assert masks("I’m fine, just crying all day")
    assert not masks("I'm fine, thanks")
    assert pronouns([("user", "my mum died, I miss her")]) == ("her", "her")
    assert pronouns([("user", "my mum and my dad")]) == ("them", "their")
    lost = [("user", "I lost my husband in May"), ("user", "my daughter calls but she has her own life")]
    assert pronouns(lost) == ("him", "his")
    assert (
        pronouns([("user", "my mum died"), ("user", "my dad and my brother want her coat gone")])[0] == "her"
    )
    assert weighs(read(), "none", [("user", "today was bad")], "general")
    assert not weighs(read(), "none", [("user", "I had pasta for lunch")], "general")


def test_plan_is_plain_data() -> None:
    plan = cast("dict[str, Any]", planned(*STORY))
    assert set(plan) == set(Plan.__required_keys__)


@pytest.mark.parametrize(
    ("texts", "theme"),
    [
        (["the flat is so empty"], "general"),
        (["my phone died in the middle of it"], "general"),
        (["my son got into a fight and the teacher looked at me"], "parenting"),
        (["my mum is in hospital"], "ill_loved"),
        (["I had a miscarriage in May"], "babyloss"),
        (["I just found out I can't have kids", "my best friend is pregnant with her third"], "childless"),
        (["my dad's drinking again", "I found the bottles in the shed"], "their_drinking"),
        (["I'm drinking again"], "substance"),
        (["my a levels start monday and I've done nothing"], "exam"),
        (["everyone at school hates me", "they made a group chat without me"], "children"),
        (["he just plays games till 4am"], "general"),
        (["I miss my mum, she is in Lagos and I moved here"], "moved"),
        (["I failed the exam", *["that is how it is"] * 4], "exam"),
        (["I failed the exam", *["that is how it is"] * 18], "general"),
        (["my ex left me", "can we talk about something else please", "a cat maybe"], "general"),
    ],
)
def test_a_theme_is_only_what_the_words_are_about(texts: list[str], theme: str) -> None:
    assert theme_of([("user", text) for text in texts]) == theme


def test_a_mention_of_someone_does_not_weigh() -> None:
    glad = [("user", "I went for a swim with my sister")]
    assert not weighs(read(), "none", glad, theme_of(glad))
    left = [("user", "I hate my ex"), ("user", "let's change the subject"), ("user", "I want a cat")]
    assert not weighs(read(), "none", left, theme_of(left))


def test_grief_gets_no_idea_that_was_not_asked_for() -> None:
    told = ("my mum died in spring", "she was so kind", "I miss her", "her funeral was small", "my mum died")
    assert planned(*told)["offer"] == ""
    assert planned(*told, reading=read("advice"))["offer"]


def test_the_words_of_the_message_choose_the_idea_before_the_theme() -> None:
    asked = planned("I can't start my essay, what can I do?", reading=read("advice"))
    assert asked["offer"] == "small-steps"
    worse = planned("breathing makes it worse", "what can I do?", reading=read("advice"))
    assert worse["offer"] != "paced-breathing"


def test_low_kinds_reach_the_reply_that_fits() -> None:
    heard = read("vent", kind="bereaved")
    assert planned("my brother", reading=heard, level="low", kinds=["bereaved"])["move"] == "bereaved"
    heard = read("vent", kind="suicide")
    heard["cues"][0][0]["past"] = True
    assert planned("years ago", reading=heard, level="low", kinds=["suicide"])["move"] == "survived"
    heard = read("vent", kind="eating_disorder")
    low = planned("I skip meals", reading=heard, level="low", kinds=["eating_disorder"])
    assert low["move"] == "professional"


def test_the_theme_of_the_talk_lasts_and_decides_the_idea() -> None:
    told = ["My Frank died in the spring", "the children ring but they're busy", "the bed's too big"]
    plain = ["I slept in the chair", "the boiler is cold", "it was raining", "what can I even do tonight"]
    history: list[tuple[Any, str]] = [("user", text) for text in [*told, *plain]]
    assert theme_of(history) == "grief"
    fits = fitting(history, theme="grief")
    assert fits == []
    assert choose_offer("grief", fits, set(), soon=asks_soon(plain[-1])) in load_ideas().suits["grief"]
    assert (
        fitting([("user", "my exam is on monday, what can I do tonight")], theme="exam")[0] == "small-steps"
    )
    assert theme_of([*history, ("user", "and my boss fired me, I lost my job")]) == "unemployed"


def test_good_evening_is_a_greeting_at_first_and_a_goodbye_later() -> None:
    first = planned("Good evening to you.", reading=read("greeting", "goodbye"))
    assert first["move"] == "greeting"
    assert (
        planned("Good evening to you.", reading=read("greeting", "goodbye"), before=first)["move"]
        == "goodbye"
    )


def test_a_widower_speaks_of_her_even_where_a_man_comes_by() -> None:
    told = "I am a widower. The young man from the council comes, he is in a hurry, he does what he can."
    assert pronouns([("user", told)]) == ("her", "her")


@pytest.mark.parametrize(
    ("told", "asked", "idea"),
    [
        (["my boss keeps shouting at me at work"], "can you give me an idea for sleeping", "sleep-wind-down"),
        (["my baby is five weeks old and I cry"], "how do I tell my husband", "break-the-news"),
        (
            ["he left and the divorce papers came"],
            "what do I say to the kids when they ask",
            "tell-the-children",
        ),
        (["I am new in this country"], "how I can make friend here", "meet-people"),
        (["my mum died in spring"], "and how should I revise, there are four days", "recall-practice"),
        (["work is awful", "any tips for the anger, I nearly threw my mug"], "any other idea", "time-out"),
    ],
)
def test_an_idea_is_for_what_was_asked_and_not_for_what_the_talk_is_about(
    told: list[str], asked: str, idea: str
) -> None:
    assert planned(*told, asked, reading=read("advice"))["offer"] == idea


def test_an_idea_asked_for_near_abuse_stays_among_those_that_are_safe_there() -> None:
    told = "my husband hits me"
    assert planned(told, "how do I tell my husband", reading=read("advice"))["offer"] in {
        *load_ideas().suits["domestic-violence"]
    }


def test_what_is_only_now_told_is_met_before_an_idea_comes() -> None:
    short = [
        "work was the usual work",
        "a new manager is there",
        "the boss is quite fine",
        "my boss is very quiet",
    ]
    told = "it's not him, my boss moved me off the team I had been on for six years"
    assert planned(*short, "my boss is all right really")["stage"] == "act"
    assert planned(*short, told)["stage"] == "comfort"
    assert planned(*short, told)["offer"] == ""


def test_a_yes_to_nothing_uses_up_no_idea() -> None:
    before = planned("I get panic attacks", "ok", reading=read("accept"))
    history = [("user", "I get panic attacks"), ("user", "ok"), ("user", "what now")]
    assert offered(history, before) == set()


@pytest.mark.parametrize(
    "text", ["does it ever go away", "so how do I start", "are you allowed to say", "why me?"]
)
def test_a_question_needs_no_question_mark(text: str) -> None:
    assert puts_question(text)


@pytest.mark.parametrize(
    "text", ["I was the one people came to, you know?", "he is fine, right?", "how I feel"]
)
def test_a_tag_is_no_question(text: str) -> None:
    assert not puts_question(text)


def test_passing_away_is_grief_and_passing_an_exam_is_not() -> None:
    assert theme_of([("user", "My wife passed in September. We were married for fifty years.")]) == "grief"
    assert theme_of([("user", "I passed my exam in June")]) != "grief"


@pytest.mark.parametrize(
    ("told", "idea", "never"),
    [
        (
            ["I feel like a fraud at work", "my boss said I do well", "how do I stop feeling like this"],
            "facts-check",
            "i-statements",
        ),
        (["my brother drinks, he's drinking a lot", "how do I talk to him"], "tell-what-you-see", "routine"),
        (["my boyfriend wants kids and I don't, what should I do"], "values-check", "i-statements"),
        (
            ["I'm retired since June", "my wife still works", "any suggestions?"],
            "activity-plan",
            "i-statements",
        ),
    ],
)
def test_an_idea_fits_what_was_asked(told: list[str], idea: str, never: str) -> None:
    offer = planned(*told, reading=read("advice"))["offer"]
    assert offer == idea
    assert offer != never


@pytest.mark.parametrize(
    "text",
    [
        "I already wrote a list of things",
        "she'll just say sorry again",
        "small steps won't fix it",
        "I tried a letter",
    ],
)
def test_an_idea_that_was_tried_is_put_down(text: str) -> None:
    ask = "my friend is angry with me, what can I do"
    first = planned(ask, reading=read("advice"))
    assert first["offer"]
    then = planned(ask, text, before=first)
    assert then["move"] == "decline"
    assert then["offer"] != first["offer"]
    assert planned(text)["move"] == "support"  # nothing was put


def test_what_was_tried_is_remembered_and_no_idea_follows_it() -> None:
    tried = "i tried the writing thing already"
    assert {"unsent-letter", "write-it-down"} <= offered([("user", "my girlfriend left me"), ("user", tried)])
    weeks = [f"my girlfriend left me and week {week} is hard" for week in range(9)]
    for count in range(1, 9):
        assert not planned(*weeks[:count], tried)["offer"]
    assert any(
        planned(*weeks[:count], "the evenings are so long without her")["offer"] for count in range(1, 9)
    )


def test_talk_of_a_professional_goes_on() -> None:
    before = planned("how do I find a counsellor", reading=read("find_care"))
    for text in ("are there free ones", "what do I do in the meantime", "I'm in the UK", "is it worth it"):
        assert (
            planned("how do I find a counsellor", text, reading=read("advice"), before=before)["move"]
            == "find_care"
        )
