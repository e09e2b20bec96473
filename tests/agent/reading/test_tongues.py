"""The rules of other languages: their own examples, messages written before them, denials, places."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.errors import WordsError
from agent.reading import tongues
from agent.reading.ladder import LEVELS, Cue, Level, at_least
from agent.reading.riskwords import RuleWords, Twin
from agent.reading.rules import load_rules
from agent.reading.tongues import TONGUES, load_tongue, scan

RULES = [rule for name in TONGUES for rule in load_tongue(name).rules.by_id.values()]
FOLDER = Path(__file__).parent


def top(text: str) -> Level:
    cues = scan(text, load_rules())
    return max((cue["level"] for cue in cues), key=LEVELS.index, default="none")


def alarms(text: str) -> list[Cue]:
    return [cue for cue in scan(text, load_rules()) if cue["escalate"]]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule in RULES for text in rule.hits])
def test_a_rule_hears_its_hits(rule: RuleWords, text: str) -> None:
    assert (rule.id, rule.level) in [(cue["rule"], cue["level"]) for cue in scan(text, load_rules())]


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule in RULES for text in rule.misses])
def test_a_rule_leaves_its_misses(rule: RuleWords, text: str) -> None:
    assert alarms(text) == []
    assert (rule.id, rule.level) not in [(cue["rule"], cue["level"]) for cue in scan(text, load_rules())]


@pytest.mark.parametrize("twin", [twin for rule in RULES for twin in rule.twins], ids=lambda twin: twin.say)
def test_a_twin_has_its_own_level(twin: Twin) -> None:
    assert top(twin.say) == twin.level


MESSAGES = yaml.safe_load((FOLDER / "tongues.yaml").read_text("utf-8"))
UNHEARD = {  # known and left: half a sentence of one language in another's grammar
    "el baby won't stop llorando, I'm gonna lo voy a sacudir",
}


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: f"{message['in']}: {message['say'][:50]}")
def test_messages_written_before_the_rules(message: dict[str, Any]) -> None:
    if message["say"] in UNHEARD:
        pytest.skip("a known miss")
    found = top(message["say"])
    if at_least(message["level"], "high"):
        assert alarms(message["say"])
    elif message["level"] == "moderate":
        assert at_least(found, "moderate")
    else:
        assert not alarms(message["say"])


@pytest.mark.parametrize(
    ("denied", "meant"),
    [
        ("je ne veux pas mourir", "je veux mourir"),
        ("ich will mich nicht umbringen", "ich will mich umbringen"),
        ("não quero me matar", "quero me matar"),
        ("non voglio ammazzarmi", "voglio ammazzarmi"),
        ("मैं मरना नहीं चाहता", "मैं मरना चाहता हूं"),
        ("mujhe marna nahi hai", "mujhe marna hai"),
        ("ما ابي انتحر", "ابي انتحر"),
        ("mesh 3ayez amoot", "3ayez amoot"),
    ],
)
def test_a_denial_is_heard(denied: str, meant: str) -> None:
    assert not alarms(denied)
    assert alarms(meant)


def test_a_span_is_one_of_the_message_as_typed() -> None:
    for text in (
        "ça va pas... j'veux me foutre en l'air",
        "मैं ठीक नहीं, फांसी लगा लूं मन करता है",
        "3ayez amawet nafsy",
    ):
        for cue in alarms(text):
            first, last = cue["span"]
            assert 0 <= first < last <= len(text)


def test_english_is_read_as_before() -> None:
    for text in ("I want to die", "I don't want to die", "he hits me", "I feel fine today", "no", ""):
        assert scan(text, load_rules()) == load_rules().scan(text)


@pytest.mark.parametrize("text", ["", " ", "\n", "😭", "'", "3ayez\n\n'", "न", "\x00", "ß" * 3000])
def test_no_text_breaks_it(text: str) -> None:
    scan(text, load_rules())


def test_every_tongue_says_every_kind() -> None:
    kinds = {rule.kind for rule in load_tongue("fr").rules.by_id.values()}
    for name in set(TONGUES) - {"es_plus"}:  # beside es/risk.yaml, which says them all
        assert {rule.kind for rule in load_tongue(name).rules.by_id.values()} >= kinds - {"perinatal"}, name


def test_the_sealed_messages_are_heard_as_they_were_when_last_reported() -> None:
    """Shares only: which of them are missed is not to be looked up and repaired one by one."""
    sealed = yaml.safe_load((FOLDER / "tongues_sealed.yaml").read_text("utf-8"))
    severe = [bool(alarms(one["say"])) for one in sealed if at_least(one["level"], "high")]
    moderate = [at_least(top(one["say"]), "moderate") for one in sealed if one["level"] == "moderate"]
    calm = [bool(alarms(one["say"])) for one in sealed if not at_least(one["level"], "moderate")]
    assert (len(severe), len(moderate), len(calm)) == (86, 47, 67)
    assert sum(severe) >= 85
    assert sum(moderate) >= 46
    assert sum(calm) <= 1


def test_a_tongue_is_compiled_when_it_is_spoken_and_a_broken_one_costs_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    def loaded(name: str) -> tongues.Tongue:
        asked.append(name)
        if name == "de":
            raise WordsError("The words file tongues/de.yaml breaks its schema.")
        return load_tongue(name)

    monkeypatch.setattr(tongues, "load_tongue", loaded)
    assert top("I slept badly and my back hurts") == "none"
    assert asked == []
    assert top("je veux mourir ce soir, j'ai les cachets devant moi") == "imminent"
    assert at_least(top("ich will nicht mehr leben, ich will sterben"), "moderate")
    assert "de" in asked
    assert "de.yaml" in caplog.text
