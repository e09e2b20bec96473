"""Kept conversations: find one, go on with it, name it, take it along, erase it; and for how long they stay.

Knows nothing of what was said in them.
"""

from collections.abc import Callable
from datetime import datetime

import streamlit as st

from graph import sealing, shelf
from graph.shelf import Kept
from ui import export, visit
from ui.locking import ask
from ui.wording import fill, plain, shown

__all__ = ["main"]

TALK = "screens/talk.py"


def main() -> None:
    """Lay the page out."""
    words = visit.words()
    page = words.talks
    st.markdown(f"#### {page.title}")
    ask()
    kept = shelf.conversations(visit.store(), visit.key())
    if visit.locked():
        st.caption(words.locking.lost)
    elif not kept:
        st.markdown(page.none)
        st.caption(page.temporary)
    else:
        found = _searched(kept)
        for one in found:
            _conversation(one)
        st.divider()
        _days()
    if visit.store().exists():
        with st.popover(page.delete_all, icon=":material/delete_forever:", key="delete-all"):
            st.markdown(page.delete_all_sure)
            st.button(page.delete_all_do, key="delete-all-do", type="primary", on_click=_delete_all)
        where = words.locking.where if visit.sealed() else page.where
        st.caption(plain(fill(where, path=visit.store())))


def _searched(kept: list[Kept]) -> list[Kept]:
    page = visit.words().talks
    looked_for = st.text_input(page.search, key="search", icon=":material/search:").casefold().strip()
    found = [
        one
        for one in kept
        if looked_for in one.title.casefold() or any(looked_for in text.casefold() for _, text in one.said)
    ]
    st.caption(fill(page.count, count=len(found), all=len(kept)) if found else page.nothing_found)
    return found


def _conversation(one: Kept) -> None:
    words = visit.words()
    page, thread = words.talks, one.thread
    here = visit.session().thread == thread
    with st.container(border=True, key=f"talk-{thread}"):
        st.text(shown(one.title) if one.said else page.unreadable)
        st.caption(f"{_when(one.ended)}{' · ' + page.here if here else ''}")
        with st.container(horizontal=True):
            if st.button(page.open, key=f"open-{thread}", type="primary"):
                if not here:
                    st.session_state.keep = True
                    visit.restart(keep=True, thread=thread)
                st.switch_page(TALK)
            with st.popover(page.rename, key=f"rename-{thread}"):
                st.text_input(page.new_name, one.title, key=f"name-{thread}", max_chars=100)
                st.button(page.rename_do, key=f"named-{thread}", on_click=_rename, args=(thread,))
            with st.popover(page.save, key=f"save-{thread}"):
                _files(one)
            with st.popover(page.delete, key=f"sure-{thread}"):
                st.markdown(words.delete_sure)
                st.button(words.delete, key=f"erase-{thread}", on_click=_erase, args=(thread,))


def _files(one: Kept) -> None:
    words = visit.words()

    for label, made, ending, mime in export.files(one.title, one.said, words):
        key = f"{ending}-{one.thread}"
        st.download_button(label, made, export.name(ending), mime, key=key, on_click="ignore")


def _when(ended: str) -> str:
    """The time of the last turn as the clock here tells it."""
    return datetime.fromisoformat(ended).astimezone().strftime("%Y-%m-%d %H:%M")


def _rename(thread: str) -> None:
    _on_disk(lambda: shelf.rename(visit.store(), thread, st.session_state[f"name-{thread}"], key=visit.key()))


def _erase(thread: str) -> None:
    if _on_disk(lambda: visit.forget(thread)):
        st.toast(visit.words().deleted)


def _delete_all() -> None:
    """Everything, the open conversation too when it is one of them."""
    if visit.session().keeps:
        visit.session().delete()
    lost = visit.locked()
    if _on_disk(lambda: shelf.erase_all(visit.store())):
        if lost:  # nobody can open it any more, and there is nothing left in it
            _on_disk(lambda: sealing.abandon(visit.store()))
        st.session_state.keep = False
        visit.restart()
        st.toast(visit.words().talks.deleted_all)


def _days() -> None:
    page = visit.words().talks
    known = shelf.chosen(visit.store(), "days") or "0"
    st.selectbox(
        page.days_label,
        list(page.days),
        index=list(page.days).index(known) if known in page.days else 0,
        format_func=lambda days: page.days[days],
        help=page.days_help,
        key="days",
        on_change=_chosen_days,
    )


def _chosen_days() -> None:
    _on_disk(lambda: shelf.keep_for(visit.store(), int(st.session_state.days)))


def _on_disk(call: Callable[[], None]) -> bool:
    """Whether the disk took it; when not, that is said."""
    try:
        call()
    except visit.FAILURES:
        st.toast(visit.words().talks.disk)
        return False
    return True


if __name__ == "__main__":
    main()
