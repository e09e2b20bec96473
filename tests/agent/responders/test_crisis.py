"""The crisis reply: what it must hold, what it may never do, and how it follows the person."""

import random
import re
from collections import Counter
from itertools import product
from string import Template

import pytest

from agent.guard import Bounds, judge
from agent.reading.ladder import ANSWERS, KINDS, LEVELS
from agent.reading.tonguecare import CARED
from agent.responders.crisis import compose, holds
from agent.responders.crisis_words import load_words
from knowledge.helplines import contact_tokens, load_helplines
from tests.fakes import danger

HELPLINES = load_helplines()
CRISIS_LEVELS = ("moderate", "high", "imminent")
SUBJECTS = ("self", "other", "child")
COUNTRIES = ("US", "GB", "IE", "CA", "AU", "NZ", "IN", "DE", "ES", "CL", "JP", "TR", "BG", "TV", None)
BODY = {"overdose", "medical", "substance", "medication", "eating_disorder"}
MEANS_AT_HIGH = BODY | {
    *("suicide", "self_harm", "bereaved", "distress"),
    *("harm_to_others", "psychosis", "perinatal"),
}
BARRIERS = ("hold_time", "police_fear", "cannot_speak", "nobody", "tried_already", "no_credit", "no_phone")
LEADING = re.compile(
    r"you(?:'re| are) not\b.*\bare you\b|\bright\?|\bcorrect\?|wouldn't\b|don't you\b", re.IGNORECASE
)
BANNED = re.compile(
    r"!|always be here|promise me|you should\b(?! not have to)|at least|everything happens|think positive|"
    r"therap|treatment|diagnos|licen[cs]ed|clinical|counsel|i understand how|i've been there|"
    r"committed suicide|selfish|attention|calm down|cheer up|\bmy (?:life|family|own)\b|\bpills?\b|\bdose",
    re.IGNORECASE,
)


def reply(risk, country="US", *, care=None, said=(), turn=1, seed=0, text="it is all too much", **more):
    mute = "cannot_speak" in risk["answers"]
    contacts = HELPLINES.contacts(
        country, risk["kinds"], level=risk["level"], young="minor" in risk["kinds"], cannot_speak=mute
    )
    return compose(
        text=text,
        risk=risk,
        care=care or {},
        contacts=contacts,
        said=list(said),
        turn=turn,
        seed=seed,
        country=country,
        **more,
    )


def talk(risks, country="US", seed=0, **more):
    care, said, out = {}, [], []
    for turn, risk in enumerate(risks, start=1):
        done = reply(risk, country, care=care, said=said, turn=turn, seed=seed, **more)
        out.append(done)
        care = done["care"]
        said += done["sentences"]
    return out


def meant(done):
    """What an answer to the open question would make of the danger; that it was explained counts anywhere."""
    return {answer: level for answer, level in done["care"]["pending"].items() if answer != "explained"}


def grade(text):
    """Flesch-Kincaid grade with a plain vowel-group syllable count."""
    words = re.findall(r"[A-Za-z0-9'’&-]+", text)
    sentences = [part for part in re.split(r"(?<=[.?])\s+", text) if part]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word):
    plain = re.sub(r"[^a-z]", "", word.lower())
    trimmed = re.sub(r"(?:[^laeiouy]es|[^laeiouytd]ed|[^laeiouy]e)$", lambda end: end.group()[0], plain)
    return max(1, len(re.findall(r"[aeiouy]+", trimmed)))


def parts(done):
    """What the reply holds; one sentence may do two things."""
    return {part for element in done["elements"] for part in element.split("+")}


