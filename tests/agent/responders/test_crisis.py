"""The crisis reply: what it must hold, what it may never do, and how it follows the person."""

import random
import re
from collections import Counter
from itertools import product

import pytest

from agent.reading.ladder import ANSWERS, KINDS, LEVELS
from agent.responders.crisis import _words, compose, holds
from knowledge.helplines import contact_tokens, load_helplines

HELPLINES = load_helplines()
CRISIS_LEVELS = ("moderate", "high", "imminent")
SUBJECTS = ("self", "other", "child")
COUNTRIES = ("US", "GB", "IE", "CA", "AU", "NZ", "IN", "DE", "ES", "CL", "JP", "TR", "BG", "TV", None)
BODY = {"overdose", "medical", "substance", "medication", "eating_disorder"}
MEANS_AT_HIGH = BODY | {
    *("suicide", "self_harm", "bereaved", "distress"),
    *("harm_to_others", "psychosis", "perinatal"),
}
BARRIERS = ("hold_time", "police_fear", "cannot_speak", "nobody", "tried_already", "no_credit")
LEADING = re.compile(
    r"you(?:'re| are) not\b.*\bare you\b|\bright\?|\bcorrect\?|wouldn't\b|don't you\b", re.IGNORECASE
)
BANNED = re.compile(
    r"!|always be here|promise me|you should\b(?! not have to)|at least|everything happens|think positive|"
    r"therap|treatment|diagnos|licen[cs]ed|clinical|counsel|i understand how|i've been there|"
    r"committed suicide|selfish|attention|calm down|cheer up|\bmy (?:life|family|own)\b|\bpills?\b|\bdose",
    re.IGNORECASE,
)


def danger(level="high", kinds=("suicide",), subject="self", **more):
    return {
        "level": level,
        "escalate": True,
        "fresh": True,
        "kinds": list(kinds),
        "subject": subject,
        "marks": [],
        "cues": [],
        "answers": [],
        "peak": level,
        "floor": level,
        "quiet": 0,
        "seen": 1,
        "reasons": [],
        "degraded": False,
    } | more


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


def grade(text):
    """Flesch-Kincaid grade with a plain vowel-group syllable count."""
    words = re.findall(r"[A-Za-z0-9'’&-]+", text)
    sentences = [part for part in re.split(r"(?<=[.?])\s+", text) if part]
    return 0.39 * len(words) / len(sentences) + 11.8 * sum(map(syllables, words)) / len(words) - 15.59


def syllables(word):
    plain = re.sub(r"[^a-z]", "", word.lower())
    trimmed = re.sub(r"(?:[^laeiouy]es|[^laeiouytd]ed|[^laeiouy]e)$", lambda end: end.group()[0], plain)
    return max(1, len(re.findall(r"[aeiouy]+", trimmed)))


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
        tags = {"ack", "ask", "person", "professional", "barrier", "ai", "stay"}
        tags |= {"line"} if has_line else set()
        return tags | ({"means"} if level == "high" and kind in MEANS_AT_HIGH else set())
    if level == "imminent":
        tags = {"ack", "emergency", "person_now", "ai_stay", "ask"}
        if kind == "medical":
            return tags | {"act"}
        return tags | ({"line", "act"} if kind in BODY else {"line", "means", "ask_them", "secret"})
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
        assert required(kind, level, subject, done["card"]) <= set(done["elements"]), where
        given = " | ".join(value for contact in done["card"] for value in contact.values())
        assert contact_tokens(text) <= contact_tokens(given), where
        assert "$" not in text, where
        assert re.search(r"\bAI\b|software|computer program", text), where
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
        assert done["care"]["pending"] == {"yes": "high"}
        assert done["intent"] == "questioning"


def test_no_sentence_leads_scolds_or_promises():
    words = _words()
    for sentence in _all_sentences(words):
        assert not LEADING.search(sentence), sentence
        assert not BANNED.search(sentence), sentence
        assert re.fullmatch(r"""["A-Z$].*[.?]""", sentence), sentence
        slots = set(re.findall(r"\$(\w+)", sentence))
        assert slots <= {"emergency", "line", "second", "text", "site"}, sentence


def _all_sentences(words):
    for entries in [*words.elements.values(), words.asks, words.echoes]:
        for entry in entries:
            yield from entry.say


def test_only_asks_are_questions_and_nothing_claims_a_review():
    words = _words()
    assert words.reviewed_by is None
    assert not [s for entries in words.elements.values() for e in entries for s in e.say if "?" in s]
    assert all(s.endswith("?") and s.count("?") == 1 for ask in words.asks for s in ask.say)


def test_elements_that_can_recur_have_three_wordings():
    words = _words()
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
                assert "emergency" in turn["elements"][:2]
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
    assert after["sentences"][0] in opens(_words(), answer)
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
    assert yes["care"]["pending"] == {"yes": "imminent"}
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


def test_the_same_question_is_never_asked_twice():
    turns = talk([danger("high")] * 10)
    asked = [turn["care"]["asked"] for turn in turns if turn["care"]["asked"]]
    assert asked[0] == "suicide"
    assert len(asked) == len(set(asked))


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
    quiet = danger("moderate", fresh=False, quiet=1)
    assert holds(quiet, {"asked": "suicide"})
    assert not holds(danger("moderate", fresh=False, quiet=2), {"asked": "suicide"})
    assert not holds(quiet, {"asked": ""})
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
    return [danger("moderate")] + [danger("moderate", fresh=False, quiet=3 + turn) for turn in range(turns)]


def test_a_turn_escalated_by_memory_helps_with_the_topic_and_checks_in_once_per_three():
    _, *turns = talk(remembered(9), helped=HELPED)
    checks = [turn["care"]["asked"] == "check_in" for turn in turns]
    assert checks == [True, False, False] * 3
    spoken = [
        s for turn in turns for s, e in zip(turn["sentences"], turn["elements"], strict=True) if e == "ask"
    ]
    assert len(set(spoken)) == 3
    for turn in turns:
        text = " ".join(turn["sentences"])
        assert "Maybe start with the one page" in text
        assert text.count("?") == 1
        assert turn["card"] == []
    assert turns[0]["care"]["pending"] == {"yes": "high"}


def test_a_turn_escalated_by_memory_without_help_still_answers():
    for turn in talk(remembered(8))[1:]:
        assert turn["sentences"]
        assert all(turn["sentences"])


def test_long_help_is_cut_at_a_sentence():
    long = ["This is a sentence of exactly eight plain words."] * 20
    done = talk(remembered(1), helped=long)[1]
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


@pytest.mark.parametrize("language", sorted(_words().languages))
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
    assert set(_words().languages) == {
        *("es", "fr", "de", "pt", "it", "nl"),
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
