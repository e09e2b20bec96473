"""What a reply is to be like, as tokens that a model has learned: feeling, intent, and three strengths.

The strengths are EPITOME's (Sharma et al., 2020): emotional reaction, interpretation and exploration, each 0
to 2. In training they are those of the reply itself; in use the plan asks for them. The words stand in
agent/words/prompt.yaml. Knows nothing of models and tokenizers.
"""

from collections.abc import Mapping
from string import Template
from typing import Literal

from agent.brief import Plan
from agent.words import Strict

__all__ = ["LEVELS", "Form", "TokenWords", "line", "tokens", "wanted"]

Form = Literal["text", "tokens"]
"""How feeling and intent are told to a model: in a sentence each, or as learned tokens."""

LEVELS = (0, 1, 2)


class TokenWords(Strict):
    """The part `tokens` of prompt.yaml. mechanisms: EPITOME's name -> the one in a token."""

    feeling: str
    intent: str
    level: str
    unsure: str
    feelings: tuple[str, ...]
    intents: tuple[str, ...]
    mechanisms: dict[str, str]


def tokens(words: TokenWords) -> list[str]:
    """Every token, in the order in which they are added to a vocabulary."""
    feelings = [Template(words.feeling).substitute(label=one) for one in (*words.feelings, words.unsure)]
    intents = [Template(words.intent).substitute(label=one) for one in words.intents]
    levels = [_level(words, name, level) for name in words.mechanisms for level in LEVELS]
    return [*feelings, *intents, *levels]


def line(words: TokenWords, plan: Plan) -> str:
    """The tokens of one turn. What a plan says of strengths goes before what follows from its steps."""
    feeling = Template(words.feeling).substitute(label=plan["feeling"] or words.unsure)
    intent = Template(words.intent).substitute(label=plan["intent"])
    told = plan["levels"] if "levels" in plan else wanted(plan)
    return "".join(
        [feeling, intent, *(_level(words, name, told[name]) for name in words.mechanisms if name in told)]
    )


def wanted(plan: Plan) -> Mapping[str, int]:
    """How strong each mechanism is to be, as the steps of a plan have it."""
    steps = {step["step"] for step in plan["steps"]}
    reaction = 2 if "emotion" in steps and plan["feeling"] else int(bool(steps & {"emotion", "perspective"}))
    return {
        "emotional reactions": reaction,
        "interpretations": 2 if steps & {"mirroring", "perspective"} else 0,
        "explorations": 2 if plan["ask"] else int("listening" in steps),
    }


def _level(words: TokenWords, name: str, level: int) -> str:
    return Template(words.level).substitute(mechanism=words.mechanisms[name], level=level)