def required(kind, level, subject, contacts):  # noqa: PLR0911 - a table, row by row
    """Elements of safety.md §3.1 by level, as far as they make sense for the kind (§3.3)."""
    own_child = subject == "child" and kind in {"harm_to_others", "perinatal"}
    has_line = any(contact["category"] != "emergency" for contact in contacts)
    if subject == "self" or own_child:
        if level == "imminent":
            means = kind not in {"medical", "eating_disorder"} and not own_child
            line = has_line and kind not in {"medical", "eating_disorder"} and not own_child
            body = {"act"} if kind in BODY or own_child else set()
            tags = {"ack", "emergency", "barrier", "person_now", "ai_stay", "ask"} | body
            return tags | ({"means"} if means else set()) | ({"line"} if line else set())
        tags = {"ack", "ask", "person", "professional", "barrier", "ai", "stay"} | (
            {"device"} if kind == "abuse" else set()
        )
        tags |= {"line"} if has_line else set()
        return tags | ({"means"} if level == "high" and kind in MEANS_AT_HIGH else set())
    if level == "imminent":
        tags = {"ack", "emergency", "person_now", "ai_stay", "ask"}
        if kind == "medical":
            return tags | {"act"}
        return tags | ({"line", "act"} if kind in BODY else {"line", "means", "ask_them", "secret", "helper"})
    if kind == "medical" and level == "high":
        return {"ack", "worse", "act", "ask", "person_now", "professional", "ai", "stay"}
    tags = {"ack", "ask", "line", "professional", "secret", "helper", "ai", "stay"}
    if level == "high":
        return tags | ({"worse", "act"} if kind in BODY else {"ask_them", "person_now", "means"})
    return tags | {"ask_them"}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", CRISIS_LEVELS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_first_reply_holds_what_it_must_within_the_limits(kind, level, subject):
    for country, seed in product(COUNTRIES, (0, 1, 2)):
        risk = danger(level, [kind], subject)
        done = reply(risk, country, seed=seed)
        text = " ".join(done["sentences"])
        where = (country, seed, text)
        assert len(text.split()) <= (80 if level == "imminent" else 120), where
        assert text.count("?") <= 1, where
        assert len(done["card"]) <= 3, where
        assert grade(text) <= 6, where
        assert required(kind, level, subject, done["card"]) <= parts(done), where
        given = " | ".join(value for contact in done["card"] for value in contact.values())
        assert contact_tokens(text) <= contact_tokens(given), where
        assert "$" not in text, where
        assert re.search(r"\bAI\b|software|computer program", text), where
        assert re.search(r"can't|has to come from you", text), where
        if level == "imminent":
            number = next((c["phone"] for c in done["card"] if c["category"] == "emergency"), None)
            opening = " ".join(done["sentences"][:2])
            assert (number or "your local emergency number") in opening, where


def test_a_card_shows_the_contacts_given_and_nothing_else():
    given = HELPLINES.contacts("GB", ["suicide"], level="high")
    assert reply(danger("high"), "GB")["card"] == given


@pytest.mark.parametrize("kind", ["suicide", "self_harm", "bereaved", "distress", "perinatal"])
def test_suicide_is_named_once_and_plainly(kind):
    for seed in range(6):
        done = reply(danger("moderate", [kind]), seed=seed)
        question = next(sentence for sentence in done["sentences"] if sentence.endswith("?"))
        assert re.search(r"suicide|killing yourself|ending your life", question)
        assert meant(done) == {"yes": "high"}
        assert done["intent"] == "questioning"


def test_no_sentence_leads_scolds_or_promises():
    words = load_words()
    for sentence in _all_sentences(words):
        assert not LEADING.search(sentence), sentence
        assert not BANNED.search(sentence), sentence
        assert re.fullmatch(r"""["A-Z$].*[.?]""", sentence), sentence
        slots = set(re.findall(r"\$(\w+)", sentence))
        assert slots <= {"emergency", "line", "second", "text", "other_text", "site"}, sentence


def _all_sentences(words):
    for entries in [*words.elements.values(), words.asks, words.echoes]:
        for entry in entries:
            yield from entry.say


def test_only_asks_are_questions_and_nothing_claims_a_review():
    words = load_words()
    assert words.reviewed_by is None
    assert not [s for entries in words.elements.values() for e in entries for s in e.say if "?" in s]
    assert all(s.endswith("?") and s.count("?") == 1 for ask in words.asks for s in ask.say)


