"""One browser session: its conversation, its words and its choices, in st.session_state and nowhere else.

What is cached for the process holds nobody's words. Knows nothing of how anything is shown.
"""

import sqlite3
from contextlib import suppress
from pathlib import Path

import streamlit as st

from agent.backends import Backend
from agent.errors import PassphraseError
from agent.exercises import tongues
from agent.settings import Settings, load_settings
from graph import Services, Session, sealing, shelf
from graph.backends import chosen
from graph.services import from_settings, reworded, warm
from graph.vault import Key
from ui.wording import UiWords, load_ui_words

__all__ = [
    "FAILURES",
    "backend",
    "begin",
    "change_passphrase",
    "decrypt",
    "encrypt",
    "forget",
    "heard",
    "keeping",
    "key",
    "language",
    "leave",
    "lock",
    "locked",
    "parts",
    "restart",
    "sealed",
    "services",
    "session",
    "store",
    "tongue",
    "unlock",
    "use",
    "warmed",
    "words",
]

FAILURES = (OSError, sqlite3.Error)  # what the disk may raise
# Choices that outlive the widget they were made with, which another page does not draw.
LASTING = ("age", "country", "developer", "keep", "language", "length", "size", "still")


@st.cache_resource(show_spinner=False)
def _started() -> tuple[Settings, Services, Backend]:
    settings = load_settings()
    return settings, from_settings(settings), chosen(settings)


def parts() -> tuple[Settings, Services]:
    """The settings of this process and the functions they ask for."""
    settings, services, _ = _started()
    return settings, services


def services() -> Services:
    """The functions of this browser session: those of the process, but for who words its replies."""
    found: Services = st.session_state.get("services") or parts()[1]
    return found


def backend() -> Backend:
    """Who words the replies of this browser session."""
    found: Backend = st.session_state.get("backend") or _started()[2]
    return found


def use(backend: Backend) -> None:
    """Let it word the replies of this browser session, its open conversation's too, and of no other."""
    settings, base = parts()
    changed = reworded(base, backend, settings)
    session().use(changed)
    st.session_state.services, st.session_state.backend = changed, backend


@st.cache_resource(show_spinner=False)
def warmed() -> list[str]:
    """Once a process: what a first reply would load. Problems are told, not raised."""
    return warm(parts()[1])


def language() -> str:
    """The language chosen for the pages, as a code."""
    return st.session_state.get("language") or "en"


def tongue() -> str:
    """The language of the exercises and of the plan's steps: the one chosen, or English where it has none."""
    return language() if language() in tongues() else "en"


def words() -> UiWords:
    """The words of the language chosen."""
    return load_ui_words(language())


def session() -> Session:
    """The conversation of this browser session."""
    found: Session = st.session_state.session
    return found


def store() -> Path:
    """The file of what is kept; it may not be there."""
    return parts()[0].conversations_db


def key() -> Key | None:
    """The key to what is kept, of this browser session alone; None where it is plain, or still locked."""
    if passphrase := parts()[0].store_passphrase:
        with suppress(PassphraseError, *FAILURES):
            return sealing.own_key(store(), passphrase) if store().exists() else None
    found: Key | None = st.session_state.get("vault-key")
    return found


def sealed() -> bool:
    """Whether what is kept is encrypted."""
    with suppress(*FAILURES):
        return sealing.encrypted(store())
    return False


def locked() -> bool:
    """Whether what is kept is encrypted, and was not opened in this browser session."""
    with suppress(*FAILURES):
        return sealing.locked(store(), key())
    return False


def unlock(passphrase: str) -> None:
    """Open what is kept for this browser session. Raises PassphraseError."""
    st.session_state["vault-key"] = sealing.unlock(store(), passphrase)


def lock() -> None:
    """Forget the key; a kept conversation that is open is left."""
    st.session_state.pop("vault-key", None)
    st.session_state.keep = False
    if session().keeps:
        restart()


def encrypt(passphrase: str) -> None:
    """Encrypt what is kept, and go on keeping under it. Raises PassphraseError, OSError or sqlite3.Error."""
    found = sealing.encrypt(store(), passphrase)
    st.session_state["vault-key"] = found
    session().use_key(found)


def change_passphrase(current: str, new: str) -> None:
    """Another passphrase for what is kept. Raises as `encrypt` does."""
    sealing.change(store(), sealing.unlock(store(), current), new)


def decrypt(current: str) -> None:
    """Keep everything in the clear again. Raises as `encrypt` does."""
    sealing.decrypt(store(), sealing.unlock(store(), current))
    st.session_state.pop("vault-key", None)
    session().use_key(None)


def begin() -> None:
    """Before anything is drawn: choices hold, what is too old goes, and there is a conversation."""
    state = st.session_state
    for key in LASTING:
        if key in state:
            state[key] = state[key]
    if "session" not in state:
        with suppress(*FAILURES):  # what is too old goes the next time then
            sealing.tidy(store())
            shelf.expire(store())
        restart()
    state.setdefault("country", session().person.get("country", ""))


def restart(*, keep: bool = False, thread: str | None = None) -> None:
    """A new conversation, or a kept one to go on with. What somebody under 18 writes is never kept."""
    settings, state = parts()[0], st.session_state
    young = state.get("age") == "under"
    if "session" in state:
        state.session.close()
    keep = keep and not (young or locked() or settings.shared)
    if keep:
        _agreed()
    state.session = Session.open(
        country=state.get("country") or settings.country,
        keep=keep,
        thread=thread,
        services=services(),
        settings=settings,
        key=key(),
    )
    if young and not thread:
        state.session.set_young()
    if state.get("length"):
        state.session.set_length(state.length)
    if state.get("language"):
        state.session.set_language(state.language)
    state.turns, state.facets = {}, {}
    state.marks = shelf.marks(settings.conversations_db, thread) if thread else {}
    # by the message they came after; the first is what the opening of the page says
    state.reminders = {"": state.session.due()}
    state.pop("everything", None)


def answered_in() -> None:
    """The language chosen is also that of the replies, from the next one on."""
    session().set_language(st.session_state.language)


def keeping() -> bool:
    """Whether what is done in this conversation may be written to disk."""
    return session().keeps and session().saved


def heard() -> list[tuple[str, str]]:
    """(ISO time, name) of the feelings heard in this browser session's conversations that are not kept."""
    found: list[tuple[str, str]] = st.session_state.setdefault("heard", [])
    return found


def forget(thread: str) -> None:
    """Erase a kept conversation and all that is kept about it; the open one is begun anew."""
    mine = session().thread == thread
    if mine:
        session().delete()
    shelf.erase(store(), thread)
    if mine:
        restart(keep=bool(st.session_state.get("keep")))


def leave() -> None:
    """The quick exit: nothing of this browser session is left, and a page elsewhere is asked for."""
    if "session" in st.session_state:
        st.session_state.session.close()
    st.session_state.clear()
    st.session_state.left = True


def _agreed() -> None:
    with suppress(*FAILURES):  # the conversation itself says when it is not being saved
        shelf.consent(store())
