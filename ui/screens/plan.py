"""The safety plan, step by step, in the person's own words; the same plan that the conversation writes.

Nothing leaves the device. Knows nothing of how the plan is talked through.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from agent.safety_plan import CONTACTS, load_plan_words, markdown
from ui import page as pieces
from ui import visit
from ui.wording import fill, plain, shown

__all__ = ["main"]


def main() -> None:
    """Lay the page out."""
    words, state = visit.words().plan, st.session_state
    st.markdown(f"#### {words.title}")
    st.markdown(words.lead)
    if visit.tongue() != visit.language():
        st.caption(words.english)
    steps = load_plan_words(visit.tongue()).steps
    at = min(max(int(state.get("plan-at", 0)), 0), len(steps))
    if at < len(steps):
        _step(at)
    else:
        st.success(plain(words.done))
        st.button(words.back, key="plan-back", on_click=_to, args=(at - 1,))
    if state.pop("alarmed", False):
        pieces.card(_lines())
    _so_far()


def _step(at: int) -> None:
    words, steps = visit.words().plan, load_plan_words(visit.tongue()).steps
    step = steps[at]
    with st.container(border=True, key=f"unprinted-step-{step.id}"):
        st.progress(at / len(steps), fill(words.step, number=at + 1, all=len(steps)))
        st.markdown(f"**{plain(step.title)}**")
        st.markdown(plain(f"{step.lead[0]} {step.hint[0]}" if step.id != CONTACTS else step.lead[0]))
        if step.id == CONTACTS:
            _contacts()
        st.text_area(
            words.lines,
            "\n".join(_entries().get(step.id, [])),
            key=f"plan-{step.id}",
            height=130,
            help=words.lines_help,
        )
        with st.container(horizontal=True):
            st.button(words.back, key="plan-back", disabled=at == 0, on_click=_to, args=(at - 1,))
            st.button(words.next, key="plan-next", type="primary", on_click=_kept, args=(step.id, at + 1))


def _contacts() -> None:
    words, lines = visit.words().plan, _lines()
    names = [row["name"] for row in lines]
    chosen = [row["name"] for row in _rows()]
    if not names:
        st.caption(words.no_lines)
        return
    st.multiselect(words.pick, names, default=[one for one in chosen if one in names], key="plan-contacts")


def _lines() -> list[dict[str, str]]:
    country = visit.session().person.get("country")
    young = st.session_state.get("age") == "under"
    found = visit.parts()[1].contacts(country, ["suicide"], level="high", young=young)
    return [dict(row) for row in found]


def _plan() -> Mapping[str, Any] | None:
    return visit.session().safety_plan()


def _entries() -> dict[str, list[str]]:
    plan = _plan()
    return {step["id"]: step["entries"] for step in plan["steps"]} if plan else {}


def _rows() -> Sequence[Mapping[str, str]]:
    plan = _plan()
    return next((step["contacts"] for step in plan["steps"] if step["id"] == CONTACTS), []) if plan else []


def _kept(step: str, at: int) -> None:
    """Put the step's words in the plan, hear them for danger, and go on."""
    state, session = st.session_state, visit.session()
    text = state.get(f"plan-{step}", "")
    picked = state.get("plan-contacts") or []
    contacts = [row for row in [*_rows(), *_lines()] if row["name"] in picked]
    unique = list({row["name"]: row for row in contacts}.values())
    session.write_plan(step, text, unique if step == CONTACTS else ())
    state.alarmed = session.alarmed(text)
    _to(at)


def _to(at: int) -> None:
    st.session_state["plan-at"] = at


def _so_far() -> None:
    """The plan as it will be on paper."""
    words, plan = visit.words().plan, _plan()
    if plan is None:
        st.caption(words.empty)
        return
    own = load_plan_words(plan["language"]).export
    st.markdown(f"**{words.so_far}**")
    with st.container(border=True, key="printed"):
        st.markdown(f"##### {plain(plan['title'])}")
        st.markdown(plain(own.lead))
        for number, step in enumerate(plan["steps"], 1):
            st.markdown(f"**{number}\\. {plain(step['title'])}**")
            for line in step["entries"]:
                st.text(f"• {shown(line)}")
            if step.get("contacts"):
                pieces.contact_list(step["contacts"])
            elif not step["entries"]:
                st.caption(own.empty)
        st.markdown(f"**{plain(plan['danger'])}**")
        st.caption(own.foot)
    st.download_button(
        words.save, markdown(plan), "safety-plan.md", "text/markdown", key="plan-save", on_click="ignore"
    )
    st.caption(words.print)
    if not visit.keeping():
        st.caption(words.forget)


if __name__ == "__main__":
    main()
