"""What the reply should do, decided before any word is chosen: move, EMPATHY steps, intent, length.

Pure rules over agent/words/empathy.yaml and agent/words/ideas.yaml; the stages are those of ESConv
(Liu et al. 2021). Where the rules leave it open, a model of human supporters may choose the stage and
whether to ask (`agent.choosing`); without one the rules choose. It does not know which sentences exist,
reads no passage, and judges no danger: level and kinds come from the risk ladder, and an escalated turn
is worded by the crisis responder.
"""

import zlib
from collections.abc import Collection, Sequence
from functools import cache
from typing import Literal

from agent.brief import Person, Plan, Reading, Step
from agent.choosing import Chosen, Foreseen, Learned, choose, open_to_choice
from agent.exercises import ideas_spoken
from agent.guesses import guesses
from agent.misread import misread
from agent.offering import load_offering
from agent.reading.ladder import Kind, Level, at_least
from agent.responders.replies import load_replies, sentences
from agent.supporter import Stage
from agent.themes import (
    History,
    holds_any,
    is_up,
    load_themes,
    masks,
    own_word,
    padded,
    theme_of,
    theme_told,
    topic_of,
    weighs,
)
from agent.words import Strict, load, named, tongue

__all__ = [
    "Empathy",
    "Idea",
    "Ideas",
    "asked_leave",
    "asks_soon",
    "choose_offer",
    "fitting",
    "load_empathy",
    "load_ideas",
    "make_plan",
    "offered",
    "suited",
    "turned_down",
]

_GUESSES = 4  # of so many replies in which a guess has a place, one goes without
_GOOD = 0.45  # of what is heard in good news, how much has to be glad
_LEAVES = 0.5  # the probability of leaving from which a message is a goodbye
_TELLS = 4  # words from which a message tells something
_MUCH, _MORE = 10, 1.25  # words of a message that opens up, and how much longer than usual it is
_ASKING = frozenset({"advice", "complaint", "decline"})  # an idea is, or was just, asked for
_OFFERS = frozenset({"support", "advice", "decline", "complaint", "accept"})  # moves that put an idea
_APART = 3  # replies between two ideas that nobody asked for
_FITS = 2  # messages in whose words an idea is looked for
_ASKED = 3  # messages in which an idea was asked for, where this one only asks for another
StepName = Literal["emotion", "mirroring", "perspective", "listening", "tailored", "helping", "yielding"]
Key = Literal["explore", "comfort", "act", "light"]


class Move(Strict):
    """Intent, word budget, whether a question may stand in it, and the steps it takes."""

    intent: str
    words: int
    ask: bool
    steps: tuple[StepName, ...]


class Shape(Strict):
    """One order of steps for a supportive reply."""

    steps: tuple[StepName, ...]
    words: int
    intent: str


class Empathy(Strict):
    """agent/words/empathy.yaml."""

    reviewed_by: str | None
    order: tuple[str, ...]
    corrects: tuple[str, ...]
    small_talk: tuple[str, ...]
    telling: tuple[str, ...]
    follows: dict[str, tuple[str, ...]]
    only_heard: tuple[str, ...]
    unready: tuple[str, ...]
    bereaved_kinds: tuple[Kind, ...]
    survived_kinds: tuple[Kind, ...]
    professional_kinds: tuple[Kind, ...]
    restricted_moves: tuple[str, ...]
    moves: dict[str, Move]
    arc: tuple[Stage, ...]
    again: tuple[Stage, ...]
    stages: dict[Key, tuple[Shape, ...]]
    learned: Learned
    why: dict[StepName, str]
    why_unsure: str
    why_no_question: str


class Idea(Strict):
    """A technique: ways to offer it, the smallest next step, why it may help, the person's words for it."""

    offer: tuple[str, ...]
    next: tuple[str, ...]
    why: str
    called: tuple[str, ...] = ()


class Fit(Strict):
    """Words of a message, and the techniques that fit them; only in these themes, where some are named.

    now: only where an idea is asked for in this very message. after: words of which one was said before.
    """

    hears: tuple[str, ...]
    tries: tuple[str, ...]
    themes: tuple[str, ...] = ()
    now: bool = False
    after: tuple[str, ...] = ()


