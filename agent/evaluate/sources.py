"""Where labelled lines come from: a file, or a folder of files, recognised by their columns.

EmpatheticIntents, EmpatheticDialogues (as published, or with `role` and `auto_intent`), EDOS and
ESConv are read here, IMHI and the risk sets in modules of their own. Knows no model. Texts are
held, never printed.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from agent.errors import DataError
from agent.tables import grouped, header, known, objects, rows
from agent.train.labels import EMOTIONS, INTENTS, STRATEGIES

__all__ = ["EMOTION_FORMATS", "INTENT_FORMATS", "Format", "Line", "Source", "even", "found"]

Item = TypeVar("Item")


@dataclass(frozen=True)
class Line:
    """A text with its label. group: what intervals must draw together, "" where the line stands alone."""

    text: str
    label: str
    group: str = ""


@dataclass(frozen=True)
class Source:
    """The lines of one view of one file. head: what judges them. unparsed: rows whose label says nothing."""

    file: Path
    view: str
    head: str
    lines: Sequence[Line]
    unparsed: int = 0


@dataclass(frozen=True)
class Format:
    """A file with these columns (of JSON lines: keys), and how it is read.

    exact: in a folder only a file with just these columns, in this order, is taken for one.
    """

    columns: tuple[str, ...]
    read: Callable[[Path], Iterable[Source]]
    suffix: str = ".csv"
    exact: bool = False


def found(data: Path, formats: Sequence[Format]) -> tuple[list[Source], list[str]]:
    """The sources with lines in the file or folder `data`, and the names of files of no known format."""
    if not data.exists():
        raise DataError(f"{data} is missing; --data names a file or a folder.")
    told = " or ".join(f"{form.suffix} with {', '.join(form.columns)}" for form in formats)
    single = data.is_file()
    files = [data] if single else sorted(p for p in data.rglob("*") if p.suffix in {".csv", ".jsonl"})
    sources: list[Source] = []
    skipped: list[str] = []
    for path in files:
        form = next((form for form in formats if _fits(path, form, single=single)), None)
        if form is None:
            skipped.append(path.name if single else str(path.relative_to(data)))
        else:
            sources += [source for source in form.read(path) if source.lines or source.unparsed]
    if not sources:
        what = "has other columns or no such label" if single else "holds no file of this task"
        raise DataError(f"{data} {what}; needed: {told}.")
    return sources, skipped


def even(lines: Sequence[Item], limit: int | None) -> Sequence[Item]:
    """At most `limit` of them, taken evenly from first to last."""
    count = len(lines)
    if limit is None or limit >= count:
        return lines
    return [lines[i * count // limit] for i in range(limit)]


def _fits(path: Path, form: Format, *, single: bool) -> bool:
    if path.suffix != form.suffix:
        return False
    if form.suffix == ".jsonl":
        return set(form.columns) <= set(next(objects(path)))
    names = header(path)
    return names == form.columns if form.exact and not single else set(form.columns) <= set(names)


# --- emotions and intents ---


def _intents_set(head: str, view: str, labels: Sequence[str]) -> Callable[[Path], Iterator[Source]]:
    """EmpatheticIntents: the lines with one of these labels."""

    def read(path: Path) -> Iterator[Source]:
        told = [(row["text"], row["label"].strip().lower()) for row in rows(path, "label", "text")]
        for _, label in told:
            known(label, EMOTIONS + INTENTS, path, "label")
        yield Source(path, view, head, [Line(text, label) for text, label in told if label in labels])

    return read


def _talks(path: Path) -> Iterator[list[dict[str, str]]]:
    """Conversations of EmpatheticDialogues; speaker and listener take turns where no role is given."""
    for talk in grouped(rows(path, *DIALOGUES), "conv_id"):
        for place, turn in enumerate(talk):
            for name in ("prompt", "utterance"):
                turn[name] = turn[name].replace("_comma_", ",")
            turn["role"] = turn.get("role") or ("listener" if place % 2 else "speaker")
            known(turn["context"], EMOTIONS, path, "context")
        yield talk


def _feelings(path: Path) -> Iterator[Source]:
    views: Mapping[str, list[Line]] = {"situations": [], "first turns": [], "conversations": []}
    for talk in _talks(path):
        label, situation = talk[0]["context"], talk[0]["prompt"]
        spoken = [turn["utterance"] for turn in talk if turn["role"] == "speaker"]
        texts = (situation, *spoken[:1], " ".join(spoken)) if spoken else (situation,)
        for lines, text in zip(views.values(), texts, strict=False):
            lines.append(Line(text, label, situation))
    for view, lines in views.items():
        yield Source(path, view, "expressed", lines)


def _answers(path: Path) -> Iterator[Source]:
    """What a listener's turn does, given all that the speaker said before it."""
    lines = []
    for talk in _talks(path):
        said: list[str] = []
        for turn in talk:
            if turn["role"] == "speaker":
                said.append(turn["utterance"])
            elif said and turn["auto_intent"] in INTENTS:
                lines.append(Line(" ".join(said), turn["auto_intent"], turn["prompt"]))
    yield Source(path, "answers", "next_intent", lines)


