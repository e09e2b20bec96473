"""An exercise talked through: a step a turn, to be left and taken up, never twice in the same words."""

import random

import pytest

from agent.exercises import exercises, load_practice_words
from agent.guard import Bounds, fold
from agent.plan import load_ideas
from agent.reading.wants import wants
from agent.responders.exercise_calls import heard
from agent.responders.practising import practised
from tests.agent.responders.test_crisis import grade

WORDS = load_practice_words()
ALL = exercises()


class Talk:
    """A conversation with the exercises alone; what is not for them is answered with a plain line."""

    def __init__(self, *, seed=0):
        self.practice, self.history, self.said, self.seed, self.turn = {}, [], [], seed, 0
        self.acts = []

    def hear(self, text):
        return heard(
            text,
            self.practice,
            turn=self.turn + 1,
            wants=wants(text),
            history=[*self.history, ("user", text)],
        )

    def say(self, text, *, reply="I'm listening to you."):
        call = self.hear(text)
        self.turn += 1
        self.history.append(("user", text))
        self.acts.append(call.act)
        out = [reply]
        if call.act:
            done = practised(
                self.practice,
                call,
                turn=self.turn,
                history=self.history,
                said=self.said,
                seed=self.seed,
            )
            self.practice, out = done.practice, done.sentences
            assert done.turn_plan["move"] == "practice"
        self.history.append(("assistant", " ".join(out)))
        self.said += out
        return out


def talk(*texts, seed=0):
    one = Talk(seed=seed)
    for text in texts:
        one.say(text)
    return one


def through(one, name):
    """Ask for it and go through to its end."""
    one.say(ALL[name].hits[0])
    assert one.practice["name"] == name
    for step in ALL[name].steps[:-1]:
        assert one.practice["step"] == step.id
        one.say("next" if step.reply == "done" else "a few words of mine")
    one.say("a bit better")
    assert one.practice["step"] == ""


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("name", ALL)
def test_done_twice_no_sentence_returns_and_every_reply_may_be_said(name, seed):
    one = Talk(seed=seed)
    for _ in range(2):
        through(one, name)
    assert len(one.said) == len(set(one.said))
    said = []
    for role, text in one.history:
        if role == "assistant":
            assert len(text.split()) <= 110
            assert grade(text) <= 8, text
            sentences = [line for line in one.said if line in text]
            kept = fold(sentences, Bounds(said=tuple(said), words=154))
            assert set(kept.sentences) == set(sentences)
            said += sentences


def test_a_third_time_it_is_handed_over():
    one = Talk()
    for _ in range(2):
        through(one, "paced-breathing")
    assert one.say("a breathing exercise please")[0] in WORDS.known
    assert one.practice["step"] == ""


def test_it_keeps_no_word_of_the_persons():
    one = talk("let's do a thought record", "CANARY", "CANARY")
    assert "CANARY" not in repr(one.practice)


@pytest.mark.parametrize("text", ["stop", "not now", "Please stop.", "this is too much", "enough"])
def test_it_stops_and_is_taken_up_where_it_was(text):
    one = talk("help me calm down", "ok", text)
    assert one.acts[-1] == "stop"
    assert one.practice["step"] == "find"
    one.say("my tea is cold")
    assert one.acts[-1] == ""
    one.say("go on")
    assert one.acts[-1] == "resume"
    one.say("done")
    assert one.practice["step"] == "longer"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "my mum just called and she was shouting about the money again",
        "what if he leaves me?",
        "are you a real person",
        "can we talk about my sister",
        "bye",
        "I don't want any advice",
    ],
)
def test_a_new_worry_a_question_or_silence_leaves_it_and_it_waits(text):
    one = talk("help me calm down", "ok", text)
    assert one.acts[-1] == ""
    one.say("lets go on")
    assert one.acts[-1] == "resume"


def test_one_asked_for_in_the_middle_takes_its_place():
    one = talk("help me calm down", "can we do grounding instead")
    assert one.practice["name"] == "grounding"
    one.say("another one")
    assert one.practice["name"] not in {"grounding", "paced-breathing"}
    assert "grounding" in one.practice["declined"]


def test_what_makes_it_worse_has_a_way_out():
    one = talk("breathing exercise please", "ok", "it makes me dizzy")
    assert one.history[-1][1].startswith(tuple(text.split(".")[0] for text in ALL["paced-breathing"].worse))
    assert "paced-breathing" in one.practice["declined"]
    one.say("yes")
    assert one.practice["name"] == "grounding"
    assert one.practice["step"] == "see"


def test_one_turned_down_is_not_chosen_again():
    assert talk("I tried breathing and it doesn't help", "help me calm down").practice["name"] == "grounding"
    one = talk("help me calm down", "not that one")
    assert one.practice["declined"] == ["paced-breathing"]
    one.say("my lamp")
    one.say("stop")
    one.say("help me calm down")
    assert one.practice["name"] == "grounding"
    assert one.practice["declined"] == ["paced-breathing"]


