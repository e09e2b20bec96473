"""Pairs of replies to one moment, of which the first is preferred: what DPO learns from.

Replies that the guard stops, beside the same mended as in a turn; replies of ESConv's failed conversations,
beside the guided one; and, from use, what a named person has reviewed. A moment is the very brief of a
turn, so that a pair is learned behind the prompt that the app asks with. Knows nothing of models and of how
a moment comes about; prints no text.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, NotRequired, TypedDict

from agent.brief import Brief
from agent.errors import DataError
from agent.guard import Bounds, fold, split
from agent.prompt import Message
from agent.responders import guided
from agent.train.dialogue_rows import Malformed
from agent.train.dialogue_sources import Example
from agent.train.sets import hashed
from agent.words import tongue

__all__ = [
    "USE", "Candidate", "Gathered", "Moment", "Preference", "candidates", "failed", "gather", "load",
    "mended", "write",
]  # fmt: skip

SLACK = 1.2  # times the plan's words, as in a turn
SALT = "dialogues"  # a conversation lies on the same side as in `data prepare`
LEAST = 3  # words of a reply, or of a message, that there is something to tell apart in
FAILED = "a failed conversation"
USE = "use"  # the source of what people marked or reported


class Preference(TypedDict):
    """brief: the moment. chosen, rejected: whole replies. why: rules broken, or what else spoke against it.

    reviewed_by: whoever read it, for what comes from use; without a name nothing is learned from it.
    """

    brief: Brief
    chosen: str
    rejected: str
    why: list[str]
    source: str
    group: str
    reviewed_by: NotRequired[str | None]


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


@dataclass
class Gathered:
    """The two parts, and what became of the rest. rules: how often each was broken."""

    train: list[Preference] = field(default_factory=list)
    valid: list[Preference] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)
    rules: Counter[str] = field(default_factory=Counter)
    malformed: list[Malformed] = field(default_factory=list)
    read: int = 0


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
    share: float = 0.1,
    limit: int | None = None,
    progress: Callable[[int], object] | None = None,
) -> Gathered:
    """A pair for each reply that falls short. say: judge what a model replies in the place of what is there.

    share: of the groups that go to validation. limit: pairs of each source. Raises DataError when either
    part would be empty.
    """
    out = Gathered(malformed=malformed)
    taken: Counter[str] = Counter()
    for one in found:
        if limit is not None and taken[one.source] >= limit:
            continue
        out.read += 1
        if progress:
            progress(out.read)
        held = one.held or hashed(one.group, SALT) % 10_000 < share * 10_000
        for pair in _pairs(one, ask, say, out):
            taken[one.source] += 1
            out.rules.update(pair["why"])
            (out.valid if held else out.train).append(pair)
    for part, pairs in (("training", out.train), ("validation", out.valid)):
        if not pairs:
            raise DataError(
                f"No pair is left for {part} of {out.read} moments read; give more data, sample more "
                "replies of a model, or change the share for validation."
            )
    return out


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
        return " ".join(moment.guided), [blamed, *why]
    if len(judged.sentences) <= len(mends):  # what is left is ours alone
        return " ".join(moment.guided), why
    return " ".join(judged.sentences), why


# --- files ---


def write(gathered: Gathered, folder: Path) -> dict[str, Any]:
    """train.jsonl, valid.jsonl and report.json in `folder`; the report."""
    told: dict[str, Any] = {}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for part, pairs in (("train", gathered.train), ("valid", gathered.valid)):
            text = "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in pairs)
            (folder / f"{part}.jsonl").write_text(text, "utf-8")
            told[part] = {
                "pairs": len(pairs),
                "groups": len({one["group"] for one in pairs}),
                "sources": dict(Counter(one["source"] for one in pairs)),
                "sha256": hashlib.sha256(text.encode()).hexdigest(),
            }
        told |= {
            "read": gathered.read,
            "left out": dict(gathered.left.most_common()),
            "why": dict(gathered.rules.most_common()),
            "malformed": [one._asdict() for one in gathered.malformed],
        }
        (folder / "report.json").write_text(json.dumps(told, indent=2) + "\n", "utf-8")
    except OSError as error:
        raise DataError(f"{folder} cannot be written: {error.strerror}; choose another folder.") from error
    return told


def load(folder: Path) -> dict[str, list[Preference]]:
    """The parts that `write` wrote. DataError when one is missing or empty, or was reviewed by nobody."""
    parts: dict[str, list[Preference]] = {}
    for part in ("train", "valid"):
        path = folder / f"{part}.jsonl"
        if not path.is_file():
            raise DataError(f"{path} is missing; make it with `hearken data preferences … --out {folder}`.")
        try:
            parts[part] = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
            fit = all(one["brief"]["plan"] and one["chosen"] and one["rejected"] for one in parts[part])
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path} was not written by `hearken data preferences`; make it again."
            ) from error
        if not parts[part] or not fit:
            raise DataError(f"{path} holds no pair of replies; give more data.")
        unread = sum(one["source"] == USE and not one.get("reviewed_by") for one in parts[part])
        if unread:
            raise DataError(
                f"{path} holds {unread} pairs from use that nobody has reviewed: read them, write your name "
                "into `reviewed_by` of those that are right, and take the others out."
            )
    return parts
