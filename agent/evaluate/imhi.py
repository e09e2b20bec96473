"""The IMHI benchmark's files, and the human labels behind some of them, as labelled lines.

A row of IMHI is a prompt with a post and a question, and an answer whose first sentence is the label
(MentaLLaMA, WWW 2024); its answers are ChatGPT's. A label that cannot be told from that sentence is
counted, never guessed. Knows no model.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.evaluate.sources import Format, Line, Source
from agent.tables import known, prompt, rows
from agent.train.labels import DEPRESSION_CAUSES, FACETS, STRESS_CAUSES, WELLNESS

__all__ = ["FORMATS", "NO_HEAD", "SETS", "Asked", "answered", "part_of"]

YES, NO = "yes", "no"
# In the benchmark's order; those without a head are named as such.
SETS = ("CAMS", "CLP", "DR", "dreaddit", "IRF", "loneliness", "MultiWD", "SAD", "SWMH", "T-SID")
NO_HEAD = frozenset({"CLP", "SWMH", "T-SID"})
PARTS = {"train": "train", "val": "val", "valid": "val", "validation": "val", "test": "test"}
PROMPT = ("query", "gpt-3.5-turbo")

# A question -> the set it is asked in, where the file's name does not tell, and what answers it.
_QUESTIONS: tuple[tuple[str, str, str], ...] = (
    (r"stress cause", "SAD", "stress_cause"),
    (r"cause of depression|depression cause", "CAMS", "depression_cause"),
    (r"mental disorder symptoms", "SWMH", ""),
    (r"mental disorder", "T-SID", ""),
    *((rf"{name} wellness", "MultiWD", f"{name} wellness") for name in WELLNESS),
    *((facet, "IRF", facet) for facet in FACETS if "belonging" in facet or "burden" in facet),
    (r"loneliness", "loneliness", "loneliness"),
    (r"stress", "dreaddit", "stress"),
    (r"depression", "DR", "depression"),
)
# Words of a label sentence -> the label, the first that stands in it.
_CAUSES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "stress_cause": (
        *((label, label) for label in STRESS_CAUSES.values() if label != "work"),
        ("emotional turmoil", "emotion turmoil"),
        ("other stress cause", "other causes"),
        ("work", "work"),
    ),
    "depression_cause": (
        ("no cause", "none"),
        ("not show", "none"),
        ("jobs and career", "jobs and careers"),
        *((label, label) for label in DEPRESSION_CAUSES),
    ),
}


@dataclass(frozen=True)
class Asked(Line):
    """A line of IMHI. what: the facet asked about, or the head of causes that answers."""

    what: str = ""


def answered(query: str, answer: str) -> str:
    """The label that an answer to IMHI's prompt gives in its first sentence; "" when none can be told."""
    return _label(_question(prompt(query)[1])[1], answer)


def part_of(path: Path) -> str:
    """train, val or test, as file or folder are named; "" when they don't tell."""
    stem, folder = (
        [w for w in re.split(r"[^a-z]+", name.lower()) if w] for name in (path.stem, path.parent.name)
    )
    # A folder that a person named may hold any word; the benchmark's is test_instruction.
    told = [word for word in folder if word not in {"data", "instruction", "complete", "expert"}]
    words = [*stem, *(told if len(told) == 1 else [])]
    return next((PARTS[word] for word in words if word in PARTS), "")


def _benchmark(path: Path) -> Iterator[Source]:
    """One source a set; a file that does not name its set may hold several."""
    named = _set_of(path)
    lines: dict[str, list[Asked]] = {}
    unparsed: dict[str, int] = {}
    for row in rows(path, *PROMPT):
        post, question = prompt(row[PROMPT[0]])
        asked, what = _question(question)
        # CLP asks what DR asks; elsewhere the question tells the set better than a file's name.
        name = (named if asked in {"", named} or named == "CLP" else asked) or "unknown"
        label = "" if name in NO_HEAD else _label(what, row[PROMPT[1]])
        unparsed[name] = unparsed.get(name, 0) + (not label)
        lines.setdefault(name, []).extend([Asked(post, label, _key(post), what)] if label else [])
    for name, told in lines.items():
        yield Source(path, name, "", told, unparsed[name])


