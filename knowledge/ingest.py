"""Other people's questions and answers, read, cleaned, tagged and added to a library.

counselchat from a file or the Hugging Face hub, its Amod form (Context and Response, CSV or JSON
lines), or a folder of text files. A source is checked whole before anything is embedded. It may be
stopped at any moment: what was added stays, and the next run goes on with the rest. It knows nothing
of the index, and never logs a text.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from knowledge.clean import clean_answer, clean_question, clean_rules, normalised, sentences
from knowledge.entries import found_by
from knowledge.errors import IngestError
from knowledge.library import Ahead, Embed, Entry, Library, Progress
from knowledge.sources import Asked, fetched, read_rows, read_sections
from knowledge.tables import techniques, topics

__all__ = ["Report", "fit_entries", "ingest_counselchat", "ingest_folder", "tagger"]

CHUNK = 16  # answers tagged and added together

Tag = Callable[[str], tuple[str, ...]]


@dataclass(frozen=True)
class Report:
    """What an ingestion did with the rows it read. dropped: reason -> rows. tagged: technique -> entries."""

    read: int
    added: int
    there: int
    dropped: Counter[str]
    tagged: Counter[str]


def ingest_counselchat(
    source: Path | Literal["hub"],
    library: Library,
    *,
    ahead: Ahead | None = None,
    progress: Progress | None = None,
) -> Report:
    """Add the answers of counselchat, in its own form or Amod's, that are fit to show.

    source: a .csv, .json or .jsonl file, or "hub" to fetch nbertagnolli/counsel-chat first.
    ahead: see Library. progress: called with rows done and all. Raises IngestError, naming file, column
    and fix, before anything is embedded.
    """
    path = fetched() if source == "hub" else Path(source)
    return _ingest(read_rows(path), library, "counselchat", ahead=ahead, progress=progress)


def ingest_folder(
    folder: Path, library: Library, *, ahead: Ahead | None = None, progress: Progress | None = None
) -> Report:
    """Add the .md and .txt files of a folder, one passage a section.

    A section is a heading (or the file's name) with the text under it, cut by paragraph where it is
    longer than an answer may be. Raises IngestError when there are no such files.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise IngestError(f"There is no folder {folder}; give one with .md or .txt files.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".md", ".txt"})
    if not files:
        raise IngestError(f"The folder {folder} has no .md or .txt file; add some, or give another folder.")
    sections = {path: list(read_sections(path, clean_rules().most_words)) for path in files}
    reports = [
        _ingest(rows, library, "folder", path.name, ahead=ahead, progress=progress)
        for path, rows in sections.items()
    ]
    return Report(
        read=sum(report.read for report in reports),
        added=sum(report.added for report in reports),
        there=sum(report.there for report in reports),
        dropped=sum((report.dropped for report in reports), Counter[str]()),
        tagged=sum((report.tagged for report in reports), Counter[str]()),
    )


def fit_entries(rows: Iterable[Asked], kind: str) -> list[Entry]:
    """What is kept of the rows, without techniques."""
    return list(_fit(rows, kind, "", Counter()))


def tagger(embed: Embed) -> Tag:
    """A function from an answer to the techniques it suggests, likeliest first; see techniques.yaml."""
    table = techniques()
    known = {name: embed(technique.about) for name, technique in table.techniques.items()}
    cues = {name: re.compile(technique.cue, re.IGNORECASE) for name, technique in table.techniques.items()}

    def tag(answer: str) -> tuple[str, ...]:
        said = sentences(answer)
        vectors = embed(said)
        best = {
            name: max((float((known[name] @ vectors[i]).max()) for i in _where(cue, said)), default=0.0)
            for name, cue in cues.items()
        }
        ranked = sorted(
            (name for name in best if best[name] >= table.threshold), key=lambda name: -best[name]
        )
        return tuple(ranked[: table.most])

    return tag


def _where(cue: re.Pattern[str], said: Sequence[str]) -> list[int]:
    return [i for i, sentence in enumerate(said) if cue.search(sentence)]


def _ingest(  # noqa: PLR0913 - what is added, to what
    rows: Sequence[Asked],
    library: Library,
    kind: str,
    name: str = "",
    *,
    ahead: Ahead | None,
    progress: Progress | None,
) -> Report:
    dropped: Counter[str] = Counter()
    entries = list(_fit(rows, kind, name, dropped))
    there = library.has([entry.id for entry in entries])
    fresh = [entry for entry in entries if entry.id not in there]
    if ahead and fresh:
        library = library.knowing(
            ahead([text for one in fresh for text in (*found_by(one), *sentences(one.text))])
        )
    tag = tagger(library.embed) if fresh else None
    tagged: Counter[str] = Counter()
    done = len(rows) - len(fresh)
    if progress:
        progress(done, len(rows))
    for start in range(0, len(fresh), CHUNK):
        chunk = [replace(entry, techniques=tag(entry.text)) for entry in fresh[start : start + CHUNK] if tag]
        library.add(chunk)
        tagged.update(technique for entry in chunk for technique in entry.techniques or ("none",))
        done += len(chunk)
        if progress:
            progress(done, len(rows))
    return Report(len(rows), len(fresh), len(there), dropped, tagged)


def _fit(rows: Iterable[Asked], kind: str, name: str, dropped: Counter[str]) -> Iterator[Entry]:
    """The rows that survive cleaning, each answer once; counts the others by reason."""
    said: set[str] = set()
    for row in rows:
        question = clean_question(row.title, row.body)
        answer = clean_answer(row.answer, row.author) if question.text else question
        reason = question.reason or (answer.reason and f"answer: {answer.reason}")
        words = normalised(answer.text)
        if not reason and words in said:
            reason = "answer: said before"
        if reason:
            dropped[reason] += 1
            continue
        said.add(words)
        topic = row.topic if row.topic in topics() else "general"
        yield Entry(question.text, answer.text, topic, kind=kind, name=name)
