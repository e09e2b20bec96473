"""What a person can do with a reply: mark it, ask for other words, change their message, report it.

Nothing of it is written to disk unless the conversation is kept. Knows nothing of how a reply comes about.
"""

from typing import Literal

import streamlit as st
from langchain_core.messages import AnyMessage

from graph import shelf
from graph.shelf import Report
from ui import export, visit

__all__ = ["below", "unanswered"]


def below(message: AnyMessage, *, last: bool, worded: bool) -> None:
    """Under a reply. last: the newest one, which can be changed. worded: it has other words to offer."""
    words = visit.words().talk
    with st.container(horizontal=True, vertical_alignment="center", key=f"unprinted-{message.id}"):
        key = f"mark-{message.id}"
        known = st.session_state.marks.get(message.id)
        if key not in st.session_state and known is not None:
            st.session_state[key] = known
        st.feedback("thumbs", key=key, on_change=_marked, args=(str(message.id),))
        late: Literal["ignore", "rerun"] = "ignore" if last else "rerun"
        icon, key = ":material/more_horiz:", f"more-{message.id}"
        with st.popover(words.more, icon=icon, type="tertiary", key=key, on_change=late) as shown:
            if not last and not shown.open:
                return  # filled when it is opened, so that a long talk stays quick
            if last:
                if worded:
                    st.button(
                        words.again, key="again", help=words.again_help, on_click=_again, width="stretch"
                    )
                if st.button(words.edit, key="edit", width="stretch"):
                    _edit()
            if st.button(words.report, key=f"report-{message.id}", width="stretch"):
                _report(message)
            st.caption(words.copy_reply)
            st.code(str(message.content), language=None, wrap_lines=True)


def unanswered() -> None:
    """Under a message that was stopped before a word of the reply."""
    words = visit.words().talk
    st.caption(words.stopped)
    st.button(words.answer, key="answer", on_click=_again)
    if st.button(words.edit, key="edit"):
        _edit()


def _marked(message: str) -> None:
    value = st.session_state.get(f"mark-{message}")
    st.session_state.marks[message] = value
    if visit.keeping():
        try:
            shelf.mark(visit.store(), visit.session().thread, message, value)
        except visit.FAILURES:
            st.toast(visit.words().not_saved)


def _again() -> None:
    st.session_state.pending = visit.session().turn_down()


def _edit() -> None:
    words = visit.words().talk
    st.dialog(words.edit)(_edited)()


def _edited() -> None:
    words, session = visit.words().talk, visit.session()
    own = [str(one.content) for one in session.messages if one.type == "human"]
    with st.form("edited", border=False):
        st.text_area(words.edit_label, own[-1] if own else "", key="edited-text", height=160)
        if session.contacts:
            st.caption(words.danger_stays)
        if st.form_submit_button(words.edit_send, type="primary", on_click=_resend):
            st.rerun()


def _resend() -> None:
    visit.session().take_back()
    st.session_state.pending = st.session_state["edited-text"]


def _report(message: AnyMessage) -> None:
    st.dialog(visit.words().talk.report)(_reported)(message)


def _reported(message: AnyMessage) -> None:
    """One exchange and what was wrong with it: kept here if they say so, or saved as a file."""
    words = visit.words().talk
    st.markdown(words.report_lead)
    st.text_area(words.report_why, key="report-text")
    if st.button(words.report_keep, key="report-keep", type="primary", on_click=_keep, args=(message,)):
        st.rerun()
    st.download_button(
        words.report_file,
        lambda: export.reported(_told(message)),
        "report.json",
        "application/json",
        key="report-file",
        on_click="ignore",
    )


def _told(message: AnyMessage) -> Report:
    why = st.session_state.get("report-text", "")
    return Report(shelf.iso(), _before(message), str(message.content), why)


def _keep(message: AnyMessage) -> None:
    try:
        shelf.consent(visit.store())
        shelf.report(visit.store(), visit.session().thread, _told(message), key=visit.key())
    except visit.FAILURES:
        st.toast(visit.words().not_saved)
    else:
        st.toast(visit.words().talk.reported)


def _before(message: AnyMessage) -> str:
    """What the person had said that this replies to."""
    said = ""
    for one in visit.session().messages:
        if one.id == message.id:
            break
        if one.type == "human":
            said = str(one.content)
    return said
