"""The panel under a reply that says why it came about, in two depths: for the person, and for a developer.

What is told comes from ui/explain.py. Knows nothing of how it was worked out.
"""

import html
from functools import partial
from typing import Literal

import altair as alt
import streamlit as st

from agent.errors import EncoderError
from agent.settings import load_settings
from graph import Turn
from graph.read import explained
from ui import explain, visit
from ui.drawing import dot
from ui.wording import plain

__all__ = ["panel"]

FEELINGS = 5  # of the distribution, as many bars as the reading holds


def panel(turn: Turn, number: int, *, developer: bool, last: bool) -> None:
    """Plain sentences; with `developer`, everything the turn was made of.

    last: under the newest reply it is filled at once, under an older one when it is opened: a long talk
    stays quick so.
    """
    words, language = visit.words(), visit.language()
    late: Literal["ignore", "rerun"] = "ignore" if last else "rerun"
    with st.expander(words.why_title, icon=":material/help:", key=f"why-{number}", on_change=late) as shown:
        if not last and not shown.open:
            return
        for sentence in explain.sentences(turn, language):
            st.markdown(plain(sentence))
        for source in explain.sources(turn, language):
            st.markdown(f"• {plain(source)}")
        if developer:
            _developer(turn, number)


def _developer(turn: Turn, number: int) -> None:
    words, language = visit.words(), visit.language()
    st.markdown(f"{plain(words.talk.route)} {plain(explain.route(turn, language))}")
    for line, passage in zip(explain.scored(turn, language), turn.sources, strict=True):
        st.markdown(f"**{plain(line)}**")
        st.text(passage["question"])
        st.text(passage["text"])
    pieces = explain.marked(turn)
    if any(carried for _, carried in pieces):
        with st.container(key=f"why-words-{number}"):
            st.html("".join(_piece(text, carried=carried) for text, carried in pieces))
    if turn.reading["emotions"]:
        st.altair_chart(_feelings(turn), key=f"feelings-{number}")
    ink = "#e8e8e8" if st.context.theme.type == "dark" else "#303030"
    st.graphviz_chart(dot(visit.session().wiring(), turn.path, ink=ink))
    _facets(turn, number)
    st.json(explain.details(turn), expanded=1)


def _piece(text: str, *, carried: bool) -> str:
    """What a person wrote, made harmless before it meets HTML."""
    told = html.escape(text)
    return f'<mark class="carried">{told}</mark>' if carried else f"<span>{told}</span>"


def _feelings(turn: Turn) -> alt.Chart:
    rows = [{"feeling": one["label"], "p": round(one["p"], 3)} for one in turn.reading["emotions"][:FEELINGS]]
    chart = alt.Chart(alt.Data(values=rows)).mark_bar()  # type: ignore[no-untyped-call]
    drawn: alt.Chart = chart.encode(
        x=alt.X("p:Q", title=None, scale=alt.Scale(domain=[0, 1])),
        y=alt.Y("feeling:N", title=None, sort=None),
        tooltip=["feeling:N", "p:Q"],
    ).properties(height=140)
    return drawn


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
