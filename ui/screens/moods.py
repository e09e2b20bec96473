"""How somebody has been: check-ins of their own, and the feelings their messages were heard with, over time.

A calm picture and no verdict. Where the jurisdiction is restricted there is none of it. On disk only when the
person says so. Knows nothing of how feelings are heard.
"""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

import altair as alt
import streamlit as st

from graph import moods, shelf
from graph.moods import Mood
from ui import page as pieces
from ui import visit
from ui.locking import ask
from ui.wording import plain, shown

__all__ = ["main"]

TEAL = "#3f8f94"  # readable on light and dark
MOST = 8  # feelings shown by name
TOLD = 20  # check-ins that the picture's description tells


def main() -> None:
    """Lay the page out."""
    words, (settings, _) = visit.words().moods, visit.parts()
    st.markdown(f"#### {words.title}")
    if settings.jurisdiction == "restricted":
        st.markdown(words.restricted)
        return
    st.markdown(words.lead)
    ask()
    _check_in()
    if st.session_state.pop("alarmed", False):
        pieces.card(_lines())
    _picture()
    _feelings()
    _notes()
    _forget()


def _check_in() -> None:
    words = visit.words().moods
    with st.container(border=True):
        st.markdown(f"**{words.question}**")
        st.feedback("faces", key="face")
        st.caption(f"{words.faces[0]} → {words.faces[-1]}")
        st.text_area(words.note, key="mood-note", height=80, max_chars=1000)
        young = st.session_state.get("age") == "under"
        told = visit.words().locking.mood_help if visit.sealed() else words.keep_help
        never = young or visit.locked() or visit.parts()[0].shared
        st.checkbox(words.keep, key="mood-keep", help=told, disabled=never)
        st.button(words.note_do, key="mood-do", type="primary", on_click=_noted)


def _noted() -> None:
    """Keep the check-in: on disk where that was chosen, else as long as the page is open."""
    words, state = visit.words().moods, st.session_state
    face, note = state.get("face"), state.get("mood-note", "").strip()
    state.alarmed = visit.session().alarmed(note)
    if face is None:
        st.toast(words.choose)
        return
    one = Mood(shelf.iso(), int(face), note)
    try:
        if state.get("mood-keep"):
            shelf.consent(visit.store())
            moods.feel(visit.store(), one, key=visit.key())
        else:
            state.setdefault("moods", []).append(one)
    except visit.FAILURES:
        state.setdefault("moods", []).append(one)
        st.toast(visit.words().talks.disk)
    state["face"], state["mood-note"] = None, ""
    st.toast(words.noted)


def _lines() -> list[dict[str, str]]:
    """The lines of the country for somebody whose note tells of danger."""
    country = visit.session().person.get("country")
    return [dict(row) for row in visit.parts()[1].contacts(country, ["suicide"], level="high")]


def _all() -> list[Mood]:
    kept = moods.moods(visit.store(), visit.key())
    return sorted([*kept, *st.session_state.get("moods", [])], key=lambda one: one.at)


def _picture() -> None:
    words, found = visit.words().moods, _all()
    if not found:
        st.caption(words.none)
        return
    rows = [{"at": one.at, "face": one.face, "said": words.faces[one.face]} for one in found]
    names = "[" + ",".join(f"'{name}'" for name in words.faces) + "][datum.value]"
    first, last = (datetime.fromisoformat(found[at].at) for at in (0, -1))
    date = words.date if last - first > timedelta(days=2) else f"{words.date} %H:%M"
    st.markdown(f"**{words.chart}**")
    drawn = alt.Chart(alt.Data(values=rows)).mark_line(  # type: ignore[no-untyped-call]
        point=alt.OverlayMarkDef(size=80, color=TEAL), color=TEAL, interpolate="monotone", clip=False
    )
    st.altair_chart(
        drawn.encode(
            x=alt.X("at:T", title=None, axis=_axis(format=date, labelFlush=False), scale=_roomy()),
            y=alt.Y(
                "face:Q",
                title=None,
                scale=alt.Scale(domain=[-0.2, 4.2], nice=False),
                axis=_axis(values=[0, 1, 2, 3, 4], labelExpr=names, labelFlush=False, grid=True),
            ),
            tooltip=[
                alt.Tooltip("at:T", title=words.day, format=date),
                alt.Tooltip("said:N", title=words.mood),
            ],
        ).properties(height=240, description=_told(found))
    )


def _told(found: list[Mood]) -> str:
    """The picture in words, for who cannot see it: the newest of what it shows."""
    words = visit.words().moods
    newest = "; ".join(f"{_when(one.at)} {words.faces[one.face]}" for one in found[-TOLD:])
    return f"{words.chart}: {newest}"


def _axis(**how: Any) -> alt.Axis:
    """An axis whose words have 4.5 to 1 on the page's ground, light or dark."""
    ink = "#d0d0d0" if st.context.theme.type == "dark" else "#4a4a4a"
    return alt.Axis(labelColor=ink, titleColor=ink, labelFontSize=13, labelLimit=140, **how)


def _roomy() -> alt.Scale:
    """Room at both ends, so that no point lies on the edge."""
    return alt.Scale(padding=12)


def _feelings() -> None:
    words = visit.words()
    found = [*moods.feelings(visit.store(), visit.key()), *visit.heard()]
    if not found:
        return
    counts = Counter(words.feelings.get(name, name) for _, name in found).most_common(MOST)
    st.markdown(f"**{words.moods.feelings}**")
    st.caption(words.moods.feelings_lead)
    rows = [{"feeling": one, "times": n} for one, n in counts]
    drawn = alt.Chart(alt.Data(values=rows)).mark_bar(color=TEAL)  # type: ignore[no-untyped-call]
    st.altair_chart(
        drawn.encode(
            x=alt.X("times:Q", title=words.moods.times, axis=_axis(tickMinStep=1, format="d")),
            y=alt.Y("feeling:N", title=None, sort="-x", axis=_axis(labelOverlap=False)),
        ).properties(
            height=60 + 28 * len(counts),
            description=f"{words.moods.feelings}: " + "; ".join(f"{one} {n}" for one, n in counts),
        )
    )


def _notes() -> None:
    words = visit.words().moods
    notes = visit.session().notes()
    helped = list((notes or {}).get("helped", []))
    st.markdown(f"**{words.helped}**")
    if not helped:
        st.caption(words.helped_none)
    for line in helped:
        st.text(f"• {shown(line)}")
    written = [one for one in _all() if one.note]
    if written:
        st.markdown(f"**{words.notes}**")
    for one in reversed(written[-12:]):
        st.caption(f"{_when(one.at)} · {plain(words.faces[one.face])}")
        st.text(shown(one.note))


def _when(at: str) -> str:
    """A time as the clock here tells it."""
    return f"{datetime.fromisoformat(at).astimezone():%Y-%m-%d %H:%M}"


def _forget() -> None:
    words = visit.words().moods
    if not (_all() or moods.feelings(visit.store(), visit.key()) or visit.heard()):
        return
    with st.popover(words.delete, icon=":material/delete:", key="moods-delete"):
        st.markdown(visit.words().delete_sure)
        st.button(words.delete_do, key="moods-delete-do", on_click=_forgotten)


def _forgotten() -> None:
    st.session_state.moods, st.session_state.heard = [], []
    try:
        if visit.store().exists():
            moods.forget_moods(visit.store())
    except visit.FAILURES:
        st.toast(visit.words().talks.disk)
        return
    st.toast(visit.words().moods.deleted)


if __name__ == "__main__":
    main()
