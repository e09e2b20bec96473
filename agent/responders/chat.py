"""A language model as a responder: a prompt from the plan, the model's text cut into whole sentences.

Any source of text will do: a LangChain chat model (`streamed`) or a function. What a model thinks aloud
is hidden, labels and echoes of its prompt are taken off, a loop or an overrun ends the reply. It judges
nothing: what stands too near to the prompt is only marked, so that the guard stops it. Knows nothing of
where the model runs, and never logs what anyone wrote.
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessageChunk
from langsmith import tracing_context

from agent.brief import Brief
from agent.errors import ResponderError
from agent.prompt import ROOM, Count, Message, load_prompt, render, roughly, secrets
from agent.sentences import fold_text, split

__all__ = ["LEAK", "Chat", "Stream", "cut", "spoken", "streamed", "visible"]

# Messages and options (max_tokens, stop, alpha) -> pieces of text as they come.
Stream = Callable[..., Iterator[str]]

# Before a sentence that repeats the prompt: such a label is what the guard refuses, with its reason.
LEAK = "Prompt: "
SHARED = 6  # words in a row that a reply and the prompt may not share
LONGEST = 700  # characters without an end of a sentence, after which nothing good is to come
RUNS_ON = 2  # times the plan's words, after which a reply is ended
_PER_WORD = 1.6  # tokens of a word, with room to end the sentence
_THINKS = r"(?:think|thinking|thought|reasoning|analysis|reflection)"
_OPEN, _CLOSE = re.compile(rf"<{_THINKS}>", re.I), re.compile(rf"</{_THINKS}>", re.I)
_TAG = 14  # characters of the longest of these tags
# What model libraries raise of their own; a time-out or a bug of ours is not among them.
_BREAKS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    TypeError,
    ValueError,
)


@dataclass
class Chat:
    """One language model that words replies.

    stream: the model. count: tokens of a text. room: of a whole prompt. seconds, tokens: of one reply.
    alpha: for proxy-tuning, how much of the difference a plan with weight 1 gets. trouble: why the last
    reply could not be had, "" when it could.
    """

    stream: Stream
    count: Count = roughly
    room: int = ROOM
    seconds: float = 50.0
    tokens: int = 220
    alpha: float | None = None
    clock: Callable[[], float] = time.monotonic
    trouble: str = ""
    thinks: bool = field(default=False)

    def respond(self, brief: Brief) -> Iterator[str]:
        """Sentences as they are complete. Raises ResponderError when none comes."""
        yield from self._worded(brief, render(brief, count=self.count, room=self.room))

    def again(self, brief: Brief, said: Sequence[str], reason: str) -> Iterator[str]:
        """The rest of a reply of which `said` stands; what came next was stopped for `reason`."""
        asked = render(brief, count=self.count, room=self.room, said=said, reason=reason)
        yield from self._worded(brief, asked)

    def _worded(self, brief: Brief, asked: list[Message]) -> Iterator[str]:
        try:
            come = 0
            for come, sentence in enumerate(self._sentences(brief, asked), 1):  # noqa: B007 - counted
                yield sentence
            self._answered(come)
        except ResponderError as error:
            self.trouble = str(error)
            raise
        except _BREAKS as error:
            what = type(error).__name__
            self.trouble = f"The model broke off ({what}); try it with `hearken models verify`."
            raise ResponderError(self.trouble) from error

    def _answered(self, sentences: int) -> None:
        if not sentences:
            self.thinks = False  # where it was taken for one that thinks aloud, that may be why
            raise ResponderError("The model gave an empty answer; try it with `hearken models verify`.")
        self.trouble = ""

    def _sentences(self, brief: Brief, asked: list[Message]) -> Iterator[str]:
        known, told = _prompted(asked, brief)
        seen: set[str] = set()
        words = 0
        for raw in cut(self._chunks(asked, self._options(brief))):
            sentence = spoken(raw)
            plain = " ".join(_words(sentence))
            if not plain or plain in told:  # a bare label, or a line of the prompt and nothing else
                continue
            if plain in seen:  # from here on it says itself over
                return
            seen.add(plain)
            words += len(plain.split())
            yield LEAK + sentence if _shares(plain.split(), known) else sentence
            if words > RUNS_ON * brief["plan"]["words"]:
                return

    def _options(self, brief: Brief) -> dict[str, Any]:
        words = load_prompt()
        wanted = int(brief["plan"]["words"] * RUNS_ON * _PER_WORD)
        options: dict[str, Any] = {"max_tokens": max(min(wanted, self.tokens), 16), "stop": words.stop}
        if self.alpha is not None:
            options["alpha"] = self.alpha * words.weights.get(brief["plan"]["move"], 1.0)
        return options

    def _chunks(self, asked: list[Message], options: dict[str, Any]) -> Iterator[str]:
        """The model's text without its thoughts, for as long as there is time."""
        end = self.clock() + self.seconds
        try:
            for text in visible(self._timed(self.stream(asked, **options), end), inside=self.thinks):
                if text is None:  # what came until here were thoughts, whose beginning stood in the template
                    self.thinks = True
                    raise ResponderError("The model thinks aloud; from the next reply on that is hidden.")
                yield text
        except _Late:
            return

    def _timed(self, texts: Iterator[str], end: float) -> Iterator[str]:
        for text in texts:
            if self.clock() > end:
                raise _Late
            yield text


