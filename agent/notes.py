"""Notes of a conversation in the person's own lines, and their form as Markdown.

What was talked about, what they said helped, the step they named, and the exercises they went through.
Each line is one they wrote; nothing here writes any. It does not know what a line means, and judges no
danger: which lines a file should not hold is told by whoever asks for it.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache
from itertools import pairwise
from typing import Any

from agent.exercises import answers_to, asked, exercises, matches, tongues
from agent.reading.wants import wants
from agent.responders.crisis import pending_of
from agent.responders.replies import sentences
from agent.safety_plan import folded, lines_of, load_plan_words
from agent.themes import History
from agent.words import Strict, load

__all__ = ["load_notes_words", "markdown", "noted", "own_line", "untold"]

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
    requests: tuple[str, ...]
    to_us: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    export: Export


@cache
def load_notes_words() -> NotesWords:
    """notes.yaml, read once. Raises WordsError when it is damaged."""
    return load("notes.yaml", NotesWords)


def noted(history: History, leave_out: Callable[[str], bool] | None = None) -> dict[str, Any]:
    """The notes as plain data: `told`, `helped`, `chosen` (lines), `practised`, `ended`, `left_out` (a bool).

    practised: titles of exercises; ended: what they wrote at the end of one, by its title. leave_out: which
    messages the notes should not hold. Answers about danger are never in them: a "no" alone does not tell
    what it was to.
    """
    words, danger = load_notes_words(), _of_danger(history)
    answers = list(answers_to(history))
    elsewhere = {text for _, _, text in answers} | _in_plan(history)
    picked = {text for _, step, text in answers if step.keeps == "chosen"}
    notes: dict[str, list[str]] = {"told": [], "helped": [], "chosen": []}
    left_out = False
    for role, text in history:
        if role != "user":
            continue
        wanted, plain = set(wants(text)), folded(text)
        chosen = text in picked or ("step" in wanted and text not in elsewhere)
        helps = text not in elsewhere and (matches(words.helped, plain) and not matches(words.unless, plain))
        tells = bool(_TELLS & wanted) and len(plain.split()) >= _FEWEST and not _for_us(text, plain)
        if not (helps or chosen or (tells and text not in elsewhere)):
            continue
        if text in danger or (leave_out and leave_out(text)):
            left_out = True
            continue
        notes["chosen" if chosen else "helped" if helps else "told"].append(_line(text))
    notes["practised"] = [exercises()[name].title for name, _, _ in answers]
    ended = {
        exercises()[name].title: _line(text)
        for name, step, text in answers
        if step.id == exercises()[name].steps[-1].id and not (leave_out and leave_out(text))
    }
    kept = {key: list(dict.fromkeys(lines))[-_LINES:] for key, lines in notes.items()}
    return {**kept, "ended": ended, "left_out": left_out}


def untold(history: History) -> set[str]:
    """The messages that are no telling of their own: requests, words to an exercise or to the safety plan,
    and answers about danger."""
    answers = {text for _, _, text in answers_to(history)}
    requests = {text for role, text in history if role == "user" and _for_us(text, folded(text))}
    return answers | requests | _in_plan(history) | _of_danger(history)


def _in_plan(history: History) -> set[str]:
    """The messages that went into the safety plan, which has a file of its own."""
    asks = {
        one
        for language in tongues()
        for step in load_plan_words(language).steps
        for text in (*step.ask, *step.hint)
        for one in sentences(text)
    }
    return {
        text
        for (role, before), (_, text) in pairwise(history)
        if role == "assistant" and not asks.isdisjoint(sentences(before))
    }


def _of_danger(history: History) -> set[str]:
    """The messages that answered a question of ours about danger."""
    return {
        text
        for (role, before), (_, text) in pairwise(history)
        if role == "assistant" and pending_of(sentences(before), soft=False)
    }


def _for_us(text: str, plain: str) -> bool:
    """Whether a message only asks something of us, and tells nothing."""
    words = load_notes_words()
    if matches(words.requests, plain) or any(
        asked(text, language=each) or matches(load_plan_words(each).begins, folded(text, each))
        for each in tongues()
    ):
        return True
    return "?" in text and matches(words.to_us, plain)


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
    ended = notes["ended"]
    practised = [f"{title}: {ended[title]}" if title in ended else title for title in notes["practised"]]
    for key in ("told", "practised", "helped", "chosen"):
        if lines := practised if key == "practised" else notes[key]:
            parts.append(f"## {getattr(words, key)}")
            parts.append("\n".join(f"- {_literal(line)}" for line in lines))
    return "\n\n".join([*parts, *([words.left_out] if notes["left_out"] else []), words.foot]) + "\n"


def _literal(line: str) -> str:
    """The person's line as Markdown that shows it as written, and makes no link or markup of it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", line)
