"""What of a turn has to be counted and no pattern can tell, by the names that lints.yaml uses.

Each is a function of a turn that says whether it falls short. Knows nothing of lints.
"""

import re
from collections.abc import Callable, Mapping

from agent import sentences
from agent.evaluate import style
from agent.evaluate.turns import Turn
from agent.reading.ladder import LEVELS
from agent.responders.guided import called
from agent.train.labels import INTENTS

__all__ = ["MEASURES"]

WORDS, CRISIS_WORDS = 130, 190  # more is a wall of text
BRIEF, SHORT, CURT = 45, 45, 6
GRADE, FEWEST, MOST = 9.0, 3, 130
QUOTED = 8  # words in a row that make a quotation of a looked-up text
OPENING = 3
AT_ONCE = 2  # sentences within which a named feeling is to be met


def _split(turn: Turn) -> list[str]:
    return sentences.split(turn.said)


def _length(turn: Turn) -> int:
    return len(turn.said.split())


def _repeats(turn: Turn) -> bool:
    own = [one.casefold() for one in _split(turn)]
    before = {one.casefold() for earlier in turn.before for one in _split(earlier)}
    return len(set(own)) < len(own) or bool(before.intersection(own))


def _damaged(turn: Turn) -> bool:
    for one in _split(turn):
        words = [word.strip(".,;:?!'()") for word in sentences.fold_text(one).split()]
        foreign = not turn.reply.escalated and sentences.foreign(words) and not _tongue(turn)
        if not sentences.finished(one) or sentences.looping(words) or foreign:
            return True
        if sentences.strange(one, turn.heard):
            return True
    return False


def _tongue(turn: Turn) -> bool:
    """Whether the person writes in another language, in which they may be answered."""
    return any(sentences.foreign(sentences.fold_text(one.heard).split()) for one in (*turn.before, turn))


def _quotes(turn: Turn) -> bool:
    said = _runs(turn.said)
    return any(said & _runs(source) for source in turn.reply.sources)


def _runs(text: str) -> set[tuple[str, ...]]:
    words = style.words(text)
    return {tuple(words[at : at + QUOTED]) for at in range(len(words) - QUOTED + 1)}


def _emoji(turn: Turn) -> bool:
    heard = "".join(one.heard for one in (*turn.before, turn))
    return any(one not in heard for one in sentences.emoji(turn.said))


def _unmet(turn: Turn) -> bool:
    """A feeling was named, and the first sentences hold neither it nor any word that meets one."""
    first = " ".join(_split(turn)[:AT_ONCE])
    return not (style.content(turn.heard) & style.content(first) or style.meets(first))


def _unspecific(turn: Turn) -> bool:
    told = style.content(" ".join(one.heard for one in (*turn.before, turn)))
    answered = any(line in turn.said for line in called(turn.heard))  # authored for those very words
    return not told & style.content(turn.said) and not answered


def _same_opening(turn: Turn) -> bool:
    def opening(one: Turn) -> tuple[str, ...]:
        return tuple(style.words(one.said)[:OPENING])

    return opening(turn) in {opening(one) for one in turn.before}


def _not_plain(turn: Turn) -> bool:
    long = _length(turn) >= 10  # of a few words no grade can be told
    return not FEWEST <= _length(turn) <= MOST or (long and style.grade(turn.said) > GRADE)


def _let_go(turn: Turn) -> bool:
    if not turn.before:
        return False
    before = LEVELS.index(turn.before[-1].reply.risk)
    return before >= LEVELS.index("high") and turn.reply.risk == "none"


def _first(turn: Turn) -> bool:
    return not any(one.reply.escalated for one in turn.before)


def _asks(turn: Turn) -> bool:
    return sentences.questions(turn.said) > 0


def _leaks(turn: Turn) -> bool:
    return bool(re.search(r"\$\{?[a-z_]{2}|\{[a-z_ ]+\}|\[/?[A-Z]{3,}|<\||</?s>|\bNone\b\.", turn.said))


MEASURES: Mapping[str, Callable[[Turn], bool]] = {
    "always": lambda _: True,
    "silent": lambda turn: not any(map(str.isalnum, turn.said)),
    "unregistered": lambda turn: not sentences.contacts(turn.said) <= turn.reply.allowed,
    "curt": lambda turn: _length(turn) < CURT,
    "repeats": _repeats,
    "interrogates": lambda turn: sentences.questions(turn.said) > 1,
    "asks": _asks,
    "wall": lambda turn: _length(turn) > (CRISIS_WORDS if turn.reply.escalated else WORDS),
    "emoji": _emoji,
    "quotes": _quotes,
    "leaks": _leaks,
    "damaged": _damaged,
    "unmet": _unmet,
    "unspecific": _unspecific,
    "aimless": lambda turn: bool(turn.reply.intent) and turn.reply.intent not in INTENTS,
    "third_question": lambda turn: len(turn.before) > 1 and all(map(_asks, (*turn.before[-2:], turn))),
    "not_brief": lambda turn: _length(turn) > BRIEF,
    "first_alarm": lambda turn: _first(turn) and not (_asks(turn) and style.safety(turn.said)),
    "first_without_line": lambda turn: _first(turn) and not turn.reply.lines,
    "let_go": _let_go,
    "not_plain": _not_plain,
    "same_opening": _same_opening,
    "not_short": lambda turn: _length(turn) > SHORT,
}
