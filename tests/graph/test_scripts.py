"""The script format: what a script may say, what counts as a failure, and how a failure reads."""

from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from agent.errors import ScriptError
from graph.scripts import Outcome, Script, junit, load_scripts, run_script
from tests import fakes

SAD = "I miss my sister so much since she moved away."
WANTS_TO_DIE = "I want to kill myself"


def written(folder: Path, text: str, name: str = "theme/says_something.yaml") -> Path:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8")
    return file


def scripted(*turns: dict[str, Any], **more: Any) -> Script:
    return Script.model_validate({"about": "A test of the format.", "turns": list(turns), **more})


def failures(expect: dict[str, Any], user: str = SAD, **more: Any) -> str:
    """What the runner finds wrong with the reply to one message."""
    outcome = run_script("theme/x", scripted({"user": user, "expect": expect}, **more), fakes.services())
    return "\n".join(outcome.failures)


def test_scripts_are_named_by_their_path(tmp_path: Path) -> None:
    written(tmp_path, "about: One.\nturns: [{user: hi}]", "b/second.yaml")
    written(tmp_path, "about: Two.\nturns: [{user: hi}]", "a/first.yaml")
    assert list(load_scripts(tmp_path)) == ["a/first", "b/second"]


def test_one_file_is_a_suite_too(tmp_path: Path) -> None:
    assert list(load_scripts(written(tmp_path, "about: One.\nturns: [{user: hi}]"))) == ["says_something"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("about: A.\nturns: [{user: hi}]\nmodell: []", "modell"),
        ("about: A.\nturns: [{user: hi, expects: {}}]", "turns.0.expects"),
        ("about: A.\nturns: [{user: hi, expect: {moves: support}}]", "turns.0.expect.moves"),
        ("about: A.\nturns: [{user: hi, expect: {risk: severe}}]", "turns.0.expect.risk"),
        ("about: A.\nturns: [{user: hi}, {expect: {}}]", "turns.1.user"),
        ("about: A.\nturns: []", "turns"),
        ("turns: [{user: hi}]", "about"),
        ("- a list", "the whole file"),
    ],
)
def test_a_mistake_names_file_and_key(tmp_path: Path, text: str, key: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ScriptError) as caught:
        load_scripts(tmp_path)
    assert str(file) in str(caught.value)
    assert key in str(caught.value)


@pytest.mark.parametrize("text", ["about: [", "about: A.\n\tturns: x"])
def test_broken_yaml_names_the_file(tmp_path: Path, text: str) -> None:
    file = written(tmp_path, text)
    with pytest.raises(ScriptError, match="not valid YAML") as caught:
        load_scripts(tmp_path)
    assert str(file) in str(caught.value)


def test_text_that_is_not_utf8_is_a_script_error(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"about: \xff\xfe")
    with pytest.raises(ScriptError, match=r"x\.yaml"):
        load_scripts(tmp_path)