def test_elements_that_can_recur_have_three_wordings():
    words = load_words()
    pools = {name: Counter() for name in words.elements}
    for name, entries in words.elements.items():
        for entry in entries:
            pools[name][entry.kinds, entry.subjects, entry.answers, entry.asked] += len(entry.say)
    thin = {name: pool for name, pool in pools.items() if sum(pool.values()) < 3 and name != "country"}
    assert not thin
    for answer in ANSWERS:
        spoken = {s for e in words.elements["answer"] if answer in e.answers for s in e.say}
        assert len(spoken) >= 3, answer


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("level", CRISIS_LEVELS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_ten_turns_repeat_no_sentence_and_no_card_within_three_turns(kind, level, subject):
    turns = talk([danger(level, [kind], subject)] * 10, text="i can't take it")
    seen = set()
    shown_at = {}
    for number, turn in enumerate(turns):
        assert turn["sentences"]
        assert not seen & set(turn["sentences"]), (number, turn["sentences"])
        seen |= set(turn["sentences"])
        assert sum("?" in sentence for sentence in turn["sentences"]) <= 1
        for contact in turn["card"]:
            assert number - shown_at.get(contact["name"], -9) > 3
            shown_at[contact["name"]] = number
        if level == "imminent":
            assert "911" in " ".join(turn["sentences"][:2])


def test_any_course_of_a_conversation_stays_within_the_limits():
    chance = random.Random(7)  # noqa: S311 - reproducible, not secret
    for _ in range(150):
        country, subject = chance.choice(COUNTRIES), chance.choice(SUBJECTS)
        course = [
            danger(
                chance.choice(CRISIS_LEVELS),
                chance.sample(KINDS, chance.choice((1, 1, 2, 3))),
                subject,
                answers=chance.sample(ANSWERS, chance.choice((0, 0, 1, 2))),
                fresh=chance.random() < 0.5,
                quiet=chance.choice((0, 1, 2, 5)),
                marks=chance.sample(
                    ["urge", "means", "command_voice", "afraid_of_reader"], chance.choice((0, 1))
                ),
            )
            for _ in range(12)
        ]
        said = set()
        for risk, turn in zip(
            course, talk(course, country, chance.randrange(99), helped=HELPED), strict=True
        ):
            text = " ".join(turn["sentences"])
            own = {s for s, e in zip(turn["sentences"], turn["elements"], strict=True) if e != "help"}
            assert own | set(turn["elements"]), course
            assert not own & said, own & said
            assert len(text.split()) <= 120
            assert text.count("?") <= 1
            assert len(turn["card"]) <= 3
            assert contact_tokens(text) <= HELPLINES.allowed(country)
            if risk["level"] == "imminent" and risk["fresh"] and "explained" not in risk["answers"]:
                assert any("emergency" in element.split("+") for element in turn["elements"][:2])
            said |= own


def test_the_card_comes_back_when_the_level_rises_or_the_person_asks():
    first, second, third = talk([danger("moderate"), danger("high"), danger("imminent")])
    assert len(first["card"]) == 1
    assert [c["category"] for c in second["card"]][-1] == "emergency"
    assert third["card"][0]["category"] == "emergency"
    again = reply(
        danger("high", quiet=1, fresh=False), care=second["care"], turn=3, text="what was the number"
    )
    assert again["card"]


@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.parametrize("level", CRISIS_LEVELS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_every_answer_is_taken_up_first_and_followed_by_a_small_step(answer, level, subject):
    for country, seed in product(("US", "DE", None), (0, 1, 2)):
        _, after = talk(
            [
                danger(level, subject=subject),
                danger(level, subject=subject, answers=[answer], fresh=False, quiet=1),
            ],
            country,
            seed,
        )
        text = " ".join(after["sentences"])
        assert after["elements"][0] == "answer"
        assert "step" in after["elements"]
        assert len(text.split()) <= 80
        assert text.count("?") <= 1
        assert grade(text) <= 6, text
        assert contact_tokens(text) <= HELPLINES.allowed(country), text


def opens(words, answer):
    return {s for e in words.elements["answer"] if answer in e.answers for s in e.say}


@pytest.mark.parametrize("answer", BARRIERS)
def test_every_barrier_has_its_own_words_and_is_remembered(answer):
    _, after = talk([danger("high"), danger("high", answers=[answer], fresh=False, quiet=1)])
    assert after["sentences"][0] in opens(load_words(), answer)
    assert after["care"]["barriers"] == [answer]
    assert after["care"]["asked"] == "try"


@pytest.mark.parametrize(
    ("answer", "country", "says"),
    [
        ("hold_time", "US", "text"),
        ("cannot_speak", "GB", "85258"),
        ("police_fear", "US", "can't promise"),
        ("tried_already", "US", "741741"),
        ("nobody", "US", "988"),
        ("no_credit", "DE", "112"),
    ],
)
def test_a_barrier_gets_a_way_around_it(answer, country, says):
    _, after = talk([danger("high"), danger("high", answers=[answer], fresh=False, quiet=1)], country)
    assert says in " ".join(after["sentences"])


def test_police_are_never_a_threat_nor_a_false_promise():
    for seed in range(3):
        _, after = talk(
            [danger("high"), danger("high", answers=["police_fear"], fresh=False, quiet=1)], seed=seed
        )
        assert "can't promise" in " ".join(after["sentences"])


def test_yes_leads_on_no_closes_the_question_of_means():
    _, yes, imminent = talk(
        [danger("moderate"), danger("high", answers=["yes"]), danger("imminent", answers=["yes"])]
    )
    assert yes["care"]["asked"] == "means"
    assert meant(yes) == {"yes": "imminent"}
    assert imminent["care"]["asked"] == "with_someone"
    assert "911" in " ".join(imminent["sentences"][:2])
    _, no, later = talk(
        [
            danger("high"),
            danger("high", answers=["no"], fresh=False, quiet=1),
            danger("high", quiet=2, fresh=False),
        ]
    )
    assert no["care"]["asked"] != "means"
    assert later["care"]["asked"] != "means"


def test_a_question_is_asked_twice_at_most_and_never_in_the_same_words():
    turns = talk([danger("high")] * 10)
    asked = [
        (turn["care"]["asked"], sentence)
        for turn in turns
        for sentence in turn["sentences"]
        if sentence.endswith("?")
    ]
    assert asked[0][0] == "suicide"
    assert max(Counter(name for name, _ in asked).values()) == 2
    assert len({sentence for _, sentence in asked}) == len(asked)


def test_a_refusal_is_respected_and_the_door_stays_open():
    first, second, *rest = talk(
        [danger("moderate"), danger("moderate", answers=["refusal"], fresh=False, quiet=1)]
        + [danger("moderate", fresh=False, quiet=quiet) for quiet in range(2, 10)],
    )
    assert first["care"]["asked"] == "suicide"
    assert "won't ask" in second["sentences"][0]
    assert "?" not in " ".join(second["sentences"])
    assert second["care"]["refused"] == ["suicide"]
    assert not [turn for turn in rest if turn["care"]["asked"]]
    assert "open" in rest[0]["elements"]


def test_a_bare_denial_is_not_argued_with_nor_the_end_of_it():
    risk = danger("high", answers=["denial"], fresh=False, quiet=1)
    first, after = talk([danger("high"), risk])
    assert "?" not in " ".join(after["sentences"])
    assert after["intent"] == "consoling"
    assert holds(danger("high", fresh=False, quiet=2), after["care"])
    assert first["care"]["shown_level"] == after["care"]["shown_level"]


def test_a_misunderstanding_cleared_up_ends_the_hold():
    _, after = talk([danger("high"), danger("high", answers=["explained"], fresh=False, quiet=1)])
    assert not holds(danger("high", fresh=False, quiet=2), after["care"])
    assert holds(danger("high"), after["care"])


def test_holds_on_cues_answers_barriers_silence_and_three_turns_after_high():
    assert holds(danger("moderate"), {})
    once = danger("moderate", fresh=False, quiet=1)
    assert holds(once, {"asked": "suicide"})
    assert not holds(danger("moderate", fresh=False, quiet=2), {"asked": "suicide"})
    assert not holds(once, {"asked": ""})
    assert holds(danger("moderate", fresh=False, quiet=3, peak="high"), {"asked": ""})
    assert not holds(danger("moderate", fresh=False, quiet=4, peak="high"), {"asked": ""})
    assert holds(danger("moderate", fresh=False, quiet=9, answers=["no"]), {"asked": "check_in"})
    assert not holds(danger("moderate", fresh=False, quiet=9, answers=["with_someone"]), {"asked": ""})
    assert holds(danger("moderate", fresh=False, quiet=9, answers=["hold_time"]), {"asked": ""})


HELPED = (
    "An exam on top of all this is a lot.",
    "Maybe start with the one page you know best.",
    "What part of it worries you?",
)


def remembered(turns):
    answered = danger("moderate", fresh=False, quiet=1, answers=["no"])
    later = [danger("moderate", fresh=False, quiet=3 + turn) for turn in range(turns)]
    return [danger("moderate"), answered, *later]


def test_help_comes_first_sentence_by_sentence_with_one_soft_check_in_per_five_turns():
    _, _, *turns = talk(remembered(18), helped=HELPED[:2])
    checks = [at for at, turn in enumerate(turns) if turn["care"]["asked"] == "check_in"]
    assert checks == [7, 12, 17]  # a clear no holds for longer
    assert len({turns[at]["sentences"][-1] for at in checks}) == 3
    for turn in turns:
        assert tuple(turn["sentences"][:2]) == HELPED[:2]
        assert turn["elements"][:2] == ["help", "help"]
        assert turn["card"] == []
    assert turns[7]["elements"][2:] == ["ask"]
    assert meant(turns[7]) == {"yes": "high"}


def test_a_check_in_waits_while_the_help_asks_something_but_not_for_ever():
    _, _, *turns = talk(remembered(16), helped=HELPED)
    checks = [turn["care"]["asked"] == "check_in" for turn in turns]
    assert not any(checks[:5])
    assert any(checks)
    for turn, checked in zip(turns, checks, strict=True):
        assert " ".join(turn["sentences"]).count("?") == 1
        assert (HELPED[2] in turn["sentences"]) == (not checked)


@pytest.mark.parametrize("text", ["Thank you so much", "ok good night"])
def test_nobody_is_checked_on_while_they_say_thanks_or_goodbye(text):
    *_, after = talk(remembered(1), helped=HELPED[:2], text=text)
    assert after["sentences"] == list(HELPED[:2])


def test_a_turn_escalated_by_memory_without_help_still_answers():
    for turn in talk(remembered(8))[2:]:
        assert turn["sentences"]
        assert all(turn["sentences"])


def test_long_help_is_cut_at_a_sentence():
    long = ["This is a sentence of exactly eight plain words."] * 20
    done = talk(remembered(1), helped=long)[2]
    assert len(" ".join(done["sentences"]).split()) <= 100


def test_memory_without_any_card_shown_yet_shows_it_once():
    risk = danger("moderate", fresh=False, quiet=6)
    first, second = talk([risk, risk], helped=HELPED)
    assert first["card"]
    assert not second["card"]


def test_somebody_whose_screen_is_watched_is_told_first_and_asked_nothing():
    for level in CRISIS_LEVELS:
        done = reply(danger(level, ["abuse"], marks=["afraid_of_reader"]))
        assert "device" in done["elements"][:3]
        assert "?" not in " ".join(done["sentences"])


def test_overdose_never_waits_and_never_gets_a_remedy():
    for seed, level in product(range(4), ("high", "imminent")):
        text = " ".join(reply(danger(level, ["overdose"]), seed=seed)["sentences"])
        assert "even if you feel fine" in text.lower() or "feeling fine is no sign" in text.lower()
        assert "sick" in text
        assert not re.search(r"sleep it off|drink water|milk|coffee|you will be fine", text)


def test_a_parent_who_may_harm_the_baby_is_told_to_put_it_down_and_step_out():
    for seed in range(3):
        text = " ".join(reply(danger("imminent", ["harm_to_others"], "child"), seed=seed)["sentences"])
        assert re.search(r"cot|safe place|somewhere safe", text)
        assert re.search(r"step|walk away", text)


def test_a_helper_is_told_to_ask_and_never_asked_about_their_own_suicide():
    for level in CRISIS_LEVELS:
        for turn in talk([danger(level, ["suicide"], "other")] * 6):
            for sentence in turn["sentences"]:
                assert not re.search(r"are you (thinking|having thoughts)", sentence, re.IGNORECASE)


def test_a_child_is_pointed_to_a_grown_up_who_is_not_the_one_hurting():
    text = " ".join(reply(danger("high", ["minor"]), "GB")["sentences"])
    assert re.search(r"teacher|grown-up|grown-ups", text)


def test_an_unknown_country_is_asked_for_and_gets_no_number():
    done = reply(danger("moderate"), None)
    text = " ".join(done["sentences"])
    assert "findahelpline.com" in text
    assert not re.search(r"\d", text)
    assert "country" in done["elements"]


@pytest.mark.parametrize("language", sorted(load_words().languages.keys() - CARED))
def test_every_language_has_a_short_reply_with_the_countrys_numbers(language):
    for country, level in product(("ES", "TV"), ("moderate", "imminent")):
        first, second, third = talk([danger(level)] * 3, country, language=language)
        text = " ".join(first["sentences"])
        assert len(first["sentences"]) <= 4
        assert "$" not in text
        assert first["card"]
        assert ("112" in text) == (country == "ES" and level == "imminent")
        assert not set(first["sentences"]) & set(second["sentences"])
        assert third["sentences"]


def test_the_languages_are_the_thirteen_promised():
    assert load_words("es").asks  # Spanish has words of its own, as has CARED; the others a short reply
    assert set(load_words().languages) == {
        *("fr", "de", "pt", "it", "nl"),
        *("hi", "ar", "ru", "tr", "zh", "ja", "ko"),
    }


def test_the_persons_own_burden_is_echoed_unless_they_deny_it():
    heard = " ".join(reply(danger("moderate"), text="I lost my job and I feel like a burden")["sentences"])
    assert "Losing your job" in heard
    denied = " ".join(reply(danger("moderate"), text="It's not that I lost my job")["sentences"])
    assert "Losing your job" not in denied


def test_same_input_same_reply_and_another_seed_another_wording():
    risk = danger("high")
    assert reply(risk, seed=3) == reply(risk, seed=3)
    assert reply(risk, seed=0)["sentences"] != reply(risk, seed=1)["sentences"]


def test_the_plan_says_crisis_and_why():
    plan = reply(danger("high"))["plan"]
    assert plan["move"] == "crisis"
    assert plan["careful"]
    assert plan["ask"]
    assert all(step["why"].endswith(".") for step in plan["steps"])
    assert set(LEVELS) >= set(CRISIS_LEVELS)


ASKED_FOR_SUICIDE = re.compile(r"suicide|killing yourself|ending your life|end your life")


def story(*steps, country="GB", seed=0, **more):
    """Whole conversation from (text, risk) pairs."""
    care, said, out = {}, [], []
    for turn, (text, risk) in enumerate(steps, start=1):
        done = reply(risk, country, care=care, said=said, turn=turn, seed=seed, text=text, **more)
        out.append(done)
        care = done["care"]
        said += done["sentences"]
    return out


def quiet(level="moderate", *, after=1, **more):
    return danger(level, fresh=False, quiet=after, **more)


@pytest.mark.parametrize("seed", range(4))
def test_a_new_cue_while_the_question_is_open_is_met_and_the_question_put_in_other_words(seed):
    first, second = story(
        ("I can't do this anymore", danger("moderate")),
        ("everyone would be better off without me", danger("moderate")),
        seed=seed,
    )
    text = " ".join(second["sentences"])
    assert second["elements"][0] == "echo"
    assert re.search(r"burden|better off", second["sentences"][0])
    assert second["elements"][-1] == "ask"
    assert ASKED_FOR_SUICIDE.search(second["sentences"][-1])
    assert not set(first["sentences"]) & set(second["sentences"])
    assert "116 123" in text
    assert second["card"] == []
    assert len(text.split()) <= 80
    assert meant(second) == {"yes": "high"}


def test_a_new_cue_after_a_no_may_be_asked_about_once_more_and_after_a_refusal_never():
    no = quiet(answers=["no"])
    asked = story(("", danger("moderate")), ("no", no), ("I feel like a burden", danger("moderate")))
    assert asked[2]["care"]["asked"] == "suicide"
    stop = quiet(answers=["refusal"])
    told = story(
        ("", danger("moderate")), ("stop asking", stop), ("I feel like a burden", danger("moderate"))
    )
    assert "?" not in " ".join(told[2]["sentences"])
    assert "still" in told[2]["elements"]


@pytest.mark.parametrize(
    "text", ["it just never stops", "...", "can you just talk to me", "I'm scared", "ok"]
)
def test_an_unanswered_direct_question_stays_open_for_four_turns(text):
    turns = story(("", danger("moderate")), *[(text, quiet(after=after)) for after in range(1, 5)])
    waiting = [(turn["care"]["asked"], meant(turn)) for turn in turns]
    assert waiting[:4] == [("suicide", {"yes": "high"})] * 4
    assert waiting[4][0] != "suicide"
    assert "still" in turns[1]["elements"]
    assert not [turn for turn in turns[1:4] if "?" in " ".join(turn["sentences"])]


def test_a_question_put_by_the_help_ends_the_waiting():
    steps = (("", danger("moderate")), ("ok", quiet()), ("my exam", quiet(after=2)))
    asking, plain = (story(*steps, helped=helped)[2] for helped in (HELPED, HELPED[:2]))
    assert meant(asking) != {"yes": "high"}
    assert asking["care"]["asked"] != "suicide"
    assert meant(plain) == {"yes": "high"}


@pytest.mark.parametrize("seed", range(6))
def test_a_yes_is_taken_up_with_care_and_one_next_question(seed):
    _, second = story(("", danger("moderate")), ("yes", danger("high", answers=["yes"])), seed=seed)
    assert second["elements"] in (
        ["answer", "hope", "line_again", "step", "ask"],
        ["answer", "hope", "step", "ask"],
    )
    text = " ".join(second["sentences"])
    assert "help" in second["sentences"][1]
    assert "you could use" in text or "you might use" in text
    assert text.count("?") == 1
    assert second["care"]["asked"] == "means"
    assert second["card"]


def test_not_knowing_is_not_taken_for_a_yes():
    for seed in range(3):
        risk = danger("high", answers=["yes"])
        _, second = story(("", danger("moderate")), ("I don't know", risk), seed=seed)
        assert re.search(r"[Nn]ot knowing|not to be sure|maybe", second["sentences"][0])
        assert "hope" not in second["elements"]
        assert second["care"]["asked"] == "now"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("I have pills in the drawer", r"distance|locked door|take it away"),
        ("I'm scared", r"scar|afraid"),
        ("can you just talk to me", r"talk"),
        ("...", r"words|anything long"),
        ("why do you care, you're a machine", r"machine|software|program"),
        ("what's the point", r"dark|pointless|hope"),
        ("sorry for bothering you", r"sorry|bothering|make up for"),
    ],
)
def test_what_they_do_besides_answering_has_its_own_words(text, says):
    for seed in range(3):
        yes = danger("high", answers=["yes"])
        *_, third = story(("", danger("moderate")), ("yes", yes), (text, quiet("high")), seed=seed)
        whole = " ".join(third["sentences"])
        assert re.search(says, whole), whole
        assert 2 <= len(third["sentences"]) <= 5
        assert "hope" not in third["elements"]


