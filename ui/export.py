"""A conversation as a file of the person's own: Markdown to read, JSON to move elsewhere.

What we wrote is marked as made by an AI, message by message. Knows nothing of where it is kept.
"""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

from graph.shelf import Report
from ui.wording import UiWords, fill, plain

__all__ = ["as_json", "as_markdown", "name", "reported"]

Said = Sequence[tuple[str, str]]


def as_markdown(title: str, said: Said, words: UiWords) -> str:
    """Who said what, oldest first; nothing that was written becomes markup."""
    page = words.talks
    who = {"user": page.person, "assistant": page.assistant, "operator": page.operator}
    foot = fill(page.exported, when=_now())
    parts = [f"# {plain(title)}", foot]
    parts += [f"**{who[role]}**\n\n{_quoted(text)}" for role, text in said]
    return "\n\n".join(parts) + "\n"


def as_json(title: str, said: Said) -> str:
    """The same as data: role, content and whether an AI made it."""
    messages = [{"role": role, "content": text, "ai_generated": role == "assistant"} for role, text in said]
    whole = {"format": "hearken-conversation-1", "title": title, "exported": _now(), "messages": messages}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def reported(one: Report) -> str:
    """A reported exchange as data, for whoever runs this."""
    told = {"at": one.at, "said": one.said, "reply": one.reply, "ai_generated": True, "why": one.why}
    return json.dumps({"format": "hearken-report-1", **told}, ensure_ascii=False, indent=2) + "\n"


def name(ending: str) -> str:
    """A neutral file name: others may see the folder it lands in."""
    return f"conversation-{datetime.now(UTC):%Y-%m-%d}.{ending}"


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _quoted(text: str) -> str:
    return "\n".join(f"> {plain(line)}" for line in text.splitlines()) or ">"
