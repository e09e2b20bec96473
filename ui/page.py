"""The pieces of the page: header, help, cards, messages, the panel. Knows nothing of how a reply is made.

What people and models write is shown as text and never meets Markdown or HTML, so that nothing in it
becomes a link, an image or markup.
"""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import streamlit as st
from langchain_core.messages import AnyMessage
from streamlit.delta_generator import DeltaGenerator

from agent.errors import EncoderError
from agent.notes import markdown as noted
from agent.responders.handoff import OPERATOR
from agent.responders.static import static_reply
from agent.safety_plan import markdown
from agent.settings import Settings, load_settings
from graph import Session, Turn
from graph.read import explained
from graph.reminders import Reminder
from graph.store import erase, listed
from knowledge.helplines import load_helplines
from ui import explain
from ui.wording import about, fill, load_ui_words, protocol, reminded

__all__ = [
    "card",
    "fallback",
    "header",
    "pinned",
    "plain",
    "reminders",
    "replied",
    "said",
    "sidebar",
    "suggestions",
    "welcome",
]

Restart = Callable[..., None]
# Longer messages are shown folded, so that the reply stays in sight on a phone.
FOLD = 1200
# Kinds whose lines a person may look for without having said why.
ANY_KIND = ("suicide", "abuse", "minor")


def plain(text: str) -> str:
    """`text`, from our own files, as Markdown that shows it literally."""
    return re.sub(r"([\\`*_{}\[\]()<>#+\-.!|~:$&=])", r"\\\1", text)


def shown(text: str) -> str:
    """What a person wrote, as it can be shown: without null bytes, and never empty."""
    return text.replace("\x00", "").strip() or "…"


def header(country: str | None, *, chooses: bool, operator: bool = False) -> None:
    """The title, and help one tap away whatever else is on the page."""
    words = load_ui_words()
    with st.container(key="header", horizontal=True, vertical_alignment="center"):
        st.markdown(f"### {words.title}")
        with st.container(key="header-buttons", horizontal=True, width="content"):
            with st.popover(words.protocol_button, icon=":material/shield:", key="protocol"):
                if operator:
                    st.markdown(words.operator_note)
                st.markdown(f"**{words.protocol}**\n\n{protocol()}")
            with st.popover(words.help_button, icon=":material/call:", key="help"):
                if chooses:
                    country_picker()
                help_now(country)
    st.html(Path(__file__).parent / "page.html")


def help_now(country: str | None) -> None:
    """The country's lines, or the directories while the country is not known."""
    words = load_ui_words()
    st.markdown(f"**{words.help_title}**")
    st.markdown(words.help_lead)
    registry = load_helplines()
    found = registry.contacts(country, ANY_KIND, level="imminent", limit=4, now=datetime.now(UTC))
    contacts = [{key: str(value) for key, value in contact.items()} for contact in found]
    _contacts(contacts)


def card(contacts: Sequence[dict[str, str]]) -> None:
    """The helplines that go with a reply."""
    with st.container(border=True):
        st.markdown(f"**{load_ui_words().card_title}**")
        _contacts(contacts)


def _contacts(contacts: Sequence[dict[str, str]]) -> None:
    words = load_ui_words()
    for contact in contacts:
        ways = []
        if contact["phone"]:
            number = contact["phone"]
            ways.append(f"[{plain(fill(words.call, number=number))}](tel:{re.sub(r'[^0-9+]', '', number)})")
        if contact["sms"]:
            to = re.findall(r"\d[\d -]+\d|\d+", contact["sms"])
            label = plain(fill(words.text, number=contact["sms"]))
            ways.append(f"[{label}](sms:{re.sub(r'[^0-9+]', '', to[-1])})" if to else label)
        if contact["chat_url"]:
            ways.append(f"[{words.chat}]({contact['chat_url']})")
        when = plain(fill(words.hours, hours=contact["hours"])) if contact["hours"] else ""
        note = f"**{plain(contact['note'])}**" if contact["note"] else ""
        st.markdown(f"**{plain(contact['name'])}**  \n{' · '.join(filter(None, [*ways, when, note]))}")
    if not any(contact["phone"] or contact["sms"] for contact in contacts):
        st.markdown(words.help_none)
    elif not any(contact["verified_at"] for contact in contacts):
        st.caption(words.undialled)


def welcome(*, operator: bool, restricted: bool = False, away: str = "") -> None:
    """What this is and is not, and who may read along, before the first word."""
    words = load_ui_words()
    lines = about(operator=operator, away=away)
    st.markdown(f"**{words.tagline}**")
    st.markdown(" ".join(lines[:2]))
    st.markdown(" ".join(map(plain, lines[2:]) if away else lines[2:]))
    if restricted:
        st.markdown(words.about_restricted)
    country_picker()


def country_picker() -> None:
    """Whose helplines are shown; on the first screen, and later inside Help."""
    words = load_ui_words()
    names = load_helplines().countries()
    codes = ["", *sorted(names, key=lambda code: names[code])]
    st.selectbox(
        words.country_label,
        codes,
        format_func=lambda code: names.get(code, words.country_unknown),
        help=words.country_help,
        key="country",
        on_change=_country_changed,
    )


