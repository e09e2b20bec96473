"""What the reading model says of danger, as cues beside those of the rules. It may raise, never lower.

The bars behind `Heard["danger"]` were set so that few harmless texts pass them (labels.json). They hold where
the rules hear something of the kind too, if little, and it is the writer's own danger. What nobody else
hears, is long over, is about somebody else, is several messages read as one or would be worse than what the
rules named must be all but certain. Short of that, a message with a dark word in it is a doubt, and so is one
that the model alone thinks rather dark. Knows nothing of the conversation: `assess` folds it in.
"""

from collections.abc import Mapping, Sequence

from agent.reading.heads import Heard
from agent.reading.ladder import KINDS, LEVELS, Cue, Kind, Level, Subject, at_least

__all__ = ["BRIEF", "FAINT", "GLAD", "RULE", "SECOND", "WONDER", "opinion", "second"]

# Stands where a rule's id would, so that a cue tells who heard it.
RULE = "reading model"
SECOND = "language model"
# The mark of a cue that is a doubt: worth one soft question, no more (safety ladder, low).
WONDER = "wonder"
# Beside it: one dark word, and a model that hears not much in it, which is nothing to ask about.
FAINT = "faint"
# At moderate these call for somebody with training, not for a crisis card (safety ladder).
ROUTED: frozenset[Kind] = frozenset(
    {"medication", "psychosis", "mania", "eating_disorder", "medical", "substance"}
)
# The rule that knows a word for danger and nothing else.
DARK_WORD = "distress.dark_word"
# A rule's marks on an end that is placed a lifetime away, and on pictures that frighten the one who has them:
# the model hears only the end, or the picture.
FAR_OFF, PICTURES = "far_off", "sign:pictures"
# The rule that hears how young somebody is, which bears out nothing: it says who is helped, and by whom.
AGE = "minor.age"
# Without anything else that speaks for it, the probability of a level or worse from which it is held.
ALONE: Mapping[Level, float] = {"imminent": 0.88, "high": 0.66, "moderate": 0.78}
# The same for more than the rules named.
BEYOND: Mapping[Level, float] = {"imminent": 0.9, "high": 0.95, "moderate": 0.9}
# The same where several messages are read as one, which it was not taught.
TOGETHER: Mapping[Level, float] = {"imminent": 0.97, "high": 0.95, "moderate": 0.97}
# Words of a message that says little by itself ("I'm driving off the lot").
BRIEF = 10
# From this probability of no danger at all, a doubt beside a single dark word is not asked about.
AS_LIKELY_NOT = 0.2
# From this probability of moderate danger or worse it is asked about where the rules hear nothing at all.
DOUBT = 0.8
# What a message does (agent/words/replies_told.yaml) that speaks against a danger nobody else hears in it.
# Jokes, relief, a thing done and a day looked forward to do not: danger hides in them.
GLAD = frozenset({"kindness", "joy", "proud_of", "made_up"})
KIND_SURE = 0.5  # below it the kind is a guess among fifteen, and its words could miss
SUBJECTS: tuple[Subject, ...] = ("self", "other", "child")


