"""The pieces of a conversation on the page: messages, cards, reminders. Knows nothing of how a reply is made.

What people and models write is shown as text and never meets Markdown or HTML, so that nothing in it
becomes a link, an image or markup.
"""

import html
import json
import re
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import streamlit as st
from langchain_core.messages import AnyMessage
from streamlit.delta_generator import DeltaGenerator

from agent.responders.handoff import OPERATOR
from graph import Turn
from graph.reminders import Reminder
from ui import visit, why
from ui.wording import fill, plain, reminded, shown

__all__ = ["announce", "card", "contact_list", "listener", "reloaded", "reminders", "replied", "said"]

# Longer messages are shown folded, so that the reply stays in sight on a phone.
FOLD = 1200


def card(contacts: Sequence[dict[str, str]], ask: Callable[[], None] | None = None) -> None:
    """The helplines that go with a reply. ask: what is still to be asked for them to be the right ones."""
    with st.container(border=True, gap="small"):
        st.markdown(f"**{visit.words().card_title}**")
        contact_list(contacts)
        if ask:
            ask()


def contact_list(contacts: Sequence[dict[str, str]]) -> None:
    """Each way to reach each of them, one tap away."""
    words = visit.words()
    for contact in contacts:
        ways = []
        if contact["phone"]:
            number = contact["phone"]
            ways.append(f"[{plain(fill(words.call, number=number))}](tel:{re.sub(r'[^0-9+]', '', number)})")
        if contact["sms"]:
            to = re.findall(r"\d[\d -]+\d|\d+", contact["sms"])
            label = plain(fill(words.text, number=contact["sms"]))
            way = f"[{label}](sms:{re.sub(r'[^0-9+]', '', to[-1])})" if to else label
            ways.insert(0 if _cannot_speak() else len(ways), way)
        if contact["chat_url"]:
            ways.append(f"[{words.chat}]({contact['chat_url']})")
        when = plain(fill(words.hours, hours=contact["hours"])) if contact["hours"] else ""
        note = f"**{plain(contact['note'])}**" if contact["note"] else ""
        st.markdown(f"**{plain(contact['name'])}**  \n{' · '.join(filter(None, [*ways, when, note]))}")
    if not any(contact["phone"] or contact["sms"] for contact in contacts):
        st.markdown(words.help_none)
    elif not any(contact["verified_at"] for contact in contacts):
        st.caption(words.undialled)


def _cannot_speak() -> bool:
    """Whether they told us that they cannot speak aloud: then writing comes first."""
    return visit.session().cannot_speak if "session" in st.session_state else False


def said(text: str) -> None:
    """The person's message, literally, folded when long."""
    with st.chat_message("user", avatar=":material/person:"):
        if len(text) <= FOLD:
            st.text(shown(text))
            return
        with st.expander(plain(shown(text)[:120].replace("\n", " ")) + " …"):
            st.text(shown(text))


def listener() -> DeltaGenerator:
    """The place for a message of ours."""
    return st.chat_message("assistant", avatar=":material/hearing:")


def replied(  # noqa: PLR0913 - by name
    message: AnyMessage, turn: Turn | None, number: int, *, carded: bool, developer: bool, last: bool
) -> None:
    """A reply, the card that came with it, and why it came about; a person's own words are marked as theirs.

    carded: whether the card stands here; the newest one stands beside the input.
    """
    words = visit.words()
    if message.name == OPERATOR:
        st.caption(words.operator_said)
    st.text(str(message.content))
    if carded and turn is not None and turn.card:
        card(turn.card)
    if turn is not None and turn.plan["move"] == "library" and turn.sources:
        st.caption(words.library_title)
        for passage in turn.sources:
            with st.expander(plain(passage["question"]), icon=":material/menu_book:"):
                st.text(passage["text"])
    if turn is not None and message.name != OPERATOR:
        why.panel(turn, number, developer=developer, last=last)


def announce(reply: str, contacts: Sequence[dict[str, str]]) -> None:
    """Tell a screen reader once that the reply is whole, and at once of the lines that go with danger."""
    words = visit.words()
    told = html.escape(f"{words.talk.said} {reply}") if reply else ""
    lines = html.escape("; ".join(f"{one['name']} {one['phone'] or one['sms']}" for one in contacts))
    alarm = f'<div role="alert">{html.escape(words.card_title)}: {lines}</div>' if contacts else ""
    st.html(f'<div class="announced">{alarm}<div role="status">{told}</div></div>')


def reloaded(talk: str) -> None:
    """Tell the tab that a talk is here, `kept` or `temporary`; without one, say what became of it."""
    mark = st.session_state.setdefault("mark", secrets.token_hex(8))
    script = (Path(__file__).parent / "reloaded.html").read_text("utf-8")
    told = {"mark": mark, "talk": talk, "told": visit.words().talk.reloaded}
    filled = fill(script, **{name: json.dumps(value) for name, value in told.items()})
    st.html(filled, unsafe_allow_javascript=True)  # our own file and words, and a random name


def reminders(due: Sequence[Reminder]) -> None:
    """What is said again while somebody stays."""
    for sentence in reminded(due, visit.language()):
        st.info(plain(sentence), icon=":material/info:")
