"""A language model as a responder: a prompt from the plan, the model's text cut into whole sentences.

Any source of text will do: a LangChain chat model (`streamed`) or a function. What a model thinks aloud
is hidden, labels and echoes of its prompt are taken off, a loop or an overrun ends the reply. It judges
nothing: what stands too near to the prompt is only marked, so that the guard stops it. Knows nothing of
where the model runs, and never logs what anyone wrote.
"""

import re
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from langchain_core.language_models import BaseChatModel
from langchain_core.messages import BaseMessageChunk
from langsmith import tracing_context

from agent.brief import Brief
from agent.errors import ResponderError
from agent.llm.echoes import plain_words, told
from agent.llm.flow import cut, spoken, visible
from agent.prompt import ROOM, Count, Message, load_prompt, question, render, roughly
from agent.reading.ladder import Level
from agent.sentences import finished
from agent.steering import Form

__all__ = ["LEAK", "Chat", "Stream", "streamed"]

# Messages and options (max_tokens, stop, alpha) -> pieces of text as they come.
Stream = Callable[..., Iterator[str]]

# Before a sentence that repeats the prompt: such a label is what the guard refuses, with its reason.
LEAK = "Prompt: "
LEAD = 5  # words before a sentence that are looked at with it, one less than may not be shared
OPINION = 48  # tokens of an opinion on danger, of which the first word counts
RUNS_ON = 2  # times the plan's words, after which a reply is ended
_PER_WORD = 1.6  # tokens of a word, with room to end the sentence
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
    timed: the model is told the seconds too, and ends within them even before a first word of its own.
    alpha: for proxy-tuning, how much of the difference a plan with weight 1 gets. form: how the model
    learned to be told feeling and intent. trouble: why the last reply could not be had, "" when it could.
    model: what stands behind the stream, for whoever studies it.
    """

    stream: Stream
    count: Count = roughly
    room: int = ROOM
    seconds: float = 50.0
    tokens: int = 220
    timed: bool = False
    alpha: float | None = None
    form: Form = "text"
    clock: Callable[[], float] = time.monotonic
    trouble: str = ""
    thinks: bool = field(default=False)
    model: Any = field(default=None, repr=False)

    def respond(self, brief: Brief) -> Iterator[str]:
        """Sentences as they are complete. Raises ResponderError when none comes."""
        yield from self._worded(brief, render(brief, count=self.count, room=self.room, form=self.form))

    def again(self, brief: Brief, said: Sequence[str], reason: str) -> Iterator[str]:
        """The rest of a reply of which `said` stands; what came next was stopped for `reason`."""
        asked = render(brief, count=self.count, room=self.room, said=said, reason=reason, form=self.form)
        yield from self._worded(brief, asked, said)

    def fears(self, text: str) -> Level:
        """`moderate` where the model says plainly that a message tells of danger, `none` for all else.

        It may raise what others heard. An answer that cannot be read is no opinion, and never "no danger".
        """
        asked = question(text, count=self.count, room=self.room)
        said = ""
        options = {"max_tokens": OPINION, "stop": []}
        for piece in self._chunks(asked, options, self.clock() + self.seconds):
            said += piece
            if found := re.match(r"\W*([a-z]+)\b\W", said, re.IGNORECASE):
                said = found[1]
                break
        return "moderate" if re.fullmatch(r"\W*yes\W*", said, re.IGNORECASE) else "none"

    def _worded(self, brief: Brief, asked: list[Message], said: Sequence[str] = ()) -> Iterator[str]:
        end = self.clock() + min(brief.get("seconds", self.seconds), self.seconds)
        try:
            come = 0
            for come, sentence in enumerate(self._sentences(brief, asked, said, end), 1):  # noqa: B007 - counted
                yield sentence
            self._answered(come, late=self.clock() >= end)
        except ResponderError as error:
            self.trouble = str(error)
            raise
        except _BREAKS as error:
            what = type(error).__name__
            self.trouble = f"The model broke off ({what}); try it with `hearken models verify`."
            raise ResponderError(self.trouble) from error

    def _answered(self, sentences: int, *, late: bool) -> None:
        if not sentences and late:
            raise ResponderError(
                "The model wrote no whole sentence in its time: choose a smaller one, or raise "
                "HEARKEN_REPLY_SECONDS."
            )
        if not sentences:
            self.thinks = False  # where it was taken for one that thinks aloud, that may be why
            raise ResponderError("The model gave an empty answer; try it with `hearken models verify`.")
        self.trouble = ""

    def _sentences(
        self, brief: Brief, asked: list[Message], said: Sequence[str], end: float
    ) -> Iterator[str]:
        prompt = told(asked, brief, said)
        seen: set[str] = set()
        words: list[str] = []
        for raw in cut(self._chunks(asked, self._options(brief), end)):
            if self.clock() >= end and not finished(raw):  # what the end of the time cut in two
                return
            sentence = spoken(raw)
            plain = " ".join(plain_words(sentence))
            if (
                not plain or plain in prompt.sentences
            ):  # a bare label, or a line of the prompt and nothing else
                continue
            if plain in seen:  # from here on it says itself over
                return
            seen.add(plain)
            before, new = words[-LEAD:], plain.split()
            words += new
            # with the words before it, for a piece of the prompt may come in several short sentences
            yield LEAK + sentence if prompt.leaked(before, new) else sentence
            if len(words) > RUNS_ON * brief["plan"]["words"]:
                return

    def _options(self, brief: Brief) -> dict[str, Any]:
        words = load_prompt()
        wanted = int(brief["plan"]["words"] * RUNS_ON * _PER_WORD)
        options: dict[str, Any] = {"max_tokens": max(min(wanted, self.tokens), 16), "stop": words.stop}
        if self.alpha is not None:
            options["alpha"] = self.alpha * words.weights.get(brief["plan"]["move"], 1.0)
        return options

    def _chunks(self, asked: list[Message], options: dict[str, Any], end: float) -> Iterator[str]:
        """The model's text without its thoughts, for as long as there is time."""
        if self.timed:
            options["seconds"] = max(end - self.clock(), 0.0)
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
            if self.clock() >= end:
                raise _Late
            yield text


class _Late(Exception):
    """The time of a reply is up; what is whole of it stands."""


def streamed(model: BaseChatModel) -> Stream:
    """A LangChain chat model as a source of text, which reaches no host's stream and no tracing service."""

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
