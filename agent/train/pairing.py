"""How pairs of replies come about: what the guard stops beside the same mended, a failed conversation's reply
beside the guided one, and a reply that somebody did not find helpful beside another.

Knows nothing of models and of how a moment comes about, which are injected; prints no text.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from agent.brief import Brief
from agent.errors import DataError
from agent.guard import Bounds, fold, split
from agent.llm.chat import LEAK
from agent.prompt import Message
from agent.responders import guided
from agent.train.dialogue_rows import Malformed
from agent.train.dialogue_sources import Example
from agent.train.preferences import Gathered, Preference
from agent.train.sets import hashed
from agent.words import tongue

__all__ = ["Ask", "Candidate", "Moment", "Say", "candidates", "failed", "from_use", "gather", "mended"]

SLACK = 1.2  # times the plan's words, as in a turn
SALT = "dialogues"  # a conversation lies on the same side as in `data prepare`
LEAST = 3  # words of a reply, or of a message, that there is something to tell apart in
FAILED = "a failed conversation"


class Moment(NamedTuple):
    """The brief of a turn, and what the guided responder says to it. lines: contacts that may be given."""

    brief: Brief
    guided: tuple[str, ...]
    lines: frozenset[str] = frozenset()


class Candidate(NamedTuple):
    """A conversation that ends with the person's message, and replies to it as they were written."""

    before: Sequence[Message]
    replies: tuple[str, ...]
    source: str
    group: str
    held: bool
    why: str = ""


Ask = Callable[[Sequence[Message]], Moment | None]
"""The moment in which a conversation stands; None where the crisis branch answers."""
Say = Callable[[Brief], Iterable[str]]
"""Replies that a model gives to a moment, each whole."""


def candidates(found: Iterable[Example]) -> Iterator[Candidate]:
    """The replies of prepared or raw examples; answers to tasks are read by nobody, and left alone."""
    for one in found:
        if one["kind"] == "reply":
            *before, last = one["messages"]
            held = bool(one.get("held"))
            yield Candidate(before, (last["content"],), one["source"], one["group"], held)


def failed(path: Path, bad: list[Malformed]) -> Iterator[Candidate]:
    """ESConv's failed conversations: every answer of the supporter, but those that the person rated well."""
    try:
        talks = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON; download the file again.") from error
    if not isinstance(talks, list):
        raise DataError(f"{path} is no list of conversations; give ESConv's failed.json.")
    for number, talk in enumerate(talks, 1):
        try:
            turns, liked = _turns(talk["dialog"])
        except (KeyError, TypeError, AttributeError):
            bad.append(Malformed(str(path), number, "no list of turns in 'dialog'"))
            continue
        for at, one in enumerate(turns):
            if at and one["role"] == "assistant" and at not in liked:
                group = f"failed {path.stem} {number}"
                yield Candidate(turns[:at], (one["content"],), "esconv, failed", group, False, FAILED)


def _turns(dialog: Iterable[Any]) -> tuple[list[Message], set[int]]:
    """The sides joined where one spoke twice, from the person's first message on; places of replies they
    gave four or five stars."""
    turns: list[Message] = []
    liked: set[int] = set()
    for one in dialog:
        text, person = str(one["content"]).strip(), one["speaker"] in {"speaker", "seeker", "usr"}
        if person and str(one.get("annotation", {}).get("feedback", "")) in {"4", "5"}:
            liked.add(len(turns) - 1 if turns and turns[-1]["role"] == "assistant" else len(turns) - 2)
        if not text or not (turns or person):
            continue
        role: Literal["user", "assistant"] = "user" if person else "assistant"
        if turns and turns[-1]["role"] == role:
            turns[-1]["content"] += "\n" + text
        else:
            turns.append(Message(role=role, content=text))
    return turns, liked


