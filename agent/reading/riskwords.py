"""The shape of agent/words/risk.yaml: rules, idioms, contexts and answers, each with its own examples.

Schema only; how patterns are read is patterns.py, what is done with them is rules.py.
"""

from typing import Literal

from pydantic import Field

from agent.errors import WordsError
from agent.reading.ladder import Answer, Kind, Level, Sign, Subject
from agent.words import Strict

__all__ = ["AnswerWords", "ContextWords", "JoinedWords", "RiskWords", "RuleWords", "Turned", "Twin", "joined"]

Turned = Literal["keep", "drop", "none", "low", "moderate", "high", "imminent"]


class Twin(Strict):
    """A sentence that resembles a rule's own and must come out at another level."""

    say: str
    level: Level
    subject: Subject | None = None
    past: bool | None = None


class RuleWords(Strict):
    """One rule. negated, past, invented: the level when the cue is denied, long over, or said by a character.

    needs: scenes that must appear in the message as well ("a | b": one of them); with reach, within so
    many words. without: scenes that set it aside in its sentence (one with reach is silent then,
    one without as if long over); unless_told: there or before it.
    unless: patterns that silence it from nearby. whose: the person named last before it is whom it is about.
    escalate: by default, whether the level is moderate or above.
    in_context: the level it rises to once this conversation is already about danger to the person
    themself. A rule whose own level is none says nothing alone; assess drops it unless it rises.
    sign: what it is a sign of, which counts together with other signs heard within a few messages.
    """

    id: str
    kind: Kind
    level: Level
    subject: Subject = "self"
    marks: tuple[str, ...] = ()
    escalate: bool | None = None
    in_context: Level | None = None
    sign: Sign | None = None
    negated: Turned = "low"
    past: Turned = "low"
    invented: Turned = "drop"
    needs: tuple[str, ...] = ()
    reach: int | None = None
    without: tuple[str, ...] = ()
    unless_told: tuple[str, ...] = ()
    whose: bool = False
    unless: tuple[str, ...] = ()
    patterns: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    twins: tuple[Twin, ...] = ()


class AnswerWords(Strict):
    """How a kind of answer to a safety question sounds.

    most: words of the longest message read so. not_of: who it tells of where it is no answer of the person's
    ("she won't answer her phone").
    """

    most: int = 400
    not_of: tuple[str, ...] = ()
    patterns: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]


class ContextWords(Strict):
    """What may stand around a cue and change its meaning.

    negation, used_to, reported, reported_child, invented: patterns that end right before the cue.
    doubtful: what makes a negation none ("a reason not to").
    long_ago, again: patterns anywhere in its sentence. past_words: verbs that tell of the past.
    """

    negation: tuple[str, ...]
    doubtful: tuple[str, ...]
    used_to: tuple[str, ...]
    reported: tuple[str, ...]
    reported_child: tuple[str, ...]
    invented: tuple[str, ...]
    long_ago: tuple[str, ...]
    again: tuple[str, ...]
    past_words: tuple[str, ...]


class RiskWords(Strict):
    """agent/words/risk.yaml; its classes come from the files of joined rules."""

    reviewed_by: str | None
    macros: dict[str, str]
    typos: dict[str, str]
    keep: tuple[str, ...]
    idioms: tuple[str, ...]
    context: ContextWords
    scenes: dict[str, tuple[str, ...]]
    rules: tuple[RuleWords, ...]
    answers: dict[Answer, AnswerWords]
    classes: dict[str, tuple[str, ...]] = Field(default_factory=dict)


class JoinedWords(Strict):
    """A file of joined rules: word classes, and rules that hear several of them together.

    A class is a macro in patterns and a scene of the same name.
    """

    reviewed_by: str | None
    macros: dict[str, str]
    classes: dict[str, tuple[str, ...]]
    rules: tuple[RuleWords, ...]


def joined(words: RiskWords, more: JoinedWords) -> RiskWords:
    """Both files as one. Raises WordsError where a later file would change what an earlier one means."""
    twice = {*words.macros, *words.classes} & {*more.macros, *more.classes}
    if twice:
        raise WordsError(f"Two files of risk words name {sorted(twice)[0]!r}: rename it in one of them.")
    macros = {name: f"({'|'.join(ways)})" for name, ways in more.classes.items()}
    return words.model_copy(
        update={
            "macros": {**words.macros, **more.macros, **macros},
            "classes": {**words.classes, **more.classes},
            "rules": (*words.rules, *more.rules),
        }
    )