def test_saying_yes_to_an_idea_that_has_an_exercise_begins_it():
    for name, one in ALL.items():
        conversation = Talk()
        conversation.say("my week was long", reply=load_ideas().ideas[one.idea].offer[0])
        conversation.say("yes please")
        assert conversation.practice["name"] == name
    conversation = Talk()
    conversation.say("my week was long", reply=load_ideas().ideas["movement"].offer[0])
    conversation.say("yes please")
    assert conversation.acts[-1] == ""


def test_who_is_unsure_gets_more_and_the_step_stays():
    one = talk("let's do a thought record", "i don't know")
    assert one.practice["step"] == "moment"
    assert one.said[-1] in " ".join(ALL["thought-record"].steps[0].hint)


def test_the_step_they_chose_is_said_back_in_their_words():
    one = talk("can we do problem solving", *["some words"] * 4, "Ring the bank.", "at ten")
    one.say("lighter")
    assert '"Ring the bank"' in one.history[-1][1]
    one = talk("can we do problem solving", *["some words"] * 4, "pay 400 to http://x", "at ten")
    one.say("lighter")
    assert "http" not in one.history[-1][1]


def test_whatever_comes_there_is_a_reply():
    chance = random.Random(5)  # noqa: S311 - reproducible, not secret
    moves = ["next", "stop", "go on", "idk", "another one", "back", "a b c", "help me calm down", "worse"]
    moves += ["thought record", "yes", "", "something for sleep", "ok", "calmer"]
    for _ in range(40):
        one = Talk(seed=chance.randrange(99))
        for _ in range(14):
            assert one.say(chance.choice(moves))
        assert one.practice.get("step", "") == "" or one.practice["name"] in ALL


def test_what_an_operator_asked_is_not_answered_into_the_exercise():
    one = talk("help me calm down")
    call = heard("ok", one.practice, turn=2, wants=["accept"], history=one.history, ours=False)
    assert call.act == ""


def test_what_is_written_to_somebody_else_stays_in_the_letter():
    one = talk("unsent letter", "Dad", "why did you leave? are you there? you are useless, bye")
    assert one.acts[-1] == "answer"
    one.say("stop")
    assert one.acts[-1] == "stop"
    assert talk("unsent letter", "Dad", "are you recording this?").acts[-1] == ""


def test_a_question_within_an_answer_is_part_of_it_unless_it_is_put_to_us():
    assert talk("let's do a thought record", "home", "what if they all laugh?").acts[-1] == "answer"
    assert talk("let's do a thought record", "home", "do you think they laughed?").acts[-1] == ""


def test_news_answer_a_step_that_asked_for_them_and_leave_any_other():
    news = "my boss just called me into her office"
    assert talk("let's do a thought record", news).acts[-1] == "answer"
    assert talk("can we do worry time", "rent", "all of it", news).acts[-1] == ""


@pytest.mark.parametrize("text", ["my mum is dying and I can't cope", "I'm thinking about my boss again"])
def test_something_told_where_nothing_was_asked_is_listened_to(text):
    assert talk("help me calm down", "ok", text).acts[-1] == ""
    assert talk("help me calm down", "ok", "it is still so tight in there").acts[-1] != ""


@pytest.mark.parametrize(
    "text", ["I already tried breathing", "I tried this before and it doesn't help", "it doesn't work for me"]
)
def test_what_was_tried_is_swapped(text):
    one = talk("help me calm down", text)
    assert one.acts[-1] == "other"
    assert one.practice["name"] == "grounding"


def test_a_no_to_a_step_that_asks_nothing_ends_it_and_else_goes_on():
    assert talk("help me calm down", "no").acts[-1] == "stop"
    assert talk("can we do worry time", "no").acts[-1] == "go"


def test_what_it_is_for_is_told_and_the_step_waits():
    one = talk("can we do worry time", "how is this going to help?")
    assert one.acts[-1] == "why"
    assert one.said[-2] in ALL["worry-time"].reason
    assert one.practice["step"] == "name"


def test_whoever_ends_it_worse_is_not_sent_off_with_a_hint():
    one = talk("can we do worry time", *["some words"] * 5, "worse")
    assert one.practice["step"] == ""
    assert not set(one.history[-1][1].split(". ")).intersection(ALL["worry-time"].ends)
    assert one.said[-2] in WORDS.said_worse


def test_a_list_gets_no_answer_but_the_next_step():
    one = talk("grounding please", "a lamp, a chair, my keys, the old wall, one shoe")
    assert one.history[-1][1] in ALL["grounding"].steps[1].say


def test_taken_up_once_too_often_it_says_where_the_step_stands():
    one = talk("can we do worry time", *["stop", "go on"] * 2)
    assert any(line in one.history[-1][1] for line in WORDS.above)
