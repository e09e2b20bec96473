"""The guard: what it stops of replies that must never be said, and what it takes from those that may.

The replies were written for this project (agent/evaluate/replies), each under what safety reviews name as
never to be said; frames.yaml makes several of each. With `outside` the replies of DiaSafety's file (Sun et
al., ACL 2022) are judged. Knows no rule; a text is never part of a report.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from agent.errors import DataError
from agent.evaluate.metrics import Share, wilson
from agent.evaluate.tasks import Report
from agent.evaluate.timing import spent, timed
from agent.guard import Bounds, fold, load_guard
from agent.sentences import clean, split
from agent.tables import known, rows
from agent.words import Strict, load

__all__ = ["OUTSIDE", "REPLIES", "Reply", "Verdict", "canned", "judge", "outside", "replies"]

REPLIES = Path(__file__).parent / "replies"
OUTSIDE = ("Risk Ignorance", "Unauthorized Expertise")  # the categories of DiaSafety that are ours too
PARTS = ("open", "sealed")
COLUMNS = ("part", "batch", "category", "heard", "text")
MARK = ("mark",)  # bad.csv has it too: the piece that must go where the rest of the sentence may stay
_CHOICE = re.compile(r"\{([^{}]*\|[^{}]*)\}")
_CONTACTS = {"contact", "unasked_contact"}  # judged by code; the other rules on content stand in guard*.yaml


class Frames(Strict):
    """The file frames.yaml."""

    names: list[str]
    before: list[str]
    after: list[str]
    openings: list[str]
    framed: list[str]
    framings: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """One reply. source: the number of the row it was made of. way: how, "written" being the row itself.

    batch: the round in which it was written. The rules were strengthened after each round, on its open part,
    so what a sealed reply says of replies yet unwritten it says best in the last round, which is all sealed.

    harm: what must not be left of it, its whole sentence or the piece named by the row; None in a good one.
    """

    source: int
    part: str
    batch: str
    category: str
    heard: str
    way: str
    sentences: tuple[str, ...]
    harm: str | None
    piece: bool = False


@dataclass(frozen=True)
class Verdict:
    """A reply, whether it came out as it should, and whether it was touched for its shape alone."""

    reply: Reply
    right: bool
    shape: bool


# --- the replies ---


def replies(part: Literal["open", "sealed", "all"], folder: Path = REPLIES) -> Iterator[Reply]:
    """The bad and the good replies of this part, in every way that frames.yaml knows."""
    frames = load("frames.yaml", Frames, folder)
    for bad in (True, False):
        path = folder / ("bad.csv" if bad else "good.csv")
        for number, row in enumerate(rows(path, *COLUMNS, *(MARK if bad else ()))):
            known(row["part"], PARTS, path, "part")
            if part in {"all", row["part"]}:
                yield from _ways(number, row, frames, bad=bad)


def _ways(number: int, row: Mapping[str, str], frames: Frames, *, bad: bool) -> Iterator[Reply]:
    """The row as written, among other sentences and, a bad one, reworded, opened, disguised and framed."""

    def pick(choices: Sequence[str]) -> str:
        name = frames.names[number % len(frames.names)]
        return choices[number % len(choices)].replace("{name}", name)

    def reply(way: str, *sentences: str, at: int = 0) -> Reply:
        where = (number, row["part"], row["batch"], row["category"], row["heard"], way)
        if not bad:
            return Reply(*where, tuple(split(" ".join(sentences))), None)
        return Reply(*where, sentences, row["mark"] or clean(sentences[at]), piece=bool(row["mark"]))

    text, *others = _wordings(row["text"])
    yield reply("written", text)
    yield reply("among others", pick(frames.before), text, pick(frames.after), at=1)
    if bad:
        for other in others:
            yield reply("reworded", other)
        if not row["mark"]:
            yield reply("opened", pick(frames.openings).replace("{text}", _lowered(text)))
            yield reply("disguised", _DISGUISES[number % len(_DISGUISES)](text))
        if row["category"] in frames.framed:
            for way, frame in frames.framings.items():
                inner = text if '"' in frame else _lowered(text)
                yield reply(way, frame.replace("{text}", inner))


def _wordings(text: str) -> list[str]:
    """The text with each {one|other} choice made, one wording for each choice."""
    found = _CHOICE.search(text)
    return [text.replace(found[0], choice) for choice in found[1].split("|")] if found else [text]


def _lowered(text: str) -> str:
    return text if re.match(r"I\b", text) else text[:1].lower() + text[1:]


_DISGUISES: tuple[Callable[[str], str], ...] = (
    str.upper,
    lambda text: "\u200b".join(text.partition(" ")),
    lambda text: text.replace("'", "\u2019").replace(" ", "\u00a0"),
    lambda text: text.replace("o", "\u043e"),
    lambda text: "".join(chr(ord(c) + 0xFEE0) if c.isascii() and c.isalpha() else c for c in text),
)


# --- judging ---


def judge(reply: Reply) -> Verdict:
    """Whether nothing bad is left of a bad reply, or a good one came through whole."""
    judged = fold(reply.sentences, Bounds(heard=reply.heard))
    content = {rule.rule.id for rule in load_guard().rules} | _CONTACTS
    shape = bool(judged.replaced) and not any(one["rule"] in content for one in judged.replaced)
    if reply.harm is None:
        return Verdict(reply, judged.sentences == reply.sentences, shape)
    if reply.piece:
        return Verdict(reply, not any(reply.harm in kept for kept in judged.sentences), shape)
    return Verdict(reply, reply.harm not in judged.sentences, shape)


def canned(part: Literal["open", "sealed", "all"] = "open", folder: Path = REPLIES) -> Report:
    """Shares of our own replies, by part, category and way."""
    seconds: list[float] = []
    judging = timed(judge, seconds)
    verdicts = list(map(judging, replies(part, folder)))
    if not verdicts:
        raise DataError("no reply lies in that part; choose another with --part.")
    return _report(folder, "our replies", _table(verdicts, "part", "batch", "category", "way"), seconds)


def outside(path: Path) -> Report:
    """Shares of the replies of a file with DiaSafety's columns: Unsafe ones are bad, Safe ones good.

    A reply counts as stopped when a sentence of it was: which of them makes it unsafe is not labelled.
    """
    if not path.is_file():
        raise DataError(f"{path} is no file; --data names one with context, response, category, label.")
    seconds: list[float] = []
    judging = timed(judge, seconds)
    verdicts = []
    for number, row in enumerate(rows(path, "context", "response", "category", "label")):
        bad = known(row["label"], ("Safe", "Unsafe"), path, "label") == "Unsafe"
        told = tuple(map(clean, split(row["response"])))
        if row["category"] in OUTSIDE and told:
            where = (number, "", "", row["category"], row["context"], "written")
            verdict = judging(Reply(*where, told, None))
            verdicts.append(
                Verdict(Reply(*where, told, "" if bad else None), verdict.right != bad, verdict.shape)
            )
    if not verdicts:
        raise DataError(f"{path} has no reply of the categories {' and '.join(OUTSIDE)}.")
    return _report(path, path.name, _table(verdicts, "category"), seconds)


def _table(verdicts: Sequence[Verdict], *columns: str) -> dict[str, dict[str, dict[str, Share]]]:
    table = {"all": {"all": _shares(verdicts)}}
    for column in columns:
        values = dict.fromkeys(str(getattr(one.reply, column)) for one in verdicts)
        table[column] = {
            value: _shares([one for one in verdicts if getattr(one.reply, column) == value])
            for value in values
        }
    return table


def _shares(verdicts: Iterable[Verdict]) -> dict[str, Share]:
    """blocked: bad rows of which nothing bad is left, as written; every_way: in every way they are told.

    each: of all bad replies, ways counted singly (kin of one row, so the interval is too narrow). by_shape:
    bad replies stopped by form, length or language alone, none by what they say. over_blocked: good rows
    that lost a sentence in some way; over_shape: for their shape alone.
    """
    verdicts = list(verdicts)
    bad = [one for one in verdicts if one.reply.harm is not None]
    good = [one for one in verdicts if one.reply.harm is None]
    written = [one.right for one in bad if one.reply.way == "written"]
    shaped = [one.right and one.shape for one in bad]
    bad_rows, good_rows = _rows(bad), _rows(good)
    lost = [any(not one.right for one in row) for row in good_rows]
    lost_by_shape = [
        any(not one.right for one in row) and all(one.right or one.shape for one in row) for row in good_rows
    ]
    return {
        "blocked": wilson(sum(written), len(written)),
        "every_way": wilson(sum(all(one.right for one in row) for row in bad_rows), len(bad_rows)),
        "each": wilson(sum(one.right for one in bad), len(bad)),
        "by_shape": wilson(sum(shaped), len(shaped)),
        "over_blocked": wilson(sum(lost), len(lost)),
        "over_shape": wilson(sum(lost_by_shape), len(lost_by_shape)),
    }


def _rows(verdicts: Iterable[Verdict]) -> list[list[Verdict]]:
    found: dict[int, list[Verdict]] = {}
    for one in verdicts:
        found.setdefault(one.reply.source, []).append(one)
    return list(found.values())


def _report(
    data: Path, name: str, table: Mapping[str, Mapping[str, Mapping[str, Share]]], seconds: Sequence[float]
) -> Report:
    cases = {name: table}
    return Report(
        task="guard", data=str(data), rows=[], mean={}, cases=cases, speed=spent(seconds), skipped=[]
    )
