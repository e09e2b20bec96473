"""The guided responder: a plan realised in authored sentences, offline and always in the same words.

It chooses by a stable hash of (seed, turn, slot), among those that fit best where it is told how well
sentences fit (`agent.supporter`). It never says a sentence twice in a conversation, never opens two
replies alike, and leaves a step out rather than repeat itself. It does not understand the message: what
it says back comes from the mirror and from cue words, what it asks from the theme. It quotes no passage,
and it does not judge risk or check its own words; the guard does.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass
from functools import cache
from itertools import pairwise

from agent import plan as planning
from agent.brief import Brief
from agent.guesses import guesses
from agent.offering import choose
from agent.reading.tonguecare import cared
from agent.responders import tongue_talk, weighing
from agent.responders.hearing import listener
from agent.responders.mirror_words import is_past
from agent.responders.page import Page
from agent.responders.replies import Heard, Told, Way, load_replies, sentences
from agent.responders.slots import slots
from agent.sentences import split
from agent.themes import (
    holds_any,
    is_up,
    load_themes,
    masks,
    own_word,
    padded,
    puts_question,
    tells,
    theme_of,
    weighs,
)
from agent.words import tongue

__all__ = ["called", "load_replies", "offered", "respond", "sentence_for"]

_ALONE = frozenset({"emotion", "mirroring", "perspective", "yielding"})  # steps taken in one sentence
_ASKING = re.compile(r" (?:so |and |but |ok )*(?:what|how|should|where|when|which) (?!if )")
_OUTPOURING = 60  # words from which calm and pain in one message are no mask
_TOLD = 5  # words from which a message may tell of something that happened
_WHO = frozenset({"i", "he", "she", "they", "we"})
_SEVERAL = 3  # sentences after which a long message has been said back
_JOY = 8  # turns behind good news in which it still colours the talk
_BACK = ("clause", "further", "view", "short", "fragment", "piece")  # keys of sentences that say theirs back
_PARROT = 8  # words of a clause that is long enough to sound like a parrot
_BARE = 2  # words of a message that may tell next to nothing
_WEIGHS = 0.45  # of what is heard in a message, from which the pain in it counts
_LATELY = 6  # of the last messages, ours among them, one with a heavy word keeps the talk grave
_BRIGHT = 0.7  # of what a message may do, from which it is taken for something bright
_NOTHING = Told(means="nothing that is sure")
_BEST = 3  # of the ideas left for a theme, so many may be chosen by what similar answers say


def respond(
    brief: Brief, fit: Mapping[str, float] | None = None, suits: Mapping[str, float] | None = None
) -> Iterator[str]:
    """Whole sentences that realise `brief["plan"]`; the same conversation gives the same words.

    fit: how well authored sentences answer what was said; more is better. Those it lacks go by the seed.
    suits: what each is worth after this message (`agent.suits`); where it is told, the best of all that may
    be said is said, and not the first of the most particular.
    """
    if cared(brief["reading"]["language"]):
        yield from tongue_talk.respond(brief)
        return
    voice = _Voice(brief, fit, suits)
    ways = voice.replies.moves.get(brief["plan"]["move"], ())
    way = next((way for way in ways if _fits(way, voice)), None)
    if way is None and not voice.worth and voice.told.ends and brief["plan"]["move"] == "support":
        voice.page.say("told", [voice.told.back])
        voice.page.say("told on", [voice.told.say])
    elif way is None:
        for step in brief["plan"]["steps"]:
            voice.step(step["step"])
    else:
        for number, part in enumerate(way.say):
            voice.page.say(f"part{number}", [[one for one in part if "$" in one], part])
        for name in way.then:
            voice.step(name)
    repair = voice.replies.banks["repair"]
    if not voice.page.out:
        voice.page.say("repair", list(repair.values()))
    yield from voice.page.out or repair["first"][:1]


def offered(brief: Brief) -> str:
    """The idea that the reply to `brief` puts to the person, "" for none: the plan's, unless a passage fits.

    A passage fits when one of its techniques is among the three best left for the theme (`agent.offering`
    chooses among them); where the very words of the message called for the plan's idea, that one stays.
    """
    language = tongue(brief["reading"]["language"])
    plan, ideas = brief["plan"], planning.load_ideas(language)
    if not plan["offer"] or plan["careful"] or plan["move"] not in {"support", "advice"}:
        return plan["offer"]
    theme, fits = planning.suited(brief["history"], language, asked=plan["move"] == "advice")
    if plan["offer"] in fits or planning.asks_soon(brief["text"], language):
        return plan["offer"]
    suits = ideas.suits.get(theme) or ideas.suits.get(plan["topic"]) or ()
    used = planning.offered(brief["history"], language=language)
    best_left = [name for name in suits if name not in used][:_BEST]
    emotion = load_themes().emotions.get(plan["feeling"])
    family = emotion.family if emotion else ""
    return choose(brief["passages"], best_left, used=used, family=family) or plan["offer"]


def sentence_for(brief: Brief, position: int) -> str | None:
    """A safe sentence to stand at `position` (0 = first) of the reply; None when all were said.

    The one for that step of the plan, where a sentence is all it takes and it asks nothing; else a plain one.
    """
    if cared(brief["reading"]["language"]):
        return None
    voice = _Voice(brief)
    voice.page.left = max(voice.page.left, 20)
    step = dict(enumerate(step["step"] for step in brief["plan"]["steps"])).get(position, "")
    if step in _ALONE and voice.step(step) and len(voice.page.out) == 1 and "?" not in voice.page.out[0]:
        return voice.page.out[0]
    voice = _Voice(brief)
    voice.page.left = max(voice.page.left, 20)
    voice.page.say(f"repair{position}", [voice.replies.banks["repair"]["later" if position else "first"]])
    return voice.page.out[0] if voice.page.out else None


def _matter(text: str) -> set[str]:
    """The stems of the longer words of a message, by which it is told that one says the same as another."""
    return {word[:5] for word in re.findall(r"[a-z]{5,}", text.lower())} - load_replies().slight


def called(text: str, language: str = "en") -> list[str]:
    """The sentences that answer the very words of a message."""
    cues = _cues(padded(text, language), text, language)
    return [line for cue in cues for line in (*cue.back, *cue.say, *cue.ask)]


def _cues(words: str, text: str, language: str) -> list[Heard]:
    """The cues that a message calls for. words: those of it that count for the general ones."""
    general, particular = _listeners(language)
    return [*general([words]), *particular([padded(one, language) for one in split(text)])]


@cache
def _listeners(language: str) -> tuple[Callable[[Sequence[str]], list[Heard]], ...]:
    """What tells the cues of a message: those of replies_heard.yaml, and the particular ones of heard/."""
    replies = load_replies(language)
    return listener(replies.cues), listener(replies.particular, together=True)


def _lines(way: Way) -> set[str]:
    return {line for part in way.say for text in part for line in sentences(text)}


@dataclass
class _Voice:
    """What there is to say to one message, and in which order it is tried."""

    brief: Brief
    fit: InitVar[Mapping[str, float] | None] = None
    suits: InitVar[Mapping[str, float] | None] = None

    def __post_init__(self, fit: Mapping[str, float] | None, suits: Mapping[str, float] | None) -> None:
        brief, history = self.brief, self.brief["history"]
        self.worth = {} if brief["plan"]["careful"] else suits or {}
        self.reacted = False
        self.language = tongue(brief["reading"]["language"])
        self.replies, self.themes = load_replies(self.language), load_themes(self.language)
        self.page = Page(brief, self.replies, slots(brief), fit or {})
        self.theme = theme_of(history, self.language)
        self.near = any(
            tells(text, self.theme, self.language) for role, text in history[-3:] if role == "user"
        )
        self.words = padded(brief["text"], self.language)
        self.own = own_word(brief["text"], self.language)
        self.joy = self.joyful()
        for one in self.replies.moved if self.joy else ():
            self.words = self.words.replace(f" {one} ", " ")  # tears of joy
        self.masks = (
            not self.joy and len(self.words.split()) < _OUTPOURING and masks(brief["text"], self.language)
        )
        self.heard = _cues(self.words, brief["text"], self.language)
        self.told = self.telling()
        self.now = holds_any(self.words, self.themes.heavy) or bool(self.own)
        weighed = weighs(brief["reading"], brief["level"], history, self.theme) or bool(self.guesses())
        self.heavy = weighed and not self.glad() and not (self.told.tone == "bright" and not self.now)

    def calm(self) -> bool:
        """Whether nothing in this very message weighs, in a talk that may: it is told, and no more."""
        reading, history = self.brief["reading"], self.brief["history"]
        down = sum(one["p"] for one in reading["emotions"] if not is_up(one["label"]))
        lately = " ".join(text for role, text in history[-_LATELY:] if role == "user")
        grave = self.brief["level"] != "none" or holds_any(padded(lately, self.language), self.themes.heavy)
        return bool(reading["emotions"]) and not grave and down < _WEIGHS

    def joyful(self) -> bool:
        """Whether good news was told a few messages ago."""
        replies = [text for role, text in self.brief["history"][-_JOY:] if role == "assistant"]
        return any(one in self.replies.known["good_news"] for text in replies for one in sentences(text))

    def glad(self) -> bool:
        """Whether good news was just shared, and nothing in this message weighs."""
        return self.joy and not holds_any(self.words, self.themes.heavy)

    def hears(self, words: Sequence[str]) -> bool:
        """Whether any of the words or phrases stands in the message."""
        return holds_any(self.words, words)

    def repeats(self) -> bool:
        """Whether this message says over again what two messages before it said."""
        told = [text for role, text in self.brief["history"] if role == "user"][-7:]
        now, *before = (_matter(text) for text in reversed(told))
        return len(self.words.split()) > 2 and sum(bool(now) and now <= one for one in before) > 1

    def step(self, name: str) -> bool:
        """Realise one EMPATHY step, or `next`, the small next step of the idea offered last."""
        if name == "helping":
            return self.help()
        if "third" in self.page.slots and len(self.page.out) > _SEVERAL:
            return False  # what a long message told was said back, and one part asked about
        if self.worth and name in weighing.STEPS:
            return weighing.realise(self, name)
        if name == "next":
            idea = planning.load_ideas(self.language).ideas.get(self.last_offer())
            return idea is not None and self.page.say(name, [idea.next])
        return self.page.say(name, self.groups(name))

    def last_offer(self) -> str:
        """The idea put in the last reply, or ""."""
        return min(planning.offered([("assistant", self.page.last)], language=self.language), default="")

    def help(self) -> bool:
        """Offer one idea, as `offered` says."""
        brief, banks = self.brief, self.replies.banks
        name = offered(brief)
        if not name:
            return False
        idea = planning.load_ideas(self.language).ideas[name]
        if brief["plan"]["move"] == "support" and brief["person"].get("questions") is not False:
            return self.ask_leave()
        asked = brief["plan"]["move"] == "advice"
        if (
            asked
            and self.page.left > 60
            and any(name in passage["techniques"] for passage in brief["passages"])
        ):
            self.page.say("library", [banks["library"]["general"]])
        elif brief["plan"]["move"] in {"support", "advice"} and self.page.left > 50:
            self.page.say("lead", [banks["lead"]["asked" if asked else "general"]])
        said = self.page.say("offer", [idea.offer])
        if said and self.page.left > 35 and self.page.order("why", 2)[0]:
            self.page.say("why", [[idea.why]])
        return said

    def ask_leave(self) -> bool:
        """Ask whether an idea is wanted that nobody asked for; once a conversation."""
        lines = self.replies.banks["lead"]["may"]
        if self.page.said & set(lines):
            return False
        self.page.asked = False  # the question has its place here, whatever the plan says of others
        return self.page.say("may", [lines])

    def groups(self, name: str) -> list[Sequence[str]]:
        """The variants for a step: what answers this message, then the theme's, then the general ones."""
        banks, keys = self.replies.banks, [self.theme, "general"]
        bank: Mapping[str, Sequence[str]] = banks[name]
        heard: list[Sequence[str]] = []
        match name:
            case "mirroring":
                heard, keys = self.mirroring()
            case "emotion":
                keys = [key for key in self.feelings() if not (key == "unsure" and self.calm())]
            case "perspective":
                # what is seen from there must rest on this very message; else it is only called a lot
                heard = [*self.guesses(), *(cue.say for cue in self.heard), *self.does()]
                keys = [self.theme] if tells(self.brief["text"], self.theme, self.language) else []
                if self.now and self.heavy:
                    bank, keys = {**bank, "unsure": banks["emotion"]["unsure"]}, [*keys, "unsure"]
            case "yielding":
                bank, keys, heard = self.yielding()
            case "listening":
                asks = not (self.page.asked or self.bare())
                bank = bank if asks else banks["invite"]
                told = [] if self.told.tone == "plain" and self.themed() else [self.told.ask]
                heard = [*(cue.ask for cue in self.heard), *told] if asks else []
                light = ["glad", "light"] if self.glad() else ["light"]
                event, mild = ["event"] * self.narrated(), ["open"] * self.calm()
                deep = [*self.themed(), *event, "recall", *mild, "general"]
                keys = deep if self.heavy else [*event, *light]
        return [*heard, *(bank[key] for key in keys if key in bank)]

    def mirroring(self) -> tuple[list[Sequence[str]], list[str]]:
        """What says the message back, and the keys of what stands in where nothing does."""
        if self.told.say and not any(cue.back for cue in self.heard) and self.parrots():
            return [self.told.back, self.told.say], []
        heard, keys = (
            self.mirrors(),
            ["short", "fragment", "piece", "bit", "thing", *[self.theme] * self.now_told(), "plain"],
        )
        if self.brief["plan"]["move"] == "advice" or (self.page.out and self.own):
            return [] if _ASKING.match(self.words) else heard, []  # a question told nothing to say back
        if guess := self.guesses():  # it shows well enough what was heard
            due = any(step["step"] == "perspective" for step in self.brief["plan"]["steps"])
            return [*heard, *([] if due else guess)], ["short", "fragment"] if due else [
                "short",
                "piece",
                "plain",
            ]
        if not self.heavy:
            keys = ["short", "fragment", "piece", "bit", "thing", *["glad"] * self.glad(), "light"]
        if self.own or len(self.page.starts) > 1 or self.named(self.page.slots.get("thing", "")):
            keys.remove("thing")  # noted once, or not what it is about
        if self.asking():  # the question shows it better
            nods = ("plain", "light", "glad") if self.pointed() else ("plain", "light")
            keys = [key for key in keys if key not in nods]
        return heard, keys

    def asking(self) -> bool:
        """Whether a question is due to a message that tells something."""
        due = any(step["step"] == "listening" for step in self.brief["plan"]["steps"])
        return due and not self.page.asked and self.brief["plan"]["move"] == "support" and not self.bare()

    def now_told(self) -> bool:
        """Whether this very message speaks of the theme, so that a line on the theme answers it."""
        return tells(self.brief["text"], self.theme, self.language)

    def pointed(self) -> bool:
        """Whether a question is due that follows from what was said, so that no nod need come before."""
        if not self.asking() or not self.page.last:
            return False
        theirs = [cue.ask for cue in self.heard] + [
            self.replies.banks["listening"].get(self.theme, ())
        ] * self.near
        return any(one not in self.page.said for asks in theirs for one in asks)

    def bare(self) -> bool:
        """Whether this message tells next to nothing, so that asking on would press."""
        return len(self.words.split()) <= _BARE and not (
            self.heard or self.own or "clause" in self.page.slots
        )

    def yielding(self) -> tuple[Mapping[str, Sequence[str]], list[str], list[Sequence[str]]]:
        """The bank, its keys, and what comes before them, to give the lead back."""
        bank, move = self.replies.banks["yielding"], self.brief["plan"]["move"]
        if self.brief["plan"]["offer"] or move == "accept":
            return bank, ["after", "general"], []
        if move != "support":
            return bank, [self.theme, "general"] if self.near else ["general"], []
        if not self.heavy:
            return self.replies.banks["invite"], ["light"], [*(cue.say for cue in self.heard), *self.does()]
        told = len(self.page.out) > 1  # what was said is said; a line that fits anybody would add nothing
        return bank, [*self.themed(), *["general"] * (not told)], [] if told else self.does()

    def telling(self) -> Told:
        """What the message does, where that is sure; at least that it is something bright, where that is."""
        name, told = self.brief["reading"].get("telling", ""), self.replies.told
        likely = {one["label"]: one["p"] for one in self.brief["reading"]["heads"].get("telling", [])}
        bright = sum(p for label, p in likely.items() if label in told and told[label].tone == "bright")
        found = told.get(name, self.replies.bright if bright >= _BRIGHT else _NOTHING)
        answer = found.unasked and self.page.last.endswith("?")
        return _NOTHING if answer or likely.get(name, 1.0) < found.sure else found

    def does(self) -> list[Sequence[str]]:
        """What answers the thing that this message does, where nothing has answered it yet."""
        return [] if set(self.told.say) & set(self.page.out) else [self.told.say]

    def parrots(self) -> bool:
        """Whether saying the message back would be more of the same: most of a long clause, or once again
        after the last reply began like that."""
        bank = self.replies.banks["mirroring"]
        frames = {line.partition("$")[0] for key in _BACK for line in bank.get(key, ()) if "$" in line}
        again = self.page.last.startswith(tuple(frames - {"", "You "}))
        return again or len(self.page.slots.get("clause", "").split()) > _PARROT

    def narrated(self) -> bool:
        """Whether this message tells of something that happened, so that one can ask how it was."""
        words = self.words.split()
        return len(words) > _TOLD and any(one in _WHO and is_past(verb) for one, verb in pairwise(words))

    def themed(self) -> list[str]:
        """The theme, for what is asked or left open, where this message speaks of it or it was just spoken of
        and nothing else is told."""
        told = self.now_told() or (
            self.near and "clause" not in self.page.slots and "piece" not in self.page.slots
        )
        return [self.theme] if told else []

    def guesses(self) -> list[Sequence[str]]:
        """What may weigh on the person, as a guess; none where the reply has to be careful."""
        brief = self.brief
        if brief["plan"]["careful"] or brief["plan"]["move"] != "support":
            return []
        found = guesses(brief["text"], self.theme, brief["plan"]["feeling"], self.language)
        fresh = ([one for one in group if not self.page.said & self.page.alike(one)] for group in found)
        return [group for group in fresh if group]

    def named(self, thing: str) -> bool:
        """Whether the assistant has already said what it is about."""
        return bool(thing) and any(thing in one for one in self.page.said)

    def mirrors(self) -> list[Sequence[str]]:
        """What says the message back: their clause where it is most of it, else what its cue words tell."""
        bank = self.replies.banks
        back: list[Sequence[str]] = [cue.back for cue in self.heard]
        if "third" in self.page.slots:  # a long message is not answered from one clause of it
            several = bank["mirroring"]["several"]
            return [[one for one in several if one.endswith("?")], several]
        if self.masks:
            return [bank["emotion"]["masked"]]
        clause = padded(self.page.slots.get("clause", ""))
        word = self.own
        if self.page.out and word:  # the word itself was said back already
            return [] if f" {word} " in clause else [bank["mirroring"]["clause"]]
        further = bank["mirroring"].get("further", ()) if self.page.starts else ()
        form = "maybe" if clause.startswith((" maybe ", " perhaps ")) else "clause"
        own = bank["mirroring"]["view" if form == "clause" and self.is_view(clause) else form]
        own = (*own, *further) if own is bank["mirroring"]["clause"] else own
        theirs, every = len(clause.split()), len(self.words.split())
        if self.language == "en" and self.page.last and _PARROT < theirs > every - 2:
            return [*back, bank["mirroring"].get("piece", ()), own]  # nearly every word of it, and no more
        sure = [cue.back for cue in self.heard if cue.also and self.language == "en"]  # it went by two signs
        sure.append(self.told.back)  # a reaction shows better that it was heard than their own words
        rest = [one for one in back if one not in sure]
        return [*sure, own, *rest] if theirs * 4 >= every else [*sure, *rest, own]

    def is_view(self, clause: str) -> bool:
        """Whether a clause is a forecast or an absolute, which is theirs to say and not ours to state."""
        clause = re.split(r" (?:asked|asks|said|says|told|if|whether) ", clause)[0] + " "
        owned = clause.startswith(tuple(f" {start} " for start in self.replies.owned))
        return not owned and holds_any(clause, self.replies.views)

    def feelings(self) -> list[str]:
        """Masked pain first, then the person's own word, then the sure feeling, or none at all."""
        plan, word = self.brief["plan"], self.own
        if self.glad():
            return ["joy"]
        keys = ["masked"] if self.masks else []
        keys += ["own"] if word and not any(f" {word}" in one.lower() for one in self.page.out) else []
        if emotion := self.themes.emotions.get(plan["feeling"]):
            strong = [f"{emotion.family}-strong"] if emotion.strong else []
            return [*keys, f"{self.theme}-{emotion.family}", *strong, emotion.family]
        return ["joy"] if plan["move"] == "good_news" else [*keys, "unsure"]


