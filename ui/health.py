"""Does every part load, and how old is what we rely on: the report behind `hearken check`.

Knows nothing of how it is shown. Never carries a secret or a word that a person wrote.
"""

import sqlite3
from collections.abc import Callable
from datetime import date
from typing import Any

import agent
from agent.errors import HearkenError
from agent.guard import load_guard
from agent.guesses import load_guesses
from agent.plan import load_empathy, load_ideas
from agent.reading.assess import load_reasons
from agent.reading.rules import load_rules
from agent.responders.crisis_words import load_words
from agent.responders.replies import load_replies
from agent.settings import Settings
from agent.themes import load_themes
from agent.words import SPOKEN
from graph import Session
from graph.backends import chosen, named, verdict
from graph.services import from_settings, library
from knowledge.errors import KnowledgeError
from knowledge.helplines import HelplineError, load_helplines
from ui.wording import fill, load_ui_words

__all__ = ["health", "loaded"]

LOADING = 600.0  # seconds that a language model may take to be ready


def loaded() -> None:
    """Read every file of agent/words that a reply is made of. Raises WordsError, naming file and key."""
    for language in sorted(SPOKEN):
        for load in (load_replies, load_ideas, load_guesses, load_themes, load_words):
            load(language)
    load_empathy()
    load_guard()
    load_reasons()


def health(settings: Settings, today: date, language: str = "en") -> dict[str, Any]:
    """{"ok": bool, "parts": {name: {"ok", "says"}}, "settings": {...}}."""
    services = from_settings(settings)

    def rules() -> str:
        cues = load_rules().scan("I want to kill myself")
        if not cues:
            raise HearkenError("The risk rules no longer hear a plain statement; reinstall hearken.")
        return "the risk rules hear a plain statement"

    def words() -> str:
        loaded()
        return "every words file fits its schema"

    def encoder() -> str:
        heard = services.read("I am so worried about tomorrow")
        return f"reads feelings ({len(heard['emotions'])} likeliest of 32)"

    def index() -> str:
        counts = library(settings).count()
        return f"{sum(counts.values())} answers: " + ", ".join(f"{n} {s}" for s, n in counts.items())

    def helplines() -> str:
        registry = load_helplines()
        age = registry.age(today)
        told = load_ui_words(language).undialled_check
        return fill(told, rows=age.rows, countries=len(registry.covered()), verified=age.verified)

    def responder() -> str:
        if trouble := services.prepare(LOADING):
            raise HearkenError(trouble)
        turn = Session.open(services=services, settings=settings).say("hello")
        if trouble := services.trouble():
            raise HearkenError(trouble)
        backend = chosen(settings)
        found = verdict(settings, backend) or {}
        known = backend.kind == "guided" or found.get("passed") is True
        note = "" if known else " " + fill(load_ui_words().models.untested, name=named(backend))
        return f"{turn.responder} answers ({len(turn.text.split())} words to a greeting){note}"

    def store() -> str:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        probe = settings.data_dir / ".probe"
        probe.write_bytes(b"")
        probe.unlink()
        return f"{settings.data_dir} can be written"

    checks: dict[str, Callable[[], str]] = {
        "rules": rules,
        "words": words,
        "encoder": encoder,
        "index": index,
        "helplines": helplines,
        "responder": responder,
        "store": store,
    }
    parts = {name: _tried(check) for name, check in checks.items()}
    return {
        "ok": all(part["ok"] for part in parts.values()),
        "parts": parts,
        "settings": {**settings.model_dump(mode="json"), "package": str(agent.__file__)},
    }


def _tried(check: Callable[[], str]) -> dict[str, Any]:
    try:
        return {"ok": True, "says": check()}
    except (HearkenError, KnowledgeError, HelplineError, OSError, sqlite3.Error) as error:
        return {"ok": False, "says": str(error)}
