"""What the guard stops and lets pass: its own examples, a corpus, every authored sentence, and properties."""

import re
import string
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.brief import Replaced
from agent.errors import WordsError
from agent.guard import Bounds, breaches, clean, contacts, fold, judge, load_guard, registered, sift, split
from agent.responders.replies import particular
from agent.rulebook import GuardWords
from agent.words import load

CORPUS = yaml.safe_load((Path(__file__).parent / "guard_corpus.yaml").read_text("utf-8"))
RULES = [each.rule for each in load_guard().rules]
# Words of a person that switch on the rules which hold only then.
HEARD = {"using": "i drink every day", "manic": "i have not slept for days"}
VIOLENCE = "he hits me and i am scared of him"
CARD = [
    {"name": "Samaritans", "phone": "116 123", "sms": "85258", "chat_url": "https://www.samaritans.org"},
    {"name": "Emergency", "phone": "112", "sms": "", "chat_url": "https://findahelpline.com"},
]
SLOTS = {
    "clause": "your manager keeps giving you his shifts",
    "Clause": "Your manager keeps giving you his shifts",
    "thing": "the move to a new town",
    "word": "worn out",
    "Word": "Worn out",
    "name": "Sam",
    "topic": "the move",
    "first": "you moved last month",
    "second": "your sister called you",
    "latest": "you slept badly",
    "emergency": "112",
    "line": "Samaritans (call 116 123)",
    "text": "text 85258",
    "site": "https://www.samaritans.org",
}


def _bounds(case: dict[str, Any]) -> Bounds:
    given = {key: case[key] for key in ("heard", "words", "questions", "crisis") if key in case}
    return Bounds(allowed=frozenset(case.get("allowed", ())), said=tuple(case.get("said", ())), **given)


def _authored(name: str) -> Iterator[tuple[str, str]]:
    """Each sentence of a words file with its slots filled, and the words that it answers."""

    def walk(node: object, heard: str) -> Iterator[tuple[str, str]]:
        if isinstance(node, dict):
            heard = " ".join((heard, *(node.get("hears") or ())))
            for key, value in node.items():
                yield from walk(value, " ".join(node["reply"]) if key in ("reply", "again") else heard)
        elif isinstance(node, list):
            for value in node:
                yield from walk(value, heard)
        elif isinstance(node, str) and re.search("[.?!…。]$", node):
            text = string.Template(node).safe_substitute(defaultdict(lambda: "them", SLOTS))
            yield from ((sentence, heard) for sentence in split(text))

    return walk(yaml.safe_load((files("agent.words") / name).read_text("utf-8")), "")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.id)
def test_each_rule_stops_its_hits_and_lets_its_misses_pass(rule: Any) -> None:
    bounds = Bounds(crisis=rule.when == "crisis", heard=HEARD.get(rule.id, VIOLENCE) if rule.heard else "")
    assert [each for each in rule.hits if rule.id not in breaches(each, [], bounds)] == []
    assert [each for each in rule.misses if rule.id in breaches(each, [], bounds)] == []


def test_every_rule_that_can_be_named_says_why() -> None:
    why = load_guard().why
    assert len(RULES) == len({rule.id for rule in RULES})
    named = {rule for case in CORPUS["bad_replies"] for rule in [case["rule"]]}
    assert named <= set(why)
    assert all(reason.endswith(".") for reason in why.values())


@pytest.mark.parametrize("family", CORPUS["bad"])
def test_bad_sentences_are_stopped(family: str) -> None:
    passed = [each for each in CORPUS["bad"][family] if fold([each], Bounds()).sentences]
    assert passed == []


@pytest.mark.parametrize("family", [name for name in CORPUS["bad"] if name not in ("form", "diagnosis")])
def test_bad_sentences_are_stopped_in_disguise(family: str) -> None:
    """Curly quotes, capitals and invisible characters change nothing."""
    disguised = [
        "\u200b".join(each.replace("'", "\u2019").upper().partition(" "))
        for each in CORPUS["bad"][family]
        if not re.search(r"[$\[{(]|None", each)
    ]
    assert [each for each in disguised if fold([each], Bounds()).sentences] == []


