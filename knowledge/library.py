"""Search over questions people asked and the answers to them.

Each entry is a few rows of a Chroma collection, either plain ways to ask the same or its question and
its answer. What is near is put in order by nearness and by the person's own words (`knowledge.ranking`),
or by a reranker in their place. Nothing is found below a floor of similarity: no passage is better than a
weak one. The encoder is injected; the library knows nothing of models, danger,
or what is done with a passage, and never lets Chroma embed anything. No text that is searched for is
kept or logged.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.asking import turn_for
from knowledge.entries import (
    ANSWER,
    Entry,
    Passage,
    entries_of,
    entry_id,
    found_by,
    passage_of,
    row_ids,
    rows_of,
    words,
)
from knowledge.index import Index
from knowledge.opening import open_index
from knowledge.ranking import EASE, distinct, ranked
from knowledge.server import open_server
from knowledge.starter import load_starter
from knowledge.starter.vectors import fast, load_vectors

__all__ = [
    "FLOOR", "Added", "Ahead", "Embed", "Entry", "Library", "Passage", "Progress", "Rerank", "starter_lines",
]  # fmt: skip

Embed = Callable[[Sequence[str]], NDArray[np.float32]]
Progress = Callable[[int, int], None]
Ahead = Callable[[Sequence[str]], Mapping[str, Sequence[float]]]
"""Vectors of texts made beforehand, elsewhere; those it leaves out are made by the library's own `embed`."""
Rerank = Callable[[str, Sequence[str]], Sequence[float]]  # a text and answers -> how well each fits it

# Set with the shipped encoder on everyday messages of distress and texts that are nothing of the kind,
# all made up (tests/knowledge/test_floor.py holds some). Of 130 messages written after the lines of the
# starter library, it finds something for 116, or 121 with counselchat ingested, though for the rarer
# worries often a neighbouring one; of 170 other texts for 2, or 5.
FLOOR = 0.44
WORDS = 3  # "ok", "hi there": too little to look anything up by, and near to everything short
BATCH = 32  # entries embedded and written together; what a Ctrl-C may lose
ROWS = 32  # enough for the answers to several questions; each answer read costs a tenth of a millisecond
ROWS_EACH = 6  # for every passage that is wanted
RERANKED = 20  # answers a reranker reads, each with the text: some milliseconds apiece
MOST_ROWS = 384


@dataclass(frozen=True)
class Added:
    """What `add` did. kept: entries that were there already, or twice in what was given."""

    added: int
    kept: int