def test_what_is_near_answers_the_question_of_means_unless_it_is_gone():
    steps = [("", danger("moderate")), ("yes", danger("high", answers=["yes"]))]
    *_, near = story(*steps, ("I have pills in the drawer", quiet("high")))
    assert near["care"]["asked"] == "keeper"
    *_, gone = story(*steps, ("I gave the pills to my mum", quiet("high", answers=["safer"])))
    assert gone["care"]["asked"] != "keeper"
    assert "away from what" not in gone["sentences"][0]


@pytest.mark.parametrize("level", CRISIS_LEVELS)
def test_reaching_someone_is_welcomed_and_nothing_is_asked(level):
    answers = ["tried_already", "reached"]
    for seed in range(4):
        _, after = story(("", danger(level)), ("I texted them", quiet(level, answers=answers)), seed=seed)
        text = " ".join(after["sentences"])
        assert re.match(r"Good|That is good news", text)
        assert "?" not in text
        assert after["elements"][-1] == "stay"
        assert after["care"]["barriers"] == []


def test_a_wait_on_hold_is_a_barrier_even_for_someone_who_reached_out():
    answers = ["hold_time", "tried_already", "reached"]
    _, after = story(("", danger("high")), ("I was on hold", quiet("high", answers=answers)))
    assert after["care"]["asked"] == "try"
    assert "hold_time" in after["care"]["barriers"]