def test_good_sentences_pass_unchanged() -> None:
    cases = [(case["say"], Bounds(heard=case.get("heard", ""))) for case in CORPUS["good"]]
    assert [
        (say, judge(say, [], bounds)) for say, bounds in cases if fold([say], bounds).sentences != (say,)
    ] == []


def test_the_corpus_is_large_enough_to_mean_something() -> None:
    assert sum(map(len, CORPUS["bad"].values())) >= 600
    assert len(CORPUS["good"]) >= 150


@pytest.mark.parametrize("case", CORPUS["bad_replies"], ids=lambda case: case["why"])
def test_bad_replies_break_the_rule(case: dict[str, Any]) -> None:
    assert case["rule"] in [each["rule"] for each in fold(case["sentences"], _bounds(case)).replaced]


@pytest.mark.parametrize("case", CORPUS["good_replies"], ids=lambda case: case["why"])
def test_good_replies_pass_whole(case: dict[str, Any]) -> None:
    assert fold(case["sentences"], _bounds(case)).sentences == tuple(case["sentences"])


@pytest.mark.parametrize(
    "name",
    [
        "replies_support.yaml",
        "replies_moves.yaml",
        "replies_heard.yaml",
        "replies_told.yaml",
        "ideas.yaml",
        "crisis.yaml",
        *particular(),
    ],
)
def test_authored_sentences_pass(name: str) -> None:
    allowed, crisis = registered(CARD), name == "crisis.yaml"
    sentences = list(_authored(name))
    assert len(sentences) > 100
    stopped = []
    for sentence, heard in sentences:
        broken = list(breaches(sentence, [], Bounds(allowed=allowed, heard=heard, crisis=crisis)))
        if broken or clean(sentence) != sentence:
            stopped.append((broken, sentence))
    assert stopped == []


def test_foreign_sentences_are_those_that_are_authored() -> None:
    """The sentences of other languages in guard.yaml are word for word what the guided responder says."""
    moves = yaml.safe_load((files("agent.words") / "replies_moves.yaml").read_text("utf-8"))["moves"]
    said = {
        one for way in moves["other_language"] for part in way["say"] for text in part for one in split(text)
    }
    assert set(load_guard().tongues) <= said


# sift and fold


def test_sift_yields_each_sentence_before_asking_for_the_next() -> None:
    asked: list[str] = []

    def model() -> Iterator[str]:
        for sentence in ("That sounds hard.", "I've been there myself.", "Take your time."):
            asked.append(sentence)
            yield sentence

    kept: list[str] = ["I hear you."]
    replaced: list[Replaced] = []
    stream = sift(model(), Bounds(), kept, replaced)
    assert next(stream) == "That sounds hard."
    assert asked == ["That sounds hard."]
    assert kept == ["I hear you.", "That sounds hard."]
    assert list(stream) == ["Take your time."]
    assert replaced == [{"rule": "experience", "position": 1}]


def test_sift_judges_against_what_was_already_said() -> None:
    kept = ["What happened today?"]
    assert list(sift(["And how did you sleep?", "It sounds like a lot."], Bounds(), kept, [])) == [
        "It sounds like a lot."
    ]


def test_what_is_no_string_counts_as_empty() -> None:
    replaced: list[Replaced] = []
    hostile = [None, {"reply": "hello"}, 7, b"I hear you.", ["I hear you."], "I hear you."]
    assert list(sift(hostile, Bounds(), [], replaced)) == ["I hear you."]
    assert [each["rule"] for each in replaced] == ["empty"] * 5


def test_a_failing_sentence_is_offered_for_repair_once() -> None:
    offered: list[tuple[int, str]] = []

    def repair(position: int, rule: str) -> str | None:
        offered.append((position, rule))
        return {0: "**I'm listening.**", 1: "I promise you that.", 2: None}[position]

    judged = fold(["I know how you feel.", "You've got this.", "Cheer up.", "Okay."], Bounds(), repair)
    assert judged.sentences == ("I'm listening.", "Okay.")
    assert [position for position, _ in offered] == [0, 1, 2]
    assert [each["position"] for each in judged.replaced] == [0, 1, 2]


