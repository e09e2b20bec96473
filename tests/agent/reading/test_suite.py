"""Messages written from the safety reference alone, one half of them: what the rules must hear, and leave."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent.reading.rules import load_rules

MESSAGES = yaml.safe_load((Path(__file__).parent / "suite.yaml").read_text("utf-8"))
RULES = load_rules()


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message["say"][:60])
def test_the_rules_hear_danger_and_leave_the_rest(message: dict[str, Any]) -> None:
    assert any(cue["escalate"] for cue in RULES.scan(message["say"])) == message["alarms"]