class _Late(Exception):
    """The time of a reply is up; what is whole of it stands."""


def streamed(model: BaseChatModel) -> Stream:
    """A LangChain chat model as a source of text. Its tokens reach no host's stream and no tracing service."""

    def stream(messages: Sequence[Message], **options: Any) -> Iterator[str]:
        # `nostream`: unguarded tokens would otherwise show in a LangGraph host's stream of messages.
        asked = [dict(message) for message in messages]
        with tracing_context(enabled=False):
            pieces = iter(model.stream(asked, config={"tags": ["nostream"]}, **options))
        while True:
            with tracing_context(enabled=False):
                piece = next(pieces, None)
            if piece is None:
                return
            yield _text(piece)

    return stream


def _text(chunk: BaseMessageChunk | Any) -> str:
    content = chunk.content
    if isinstance(content, str):
        return content
    parts = (part if isinstance(part, str) else str(part.get("text") or "") for part in content)
    return "".join(parts)


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
    if '""' in sentence:  # which mark opens and which closes is told by what follows
        return False
    return sentence.count('"') % 2 == 0 and sentence.count("“") <= sentence.count("”")


def spoken(sentence: str) -> str:
    """The sentence without the labels that models put before it."""
    before = ""
    while sentence != before:
        before, sentence = sentence, _labels().sub("", sentence, count=1).strip()
    return sentence


@cache
def _labels() -> re.Pattern[str]:
    return re.compile(load_prompt().labels, re.IGNORECASE)


def _words(text: str) -> list[str]:
    return re.findall(r"[\w']+", fold_text(text))


def _prompted(asked: Sequence[Message], brief: Brief) -> tuple[frozenset[tuple[str, ...]], frozenset[str]]:
    """Runs of words of the prompt that nobody in the conversation used, and its sentences, in plain words.

    The person's message is part of a prompt too: its sentences given back whole are an echo.
    """
    told = secrets(asked)
    talk = [text for _, text in brief["history"]] + [brief["text"]]
    heard = {run for text in talk for run in _runs(_words(text))}
    sentences = (" ".join(_words(one)) for text in told for one in split(text))
    runs = {run for text in told for line in text.splitlines() for run in _runs(_words(line))}
    echoed = (" ".join(_words(one)) for one in split(brief["text"]) if len(one.split()) > 3)
    return frozenset(runs - heard), frozenset(one for one in (*sentences, *echoed) if " " in one)


def _runs(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(words[at : at + SHARED]) for at in range(len(words) - SHARED + 1))


def _shares(words: Sequence[str], known: frozenset[tuple[str, ...]]) -> bool:
    return any(run in known for run in _runs(words))