class Ideas(Strict):
    """agent/words/ideas.yaml. suits: theme or topic -> techniques, best first. only: no others there.

    asked: what fits the thing that an idea is asked for in this message. heard: what else fits its words.
    tried: words by which a technique is turned down. done: the same of whatever was offered last.
    soon: words that ask for something to be begun at once.
    """

    reviewed_by: str | None
    ideas: dict[str, Idea]
    suits: dict[str, tuple[str, ...]]
    only: tuple[str, ...]
    asked: tuple[Fit, ...]
    heard: tuple[Fit, ...]
    tried: tuple[str, ...]
    done: tuple[str, ...] = ()
    soon: tuple[str, ...] = ()


@cache
def load_empathy() -> Empathy:
    """The planning data. Raises WordsError when the file breaks its schema."""
    return load("empathy.yaml", Empathy)


@cache
def load_ideas(language: str = "en") -> Ideas:
    """The techniques. Raises WordsError when the file breaks its schema."""
    return load(named("ideas.yaml", language), Ideas)


def make_plan(  # noqa: PLR0913 - one keyword for each thing a plan depends on
    *,
    text: str,
    reading: Reading,
    level: Level,
    kinds: Sequence[Kind],
    escalate: bool,
    person: Person,
    history: History,
    before: Plan | None,
    restricted: bool = False,
    foresee: Foreseen | None = None,
) -> Plan:
    """Decide this turn. history: (role, text), oldest first, this message last; before: last turn's plan.
    restricted: where a supportive reply would be due, the way to the self-help library is. foresee: what
    the model of human supporters tells of this moment; only asked where the rules leave a choice.

    An escalated turn is planned by what the person asks, carefully; what crisis does with it is not ours.
    """
    language = tongue(reading["language"])
    careful = escalate or at_least(level, "moderate")
    move = _move(text, reading, () if escalate else kinds, before)
    if before and move in load_empathy().corrects and misread(history, language):
        move = "correction"
    stage = _stage(move, reading, person, history, before)
    theme = theme_of(history, language)
    if restricted and move in load_empathy().restricted_moves:
        move = "library"
    rule = load_empathy().moves[move]
    feeling = "" if move == "library" else _feeling(text, reading)
    guess = guesses(text, theme, feeling, language) if move == "support" and not careful else []
    heavy = weighs(reading, level, history, theme) or bool(guess)
    chosen = Chosen(stage)
    if (
        foresee
        and heavy
        and move == "support"
        and not careful
        and open_to_choice(reading, kinds, person, history)
    ):
        chosen = _chosen(stage, theme, foresee, history, before)
    if chosen.stage == "act" and move == "support" and _opens_up(history):
        chosen = Chosen("comfort", chosen.asks, chosen.learned - {"stage"})  # it is met before it is mended
    key: Key = chosen.stage if heavy else "light"
    told = masks(text, language) or own_word(text, language)
    felt = {True} if told else {True, False} if feeling else {False}
    if careful and key == "act":
        key = "comfort"
    full = bool(person.get("longer"))
    free = bool(guess) and _may_guess(before)
    shape: Move | Shape = rule
    if move == "support":
        shape = _shape(key, felt, history, before, full=full, asks=chosen.asks, guess=free)
    words = 110 if move == "support" and "long_outpouring" in reading["wants"] else shape.words
    steps = shape.steps
    if full and move == "support" and "perspective" not in steps:
        steps = (*steps[:-1], "perspective", *steps[-1:])
    may_ask = rule.ask and _may_ask(person, history)
    offer = ""
    if "helping" in shape.steps and person.get("advice") is not False and move != "professional":
        meant, fits = suited(history, language, asked=move in _ASKING)
        offer = choose_offer(meant, fits, offered(history, before, language), soon=asks_soon(text, language))
        theme = meant
    return {
        "move": move,
        "steps": [_step(name, feeling, may_ask, chosen) for name in steps],
        "intent": shape.intent,
        "stage": chosen.stage,
        "topic": topic_of(theme),
        "feeling": feeling,
        "ask": may_ask and "listening" in shape.steps,
        "offer": offer,
        "words": min(words, 35) if person.get("brief") else words * 3 // 2 if person.get("longer") else words,
        "careful": careful,
    }


