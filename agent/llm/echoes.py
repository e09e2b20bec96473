"""What of a prompt must not come back in a reply: its sentences, its pieces, runs of its words.

The reasons of plan and guard, which stand in the panel, count as told too. What the conversation's own
words share with a prompt is free. Knows nothing of models.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from agent.brief import Brief
from agent.plan import load_empathy
from agent.prompt import Message, secrets
from agent.rulebook import load_guard
from agent.sentences import fold_text, split

__all__ = ["Told", "plain_words", "told"]

SHARED = 6  # words in a row that a reply and the prompt may not share
PIECE = 3  # words from which on a sentence that stands in the prompt as it is counts as one of it


def plain_words(text: str) -> list[str]:
    """The words of a text as they are compared."""
    return re.findall(r"[\w']+", fold_text(text))


@dataclass(frozen=True)
class Told:
    """A prompt in plain words: its runs of words that nobody in the conversation used, its sentences, all."""

    runs: frozenset[tuple[str, ...]]
    sentences: frozenset[str]
    whole: str

    def leaked(self, before: Sequence[str], new: Sequence[str]) -> bool:
        """Whether a sentence is a piece of the prompt, or with the words before it shares a run with it."""
        piece = len(new) >= PIECE and f" {' '.join(new)} " in self.whole
        return piece or any(run in self.runs for run in _runs([*before, *new]))


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
    )


def _taken(text: str) -> Told:
    words = plain_words(text)
    sentences = (" ".join(plain_words(one)) for one in split(text))
    return Told(frozenset(_runs(words)), frozenset(one for one in sentences if " " in one), " ".join(words))


# Texts of ours alone: what a conversation brings into a prompt is remembered nowhere.
_fixed = lru_cache(maxsize=4)(_taken)


@cache
def _reasons() -> tuple[str, ...]:
    """Why the guard stops a sentence and why a plan takes a step: for the panel, never for a reply."""
    return (" ".join(load_guard().why.values()), " ".join(load_empathy().why.values()))


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + SHARED]) for at in range(len(words) - SHARED + 1))
