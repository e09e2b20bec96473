"""Opening the app and walking through it, for the tests of its pages."""

from pathlib import Path

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

APP = str(Path(__file__).parents[2] / "ui" / "app.py")
WANTS_TO_DIE = "I want to kill myself"


def opened(monkeypatch: pytest.MonkeyPatch, **environment: str) -> AppTest:
    """The app as a new browser session finds it; what is cached for the process is left behind."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    st.cache_resource.clear()
    at = AppTest.from_file(APP, default_timeout=30).run()
    assert not at.exception
    return at


def turn_to(at: AppTest, name: str) -> AppTest:
    at.switch_page(f"screens/{name}.py").run()
    assert not at.exception
    return at


def say(at: AppTest, text: str) -> AppTest:
    at.chat_input[0].set_value(text).run()
    assert not at.exception
    return at


def replies(at: AppTest) -> list[str]:
    return [m.text[0].value for m in at.chat_message if m.name == "assistant"]


def files(at: AppTest) -> list[str]:
    return [button.label for button in at.get("download_button")]


def everything(at: AppTest) -> str:
    return "\n".join(e.value for e in [*at.markdown, *at.caption, *at.text, *at.info, *at.warning])


def literal(text: str) -> str:
    return text.replace("\\", "")
