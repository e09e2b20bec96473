"""The crisis reply in the languages that are spoken simply: what it holds, and how it follows the person."""

import re
from itertools import product
from string import Template

import pytest

from agent.errors import WordsError
from agent.guard import Bounds, judge, split
from agent.reading import tonguecare
from agent.reading.ladder import ANSWERS, KINDS
from agent.reading.tonguecare import CARED, load_care, sample
from agent.responders import crisis
from agent.responders.crisis import compose, pending_of
from agent.responders.crisis_tongues import load_build, load_tongue_words
from knowledge.helplines import contact_tokens, load_helplines
from tests.fakes import danger

HELPLINES = load_helplines()
HOMES = {
    "fr": ("FR", "CA"),
    "de": ("DE", "CH"),
    "pt": ("BR", "PT"),
    "it": ("IT",),
    "hi": ("IN",),
    "hi_latn": ("IN", "GB"),
    "ar": ("EG", "LB"),
    "ar_latn": ("SA",),
}
LANGUAGES = sorted(CARED)
LEVELS = ("moderate", "high", "imminent")
BARRIERS = ("hold_time", "police_fear", "cannot_speak", "nobody", "tried_already", "no_credit", "no_phone")
OWN = {"suicide", "self_harm", "distress", "bereaved"}
# The word, in all of the languages.
SUICIDE = re.compile(
    r"suic[ií]d|suizid|umbringen|tuer|matar|ucciderti|जान लेने|आत्महत्या|jaan lene|انتحار|قتل", re.I
)
AI = re.compile(r"\bIA\b|\bKI\b|\bAI\b|ذكاء اصطناعي")
# What is never said: a way to do it, a name for what they have, a promise, a claim to be always there.
NEVER = re.compile(
    r"!|\b(?:comprimés?|pilules?|corde|couteau|pont|tabletten?|pillen|seil|messer|brücke|comprimidos?|remédios|faca"
    r"|ponte|pastiglie|pillole|corda|coltello|goliyan|rassi|chaku|dose|dosis)\b|गोली|गोलियाँ|रस्सी|चाकू|حبوب|حبل|سكين"
    r"|dépressi|depress|अवसाद|اكتئاب|bipol|schizo|borderline|diagnos|तशख़ीस|تشخيص|thérap|therap|terap|थेरेपी"
    r"|je (?:te |vous )?promets|ich verspreche|\bprometo|\bprometto|मेरा वादा|mera vaada|أعدك"
    r"|toujours là|immer (?:da|für dich)|sempre aqui|sempre qui|hamesha yahan|हमेशा यहाँ|دائماً هنا",
    re.IGNORECASE,
)


def answer(level, kinds=("suicide",), subject="self", *answers):
    return danger(level, kinds, subject, answers=list(answers), fresh=False, quiet=1)


def talk(language, risks, country, seed=0, texts=(), **more):
    care, said, out = {}, [], []
    for turn, risk in enumerate(risks, start=1):
        mute = "cannot_speak" in risk["answers"]
        contacts = HELPLINES.contacts(
            country, risk["kinds"], level=risk["level"], young="minor" in risk["kinds"], cannot_speak=mute
        )
        done = compose(
            text=texts[turn - 1] if texts else "...",
            risk=risk,
            care=care,
            contacts=contacts,
            said=list(said),
            turn=turn,
            seed=seed,
            country=country,
            language=language,
            **more,
        )
        out.append(done)
        care = done["care"]
        said += done["sentences"]
    return out


def asked(sentences):
    return sum("?" in re.sub(r'"[^"]*"', "", one) or "؟" in one for one in sentences)


