"""The conversation: what was said, the reply as it comes, and what can be done with either.

The first page, and the one that opens. Knows nothing of how a reply is made.
"""

from collections.abc import Sequence
from contextlib import closing

import streamlit as st
from langchain_core.messages import AnyMessage

from graph import CardShown, Done, Said, Session, StepStarted
from graph.moods import hear
from graph.shelf import iso
from ui import page, replying, visit
from ui.locking import ask
from ui.save_or_delete import begin_anew, this_one
from ui.shell import country_asked, country_picker
from ui.wording import about, fill, languages, plain, shown

__all__ = ["main"]

# So many of the newest messages are drawn; the others on request, so that a long talk stays quick.
DRAWN = 40


def main() -> None:
    """Lay the conversation out; then, if something was written, answer it."""
    words, session, state = visit.words(), visit.session(), st.session_state
    sidebar(session)
    messages = session.messages
    said = state.pop("pending", None)
    if not messages and said is None:
        if (first := welcome()) is not None:
            state.pending = first
            st.rerun()
        return
    page.reloaded("kept" if visit.keeping() else "temporary")
    page.reminders(state.reminders.get("", []))
    history(messages)
    if messages:
        this_one(session)
    pinned(session)
    written = st.chat_input(words.input_label, key="input", submit_mode="stop")
    _problems()
    said = said if written is None else written
    if said is not None:
        answer(session, said)
        st.rerun()
    latest = state.turns.get(messages[-1].id)
    page.announce(str(messages[-1].content) if latest else "", latest.card if latest else [])


def _problems() -> None:
    for problem in visit.warmed():
        st.caption(fill(visit.words().problem, problem=problem))


def welcome() -> str | None:
    """What this is and is not, who may read along, a place to write, and what may be chosen; the first words.

    The place to write stands in the page here, not below it: a page that is pinned to its end would hide
    how it begins.
    """
    words, settings, services = visit.words(), visit.parts()[0], visit.services()
    language = visit.language()
    lines = about(operator=settings.operator, away=services.away, language=language)
    page.reloaded("")
    st.markdown(f"**{words.tagline}**")
    st.markdown(" ".join(lines[:2]))
    st.markdown(" ".join(map(plain, lines[2:]) if services.away else lines[2:]))
    if settings.jurisdiction == "restricted":
        st.markdown(words.about_restricted)
    with st.container(key="first"):
        written = st.chat_input(words.input_label, key="input")
    ask()
    if visit.store().exists():  # what was kept is found, saved and deleted within three taps
        st.page_link("screens/talks.py", label=words.nav.talks, icon=":material/folder_open:")
    suggested = st.pills(words.suggestions_label, words.suggestions, key="suggestion")
    st.caption(words.start.lead)
    if language != "en":
        st.caption(words.start.spoken)
    _choices()
    _problems()
    return suggested if written is None else written


def _choices() -> None:
    """Country, age, language, and whether this is kept; each has an answer already."""
    words = visit.words()
    left, right = st.columns(2)
    with left:
        country_picker("start")
        st.toggle(
            words.keep_label,
            key="keep",
            help=words.locking.keep_help if visit.sealed() else words.keep_help,
            on_change=_begun_anew,
            disabled=st.session_state.get("age") == "under" or visit.locked() or visit.parts()[0].shared,
        )
        if visit.session().keeps:  # what is agreed to stands in sight, and not behind a mark alone
            st.caption(words.locking.keep_help if visit.sealed() else words.keep_help)
    with right:
        st.selectbox(
            words.start.age_label,
            list(words.start.ages),
            format_func=lambda key: words.start.ages[key],
            key="age",
            on_change=_begun_anew,
        )
        if len(languages()) > 1:
            st.selectbox(
                words.start.language_label,
                list(languages()),
                format_func=lambda code: languages()[code],
                key="language",
                on_change=visit.answered_in,
            )
    if st.session_state.get("age") == "under":
        st.info(words.start.young)
    if not visit.session().saved:
        st.warning(words.not_saved)


def _begun_anew() -> None:
    """Before the first word the choices are made by opening the conversation again."""
    visit.restart(keep=bool(st.session_state.get("keep")))


def history(messages: Sequence[AnyMessage]) -> None:
    """Everything said, oldest first; the beginning of a long talk on request."""
    words, state = visit.words(), st.session_state
    hidden = 0 if state.get("everything") else max(len(messages) - DRAWN, 0)
    if hidden and st.button(fill(words.talk.earlier, count=hidden), key="earlier"):
        state.everything = True
        st.rerun()
    for number, message in enumerate(messages):
        if number < hidden:
            continue
        if message.type == "human":
            page.said(str(message.content))
            if number == len(messages) - 1:
                replying.unanswered()
            continue
        turn = state.turns.get(message.id)
        with page.listener():
            last = number == len(messages) - 1
            pinned_below = last and turn is not None and turn.card == visit.session().contacts
            page.replied(
                message,
                turn,
                number,
                carded=not pinned_below,
                developer=bool(state.get("developer")),
                last=last,
            )
            replying.below(message, last=last, worded=turn is None or "respond" in turn.path)
        page.reminders(state.reminders.get(message.id, []))


def pinned(session: Session) -> None:
    """Under danger the lines of the country chosen now stand last, beside the input, as long as it holds."""
    if session.contacts:
        page.card(session.contacts, country_asked)


def sidebar(session: Session) -> None:
    """Whether this is being kept, a way to begin anew, and the developer depth where it is offered."""
    words, (settings, _) = visit.words(), visit.parts()
    with st.sidebar:
        st.caption(words.talk.kept if visit.keeping() else words.talk.temporary)
        if session.messages and not session.saved:
            st.warning(words.not_saved)
        if session.messages:
            st.button(words.new, key="new-aside", width="stretch", on_click=begin_anew)
        if settings.developer or st.query_params.get("developer") == "1":
            st.toggle(words.developer_label, key="developer")


def answer(session: Session, said: str) -> None:
    """One turn: its steps, then each guarded sentence as it comes, then the card."""
    words, state = visit.words(), st.session_state
    page.said(said)
    with page.listener(), closing(session.stream(said)) as stream:
        status, place, card = st.status(words.steps["perceive"]), st.empty(), st.container()
        sentences: list[str] = []
        for event in stream:
            match event:
                case StepStarted(name):
                    status.update(label=words.steps.get(name, name))
                case CardShown(contacts):
                    with card:
                        page.card(contacts)
                case Said(sentence):
                    sentences.append(sentence)
                    place.text(shown(" ".join(sentences)))
                case Done(turn):
                    status.update(label=words.step_done, state="complete")
                    state.turns[session.messages[-1].id] = turn
                    state.reminders[session.messages[-1].id] = session.due()
                    _felt(session, turn.reading["emotions"][0]["label"] if turn.reading["sure"] else "")


def _felt(session: Session, feeling: str) -> None:
    """The name of a feeling heard, for the page of how somebody has been; on disk only where this talk is."""
    if not feeling:
        return
    if not visit.keeping():
        visit.heard().append((iso(), feeling))
        return
    try:
        hear(visit.store(), session.thread, feeling, key=visit.key())
    except visit.FAILURES:
        visit.heard().append((iso(), feeling))


if __name__ == "__main__":
    main()
