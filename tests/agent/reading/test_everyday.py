"""Everyday messages that use the words of danger: the rules call for care in none of them."""

from pathlib import Path

import yaml

from agent.reading.rules import load_rules
from agent.reading.tongues import scan

SAID = yaml.safe_load((Path(__file__).parent / "everyday.yaml").read_text(encoding="utf-8"))


def test_no_everyday_message_calls_for_care() -> None:
    rules = load_rules()
    raised = [text for text in SAID["calm"] if any(cue["escalate"] for cue in scan(text, rules))]
    assert raised == []


def test_there_are_enough_of_them() -> None:
    assert len(SAID["calm"]) >= 450
    assert len(SAID["loud"]) <= len(SAID["calm"]) // 100