def gather(  # noqa: PLR0913 - what a run is told
    found: Iterable[Candidate],
    ask: Ask,
    malformed: list[Malformed],
    *,
    say: Say | None = None,
    more: Iterable[Preference] = (),
    share: float = 0.1,
    limit: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Gathered:
    """A pair for each reply that falls short. say: judge what a model replies in the place of what is there.

    more: pairs that are ready. share: of the groups that go to validation. limit: pairs of each source.
    Raises DataError when either part would be empty.
    """
    out = Gathered(malformed=malformed)
    taken: Counter[str] = Counter()
    for one in found:
        if limit is not None and taken[one.source] >= limit:
            continue
        out.read += 1
        if progress:
            progress(out.read)
        for pair in _pairs(one, ask, say, out):
            taken[one.source] += 1
            _put(pair, out, share, held=one.held)
    for pair in more:
        _put(pair, out, share, held=False)
    for part, pairs in (("training", out.train), ("validation", out.valid)):
        if not pairs:
            raise DataError(
                f"No pair is left for {part} of {out.read} moments read; give more data, sample more "
                "replies of a model, or change the share for validation."
            )
    return out


def _put(pair: Preference, out: Gathered, share: float, *, held: bool) -> None:
    out.rules.update(pair["why"])
    held = held or hashed(pair["group"], SALT) % 10_000 < share * 10_000
    (out.valid if held else out.train).append(pair)


def from_use(one: Candidate, ask: Ask) -> list[Preference]:
    """A reply that somebody did not find helpful, beside another; for a person to read first."""
    return [{**pair, "reviewed_by": None} for pair in _pairs(one, ask, None, Gathered())]


def _pairs(one: Candidate, ask: Ask, say: Say | None, out: Gathered) -> Iterator[Preference]:
    if not one.before or len(one.before[-1]["content"].split()) < LEAST:
        out.left["nothing was said before it"] += 1
        return
    moment = ask(one.before)
    if moment is None:
        out.left["the crisis branch answers this"] += 1
        return
    seen: set[str] = set()
    for reply in one.replies if say is None else say(moment.brief):
        chosen, why = mended(moment, reply, blamed=one.why if say is None else "")
        reply = reply.replace(LEAK, "")  # noqa: PLW2901 - the mark is for the guard alone
        if len(reply.split()) < LEAST or reply in seen or not why or chosen == reply:
            out.left["said before" if reply in seen else "nothing to mend"] += 1
            continue
        seen.add(reply)
        yield Preference(
            brief=moment.brief, chosen=chosen, rejected=reply, why=why, source=one.source, group=one.group
        )


def mended(moment: Moment, reply: str, *, blamed: str = "") -> tuple[str, list[str]]:
    """A reply as it would leave a turn, and the rules it broke; the guided one where little would be left.

    blamed: what else speaks against the whole reply; then the guided one is preferred to it.
    """
    brief, mends = moment.brief, list[str]()

    def repair(position: int, rule: str) -> str | None:
        if mends or rule in {"repeat", "length", "empty", "questions"}:
            return None
        mends.append(rule)
        return guided.sentence_for(brief, position)

    heard = [text for role, text in brief["history"] if role == "user"]
    bounds = Bounds(
        allowed=moment.lines,
        said=tuple(brief["said"]),
        heard=" ".join(heard[-3:]),
        words=int(brief["plan"]["words"] * SLACK),
        language=tongue(brief["reading"]["language"]),
    )
    judged = fold(split(reply), bounds, repair)
    why = list(dict.fromkeys(broken["rule"] for broken in judged.replaced))
    if blamed:
        better = " ".join(moment.guided)
        if better == reply:  # it was the guided responder's own: what it would say in other words
            other = guided.respond({**brief, "seed": brief["seed"] + 1})
            better = " ".join(fold(other, bounds).sentences)
        return better, [blamed, *why]
    if len(judged.sentences) <= len(mends):  # what is left is ours alone
        return " ".join(moment.guided), why
    return " ".join(judged.sentences), why
