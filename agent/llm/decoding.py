"""Tokens out of a loaded model, chosen one by one, and their text as it comes.

transformers' `generate` chooses them, with its own samplers. Around it stands what it lacks: the
prompt's keys and values outlive the call (`tracks.py`), stop strings are cut out before anyone sees a
part of them (`speech.py`), a deadline and a leaving listener end it at the next token. Knows nothing
of messages, templates and proxies.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from typing import Any, Literal

from agent.errors import ResponderError
from agent.llm.speech import Speech
from agent.llm.tracks import Budget, Caches, OutOfTime, Track, read
from agent.llm.weights import Loaded

__all__ = ["Job", "Wishes", "Written", "decode"]

_turn = threading.Lock()  # one reply at a time: two share the same cores and the same random numbers


Finish = Literal["stop", "length", "time"]


@dataclass(frozen=True, slots=True)
class Wishes:
    """How one reply is to be written. seconds: until when it must be; None is for ever."""

    max_tokens: int
    temperature: float
    top_p: float
    repetition_penalty: float
    seed: int | None = None
    stop: tuple[str, ...] = ()
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A reply, and why it ended: at its `stop`, at the token budget (`length`), or out of `time`."""

    text: str
    finish: Finish
    tokens: tuple[int, ...]
    prompt_tokens: int


def _nobody(row: int, said: object) -> None:
    del row, said


def _nothing_first(budget: Budget) -> AbstractContextManager[Sequence[Any]]:
    del budget
    return nullcontext(())


@dataclass(frozen=True, slots=True)
class Job:
    """Prompts to be answered. hear: told of each piece of text as it comes.

    first: what comes before all other logits processors, made once it is this job's turn.
    chose: told of each chosen token.
    """

    prompts: Sequence[Sequence[int]]
    wishes: Wishes
    budget: Budget
    hear: Callable[[int, str], object] = _nobody
    chose: Callable[[int, int], object] = _nobody
    first: Callable[[Budget], AbstractContextManager[Sequence[Any]]] = _nothing_first


class _Listener:
    """A stopping criterion: turns each new token into text, and says which rows are done."""

    def __init__(self, job: Job, loaded: Loaded) -> None:
        self.job, self.ends = job, frozenset(loaded.ends)
        self.speeches = [Speech(loaded.tokenizer, job.wishes.stop) for _ in job.prompts]
        self.tokens: list[list[int]] = [[] for _ in job.prompts]
        self.finish: list[Finish | None] = [None] * len(job.prompts)

    def __call__(self, input_ids: Any, scores: Any, **options: Any) -> Any:
        del scores, options
        import torch  # noqa: PLC0415

        for row, token in enumerate(input_ids[:, -1].tolist()):
            if self.finish[row] is None:
                self._add(row, token)
        return torch.tensor([reason is not None for reason in self.finish], device=input_ids.device)

    def _add(self, row: int, token: int) -> None:
        self.tokens[row].append(token)
        self.job.chose(row, token)
        if token in self.ends:
            self.finish[row] = "stop"
            return
        if text := self.speeches[row].add(token):
            self.job.hear(row, text)
        if self.speeches[row].stopped:
            self.finish[row] = "stop"
        elif self.job.budget.spent:
            self.finish[row] = "time"

    def end(self) -> None:
        """Say what was held back."""
        for row, speech in enumerate(self.speeches):
            if rest := speech.end():
                self.job.hear(row, rest)


@contextmanager
def _seeded(seed: int | None, device: Any) -> Iterator[None]:
    """The same seed gives the same reply, and nobody else's random numbers change."""
    import torch  # noqa: PLC0415

    if seed is None:
        yield
        return
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(seed)
        yield


def _processors(first: Sequence[Any], wishes: Wishes, prompt: int) -> list[Any]:
    from transformers import RepetitionPenaltyLogitsProcessor  # noqa: PLC0415

    if wishes.repetition_penalty == 1:
        return list(first)
    # Only the reply's own words weigh against it: to mirror the person's words is not to repeat oneself.
    again = RepetitionPenaltyLogitsProcessor(float(wishes.repetition_penalty), prompt_ignore_length=prompt)
    return [*first, again]


def _generate(loaded: Loaded, track: Track, listener: _Listener) -> None:
    from transformers import GenerationConfig  # noqa: PLC0415

    job, wishes = listener.job, listener.job.wishes
    ids, mask = track.tensors(loaded.model.device, loaded.pad)
    sampled = wishes.temperature > 0
    chosen = {"temperature": float(wishes.temperature), "top_p": float(wishes.top_p), "top_k": 0}
    config = GenerationConfig(
        max_new_tokens=wishes.max_tokens,
        do_sample=sampled,
        pad_token_id=loaded.pad,
        eos_token_id=list(loaded.ends) or None,
        use_cache=True,
        **(chosen if sampled else {}),
    )
    with job.first(job.budget) as first, _seeded(wishes.seed, loaded.model.device):
        loaded.model.generate(
            ids,
            attention_mask=mask,
            past_key_values=track.cache,
            generation_config=config,
            logits_processor=_processors(first, wishes, track.length),
            stopping_criteria=[listener],
        )


def decode(loaded: Loaded, job: Job, caches: Caches) -> list[Written]:
    """Write one reply to each prompt. Raises ResponderError; a reply cut by the deadline is returned."""
    import torch  # noqa: PLC0415

    longest = max(len(prompt) for prompt in job.prompts)
    if longest >= loaded.reads:
        raise ResponderError(
            f"{loaded.name} reads {loaded.reads} tokens and was given {longest}: send fewer."
        )
    _wait(job.budget)
    try:
        with torch.inference_mode():
            return _decode(loaded, job, caches)
    except OutOfTime as error:
        raise ResponderError(f"{loaded.name} had not begun its reply in time: allow more seconds.") from error
    except (torch.OutOfMemoryError, MemoryError) as error:
        caches.clear()
        raise ResponderError(f"{loaded.name} ran out of memory: choose a smaller model.") from error
    except (RuntimeError, ValueError, IndexError, TypeError) as error:
        caches.clear()
        raise ResponderError(f"{loaded.name} failed while writing ({type(error).__name__}).") from error
    finally:
        _turn.release()


def _wait(budget: Budget) -> None:
    """Until it is this reply's turn; who leaves meanwhile is not waited for."""
    while not _turn.acquire(timeout=0.05):
        if budget.spent:
            raise ResponderError("The model is busy with another reply: wait, or allow more seconds.")


def _decode(loaded: Loaded, job: Job, caches: Caches) -> list[Written]:
    if job.budget.spent:
        raise OutOfTime
    alone = len(job.prompts) == 1  # a batch is a batch of conversations: none of them is gone on with
    track = (caches if alone else Caches(0)).track(loaded.model, job.prompts)
    room = loaded.reads - max(len(prompt) for prompt in job.prompts)
    job = replace(job, wishes=replace(job.wishes, max_tokens=min(job.wishes.max_tokens, room)))
    listener = _Listener(job, loaded)
    try:
        read(loaded.model, track, loaded.pad, job.budget, leave=1)
        _generate(loaded, track, listener)
    finally:
        if alone:  # also of a call that was cut: the next one goes on from there
            track.rows[0] += listener.tokens[0]
            caches.keep(track)
    listener.end()
    rows = zip(listener.speeches, listener.finish, listener.tokens, job.prompts, strict=True)
    return [
        Written(speech.text, finish or "length", tuple(tokens), len(prompt))
        for speech, finish, tokens, prompt in rows
    ]