def test_an_answer_to_nothing_asked_is_no_answer():
    done = reply(danger("moderate", answers=["no"]), text="I don't see the point of living")
    assert done["elements"][0] == "ack"


def test_no_sentence_presumes_what_was_not_said():
    unsaid = re.compile(
        r"tell me what they said|Each call reaches|when you have tried|Let me know how it goes"
    )
    assert not [sentence for sentence in _all_sentences(load_words()) if unsaid.search(sentence)]


def test_an_imminent_danger_is_stayed_with_for_longer_and_pressed_less():
    assert holds(quiet("imminent", after=6), {"asked": ""})
    assert not holds(quiet("imminent", after=7), {"asked": ""})
    assert not holds(quiet("high", after=4), {"asked": ""})
    turns = talk([danger("imminent"), *(quiet("imminent", after=after) for after in range(1, 6))])
    urged = ["911" in " ".join(turn["sentences"][:2]) for turn in turns]
    assert urged[:3] == [True] * 3
    assert not any(urged[3:])


@pytest.mark.parametrize("kind", ["suicide", "self_harm", "bereaved", "distress", "abuse", "minor"])
def test_a_first_reply_is_short_enough_to_read_at_night(kind):
    sizes = [
        len(" ".join(reply(danger("moderate", [kind]), "GB", seed=seed)["sentences"]).split())
        for seed in range(6)
    ]
    assert max(sizes) <= 105
    assert min(sizes) >= 55


