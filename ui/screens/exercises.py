"""The exercises, one step at a time and at one's own pace; the same that the conversation leads through.

Nothing is written here, so nothing can be kept. Knows nothing of how one is talked through.
"""

import streamlit as st

from agent.exercises import Exercise, exercises, printed
from ui import visit
from ui.wording import fill, plain

__all__ = ["main"]


def main() -> None:
    """The list, or the exercise that was begun."""
    words, state, language = visit.words().exercises, st.session_state, visit.tongue()
    st.markdown(f"#### {words.title}")
    if language != visit.language():
        st.caption(words.english)
    name = state.get("exercise")
    if name in exercises(language):
        _led(name, exercises(language)[name])
        return
    st.markdown(words.lead)
    for one, exercise in exercises(language).items():
        with st.container(border=True, key=f"exercise-{one}"):
            st.markdown(f"**{plain(exercise.title)}**")
            st.markdown(plain(exercise.reason[0]))
            st.button(words.choose, key=f"begin-{one}", on_click=_begin, args=(one,))
    st.download_button(
        words.save,
        lambda: printed(list(exercises(language)), language),
        "exercises.md",
        "text/markdown",
        key="exercises-save",
        on_click="ignore",
    )


def _led(name: str, exercise: Exercise) -> None:
    words, state = visit.words().exercises, st.session_state
    at, steps = int(state.get("exercise-at", 0)), exercise.steps
    st.markdown(f"##### {plain(exercise.title)}")
    with st.container(border=True, key=f"unprinted-{name}"):
        if at < len(steps):
            step = steps[at]
            st.progress((at + 1) / len(steps), fill(words.step, number=at + 1, all=len(steps)))
            st.markdown(f"{plain(step.say[0])}")
            with st.expander(words.hint, icon=":material/lightbulb:"):
                for line in step.hint:
                    st.markdown(plain(line))
        else:
            st.markdown(plain(exercise.ends[0]))
        with st.container(horizontal=True):
            st.button(words.back, key="exercise-back", disabled=at == 0, on_click=_to, args=(at - 1,))
            if at < len(steps):
                label = words.next if at < len(steps) - 1 else words.finish
                st.button(label, key="exercise-next", type="primary", on_click=_to, args=(at + 1,))
            else:
                st.button(words.again, key="exercise-again", on_click=_to, args=(0,))
            st.button(words.others, key="exercise-others", on_click=_begin, args=("",))
    with st.expander(words.worse_title, icon=":material/support:", key=f"unprinted-worse-{name}"):
        for line in exercise.worse[:1]:  # the others are the same in other words
            st.markdown(plain(line))
        st.markdown(words.worse)
    if not exercise.reviewed_by:
        st.caption(words.unreviewed)
    if st.button(words.together, key="exercise-together", icon=":material/forum:"):
        state.pending = exercise.hits[0]  # which the conversation is tested to understand
        state.pop("exercise", None)
        st.switch_page("screens/talk.py")
    with st.expander(words.all_steps, key="printed"):
        for number, step in enumerate(steps, 1):
            st.markdown(f"{number}\\. {plain(step.say[0])}")


def _begin(name: str) -> None:
    st.session_state.exercise = name
    _to(0)


def _to(at: int) -> None:
    st.session_state["exercise-at"] = at


if __name__ == "__main__":
    main()
