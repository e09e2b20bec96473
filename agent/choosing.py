"""Where the model of human supporters may choose a plan's stage, and whether it asks: within the rules only.

The rules decide alone at the first reply, where anything of danger was heard, where the person said what
they want, in themes in which people are only heard, and in small talk (agent/words/empathy.yaml, `learned`).
Pure functions over what the model told; it knows nothing of nets or words.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from agent.brief import Person, Plan, Reading
from agent.reading.ladder import Kind
from agent.supporter import STRATEGIES, Chances, Moment, Stage, stage_chances
from agent.themes import History
from agent.words import Strict

__all__ = ["Chosen", "Foreseen", "Learned", "checked", "choose", "moment_of", "open_to_choice", "weighed"]

Foreseen = Callable[[], Chances | None]
SAID = 4  # messages of the person that the model hears
LANGUAGES = frozenset({"en", "und"})
COMFORTS = frozenset({"emotion", "perspective"})


class Learned(Strict):
    """From which chance on the model's choice is followed; a bar above 1 is never reached.

    stage: of a stage, instead of the arc's. ask, stay: of a question in the reply, at least and at most.
    why: what the panel says of a step that was chosen so.
    """

    stage: dict[Stage, float]
    ask: float
    stay: float
    why: dict[str, str]


class Chosen(NamedTuple):
    """The stage; whether to ask (None: the rules say); and which of the two the model chose."""

    stage: Stage
    asks: bool | None = None
    learned: frozenset[str] = frozenset()

    def reasons(self, step: str) -> tuple[str, ...]:
        """Names of what the model chose of a step, for the words of why."""
        asks = ("ask" if self.asks else "stay") if "ask" in self.learned else None
        mine = {"listening": ("ask", "explore"), "yielding": ("stay",), "helping": ("act",)}
        found = {asks, self.stage if "stage" in self.learned else None}
        return tuple(
            name for name in mine.get(step, ("comfort",) if step in COMFORTS else ()) if name in found
        )


def open_to_choice(reading: Reading, kinds: Sequence[Kind], person: Person, history: History) -> bool:
    """Whether the model may be asked at all: no danger, no wish of the person's, and not the first reply."""
    return (
        not kinds
        and not any(cue["level"] != "none" for cues in reading["cues"] for cue in cues)
        and not reading["degraded"]
        and reading["language"] in LANGUAGES
        and "heard_only" not in reading["wants"]
        and person.get("advice") is not False
        and person.get("questions") is not False
        and any(role == "assistant" for role, _ in history)
    )


def choose(rule: Stage, told: Chances, data: Learned, *, may_act: bool) -> Chosen:
    """The likeliest stage where it is likely enough, else the rule's; and whether a question is due.

    may_act: whether an idea has a place here at all.
    """
    likely = stage_chances(told["next"])
    if not may_act:
        likely.pop("act")
    best = max(likely, key=lambda stage: likely[stage])
    follows = likely[best] >= data.stage[best]
    stage: Stage = best if follows else rule
    asked = told["reply"]["Question"]
    asks = True if asked >= data.ask else False if asked <= data.stay else None
    learned = {"stage"} if follows and best != rule else set()
    return Chosen(stage, asks, frozenset(learned | ({"ask"} if asks is not None else set())))


def moment_of(history: History, before: Plan | None) -> Moment:
    """The moment before our reply. before: our last plan, by which our last reply is known."""
    said = [text for role, text in history if role == "user"]
    replies = [text for role, text in history if role == "assistant"]
    deeds = [frozenset({"asked"} if "?" in text else ()) for text in replies[:-3:-1]]
    if before and deeds:
        steps = {step["step"] for step in before["steps"]}
        deeds[0] |= {"comforted"} if steps & COMFORTS else set()
        deeds[0] |= {"offered"} if before["offer"] else set()
    return Moment(tuple(said[-SAID:]), len(said), tuple(deeds))


def checked(told: Chances) -> Chances:
    """What the model told, as plain data. Raises KeyError, TypeError or ValueError when it is not whole."""
    found = Chances(
        next={name: float(told["next"][name]) for name in STRATEGIES},
        reply={name: float(told["reply"][name]) for name in STRATEGIES},
    )
    if not all(0 <= p <= 1 for part in (found["next"], found["reply"]) for p in part.values()):
        raise ValueError("a probability out of bounds")  # NaN too is none
    return found


def weighed(scores: Mapping[str, float]) -> dict[str, float]:
    """How well sentences fit, as plain data. Raises ValueError when a score is no number."""
    found = {str(text): float(score) for text, score in scores.items()}
    if not all(map(math.isfinite, found.values())):
        raise ValueError("a score that is no number")
    return found
