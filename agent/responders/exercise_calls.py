"""What a message does to the exercises: asks for one, accepts an offer, answers the open step, or leaves it.

Deterministic, over words/practice.yaml and the exercises' own cues. Nothing is said or changed here; danger
was ruled out by whoever calls. What follows from a call is `agent.responders.practising`'s.
"""

from collections.abc import Sequence
from typing import Literal, NamedTuple

from agent.exercises import (
    ExerciseStep,
    Practice,
    PracticeWords,
    asked,
    exercises,
    live,
    load_practice_words,
    matches,
    of_idea,
    step_of,
)
from agent.plan import offered, turned_down
from agent.safety_plan import folded
from agent.themes import History, puts_question, theme_of

__all__ = ["TOLD", "Call", "heard"]

_YES = 8  # words of a message that says yes to an offer and nothing else
TOLD = 5  # words of a message that tells more than how it is

Act = Literal["", "begin", "go", "answer", "stop", "hint", "why", "other", "back", "resume", "worse"]


class Call(NamedTuple):
    """What a message does to the exercises, and which one is meant; act "" when it is not for them."""

    act: Act
    name: str = ""


def heard(  # noqa: PLR0913 - what the choice depends on, each by name
    text: str,
    practice: object,
    *,
    turn: int,
    wants: Sequence[str],
    history: History,
    ours: bool = True,
    language: str = "en",
) -> Call:
    """What the message does: it asks for an exercise, accepts the offer of one, or answers the open step.

    history: (role, text), this message last. ours: whether our last reply was written by us.
    """
    words, plain = load_practice_words(language), folded(text, language)
    known: Practice = practice if isinstance(practice, dict) else {}  # type: ignore[assignment]
    name = known.get("name", "")
    open_now = ours and name in exercises() and live(known, turn)
    call = _within(text, plain, known, wants, language) if open_now else Call("")
    if call.act or words.asides.intersection(wants) - {"off_topic"}:
        return call
    if wanted := _wanted(text, known, wants, history, language, open_now=open_now):
        return Call("resume" if wanted == name and known.get("step") else "begin", wanted)
    if ours and "accept" in wants and len(plain.split()) <= _YES and words.later.isdisjoint(plain.split()):
        last = next((said for role, said in reversed(history) if role == "assistant"), "")
        put = [of_idea(idea) for idea in offered([("assistant", last)], language=language, practised=False)]
        after = known.get("instead", "") if known.get("turn") == turn - 1 else ""
        if chosen := next((each for each in [after, *put] if each), ""):
            return Call("begin", chosen)
    if plain in words.commands["resume"] and name in exercises() and known.get("step"):
        return Call("resume", name)
    return Call("")


def _wanted(  # noqa: PLR0913 - what the choice depends on
    text: str, practice: Practice, wants: Sequence[str], history: History, language: str, *, open_now: bool
) -> str:
    """The exercise that a message asks for, by name or need or in general, "" for none."""
    down = {*practice.get("declined", []), *map(of_idea, turned_down(history, language))}
    if (wanted := asked(text, down, language)) or "exercise" not in wants or open_now:
        return wanted
    spent = down.union(practice.get("rounds", {}))
    return next((each for each in load_practice_words().general if each not in spent), "")


def _within(text: str, plain: str, practice: Practice, wants: Sequence[str], language: str) -> Call:
    """What a message does to the open exercise; act "" where it is for something else."""
    words, name = load_practice_words(language), practice["name"]
    step = step_of(exercises()[name], practice["step"])
    last, letter = step.id == exercises()[name].steps[-1].id, step.takes == "letter"
    for command, phrases in words.commands.items():
        if plain in phrases:
            refused = plain in words.refuses and step.reply == "done" and not last
            return Call("stop" if refused else "go" if command == "resume" else command, name)
    if not letter and (of_it := _of_it(plain, words)):
        return Call(of_it, name)
    if not last and _worse(plain, step, words):
        return Call("worse", name)
    if _aside(text, plain, step, wants, language, last=last):
        return Call("")
    if step.reply != "words" and (wanted := asked(text, language=language)):
        return Call("resume" if wanted == name else "begin", wanted)
    return Call("answer" if plain else "", name)


def _of_it(plain: str, words: PracticeWords) -> Act:
    """Whether a message is about the exercise as such: turns it down, or asks what it is for."""
    return "other" if matches(words.tried, plain) else "why" if matches(words.whys, plain) else ""


def _aside(  # noqa: PLR0913 - what the choice depends on
    text: str, plain: str, step: ExerciseStep, wants: Sequence[str], language: str, *, last: bool
) -> bool:
    """Whether a message in the middle of an exercise is none of its business and is answered first."""
    words, letter = load_practice_words(language), step.takes == "letter"
    if (words.always if letter else words.asides).intersection(wants):
        return True
    if len(plain.split()) > words.most["words" if last else step.reply]:
        return True
    if letter:  # it is said to somebody else, questions and all
        return False
    told = step.reply != "words" and not last and _tells(text, plain, language)
    unmarked = step.reply == "done" and language == "en" and puts_question(text)
    asks = ("?" in text or unmarked) and (step.reply != "words" or last or matches(words.to_us, plain))
    news = step.takes != "telling" and matches(words.news, plain)
    return told or asks or news or matches(words.leaves, plain)


def _tells(text: str, plain: str, language: str) -> bool:
    """Whether a message tells of something in their life, where an exercise asked for none of it."""
    listed = "," in text or "\n" in text
    return len(plain.split()) >= TOLD and not listed and theme_of([("user", text)], language) != "general"


def _worse(plain: str, step: ExerciseStep, words: PracticeWords) -> bool:
    """Whether the exercise does harm. A list of things may hold such a word, and a thought may be of it."""
    if matches(words.hurts, plain):
        return True
    said = plain.split()
    own = step.reply == "done" or (step.reply == "list" and not words.myself.isdisjoint(said))
    return own and len(said) <= words.most["done"] and matches(words.worse, plain)
