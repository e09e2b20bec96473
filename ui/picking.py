"""Who words the replies, chosen on the page: what there is, a trial before a switch, and how a trio mixes.

A choice is this browser session's alone; only "Begin with it" reaches others, and says so. Knows
nothing of how models run and whether one may be trusted; it asks graph.models, graph.trial and ui.models.
"""

import streamlit as st

from agent.backends import Backend, Guided, Proxy
from agent.errors import HearkenError
from graph.backends import choose, chosen, named, worded
from graph.models import Option, options
from graph.trial import try_backend
from ui import visit
from ui.models import LOADING, state, verify
from ui.page_words import Picker
from ui.wording import fill, plain

__all__ = ["picker"]

STRONGEST = 2.0  # alpha that the slider offers at least


def picker() -> None:
    """Who words the replies now, and the way to another."""
    words, (settings, _), now = _words(), visit.parts(), visit.backend()
    st.markdown(_who(now))
    if settings.operator or settings.shared or settings.jurisdiction == "restricted":
        st.caption(words.by_operator if settings.operator or settings.shared else words.restricted)
        return
    if isinstance(now, Proxy):
        _alpha(now)
    if notice := st.session_state.pop("picked", ""):
        st.info(plain(notice))
    if st.button(words.look, key="models-look"):
        with st.spinner(words.looking):
            st.session_state.models = options(settings)
            st.session_state.pop("model", None)  # it is a place in the list of before
    if "models" in st.session_state:
        _listed(st.session_state.models, now)


def _words() -> Picker:
    return visit.words().choices.picker


def _who(now: Backend) -> str:
    words, host = visit.words().choices, _host(now)
    if isinstance(now, Guided):
        return words.guided
    far = f" {fill(words.other_away, host=host)}" if host else ""
    return plain(fill(words.other, name=named(now)) + far)


def _host(backend: Backend) -> str:
    """The other machine that words would go to, "" for none."""
    return worded(backend, visit.parts()[0].reply_seconds).away


def _alpha(now: Proxy) -> None:
    words = _words()
    st.session_state.alpha = now.alpha  # before it is drawn: another choice may have brought another value

    def steer() -> None:
        visit.use(now.model_copy(update={"alpha": round(st.session_state.alpha, 2)}))

    low, high = min(0.0, now.alpha), max(STRONGEST, now.alpha)
    st.slider(words.alpha, low, high, step=0.1, key="alpha", on_change=steer)
    st.caption(plain(words.alpha_help))


# --- the list, and what can be done with one of it ---


def _listed(rows: list[Option], now: Backend) -> None:
    words = _words()
    names = [row["name"] for row in rows]
    ours = names.index(named(now)) if named(now) in names else 0
    asked = st.radio(
        words.which,
        range(len(rows)),
        index=ours,
        format_func=lambda place: _label(names[place]),
        captions=[plain(_state(row)) for row in rows],
        key="model",
    )
    row = rows[asked]
    if host := _host(row["backend"]):
        st.warning(plain(fill(words.away, host=host)), icon=":material/outgoing_mail:")
    if row["tested"] != "passed":
        st.caption(words.failed if row["tested"] == "failed" else words.untested)
    if row["name"] == named(now):
        st.markdown(words.now)
        _lasting(row, now)
    else:
        barred = bool(row["missing"]) or row["tested"] == "failed"
        if st.button(words.use, key="model-use", type="primary", disabled=barred):
            _try(row["backend"])
    if not isinstance(row["backend"], Guided) and not row["missing"]:
        _checks(row, now)
    st.caption(words.scope)


def _label(name: str) -> str:
    """A name as text; an address in it is no link, for a touch of it is to choose."""
    return f"`{name.replace('`', '')}`" if "://" in name else plain(name)


def _state(row: Option) -> str:
    words = _words()
    known = state(row, visit.words().models)
    return f"{known}; {words.here}" if row["runs"] else known


def _say(notice: str) -> None:
    """Told at the head of the picker, which is drawn anew."""
    st.session_state.picked = notice
    st.rerun()


def _try(backend: Backend) -> None:
    words, (settings, _) = _words(), visit.parts()
    with st.empty(), st.status(fill(words.steps["loading"], seconds=0)) as shown:

        def told(doing: str, seconds: float) -> None:
            shown.update(label=fill(words.steps[doing], seconds=f"{seconds:.0f}"))

        tried = try_backend(backend, settings, prepare=LOADING, told=told)
    if not tried.ok:
        _say(fill(words.stays, why=tried.says))
    visit.use(backend)
    _say(fill(words.switched, seconds=f"{tried.first:.1f}"))


def _checks(row: Option, now: Backend) -> None:
    words, (settings, _) = _words(), visit.parts()
    st.caption(words.verify_help)
    if not st.button(words.verify, key="model-verify"):
        return
    backend = now if row["name"] == named(now) else row["backend"]
    with st.status(words.verifying, expanded=True) as shown:
        try:
            found = verify(backend, settings, told=lambda line: shown.markdown(plain(line)))
        except HearkenError as error:
            _say(str(error))
    row["tested"] = "passed" if found["passed"] else "failed"  # in the list that the session holds
    told = visit.words().models
    if found["passed"]:
        _say(told.passed)
    why = next((check["says"] for check in found["checks"] if not check["ok"]), "")
    back = ""
    if backend == now:
        visit.use(Guided())
        back = words.back
    _say(" ".join(part for part in (words.failed, why, back) if part))


def _lasting(row: Option, now: Backend) -> None:
    """Whether the program begins with it, and the way there for one that passed."""
    words, (settings, _) = _words(), visit.parts()
    if settings.responder is not None:
        st.caption(words.by_settings)
    elif chosen(settings) == now:
        st.caption(words.holds)
    elif row["tested"] == "passed":
        if host := _host(now):
            st.caption(plain(fill(words.keep_away, host=host)))
        if st.button(words.keep, key="model-keep", help=words.keep_help):
            try:
                choose(settings, now)
            except HearkenError as error:
                _say(str(error))
            _say(words.kept)
