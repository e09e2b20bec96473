"""The risk rules over a message that may be Spanish: those of risk.yaml always, those of es/risk.yaml beside them.

What the Spanish rules hear is added and takes nothing away. They read the message with the spelling of the phone
undone, so where that changed its length a cue points at the whole message. Knows one message at a time.
"""

import re
from functools import cache

from agent.reading.ladder import LEVELS, Answer, Cue
from agent.reading.riskwords import RiskWords
from agent.reading.rules import Rules, compile_rules
from agent.reading.spanish import load_spanish, plain, spoken
from agent.words import load

__all__ = ["answers", "holds_spanish", "load_spanish_rules", "scan"]

_ENOUGH = 2  # Spanish words that make a message worth reading for Spanish
_LETTERS = re.compile(r"[^\W\d_]+")


@cache
def load_spanish_rules() -> Rules:
    """The rules of es/risk.yaml, compiled once. Raises WordsError when the file is broken."""
    return compile_rules(load("es/risk.yaml", RiskWords))


def holds_spanish(text: str) -> bool:
    """Whether some of the message is Spanish, however much of it is not."""
    words = _LETTERS.findall(plain(text))
    spanish = sum(word in load_spanish().spanish for word in words)
    return spanish >= _ENOUGH or spoken(text) == "es"


def scan(text: str, base: Rules) -> list[Cue]:
    """Every cue of `base` in the message, and every one that is told in Spanish, worst first."""
    cues = base.scan(text)
    if not holds_spanish(text):
        return cues
    folded = plain(text)
    whole = len(folded) != len(text)
    more = [
        Cue(**{**cue, "span": [0, len(text)]}) if whole else cue for cue in load_spanish_rules().scan(folded)
    ]
    found = [*cues, *more]
    return sorted(found, key=lambda cue: (-LEVELS.index(cue["level"]), not cue["escalate"])) if more else cues


def answers(text: str, base: Rules) -> list[Answer]:
    """How the message answers a question about safety, by the rules of the language it is in."""
    return load_spanish_rules().answers(plain(text)) if spoken(text) == "es" else base.answers(text)