def test_every_sentence_may_be_said():
    words = load_words()
    bounds = Bounds(allowed=HELPLINES.allowed("GB"), words=150, crisis=True)
    slots = {"emergency": "999", "site": "chat.samaritans.org"} | dict.fromkeys(
        ("line", "second", "text", "other_text"), "Samaritans (call 116 123)"
    )
    for sentence in _all_sentences(words):
        if "$site" not in sentence:
            filled = Template(sentence).substitute(slots)
            assert judge(filled, [], bounds) is None, filled


def own_words(element, answer):
    """A pattern for the sentences of an element that were written for this barrier."""
    entries = load_words().elements[element]
    own = [line for e in entries if answer in e.answers or answer in e.marks for line in e.say]
    return re.compile("|".join(".+?".join(map(re.escape, re.split(r"\$\w+", line))) for line in own))


@pytest.mark.parametrize("answer", BARRIERS)
@pytest.mark.parametrize("level", CRISIS_LEVELS)
def test_a_barrier_told_at_once_is_met_in_the_first_reply(answer, level):
    for country, kind, seed in product(("US", "GB", "DE", None), ("suicide", "self_harm"), (0, 1, 2)):
        done = reply(danger(level, [kind], answers=[answer]), country, seed=seed)
        text = " ".join(done["sentences"])
        assert len(text.split()) <= (80 if level == "imminent" else 120), text
        assert grade(text) <= 6, text
        assert contact_tokens(text) <= HELPLINES.allowed(country)
        assert required(kind, level, "self", done["card"]) - {"ack"} <= parts(done), text
        element = "emergency+barrier" if level == "imminent" else "line+barrier"
        if country and (level != "imminent" or answer in {"police_fear", "no_credit", "no_phone"}):
            assert own_words(element, answer).search(done["sentences"][done["elements"].index(element)]), text


