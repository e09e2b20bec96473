"""A conversation as a file of the person's own: Markdown to read, HTML to print, JSON to move elsewhere.

What we wrote is marked as made by an AI, message by message. Knows nothing of where it is kept.
"""

import html
import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from graph.shelf import Report
from ui.wording import UiWords, fill, plain

__all__ = ["as_html", "as_json", "as_markdown", "files", "name", "reported"]

Said = Sequence[tuple[str, str]]


def as_markdown(title: str, said: Said, words: UiWords) -> str:
    """Who said what, oldest first; nothing that was written becomes markup."""
    page = words.talks
    who = {"user": page.person, "assistant": page.assistant, "operator": page.operator}
    foot = fill(page.exported, when=_now())
    parts = [f"# {plain(title)}", foot]
    parts += [f"**{who[role]}**\n\n{_quoted(text)}" for role, text in said]
    return "\n\n".join(parts) + "\n"


def as_html(title: str, said: Said, words: UiWords) -> str:
    """The same as one page to print, or for the browser to make a PDF of; it fetches and runs nothing."""
    page = words.talks
    who = {"user": page.person, "assistant": page.assistant, "operator": page.operator}
    look = (
        "body{font:1rem/1.5 sans-serif;max-width:42rem;margin:2rem auto;padding:0 1rem}"
        "p{white-space:pre-wrap;overflow-wrap:anywhere;margin:0 0 1.2rem}h2{font-size:1rem;margin:0}"
        "section{break-inside:avoid}"
    )
    parts = "\n".join(
        f"<section><h2>{html.escape(who[role])}</h2><p>{html.escape(text)}</p></section>"
        for role, text in said
    )
    head = f'<meta charset="utf-8"><title>{html.escape(words.title)}</title><style>{look}</style>'
    top = f"<h1>{html.escape(title)}</h1><p>{html.escape(fill(page.exported, when=_now()))}</p>"
    return f"<!doctype html>\n<html>\n<head>{head}</head>\n<body>\n{top}\n{parts}\n</body>\n</html>\n"


def as_json(title: str, said: Said) -> str:
    """The same as data: role, content and whether an AI made it."""
    messages = [{"role": role, "content": text, "ai_generated": role == "assistant"} for role, text in said]
    whole = {"format": "hearken-conversation-1", "title": title, "exported": _now(), "messages": messages}
    return json.dumps(whole, ensure_ascii=False, indent=2) + "\n"


def files(title: str, said: Said, words: UiWords) -> list[tuple[str, Callable[[], str], str, str]]:
    """(label, how it is made, ending, media type) of every file that a conversation can be saved as."""
    talk = words.talk
    return [
        (talk.save_text, lambda: as_markdown(title, said, words), "md", "text/markdown"),
        (talk.save_page, lambda: as_html(title, said, words), "html", "text/html"),
        (talk.save_data, lambda: as_json(title, said), "json", "application/json"),
    ]


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
