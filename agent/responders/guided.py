"""The guided responder: a plan realised in authored sentences, offline and always in the same words.

It chooses by a stable hash of (seed, turn, slot), never says a sentence twice in a conversation, never
opens two replies alike, and leaves a step out rather than repeat itself. It does not understand the
message: what it says back comes from the mirror and from cue words, what it asks from the theme. It
quotes no passage, and it does not judge risk or check its own words; the guard does.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from string import Template

from agent.brief import Brief
from agent.plan import choose_offer, load_ideas, offered
from agent.responders.mirror import mirror, topic_phrase
from agent.responders.replies import Way, load_replies, sentences, shuffled
from agent.themes import load_themes, masks, own_word, padded, pronouns, tells, theme_of, weighs

__all__ = ["load_replies", "respond", "sentence_for"]

_ONCE = "it sounds like"  # an opening that wears out after one use


def respond(brief: Brief) -> Iterator[str]:
    """Whole sentences that realise `brief["plan"]`; the same conversation gives the same words."""
    voice = _Voice(brief)
    ways = load_replies().moves.get(brief["plan"]["move"], ())
    way = next((way for way in ways if _fits(way, voice)), None)
    if way is None:
        for step in brief["plan"]["steps"]:
            voice.step(step["step"])
    else:
        for number, part in enumerate(way.say):
            voice.say(f"part{number}", [[one for one in part if "$" in one], part])
        for name in way.then:
            voice.step(name)
    repair = load_replies().banks["repair"]
    if not voice.out:
        voice.say("repair", list(repair.values()))
    yield from voice.out or repair["first"][:1]


def sentence_for(brief: Brief, position: int) -> str | None:
    """A safe sentence to stand at `position` (0 = first) of the reply; None when all were said."""
    voice = _Voice(brief)
    voice.left = max(voice.left, 20)
    voice.say(f"repair{position}", [load_replies().banks["repair"]["later" if position else "first"]])
    return voice.out[0] if voice.out else None


def _opening(text: str) -> str:
    return " ".join(re.findall(r"[\w'’]+", text.lower())[:3])


@dataclass
class _Voice:
    """One reply in the making: what was said before, what is said so far, how many words are left."""

    brief: Brief
    out: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        brief, history = self.brief, self.brief["history"]
        replies = [text for role, text in history if role == "assistant"]
        before = [*brief["said"], *(one for text in replies for one in sentences(text))]
        self.said = set(before)
        self.openings = {_opening(one) for one in before}
        self.starts = {_opening(text) for text in replies}
        self.last = replies[-1] if replies else ""
        self.theme = theme_of(history)
        self.near = any(tells(text, self.theme) for role, text in history[-3:] if role == "user")
        self.left = brief["plan"]["words"]
        self.asked = not brief["plan"]["ask"]
        self.echo: set[str] = set()
        self.words = padded(brief["text"])
        self.heard = [cue for cue in load_replies().cues if self.hears(cue.hears)]
        self.heavy = weighs(brief["reading"], brief["level"], history, self.theme)
        self.slots = _slots(brief)

    def hears(self, words: Sequence[str]) -> bool:
        """Whether any of the words or phrases stands in the message."""
        return any(f" {word} " in self.words for word in words)

    def order(self, slot: str, count: int) -> list[int]:
        """A shuffle of range(count) that depends only on seed, turn, slot and message."""
        brief = self.brief
        return shuffled(f"{brief['seed']}:{len(brief['history'])}:{slot}:{brief['text']}", count)

    def say(self, slot: str, groups: Sequence[Sequence[str]]) -> bool:
        """Add one fresh variant, earlier groups first; at first one that echoes nothing, then any."""
        for strict in (True, False):
            for group in groups:
                for at in self.order(slot, len(group)):
                    if self.add(group[at], strict=strict):
                        return True
        return False

    def add(self, template: str, *, strict: bool) -> bool:
        """Add the sentences of one variant, if it is fresh, fits the budget and may ask what it asks."""
        try:
            lines = sentences(Template(template).substitute(self.slots))
        except KeyError:
            return False
        openings = {_opening(line) for line in lines}
        words = sum(len(line.split()) for line in lines)
        asks = sum(line.endswith("?") for line in lines)
        if words > self.left or asks > (0 if self.asked else 1) or self.said & set(lines):
            return False
        if (not self.out and _opening(lines[0]) in self.starts) or _ONCE in self.openings & openings:
            return False
        echo = set(re.findall(r"[a-z']{4,}", template.lower())) & load_replies().echoes
        if strict and (echo & self.echo or self.openings & openings):
            return False
        self.out += lines
        self.said.update(lines)
        self.openings |= openings
        self.echo |= echo
        self.left -= words
        self.asked = self.asked or asks > 0
        return True

    def step(self, name: str) -> bool:
        """Realise one EMPATHY step, or `next`, the small next step of the idea offered last."""
        if name == "helping":
            return self.help()
        if name == "next":
            idea = load_ideas().ideas.get(self.last_offer())
            return idea is not None and self.say(name, [idea.next])
        if name == "perspective" and not (self.out or self.heard or self.near):
            name = "mirroring"  # with nothing to go on, a view would be a guess
        return self.say(name, self.groups(name))

    def last_offer(self) -> str:
        """The idea put in the last reply, or ""."""
        return min(offered([("assistant", self.last)]), default="")

    def help(self) -> bool:
        """Offer one idea: of the passages' techniques where there are any, else the plan's."""
        brief, plan = self.brief, self.brief["plan"]
        if not plan["offer"]:
            return False
        best = [] if plan["careful"] else sorted(brief["passages"], key=lambda one: -one["score"])
        found = [technique for passage in best for technique in passage["techniques"]]
        told = self.heard if plan["move"] in {"support", "advice"} else []
        fitting = [*found, *(technique for cue in told for technique in cue.tries)]
        name = choose_offer(self.theme, fitting, offered(brief["history"])) if fitting else plan["offer"]
        if not name:
            return False
        idea = load_ideas().ideas[name]
        if name in found and self.left > 60:
            self.say("library", [load_replies().banks["library"]["general"]])
        elif plan["move"] in {"support", "advice"} and self.left > 50:
            self.say("lead", [load_replies().banks["lead"]["general"]])
        said = self.say("offer", [idea.offer])
        if said and self.left > 35 and self.order("why", 2)[0]:
            self.say("why", [[idea.why]])
        return said

    def groups(self, name: str) -> list[Sequence[str]]:
        """The variants for a step: what answers this message, then the theme's, then the general ones."""
        banks = load_replies().banks
        bank, keys = banks[name], [self.theme, "general"] if self.near else ["general", self.theme]
        heard: list[Sequence[str]] = []
        if name == "mirroring":
            keys = (
                ["thing", "plain" if self.heavy else "light"]
                if self.brief["plan"]["move"] != "advice"
                else []
            )
            heard = self.mirrors()
        elif name == "emotion":
            keys = self.feelings()
            heard = [cue.say for cue in self.heard] if keys[0].endswith("unsure") else []
        elif name == "perspective":
            heard = [cue.say for cue in self.heard]
        elif name == "yielding" and (self.brief["plan"]["offer"] or self.brief["plan"]["move"] == "accept"):
            keys = ["after", "general"]
        elif name == "listening":
            bank = banks["invite"] if self.asked else bank
            heard = [] if self.asked else [cue.ask for cue in self.heard]
            keys = keys if self.heavy else ["light"]
        return [*heard, *(bank[key] for key in keys if key in bank)]

    def mirrors(self) -> list[Sequence[str]]:
        """What says the message back: their clause where it is most of it, else what its cue words tell."""
        bank = load_replies().banks
        back: list[Sequence[str]] = [cue.back for cue in self.heard]
        if masks(self.brief["text"]):
            return [bank["emotion"]["masked"]]
        clause = padded(self.slots.get("clause", ""))
        own = bank["mirroring"]["view" if clause.split() and self.is_view(clause) else "clause"]
        return [own, *back] if len(clause.split()) * 10 >= len(self.words.split()) * 7 else [*back, own]

    def is_view(self, clause: str) -> bool:
        """Whether a clause is a forecast or an absolute, which is theirs to say and not ours to state."""
        owned = clause.startswith((" you think ", " you don't think ", " you feel ", " you know "))
        return not owned and any(f" {word} " in clause for word in load_replies().views)

    def feelings(self) -> list[str]:
        """Masked pain first, then the person's own word, then the sure feeling, or none at all."""
        text, plan = self.brief["text"], self.brief["plan"]
        keys = ["masked"] if masks(text) else []
        keys += ["own"] if own_word(text) else []
        if emotion := load_themes().emotions.get(plan["feeling"]):
            strong = [f"{emotion.family}-strong"] if emotion.strong else []
            return [*keys, f"{self.theme}-{emotion.family}", *strong, emotion.family]
        return ["joy"] if plan["move"] == "good_news" else [*keys, f"{self.theme}-unsure", "unsure"]


