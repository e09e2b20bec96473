"""The words that hearken does not use about itself (SR-L7), over everything of ours that a person reads.

What is forbidden and where it is allowed, with the reason, stands in tests/wording.yaml.
"""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
LINT: dict[str, Any] = yaml.safe_load((ROOT / "tests" / "wording.yaml").read_text("utf-8"))
FORBIDDEN, HOLDS_BACK, CLAIMS = (
    re.compile(LINT[name], re.IGNORECASE) for name in ("forbidden", "holds_back", "claims")
)
PAPERS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("ui/words/*")])
WORDS = sorted([*ROOT.glob("agent/words/**/*.yaml"), *ROOT.glob("knowledge/starter/*.yaml")])


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _spoken(node: object) -> Iterator[str]:
    """Every string below `node`, but for what stands under an unspoken key."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for part in node:
            yield from _spoken(part)
    elif isinstance(node, dict):
        for key, part in node.items():
            if key not in LINT["unspoken"]["keys"]:
                yield from _spoken(part)


@cache
def _texts(path: Path) -> tuple[str, ...]:
    text = path.read_text("utf-8")
    if path.suffix == ".yaml" and path.is_relative_to(ROOT / "ui"):
        return tuple(_spoken(yaml.safe_load(text)))
    if path.suffix == ".yaml":
        return () if _named(path) in LINT["unspoken"]["files"] else tuple(_spoken(yaml.safe_load(text)))
    return tuple(" ".join(part.split()) for part in text.split("\n\n"))


def _allowances(path: Path) -> list[dict[str, str]]:
    return [entry for entry in LINT["allowed"] if path.relative_to(ROOT).match(entry["file"])]


def _uncovered(path: Path) -> list[str]:
    """Every hit that no allowance of its file covers."""
    found = []
    for text in _texts(path):
        covers = [span.span() for entry in _allowances(path) for span in re.finditer(entry["says"], text)]
        found += [
            text[max(hit.start() - 60, 0) : hit.end() + 40]
            for hit in FORBIDDEN.finditer(text)
            if not any(start <= hit.start() and hit.end() <= end for start, end in covers)
        ]
    return found


@pytest.mark.parametrize("path", [*PAPERS, *WORDS], ids=_named)
def test_we_do_not_call_ourselves_what_we_are_not(path: Path) -> None:
    assert not _uncovered(path), "say it otherwise, or allow it in tests/wording.yaml with the reason"
    assert not [text for text in _texts(path) if CLAIMS.search(text)]


@pytest.mark.parametrize("path", [*PAPERS, *WORDS], ids=_named)
def test_nothing_we_say_holds_anyone_back(path: Path) -> None:
    ours = [re.sub(r'["“][^"”]*["”]', " … ", text) for text in _texts(path)]
    assert not [hit[0] for text in ours for hit in HOLDS_BACK.finditer(text)]


@pytest.mark.parametrize("entry", LINT["allowed"], ids=lambda entry: entry["says"])
def test_every_allowance_is_needed_and_gives_its_reason(entry: dict[str, str]) -> None:
    assert set(entry) == {"file", "says", "why"}
    assert len(entry["why"].split()) >= 3
    files = [path for path in [*PAPERS, *WORDS] if path.relative_to(ROOT).match(entry["file"])]
    hits = [found[0] for path in files for text in _texts(path) for found in re.finditer(entry["says"], text)]
    assert any(FORBIDDEN.search(hit) for hit in hits)


@pytest.mark.parametrize(
    ("text", "forbidden"),
    [
        ("hearken offers therapy for everyone", True),
        ("Your AI counsellor", True),
        ("a licensed treatment for low mood", True),
        ("clinical-grade support", True),
        ("I'll always be here", True),
        ("support and listening", False),
        ("answers of the counselchat data set", False),
        ("no clinician has read it", False),
    ],
)
def test_the_lint_hears_what_it_is_for(text: str, forbidden: bool) -> None:
    assert bool(FORBIDDEN.search(text)) == forbidden


@pytest.mark.parametrize("text", ["I'm your therapist", "as a counsellor I", "we are licensed psychologists"])
def test_a_claim_is_heard(text: str) -> None:
    assert CLAIMS.search(text) or FORBIDDEN.search(text)


@pytest.mark.parametrize("text", ["Please don't go.", "I'll miss you", "You don't need anyone", "a streak"])
def test_holding_back_is_heard(text: str) -> None:
    assert HOLDS_BACK.search(text)