def _fits(way: Way, voice: _Voice) -> bool:
    """Whether all of a way's conditions hold for this message."""
    brief = voice.brief
    cues = [cue for message in brief["reading"]["cues"] for cue in message if cue["level"] != "none"]
    kinds = {cue["kind"] if cue["subject"] == "self" else "other" for cue in cues}
    when = {
        "": True,
        "offered": way.when == "offered" and bool(voice.last_offer()),
        "question": puts_question(brief["text"])
        and bool(way.hears or not any(cue.also for cue in voice.heard)),
        "asked": voice.page.last.endswith("?"),
        "may": planning.asked_leave([voice.page.last], voice.language),
        "no_advice": brief["person"].get("advice") is False,
        "found": bool(brief["passages"]),
        "untold": "first" not in voice.page.slots,
        "blank": not (brief["history"][:-1] or "clause" in voice.page.slots or voice.heard),
        "bare": not ("clause" in voice.page.slots or voice.heard or voice.own),
        "repeats": way.when == "repeats" and voice.repeats() and not _lines(way) & voice.page.said,
        "again": bool(voice.replies.known.get(brief["plan"]["move"], frozenset()) & voice.page.said),
    }
    return (
        when[way.when]
        and (not way.most or len(voice.words.split()) <= way.most)
        and (not way.kind or way.kind in kinds or way.kind == brief["reading"]["language"])
        and (not way.themes or voice.theme in way.themes)
        and (not way.hears or voice.hears(way.hears))
        and (not way.also or voice.hears(way.also))
        and not voice.hears(way.unless)
    )