def every(language):
    yield from product(LEVELS, KINDS, ("self", "other", "child"), (*HOMES[language], None))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_file_has_each_sentence_of_the_build_and_one_sentence_under_each(language):
    words = load_care(language)
    assert words.lines.keys() == load_build().keys()
    assert words.reviewed_by is None
    for key, lines in {**words.lines, **words.talk}.items():
        for line in lines:
            assert split(line.replace("$", "X")) == [line.replace("$", "X")], (key, line)
            assert not NEVER.search(line), (key, line)
            assert not re.search(r'"[^"]*[?؟][^"]*"', line), (key, line)
            assert not re.search(r"\d{2}", line.replace("delwa2ty", "")), (key, line)
        assert len(set(lines)) == len(lines)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_first_reply_holds_what_it_must(language):
    for level, kind, subject, country in every(language):
        done = talk(language, [danger(level, [kind], subject)], country)[0]
        text, parts = " ".join(done["sentences"]), {p for e in done["elements"] for p in e.split("+")}
        where = (level, kind, subject, country, text)
        emergency = next(
            (
                c["phone"]
                for c in HELPLINES.contacts(country, [kind], level="imminent")
                if c["category"] == "emergency"
            ),
            load_care(language).emergency,
        )
        assert "$" not in text, where
        assert len(text.split()) <= (80 if level == "imminent" else 120), (len(text.split()), where)
        assert asked(done["sentences"]) == 1, where
        assert AI.search(text), where
        assert {"ack", "ai", "ask"} <= parts, where
        assert done["card"], where
        assert contact_tokens(text) <= HELPLINES.allowed(country), where
        if level == "imminent":
            assert done["elements"][1] == "emergency", where
            assert emergency in done["sentences"][1], where
            assert "person_now" in parts, where
        else:
            lines = [c for c in done["card"] if c["category"] != "emergency"]
            assert ("line" in parts) == bool(lines), where
            assert "professional" in parts, where
            assert ("country" in parts) == (country is None), where
        if level == "high":
            assert emergency in text, where
        if level != "imminent" and subject == "self" and kind in OWN:
            assert SUICIDE.search(done["sentences"][-1]), where
            assert done["care"]["asked"] in {"suicide", "intent"}, where
            assert done["care"]["pending"]["yes"] == "high", where
        if level != "imminent" and subject != "self" and kind in OWN:
            assert "ask_them" in parts, where
            assert level == "high" or "secret" in parts, where
        if level == "high" and kind in OWN:
            assert "means" in parts, where


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guard_takes_nothing_out(language):
    slots = dict.fromkeys(("line", "second", "text", "site"), "3114") | {"emergency": "112"}
    bounds = Bounds(
        allowed=frozenset({"112", "3114"}),
        crisis=True,
        language=language,
        letters=sample(language),
        words=150,
    )
    for lines in load_care(language).lines.values():
        for line in lines:
            assert judge(Template(line).substitute(slots), (), bounds) is None, line


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_and_no_card_comes_back_within_three_turns(language):
    for level, kind, subject, seed in product(LEVELS, KINDS, ("self", "other", "child"), (0,)):
        turns = talk(language, [danger(level, [kind], subject)] * 6, HOMES[language][0], seed)
        for at, turn in enumerate(turns):
            assert turn["sentences"]
            before = {one for each in turns[max(0, at - 3) : at] for one in each["sentences"]}
            assert not before & set(turn["sentences"]), (
                level,
                kind,
                subject,
                at,
                before & set(turn["sentences"]),
            )
            assert asked(turn["sentences"]) <= 1
            assert len(" ".join(turn["sentences"]).split()) <= (80 if at else 120)
            shown = {c["name"] for each in turns[max(0, at - 3) : at] for c in each["card"]}
            assert not shown & {c["name"] for c in turn["card"]}


@pytest.mark.parametrize(("language", "said"), [*product(LANGUAGES, ANSWERS)])
def test_every_answer_is_taken_up_first_and_followed_by_a_small_step(language, said):
    for level, subject, seed in product(LEVELS, ("self", "other"), (0, 1)):
        risks = [danger(level, subject=subject), answer(level, ("suicide",), subject, said)]
        _, after = talk(language, risks, HOMES[language][0], seed)
        assert after["elements"][0] == "answer"
        assert {"step", "line_again"} & set(after["elements"])
        assert asked(after["sentences"]) <= 1
        if said in {"refusal", "denial"} and level != "imminent":
            assert asked(after["sentences"]) == 0


