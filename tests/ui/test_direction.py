"""Text that runs from the right is shown so, whatever the language of the page."""

import re
from pathlib import Path

CSS = (Path(__file__).parents[2] / "ui" / "page.css").read_text("utf-8")


def test_what_is_said_runs_by_its_own_first_letter() -> None:
    found = re.search(r"([^{}]*)\{[^}]*unicode-bidi: plaintext; text-align: start;[^}]*\}", CSS)
    assert found
    assert '[data-testid="stText"]' in found[1]
    assert '[data-testid="stMarkdownContainer"] p' in found[1]
