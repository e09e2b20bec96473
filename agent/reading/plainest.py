"""The plainest risk rules, in Python: what is left when agent/words/risk.yaml is missing or broken.

The one exception to "all words live in YAML", because its purpose is to be there when the YAML is not. It
knows only plain statements, in English and a few other languages, and would rather call once too often.
Nothing here is shown to anybody.
"""

from typing import Any

__all__ = ["plainest"]

_SELF = "(kill|killing|unalive|hang|shoot|end|off) myself"
_KIN = (
    "(my (friend|son|daughter|brother|sister|mom|dad|wife|husband|partner|boyfriend|girlfriend|kid)|he|she)"
)


def plainest() -> dict[str, Any]:
    """A small RiskWords as plain data, for `compile_rules`."""
    context: dict[str, tuple[str, ...]] = dict.fromkeys(
        ("doubtful", "used_to", "reported", "reported_child", "invented", "long_ago", "again", "past_words"),
        (),
    )
    bridge = "[really] [want to|wanting to|going to|trying to|planning to|thinking of|thinking about|ever]"
    return {
        "reviewed_by": None,
        "macros": {"bridge": "[really] [want to]"},
        "typos": {},
        "keep": ("good", "soon", "off", "too", "feel", "been", "need", "see"),
        "idioms": (
            "(is|are|'s) killing me",
            "dying (to|for) (see|know|try|hear|a)",
            "killing time",
            "to die for",
        ),
        "context": {**context, "negation": (f"(not|never|without) {bridge}",)},
        "scenes": {},
        "rules": [
            _rule(kind, level, subject, patterns) for (kind, level, subject), patterns in _STATEMENTS.items()
        ],
        "answers": {
            "yes": _answer("^ (yes|yeah|yep|yup) $"),
            "no": _answer("^ (no|nope|nah) $"),
            "denial": _answer("(i am|i will be) fine", "(just kidding|jk|forget it|never mind|nevermind)"),
            "alone": _answer("(i am|by myself|home) alone"),
        },
    }


def _rule(kind: str, level: str, subject: str, patterns: tuple[str, ...]) -> dict[str, Any]:
    return {
        "id": f"plainest.{kind}.{level}.{subject}",
        "kind": kind,
        "level": level,
        "subject": subject,
        "past": "keep",
        "patterns": patterns,
        "hits": (),
        "misses": (),
    }


def _answer(*patterns: str) -> dict[str, Any]:
    return {"most": 12, "patterns": patterns, "hits": (), "misses": ()}


_STATEMENTS: dict[tuple[str, str, str], tuple[str, ...]] = {
    ("suicide", "moderate", "self"): (
        "i ..2 (want|wish|hope) to (die|be dead|disappear forever|not exist)",
        "wish i (was|were) (dead|never born)",
        "(better|happier) off without me",
        "not want to (live|be here anymore|be alive|exist|wake up)",
        "(tired of|no reason for|no point in) (living|being alive)",
        "no (way out|reason to live)",
        "wish i would not wake up",
    ),
    ("suicide", "high", "self"): (
        _SELF,
        "(end|take|ending|taking) my [own] life",
        "(i am|feel|feeling) suicidal",
        "(commit|thinking about|thoughts of) suicide",
        "suicidal thoughts",
        "(quiero morir|quiero matarme|me quiero morir|suicidarme)",
        "(je veux mourir|me suicider|me tuer)",
        "(ich will sterben|mich umbringen|ich will nicht mehr leben)",
        "(quero morrer|me matar)",
        "(voglio morire|uccidermi|ammazzarmi)",
        "(मरना चाहता|मरना चाहती|marna chahta|marna chahti)",
        "(想死|自杀|自殺|死にたい|죽고 싶|хочу умереть|покончить с собой)",
        "(اريد ان اموت|ölmek istiyorum|ik wil dood)",
    ),
    ("suicide", "imminent", "self"): (
        f"(going to|about to|will) {_SELF} ..3 (tonight|now|today|tomorrow)",
        f"(tonight|now|today) ..3 (going to|about to|will) {_SELF}",
        "(wrote|written|left) (a|my|the) [suicide|goodbye] note",
        "(standing|sitting) on ..2 (bridge|ledge|roof)",
        "(gun|knife|rope|noose) in my (hand|hands)",
    ),
    ("overdose", "imminent", "self"): (
        "(took|taken|swallowed) (all|a lot|too many|the whole|a whole|a bottle|#) ..4 (pills|tablets|meds)",
        "i ..2 overdosed",
    ),
    ("self_harm", "moderate", "self"): ("(cut|cutting|burn|burning|hurt|hurting|harm|harming) myself",),
    ("medical", "imminent", "self"): (
        "(chest pain|pain in my chest|chest hurts|can not breathe|throat is closing|bleeding heavily)",
        "(will not stop bleeding|having a stroke|having a heart attack|is unconscious|not breathing)",
    ),
    ("harm_to_others", "high", "self"): (
        "i ..3 (want to|going to|will) (kill|hurt|stab|shoot) (him|her|them|people|someone|everyone|my)",
    ),
    ("abuse", "high", "self"): (
        "(he|she|husband|wife|boyfriend|girlfriend|partner|dad|mom|stepdad|uncle) ..2 "
        "(hits|hit|beats|beat|choked|choking|strangled|punched|kicked) me",
    ),
    ("sexual_assault", "high", "self"): (
        "i was ..2 (raped|assaulted|molested)",
        "(raped|molested|assaulted) me",
    ),
    ("psychosis", "high", "self"): ("voices ..3 (tell|telling|told) me to",),
    ("suicide", "high", "other"): (
        f"{_KIN} ..4 (wants to die|suicidal|kill (himself|herself|themselves|themself))",
    ),
    ("overdose", "imminent", "other"): (f"{_KIN} ..2 (overdosed|took ..4 pills)",),
}