def _country_changed() -> None:
    st.session_state.session.set_country(st.session_state.country or None)


def suggestions() -> str | None:
    """First lines to begin with; the one chosen, if any."""
    words = load_ui_words()
    return st.pills(words.suggestions_label, words.suggestions, key="suggestion")


def said(text: str) -> None:
    """The person's message, literally, folded when long."""
    with st.chat_message("user", avatar=":material/person:"):
        if len(text) <= FOLD:
            st.text(shown(text))
            return
        with st.expander(plain(shown(text)[:120].replace("\n", " ")) + " …"):
            st.text(shown(text))


def listener() -> DeltaGenerator:
    """The place for a message of ours."""
    return st.chat_message("assistant", avatar=":material/hearing:")


def replied(message: AnyMessage, turn: Turn | None, number: int, *, developer: bool) -> None:
    """A reply, the card shown with it, and why it came about; a person's own words are marked as theirs."""
    with listener():
        if message.name == OPERATOR:
            st.caption(load_ui_words().operator_said)
        st.text(str(message.content))
        if turn is not None and turn.card:
            card(turn.card)
        if turn is not None and turn.plan["move"] == "library" and turn.sources:
            st.caption(load_ui_words().library_title)
            for passage in turn.sources:
                with st.expander(plain(passage["question"]), icon=":material/menu_book:"):
                    st.text(passage["text"])
        if turn is not None and message.name != OPERATOR:
            _why(turn, number, developer=developer)


def reminders(due: Sequence[Reminder]) -> None:
    """What is said again while somebody stays."""
    for sentence in reminded(due):
        st.info(plain(sentence), icon=":material/info:")


def _why(turn: Turn, number: int, *, developer: bool) -> None:
    words = load_ui_words()
    with st.expander(words.why_title, icon=":material/help:", key=f"why-{number}"):
        for sentence in explain.sentences(turn):
            st.markdown(plain(sentence))
        for line, passage in zip(explain.sources(turn), turn.sources, strict=True):
            st.markdown(f"**{plain(line)}**")
            st.text(passage["question"])
            st.text(passage["text"])
        if developer:
            _facets(turn, number)
            st.json(explain.details(turn), expanded=1)


def _facets(turn: Turn, number: int) -> None:
    """Each facet's sentence, worked out once a turn; a model that cannot be read is told of above already."""
    known = st.session_state.facets
    if number not in known:
        try:
            known[number] = explain.facets(turn, partial(explained, settings=load_settings(), passes=False))
        except EncoderError:
            known[number] = []
    for sentence in known[number]:
        st.text(sentence)


def pinned(session: Session) -> None:
    """Under crisis care the lines of the country chosen now stay beside the input."""
    contacts = session.contacts
    latest = st.session_state.turns.get(session.messages[-1].id) if session.messages else None
    if contacts and not (latest is not None and latest.card == contacts):
        card(contacts)


def sidebar(settings: Settings, session: Session, *, restart: Restart) -> None:
    """Keeping, starting over, kept conversations, developer depth."""
    words = load_ui_words()
    with st.sidebar:
        keep = st.toggle(words.keep_label, key="keep", help=words.keep_help, disabled=bool(session.messages))
        if keep != session.keeps and not session.messages:
            restart(keep=keep)
            st.rerun()
        if not session.saved:
            st.warning(words.not_saved)
        if st.button(words.new, key="new", use_container_width=True):
            restart(keep=keep)
            st.rerun()
        if session.keeps and session.messages:
            with st.popover(words.delete, use_container_width=True):
                st.markdown(words.delete_sure)
                if st.button(words.delete_short, key="delete"):
                    session.delete()
                    restart(keep=keep)
                    st.rerun()
        if plan := session.safety_plan():
            st.download_button(
                words.plan_save, markdown(plan), "safety-plan.md", "text/markdown", use_container_width=True
            )
        if notes := session.notes():
            st.download_button(
                words.notes_save, noted(notes), "notes.md", "text/markdown", use_container_width=True
            )
        _kept(settings, session, restart)
        if settings.developer or st.query_params.get("developer") == "1":
            st.toggle(words.developer_label, key="developer")


def _kept(settings: Settings, session: Session, restart: Restart) -> None:
    words = load_ui_words()
    conversations = [pair for pair in listed(settings.conversations_db) if pair[0] != session.thread]
    if not conversations:
        return
    st.caption(words.kept_label)
    for thread, when in conversations[:10]:
        left, right = st.columns([3, 2])
        if left.button(when[:16].replace("T", " "), key=f"open-{thread}", help=words.kept_open):
            restart(keep=True, thread=thread)
            st.rerun()
        if right.button(words.delete_short, key=f"erase-{thread}"):
            erase(settings.conversations_db, thread)
            st.toast(words.deleted)
            st.rerun()


def fallback(country: str | None) -> None:
    """Help when the page itself has failed; leans on no file."""
    sentences, contacts = static_reply(country, "imminent")
    st.warning(" ".join(sentences))
    for contact in contacts:
        st.text(" ".join(filter(None, [contact["name"], contact["phone"], contact["chat_url"]])))
