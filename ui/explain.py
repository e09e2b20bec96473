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
from graph.nodes import looks_up
from ui.wording import fill, load_ui_words

__all__ = ["carried", "details", "facets", "sentences", "sources"]


def sentences(turn: Turn) -> list[str]:
    """What was heard, how it was weighed, what was looked up, which way the turn took."""
    why = load_ui_words().why
    reading = turn.reading
    told = []
    if reading["degraded"]:
        told.append(why.degraded)
    elif not reading["emotions"]:
        told.append(why.not_read)
    elif reading["sure"]:
        told.append(fill(why.felt, feeling=f"feeling {reading['emotions'][0]['label']}"))
        told += [fill(why.carried, words=words) for words in carried(turn)[:1]]
    else:
        told.append(why.unsure)
    told += turn.reasons
    if turn.sources:
        told.append(fill(why.looked_up if turn.plan["offer"] else why.not_used, count=len(turn.sources)))
    else:
        told.append(why.nothing_found if looks_up(turn.plan) else why.not_looked_up)
    ways = {"crisis": why.crisis, "safety": why.safety, "practice": why.practice}
    told.append(next((ways[step] for step in turn.path if step in ways), why.ordinary))
    if "respond" in turn.path:
        told += _chosen(turn)
    if turn.replaced:
        told.append(fill(why.replaced, count=len(turn.replaced)))
        rules = dict.fromkeys(one["rule"] for one in turn.replaced)
        known = load_guard().why
        told.append(fill(why.reasons, reasons=" ".join(known[rule] for rule in rules if rule in known)))
        if again := sum(one.get("by") == "model" for one in turn.replaced):
            told.append(fill(why.again, count=again))
    return told


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


def sources(turn: Turn) -> list[str]:
    """One line a passage: where it comes from and how near it was."""
    template = load_ui_words().why.source
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
