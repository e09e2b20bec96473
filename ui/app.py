"""The page: `streamlit run ui/app.py`. A conversation, its helplines, and why each reply came about.

A script of Streamlit's, run anew at every touch; what lasts is in st.session_state of this browser
session alone. Nobody's words go into caches, logs, titles or URLs.
"""

import logging

import streamlit as st

from agent.errors import HearkenError
from agent.settings import Settings, load_settings
from graph import CardShown, Done, Said, Services, Session, StepStarted
from graph.services import from_settings, warm
from ui import page
from ui.wording import fill, load_ui_words

log = logging.getLogger("hearken")


@st.cache_resource(show_spinner=False)
def _services() -> tuple[Settings, Services]:
    settings = load_settings()
    return settings, from_settings(settings)


@st.cache_resource(show_spinner=False)
def _warm() -> list[str]:
    """Once a process: what a first reply would load. Problems are told, not raised."""
    return warm(_services()[1])


def main() -> None:
    """Lay the page out; then, if something was written, answer it."""
    words = load_ui_words()
    st.set_page_config(page_title=words.title, page_icon=":material/forum:", layout="centered")
    settings, services = _services()
    if "session" not in st.session_state:
        _restart()
    session: Session = st.session_state.session
    st.session_state.setdefault("country", session.person.get("country", ""))
    page.sidebar(settings, session, restart=_restart)
    page.header(session.person.get("country"), chooses=bool(session.messages), operator=settings.operator)
    if session.messages:
        page.reminders(st.session_state.reminders.get("", []))
    else:
        restricted = settings.jurisdiction == "restricted"
        page.welcome(operator=settings.operator, restricted=restricted, away=services.away)
    for number, message in enumerate(session.messages):
        if message.type == "human":
            page.said(str(message.content))
        else:
            turn = st.session_state.turns.get(message.id)
            page.replied(message, turn, number, developer=st.session_state.get("developer", False))
            page.reminders(st.session_state.reminders.get(message.id, []))
    page.pinned(session)
    suggested = page.suggestions() if not session.messages else None
    written = st.chat_input(words.input_label, key="input")
    for problem in _warm():
        st.caption(fill(words.problem, problem=problem))
    said = written if written is not None else suggested
    if said is not None:
        _answer(session, said)
        st.rerun()


def _restart(*, keep: bool = False, thread: str | None = None) -> None:
    """A new conversation, or a kept one to go on with."""
    settings, services = _services()
    country = st.session_state.get("country") or settings.country
    if "session" in st.session_state:
        st.session_state.session.close()
    st.session_state.session = Session.open(
        country=country, keep=keep, thread=thread, services=services, settings=settings
    )
    st.session_state.turns = {}
    st.session_state.facets = {}
    # by the message they came after; the first is what the opening of the page says
    st.session_state.reminders = {"": st.session_state.session.due()}


def _answer(session: Session, said: str) -> None:
    """One turn: its steps, then each guarded sentence as it comes, then the card."""
    words = load_ui_words()
    page.said(said)
    with page.listener():
        status, place, card = st.status(words.steps["perceive"]), st.empty(), st.container()
        shown: list[str] = []
        for event in session.stream(said):
            match event:
                case StepStarted(name):
                    status.update(label=words.steps.get(name, name))
                case CardShown(contacts):
                    with card:
                        page.card(contacts)
                case Said(sentence):
                    shown.append(sentence)
                    place.text(" ".join(shown))
                case Done(turn):
                    status.update(label=words.step_done, state="complete")
                    st.session_state.turns[session.messages[-1].id] = turn
                    st.session_state.reminders[session.messages[-1].id] = session.due()


def _edge() -> None:
    """The outermost edge: whatever breaks, a kind sentence and the helplines, never a traceback."""
    try:
        main()
    except HearkenError as error:
        st.warning(str(error))
        page.fallback(st.session_state.get("country"))
    except Exception as error:  # noqa: BLE001 - the outermost edge; its text may hold what was written
        log.error("the page failed: %s", type(error).__name__)
        page.fallback(st.session_state.get("country"))


_edge()
