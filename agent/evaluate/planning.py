"""What the learned choices change: how often a plan does what human supporters did, and how varied it is.

ESConv's validation conversations as far as the person's messages go, planned with the rules alone and with
the model of supporters; what they did is known, what was best is not. Figures only, never a text.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from agent import choosing
from agent.brief import Brief, Plan, Reading
from agent.plan import make_plan
from agent.reading.ladder import Level
from agent.responders import guided
from agent.supporter import STAGES, Chances, Supporter
from agent.train.talks import Talk, esconv

__all__ = ["Read", "agreement", "variety"]

Read = Callable[[str], tuple[Reading, Level]]


class Due(NamedTuple):
    """A message that was answered: the conversation so far, and what the supporter's whole reply held."""

    history: list[tuple[Any, str]]
    did: frozenset[str]


def _due(talk: Talk) -> Iterator[Due]:
    history: list[tuple[Any, str]] = []
    held: list[str] = []
    for place, one in enumerate(talk.said):
        if one.person:
            history.append(("user", one.text))
            reply = talk.said[place + 1 :]
            until = next((at for at, each in enumerate(reply) if each.person), len(reply))
            held = [each.strategy for each in reply[:until]]
            if any(held):
                yield Due(list(history), frozenset(held))
            if until:
                history.append(("assistant", " ".join(each.text for each in reply[:until])))


def agreement(data: Path, read: Read, supporter: Supporter, *, limit: int | None = None) -> dict[str, Any]:
    """Of supportive replies after the first, how often stage, question and idea are what the human did."""
    found: dict[str, Counter[str]] = {"rules": Counter(), "learned": Counter()}
    for talk in islice(esconv(data / "esconv/valid.jsonl"), limit):
        before: dict[str, Plan | None] = dict.fromkeys(found)
        for due in _due(talk):
            reading, level = read(due.history[-1][1])
            for name, counts in found.items():
                plan = _planned(
                    due.history, reading, level, before[name], supporter if name == "learned" else None
                )
                before[name] = plan
                if plan["move"] == "support" and not plan["careful"] and len(due.history) > 1:
                    _count(counts, plan, due.did)
    return {name: _shares(counts) for name, counts in found.items()}


def _planned(
    history: list[tuple[Any, str]],
    reading: Reading,
    level: Level,
    before: Plan | None,
    supporter: Supporter | None,
) -> Plan:
    def foresee() -> Chances | None:
        return supporter.foresee(choosing.moment_of(history, before)) if supporter else None

    return make_plan(
        text=history[-1][1],
        reading=reading,
        level=level,
        kinds=[],
        escalate=False,
        person={},
        history=history,
        before=before,
        foresee=foresee,
    )


def _count(counts: Counter[str], plan: Plan, did: frozenset[str]) -> None:
    stages = {stage for stage, names in STAGES.items() if did & set(names)}
    steps = {step["step"] for step in plan["steps"]}
    asked, offered = plan["ask"], "helping" in steps and bool(plan["offer"])
    counts["n"] += 1
    counts[plan["stage"]] += 1
    counts["staged"] += bool(stages)
    counts["stage right"] += plan["stage"] in stages
    counts["asks"] += asked
    counts["ask right"] += asked == ("Question" in did)
    counts["offers"] += offered
    counts["offer right"] += offered == bool(did & set(STAGES["act"]))
    counts["reflections"] += bool(steps & {"mirroring", "emotion"})


def _shares(counts: Counter[str]) -> dict[str, Any]:
    n = max(1, counts["n"])
    return {
        "n": counts["n"],
        "stage is one of the reply's": round(counts["stage right"] / max(1, counts["staged"]), 4),
        "asks as the human did": round(counts["ask right"] / n, 4),
        "offers as the human did": round(counts["offer right"] / n, 4),
        "share that asks": round(counts["asks"] / n, 4),
        "share that offers": round(counts["offers"] / n, 4),
        "reflections a question": round(counts["reflections"] / max(1, counts["asks"]), 2),
        "stages": {stage: counts[stage] for stage in STAGES},
    }


def variety(data: Path, read: Read, supporter: Supporter, *, openings: int = 100) -> dict[str, Any]:
    """Different sentences in the replies to so many opening messages, by the seed alone and by fit."""
    texts = list(islice(_openings(data), openings))
    found = {}
    for name in ("seed alone", "by fit"):
        said: Counter[str] = Counter()
        for number, text in enumerate(texts):
            fit = supporter.fit(choosing.moment_of([("user", text)], None)) if name == "by fit" else None
            said.update(guided.respond(_brief(text, read, number), fit))
        top = max(said.values(), default=0)
        found[name] = {"sentences": sum(said.values()), "different": len(said), "the commonest": top}
    return found


def _openings(data: Path) -> Iterator[str]:
    """The first message of each conversation that tells something."""
    for talk in esconv(data / "esconv/valid.jsonl"):
        told = (one.text for one in talk.said if one.person and len(one.text.split()) >= 8)
        yield from islice(told, 1)


def _brief(text: str, read: Read, seed: int) -> Brief:
    reading, level = read(text)
    plan = _planned([("user", text)], reading, level, None, None)
    return Brief(
        text=text,
        history=[("user", text)],
        reading=reading,
        level=level,
        plan=plan,
        passages=[],
        person={},
        said=[],
        seed=seed,
    )
