"""What fills the $names of an authored sentence: the person's own words, said back or come back to.

The newest message gives what is mirrored, the whole talk what is recalled. It knows no sentence of ours and
judges no risk; where nothing can be said back well, a name stays unfilled and its sentences go unsaid.
"""

from collections.abc import Sequence

from agent.brief import Brief
from agent.notes import noted, own_line, untold
from agent.responders.mirror import fragment, mirror, short_answer, told, topic_phrase
from agent.responders.mirror_spanish import slots as spanish_slots
from agent.responders.named_things import piece
from agent.responders.replies import load_replies
from agent.themes import holds_any, load_themes, own_word, padded, pronouns, tells, theme_of
from agent.words import tongue

__all__ = ["slots"]

_SHORT = (4, 11)  # words of something that is come back to
_LONG = 70  # words of a message from which several of its clauses are said back
_BARE = 2  # words of a thing that can only be named
_BRIEF = 12  # words of a message of which two may be most
_AGO = 4  # the newest messages, which are still being talked of
_APART = 3  # replies between two that come back to something told before


def _carried(brief: Brief) -> str:
    """The words of this message by which its feeling was heard."""
    pieces = brief["reading"]["evidence"][:1]
    return " ".join(brief["text"][piece["start"] : piece["end"]] for piece in pieces)


def _recalled(brief: Brief, earlier: Sequence[str]) -> str | None:
    """A fact the person told some messages ago, to come back to: not lately, and each of them once."""
    banks, replies = load_replies().banks, [text for role, text in brief["history"] if role == "assistant"]
    frames = [text.partition("$")[0] for text in banks["listening"]["recall"]]
    if any(frame in text for text in replies[-_APART:] for frame in frames):
        return None
    spoken = " ".join(replies).casefold()
    past = (clause for text in earlier if (clause := mirror(text)) and not clause.startswith("maybe "))
    plain = (one for one in past if _SHORT[0] <= len(one.split()) <= _SHORT[1])
    other = (*load_replies().views, *load_replies().passing)
    heavy = load_themes().heavy  # what is come back to is something that weighs
    fit = (one for one in plain if holds_any(padded(one), heavy) and not holds_any(padded(one), other))
    fresh = (one for one in fit if spoken.count(one.casefold()) < 2)
    return next(fresh, None)


def slots(brief: Brief) -> dict[str, str]:
    """What fills the $names of a sentence; $Clause is $clause with a capital, and so on."""
    if tongue(brief["reading"]["language"]) == "es":
        return spanish_slots(brief)
    earlier = [text for role, text in brief["history"] if role == "user"]
    theme = theme_of(brief["history"])  # what it was mostly about comes before what was mentioned last
    # Of nothing in particular, no sum is made.
    summed = brief["plan"]["move"] != "goodbye" or theme != "general"
    newest = sorted(range(len(earlier)), key=lambda at: (not tells(earlier[at], theme), -at))
    topics = (topic_phrase(earlier[at]) for at in newest)
    asked = any(role == "assistant" and text.endswith("?") for role, text in brief["history"][-2:])
    named = None if brief["plan"]["careful"] else piece(brief["text"])
    found: dict[str, str | None] = {
        "clause": mirror(brief["text"], brief["said"], _carried(brief)),
        "short": short_answer(brief["text"]) if asked or " " in brief["text"].strip() else None,
        "fragment": None if brief["plan"]["careful"] else fragment(brief["text"]),
        "thing": topic_phrase(brief["text"]),
        "piece": named if named and len(named.split()) > _BARE else None,
        "bit": named if len(brief["text"].split()) <= _BRIEF else None,
        "topic": next((topic for topic in topics if topic), None) if summed else None,
        "earlier": _recalled(brief, earlier[:-_AGO]),
        "word": own_word(brief["text"]),
        "name": brief["person"].get("name"),
    }
    if len(brief["text"].split()) > _LONG and brief["plan"]["move"] == "support":
        found |= zip(("one", "two", "third"), told(brief["text"], 3), strict=False)
    if brief["plan"]["move"] in {"repeat_back", "complaint"}:
        notes = noted(brief["history"])
        back = brief["plan"]["move"] == "repeat_back"
        quoted = {*notes["helped"], *notes["chosen"], *untold(brief["history"])} if back else set()
        rest = [text for text in earlier[:-1] if text not in quoted]
        past = list(dict.fromkeys(clause for text in rest if (clause := mirror(text))))
        found |= zip(("first", "second"), past[:2], strict=False)
        found["latest"] = (
            past[-1] if len(past) > 2 or (past and brief["plan"]["move"] == "complaint") else None
        )
        if back:
            found["practised"] = next(reversed(notes["practised"]), None)
            found |= {"helped": own_line(notes["helped"]), "chosen": own_line(notes["chosen"])}
    found |= zip(("them", "their"), pronouns(brief["history"]), strict=True)
    filled = {name: text for name, text in found.items() if text}
    return filled | {name.capitalize(): text[0].upper() + text[1:] for name, text in filled.items()}
