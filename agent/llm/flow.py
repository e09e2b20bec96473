"""A model's text as it comes: thoughts hidden, cut into whole sentences, labels taken off.

The same whatever the pieces are. Knows nothing of models, prompts or what may be said.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache

from agent.prompt import load_prompt
from agent.sentences import split

__all__ = ["LONGEST", "cut", "spoken", "visible"]

LONGEST = 700  # characters without an end of a sentence, after which nothing good is to come
_THINKS = r"(?:think|thinking|thought|reasoning|analysis|reflection)"
_OPEN, _CLOSE = re.compile(rf"<{_THINKS}>", re.I), re.compile(rf"</{_THINKS}>", re.I)
_TAG = 14  # characters of the longest of these tags


def visible(texts: Iterable[str], *, inside: bool = False) -> Iterator[str | None]:
    """The text without <think>…</think>, however it is cut; None where thoughts end that never began.

    inside: the template already opened the thoughts.
    """
    held = ""
    for text in texts:
        held += text
        while held:
            tag = (_CLOSE if inside else _OPEN).search(held)
            orphan = None if inside else _CLOSE.search(held)
            if orphan and (tag is None or orphan.start() < tag.start()):
                if orphan.start():
                    yield held[: orphan.start()]
                yield None
                held = held[orphan.end() :]
            elif tag:
                if not inside and tag.start():
                    yield held[: tag.start()]
                held, inside = held[tag.end() :], not inside
            else:
                at = held.rfind("<", max(len(held) - _TAG, 0))  # may be the beginning of a tag
                at = len(held) if at < 0 or ">" in held[at:] else at
                if not inside and at:
                    yield held[:at]
                held = held[at:]
                break
    if held and not inside:
        yield held


def cut(texts: Iterable[str]) -> Iterator[str]:
    """Whole sentences out of pieces of text, the same as `split` makes of the whole, each as soon as known.

    After LONGEST characters without an end, what there is comes as one last piece.
    """
    held = ""
    for text in texts:
        held += text
        *lines, last = held.split("\n")
        for line in lines:
            yield from split(line)
        parts = split(last)
        while len(parts) > 1 and _closed(parts[0]):
            sentence, *parts = parts
            at = last.index(sentence) + len(sentence)
            yield sentence
            last = last[at:]
        held = last
        if len(held) > LONGEST:
            yield held
            return
    yield from split(held)


def _closed(sentence: str) -> bool:
    """Whether every quotation in it has ended, so that what follows cannot join it."""
    curly = "“" in sentence or "”" in sentence
    if '""' in sentence or (curly and '"' in sentence):  # what closes what is told by what follows
        return False
    return sentence.count('"') % 2 == 0 and sentence.rfind("“") <= sentence.rfind("”")


def spoken(sentence: str) -> str:
    """The sentence without the labels that models put before it."""
    before = ""
    while sentence != before:
        before, sentence = sentence, _labels().sub("", sentence, count=1).strip()
    return sentence


@cache
def _labels() -> re.Pattern[str]:
    return re.compile(load_prompt().labels, re.IGNORECASE)
