"""Which authored answers a message calls for, by the very words that stand in it.

Every run of words of the message is looked up once, so that a thousand cues cost what ten do. Knows nothing
of what is said in answer, nor of what a message means.
"""

from collections.abc import Callable, Sequence

from agent.responders.replies import Heard

__all__ = ["listener"]

_Runs = dict[str, list[tuple[int, int]]]  # where each run of a sentence's words begins and ends
_NEAR = 8  # words between two signs that belong together


def listener(cues: Sequence[Heard], *, together: bool = False) -> Callable[[Sequence[str]], list[Heard]]:
    """The function padded sentences (`agent.themes.padded`) of a message -> the cues they call for, in the
    order given.

    together: both signs of a cue must stand near one another in one sentence, neither within the other; else
    anywhere in the message.
    """
    places: dict[str, list[int]] = {}
    for place, cue in enumerate(cues):
        for phrase in cue.hears:
            places.setdefault(phrase, []).append(place)
    phrases = {one for cue in cues for part in (cue.hears, cue.also, cue.unless) for one in part}
    longest = max((one.count(" ") + 1 for one in phrases), default=0)

    def heard(sentences: Sequence[str]) -> list[Heard]:
        parts = [_runs(one.split(), longest) for one in sentences]
        runs = {run for part in parts for run in part}
        found = sorted({place for run in runs if run in places for place in places[run]})
        called = [cue for cue in (cues[place] for place in found) if runs.isdisjoint(cue.unless)]
        if together:
            return [cue for cue in called if not cue.also or any(_near(cue, part) for part in parts)]
        return [cue for cue in called if not cue.also or not runs.isdisjoint(cue.also)]

    return heard


def _near(cue: Heard, runs: _Runs) -> bool:
    first = [place for phrase in cue.hears for place in runs.get(phrase, ())]
    second = [place for phrase in cue.also for place in runs.get(phrase, ())]
    return any(_beside(one, other) for one in first for other in second)


def _beside(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether two stretches of words stand near, and neither is part of the other."""
    (a, b), (c, d) = one, other
    within = (a <= c and d <= b) or (c <= a and b <= d)
    return not within and max(a, c) - min(b, d) <= _NEAR


def _runs(words: Sequence[str], longest: int) -> _Runs:
    """All runs of neighbouring words, up to so many, and where they stand."""
    found: _Runs = {}
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            found.setdefault(" ".join(words[start:end]), []).append((start, end))
    return found
