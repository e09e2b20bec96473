"""The operator's page: `hearken console`. Who waits for a person; read, take over, answer, hand back. And
beside it: counts of turns without any text, runs of conversation scripts, and a check of every part.

A script of Streamlit's, apart from the person's page and off unless HEARKEN_OPERATOR=true. It asks for no
password: whoever can open it can read. Knows the desk, and nothing of how a turn comes about.
"""

import sqlite3
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import streamlit as st

from agent.errors import HearkenError
from agent.settings import load_settings
from agent.words import Strict, load
from graph.audit import counts
from graph.desk import Desk, Waiting
from ui.scripting import Checks, Scripts, check, scripts
from ui.wording import fill

__all__ = ["ConsoleWords", "load_console_words", "main"]

# Seconds between two looks at the desk.
EVERY = 3


class Counts(Strict):
    """Words of the counts; `groups` as graph.audit.counts names them."""

    tab: str
    lead: str
    missing: str
    none: str
    unreadable: str
    year: str
    groups: dict[str, str]
    count: str


class ConsoleWords(Strict):
    """Schema of ui/words/console.yaml."""

    title: str
    switched_off: str
    lead: str
    none: str
    unreadable: str
    who: str
    country_unknown: str
    states: dict[str, str]
    conversation: str
    roles: dict[str, str]
    take: str
    back: str
    answer: str
    send: str
    late: str
    desk: str
    counts: Counts
    scripts: Scripts
    checks: Checks


def load_console_words() -> ConsoleWords:
    """The page's words; WordsError names file and key when they do not fit."""
    return load("console.yaml", ConsoleWords, Path(__file__).parent / "words")


def main() -> None:
    """Lay the page out."""
    words = load_console_words()
    st.set_page_config(
        page_title=words.title, page_icon=Path(__file__).parent / "icon.png", layout="centered"
    )
    st.html(Path(__file__).parent / "page.css")
    st.markdown(f"### {words.title}")
    try:
        settings = load_settings()
    except HearkenError as error:
        st.warning(str(error))
        return
    if not settings.operator:
        st.info(words.switched_off)
        return
    desk, counted, runs, checks = st.tabs([words.desk, words.counts.tab, words.scripts.tab, words.checks.tab])
    with desk:
        st.markdown(words.lead)
        _desk(Desk(settings.desk_db, passphrase=settings.store_passphrase), words)
    with counted:
        _counts(settings.audit_dir, words.counts)
    with runs:
        scripts(settings, words.scripts)
    with checks:
        check(settings, words.checks)


def _counts(folder: Path | None, words: Counts) -> None:
    if folder is None:
        st.info(words.missing)
        return
    try:
        years = counts(folder)
    except (OSError, ValueError):
        st.warning(words.unreadable)
        return
    st.markdown(words.lead if years else words.none)
    for year, counted in reversed(years.items()):
        told = fill(words.year, year=year, turns=counted["turns"], referrals=counted["referrals"])
        st.markdown(f"**{told}**")
        for group, name in words.groups.items():
            if counted[group]:
                ordered = sorted(counted[group].items(), key=lambda one: -one[1])
                st.table({name: [one for one, _ in ordered], words.count: [str(n) for _, n in ordered]})


@st.fragment(run_every=EVERY)
def _desk(desk: Desk, words: ConsoleWords) -> None:
    if st.session_state.pop("late", False):
        st.toast(words.late)
    try:
        waiting = desk.listed()
    except (OSError, sqlite3.Error):
        st.warning(words.unreadable)
        return
    for conversation in waiting:
        _conversation(desk, conversation, words)
    if not waiting:
        st.caption(words.none)


def _conversation(desk: Desk, waiting: Waiting, words: ConsoleWords) -> None:
    thread, state = waiting["thread"], waiting["state"]
    with st.container(border=True, key=f"desk-{thread}"):
        st.text(_who(waiting, words))
        st.caption(words.states[state])
        with st.expander(words.conversation, expanded=state != "waiting"):
            for line in waiting.get("conversation", []):
                st.caption(words.roles[line["role"]])
                st.text(line["text"])  # as text: what a person wrote must not become markup
        if state == "waiting":
            st.button(words.take, key=f"take-{thread}", on_click=_done, args=(desk.take, thread))
            return
        if state == "asked":
            with st.form(f"form-{thread}", border=False):
                st.text_area(words.answer, key=f"answer-{thread}")
                st.form_submit_button(words.send, key=f"send-{thread}", on_click=_send, args=(desk, thread))
        st.button(words.back, key=f"back-{thread}", on_click=_done, args=(desk.hand_back, thread))


def _send(desk: Desk, thread: str) -> None:
    """Before the page is drawn anew: by then the form may be gone, because they no longer wait."""
    if said := st.session_state[f"answer-{thread}"].strip():
        _done(desk.answer, thread, said)


def _done(call: Callable[..., bool], *given: str) -> None:
    try:
        st.session_state.late = not call(*given)
    except (OSError, sqlite3.Error):
        st.session_state.late = True


def _who(waiting: Waiting, words: ConsoleWords) -> str:
    since = datetime.fromtimestamp(waiting["since"], UTC)
    return fill(
        words.who,
        level=waiting["level"],
        kinds=", ".join(waiting["kinds"]),
        subject=waiting["subject"],
        country=waiting["country"] or words.country_unknown,
        since=since.strftime("%H:%M"),
        turn=waiting["turn"],
    )


if __name__ == "__main__":
    main()