def test_nobody_without_a_phone_is_told_to_call():
    for country, seed in product(("US", "DE", None), (0, 1, 2)):
        _, after, later = talk(
            [
                danger("imminent"),
                danger("imminent", answers=["no_phone"], fresh=False, quiet=1),
                danger("imminent", fresh=False, quiet=2),
            ],
            country,
            seed,
        )
        for done in (after, later):
            named = done["sentences"][done["elements"].index("emergency")]
            assert re.search(r"anyone near|someone with a phone|with a phone|any door", named), named
            assert not re.search(r"make that call|send one text", " ".join(done["sentences"])), named


def test_police_are_not_said_to_stay_away_where_emergency_help_is_called():
    for seed in range(3):
        _, after = talk(
            [danger("imminent"), danger("imminent", answers=["police_fear"], fresh=False, quiet=1)], seed=seed
        )
        text = " ".join(after["sentences"])
        assert "can't promise" in text
        assert not re.search(r"[Mm]ost (?:calls|who call)", text)


def test_an_urge_now_always_gets_a_step_for_the_next_minutes():
    for kind, level, seed in product(
        ("suicide", "self_harm", "distress", "bereaved"), ("moderate", "high"), (0, 1, 2)
    ):
        done = reply(danger(level, [kind], marks=["urge"]), "GB", seed=seed)
        assert "urge" in parts(done), done["sentences"]
        assert len(" ".join(done["sentences"]).split()) <= 120


def test_abuse_gets_a_word_on_whether_this_device_is_safe():
    for country, level, seed in product(("US", "GB", None), ("moderate", "high"), (0, 1, 2)):
        assert "device" in parts(reply(danger(level, ["abuse"]), country, seed=seed))


@pytest.mark.parametrize("kind", KINDS)
def test_a_helper_does_not_carry_it_alone_even_when_it_is_imminent(kind):
    if kind not in {"overdose", "medical", "substance", "medication", "eating_disorder"}:
        assert {"secret", "helper"} <= parts(reply(danger("imminent", [kind], "other"), "GB"))