@pytest.mark.parametrize(("language", "barrier"), [*product(LANGUAGES, BARRIERS)])
def test_a_barrier_has_words_of_its_own_at_once_and_later(language, barrier):
    own = {
        line
        for key in ("a_way", "a_police", "a_hold", "a_mute", "a_tried", "a_nobody")
        for line in load_care(language).lines[key]
    }
    first = talk(language, [danger("high", answers=[barrier])], HOMES[language][0])[0]
    assert own & set(first["sentences"])
    assert first["care"]["barriers"] == [barrier]
    later = talk(
        language, [danger("high"), answer("high", ("suicide",), "self", barrier)], HOMES[language][0]
    )[1]
    assert own & set(later["sentences"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_yes_goes_on_to_means_and_never_back(language):
    first, second, third = talk(
        language,
        [
            danger("high"),
            answer("high", ("suicide",), "self", "yes"),
            answer("imminent", ("suicide",), "self", "yes"),
        ],
        HOMES[language][0],
    )
    assert first["care"]["asked"] == "suicide"
    assert second["care"]["asked"] == "means"
    assert second["care"]["pending"]["yes"] == "imminent"
    assert third["elements"][1] == "emergency"


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_does_not_know_is_asked_whether_the_thoughts_are_there_now(language):
    phrase = load_care("ar" if language == "ar_latn" else "hi" if language == "hi_latn" else language).unsure[
        0
    ]
    risks = [danger("high"), answer("high", ("suicide",), "self", "yes")]
    _, after = talk(language, risks, HOMES[language][0], texts=("...", phrase.lstrip("=^")))
    assert after["care"]["asked"] == "now"
    assert after["sentences"][0] in load_care(language).lines["a_unsure"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_they_are_is_taken_up_with_the_line_of_that_country(language):
    country = HOMES[language][0]
    first = talk(language, [danger("high")], None)[0]
    contacts = HELPLINES.contacts(country, ["suicide"], level="high")
    after = compose(
        text="...",
        risk=danger("high", fresh=False, quiet=1),
        care=first["care"],
        contacts=contacts,
        said=first["sentences"],
        turn=2,
        seed=0,
        country=country,
        language=language,
    )
    assert after["card"]
    line = next(c for c in contacts if c["category"] != "emergency")
    assert (line["phone"] or line["sms"]) in " ".join(after["sentences"])


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_was_asked_is_told_by_the_history_alone(language):
    question = load_care(language).lines["q_suicide"][0]
    assert pending_of([question], language) == {"yes": "high"}


@pytest.mark.parametrize("language", LANGUAGES)
def test_where_only_memory_holds_it_asks_once_softly(language):
    quiet = danger("high", fresh=False, quiet=9, floor="high")
    helped = [load_care(language).talk["kind"][0]]
    turns = talk(language, [danger("high"), *[quiet] * 6], HOMES[language][0], helped=helped)
    assert sum(turn["care"]["asked"] == "check_in" for turn in turns) == 1


def test_a_broken_file_costs_its_own_language_only(monkeypatch, caplog):
    def broken(language):
        if language == "fr":
            raise WordsError("The words file tongues/care/fr.yaml breaks its schema.")
        return load_tongue_words(language)

    monkeypatch.setattr(crisis, "load_tongue_words", broken)
    plainest = talk("fr", [danger("imminent")], "FR")[0]
    assert "112" in " ".join(plainest["sentences"])
    assert set(plainest["elements"]) == {"step"}
    assert "fr.yaml" in caplog.text
    assert "ask" in talk("de", [danger("imminent")], "DE")[0]["elements"]


def test_a_file_that_cannot_be_read_leaves_the_few_lines(monkeypatch, caplog):
    def broken(language):
        raise WordsError(f"The words file tongues/care/{language}.yaml is missing.")

    monkeypatch.setattr(tonguecare, "load_care", broken)
    tonguecare._sound.cache_clear()
    try:
        assert not tonguecare.cared("hi_latn")
        plainest = talk("hi_latn", [danger("imminent")], "IN")[0]
        assert "112" in " ".join(plainest["sentences"])
    finally:
        tonguecare._sound.cache_clear()
