"""Help when the page itself has failed, or is still loading; leans on what is baked into the package."""

import streamlit as st

from agent.responders.static import static_reply

__all__ = ["fallback", "loading"]


def fallback(country: str | None) -> None:
    """A kind sentence and the helplines."""
    sentences, contacts = static_reply(country, "imminent")
    st.warning(" ".join(sentences))
    _lines(contacts)


def loading(title: str, note: str, country: str | None) -> None:
    """The same lines while a first start takes its seconds, for who cannot wait for it."""
    st.markdown(f"### {title}")
    st.text(note)
    _lines(static_reply(country, "imminent")[1])


def _lines(contacts: list[dict[str, str]]) -> None:
    for contact in contacts:
        st.text(" ".join(filter(None, [contact["name"], contact["phone"], contact["chat_url"]])))
