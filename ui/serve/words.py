"""The words of the API, from ui/words/serve.yaml, and a crisis card as plain text."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

from agent.words import Strict, load
from ui.wording import fill, load_ui_words

__all__ = ["Info", "ServeWords", "card_text", "serve_words"]


class Info(Strict):
    """What /v1/info says of this."""

    about: str
    limits: str
    replies: str


class ServeWords(Strict):
    """Schema of ui/words/serve.yaml."""

    malformed: str
    not_json: str
    not_called_json: str
    too_slow: str
    too_large: str
    no_key: str
    bad_key: str
    unknown: str
    no_turn: str
    key_reused: str
    busy: str
    limited: str
    crowded: str
    store_away: str
    unsupported: str
    unsupported_value: str
    wrong_role: str
    no_message: str
    no_content: str
    not_text: str
    no_model: str
    wrong_path: str
    wrong_method: str
    failed: str
    info: Info


@cache
def serve_words() -> ServeWords:
    """The words; WordsError names file and key when they do not fit."""
    return load("serve.yaml", ServeWords, Path(__file__).parents[1] / "words")


def card_text(card: Sequence[dict[str, str]]) -> str:
    """The helplines as lines of text, for clients that show nothing else; "" without any."""
    if not card:
        return ""
    words = load_ui_words()
    lines = [f"{words.card_title}:"]
    for contact in card:
        ways = [fill(words.call, number=contact["phone"])] if contact.get("phone") else []
        ways += [fill(words.text, number=contact["sms"])] if contact.get("sms") else []
        ways += [contact["chat_url"]] if contact.get("chat_url") else []
        note = f" ({contact['note']})" if contact.get("note") else ""
        lines.append(f"- {contact['name']}: {', '.join(ways)}{note}")
    if not any(contact.get("verified_at") for contact in card):
        lines.append(words.undialled)
    return "\n".join(lines)