def _films(path: Path) -> Iterator[tuple[list[str], str, str]]:
    """EDOS: the lines before, the last line, and its label where two of three workers agreed."""
    for row in rows(path, *FILMS):
        label = row[FILMS[1]].strip().lower()
        if label == "-" or label.endswith("(other)"):
            continue
        *before, last = row["Dialog"].strip().split("\n")
        yield before, last, known(label, EMOTIONS + INTENTS, path, FILMS[1])


def _film_feelings(path: Path) -> Iterator[Source]:
    lines = [Line(last, label) for _, last, label in _films(path) if label in EMOTIONS]
    yield Source(path, "films", "expressed", lines)


def _film_intents(path: Path) -> Iterator[Source]:
    told = [(before, last, label) for before, last, label in _films(path) if label in INTENTS]
    yield Source(path, "films", "expressed", [Line(last, label) for _, last, label in told])
    # The model was shown the last two lines before an answer.
    answers = [Line(" ".join(before[-2:]), label) for before, _, label in told if before]
    yield Source(path, "film answers", "next_intent", answers)


def _support(path: Path) -> Iterator[Source]:
    """ESConv: what the seeker said since the supporter last spoke -> the supporter's strategy."""
    lines = []
    for number, talk in enumerate(objects(path, "dialog")):
        said: list[str] = []
        for turn in talk["dialog"]:
            if turn["speaker"] in {"usr", "seeker"}:
                said.append(str(turn.get("text", turn.get("content", ""))).strip())
                continue
            told = turn.get("strategy") or turn.get("annotation", {}).get("strategy", "")
            if told and said and known(told, (*STRATEGIES, SELF), path, "strategy") != SELF:
                lines.append(Line(" ".join(said), STRATEGIES[told], str(number)))
            said = []
    yield Source(path, "support talks", "next_intent", lines)


SELF = "Self-disclosure"  # has no counterpart among the nine intents
DIALOGUES = ("conv_id", "context", "prompt", "utterance")
FILMS = ("Dialog", "Agreed emotion (2/3 vote)")
SITUATIONS = ("label", "text")
EMOTION_FORMATS = (
    Format(DIALOGUES, _feelings),
    Format(FILMS, _film_feelings),
    Format(SITUATIONS, _intents_set("expressed", "situations", EMOTIONS), exact=True),
)
INTENT_FORMATS = (
    Format((*DIALOGUES, "auto_intent"), _answers),
    Format(FILMS, _film_intents),
    Format(SITUATIONS, _intents_set("expressed", "listener turns", INTENTS), exact=True),
    Format(("dialog",), _support, ".jsonl"),
)
