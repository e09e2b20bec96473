"""Run every test that docs/SAFETY_CASE.md names and write what came of it: `python docs/safety_case.py`.

The last column of the table is written by this script alone. A hazard has passed when every test of its
row ran and passed. Knows nothing of what the tests do.
"""

import re
import subprocess
import sys
import tempfile
from datetime import date
from pathlib import Path
from xml.etree import ElementTree

ROOT = Path(__file__).parent.parent
CASE = ROOT / "docs" / "SAFETY_CASE.md"


def rows(text: str) -> list[list[str]]:
    """The cells of every hazard: number, hazard, control, tests, last result."""
    lines = [line for line in text.splitlines() if re.match(r"\| F\d", line)]
    return [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines]


def tests(cell: str) -> list[str]:
    """The tests that a cell names, as pytest takes them."""
    return re.findall(r"`(tests/[^`]+)`", cell)


def outcomes(wanted: list[str]) -> dict[str, str]:
    """Test -> "passed", "failed" or "skipped", with every case of a parametrised test counted together."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junit-xml={report}"]
        subprocess.run([*command, *wanted], cwd=ROOT, check=False)
        cases = list(ElementTree.parse(report).iter("testcase"))  # noqa: S314 - we wrote it a moment ago
    found: dict[str, str] = {}
    for name in wanted:
        path, _, function = name.partition("::")
        module = path.removesuffix(".py").replace("/", ".")
        of_it = [
            case
            for case in cases
            if case.get("classname") == module
            and function in {case.get("name"), str(case.get("name")).partition("[")[0]}
        ]
        kinds = {child.tag for case in of_it for child in case}
        if kinds & {"failure", "error"}:
            found[name] = "failed"
        else:
            found[name] = "passed" if of_it and "skipped" not in kinds else "skipped"
    return found


def main() -> None:
    """Run, then rewrite the last column; exit status 1 when not everything passed."""
    text = CASE.read_text("utf-8")
    found = outcomes(list(dict.fromkeys(name for row in rows(text) for name in tests(row[3]))))
    day = date.today().isoformat()
    lines = text.splitlines()
    for at, line in enumerate(lines):
        if re.match(r"\| F\d", line):
            named = [found[name] for name in tests(line)]
            bad = next((kind for kind in ("failed", "skipped") if kind in named), "passed")
            lines[at] = " | ".join([*line.strip().removesuffix("|").split(" | ")[:-1], f"{bad} {day} |"])
    CASE.write_text("\n".join(lines) + "\n", "utf-8")
    if set(found.values()) != {"passed"}:
        raise SystemExit(1)


if __name__ == "__main__":
    main()
