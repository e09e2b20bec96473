"""The page: `streamlit run ui/app.py`. What stands around every page, and the pages themselves.

A script of Streamlit's, run anew at every touch; what lasts is in st.session_state of this browser
session alone. Nobody's words go into caches, logs, titles or URLs.
"""

import logging
import os
import sys
from pathlib import Path

import streamlit as st

from agent.errors import HearkenError
from ui.fallback import fallback, loading
from ui.wording import load_ui_words

log = logging.getLogger("hearken")

# A file of ours: a named icon would be fetched from a host elsewhere, and nothing here goes to the network.
ICON = Path(__file__).parent / "icon.png"
SCREENS = Path(__file__).parent / "screens"
TALK = "talk"
ICONS = {
    TALK: "forum",
    "talks": "folder_open",
    "moods": "show_chart",
    "plan": "checklist",
    "exercises": "self_improvement",
    "choices": "tune",
}


def main() -> None:
    """Help first, then the page that was asked for."""
    words = load_ui_words()
    st.set_page_config(page_title=words.title, page_icon=ICON, layout="centered")
    # A first start loads for seconds. Nobody who cannot wait should have to.
    waiting = None if "graph" in sys.modules else st.empty()
    if waiting:
        with waiting.container():
            loading(words.title, words.loading, os.environ.get("HEARKEN_COUNTRY"))
    from ui import shell, visit

    visit.parts()
    if waiting:
        waiting.empty()
    if st.session_state.get("left"):
        shell.gone()
        return
    visit.begin()
    names = visit.words().nav
    chosen = st.navigation(
        [
            st.Page(
                SCREENS / f"{name}.py",
                title=getattr(names, name),
                icon=f":material/{icon}:",
                url_path=name,
                default=name == TALK,
            )
            for name, icon in ICONS.items()
        ]
    )
    shell.look()
    shell.header()
    if chosen.title != names.talk:  # where they stand beside the input
        shell.in_danger()
    chosen.run()


def _edge() -> None:
    """The outermost edge: whatever breaks, a kind sentence and the helplines, never a traceback."""
    try:
        main()
    except HearkenError as error:
        st.warning(str(error))
        fallback(st.session_state.get("country"))
    except Exception as error:  # noqa: BLE001 - the outermost edge; its text may hold what was written
        log.error("the page failed: %s", type(error).__name__)
        fallback(st.session_state.get("country"))


_edge()