def _slots(brief: Brief) -> dict[str, str]:
    """What fills the $names of a sentence; $Clause is $clause with a capital, and so on."""
    earlier = [text for role, text in brief["history"] if role == "user"]
    topics = (topic_phrase(text) for text in reversed(earlier))
    slots: dict[str, str | None] = {
        "clause": mirror(brief["text"], brief["said"]),
        "thing": topic_phrase(brief["text"]),
        "topic": next((topic for topic in topics if topic), None),
        "word": own_word(brief["text"]),
        "name": brief["person"].get("name"),
    }
    if brief["plan"]["move"] in {"repeat_back", "complaint"}:
        told = list(dict.fromkeys(clause for text in earlier[:-1] if (clause := mirror(text))))
        slots |= zip(("first", "second"), told[:2], strict=False)
        slots["latest"] = (
            told[-1] if len(told) > 2 or (told and brief["plan"]["move"] == "complaint") else None
        )
    slots |= zip(("them", "their"), pronouns(brief["history"]), strict=True)
    filled = {name: text for name, text in slots.items() if text}
    return filled | {name.capitalize(): text[0].upper() + text[1:] for name, text in filled.items()}


def _fits(way: Way, voice: _Voice) -> bool:
    """Whether all of a way's conditions hold for this message."""
    brief = voice.brief
    cues = [cue for message in brief["reading"]["cues"] for cue in message]
    kinds = {cue["kind"] if cue["subject"] == "self" else "other" for cue in cues}
    when = {
        "": True,
        "offered": way.when == "offered" and bool(voice.last_offer()),
        "question": brief["text"].rstrip().endswith("?"),
        "asked": voice.last.endswith("?"),
        "no_advice": brief["person"].get("advice") is False,
        "again": bool(load_replies().known.get(brief["plan"]["move"], frozenset()) & voice.said),
    }
    return (
        when[way.when]
        and (not way.kind or way.kind in kinds or way.kind == brief["reading"]["language"])
        and (not way.hears or voice.hears(way.hears))
    )
