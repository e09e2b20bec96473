"""The passphrase of what is kept, on the page: asked for where that is locked, set, changed and taken away.

A passphrase goes to graph.sealing and stays nowhere: in no cache, no log, no page, and the browser is
asked not to remember it. Help and a temporary conversation need none. Knows nothing of ciphers.
"""

from collections.abc import Callable

import streamlit as st

from agent.errors import PassphraseError
from graph.vault import SHORTEST
from ui import visit
from ui.page_words import Locking
from ui.wording import fill, plain

__all__ = ["ask", "passphrase"]


def _words() -> Locking:
    return visit.words().locking


def ask() -> None:
    """Where what is kept is locked: the field that opens it. It can be left alone."""
    if told := st.session_state.pop("lock-told", ""):
        st.success(plain(told))
    if not visit.locked():
        return
    words = _words()
    with st.container(border=True, key="unprinted-locked"):
        st.markdown(f":material/lock: **{words.asked}**")
        with st.form("unlock", border=False, clear_on_submit=True, height="content"):
            typed = _field(words.passphrase, "unlock-passphrase")
            sent = st.form_submit_button(words.open, type="primary", key="unlock-do")
        st.caption(words.asked_lead)
        if sent:
            _done(lambda: visit.unlock(typed), words.opened)


def passphrase() -> None:
    """On the page of settings: whether what is kept is encrypted, and all that can be done about it."""
    words = _words()
    st.markdown(f"**{words.title}**")
    if visit.parts()[0].store_passphrase:
        st.caption(words.by_server)
        return
    ask()
    if visit.locked():
        return
    if not visit.sealed():
        st.markdown(words.none)
        with st.expander(words.set, icon=":material/lock:"):
            st.markdown(fill(words.lead, shortest=SHORTEST))
            _set()
        return
    st.markdown(words.on)
    st.button(words.lock, key="lock-now", icon=":material/lock:", on_click=visit.lock)
    with st.expander(words.change):
        _change()
    with st.expander(words.remove):
        _remove()


def _field(label: str, key: str) -> str:
    """What is typed is hidden, and no browser of a shared device is to offer it again."""
    return st.text_input(label, type="password", key=key, max_chars=1000, autocomplete="off")


def _new(form: str, act: str, *, now: bool) -> tuple[str, str] | None:
    """(the passphrase until now, the new one) when both were given, and the new one twice alike."""
    words = _words()
    with st.form(form, border=False, clear_on_submit=True):
        current = _field(words.current, f"{form}-current") if now else ""
        first = _field(words.new, f"{form}-new")
        second = _field(words.again, f"{form}-again")
        st.caption(words.forgotten)
        sent = st.form_submit_button(act, type="primary", key=f"{form}-do")
    if not sent:
        return None
    if first.strip() != second.strip() or len(first.strip()) < SHORTEST:
        short = len(first.strip()) < SHORTEST
        st.warning(plain(fill(words.short, shortest=SHORTEST) if short else words.differ))
        return None
    return current, first


def _set() -> None:
    if given := _new("lock-set", _words().set_do, now=False):
        _done(lambda: visit.encrypt(given[1]), _words().set_done)


def _change() -> None:
    if given := _new("lock-change", _words().change_do, now=True):
        _done(lambda: visit.change_passphrase(*given), _words().change_done)


def _remove() -> None:
    words = _words()
    st.markdown(words.remove_sure)
    with st.form("lock-remove", border=False, clear_on_submit=True):
        current = _field(words.current, "lock-remove-current")
        sent = st.form_submit_button(words.remove_do, key="lock-remove-do")
    if sent:
        _done(lambda: visit.decrypt(current), words.remove_done)


def _done(call: Callable[[], None], told: str) -> None:
    """Do it and draw the page anew; or say in one sentence why it was not done."""
    words = _words()
    try:
        with st.spinner(words.working):
            call()
    except PassphraseError:
        st.warning(plain(words.wrong))
        return
    except visit.FAILURES:
        st.warning(plain(visit.words().talks.disk))
        return
    st.session_state["lock-told"] = told  # in the page: a toast is gone before it is read aloud
    st.rerun()
