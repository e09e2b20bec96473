"""The IMHI benchmark asked of a language model: prompts in its own forms, answers parsed by one rule.

The rule. The label is looked for in what stands before "Reasoning:", without that in the first sentence: a
leading yes or no, or the first cause whose name stands there. What has no such label is unparsed. It counts
as wrong, as an answer of its own that is never right, and the share of such answers stands beside every
figure; the published script counts it as the first class, which flatters whoever says nothing. Knows no
model: `write` is any function from a prompt to a text. No text is kept.
"""

from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from string import Template
from typing import Any, Literal

import numpy as np

from agent.errors import DataError
from agent.evaluate import imhi as benchmark
from agent.evaluate.keeping import Once
from agent.evaluate.metrics import figures, wilson
from agent.evaluate.sources import Source, even, found
from agent.evaluate.tasks import Report
from agent.evaluate.timing import spent, timed
from agent.train.labels import DEPRESSION_CAUSES, STRESS_CAUSES
from agent.words import Strict, load

__all__ = ["Form", "asked", "load_forms", "prompt_of", "told"]

Form = Literal["instruction", "completion"]
UNPARSED = "unparsed"
CAUSES = {"stress_cause": tuple(STRESS_CAUSES.values()), "depression_cause": DEPRESSION_CAUSES}
# Of answers that are no probabilities, these figures say nothing.
NO_SUCH = ("ece", "ece_by_chance", "top3", "top3_95")


class Forms(Strict):
    """The file imhi.yaml."""

    instruction: str
    completion: str
    questions: dict[str, str]
    leads: dict[str, str]


@cache
def load_forms() -> Forms:
    """The forms, read once."""
    return load("imhi.yaml", Forms, Path(__file__).parent)


def prompt_of(what: str, post: str, form: Form) -> str:
    """The prompt that asks `what` of a post."""
    forms = load_forms()
    name = "wellness" if what.endswith("wellness") else what if what in forms.questions else "risk"
    question = forms.questions[name].format(facet=what)
    lead = forms.leads.get(what, forms.leads["else"]).format(question=question)
    return Template(getattr(forms, form)).substitute(post=post, question=question, lead=lead)


def told(what: str, answer: str) -> str:
    """The label of an answer by the rule, "" for none."""
    return benchmark.answered(prompt_of(what, "", "instruction"), answer)


def asked(  # noqa: PLR0913 - by name
    data: Path,
    write: Callable[[str], str],
    once: Once,
    *,
    model: str,
    form: Form = "instruction",
    limit: int | None = None,
) -> dict[str, Any]:
    """The report: one row a set, as of the reading model, and how many answers could not be parsed.

    once: keeps each answer's label, so that a run may be stopped.
    """
    sources, skipped = found(data, benchmark.FORMATS)
    rows: list[dict[str, Any]] = []
    items: dict[str, list[float]] = {}
    seconds: list[float] = []
    write = timed(write, seconds)
    for source in sorted(sources, key=lambda one: (one.view, str(one.file))):
        lines = even(source.lines, limit)
        where = f"{source.file.parent.name}/{source.file.name} {source.view}"
        if not lines:
            skipped.append(f"{where}: no label could be told")
            continue
        labels = [
            once(f"{where} {place}", partial(_label, line, write, form)) for place, line in enumerate(lines)
        ]
        rows.append({**_figures(source, lines, labels), "part": benchmark.part_of(source.file)})
        items[where] = [float(one == line.label) for one, line in zip(labels, lines, strict=True)]
    if not rows:
        raise DataError(f"{data} has no row whose label is known; name IMHI's files or the human labels.")
    mean = round(float(np.mean([row["weighted_f1"] for row in rows])), 4)
    report = Report(
        task="imhi-asked",
        data=str(data),
        rows=rows,
        mean={"all": mean},
        cases={},
        speed=spent(seconds),
        skipped=skipped,
    )
    return {**report, "model": model, "form": form, "items": items}


def _label(line: Any, write: Callable[[str], str], form: Form) -> str:
    answer = write(prompt_of(line.what, line.text, form))
    if form == "completion" and line.what in CAUSES:
        answer = load_forms().leads[line.what] + answer.lstrip()
    return told(line.what, answer) or UNPARSED


def _figures(source: Source, lines: Sequence[Any], labels: Sequence[str]) -> dict[str, Any]:
    names = (*CAUSES.get(lines[0].what, (benchmark.YES, benchmark.NO)), UNPARSED)
    guess = np.eye(len(names))[[names.index(one) for one in labels]]
    groups = [line.group or str(place) for place, line in enumerate(lines)]
    whole: dict[str, Any] = {**figures(guess, [line.label for line in lines], names, groups=groups)}
    parsed = [place for place, one in enumerate(labels) if one != UNPARSED]
    missing = len(lines) - len(parsed)
    row = {
        "view": source.view,
        "file": f"{source.file.parent.name}/{source.file.name}",
        "not parsed": wilson(missing, len(lines)),
        **{name: value for name, value in whole.items() if name not in NO_SUCH},
    }
    if missing and parsed:
        of_parsed = figures(guess[parsed], [lines[place].label for place in parsed], names)
        row["weighted_f1 of those parsed"] = of_parsed["weighted_f1"]
    return row
