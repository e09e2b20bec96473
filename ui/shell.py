"""What every page has around it: the look, help, the quick exit, and how safety works.

Knows nothing of what the page between shows.
"""

import json
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from knowledge.helplines import load_helplines
from ui import visit
from ui.page import card, contact_list
from ui.wording import fill, protocol

__all__ = ["KEY", "SIZES", "country_asked", "country_picker", "gone", "header", "in_danger", "look"]

KEY = "F9"  # the key of the quick exit; Esc closes things, and must not close a conversation
SIZES = {"usual": "100%", "larger": "118%", "largest": "136%"}
# In larger letters there is no room for the word of the exit beside Help on a phone; its picture stays.
LARGER = (
    '@media (max-width: 640px) { .st-key-leave [data-testid="stMarkdownContainer"] '
    "{ position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); } }"
)
# Kinds whose lines a person may look for without having said why.
ANY_KIND = ("suicide", "abuse", "minor")


def look() -> None:
    """The sheet of styles, and what the person chose of size and motion."""
    st.html(Path(__file__).parent / "page.css")
    size = SIZES.get(st.session_state.get("size") or "usual", SIZES["usual"])
    still = "* { animation: none !important; transition: none !important; }"
    chosen = f"html {{ font-size: {size} !important; }} {still if st.session_state.get('still') else ''}"
    larger = "" if size == SIZES["usual"] else LARGER
    st.html(f"<style>{chosen} {larger}</style>")


def header() -> None:
    """The title, help and the quick exit, one tap away whatever else is on the page."""
    words, (settings, _) = visit.words(), visit.parts()
    country = visit.session().person.get("country")
    with st.container(key="header", horizontal=True, vertical_alignment="center"):
        st.markdown(f"### {words.title}")
        with st.container(key="header-buttons", horizontal=True, width="content"):
            with st.popover(words.protocol_button, icon=":material/shield:", key="protocol"):
                if settings.operator:
                    st.markdown(words.operator_note)
                st.markdown(f"**{words.protocol}**\n\n{protocol(visit.language())}")
            st.button(
                words.leaving.button,
                key="leave",
                icon=":material/logout:",
                help=words.leaving.help,
                shortcut=KEY,
                on_click=visit.leave,
            )
            with st.popover(words.help_button, icon=":material/call:", key="help", type="primary"):
                if not country:
                    country_picker("help")
                _help_now(country)
                if country:
                    country_picker("help")
    _way_out(now=False)


def gone() -> None:
    """After the quick exit: the way to the neutral page, and nothing else."""
    words, (settings, _) = visit.words(), visit.parts()
    st.markdown(words.leaving.gone)
    st.link_button(words.leaving.link, settings.exit_url)
    _way_out(now=True)


def _way_out(*, now: bool) -> None:
    settings, _ = visit.parts()
    script = (Path(__file__).parent / "page.html").read_text("utf-8")
    filled = fill(script, url=json.dumps(settings.exit_url), now=json.dumps(now))
    st.html(filled, unsafe_allow_javascript=True)  # our own file; the address is the operator's setting


def _help_now(country: str | None) -> None:
    """The country's lines, or the directories while the country is not known."""
    words = visit.words()
    st.markdown(f"**{words.help_title}**")
    st.markdown(words.help_lead)
    found = load_helplines().contacts(country, ANY_KIND, level="imminent", limit=4, now=datetime.now(UTC))
    contact_list([{key: str(value) for key, value in contact.items()} for contact in found])


def country_asked() -> None:
    """Ask for the country, in a card of lines, as long as it is not known."""
    if not visit.session().person.get("country"):
        country_picker("card")


def country_picker(place: str) -> None:
    """Whose helplines are shown. place: where it is asked, as Help asks it beside every page that does."""
    words, key = visit.words(), f"country-{place}"
    st.session_state[key] = st.session_state.get("country") or ""
    names = load_helplines().countries()
    codes = ["", *sorted(names, key=lambda code: names[code])]
    st.selectbox(
        words.country_label,
        codes,
        format_func=lambda code: names.get(code, words.country_unknown),
        help=words.country_help,
        key=key,
        on_change=_country_changed,
        args=(key,),
    )


def _country_changed(key: str) -> None:
    st.session_state.country = st.session_state[key]
    visit.session().set_country(st.session_state.country or None)


def in_danger() -> None:
    """The lines that go with the danger known so far, on a page that is not the conversation."""
    if contacts := visit.session().contacts:
        card(contacts, country_asked)
