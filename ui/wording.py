"""The words of the page and the terminal, from ui/words/<language>.yaml, strictly checked.

Knows nothing of replies; those words are under agent/words/.
"""

from functools import cache
from pathlib import Path
from string import Template

from agent.words import Strict, load

__all__ = ["UiWords", "Why", "fill", "load_ui_words"]


class Why(Strict):
    """Sentences of the panel that explains a reply."""

    felt: str
    unsure: str
    degraded: str
    looked_up: str
    not_used: str
    nothing_found: str
    not_looked_up: str
    ordinary: str
    crisis: str
    replaced: str
    source: str


class UiWords(Strict):
    """Schema of ui/words/*.yaml."""

    title: str
    tagline: str
    about: list[str]
    about_operator: list[str]
    operator_note: str
    operator_said: str
    country_label: str
    country_help: str
    country_unknown: str
    input_label: str
    suggestions_label: str
    suggestions: list[str]
    help_button: str
    help_title: str
    help_lead: str
    help_none: str
    undialled: str
    undialled_check: str
    call: str
    text: str
    chat: str
    hours: str
    card_title: str
    protocol: str
    keep_label: str
    keep_help: str
    kept_label: str
    kept_open: str
    not_saved: str
    new: str
    delete: str
    delete_short: str
    delete_sure: str
    deleted: str
    developer_label: str
    steps: dict[str, str]
    step_done: str
    why_title: str
    why: Why
    reset: str
    problem: str
    chat_intro: str
    chat_you: str
    chat_goodbye: str


@cache
def load_ui_words(language: str = "en") -> UiWords:
    """The words of one language; WordsError names file and key when they do not fit."""
    return load(f"{language}.yaml", UiWords, Path(__file__).parent / "words")


def fill(template: str, **values: object) -> str:
    """`template` with its $slots filled; a missing one raises KeyError."""
    return Template(template).substitute(values)
