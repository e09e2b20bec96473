"""The risk rules over a message that may be Spanish: those of risk.yaml, and of es/risk.yaml beside them.

The Spanish rules know denials and sayings of their own, so the few plain statements that risk.yaml has for
Spanish give way where these heard the same danger or a saying. They read the message as typed and with the
spelling of the phone undone. Knows one message at a time.
"""

import re
from functools import cache

from agent.reading.ladder import LEVELS, Answer, Cue
from agent.reading.normalise import normalise
from agent.reading.riskwords import RiskWords
from agent.reading.rules import Rules, compile_rules
from agent.reading.spanish import load_spanish, plain, spelled, spoken
from agent.reading.tonguewords import bare
from agent.words import load

__all__ = ["answers", "holds_spanish", "is_saying", "load_spanish_rules", "scan"]

_LETTERS = re.compile(r"[^\W\d_]+")
_SPELT_OUT = re.compile(r"(?<!\w)\w(?:[\W_]+\w(?!\w)){3}")
_PLAINEST = "language."  # ids of the plain statements of risk.yaml in other languages


@cache
def load_spanish_rules() -> Rules:
    """The rules of es/risk.yaml, compiled once. Raises WordsError when the file is broken."""
    return compile_rules(load("es/risk.yaml", RiskWords))


def holds_spanish(text: str) -> bool:
    """Whether anything in it may be Spanish; generous, for a rule that is not asked hears nothing."""
    return _holds(text, plain(text))


def _holds(text: str, folded: str) -> bool:
    words, data = set(_LETTERS.findall(folded)), load_spanish()
    return bool(words & data.spanish or not words & data.english or _SPELT_OUT.search(text))


def scan(text: str, base: Rules) -> list[Cue]:
    """Every cue in the message, worst first; one per rule, level and subject."""
    cues = base.scan(text)
    spelt = spelled(text)
    folded = bare(spelt)
    if not _holds(text, folded):
        return cues
    rules = load_spanish_rules()
    found: dict[object, Cue] = {}
    # Where no spelling of the phone was undone the two differ by accents alone, and one reading is enough.
    for read in dict.fromkeys((folded,) if spelt == text else (folded, text)):
        for cue in rules.scan(read):
            span = cue["span"] if len(read) == len(text) else [0, len(text)]
            found.setdefault(
                (cue["rule"], cue["level"], cue["subject"], cue["past"]), Cue(**{**cue, "span": span})
            )
    heard = {cue["kind"] for cue in found.values()}
    plainest = any(cue["rule"].startswith(_PLAINEST) for cue in cues)
    said = plainest and not found and is_saying(text)
    kept = [
        cue for cue in cues if not cue["rule"].startswith(_PLAINEST) or not (cue["kind"] in heard or said)
    ]
    return sorted(
        [*kept, *found.values()], key=lambda cue: (-LEVELS.index(cue["level"]), not cue["escalate"])
    )


def answers(text: str, base: Rules) -> list[Answer]:
    """How the message answers a question about safety, by the rules of the language it is in."""
    return load_spanish_rules().answers(plain(text)) if spoken(text) == "es" else base.answers(text)


def is_saying(text: str) -> bool:
    """Whether a figure of speech about dying or killing stands in it."""
    rules = load_spanish_rules()
    words = normalise(plain(text), rules.lexicon).words
    return any(True for _ in rules.idioms.matches(f" {' '.join(words)} ", frozenset(words)))
