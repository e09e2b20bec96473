"""How well a backend answers: empathy, safety, lints, form, and whether it does what it planned.

A backend is a function that opens a conversation (`agent.evaluate.turns`); whose conversations it answers,
`agent.evaluate.talks` says. Where people answered the same message, their replies are scored by the same
scorers, and so is another person's reply to the message that is nearest to it. Reports hold figures only.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from pydantic import ValidationError

from agent.errors import DataError
from agent.evaluate import lints, style
from agent.evaluate.metrics import wilson
from agent.evaluate.scoring import MECHANISMS, SAFETY, Scorers
from agent.evaluate.talks import Talk
from agent.evaluate.tasks import Report
from agent.evaluate.timing import spent, timed
from agent.evaluate.turns import Open, Turn, held
from agent.responders.replies import sentences, vague
from agent.train.labels import INTENTS
from agent.words import Strict

__all__ = ["BASELINE", "Bounds", "beyond", "flattened", "load_bounds", "measure"]

BASELINE = Path(__file__).parent / "replies" / "baseline.yaml"
FORMULA = 2  # the level at which a mechanism on most turns reads like a formula
Levels = NDArray[np.int64]


class Bounds(Strict):
    """The file baseline.yaml: figure -> what it may be at most, and at least."""

    most: dict[str, float]
    least: dict[str, float]


def measure(
    sources: Mapping[str, Sequence[Talk]],
    opened: Open,
    scorers: Scorers,
    intent: Callable[[str], str],
    *,
    data: str,
) -> Report:
    """One row a source. intent: what a text does, one of the 9."""
    seconds: list[float] = []
    rows = []
    for name, talks in sources.items():
        answered = [held(talk.messages, timed(opened(), seconds)) for talk in talks]
        rows.append({"view": name, **_figures(talks, answered, scorers, intent)})
    card = {name: told["figures"] for name, told in scorers.card["scorers"].items()}
    return Report(
        task="replies",
        data=data,
        rows=rows,
        mean={},
        cases={"scorers": card, "pairs": scorers.card["pairs"]},
        speed=spent(seconds),
        skipped=[],
    )


def beyond(row: Mapping[str, Any], bounds: Bounds) -> list[str]:
    """What of a row lies beyond its bounds, as sentences; a figure that is not there counts as beyond."""
    flat = flattened(row)
    broken = [f"{name} is {flat.get(name)}, at most {bound} is allowed" for name, bound in bounds.most.items()
              if not flat.get(name, np.inf) <= bound]  # fmt: skip
    return broken + [
        f"{name} is {flat.get(name)}, at least {bound} is asked for"
        for name, bound in bounds.least.items()
        if not flat.get(name, -np.inf) >= bound
    ]


def load_bounds(path: Path = BASELINE) -> Bounds:
    """The bounds that a test holds our own openings to. Raises DataError when the file is no such thing."""
    try:
        return Bounds.model_validate(yaml.safe_load(path.read_text("utf-8")))
    except (OSError, ValidationError, yaml.YAMLError) as error:
        raise DataError(f"{path} is not a file of bounds; it has `most` and `least`.") from error


def flattened(row: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """The numbers of a row by their place in it; of a share, the share itself."""
    flat: dict[str, float] = {}
    for key, value in row.items():
        name = f"{before}.{key}" if before else key
        if isinstance(value, Mapping) and "share_95" in value:
            flat |= {name: value["share"]} if value["share"] is not None else {}
        elif isinstance(value, Mapping):
            flat |= flattened(value, name)
        elif isinstance(value, int | float):
            flat[name] = float(value)
    return flat


def _figures(
    talks: Sequence[Talk],
    answered: Sequence[Sequence[Turn]],
    scorers: Scorers,
    intent: Callable[[str], str],
) -> dict[str, Any]:
    turns = [turn for talk in answered for turn in talk]
    told = [scorers.score(turn.heard, turn.said) for turn in turns]
    levels = _levels(told)
    unsafe = np.array([one[SAFETY][1] for one in told])
    return {
        "conversations": len(talks),
        "turns": len(turns),
        "escalated": wilson(sum(turn.reply.escalated for turn in turns), len(turns)),
        "epitome": {name: _mechanism(levels[:, at]) for at, name in enumerate(MECHANISMS)},
        "distance": _distances(talks, turns, levels, scorers),
        "unsafe": wilson(int((unsafe >= scorers.card["unsafe_bar"]).sum()), len(turns)),
        "lints": lints.per_hundred(turns),
        "style": style.measured(answered),
        "vague": _vague(turns),
        "intent": _intended(turns, intent),
    }


def _vague(turns: Sequence[Turn]) -> dict[str, Any]:
    """How many sentences of supportive replies are authored ones that would fit whatever was said."""
    told = [turn.said for turn in turns if turn.reply.move == "support" and not turn.reply.escalated]
    said = [one for text in told for one in sentences(text)]
    return wilson(sum(one in vague() for one in said), len(said))  # type: ignore[return-value]


def _levels(told: Sequence[Mapping[str, NDArray[np.float32]]]) -> Levels:
    """The likeliest level of each mechanism, (n, 3)."""
    return np.array([[int(one[name].argmax()) for name in MECHANISMS] for one in told], dtype=np.int64)


def _mechanism(levels: Levels) -> dict[str, Any]:
    return {
        "mean": round(float(levels.mean()), 3),
        "at_two": wilson(int((levels == FORMULA).sum()), len(levels)),
    }


def _intended(turns: Sequence[Turn], intent: Callable[[str], str]) -> dict[str, Any]:
    """How often a reply reads as what its plan meant it to be; crisis replies have no such plan."""
    planned = [turn for turn in turns if turn.reply.intent in INTENTS and not turn.reply.escalated]
    return wilson(sum(intent(turn.said) == turn.reply.intent for turn in planned), len(planned))  # type: ignore[return-value]


# --- beside people ---


def _distances(
    talks: Sequence[Talk], turns: Sequence[Turn], levels: Levels, scorers: Scorers
) -> dict[str, Any]:
    """How far our levels are from a person's to the same message, and how far another person's are.

    The other person is who answered the nearest message of another conversation; both distances are of the
    same messages, and `more` is the first less the second, with its 95 % interval.
    """
    humans = [replies for talk in talks for replies in talk.humans]
    whose = [number for number, talk in enumerate(talks) for _ in talk.messages]
    answered = [at for at, replies in enumerate(humans) if replies]
    if len({whose[at] for at in answered}) < 2:
        return {}
    people = [
        _levels([scorers.score(turns[at].heard, one) for one in humans[at]]).astype(float) for at in answered
    ]
    near = _nearest([turns[at].heard for at in answered], [whose[at] for at in answered], scorers)
    others = [
        _levels([scorers.score(turns[at].heard, humans[answered[n]][0])]).astype(float)
        for at, n in zip(answered, near, strict=True)
    ]
    ours = np.array(
        [np.abs(theirs - levels[at]).mean(axis=0) for theirs, at in zip(people, answered, strict=True)]
    )
    another = np.array(
        [np.abs(theirs - one).mean(axis=0) for theirs, one in zip(people, others, strict=True)]
    )
    more = (ours - another).mean(axis=1)
    half = 1.96 * float(more.std()) / np.sqrt(len(more))
    return {
        "messages": len(answered),
        "ours": _by_mechanism(ours),
        "another_person": _by_mechanism(another),
        "more": round(float(more.mean()), 3),
        "more_95": [round(float(more.mean()) - half, 3), round(float(more.mean()) + half, 3)],
        "people_mean": _by_mechanism(np.array([theirs.mean(axis=0) for theirs in people])),
    }


def _by_mechanism(values: NDArray[np.float64]) -> dict[str, float]:
    means = {name: round(float(values[:, at].mean()), 3) for at, name in enumerate(MECHANISMS)}
    return {"all": round(float(values.mean()), 3), **means}


def _nearest(messages: Sequence[str], whose: Sequence[int], scorers: Scorers) -> list[int]:
    """For each message, the place of the nearest one of another conversation."""
    vectors = np.stack([scorers.vector(one) for one in messages])
    owners = np.array(whose)
    near = []
    for at, vector in enumerate(vectors):
        alike = vectors @ vector
        alike[owners == owners[at]] = -np.inf
        near.append(int(alike.argmax()))
    return near
