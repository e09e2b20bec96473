"""Why this reply: a Turn as plain sentences for the person, and as a table for the developer.

Knows nothing of how either is shown.
"""

from collections.abc import Callable, Sequence
from typing import Any

from agent.errors import WordsError
from agent.plan import load_empathy
from agent.reading.explain import Explanation
from agent.rulebook import load_guard
from graph import Turn
from graph.responding import looks_up
from ui.wording import UiWords, fill, load_ui_words, said_in

__all__ = ["carried", "details", "facets", "marked", "route", "scored", "sentences", "sources"]


def sentences(turn: Turn, language: str = "en") -> list[str]:
    """What was heard, how it was weighed, what was looked up, which way the turn took."""
    words = load_ui_words(language)
    why = words.why
    reading = turn.reading
    told = []
    if reading["degraded"]:
        told.append(why.degraded)
    elif not reading["emotions"]:
        told.append(why.not_read)
    elif reading["sure"]:
        told.append(fill(why.felt, feeling=_feeling(reading["emotions"][0]["label"], words)))
        told += [fill(why.carried, words=words) for words in carried(turn)[:1]]
    else:
        told.append(why.unsure)
    told += [said_in(language, reason) for reason in turn.reasons]
    if turn.sources:
        told.append(fill(why.looked_up if turn.plan["offer"] else why.not_used, count=len(turn.sources)))
    else:
        told.append(why.nothing_found if looks_up(turn.plan) else why.not_looked_up)
    ways = {"crisis": why.crisis, "safety": why.safety, "practice": why.practice}
    told.append(next((ways[step] for step in turn.path if step in ways), why.ordinary))
    if "respond" in turn.path:
        told += [said_in(language, why) for why in _chosen(turn)]
    if turn.replaced:
        told.append(fill(why.replaced, count=len(turn.replaced)))
        rules = dict.fromkeys(one["rule"] for one in turn.replaced)
        known = load_guard().why
        reasons = [said_in(language, known[rule]) for rule in rules if rule in known]
        told.append(fill(why.reasons, reasons=" ".join(reasons)))
        if again := sum(one.get("by") == "model" for one in turn.replaced):
            told.append(fill(why.again, count=again))
    return told


def _feeling(label: str, words: UiWords) -> str:
    return fill(words.why.feeling, name=words.feelings.get(label, label))


def route(turn: Turn, language: str = "en") -> str:
    """The steps this turn took, in plain words and in their order."""
    steps = load_ui_words(language).steps
    named = [steps.get(step, step) for step in turn.path]
    return " → ".join(one for place, one in enumerate(named) if place == 0 or named[place - 1] != one)


def marked(turn: Turn) -> list[tuple[str, bool]]:
    """The person's message in pieces, each with whether it carried the feeling that was heard."""
    spoken, pieces, at = _spoken(turn), [], 0
    for piece in sorted(turn.reading["evidence"], key=lambda one: one["start"]):
        start, end = max(piece["start"], at), piece["end"]
        if start > at:
            pieces.append((spoken[at:start], False))
        if end > start:
            pieces.append((spoken[start:end], True))
        at = max(at, end)
    return [*pieces, (spoken[at:], False)] if spoken[at:] else pieces


def _chosen(turn: Turn) -> list[str]:
    """Why a step was chosen by what human supporters did, where it was."""
    try:
        learned = load_empathy().learned.why.values()
    except WordsError:  # then nothing was chosen so either
        return []
    return [why for why in dict.fromkeys(step["why"] for step in turn.plan["steps"]) if why in learned]


def facets(turn: Turn, explained: Callable[[str], Sequence[Explanation]]) -> list[str]:
    """IMHI's facets of the person's message, a sentence each; none where no feelings were read."""
    spoken = _spoken(turn)
    if not spoken or not turn.reading["emotions"]:
        return []
    return [one["text"] for one in explained(spoken)]


def _spoken(turn: Turn) -> str:
    """What the person said last, "" for nothing."""
    said = [m.text for m in turn.values.get("messages", []) if m.type == "human"]
    return said[-1] if said else ""


def carried(turn: Turn) -> list[str]:
    """The person's own words that the feeling was heard by, heaviest first."""
    spoken = _spoken(turn)
    return [spoken[piece["start"] : piece["end"]] for piece in turn.reading["evidence"]]


def sources(turn: Turn, language: str = "en") -> list[str]:
    """Where the passages come from that had a part in the reply, each place once."""
    named = [fill(load_ui_words(language).why.origin, source=p["source"]) for p in turn.sources]
    return list(dict.fromkeys(named)) if turn.plan["offer"] else []


def scored(turn: Turn, language: str = "en") -> list[str]:
    """One line a passage that was found, of use or not: where it comes from and how near it was."""
    template = load_ui_words(language).why.source
    return [fill(template, source=p["source"], score=f"{p['score']:.2f}") for p in turn.sources]


def details(turn: Turn) -> dict[str, Any]:
    """The whole reading, for the developer depth; of the message it holds what carried a feeling."""
    risk = {
        k: v
        for k, v in turn.values["risk"].items()
        if k in {"level", "peak", "floor", "kinds", "marks", "cues"}
    }
    return {
        "path": turn.path,
        "milliseconds": turn.milliseconds,
        "responder": turn.responder,
        "reading": turn.reading,
        "carried by": carried(turn),
        "risk": risk,
        "plan": turn.plan,
        "replaced": turn.replaced,
        "passages": [{key: p[key] for key in ("id", "topic", "techniques", "score")} for p in turn.sources],
    }
