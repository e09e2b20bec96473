"""The safety case names tests that exist, for every hazard, and claims nothing that nobody did."""

import ast
import importlib.util
import re
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent


def _script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("safety_case", ROOT / "docs" / "safety_case.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


CASE = _script()
ROWS: list[list[str]] = CASE.rows((ROOT / "docs" / "SAFETY_CASE.md").read_text("utf-8"))


@cache
def _functions(path: Path) -> set[str]:
    tree = ast.parse(path.read_text("utf-8"))
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


def test_every_hazard_stands_there_once() -> None:
    assert [row[0] for row in ROWS] == [f"F{number}" for number in range(1, 38)]
    assert all(len(row) == 5 and all(row) for row in ROWS)


def _exists(test: str) -> bool:
    path, _, case = test.partition("::")
    function, _, script = case.partition("[")
    told = ROOT / "tests" / "conversations" / f"{script.rstrip(']')}.yaml"
    return function in _functions(ROOT / path) and (not script or told.exists())


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_test_that_is_named_exists(row: list[str]) -> None:
    assert CASE.tests(row[3])
    assert not re.sub(r"`[^`]+`|[ ,]", "", row[3]), "tests only, each in backticks"
    assert not [test for test in CASE.tests(row[3]) if not _exists(test)]


@pytest.mark.parametrize("paper", ["COMPLIANCE.md", "PRIVACY.md"])
def test_every_test_that_the_other_papers_name_exists(paper: str) -> None:
    named = [test for test in CASE.tests((ROOT / "docs" / paper).read_text("utf-8")) if "::" in test]
    assert named
    assert not [test for test in named if not _exists(test)]


def test_what_is_not_built_is_not_held_by_a_test() -> None:
    lines = (ROOT / "docs" / "COMPLIANCE.md").read_text("utf-8").splitlines()
    cells = [line.strip("|").split("|") for line in lines if line.startswith("| ")]
    controls = [[cell.strip() for cell in row] for row in cells if len(row) == 4][1:]
    assert len(controls) >= 20
    for control, _, state, held in controls:
        assert re.match(r"built|partly|not built|not done", state), control
        assert state.startswith("not") or CASE.tests(held), control
        assert not (state.startswith("not built") and held), control


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_no_row_claims_a_review_or_a_result_without_a_date(row: list[str]) -> None:
    words = re.sub(r"`[^`]+`", "", " ".join(row))
    assert not re.search(r"review|approv|certif|validat|sign(ed)? off|clinic|expert|proven", words, re.I)
    assert re.fullmatch(r"(passed|failed|skipped) \d{4}-\d\d-\d\d|not run", row[4])
