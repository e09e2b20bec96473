"""Which authored answers a message calls for, by the very words that stand in it.

Every run of words of the message is looked up once, so that a thousand cues cost what ten do. Knows nothing
of what is said in answer, nor of what a message means.
"""

from collections.abc import Callable, Sequence

from agent.responders.replies import Heard

__all__ = ["listener"]


def listener(cues: Sequence[Heard]) -> Callable[[str], list[Heard]]:
    """The function padded words (`agent.themes.padded`) -> the cues they call for, in the order given."""
    places: dict[str, list[int]] = {}
    for place, cue in enumerate(cues):
        for phrase in cue.hears:
            places.setdefault(phrase, []).append(place)
    phrases = {one for cue in cues for part in (cue.hears, cue.also, cue.unless) for one in part}
    longest = max((len(one.split()) for one in phrases), default=0)

    def heard(words: str) -> list[Heard]:
        runs = _runs(words.split(), longest)
        found = sorted({place for run in runs if run in places for place in places[run]})
        return [cue for cue in (cues[place] for place in found) if _holds(cue, runs)]

    return heard


def _runs(words: Sequence[str], longest: int) -> set[str]:
    """All runs of neighbouring words, up to so many."""
    return {
        " ".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + longest, len(words)) + 1)
    }


def _holds(cue: Heard, runs: set[str]) -> bool:
    return runs.isdisjoint(cue.unless) and (not cue.also or not runs.isdisjoint(cue.also))
