"""House rules that no single module can hold: imports, writers, surfaces, weight, wheel, words."""

import ast
import importlib
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from graph.state import GIVEN, WRITERS, State

ROOT = Path(__file__).parent.parent
PACKAGES = ("agent", "graph", "knowledge", "ui")
MODULES = sorted(p for package in PACKAGES for p in (ROOT / package).rglob("*.py"))
HEAVY = ("torch", "transformers", "chromadb", "streamlit", "onnxruntime", "peft", "sklearn", "pandas")


def _loaded_after(statement: str) -> set[str]:
    code = f"import sys; {statement}; print(' '.join({{name.partition('.')[0] for name in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    return set(done.stdout.split())


def test_importing_the_graph_stays_light() -> None:
    assert not _loaded_after("import graph").intersection(HEAVY)


def test_nothing_is_built_at_import() -> None:
    names = [".".join(p.relative_to(ROOT).with_suffix("").parts) for p in MODULES if p.name != "app.py"]
    modules = ", ".join(name.removesuffix(".__init__") for name in names if ".train." not in name)
    code = (
        "import builtins, io, os; real = io.open_code; seen = []\n"
        f"import {modules}\n"
        "from graph import services; from agent.reading import rules\n"
        "print(rules.load_rules.cache_info().currsize, services._rules.cache_info().currsize)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.split() == ["0", "0"]


def test_every_key_but_those_with_two_sides_has_one_writer() -> None:
    written = [key for keys in WRITERS.values() for key in keys]
    shared = {key for key in written if written.count(key) > 1}
    # respond and crisis never run in the same turn; plan is written by whichever decided the reply
    assert shared == {"draft", "plan"}
    assert set(written) | GIVEN == set(State.__annotations__)


@pytest.mark.parametrize("package", PACKAGES)
def test_public_names_exist_and_are_few(package: str) -> None:
    names = getattr(importlib.import_module(package), "__all__", [])
    assert len(names) <= 8
    for name in names:
        assert hasattr(importlib.import_module(package), name)


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_module_says_what_it_is(module: Path) -> None:
    tree = ast.parse(module.read_text("utf-8"))
    assert ast.get_docstring(tree)
    assert module.stem not in {"utils", "helpers", "common", "base", "manager", "factory"}


@pytest.mark.parametrize("module", MODULES, ids=lambda p: str(p.relative_to(ROOT)))
def test_catch_alls_stand_only_at_the_boundaries(module: Path) -> None:
    allowed = {"graph/build.py", "graph/deadline.py", "ui/app.py"}
    caught = [
        node
        for node in ast.walk(ast.parse(module.read_text("utf-8")))
        if isinstance(node, ast.ExceptHandler)
        and (
            node.type is None
            or (isinstance(node.type, ast.Name) and node.type.id in {"Exception", "BaseException"})
        )
    ]
    assert not caught or str(module.relative_to(ROOT)) in allowed


def test_no_pickle_no_raw_html_no_path_surgery() -> None:
    for module in MODULES:
        text = module.read_text("utf-8")
        assert not re.search(r"^\s*(import|from) (pickle|joblib|dill)\b", text, re.M), module
        assert "unsafe_allow_html" not in text, module
        assert "sys.path" not in text, module


def test_no_file_of_the_page_hides_a_package() -> None:
    hidden = {"graph", "agent", "knowledge", "streamlit"}
    assert not hidden.intersection(p.stem for p in (ROOT / "ui").iterdir())


def test_the_repository_speaks_of_itself_in_its_own_words() -> None:
    """No claim to be what it is not, in anything a person reads."""
    claim = re.compile(
        r"\b(?:our|its|this|an?|hearken(?:'s)?)\s+(?:ai\s+)?(?:therapist|counsell?or|clinician|doctor)\b"
        r"|\bas (?:a|your) (?:licensed|therapist|psychologist)|\blicensed (?:therapist|psychologist)",
        re.I,
    )
    denial = re.compile(r"\b(not|never|no|isn't|nor|neither|without|by|from|to|with)\b", re.I)
    read = [*ROOT.glob("*.md"), *(ROOT / "ui" / "words").iterdir()]
    for file in read:
        for line in file.read_text("utf-8").splitlines():
            found = claim.search(line)
            assert not found or denial.search(line), f"{file.name}: {line}"


def test_no_index_host_or_machine_path_is_named() -> None:
    files = [ROOT / "constraints.txt", ROOT / "pyproject.toml", ROOT / "Makefile", ROOT / ".ci" / "run"]
    for file in files:
        text = file.read_text("utf-8")
        assert not re.search(r"index-url|find-links|https?://\S*(pypi|simple)", text), file
        assert str(ROOT) not in text, file


def test_the_wheel_ships_exactly_the_four_packages(tmp_path: Path) -> None:
    pytest.importorskip("build", reason="the `dev` extra builds the wheel")
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(ROOT)],
        check=True,
        capture_output=True,
    )
    names = zipfile.ZipFile(next(tmp_path.glob("*.whl"))).namelist()
    tops = {name.partition("/")[0] for name in names}
    assert {top for top in tops if not top.endswith(".dist-info")} == set(PACKAGES)
    for needed in (
        "agent/py.typed",
        "agent/words/risk.yaml",
        "agent/words/risk_joined.yaml",
        "agent/words/risk_families.yaml",
        "agent/words/risk_brief.yaml",
        "agent/words/risk_signs.yaml",
        "agent/words/risk_passing.yaml",
        "agent/words/risk_pieces.yaml",
        "agent/words/risk_said_aside.yaml",
        "agent/words/crisis.yaml",
        "agent/reading/model/danger.onnx",
        "agent/reading/model/encoder.onnx",
        "agent/reading/model/words.npz",
        "agent/reading/model/tokenizer.json",
        "knowledge/helplines.csv",
        "knowledge/starter/anxiety.yaml",
        "ui/words/en.yaml",
        "ui/words/CRISIS_PROTOCOL.md",
    ):
        assert needed in names
