"""The words of the page and the terminal, from ui/words/<language>.yaml, strictly checked.

Knows nothing of replies; those words are under agent/words/.
"""

import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from agent.words import Strict, load
from ui.page_words import (
    Chat,
    Choices,
    ExercisesPage,
    Leaving,
    Locking,
    MoodsPage,
    Nav,
    PlanPage,
    Start,
    Talks,
)

if TYPE_CHECKING:
    from graph.reminders import Reminder

__all__ = [
    "Told",
    "UiWords",
    "Why",
    "about",
    "fill",
    "languages",
    "load_ui_words",
    "plain",
    "protocol",
    "reminded",
    "said_in",
    "shown",
]

PROTOCOL = "CRISIS_PROTOCOL.md"


class Why(Strict):
    """Sentences of the panel that explains a reply."""

    felt: str
    feeling: str
    carried: str
    not_read: str
    unsure: str
    degraded: str
    looked_up: str
    not_used: str
    nothing_found: str
    not_looked_up: str
    ordinary: str
    crisis: str
    safety: str
    practice: str
    replaced: str
    reasons: str
    again: str
    source: str
    origin: str


class Told(Strict):
    """What is said again while somebody stays, by the names of graph.reminders."""

    disclosure: str
    rest: str


class Models(Strict):
    """What `hearken models` and the page say of a model; `tested` by what graph.models calls it."""

    tested: dict[str, str]
    missing: str
    memory: str
    short: str
    passed: str
    failed: str
    alone: str
    untested: str
    opinion: str
    foreseen: str
    worse: str
    not_foreseen: str
    traced: str
    not_traced: str
    unsaid: str


class UiWords(Strict):
    """Schema of ui/words/<language>.yaml."""

    language: str
    title: str
    loading: str
    tagline: str
    about: list[str]
    about_operator: list[str]
    operator_note: str
    operator_said: str
    about_restricted: str
    about_away: str
    reminders: Told
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
    protocol_button: str
    library_title: str
    keep_label: str
    keep_help: str
    not_saved: str
    new: str
    delete: str
    delete_sure: str
    deleted: str
    developer_label: str
    steps: dict[str, str]
    step_done: str
    why_title: str
    why: Why
    models: Models
    problem: str
    chat_intro: str
    chat_you: str
    chat_goodbye: str
    plan_save: str
    plan_none: str
    notes_save: str
    notes_none: str
    feelings: dict[str, str]
    nav: Nav
    leaving: Leaving
    start: Start
    talk: Chat
    talks: Talks
    moods: MoodsPage
    plan: PlanPage
    exercises: ExercisesPage
    choices: Choices
    locking: Locking


@cache
def load_ui_words(language: str = "en") -> UiWords:
    """The words of one language; WordsError names file and key when they do not fit."""
    return load(f"{language}.yaml", UiWords, Path(__file__).parent / "words")


@cache
def languages() -> dict[str, str]:
    """Code -> own name of every language there are words in; English first."""
    found = sorted(path.stem for path in (Path(__file__).parent / "words").glob("[a-z][a-z].yaml"))
    return {code: load_ui_words(code).language for code in sorted(found, key=lambda code: code != "en")}


def fill(template: str, **values: object) -> str:
    """`template` with its $slots filled; a missing one raises KeyError."""
    return Template(template).substitute(values)


def plain(text: str) -> str:
    """`text`, from our own files, as Markdown that shows it literally."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~:$&=])", r"\\\1", text)


class _Said(Strict):
    """Schema of ui/words/said.<language>.yaml."""

    sentences: dict[str, str]


@cache
def _said(language: str) -> dict[str, str]:
    folder, name = Path(__file__).parent / "words", f"said.{language}.yaml"
    return load(name, _Said, folder).sentences if (folder / name).exists() else {}


def said_in(language: str, sentence: str) -> str:
    """A sentence of agent/words on how a turn came about, in that language, or as it is where it has none."""
    return _said(language).get(sentence, sentence)


def shown(text: str) -> str:
    """What a person wrote, as it can be shown: without null bytes, and never empty."""
    return text.replace("\x00", "").strip() or "…"


def reminded(due: "Sequence[Reminder]", language: str = "en") -> list[str]:
    """The sentences for what `Session.due` names."""
    told = load_ui_words(language).reminders
    return [told.disclosure if name == "disclosure" else told.rest for name in due]


def about(*, operator: bool, away: str = "", language: str = "en") -> list[str]:
    """What this is and is not, before the first word. away: the host that the conversation is sent to."""
    words = load_ui_words(language)
    lines = words.about_operator if operator else words.about
    if not away:
        return list(lines)
    stays = [] if not operator else lines[-1:]  # that it stays on this device would not be true
    return [*lines[:-1], *stays, fill(words.about_away, host=away)]


@cache
def protocol(language: str = "en") -> str:
    """How safety works, in short and then whole: CRISIS_PROTOCOL.md, beside the words in the wheel and at
    the top in a checkout. The whole of it is written in English alone.

    Links to files of the project lead nowhere from the page, so only their text is left.
    """
    words = Path(__file__).parent / "words"
    beside = words / PROTOCOL
    text = (beside if beside.exists() else Path(__file__).parents[1] / PROTOCOL).read_text("utf-8")
    whole = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", text.partition("\n")[2].strip())
    short = words / f"safety.{language}.md"
    return f"{(short if short.exists() else words / 'safety.md').read_text('utf-8')}\n{whole}"
