"""The steps of a supportive reply where every sentence that may be said was weighed against the others.

What suits best is said back or seen from there, a second thing only if it suits well, a question only if it
is worth putting; where what was said is good enough, no word is added. What may be said at all, and what is
fresh, the guided responder and its page tell. It knows no sentence.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from agent.brief import Brief
from agent.responders.page import Page
from agent.responders.replies import Heard, Replies, Told

__all__ = ["STEPS", "Speaks", "realise"]

STEPS = frozenset({"mirroring", "emotion", "perspective", "listening", "yielding"})
_ECHO = 0.15  # what their own words said back must be worth
_FURTHER = 0.5  # what a second thing must be worth to be said beside a first
_ASKED = 0.30  # what a question must be worth to be put
_ENOUGH = 0.4  # what was said must be worth, to be left without another word
_PARTICULAR = 0.12  # what is added for an answer to two signs in the very words, which no grade knows of
_LATELY, _LONG = 2, 8  # replies in which none was said back, and words of a message of which something is
_MAYBE = 0.04  # the probability of what a message does, from which what answers it may be weighed


class Speaks(Protocol):
    """What is asked of the guided responder. worth: of each sentence. near: the theme was just spoken of.
    heard: the cues whose words stand in the message."""

    brief: Brief
    page: Page
    replies: Replies
    theme: str
    near: bool
    heard: list[Heard]
    worth: Mapping[str, float]
    reacted: bool

    def groups(self, name: str) -> list[Sequence[str]]:
        """The variants for a step."""

    def bare(self) -> bool:
        """Whether the message tells next to nothing."""


def realise(voice: Speaks, name: str) -> bool:
    """Realise the step `name` by what suits best; whether anything was said."""
    if name == "listening":
        return _ask(voice)
    if name != "yielding":
        return _react(voice)
    # A sorry alone would be curt.
    sorry = voice.brief["plan"]["move"] == "correction" and len(voice.page.out) == 1
    return (sorry or not voice.page.out) and voice.page.say(name, voice.groups(name))


def _react(voice: Speaks) -> bool:
    groups = [one for name in ("mirroring", "perspective", "emotion") for one in voice.groups(name)]
    groups += [(*one.back, *one.say, *one.apt) for one in _likely(voice)]
    texts = _ranked(voice, groups, "matter")
    met = bool(texts) and texts[0] in _sure(voice) and voice.worth[texts[0]] >= _ENOUGH
    if not voice.reacted and not met and _says_back(voice):
        back = [one for one in texts if "$" in one and voice.worth[one] >= _ECHO]
        voice.page.say("back", [[one] for one in back])
        texts = [one for one in texts if one not in back] if voice.page.out else texts
    if voice.brief["plan"]["move"] == "correction":  # no guess upon a mistake
        texts = [one for one in texts if "$" in one or one in _sure(voice)]
    if voice.reacted:  # no echo beside another thing
        texts = [one for one in texts if voice.worth[one] >= _FURTHER and "$" not in one]
    said = voice.page.say("react", [[one] for one in texts] or ([] if voice.reacted else groups))
    voice.reacted = voice.reacted or said
    return said


def _says_back(voice: Speaks) -> bool:
    """Whether their own words come first: at the beginning, and of a longer message where none lately did."""
    lately = [text for role, text in voice.brief["history"] if role == "assistant"][-_LATELY:]
    bank = voice.replies.banks["mirroring"].values()
    frames = {line.partition("$")[0] for lines in bank for line in lines if "$" in line} - {""}
    echoed = any(text.startswith(("You ", "Your ", *frames)) for text in lately)
    return not lately or (not echoed and len(voice.brief["text"].split()) >= _LONG)


def _ask(voice: Speaks) -> bool:
    """Put the question that suits best; else, where nothing else was said, leave the door open.

    Behind something that was said, people who were played found a word more a nuisance in four of five.
    """
    if not voice.page.asked and not voice.bare():
        groups = [*voice.groups("listening"), *((*one.ask, *one.apt_ask) for one in _likely(voice))]
        texts = [one for one in _ranked(voice, groups, "matter_ask") if voice.worth[one] >= _ASKED]
        if voice.page.say("ask", [[one] for one in texts]):
            return True
    return not voice.page.out and voice.page.say("listening", [voice.replies.banks["invite"]["general"]])


def _ranked(voice: Speaks, groups: Sequence[Sequence[str]], matter: str) -> list[str]:
    """The sentences of all groups, and of the theme just spoken of, that were weighed, the best first."""
    theirs = voice.replies.banks[matter].get(voice.theme, ()) if voice.near else ()
    texts = dict.fromkeys(text for group in (*groups, theirs) for text in group if text in voice.worth)
    sure = _sure(voice)
    return sorted(texts, key=lambda text: -voice.worth[text] - _PARTICULAR * (text in sure))


def _sure(voice: Speaks) -> set[str]:
    """What answers two signs in the very words."""
    return {text for cue in voice.heard if cue.also for text in (*cue.back, *cue.say, *cue.ask)}


def _likely(voice: Speaks) -> list[Told]:
    """What the message may do, as far as the reading has it."""
    asked, told = voice.page.last.endswith("?"), voice.replies.told
    heads = voice.brief["reading"]["heads"].get("telling", [])
    named = [(told[one["label"]], one["p"]) for one in heads if one["label"] in told]
    return [one for one, p in named if p >= max(_MAYBE, one.sure) and not (one.unasked and asked)]