def offered(
    history: History, before: Plan | None = None, language: str = "en", *, practised: bool = True
) -> set[str]:
    """Techniques already put to the person, and those that they say they tried or do not want.

    practised: count those gone through as an exercise too.
    """
    replies = [text for role, text in history if role == "assistant"]
    spoken = " ".join(replies)
    known = {
        name
        for name, idea in load_ideas(language).ideas.items()
        if any(sentence in spoken for sentence in (*idea.offer, *idea.next))
    }
    known |= turned_down(history, language)
    if practised:
        known |= ideas_spoken([one for text in replies for one in sentences(text)])
    # A yes is answered by a step, not by it; and what we only asked leave to say was not said.
    said = (
        before and before["offer"] and before["move"] != "accept" and not asked_leave(replies[-1:], language)
    )
    return known | ({before["offer"]} if before and said else set())


def asked_leave(replies: Sequence[str], language: str) -> bool:
    """Whether one of these replies asked if an idea is wanted, and put none."""
    lines = load_replies(language).banks["lead"]["may"]
    return any(line in reply for reply in replies for line in lines)


def turned_down(history: History, language: str = "en") -> set[str]:
    """Techniques that the person says they tried or do not want."""
    told = [padded(text, language) for role, text in history if role == "user"]
    down = [words for words in told if holds_any(words, load_ideas(language).tried)]
    return {
        name
        for name, idea in load_ideas(language).ideas.items()
        if any(holds_any(words, (*idea.called, name.replace("-", " "))) for words in down)
    }


def fitting(history: History, language: str = "en", theme: str = "") -> list[str]:
    """The techniques that fit the very words of the last message, or else of the one before, best first.

    theme: of the conversation.
    """
    told = [padded(text, language) for role, text in history if role == "user"][: -_FITS - 1 : -1]
    fits = [fit for fit in load_ideas(language).heard if not fit.themes or theme in fit.themes]
    found = ([name for fit in fits if holds_any(words, fit.hears) for name in fit.tries] for words in told)
    return next((names for names in found if names), [])


def suited(history: History, language: str = "en", *, asked: bool = False) -> tuple[str, list[str]]:
    """The theme an idea is for, and the techniques that fit, best first.

    asked: an idea is asked for, so what this very message names comes before the theme of the conversation.
    """
    theme = theme_of(history, language)
    told = [text for role, text in history if role == "user"][::-1]
    if not asked or not told:
        return theme, fitting(history, language, theme)
    only = load_ideas().only  # where few ideas are safe, none from elsewhere is brought in
    own = theme if {theme, topic_of(theme)} & set(only) else theme_told(told[0], language)
    for text in told[: 1 if own else _ASKED]:
        words, rows = padded(text, language), load_ideas(language).asked
        rows = tuple(
            fit for fit in rows if (not fit.now or text is told[0]) and _comes_after(fit, told, language)
        )
        fits = (fit for fit in rows if not fit.themes or (own or theme) in fit.themes)
        if found := next((fit.tries for fit in fits if holds_any(words, fit.hears)), ()):
            return own or theme, list(found)
    lately = [("user", told[0])] if own else history
    return own or theme, fitting(lately, language, own or theme)


def _comes_after(fit: Fit, told: Sequence[str], language: str) -> bool:
    """Whether what has to have been said at some time was."""
    return not fit.after or any(holds_any(padded(text, language), fit.after) for text in told)


def asks_soon(text: str, language: str = "en") -> bool:
    """Whether a message asks for something that can be begun at once."""
    return holds_any(padded(text, language), load_ideas(language).soon)


