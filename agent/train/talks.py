"""Conversations of people who support others, from the public formats: ESConv above all.

A conversation becomes its moments: what the person said, what had been done so far, and what the supporter
did next. Knows nothing of vectors or models. Never prints a text.
"""

import json
import random
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from agent.errors import DataError
from agent.supporter import STRATEGIES, Moment, deeds_of
from agent.tables import grouped, known, objects, rows

__all__ = ["Point", "Said", "Talk", "answers", "esconv", "failed", "habits", "listeners", "points"]

# The words of the conversations that went badly for what ESConv names otherwise.
ALIAS = {
    "Questions": "Question",
    "Other": "Others",
    "Direct Guidance": "Providing Suggestions",
    "Approval and Reassurance": "Affirmation and Reassurance",
    "Restatement": "Restatement or Paraphrasing",
}
SPEAKERS = {"usr": True, "sys": False, "speaker": True, "listener": False}
LEAST, MOST = 3, 40  # words of an answer from which something can be learned
QUESTION = 400  # characters of a counselchat question
FIRST = 4  # sentences of its answer
EARLIER = 3  # messages of the person before the last one that a moment holds


class Said(NamedTuple):
    """One utterance. person: of the one who is supported. strategy: "" where none is known."""

    person: bool
    text: str
    strategy: str = ""


@dataclass(frozen=True)
class Talk:
    """One conversation; what the person says in a row is one message."""

    name: str
    said: tuple[Said, ...]


class Point(NamedTuple):
    """A supporter's utterance and the moment before it.

    turn: every strategy of the supporter's words until the person speaks again. opens: it is the first of
    them.
    """

    talk: str
    moment: Moment
    strategy: str
    turn: frozenset[str]
    opens: bool
    text: str


def esconv(path: Path) -> Iterator[Talk]:
    """The conversations of `train.jsonl` or `valid.jsonl`. Raises DataError."""
    for number, line in enumerate(objects(path, "dialog")):
        yield _talk(f"{path.stem} {number}", line["dialog"], path, "text")


def failed(path: Path) -> Iterator[Talk]:
    """The conversations of `failed.json`, which the makers of ESConv left out. Raises DataError."""
    try:
        found = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"{path} cannot be read as JSON; download the file again.") from error
    for number, line in enumerate(found):
        turns = [{**turn, **turn.get("annotation", {})} for turn in line["dialog"]]
        yield _talk(f"{path.stem} {number}", turns, path, "content")


def _talk(name: str, turns: Iterable[dict[str, Any]], path: Path, text: str) -> Talk:
    said: list[Said] = []
    for turn in turns:
        person = SPEAKERS[known(turn["speaker"], tuple(SPEAKERS), path)]
        strategy = "" if person else ALIAS.get(turn.get("strategy", ""), turn.get("strategy", ""))
        words = turn[text].strip()
        if person and said and said[-1].person:
            words = f"{said.pop().text} {words}"
        said.append(Said(person, words, strategy if strategy in STRATEGIES else ""))
    return Talk(name, tuple(said))


def points(talk: Talk) -> Iterator[Point]:
    """Every utterance of the supporter's with a strategy, in order."""
    messages: list[str] = []
    replies: list[list[Said]] = []
    now: list[Said] = []
    for place, one in enumerate(talk.said):
        if one.person:
            messages.append(one.text)
            replies += [now] if now else []
            now = []
            continue
        if one.strategy:
            moment = Moment(
                said=tuple(messages[-EARLIER - 1 :]),
                turns=len(messages),
                deeds=tuple(deeds_of(each.strategy for each in reply) for reply in replies[:-3:-1]),
                now=tuple(each.strategy for each in now),
            )
            yield Point(talk.name, moment, one.strategy, _turn(talk, place), not now, one.text)
        now.append(one)


def _turn(talk: Talk, place: int) -> frozenset[str]:
    """The strategies of the whole reply in which the utterance at `place` stands."""
    start, end = place, place
    while start and not talk.said[start - 1].person:
        start -= 1
    while end < len(talk.said) and not talk.said[end].person:
        end += 1
    return frozenset(one.strategy for one in talk.said[start:end] if one.strategy)


def answers(found: Iterable[Point]) -> Iterator[Point]:
    """Those that answer a message of the person's with some words of their own."""
    return (one for one in found if one.moment.said and LEAST <= len(one.text.split()) <= MOST)


def listeners(data: Path, dialogues: int, sentences: int, seed: int) -> Iterator[Point]:
    """So many answers of EmpatheticDialogues' listeners and sentences of counselchat's, drawn by `seed`."""
    draw = random.Random(seed)  # noqa: S311 - a sample, no secret
    for found, count in ((_dialogues(data), dialogues), (_counsellors(data), sentences)):
        every = list(answers(found))
        yield from draw.sample(every, min(count, len(every)))


def _dialogues(data: Path) -> Iterator[Point]:
    columns = ("conv_id", "role", "utterance")
    for turns in grouped(rows(data / "empathetic_dialogues/train.csv", *columns), "conv_id"):
        said: list[str] = []
        for turn in turns:
            text = turn["utterance"].replace("_comma_", ",").strip()
            if turn["role"] == "speaker":
                said.append(text)
            else:
                moment = Moment(tuple(said[-EARLIER - 1 :]), len(said))
                yield Point(turn["conv_id"], moment, "", frozenset(), True, text)


def _counsellors(data: Path) -> Iterator[Point]:
    """The first sentences of an answer, which meet the question before they advise."""
    columns = ("questionID", "questionTitle", "questionText", "answerText", "split")
    for row in rows(data / "counselchat/20200325_counsel_chat.csv", *columns):
        if row["split"] != "train":
            continue
        question = f"{row['questionTitle']} {row['questionText']}".strip()[:QUESTION]
        plain = re.sub(r"<[^>]+>|\s+", " ", row["answerText"]).strip()
        for sentence in re.split(r"(?<=[.?!])\s+", plain)[:FIRST]:
            yield Point(row["questionID"], Moment((question,), 1), "", frozenset(), True, sentence)


def habits(path: Path) -> dict[str, dict[str, int]]:
    """AnnoMI: quality of the conversation -> how often a counsellor reflects, asks, tells."""
    counts: dict[str, Counter[str]] = {}
    columns = ("mi_quality", "interlocutor", "main_therapist_behaviour")
    for row in rows(path, *columns):
        if row["interlocutor"] == "therapist":
            counts.setdefault(row["mi_quality"], Counter())[row["main_therapist_behaviour"]] += 1
    return {quality: dict(found) for quality, found in counts.items()}