def test_the_safety_plan_is_offered_after_the_direct_questions_and_never_at_imminent():
    _, no = talk([danger("moderate"), danger("moderate", answers=["no"], fresh=False, quiet=1)])
    assert no["care"]["asked"] == "plan"
    assert meant(no) == {}
    yes = danger("high", answers=["yes"])
    later = [danger("high", answers=["no"], fresh=False, quiet=quiet) for quiet in (1, 2, 3)]
    asked = [turn["care"]["asked"] for turn in talk([danger("moderate"), yes, *later])]
    assert asked.index("means") < asked.index("plan")
    for turns in (
        talk([danger("imminent")] + [danger("imminent", fresh=False, answers=["no"], quiet=1)] * 6),
        talk([danger("moderate", ["abuse"], marks=["afraid_of_reader"])] * 6),
        talk([danger("moderate", subject="other")] * 6),
    ):
        assert not [turn for turn in turns if turn["care"]["asked"] == "plan" or "offer" in turn["elements"]]


def test_a_begun_plan_is_recalled_now_and_then_and_a_done_one_not():
    risks = [danger("moderate"), *(danger("moderate", fresh=False, quiet=2 + turn) for turn in range(6))]
    begun = ["offer" in turn["elements"] for turn in talk(risks, helped=HELPED[:2], plan="begun")]
    assert 1 <= sum(begun) <= 2
    done = talk(risks, helped=HELPED[:2], plan="done")
    assert not [turn for turn in done if "offer" in turn["elements"] or turn["care"]["asked"] == "plan"]


def test_a_number_said_in_three_replies_rests_until_something_new_is_told():
    quiet = {"fresh": False, "quiet": 1}
    course = [*[danger("imminent")] * 3, *(danger("imminent", **quiet) for _ in range(3))]
    turns = talk([*course, danger("imminent")], text="she lives in leeds")
    named = ["911" in " ".join(turn["sentences"]) for turn in turns]
    assert named == [True, True, True, False, False, True, True]
    assert all(turn["sentences"] for turn in turns)


def test_a_number_is_said_every_time_where_a_body_is_in_danger_or_a_call_is_hard():
    quiet = {"fresh": False, "quiet": 1}
    body = talk(
        [danger("imminent", ["overdose"]), *(danger("imminent", ["overdose"], **quiet) for _ in range(3))]
    )
    assert all("911" in " ".join(turn["sentences"]) for turn in body)
    hard = [*[danger("imminent")] * 3, danger("imminent", answers=["no_phone"], **quiet)]
    assert "911" in " ".join(talk(hard)[-1]["sentences"])


GUESSED_KINDS = ("suicide", "self_harm", "distress", "bereaved", "abuse", "sexual_assault", "minor")


@pytest.mark.parametrize("kind", GUESSED_KINDS)
@pytest.mark.parametrize("subject", SUBJECTS)
@pytest.mark.parametrize("country", COUNTRIES)
def test_a_danger_that_was_only_guessed_is_asked_about_first_in_few_words(kind, subject, country):
    for level, seed in product(("moderate", "high"), range(4)):
        risk = danger(level, kinds=[kind], subject=subject, marks=["guessed"])
        done = reply(risk, country, seed=seed)
        text = " ".join(done["sentences"])
        assert done["elements"] == ["guess", "ask", "guess_line", "guess_on"]
        assert len(text.split()) <= 80
        assert text.count("?") == 1
        assert "AI" in text
        assert {"yes": "high"}.items() <= done["care"]["pending"].items() or subject != "self"
        assert done["card"]
        assert not BANNED.search(text)
        if subject == "self":
            assert "doctor" in text
            assert "somebody you trust" in text
        if subject == "self" and kind in {"suicide", "self_harm", "distress", "bereaved"}:
            assert re.search(r"suicide|killing yourself|ending your life", text)


def test_what_was_told_or_is_happening_now_is_never_met_as_a_guess():
    for risk in (
        danger("high"),
        danger("imminent", marks=["guessed"]),
        danger("high", kinds=["medical"], marks=["guessed"]),
    ):
        assert "guess" not in reply(risk)["elements"]


def test_a_yes_to_a_guess_brings_all_that_a_danger_needs():
    guess = danger("moderate", kinds=["distress"], marks=["guessed"])
    first, then = talk([guess, danger("high", kinds=["distress"], answers=["yes"])])
    assert first["care"]["asked"] == "hurt"
    assert {"line_again", "person", "professional", "means"} <= parts(then)


def test_who_passes_over_a_guess_is_heard_on_what_they_tell_and_an_imminent_one_is_stayed_with():
    guess = danger("high", marks=["guessed"])
    care = reply(guess)["care"]
    later = {**guess, "fresh": False, "cues": [], "quiet": 1}
    assert not holds(later, care)
    assert holds({**later, "answers": ["denial"]}, care)
    assert holds({**later, "level": "imminent"}, care)
    assert holds({**later, "marks": []}, care)