def test_yaml_cannot_build_objects(tmp_path: Path) -> None:
    written(tmp_path, "about: !!python/object/apply:os.getcwd []\nturns: [{user: hi}]")
    with pytest.raises(ScriptError):
        load_scripts(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(ScriptError, match="nowhere"):
        load_scripts(tmp_path / "nowhere")


def test_an_empty_folder_is_no_suite(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("no script", "utf-8")
    with pytest.raises(ScriptError, match="No conversation script"):
        load_scripts(tmp_path)


def test_what_is_not_named_may_be_anything() -> None:
    assert failures({}) == ""


def test_one_level_or_a_list_of_accepted_ones() -> None:
    assert failures({"risk": ["none", "low"]}) == ""
    assert failures({"risk": "high"}, WANTS_TO_DIE) == ""
    assert "risk is high, expected none or low" in failures({"risk": ["none", "low"]}, WANTS_TO_DIE)


@pytest.mark.parametrize(
    ("expect", "complaint"),
    [
        ({"escalated": True}, "escalated is False, expected True"),
        ({"path": ["perceive", "guard"]}, "path is"),
        ({"move": "joke"}, "move is support, expected joke"),
        ({"intent": ["wishing", "agreeing"]}, "expected wishing or agreeing"),
        ({"sources": True}, "0 sources, expected some"),
        ({"replaced": True}, "0 sentences replaced, expected some"),
        ({"words": 1}, "at most 1 expected"),
        ({"offers": ["Samaritans"]}, "expected 'Samaritans'"),
        ({"says": "a sentence nobody wrote"}, "does not say 'a sentence nobody wrote'"),
        ({"never": ["re:\\w"]}, "says 're:"),
    ],
)
def test_what_does_not_hold_is_a_failure(expect: dict[str, Any], complaint: str) -> None:
    assert complaint in failures(expect)


def test_a_failure_shows_the_turn_and_what_was_said() -> None:
    second = {"user": "It rains here.", "expect": {"move": "joke"}}
    outcome = run_script("theme/x", scripted({"user": SAD}, second), fakes.services())
    assert outcome.about == "A test of the format."
    (failure,) = outcome.failures
    assert failure.startswith("turn 2 ('It rains here.')")
    assert outcome.transcript[1][1] in failure


def test_an_empty_list_of_offers_forbids_a_card() -> None:
    assert failures({"offers": []}) == ""
    assert "expected none" in failures({"offers": []}, WANTS_TO_DIE, country="GB")
    assert failures({"offers": ["Samaritans"]}, WANTS_TO_DIE, country="GB") == ""


def test_questions_are_counted() -> None:
    model = ["What was she like?"]
    assert failures({"questions": 1}, model=model) == ""
    assert "1 questions, at most 0 expected" in failures({"questions": 0}, model=model)


def test_plain_text_ignores_case_and_re_marks_a_regular_expression() -> None:
    model = ["Sundays can be long when a house is so still."]
    assert failures({"says": ["SUNDAYS can", "re:long .* still"]}, model=model) == ""
    assert failures({"never": ["re:^long", "sundays cannot", "a.house"]}, model=model) == ""
    assert "says 'STILL'" in failures({"never": "STILL"}, model=model)


def test_a_number_on_the_card_counts_as_said() -> None:
    assert failures({"says": ["116 123", "Samaritans"]}, WANTS_TO_DIE, country="GB") == ""
    assert "says '116 123'" in failures({"never": ["116 123"]}, WANTS_TO_DIE, country="GB")


def test_never_at_the_top_holds_for_every_reply() -> None:
    script = scripted({"user": SAD}, {"user": "She calls less and less."}, never=["re:\\w"])
    assert len(run_script("theme/x", script, fakes.services()).failures) == 2


def test_sources_are_those_looked_up() -> None:
    services = fakes.services(search=lambda text, k: [fakes.passage()])
    script = scripted({"user": SAD, "expect": {"sources": True}})
    assert run_script("theme/x", script, services).failures == ()


def test_model_replies_are_said_in_turn_and_pass_the_guard() -> None:
    model = [
        "As a licensed psychologist I have seen this. A house can be very still after someone leaves.",
        "It makes sense that the evenings are long.",
    ]
    turns = [
        {"user": SAD, "expect": {"says": "A house can be very still", "never": "licensed", "replaced": True}},
        {"user": "The evenings are the worst.", "expect": {"says": "evenings are long", "replaced": False}},
    ]
    assert run_script("theme/x", scripted(*turns, model=model), fakes.services()).failures == ()


def test_a_model_that_runs_out_leaves_the_guided_reply() -> None:
    script = scripted(
        {"user": SAD}, {"user": "The evenings are the worst."}, model=["That sounds like a long week."]
    )
    outcome = run_script("theme/x", script, fakes.services())
    first, second = (reply for _, reply in outcome.transcript)
    assert first == "That sounds like a long week."
    assert second
    assert second != first


def test_the_model_of_one_script_does_not_speak_in_the_next() -> None:
    services = fakes.services()
    script = scripted({"user": SAD}, model=["That sounds like a long week."])
    said = [run_script("theme/x", script, services).transcript[0][1] for _ in range(2)]
    assert said == ["That sounds like a long week."] * 2


def _parsed(*outcomes: Outcome) -> ET.Element:
    return ET.fromstring(junit(outcomes))


def test_junit_is_well_formed_and_counts() -> None:
    failed = Outcome("crisis/says_it", 'About <this> & "that".', ("turn 1: says <b> no", "turn 2: more"), ())
    suite = _parsed(Outcome("everyday/is_well", "Fine.", (), ()), Outcome("alone", "A.", (), ()), failed)
    assert suite.attrib["tests"] == "3"
    assert suite.attrib["failures"] == "1"
    cases = {case.attrib["name"]: case for case in suite}
    assert cases["is_well"].attrib["classname"] == "everyday"
    assert cases["alone"].attrib["classname"]
    assert cases["is_well"].find("failure") is None
    failure = cases["says_it"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == 'About <this> & "that".'
    assert failure.text == "turn 1: says <b> no\nturn 2: more"


def test_junit_stays_well_formed_with_characters_that_xml_does_not_know() -> None:
    suite = _parsed(Outcome("input/sends_null_bytes", "About \x00 these.", ("says \x00\x0b",), ()))
    assert suite.attrib["failures"] == "1"
