"""Notes of a conversation in the person's own lines, and their form as Markdown.

What was talked about, what they said helped, the step they named, and the exercises they went through.
Each line is one they wrote; nothing here writes any. It does not know what a line means, and judges no
danger: which lines a file should not hold is told by whoever asks for it.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from agent.exercises import answers_to, exercises, matches
from agent.reading.wants import wants
from agent.responders.replies import sentences
from agent.safety_plan import folded, lines_of
from agent.themes import History
from agent.words import Strict, load

__all__ = ["load_notes_words", "markdown", "noted", "own_line"]

_TELLS = frozenset({"vent", "advice", "long_outpouring", "good_news"})
_FEWEST, _MOST = 4, 40  # words of a line that tells something, and of one that is kept whole
_LINES = 12  # what is talked about longest ago is left out of longer notes
_SPOKEN = 14  # words of a line that may be said back whole


class Export(Strict):
    """Words of the exported notes."""

    title: str
    lead: str
    told: str
    practised: str
    helped: str
    chosen: str
    left_out: str
    foot: str


class NotesWords(Strict):
    """agent/words/notes.yaml; see its header."""

    reviewed_by: str | None
    date: object
    helped: tuple[str, ...]
    unless: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    export: Export


@cache
def load_notes_words() -> NotesWords:
    """notes.yaml, read once. Raises WordsError when it is damaged."""
    return load("notes.yaml", NotesWords)


def noted(history: History, leave_out: Callable[[str], bool] | None = None) -> dict[str, Any]:
    """The notes as plain data: `told`, `practised`, `helped`, `chosen` (lines) and `left_out` (a bool).

    leave_out: which messages the notes should not hold.
    """
    words = load_notes_words()
    practised = [(name, step, text) for name, step, text in answers_to(history)]
    in_exercise = {text for _, _, text in practised}
    notes: dict[str, list[str]] = {"told": [], "practised": [], "helped": [], "chosen": []}
    left_out = False
    for role, text in history:
        if role != "user":
            continue
        wanted, plain = set(wants(text)), folded(text)
        helps = matches(words.helped, plain) and not matches(words.unless, plain)
        chosen = "step" in wanted or any(
            text == answer and step.keeps == "chosen" for _, step, answer in practised
        )
        tells = bool(_TELLS & wanted) and len(plain.split()) >= _FEWEST and text not in in_exercise
        if not (helps or chosen or tells):
            continue
        if leave_out and leave_out(text):
            left_out = True
            continue
        notes["chosen" if chosen else "helped" if helps else "told"].append(_line(text))
    notes["practised"] = [exercises()[name].title for name in dict.fromkeys(name for name, _, _ in practised)]
    kept = {key: list(dict.fromkeys(lines))[-_LINES:] for key, lines in notes.items()}
    return {**kept, "left_out": left_out}


def own_line(lines: list[str]) -> str | None:
    """The newest line that is short and plain enough to be said back in quotation marks, or None."""
    fit = (line.rstrip(" .") for line in reversed(lines) if len(line.split()) <= _SPOKEN)
    return next((line for line in fit if not re.search(r"[^\w\s,'’-]|\d", line)), None)


def _line(text: str) -> str:
    """The beginning of a message, whole sentences of it, as it was written."""
    whole = sentences(" ".join(lines_of(text)))
    kept = whole[:1]
    for sentence in whole[1:]:
        if sum(len(one.split()) for one in (*kept, sentence)) > _MOST:
            break
        kept.append(sentence)
    return " ".join(kept)


def markdown(notes: Mapping[str, Any]) -> str:
    """What `noted` gave, as Markdown for the person's own file."""
    words = load_notes_words().export
    parts = [f"# {words.title}", words.lead]
    for key in ("told", "practised", "helped", "chosen"):
        if notes[key]:
            parts.append(f"## {getattr(words, key)}")
            parts.append("\n".join(f"- {_literal(line)}" for line in notes[key]))
    return "\n\n".join([*parts, *([words.left_out] if notes["left_out"] else []), words.foot]) + "\n"


def _literal(line: str) -> str:
    """The person's line as Markdown that shows it as written, and makes no link or markup of it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", line)
