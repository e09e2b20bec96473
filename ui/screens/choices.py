"""Settings: how the page looks, how replies are worded, what is where, what the library holds, and a check.

Knows nothing of what any part does; it asks the report behind `hearken check`.
"""

import sqlite3
import tempfile
from datetime import date
from pathlib import Path

import streamlit as st

from agent.errors import HearkenError
from agent.settings import Settings
from graph.services import ingest, library
from knowledge.errors import KnowledgeError
from ui import visit
from ui.health import health
from ui.locking import passphrase
from ui.picking import picker
from ui.shell import KEY, SIZES, country_picker
from ui.wording import fill, languages, plain, protocol

__all__ = ["main"]

LENGTHS = ("brief", "usual", "longer")


def main() -> None:
    """Lay the page out."""
    words, (settings, _) = visit.words().choices, visit.parts()
    st.markdown(f"#### {words.title}")
    with st.container(border=True):
        st.markdown(f"**{words.look}**")
        _look()
    with st.container(border=True):
        st.markdown(f"**{words.replies}**")
        _replies()
    with st.container(border=True):
        st.markdown(f"**{words.leave}**")
        st.markdown(fill(words.leave_text, key=KEY, page=plain(settings.exit_url)))
    with st.container(border=True):
        st.markdown(f"**{words.data}**")
        st.markdown(plain(fill(words.folder, path=settings.data_dir)))
        st.markdown(words.kept_file if visit.store().exists() else words.nothing_kept)
        passphrase()
    with st.container(border=True):
        st.markdown(f"**{words.library}**")
        _library(settings)
    with st.container(border=True):
        st.markdown(f"**{words.check}**")
        _check(settings)
    with st.expander(words.protocol, icon=":material/shield:"):
        st.markdown(protocol(visit.language()))


def _look() -> None:
    words = visit.words().choices
    if len(languages()) > 1:
        st.selectbox(
            words.language,
            list(languages()),
            format_func=lambda code: languages()[code],
            key="language",
            on_change=visit.answered_in,
        )
    st.session_state.setdefault("size", "usual")
    st.segmented_control(
        words.size, list(SIZES), format_func=lambda size: words.sizes[size], key="size", required=True
    )
    st.toggle(words.still, key="still", help=words.still_help)


def _replies() -> None:
    words = visit.words().choices
    st.session_state.setdefault("length", "usual")
    st.segmented_control(
        words.length,
        list(LENGTHS),
        format_func=lambda one: words.lengths[one],
        key="length",
        required=True,
        on_change=_length,
    )
    country_picker("choices")
    st.markdown(f"**{words.who}**")
    picker()


def _length() -> None:
    visit.session().set_length(st.session_state.length)


def _library(settings: Settings) -> None:
    words = visit.words().choices
    try:
        counts = library(settings).count()
    except (HearkenError, KnowledgeError) as error:
        st.warning(plain(str(error)))
        return
    named = ", ".join(f"{count} {words.sources.get(kind, kind)}" for kind, count in counts.items())
    st.markdown(plain(fill(words.holds, count=sum(counts.values()), sources=named)))
    if settings.operator or settings.shared:
        st.caption(words.by_operator)
        return
    st.markdown(words.add_lead)
    given = st.file_uploader(words.add_file, type=["csv", "json", "jsonl"], key="answers")
    if given is not None and st.button(words.add_file_do, key="add-file", type="primary"):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / f"answers{Path(given.name).suffix}"
            file.write_bytes(given.getvalue())
            _added(settings, str(file))
    if st.button(words.add_hub, key="add-hub"):
        _added(settings, "hub")


def _added(settings: Settings, origin: str) -> None:
    """Take the answers in, with a bar; what went wrong is one sentence that names the fix."""
    words = visit.words().choices
    bar = st.progress(0.0, words.adding)

    def progress(done: int, total: int) -> None:
        bar.progress(min(done / max(total, 1), 1.0), f"{words.adding} {done}/{total}")

    try:
        report = ingest(settings, "counselchat", origin, progress=progress)
    except (HearkenError, KnowledgeError, OSError, sqlite3.Error) as error:
        bar.empty()
        st.warning(plain(str(error)))
        return
    bar.empty()
    st.success(plain(fill(words.added, added=report.get("added", 0), there=report.get("already there", 0))))


def _check(settings: Settings) -> None:
    words = visit.words().choices
    if not st.button(words.check_do, key="check"):
        return
    with st.spinner(words.checking):
        report = health(settings, date.today(), visit.language())
    (st.success if report["ok"] else st.warning)(words.all_well if report["ok"] else words.not_well)
    for part, state in report["parts"].items():
        icon = ":material/check_circle:" if state["ok"] else ":material/error:"
        # How a part shows that it works is for a terminal; how old the helplines are is for everybody.
        says = words.well if state["ok"] and part != "helplines" else state["says"]
        st.markdown(f"{icon} **{plain(words.parts.get(part, part))}**: {plain(says)}")


if __name__ == "__main__":
    main()
