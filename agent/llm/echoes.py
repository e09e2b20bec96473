"""What of a prompt must not come back in a reply: its sentences, its pieces, runs of its words, and one of
its lines with a few words changed, left out or moved.

The reasons of plan and guard, which stand in the panel, count as told too. What the conversation's own
words share with a prompt is free. Knows nothing of models.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import pairwise

from agent.brief import Brief
from agent.plan import load_empathy
from agent.prompt import Message, secrets
from agent.rulebook import load_guard
from agent.sentences import fold_text, split

__all__ = ["Told", "plain_words", "told"]

SHARED = 6  # words in a row that a reply and the prompt may not share
# Different words from which on a sentence is held against whole lines; the shares of its words, and of its
# pairs of words, from which on it is one of them. Of 42,910 sentences for people in this repository 7 are.
NEAR, MOST, PAIRS = 8, 0.8, 0.45
PIECE = 3  # words from which on a sentence that stands in the prompt as it is counts as one of it


_Line = tuple[frozenset[str], frozenset[tuple[str, str]]]


def plain_words(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return re.findall(r"[\w']+", fold_text(text))


@dataclass(frozen=True)
class Told:
    """A prompt in plain words: its runs of words that nobody in the conversation used, its sentences, all.

    lines: the words and pairs of words of each of its longer lines. heard: those of the conversation's.
    """

    runs: frozenset[tuple[str, ...]]
    sentences: frozenset[str]
    whole: str
    lines: tuple[_Line, ...] = ()
    heard: tuple[_Line, ...] = ()

    def leaked(self, before: Sequence[str], new: Sequence[str]) -> bool:
        """Whether a sentence is a piece of the prompt, or with the words before it shares a run with it."""
        piece = len(new) >= PIECE and f" {' '.join(new)} " in self.whole
        return piece or any(run in self.runs for run in _runs([*before, *new])) or self._nearly(new)

    def _nearly(self, new: Sequence[str]) -> bool:
        """Whether this is a line of the prompt, a few words put otherwise, and none of the conversation's."""
        words, pairs = _line(new)
        if len(words) < NEAR:
            return False

        def like(line: _Line) -> bool:
            return len(words & line[0]) >= MOST * len(words) and len(pairs & line[1]) >= PAIRS * len(pairs)

        return any(map(like, self.lines)) and not any(map(like, self.heard))


def told(asked: Sequence[Message], brief: Brief, said: Sequence[str]) -> Told:
    """What must not come back. The person's own sentences given back whole are an echo too.

    What this reply already said is none; saying it again is a matter for the guard.
    """
    fixed = [_fixed(text) for text in (asked[0]["content"], *_reasons())]
    parts = [*fixed, *(_taken(text) for text in secrets(asked)[1:])]
    talk = [text for _, text in brief["history"]] + [brief["text"], *said]
    heard = {run for text in talk for run in _runs(plain_words(text))}
    theirs = (" ".join(plain_words(one)) for one in split(brief["text"]) if len(one.split()) > PIECE)
    whole = " | ".join(one.whole for one in parts)
    for text in filter(None, (" ".join(plain_words(one)) for one in said)):
        whole = whole.replace(text, "|")
    return Told(
        frozenset(run for one in parts for run in one.runs) - heard,
        frozenset(theirs).union(*(one.sentences for one in parts)),
        f" {whole} ",
        tuple(line for one in parts for line in one.lines),
        tuple(_line(plain_words(text)) for text in talk),
    )


def _taken(text: str) -> Told:
    words = plain_words(text)
    each = [plain_words(one) for one in split(text)]
    sentences = frozenset(" ".join(one) for one in each if len(one) > 1)
    lines = tuple(line for one in text.splitlines() if len((line := _line(plain_words(one)))[0]) >= NEAR)
    return Told(frozenset(_runs(words)), sentences, " ".join(words), lines)


# Texts of ours alone: what a conversation brings into a prompt is remembered nowhere.
_fixed = lru_cache(maxsize=4)(_taken)


@cache
def _reasons() -> tuple[str, ...]:
    """Why the guard stops a sentence and why a plan takes a step: for the panel, never for a reply."""
    return (" ".join(load_guard().why.values()), " ".join(load_empathy().why.values()))


def _line(words: Sequence[str]) -> _Line:
    return frozenset(words), frozenset(pairwise(words))


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + SHARED]) for at in range(len(words) - SHARED + 1))
