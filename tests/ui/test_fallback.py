"""Help while the app still loads, and when it fails: with nothing but what is baked in."""

import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from tests.ui.pages import everything, opened, turn_to

HEAVY = {"langgraph", "onnxruntime", "chromadb"}


def test_what_is_shown_first_loads_nothing_heavy() -> None:
    code = "import sys, ui.fallback, ui.wording; print(*{name.partition('.')[0] for name in sys.modules})"
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert not HEAVY.intersection(done.stdout.split())


def test_the_lines_stand_there_while_it_loads() -> None:
    def script() -> None:
        from ui.fallback import loading

        loading("hearken", "This is starting.", "GB")

    at = AppTest.from_function(script).run()
    assert "116 123" in everything(at)
    assert "999" in everything(at)


@pytest.mark.parametrize("name", ["talk", "talks", "moods", "plan", "exercises", "choices"])
def test_a_page_that_fails_shows_the_lines_and_no_traceback(
    filled: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    at = opened(monkeypatch, HEARKEN_COUNTRY="GB")
    at.session_state.session = object()
    turn_to(at, name)
    assert "116 123" in everything(at)
    assert "Traceback" not in everything(at)