class Library:
    """An open library. Make one with `Library.open`."""

    def __init__(self, index: Index, embed: Embed, rerank: Rerank | None = None) -> None:
        self.embed = embed
        self.temporary = index.temporary
        self._index = index
        self._rerank = rerank
        self._turned = turn_for(index.encoder)

    @classmethod
    def open(
        cls, place: Path | str, embed: Embed, encoder_name: str, rerank: Rerank | None = None
    ) -> "Library":
        """Open the library kept in `place`, creating it, and bring the starter entries up to date.

        place: a folder, or the URL of a Chroma server. A folder that cannot be written gives a temporary
        library (`temporary`), a damaged index is moved aside; neither raises. Raises LibraryError when
        the vectors are another encoder's or no server answers, and TableError when a starter file breaks
        its schema.
        """
        library = cls(_index(place, encoder_name), embed, rerank)
        library._refresh_starter()
        return library

    @classmethod
    def rebuild(
        cls,
        place: Path | str,
        embed: Embed,
        encoder_name: str,
        progress: Progress | None = None,
        ahead: Ahead | None = None,
    ) -> "Library":
        """Index every text in `place` again with this encoder; what was ingested is kept.

        progress: called with entries done and all. Interrupted, the old index stays as it was.
        """
        old = _index(place, encoder_name, whatever_encoder=True)
        library = cls(old.renewed(encoder_name), embed)
        entries = entries_of(old.rows())
        known = ahead([text for entry in entries for text in found_by(entry)]) if ahead else {}
        library.knowing(known)._write(entries, progress)
        library._index.take_over(old)
        library._refresh_starter()
        return library

    def knowing(self, known: Mapping[str, Sequence[float]]) -> "Library":
        """The same library, which embeds only texts whose vectors are not known."""
        return Library(self._index, _remembered(self.embed, known), self._rerank) if known else self

    def close(self) -> None:
        """Let go of the files; the library cannot be used afterwards."""
        self._index.close()

    def count(self) -> dict[str, int]:
        """How many entries of each kind (`starter`, `counselchat`, `folder`) there are."""
        return dict(Counter(entry.kind for entry in entries_of(self._index.rows())))

    def search(self, text: str, k: int = 3, floor: float = FLOOR) -> list[Passage]:
        """The k passages nearest in meaning, best first, at most one for each question.

        [] when nothing reaches `floor` (cosine; more for a topic that would startle), or when the
        text has fewer than three words. Their order is `knowledge.ranking`'s or the reranker's.
        Raises LibraryError when the index fails; the turn goes on without passages then.
        """
        if k < 1 or len(words(text)) < WORDS:
            return []
        vector = self._turned(self.embed([text]))
        rows = max(ROWS, ROWS_EACH * k)
        while True:
            near = self._index.nearest(vector, rows)
            if not near or near[0][1] < floor:
                return []
            fit = self._ranked(text, [(id_, score) for id_, score in near if score >= floor - EASE], floor)
            found = distinct(fit, k)
            if len(found) == k or len(near) < rows or near[-1][1] < floor - EASE or rows >= MOST_ROWS:
                return [passage_of(entry, score) for entry, score in found]
            rows = min(rows * 4, MOST_ROWS)

    def add(self, entries: Iterable[Entry], progress: Progress | None = None) -> Added:
        """Embed and keep the entries that are not there yet, a few at a time.

        progress: called with entries done and all. The encoder is called from two threads at once.
        Interrupted, what was written stays, and the next call goes on with the rest. Raises
        LibraryError when the index cannot be written.
        """
        wanted: dict[str, Entry] = {}
        given = 0
        for entry in entries:
            wanted[entry.id] = entry
            given += 1
        there = self._index.has([f"{id_}{ANSWER}" for id_ in wanted])
        missing = [entry for id_, entry in wanted.items() if f"{id_}{ANSWER}" not in there]
        self._write(missing, progress)
        return Added(added=len(missing), kept=given - len(missing))

    def has(self, ids: Sequence[str]) -> set[str]:
        """Those of the entry ids that are there."""
        found = self._index.has([f"{id_}{ANSWER}" for id_ in ids])
        return {entry_id(id_) for id_ in found}

    def _write(self, entries: Sequence[Entry], progress: Progress | None) -> None:
        for start in range(0, len(entries), BATCH):
            batch = entries[start : start + BATCH]
            vectors = self._embedded([text for entry in batch for text in found_by(entry)])
            self._index.write([row for entry in batch for row in rows_of(entry)], vectors)
            if progress:
                progress(start + len(batch), len(entries))

    def _embedded(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Half of the work on another core, each text once: a first start and a measurement wait for this."""
        different = sorted(set(texts), key=lambda text: (len(text), text))
        # Dealt by length: questions and answers take turns, so every other text would be all the long ones.
        halves = (different[0::4] + different[3::4], different[1::4] + different[2::4])
        with ThreadPoolExecutor(2) as pool:
            first, second = pool.map(self.embed, halves)
        found = dict(zip(halves[0] + halves[1], [*first, *second], strict=True))
        return np.stack([found[text] for text in texts])

    def _refresh_starter(self) -> None:
        wanted = {entry.id: entry for entry in _starter()}
        there = {entry.id: entry for entry in entries_of(self._index.rows(kind="starter"))}
        stale = [entry for id_, entry in there.items() if wanted.get(id_) != entry]
        self._index.remove([id_ for entry in stale for id_ in row_ids(entry)])
        if fresh := [entry for id_, entry in wanted.items() if there.get(id_) != entry]:
            known = load_vectors(self._index.encoder)
            Library(self._index, fast(self.embed, known))._write(fresh, None)

    def _ranked(
        self, text: str, near: Sequence[tuple[str, float]], floor: float
    ) -> list[tuple[Entry, float]]:
        """The entries of these rows that are near enough, best first."""
        rows: dict[str, dict[str, float]] = {}
        for id_, score in near:
            rows.setdefault(entry_id(id_), {})[id_] = score
        entries = entries_of(self._index.rows([f"{id_}{ANSWER}" for id_ in rows])) if rows else []
        found = ranked(text, [(entry, rows[entry.id]) for entry in entries], floor)
        if self._rerank and len(found) > 1:
            first, rest = found[:RERANKED], found[RERANKED:]
            fits = self._rerank(text, [entry.text for entry, _ in first])
            order = sorted(range(len(first)), key=lambda at: fits[at], reverse=True)
            found = [*(first[at] for at in order), *rest]
        return found


def _index(place: Path | str, encoder: str, *, whatever_encoder: bool = False) -> Index:
    if isinstance(place, str):
        return open_server(place, encoder, whatever_encoder=whatever_encoder)
    return open_index(place, encoder, whatever_encoder=whatever_encoder)


def _remembered(embed: Embed, known: Mapping[str, Sequence[float]]) -> Embed:
    def embedded(texts: Sequence[str]) -> NDArray[np.float32]:
        missing = [text for text in texts if text not in known]
        fresh = iter(embed(missing) if missing else ())
        return np.stack(
            [np.asarray(known[text], np.float32) if text in known else next(fresh) for text in texts]
        )

    return embedded


def starter_lines() -> list[str]:
    """Every text by which an entry of the starter library is found."""
    return [line for entry in _starter() for line in found_by(entry)]


def _starter() -> list[Entry]:
    return [
        Entry(entry.question, entry.answer, topic.topic, tuple(entry.techniques), asked=tuple(entry.asked))
        for topic in load_starter()
        for entry in topic.entries
    ]
