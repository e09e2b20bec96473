"""Save this conversation, begin anew, or delete it: what a person must find in a moment.

Knows nothing of what was said in it, nor of where it is kept.
"""

from typing import Any

import streamlit as st

from agent.notes import markdown as noted
from agent.safety_plan import markdown as planned
from graph import Session
from graph.store import spoken
from ui import export, visit

__all__ = ["begin_anew", "this_one"]


def this_one(session: Session) -> None:
    """The button, and all of it behind it."""
    words = visit.words()
    with st.popover(words.talk.this_one, icon=":material/folder_open:", key="unprinted-this-one"):
        st.caption(words.talk.kept if visit.keeping() else words.talk.temporary)
        for label, made, ending, mime in export.files(words.title, spoken(session.messages), words):
            _file(label, made, export.name(ending), mime, f"save-{ending}")
        if plan := session.safety_plan():
            _file(words.plan_save, planned(plan), "safety-plan.md", "text/markdown", "save-plan")
        if notes := _notes(session):
            _file(words.notes_save, noted(notes), "notes.md", "text/markdown", "save-notes")
        st.button(words.new, key="new", width="stretch", on_click=begin_anew)
        if session.keeps:
            st.caption(words.delete_sure)
            st.button(words.delete, key="delete", width="stretch", on_click=_deleted)


def _notes(session: Session) -> dict[str, Any] | None:
    """Notes of the talk, worked out once a turn: every message of a long one is heard again for them."""
    newest = (session.thread, session.messages[-1].id)
    known = st.session_state.get("notes")
    if known is None or known[0] != newest:
        st.session_state.notes = known = (newest, session.notes())
    found: dict[str, Any] | None = known[1]
    return found


def _file(label: str, data: object, name: str, mime: str, key: str) -> None:
    st.download_button(label, data, name, mime, key=key, on_click="ignore", width="stretch")  # type: ignore[arg-type]


def begin_anew() -> None:
    """A new conversation, kept as this one was."""
    visit.restart(keep=bool(st.session_state.get("keep")))


def _deleted() -> None:
    visit.forget(visit.session().thread)
    st.toast(visit.words().deleted)
