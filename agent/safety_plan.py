"""The safety plan as data: its six steps, what a person wrote in them, and its form as JSON and Markdown.

The shape is Stanley and Brown's. The person's words are kept as they wrote them; nothing here writes any.
It knows nothing of how the plan is talked through (agent/responders/planning.py), of danger, nor of
where helplines come from: the rows it holds were handed to it.
"""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from string import Template
from typing import Any, Literal, TypedDict

from agent.reading.ladder import Answer
from agent.reading.spanish import plain
from agent.words import Strict, load, named, tongue

__all__ = [
    "CONTACTS",
    "PlanStep",
    "PlanWords",
    "SafetyPlan",
    "chosen",
    "exported",
    "filled",
    "first_open",
    "folded",
    "lines_of",
    "live",
    "load_plan_words",
    "markdown",
    "standing",
    "step_ids",
]

# The step that holds helplines; the other five hold the person's own words alone.
CONTACTS = "professionals"
# What one step may hold: a plan is read in a bad hour, and a checkpoint is no diary.
MOST_LINES, MOST_LETTERS = 8, 300


class SafetyPlan(TypedDict, total=False):
    """The plan so far. Plain data, kept in the checkpoint of a kept conversation and nowhere else.

    step: the step that waits for words, "" while the plan rests. turn: number of the message it last
    answered. entries: step -> the person's own lines. skipped: steps passed over. contacts: helplines
    put in, as the card shows them.
    """

    step: str
    turn: int
    entries: dict[str, list[str]]
    skipped: list[str]
    contacts: list[dict[str, str]]


class PlanStep(Strict):
    """One of the six: its heading, and what is said to introduce it, to ask for it, and as an example."""

    id: str
    title: str
    lead: tuple[str, ...]
    ask: tuple[str, ...]
    hint: tuple[str, ...]


class Export(Strict):
    """Words of the exported plan."""

    title: str
    lead: str
    empty: str
    call: str
    text: str
    danger: str
    emergency: str
    undialled: str
    foot: str


class PlanWords(Strict):
    """agent/words/safety_plan.yaml; see its header."""

    reviewed_by: str | None
    date: object
    grade: int
    why: str
    begins: tuple[str, ...]
    unless: tuple[str, ...]
    hits: tuple[str, ...]
    misses: tuple[str, ...]
    accepts: frozenset[str]
    commands: dict[Literal["skip", "stop", "back", "hint", "all"], frozenset[str]]
    refusal: str
    goto: str
    numbers: dict[str, int]
    asides: frozenset[str]
    barriers: frozenset[Answer]
    opening: tuple[str, ...]
    asked: str
    explained: tuple[str, ...]
    manual: tuple[str, ...]
    resumed: tuple[str, ...]
    revisited: tuple[str, ...]
    noted: tuple[str, ...]
    skipped: tuple[str, ...]
    nobody: tuple[str, ...]
    paused: tuple[str, ...]
    stay: tuple[str, ...]
    finished: tuple[str, ...]
    keep: tuple[str, ...]
    share: tuple[str, ...]
    complete: tuple[str, ...]
    again: tuple[str, ...]
    steps: tuple[PlanStep, ...]
    export: Export


@cache
def load_plan_words(language: str = "en") -> PlanWords:
    """safety_plan.yaml, read once a language. Raises WordsError when it is damaged."""
    return load(named("safety_plan.yaml", language), PlanWords)


def step_ids() -> list[str]:
    """The six steps in their order."""
    return [step.id for step in load_plan_words().steps]


def folded(text: str, language: str = "en") -> str:
    """A message in the form in which the commands and patterns of safety_plan.yaml are written."""
    told = plain(text) if tongue(language) == "es" else text.casefold()
    return " ".join(re.findall(r"\w+", re.sub("['\u2018\u2019\u02bc`\u00b4]", "", told)))


def lines_of(text: str) -> list[str]:
    """What a message says, line by line in the person's own words; without control characters."""
    lines = ("".join(c if c.isprintable() else " " for c in line) for line in text.splitlines())
    kept = (" ".join(line.split())[:MOST_LETTERS] for line in lines)
    return [line for line in kept if line][:MOST_LINES]