def _set_of(path: Path) -> str:
    """The set that file or folder are named after, or ""."""
    stem, folder = (re.sub(r"t[-_]sid", "tsid", name.lower()) for name in (path.stem, path.parent.name))
    words = [*re.split(r"[^a-z]+", stem), folder]
    return next((name for name in SETS if name.lower().replace("-", "") in words), "")


def _question(question: str) -> tuple[str, str]:
    lowered = question.lower()
    return next(((name, what) for words, name, what in _QUESTIONS if re.search(words, lowered)), ("", ""))


def _label(what: str, answer: str) -> str:
    """The label in an answer's first sentence: yes, no or a cause; "" when it cannot be told."""
    sentence = re.split(r"reasoning:", answer.lower(), maxsplit=1)[0]
    if sentence == answer.lower():
        sentence = re.split(r"(?<=[.!?])\s", sentence, maxsplit=1)[0]
    if what in _CAUSES:
        return next((label for words, label in _CAUSES[what] if words in sentence), "")
    told = re.match(r"\W*(yes|no)\b", sentence)
    return told[1] if told and what else ""


# --- human labels ---


def _human(
    name: str, told: Callable[[dict[str, str], Path], tuple[str, str, str]], *columns: str
) -> Callable[[Path], Iterator[Source]]:
    """Reads one set; told: row -> post, what is asked, label ("" for none)."""

    def read(path: Path) -> Iterator[Source]:
        parts: dict[str, list[Asked]] = {}
        unparsed = 0
        for row in rows(path, *columns):
            post, what, label = told(row, path)
            unparsed += not label
            if label:
                part = PARTS.get(row.get("split", ""), "")
                parts.setdefault(part, []).append(Asked(post, label, _key(post), what))
        for part, lines in parts.items():
            yield Source(path, f"{name}, human labels{', ' + part if part else ''}", "", lines, unparsed)

    return read


def _flag(row: dict[str, str], path: Path) -> str:
    return YES if known(row["label"].strip(), ("0", "1"), path, "label") == "1" else NO


def _stress(row: dict[str, str], path: Path) -> tuple[str, str, str]:
    return row["text"], "stress", _flag(row, path)


def _risk(row: dict[str, str], path: Path) -> tuple[str, str, str]:
    return row["post"], known(row["risk"], FACETS, path, "risk"), _flag(row, path)


def _wellness(row: dict[str, str], path: Path) -> tuple[str, str, str]:
    return row["post"], f"{known(row['dimension'], WELLNESS, path, 'dimension')} wellness", _flag(row, path)


def _cause(column: str) -> Callable[[dict[str, str], Path], tuple[str, str, str]]:
    def told(row: dict[str, str], path: Path) -> tuple[str, str, str]:
        number = row[column].strip().removesuffix(".0")
        numbers = tuple(map(str, range(len(DEPRESSION_CAUSES))))
        label = DEPRESSION_CAUSES[int(known(number, numbers, path, column))] if number else ""
        return row["selftext"], "depression_cause", label

    return told


def _stressor(row: dict[str, str], path: Path) -> tuple[str, str, str]:
    label = known(row["original_label"], tuple(STRESS_CAUSES), path, "original_label")
    return row["sentence"], "stress_cause", STRESS_CAUSES[label]


def _key(text: str) -> str:
    return " ".join(re.findall(r"\w+", text.lower()))


def _format(name: str, told: Callable[[dict[str, str], Path], tuple[str, str, str]], *columns: str) -> Format:
    return Format(columns, _human(name, told, *columns))


FORMATS = (
    Format(PROMPT, _benchmark),
    _format("dreaddit", _stress, "subreddit", "text", "label"),
    _format("IRF", _risk, "risk", "post", "label"),
    _format("MultiWD", _wellness, "dimension", "post", "label"),
    _format("CAMS", _cause("cause"), "selftext", "cause"),
    _format("CAMS", _cause("ANNOTATIONS"), "selftext", "ANNOTATIONS"),
    _format("SAD", _stressor, "sentence", "original_label"),
)
