"""The last line of defence: a reply that needs nothing but this file.

Used when anything else broke, so it reads no file, imports only the standard library and cannot raise.
This is the one place where words a person reads, and numbers, live in Python: reading them from
`words/` or the registry could itself be what failed. A test holds every number to the registry's.
It knows nothing of the conversation beyond the country, the level and how the person answered.
"""

from collections.abc import Sequence

__all__ = ["BAKED", "EMERGENCY", "static_reply"]

DIRECTORY = "https://findahelpline.com"
EU = (
    *("AT", "BE", "BG", "HR", "CY", "CZ", "DK", "EE", "FI", "FR", "DE", "GR", "HU", "IE", "IT", "LV", "LT"),
    *("LU", "MT", "NL", "PL", "PT", "RO", "SK", "SI", "ES", "SE"),
)
EMERGENCY: dict[str, str] = dict.fromkeys(EU, "112") | {
    "US": "911",
    "CA": "911",
    "GB": "999",
    "AU": "000",
    "NZ": "111",
    "IN": "112",
}
# country: name, phone, text, how to reach it in a sentence
BAKED: dict[str, tuple[str, str, str, str]] = {
    "US": ("988 Suicide & Crisis Lifeline", "988", "988", "call or text 988"),
    "CA": ("9-8-8 Suicide Crisis Helpline", "988", "988", "call or text 988"),
    "GB": ("Samaritans", "116 123", "", "call 116 123"),
    "IE": ("Samaritans", "116 123", "", "call 116 123"),
    "AU": ("Lifeline", "13 11 14", "0477 13 11 14", "call 13 11 14 or text 0477 13 11 14"),
    "NZ": ("1737 Need to talk?", "1737", "1737", "call or text 1737"),
    "IN": ("Tele-MANAS", "14416", "", "call 14416"),
}


def static_reply(
    country: str | None, level: str, answers: Sequence[str] = ()
) -> tuple[list[str], list[dict[str, str]]]:
    """Sentences and a card for this country (ISO 3166-1 alpha-2) and level (one of the ladder's five).

    Any other level counts as moderate. answers: as in the ladder; `refusal` asks nothing, and
    `cannot_speak` points to writing.
    """
    place = (country or "").upper()
    number = EMERGENCY.get(place, "your local emergency number")
    name, _, _, reach = BAKED.get(place, ("", "", "", ""))
    line = f"{name.rstrip('?')} ({reach})" if name else "findahelpline.com, which lists free lines by country"
    quiet = "cannot_speak" in answers
    if level in {"none", "low"}:
        return [
            "Something went wrong on my side, so I could not answer that well.",
            "Your message still matters, so please try it once more.",
            f"If things get dark in the meantime, there is {line}.",
        ], []
    if level == "imminent":
        sentences = [
            f"Please call {number} now.",
            "If you can't talk, stay on the line so they can hear you." if quiet else "Say where you are.",
            "Get beside another person, and away from anything that could do harm.",
            f"There is also {line}.",
            "I'm an AI and can't call for you, but keep writing.",
        ]
    else:
        sentences = [
            "Thank you for telling me, and you don't have to be alone with this.",
            f"For a real person to talk to, there is {line}.",
            "Please let one person you trust know, and see a doctor soon.",
            "You don't have to speak, you can write to them instead." if quiet and _texts(place) else "",
            f"If you or someone else may be in danger, call {number} now.",
            "I'm an AI and can't call anyone for you.",
        ]
    if "refusal" not in answers:
        sentences.append("Is anyone with you right now?")
    return [sentence for sentence in sentences if sentence], _card(place, level)


def _texts(place: str) -> bool:
    return bool(BAKED.get(place, ("", "", ""))[2])


def _card(place: str, level: str) -> list[dict[str, str]]:
    card = []
    if place in BAKED:
        name, phone, sms, _ = BAKED[place]
        card.append(_contact(place, name, phone, sms, "suicide_crisis", "24/7"))
    else:
        card.append(_contact("ZZ", "Find A Helpline directory", "", "", "directory", "directory"))
    if place in EMERGENCY:
        emergency = _contact(place, "Emergency services", EMERGENCY[place], "", "emergency", "24/7")
        card.insert(0 if level == "imminent" else len(card), emergency)
    return card


def _contact(country: str, name: str, phone: str, sms: str, category: str, hours: str) -> dict[str, str]:  # noqa: PLR0913, PLR0917
    return {
        "country": country,
        "name": name,
        "phone": phone,
        "sms": sms,
        "chat_url": "" if phone else DIRECTORY,
        "hours": hours,
        "category": category,
        "certainty": "high",
        "note": "",
        "verified_at": "",
    }
