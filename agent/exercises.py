"""The exercises as data: their steps, how they are asked for, and where one stands in a conversation.

Ten files under words/exercises/, and what is common to them in words/practice.yaml. It knows nothing of
how one is talked through (agent/responders/practising.py) nor of danger. A practice holds no word of the
person's: what they wrote is in their messages, and is looked up there.
"""

import logging
import re
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import TypedDict

from agent.errors import WordsError
from agent.exercise_words import Exercise, ExerciseStep, PracticeWords, exercises, load_practice_words
from agent.responders.replies import sentences
from agent.safety_plan import folded, load_plan_words
from agent.themes import History
from agent.words import SPOKEN

__all__ = [
    "Exercise",
    "ExerciseStep",
    "Practice",
    "PracticeWords",
    "answers_to",
    "asked",
    "exercises",
    "for_rules",
    "ideas_spoken",
    "live",
    "load_practice_words",
    "matches",
    "of_idea",
    "printed",
    "step_of",
    "tongues",
    "worded",
]

log = logging.getLogger("hearken")
_MOST = 25  # words of a message that may ask for one by its name; a longer one tells something
_FEW = 10  # words of a message that asks for one and tells nothing


class Practice(TypedDict, total=False):
    """Where the exercises stand. Plain data, and no word of the person's.

    name, step: the exercise begun last and the step that waits, "" when none does. resting: the person
    stopped it there. turn: number of the message it last answered. rounds: exercise -> how often it was
    begun. declined: those turned down. instead: the one that a "yes" would begin.
    """

    name: str
    step: str
    resting: bool
    turn: int
    rounds: dict[str, int]
    declined: list[str]
    instead: str


def tongues() -> list[str]:
    """English, and each other language whose exercises and safety plan can be read."""
    found = ["en"]
    for language in sorted(SPOKEN - {"en"}):
        try:
            exercises(language)
            load_plan_words(language)
        except WordsError as error:
            log.warning("no exercises in %s: %s", language, error)
        else:
            found.append(language)
    return found


def matches(patterns: Collection[str], plain: str) -> bool:
    """Whether any of the patterns stands in a folded message."""
    return any(re.search(pattern, plain) for pattern in patterns)


def asked(text: str, down: Collection[str] = (), language: str = "en") -> str:
    """The exercise that a message asks for, "" for none: by its name, or by a need it fits.

    down: those turned down; a need is met with another one, a name is taken at its word.
    """
    plain = folded(text, language)
    if _silenced(plain, language):
        return ""
    every = exercises(language).items()
    met = (name for name, one in every if name not in down and matches(one.needs, plain))
    return next(met, "") or _by_name(plain, language)


def _silenced(plain: str, language: str) -> bool:
    words = load_practice_words(language)
    # "something to stop the worry" and "a letter I won't send" hold a no that is no refusal
    return not plain or matches(words.unless, re.sub(words.keeps_asking, " ", plain))


def _by_name(plain: str, language: str) -> str:
    words = load_practice_words(language)
    if len(plain.split()) > _MOST:
        return ""
    requested = bool(re.search(words.request, plain))
    for name, one in exercises(language).items():
        found = next((hit for pattern in one.named if (hit := re.search(pattern, plain))), None)
        rest = f"{plain[: found.start()]} {plain[found.end() :]}".split() if found else ["?"]
        if found and (requested or words.around.issuperset(rest)):
            return name
    return ""


def of_idea(idea: str) -> str:
    """The exercise that talks an idea of ideas.yaml through, "" for none."""
    return next((name for name, one in exercises().items() if one.idea == idea), "")


def step_of(one: Exercise, name: str) -> ExerciseStep:
    """The step of that name; the first one where a file that was edited has it no more."""
    return next((step for step in one.steps if step.id == name), one.steps[0])


def live(practice: object, turn: int) -> bool:
    """Whether a step waits, and our last reply was about it. turn: number of this message."""
    if not isinstance(practice, dict) or practice.get("resting"):
        return False
    return bool(practice.get("step")) and practice.get("turn") == turn - 1


def for_rules(practice: object, turn: int, text: str, language: str = "en") -> bool:
    """Whether the reading model can only mistake a message, which then is left to the rules.

    It was taught on whole messages, and hears danger in "I want to stop". So: the name of an exercise in a
    few words, and within an open one what moves it on or ends it, or a list of things that it asked for.
    Words that do not load make it False.
    """
    try:
        words, plain = load_practice_words(language), folded(text, language)
        if len(plain.split()) <= _FEW and not _silenced(plain, language) and _by_name(plain, language):
            return True
        if not (live(practice, turn) and isinstance(practice, dict)):
            return False
        if any(plain in phrases for phrases in words.commands.values()):
            return True
        one = exercises().get(practice.get("name", ""))
    except WordsError:
        return False
    listing = any(step.id == practice["step"] and step.reply == "list" for step in (one.steps if one else ()))
    said = plain.split()
    return listing and len(said) <= words.most["list"] and words.myself.isdisjoint(said)


@cache
def worded() -> dict[str, tuple[str, str]]:
    """Sentence of a step, in whichever language -> the exercise and the step it belongs to."""
    return {
        sentence: (name, step.id)
        for language in tongues()
        for name, one in exercises(language).items()
        for step in one.steps
        for text in step.say
        for sentence in sentences(text)
    }


def ideas_spoken(spoken: Collection[str]) -> set[str]:
    """The ideas that the sentences spoken have already talked through as exercises.

    Words that do not load cost the exercises and nothing else.
    """
    try:
        found, known = worded(), exercises()
    except WordsError as error:
        log.warning("no exercises: %s", error)
        return set()
    return {known[found[sentence][0]].idea for sentence in spoken if sentence in found}


def answers_to(history: History) -> Iterator[tuple[str, ExerciseStep, str]]:
    """Exercise, step and message for every message that answered a step, oldest first."""
    found, known = worded(), exercises()
    for (role, before), (_, text) in pairwise(history):
        places = [found[one] for one in sentences(before) if one in found] if role == "assistant" else []
        if places and not _commanded(text):
            name, at = places[-1]
            yield name, next(step for step in known[name].steps if step.id == at), text


def _commanded(text: str) -> bool:
    """Whether a message only moves an exercise on, in whichever language."""
    return any(
        folded(text, language) in phrases
        for language in tongues()
        for phrases in load_practice_words(language).commands.values()
    )


def printed(names: Sequence[str], language: str = "en") -> str:
    """The exercises as Markdown for reading, every variant of every step."""
    words, known = load_practice_words(language).list, exercises(language)
    parts = [f"# {words.title}", words.lead]
    for name in names:
        one = known[name]
        parts.append(f"## {one.title} ({name})")
        parts.append(f"{words.source} *{one.source}*. {'' if one.reviewed_by else words.unreviewed}".strip())
        parts += [
            f"{number}. "
            + f"\n   {words.either}: ".join(step.say)
            + "".join(f"\n   - {hint}" for hint in step.hint)
            for number, step in enumerate(one.steps, 1)
        ]
        parts.append("\n".join(one.ends))
        parts += [f"- {text}" for text in one.worse]
    return "\n\n".join(parts) + "\n"