def opinion(
    heard: Heard,
    rules: Sequence[Cue] = (),
    *,
    story: bool = False,
    brief: bool = False,
    misheard: bool = False,
) -> list[Cue]:
    """One cue when the model is confident of moderate danger or worse, and of more than the rules, or in
    doubt; else none.

    rules: what the rules heard in the same message. They know better what kind of danger it is and to whom,
    so the model only says how much. Alone, a kind it is not sure of is distress; moderate of such a kind,
    where the rules hear nothing at all, is a guess upon a guess and no more than a doubt. Nor is moderate
    held against a mark that the end spoken of is a lifetime away, or a picture that frightens. story: it
    read several messages as one, and has no doubts of its own. brief: so few words that they say little by
    themselves; of such, of what the rules know to be over, and of a message that tells of something glad,
    the model has to be as sure as of a story, and a doubt about the last is not asked about. misheard: it
    guessed wrongly before in this talk, and has to be as sure again.
    Nobody is sent to the emergency number for danger of no known kind.
    """
    held = any({FAR_OFF, PICTURES} & set(cue["marks"]) for cue in rules)
    rules = [cue for cue in rules if cue["rule"] != AGE]
    # What weighs only beside others (agent.reading.gathering) bears out no doubt of another kind.
    rules = [cue for cue in rules if cue["kind"] == "suicide" or not _only_beside(cue)]
    known = max(
        (cue for cue in rules if not cue["past"] and at_least(cue["level"], "moderate")),
        key=lambda cue: LEVELS.index(cue["level"]),
        default=None,
    )
    kind, subject = (known["kind"], known["subject"]) if known else _told(heard)
    low = any(cue["level"] != "none" and not _only_beside(cue) for cue in rules)
    past = any(cue["past"] for cue in rules)
    borne_out = low and not known and not past and not story and subject == "self"
    guessed = kind == "distress" and bool(heard["heads"]) and all(cue["rule"] == RULE for cue in rules)
    glad = heard.get("telling", "") in GLAD and not low
    unaided = story or past or ((brief or misheard) and not rules) or (glad and not known)
    bars = TOGETHER if unaided else BEYOND if known else ALONE
    level = heard["danger"] if borne_out else _certain(heard, bars)
    unsure = heard["danger"] != "none" and not at_least(level, "moderate")
    doubted = bool(rules) or _likely(heard, "moderate") >= DOUBT
    if unsure and doubted and not (low or story or glad or misheard):
        nothing = next((s["p"] for s in heard["heads"].get("danger", []) if s["label"] == "none"), 0.0)
        faint = bool(rules) and nothing >= AS_LIKELY_NOT and all(cue["rule"] == DARK_WORD for cue in rules)
        return [_cue(kind, subject, "low", marks=[WONDER, FAINT] if faint else [WONDER])]
    if not at_least(level, "moderate") or (known and known["escalate"] and at_least(known["level"], level)):
        return []
    told = any(cue["level"] != "none" and cue["rule"] != RULE for cue in rules)
    if story and not known and not told:  # the rules heard no danger in any of it
        if kind not in {"suicide", "self_harm", "overdose"}:
            return [_cue(kind, subject, "low", marks=[WONDER])]  # its own words would miss, if it is not that
        level = "moderate"
    if level == "moderate" and held:
        return []
    if level == "moderate" and guessed:
        return [_cue(kind, subject, "low", marks=[WONDER])]
    if level == "imminent" and kind == "distress" and heard["heads"] and not known and not low:
        level = "high"
    return [_cue(kind, subject, level)]


def second(level: Level, rules: Sequence[Cue] = ()) -> list[Cue]:
    """The same for a language model that was asked: it says how much, and nothing of what kind."""
    heard = Heard(
        emotions=[], intents=[], sure=False, want="", danger=level, heads={}, evidence=[]
    )  # fmt: skip
    return [Cue(**{**cue, "rule": SECOND}) for cue in opinion(heard, rules)]


def _only_beside(cue: Cue) -> bool:
    faint = not at_least(cue["level"], "moderate")
    return faint and any(mark.startswith(("sign:", "context:")) for mark in cue["marks"])


def _told(heard: Heard) -> tuple[Kind, Subject]:
    """What kind of danger the model speaks of, and whose; distress where it is not sure."""
    kind, subject = _first(heard, "danger_kind", KIND_SURE), _first(heard, "danger_subject")
    return next((k for k in KINDS if k == kind), "distress"), next(
        (s for s in SUBJECTS if s == subject), "self"
    )


def _cue(kind: Kind, subject: Subject, level: Level, marks: Sequence[str] = ()) -> Cue:
    return Cue(
        rule=RULE,
        kind=kind,
        subject=subject,
        level=level,
        escalate=at_least(level, "high") or (at_least(level, "moderate") and kind not in ROUTED),
        past=False,
        marks=list(marks),
        span=[0, 0],
    )


def _certain(heard: Heard, bars: Mapping[Level, float]) -> Level:
    """The level where nothing else speaks for it; a reader without probabilities is taken at its word."""
    if not heard["heads"].get("danger"):
        return heard["danger"]
    return next((level for level, bar in bars.items() if _likely(heard, level) >= bar), "none")


def _likely(heard: Heard, level: Level) -> float:
    """The probability of this level or worse; 0 where the reader gives none."""
    likely = {score["label"]: score["p"] for score in heard["heads"].get("danger", [])}
    return sum(likely.get(worse, 0.0) for worse in LEVELS[LEVELS.index(level) :])


def _first(heard: Heard, head: str, least: float = 0.0) -> str:
    found = heard["heads"].get(head) or [{"label": "", "p": 0.0}]
    return found[0]["label"] if found[0]["p"] >= least else ""