def choose_offer(theme: str, techniques: Sequence[str], used: Collection[str], *, soon: bool = False) -> str:
    """The technique to offer: of the passages' ones (best first) or of the theme's; "" when none is left.

    soon: of the theme's, one that can be begun within a minute comes first.
    """
    data, topic = load_ideas(), topic_of(theme)
    own = data.suits.get(theme) or data.suits.get(topic) or data.suits["general"]
    own = tuple(sorted(own, key=lambda name: soon and name not in load_offering().light))
    only = theme in data.only or topic in data.only
    found = [name for name in techniques if name in data.ideas and (not only or name in own)]
    return next((name for name in (*found, *own) if name not in used), "")


def _move(text: str, reading: Reading, kinds: Sequence[Kind], before: Plan | None) -> str:
    """The family of reply. kinds: those that call for routing without escalation, else empty."""
    data = load_empathy()
    wants = set(reading["wants"])
    cues = (reading["cues"][-1] if reading["cues"] else []) if kinds else []
    fresh = {cue["kind"] for cue in cues if cue["level"] != "none"}
    trained = {kind for kind in kinds if kind in data.professional_kinds}
    last = before["move"] if before else ""
    if trained & fresh or (trained and not fresh and last != "professional" and not wants & set(data.order)):
        return "professional"
    if not wants & set(data.order) or wants & set(data.telling) - {"advice"}:
        if fresh & set(data.bereaved_kinds):
            return "bereaved"
        past = {cue["kind"] for cue in cues if cue["past"] and cue["subject"] == "self"}
        if past & set(data.survived_kinds):
            return "survived"
    words = padded(text, tongue(reading["language"]))
    if holds_any(words, data.follows.get(last, ())):
        return last
    if _leaves(reading):
        wants |= {"goodbye"}
    if {"greeting", "goodbye"} <= wants:  # "good evening to you": which of the two, its place tells
        wants -= {"greeting"} if before else {"goodbye"}
    if wants & set(data.telling):
        wants -= set(data.small_talk)
    glad = sum(one["p"] for one in reading["emotions"] if is_up(one["label"]))
    if reading["emotions"] and reading["language"] == "en" and glad < _GOOD:
        wants -= {"good_news"}  # praise that does not get through, and the like
    move = next((want for want in data.order if want in wants), "support")
    return "decline" if move == "support" and _done_already(words, reading, before) else move


def _leaves(reading: Reading) -> bool:
    """Whether the reading is sure enough that somebody is about to stop."""
    told = reading["heads"].get("telling", [])
    return any(one["label"] == "leaving" and one["p"] >= _LEAVES for one in told)


def _done_already(words: str, reading: Reading, before: Plan | None) -> bool:
    """Whether a short message right behind an idea says that it was tried before or will not do."""
    put = before is not None and before["offer"] and before["move"] in _OFFERS
    return (
        bool(put)
        and len(words.split()) <= _MUCH
        and holds_any(words, load_ideas(tongue(reading["language"])).done)
    )


def _stage(move: str, reading: Reading, person: Person, history: History, before: Plan | None) -> Stage:
    """ESConv's stage, by how much the person has told; an idea only after listening, or when asked for."""
    language = tongue(reading["language"])
    data, listen = load_empathy(), person.get("advice") is False or "heard_only" in reading["wants"]
    if not listen and move in {"advice", "accept", "exercise", "find_care"}:
        return "act"
    told = _told(history)
    past = told - len(data.arc)
    stage = data.arc[told] if past < 0 else data.again[past % len(data.again)]
    theme = theme_of(history, language)
    fits = theme not in ("general", *load_themes().plain, *data.only_heard)
    few = not history or len(history[-1][1].split()) < _TELLS or _offered_lately(history, language)
    few = few or holds_any(
        padded(history[-1][1], language), (*load_ideas(language).done, *data.unready)
    )  # tells what did not help, or wants to be met first
    if stage == "act" and (listen or not fits or few or (before is not None and before["offer"])):
        return "comfort"
    return stage


def _offered_lately(history: History, language: str) -> bool:
    """Whether one of the last replies put an idea to them that was not asked for."""
    lately = " ".join([text for role, text in history if role == "assistant"][-_APART:])
    ideas = load_ideas(language).ideas.values()
    return any(sentence in lately for idea in ideas for sentence in idea.offer)