def test_sift_lets_the_responders_failure_through() -> None:
    def model() -> Iterator[str]:
        yield "I hear you."
        raise TimeoutError

    kept: list[str] = []
    with pytest.raises(TimeoutError):
        list(sift(model(), Bounds(), kept, []))
    assert kept == ["I hear you."]


def test_a_disorder_may_be_said_back_but_not_brought_up() -> None:
    sentence = "Living with bipolar takes a lot out of a person."
    assert judge(sentence, [], Bounds(heard="I have Bipolar disorder")) is None
    assert judge(sentence, [], Bounds(heard="I feel up and down")) == "diagnosis"


def test_two_hundred_sentences_said_are_read_once_for_a_reply() -> None:
    said = tuple(f"This is sentence number {word} of a long talk." for word in map(str, range(10, 99)))
    bounds = Bounds(said=said)
    assert judge(said[5], [], bounds) == "repeat"
    assert judge("It has been a strange week for you.", [], bounds) is None


@pytest.mark.parametrize("source", ["(?:a|b)+c", "x.*y", "(?:a )*b", r"(a)\1", "a{3,}"], ids=repr)
def test_a_pattern_without_bound_is_refused(source: str, tmp_path: Path) -> None:
    words = yaml.safe_load((files("agent.words") / "guard.yaml").read_text("utf-8"))
    words["rules"][0]["patterns"].append(source)
    (tmp_path / "guard.yaml").write_text(yaml.safe_dump(words), "utf-8")
    with pytest.raises(WordsError, match="without a bound"):
        load("guard.yaml", GuardWords, tmp_path)


# properties

PIECES = st.sampled_from(
    [each for family in CORPUS["bad"].values() for each in family] + [case["say"] for case in CORPUS["good"]]
)
TEXTS = st.one_of(st.text(max_size=300), PIECES, st.lists(PIECES, max_size=3).map(" ".join))
NUMBERS = st.from_regex(r"\+?[0-9]{1,4}(( |-|\.|/|\(|\) | - | \(|--|//)?[0-9]{1,4}){0,4}", fullmatch=True)
FRAMES = st.sampled_from(
    [
        "Call {}.",
        "You can text {} at any hour.",
        "The number is {} and it is free.",
        "It is {} or 112.",
        "Try {}.",
    ]
)


@settings(max_examples=150, deadline=None)
@given(st.lists(TEXTS, max_size=6), st.booleans())
def test_folding_twice_changes_nothing(sentences: list[str], crisis: bool) -> None:
    bounds = Bounds(allowed=frozenset({"112"}), heard="is there a number", words=60, crisis=crisis)
    once = fold(sentences, bounds)
    assert fold(once.sentences, bounds).sentences == once.sentences
    assert all(clean(sentence) == sentence for sentence in once.sentences)


@settings(max_examples=200, deadline=None)
@given(FRAMES, NUMBERS, st.booleans())
def test_no_number_is_said_that_is_not_allowed(frame: str, number: str, crisis: bool) -> None:
    bounds = Bounds(allowed=frozenset({"112", "116123"}), heard="which number can I call", crisis=crisis)
    for sentence in fold([frame.format(number)], bounds).sentences:
        for run in re.findall(r"\d(?:[ .()/+-]*\d)*", sentence):
            digits = re.sub(r"\D", "", run)
            assert len(digits) < 3 or digits in bounds.allowed


@settings(max_examples=300, deadline=None)
@given(st.text(), st.text(max_size=40), st.booleans())
def test_any_text_gets_a_verdict(sentence: str, heard: str, crisis: bool) -> None:
    bounds = Bounds(heard=heard, said=(heard,), crisis=crisis)
    assert judge(sentence, [heard], bounds) in {None, *load_guard().why}
    for kept in fold([sentence], bounds).sentences:
        assert contacts(kept) == set()
