"""Guarded streaming of a reply whose model may be asked again.

A sentence that the guard stops ends the model's text there: it is asked once more for the rest, with the
reason. What is stopped in that place again gives way to an authored sentence. Knows nothing of models,
prompts or time: who asks again, and for how long, is a function.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Literal

from agent import guard as guarding
from agent.brief import Replaced
from agent.rulebook import load_guard
from graph.deadline import PartFailed

__all__ = ["DROPPED", "retell"]

# Sentences that are left out without a word: there is nothing to say instead.
DROPPED = frozenset({"repeat", "length", "empty", "questions"})
# How often one reply is taken up again, and how many stopped sentences end it.
TIMES, ENOUGH = 2, 5

Again = Callable[[Sequence[str], str], Iterable[object]]
Repair = Callable[[int, str], str | None]


def retell(  # noqa: PLR0913 - sift's arguments, and who is asked again
    sentences: Iterable[object],
    bounds: guarding.Bounds,
    kept: list[str],
    replaced: list[Replaced],
    *,
    again: Again | None,
    repair: Repair,
) -> Iterator[str]:
    """`guard.sift`, but `again(kept, why)` words the rest of a reply whose next sentence was stopped.

    Whatever stands in for a stopped sentence is noted with it in `replaced`. Raises what `sentences`
    raises; when `again` fails, `repair` has the word and the reply ends.
    """
    if again is None:
        yield from guarding.sift(sentences, bounds, kept, replaced, repair=repair)
        return
    told = _Retold(sentences, kept, replaced, again, repair)
    yield from guarding.sift(told.sentences(), bounds, kept, replaced, repair=told.mend)


class _Retold:
    """One reply: where its sentences come from now, what was stopped, and what came in its place."""

    def __init__(
        self,
        first: Iterable[object],
        kept: list[str],
        replaced: list[Replaced],
        again: Again,
        repair: Repair,
    ) -> None:
        self._source = iter(first)
        self._kept, self._replaced = kept, replaced
        self._again, self._repair = again, repair
        self._times = 0
        self._stopped = ""  # the rule that a sentence just broke, while the model is to be asked again
        self._gap: int | None = None  # how much was kept where the model was last asked again

    def sentences(self) -> Iterator[object]:
        """What the model says, from wherever it was last asked."""
        while True:
            for sentence in self._source:
                yield sentence
                if self._gap is not None and len(self._kept) > self._gap:
                    self._fill("model")
                if self._stopped or self._ended():
                    break
            _close(self._source)
            if not self._stopped:
                break
            self._source, self._stopped = self._rest(self._stopped), ""
        if self._gap is not None and (authored := self._repair(self._gap, "")):
            self._fill("guided")
            yield authored

    def mend(self, position: int, rule: str) -> str | None:
        """What stands in the place of a stopped sentence at once; None where the model is asked again."""
        del position
        if rule in DROPPED:
            return None
        if self._gap is None and self._times < TIMES and not self._ended():
            self._times += 1
            self._stopped, self._gap = rule, len(self._kept)
            return None
        authored = self._repair(len(self._kept), rule)
        if authored is not None:
            self._fill("guided")
        return authored

    def _rest(self, rule: str) -> Iterator[object]:
        try:
            yield from self._again(tuple(self._kept), load_guard().why.get(rule, rule))
        except PartFailed:  # what stands so far is the reply
            return

    def _fill(self, by: Literal["model", "guided"]) -> None:
        """Note what stands in for all that was stopped in this place."""
        self._gap = None
        for stopped in reversed(self._replaced):
            if "by" in stopped:
                break
            if stopped["rule"] not in DROPPED:
                stopped["by"] = by

    def _ended(self) -> bool:
        """Too long, or stopped so often that the rest is not worth the wait."""
        return len(self._replaced) >= ENOUGH or any(one["rule"] == "length" for one in self._replaced)


def _close(source: Iterator[object]) -> None:
    """Let the model stop now rather than when nobody listens any more."""
    close = getattr(source, "close", None)
    if close is not None:
        close()
