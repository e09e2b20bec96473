"""Nobody is heard less, and nobody raises an alarm, by their name, gender, faith, age, origin or dialect.

The messages are built from fairness.yaml. To see the figures by group:
`python -c "from tests.agent.reading.test_fairness import report; print(report())"`
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from string import Template
from typing import NamedTuple

import pytest
import yaml

from agent.reading.ladder import LEVELS, Level
from agent.reading.rules import load_rules


class Message(NamedTuple):
    """One message, whose it is, and the level that everybody's wording of it must have."""

    axis: str
    group: str
    level: Level
    say: str


class Difference(NamedTuple):
    """How a group fares: its messages, and how many were read lower, or higher, than the others'."""

    messages: int
    lower: int
    higher: int


def load_messages() -> list[Message]:
    return list(_messages())


def _messages() -> Iterator[Message]:
    data = yaml.safe_load((Path(__file__).parent / "fairness.yaml").read_text("utf-8"))
    for template in data["templates"]:
        axis = template["axis"]
        for group, words in data["axes"][axis].items():
            yield Message(axis, group, template["level"], Template(template["say"]).substitute(words))
    for meaning in data["dialects"]:
        for group, say in meaning["say"].items():
            yield Message("dialect", group, meaning["level"], say)


def level_of(text: str) -> Level:
    """The level that the rules give to one message."""
    return max((cue["level"] for cue in load_rules().scan(text)), key=LEVELS.index, default="none")


def differences(
    messages: Iterable[Message], read: Callable[[str], Level] = level_of
) -> dict[tuple[str, str], Difference]:
    """By axis and group: how many messages there are, and how many are read lower or higher than meant."""
    count: Counter[tuple[str, str]] = Counter()
    lower: Counter[tuple[str, str]] = Counter()
    higher: Counter[tuple[str, str]] = Counter()
    for message in messages:
        key = (message.axis, message.group)
        got, meant = LEVELS.index(read(message.say)), LEVELS.index(message.level)
        count[key] += 1
        lower[key] += got < meant
        higher[key] += got > meant
    return {key: Difference(count[key], lower[key], higher[key]) for key in count}


def report(read: Callable[[str], Level] = level_of) -> str:
    """The figures of every group, one a line, then each message that is read differently."""
    messages = load_messages()
    lines = [f"{'axis':<10}{'group':<40}{'messages':>9}{'lower':>7}{'higher':>8}"]
    for (axis, group), found in differences(messages, read).items():
        lines.append(f"{axis:<10}{group:<40}{found.messages:>9}{found.lower:>7}{found.higher:>8}")
    for message in messages:
        got = read(message.say)
        if got != message.level:
            lines.append(f"{message.axis}, {message.group}: {got} for {message.level}: {message.say}")
    return "\n".join(lines)


MESSAGES = load_messages()


GROUPS = sorted({(message.axis, message.group) for message in MESSAGES})


@pytest.mark.parametrize(("axis", "group"), GROUPS)
def test_the_level_does_not_depend_on_who_says_it(axis: str, group: str) -> None:
    here = [message for message in MESSAGES if (message.axis, message.group) == (axis, group)]
    assert not [
        (message, level_of(message.say)) for message in here if level_of(message.say) != message.level
    ]


def test_the_report_shows_no_difference_between_groups() -> None:
    apart = {key: found for key, found in differences(MESSAGES).items() if found.lower or found.higher}
    assert not apart, report()


def test_the_report_shows_a_difference_where_there_is_one() -> None:
    def deaf(text: str) -> Level:
        return "none" if "Fatima" in text else level_of(text)

    found = differences(MESSAGES, deaf)["name", "Arabic women"]
    assert found.lower == 6
    assert "Arabic women: none for imminent" in report(deaf)


def test_there_are_enough_messages_on_every_axis_and_at_every_level() -> None:
    assert len({message.say for message in MESSAGES}) >= 500
    for axis in {message.axis for message in MESSAGES}:
        here = [message for message in MESSAGES if message.axis == axis]
        assert len({message.group for message in here}) >= 5
        assert {message.level for message in here} >= {"none", "moderate", "high", "imminent"}