def live(plan: object, turn: int) -> bool:
    """Whether a step waits for words, and our last reply asked for them. turn: number of this message."""
    return isinstance(plan, dict) and bool(plan.get("step")) and plan.get("turn") == turn - 1


def filled(plan: SafetyPlan, step: str) -> bool:
    """Whether the person put something into a step."""
    return bool(plan.get("entries", {}).get(step)) or (step == CONTACTS and bool(plan.get("contacts")))


def first_open(plan: SafetyPlan) -> str:
    """The first step with nothing in it: those not asked yet before those passed over; "" for none."""
    empty = [step for step in step_ids() if not filled(plan, step)]
    passed = plan.get("skipped", [])
    return next((step for step in empty if step not in passed), next(iter(empty), ""))


def standing(plan: object) -> Literal["", "begun", "done"]:
    """How far a plan is: never begun, begun, or every step either filled or passed over."""
    if not isinstance(plan, dict) or not plan:
        return ""
    left = [step for step in step_ids() if not filled(plan, step) and step not in plan.get("skipped", [])]  # type: ignore[arg-type]
    return "begun" if left else "done"


def exported(plan: SafetyPlan | None, emergency: str = "", language: str = "en") -> dict[str, Any] | None:
    """The plan as JSON-ready data, every step named; None when it was never begun."""
    if not plan:
        return None
    words = load_plan_words(tongue(language))
    steps = [
        {
            "id": step.id,
            "title": step.title,
            "entries": list(plan.get("entries", {}).get(step.id, [])),
            **({"contacts": [dict(row) for row in plan.get("contacts", [])]} if step.id == CONTACTS else {}),
        }
        for step in words.steps
    ]
    danger = Template(words.export.danger).substitute(emergency=emergency or words.export.emergency)
    return {
        "title": words.export.title,
        "steps": steps,
        "complete": standing(plan) == "done",
        "danger": danger,
        "language": tongue(language),
    }


def markdown(plan: Mapping[str, Any]) -> str:
    """What `exported` gave, as Markdown for the person's own file."""
    words = load_plan_words(plan.get("language", "en")).export
    parts = [f"# {plan['title']}", words.lead]
    for number, step in enumerate(plan["steps"], 1):
        rows = step.get("contacts", [])
        said = [*map(_literal, step["entries"]), *(_reach(row, words) for row in rows)]
        parts.append(f"## {number}. {step['title']}")
        parts.append("\n".join(f"- {line}" for line in said) or words.empty)
        if rows and not any(row.get("verified_at") for row in rows):
            parts.append(words.undialled)
    return "\n\n".join([*parts, f"**{plan['danger']}**", words.foot]) + "\n"


def _literal(line: str) -> str:
    """The person's line as Markdown that shows it as written, and makes no link or markup of it."""
    return re.sub(r"([\\`*_{}\[\]<>#|~!])", r"\\\1", line)


def _reach(row: Mapping[str, str], words: Export) -> str:
    ways = [Template(words.call).substitute(number=row["phone"])] if row.get("phone") else []
    ways += [Template(words.text).substitute(number=row["sms"])] if row.get("sms") else []
    ways += [part for part in (row.get("chat_url", ""), row.get("hours", ""), row.get("note", "")) if part]
    return f"{row['name']}: {', '.join(ways)}"


def chosen(text: str, contacts: Sequence[Mapping[str, str]], language: str = "en") -> list[dict[str, str]]:
    """The helplines that a message takes from those offered: all of them, or the ones it names."""
    told = folded(text, language)
    if told in load_plan_words(language).commands["all"]:
        return [dict(row) for row in contacts]
    names = [folded(re.split(r"\s*(?:\(|\s/\s)", row["name"])[0], language) for row in contacts]
    return [dict(row) for row, name in zip(contacts, names, strict=True) if _names(told, name, names)]


def _names(plain: str, name: str, names: Sequence[str]) -> bool:
    """Whether a folded message names a helpline: by its name, or by a first word that no other one shares."""
    first = name.split(maxsplit=1)[0] if name else ""
    alone = sum(first in other.split() for other in names) == 1 and (len(first) > 4 or first.isdigit())
    return f" {name} " in f" {plain} " or (alone and first in plain.split())