def _opens_up(history: History) -> bool:
    """Whether this message tells more at once than the ones before: what it was about may only now be out."""
    *before, now = [len(text.split()) for role, text in history if role == "user"] or [0]
    told = [count for count in before if count >= _TELLS]
    return now >= _MUCH and bool(told) and now > _MORE * sum(told) / len(told)


def _told(history: History) -> int:
    """How many messages that tell something came before this one."""
    return max(sum(role == "user" and len(text.split()) >= _TELLS for role, text in history) - 1, 0)


def _shape(  # noqa: PLR0913 - what a shape depends on
    stage: Key,
    felt: Collection[bool],
    history: History,
    before: Plan | None,
    *,
    full: bool,
    asks: bool | None = None,
    guess: bool = False,
) -> Shape:
    """One shape of the stage, by a stable hash, and not last turn's. felt: may it hold an emotion step.
    full: one of those with the most steps. asks: whether it should hold a question, where that was chosen.
    guess: one in which there is room to see it from where the person stands."""
    every = load_empathy().stages[stage]
    shapes = [one for one in every if ("emotion" in one.steps) in felt] or list(every)
    echoed = guess and any(role == "assistant" for role, _ in history)  # at first what was said comes back
    shapes = [one for one in shapes if echoed or one.steps[0] != "perspective"]
    most = max(len(one.steps) for one in shapes)
    shapes = [one for one in shapes if not full or len(one.steps) == most]
    last = tuple(step["step"] for step in before["steps"]) if before else ()
    rest = [shape for shape in shapes if shape.steps != last] or shapes
    rest = [shape for shape in rest if asks in (None, "listening" in shape.steps)] or rest
    spoken = "".join(text for role, text in history if role == "user")
    chance = zlib.crc32(spoken.encode("utf-8", "replace"))
    if guess and chance // 7 % _GUESSES:
        rest = [shape for shape in rest if "perspective" in shape.steps] or rest
    return rest[chance // 3 % len(rest)]


def _may_guess(before: Plan | None) -> bool:
    """Whether a guess at what weighs has a place: not just after one."""
    return before is None or "perspective" not in {step["step"] for step in before["steps"]}


def _may_ask(person: Person, history: History) -> bool:
    """No question when none are wanted, nor after two in a row."""
    replies = [text for role, text in history if role == "assistant"][-2:]
    return person.get("questions") is not False and (
        len(replies) < 2 or not all("?" in one for one in replies)
    )


def _feeling(text: str, reading: Reading) -> str:
    """The emotion to name: the person's own word first, then a sure reading; "" otherwise."""
    language = tongue(reading["language"])
    told = load_themes(language).own_words.get(own_word(text, language), "")
    if told or not reading["sure"] or not reading["emotions"]:
        return told
    label = reading["emotions"][0]["label"]
    return (
        label if label in load_themes().emotions and is_up(label) == ("good_news" in reading["wants"]) else ""
    )


def _chosen(stage: Stage, theme: str, foresee: Foreseen, history: History, before: Plan | None) -> Chosen:
    """The stage as the model would have it, or the rules' where it is not sure or cannot be asked."""
    data, told = load_empathy(), _told(history)
    heard = theme in data.only_heard
    fits = theme not in ("general", *load_themes().plain)
    may_act = fits and told >= data.arc.index("comfort") and not (before is not None and before["offer"])
    likely = None if heard else foresee()
    return choose(stage, likely, data.learned, may_act=may_act) if likely else Chosen(stage)


def _step(name: StepName, feeling: str, may_ask: bool, chosen: Chosen) -> Step:
    data = load_empathy()
    if name == "emotion" and not feeling:
        return {"step": name, "why": data.why_unsure}
    if name == "listening" and not may_ask:
        return {"step": name, "why": data.why_no_question}
    if reason := next((why for why in chosen.reasons(name) if why in data.learned.why), ""):
        return {"step": name, "why": data.learned.why[reason]}
    return {"step": name, "why": data.why[name]}
