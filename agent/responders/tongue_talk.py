"""The ordinary reply in a language that is spoken simply: kind lines in turn, and a word on its limits.

Everything it says stands under `talk` in agent/words/tongues/care/*.yaml. It knows the few things a message
may do there (a greeting, thanks, a question about what we are) and the kind of a worry, no more.
"""

from collections.abc import Iterator, Sequence

from agent.brief import Brief
from agent.reading.tonguecare import heard, load_care
from agent.responders.crisis_words import same

__all__ = ["respond"]

# What a message does, and the lines that meet it, the first that holds.
_MET = (
    ("machine", ("human",)),
    ("who_reads", ("who_reads", "human")),
    ("wants_line", ("help",)),
    ("bye", ("bye",)),
)
_SMALL = 6  # words of a message that may be nothing but thanks or a greeting
# The kind of a worry that calls for no alarm, and what is said of it.
_KINDS = {
    "bereaved": "grief",
    "eating_disorder": "food",
    "substance": "substance",
    "medication": "substance",
    "psychosis": "fear",
    "mania": "fear",
}
_DOCTOR = frozenset({"food", "substance", "fear"})
_AGAIN = 8  # of our sentences that pass before the honest word on the language returns


def respond(brief: Brief) -> Iterator[str]:
    """Two to four sentences, none of which was said lately where another is left."""
    language = brief["reading"]["language"]
    talk = load_care(language).talk
    keys = _keys(brief, heard(brief["text"], language))
    said = [same(sentence) for sentence in brief["said"]]
    for key in keys:
        yield _fresh(talk[key], said, brief["seed"])
    simple = (*load_care(language).lines["simple"], *talk["simple"])
    if not {same(line) for line in simple}.intersection(said[-_AGAIN:]):
        yield _fresh(talk["simple"], said, brief["seed"])


def _keys(brief: Brief, doing: set[str]) -> Sequence[str]:
    for what, keys in _MET:
        if what in doing:
            return keys
    if "greeting" in brief["reading"]["wants"]:
        return ("hello",)
    small = len(brief["text"].split()) <= _SMALL
    if small and "thanks" in doing:
        return ("thanks",)
    if small and "hello" in doing:
        return ("hello",)
    cues = [cue for message in brief["reading"]["cues"] for cue in message if cue["level"] != "none"]
    about = next((_KINDS[cue["kind"]] for cue in cues if cue["kind"] in _KINDS), "")
    if any(cue["subject"] != "self" for cue in cues) and about != "grief":
        return ("other", *(("doctor",) if about else ()), "invite")
    return (about or "kind", "doctor" if about in _DOCTOR else "invite")


def _fresh(lines: Sequence[str], said: Sequence[str], seed: int) -> str:
    """The first line, from the seed on, that was not said, or the one said longest ago."""
    turned = [*lines[seed % len(lines) :], *lines[: seed % len(lines)]]
    last = {sentence: place for place, sentence in enumerate(said)}
    return min(turned, key=lambda line: last.get(same(line), -1))
