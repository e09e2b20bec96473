"""The operator's runner of conversation scripts: pass or fail, and what was said. And the check.

On the operator's page (ui/console.py). Knows the scripts' own runner and the report behind `hearken check`.
"""

from dataclasses import replace
from datetime import date
from pathlib import Path

import streamlit as st

from agent.errors import HearkenError
from agent.settings import Settings
from agent.words import Strict
from graph.scripts import Outcome, load_scripts, run_script
from graph.services import from_settings
from ui.health import health
from ui.wording import fill, plain

__all__ = ["Checks", "Scripts", "check", "scripts"]

SHIPPED = Path(__file__).parents[1] / "tests" / "conversations"


class Scripts(Strict):
    """Words of the runner."""

    tab: str
    lead: str
    folder: str
    run: str
    running: str
    passed: str
    failed: str
    outcome: str
    fewer: str
    transcript: str
    they: str
    we: str


class Checks(Strict):
    """Words of the check."""

    tab: str
    run: str
    well: str
    unwell: str


def scripts(settings: Settings, words: Scripts) -> None:
    """Run every script of a folder, one after the other, and show how each ended."""
    st.markdown(words.lead)
    folder = st.text_input(words.folder, str(SHIPPED) if SHIPPED.is_dir() else "", key="scripts")
    if st.button(words.run, key="run-scripts", type="primary"):
        try:
            st.session_state.outcomes = _run(Path(folder), settings, words)
        except HearkenError as error:
            st.session_state.outcomes = []
            st.warning(plain(str(error)))
    outcomes: list[Outcome] = st.session_state.get("outcomes", [])
    if not outcomes:
        return
    failed = [one for one in outcomes if one.failures]
    told = fill(words.outcome, passed=len(outcomes) - len(failed), failed=len(failed))
    (st.warning if failed else st.success)(told)
    fewer = st.toggle(words.fewer, key="only-failed")
    for number, one in enumerate(failed if fewer else outcomes):
        _outcome(one, number, words)


def _run(folder: Path, settings: Settings, words: Scripts) -> list[Outcome]:
    found = load_scripts(folder)
    # nobody is to be called for a made-up danger, and the trail counts people
    services = replace(from_settings(settings), escalate=None, desk=None, audit=None)
    bar, outcomes = st.progress(0.0, words.running), []
    for done, (name, script) in enumerate(found.items(), 1):
        outcomes.append(run_script(name, script, services))
        bar.progress(done / len(found), f"{words.running} {done}/{len(found)}")
    bar.empty()
    return outcomes


def _outcome(one: Outcome, number: int, words: Scripts) -> None:
    icon, state = ("error", words.failed) if one.failures else ("check_circle", words.passed)
    with st.expander(f"{plain(one.name)} · {state}", icon=f":material/{icon}:", key=f"script-{number}"):
        st.text(one.about)
        for failure in one.failures:
            st.text(failure)
        st.caption(words.transcript)
        for said, reply in one.transcript:
            st.text(f"{words.they}: {said}")
            st.text(f"{words.we}: {reply}")


def check(settings: Settings, words: Checks) -> None:
    """Every part, and how it is."""
    if not st.button(words.run, key="run-check"):
        return
    report = health(settings, date.today())
    (st.success if report["ok"] else st.warning)(words.well if report["ok"] else words.unwell)
    for part, state in report["parts"].items():
        icon = ":material/check_circle:" if state["ok"] else ":material/error:"
        st.markdown(f"{icon} **{plain(part)}**: {plain(state['says'])}")
