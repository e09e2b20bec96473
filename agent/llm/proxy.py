"""Proxy tuning: a large model steered by what a small tuned one wants and its untuned twin does not.

logits = base + alpha * (expert - anti-expert), Liu et al. 2024 (arXiv 2401.08565), as the first logits
processor of `generate`, so that every sampler works on the mixture. alpha is the settings' or a call's.

- The expert a LoRA adapter on the anti-expert: one small model in memory, one pass for both.
- The anti-expert the base itself: (1 - alpha) * base + alpha * expert, the plain ensemble of two
  models, and two models in memory (`ensemble` gives its settings).
- Otherwise three models.

Knows nothing of plans and of what the messages say; what the models wanted is told to `watch`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from langchain_core.messages import BaseMessage

from agent.backends import Proxy
from agent.errors import ResponderError
from agent.llm.decoding import Job, Wishes, Written, decode
from agent.llm.learned import form_of
from agent.llm.local import LocalChat, asked, warm
from agent.llm.model_files import Files, find, same_model
from agent.llm.opinions import ProxyLogits, Reader
from agent.llm.split_lora import split_rows
from agent.llm.templates import render
from agent.llm.tracks import Budget, Caches
from agent.llm.weights import (
    Loaded,
    Progress,
    add_adapter,
    choose_numbers,
    choose_place,
    free_memory,
    load,
    load_base,
    load_tokenizer,
    require_memory,
)

__all__ = ["ProxyEngine", "ensemble", "load_proxy"]

# Enough of what tokenizers differ in: spaces, digits, accents, scripts, symbols, code.
_PROBES = ("Hello, world!  It's 3.14159", "naïve façade — déjà vu", "你好, мир 🙂", "\n\tif x_1 == 10:\n")


@dataclass(slots=True)
class ProxyEngine:
    """base, what the others read with, and how many token ids all of them know."""

    base: Loaded
    readers: list[Reader]
    tokenizers: dict[str, tuple[Any, str]]
    width: int
    alpha: float
    own_templates: bool
    caches: Caches

    @property
    def reads(self) -> int:
        """See local.Engine."""
        return min(self.base.reads, *(reader.loaded.reads for reader in self.readers))

    def prompts(self, talks: Sequence[Sequence[BaseMessage]]) -> dict[str, list[list[int]]]:
        """What base, expert and anti-expert are given to read."""
        if self.own_templates:
            return {voice: [render(*how, talk) for talk in talks] for voice, how in self.tokenizers.items()}
        # An untuned base often has no template; the tokens are the same, so another's will do.
        held = [how for how in self.tokenizers.values() if how[0].chat_template]
        tokenizer, name = held[0] if held else self.tokenizers["base"]
        shared = [render(tokenizer, name, talk) for talk in talks]
        return dict.fromkeys(self.tokenizers, shared)

    def write(
        self,
        talks: Sequence[Sequence[BaseMessage]],
        wishes: Wishes,
        budget: Budget,
        hear: Callable[[int, str], object],
        options: Mapping[str, Any],
    ) -> list[Written]:
        """See local.Engine. options: alpha, and watch (see watching.Watch) with one conversation."""
        prompts, watch = self.prompts(talks), options.get("watch")
        alpha = self.alpha if options.get("alpha") is None else float(options["alpha"])
        wishes = replace(wishes, max_tokens=min(wishes.max_tokens, self._room(prompts)))

        @contextmanager
        def first(budget: Budget) -> Iterator[Sequence[Any]]:
            mixed = ProxyLogits(self.readers, prompts, alpha, self.width, budget)
            mixed.watch = watch.see if watch else None
            yield [mixed]
            mixed.keep()  # not of a call that broke: its layers may have read unequal lengths

        job = Job(prompts["base"], wishes, budget, hear, first=first)
        return decode(self.base, replace(job, chose=watch.chose) if watch else job, self.caches)

    def _room(self, prompts: Mapping[str, Sequence[Sequence[int]]]) -> int:
        """How many tokens a reply may have, so that the small models can read all of it."""
        rooms = [self.base.reads]
        for reader in self.readers:
            longest = max(len(prompt) for voice in reader.voices for prompt in prompts[voice])
            name, reads = reader.loaded.name, reader.loaded.reads
            if longest >= reads:
                raise ResponderError(f"{name} reads {reads} tokens and was given {longest}: send fewer.")
            rooms.append(reads - longest)
        return min(rooms)


def known_to_all(voices: Sequence[tuple[Any, str]], widths: Sequence[int]) -> int:
    """How many ids mean the same to every model. ResponderError with both names where they do not.

    Ids past the smallest vocabulary or head (padding, a chat model's own extra tokens) are left out.
    """
    first, name = voices[0]
    ours = {index: token for token, index in first.get_vocab().items()}
    known = min([*widths, len(ours)])
    for tokenizer, other in voices[1:]:
        theirs = {index: token for token, index in tokenizer.get_vocab().items()}
        known = min(known, len(theirs))
        differ = any(ours.get(index) != theirs.get(index) for index in range(known))
        if differ or any(_ids(first, probe) != _ids(tokenizer, probe) for probe in _PROBES):
            raise ResponderError(
                f"{name} and {other} cut text into different tokens, so their logits cannot be added: "
                "choose models of one family."
            )
    return known


def _ids(tokenizer: Any, text: str) -> list[int]:
    return list(tokenizer(text, add_special_tokens=False)["input_ids"])


def ensemble(
    one: str, other: str, weights: tuple[float, float] = (0.5, 0.5), *, temperature: float = 0.7, **rest: Any
) -> Proxy:
    """Settings under which one's and other's logits are summed with these weights.

    Only their proportion is alpha's; their sum divides the temperature.
    """
    total = sum(weights)
    if total <= 0 or min(weights) < 0:
        raise ResponderError("The weights of an ensemble must not be negative, nor both be zero.")
    alpha = weights[1] / total
    return Proxy(
        base=one, anti_expert=one, expert=other, alpha=alpha, temperature=temperature / total, **rest
    )


@dataclass(frozen=True, slots=True)
class _Plan:
    """Which files are loaded: those of one small model with the adapter on it, or of each."""

    base: Files
    expert: Files
    anti: Files | None
    shared: bool

    @property
    def wanted(self) -> list[Files]:
        return [f for f in (self.base, self.expert, None if self.shared else self.anti) if f]


def _plan(config: Proxy) -> _Plan:
    base, expert, anti = find(config.base), find(config.expert), find(config.anti_expert)
    twin = (anti.folder, anti.adapter) == (base.folder, base.adapter)
    if expert.adapter is None:
        return _Plan(base, expert, None if twin else anti, shared=False)
    if not (anti.adapter is None and same_model(expert, config.anti_expert)):
        raise ResponderError(
            f"The adapter {expert.name} was made for {expert.base}, not for {anti.name}: "
            f"set anti_expert to {expert.base}, or choose another expert."
        )
    return _Plan(base, expert, None if twin else anti, shared=not twin)


def _readers(plan: _Plan, dtype: str, place: str, progress: Progress | None) -> list[Reader]:
    if plan.shared and plan.expert.adapter and plan.anti:
        small = load_base(plan.expert, dtype, place, progress)
        small.name = plan.anti.name
        tuned = add_adapter(small, plan.expert.adapter, plan.expert.name)
        whole, small.model = split_rows(tuned)
        if whole:
            return [Reader(small, ("expert", "anti"))]
        del small, tuned  # an adapter that does more than add to linear layers: loaded as a model of its own
    readers = [Reader(load(plan.expert, dtype, place, progress), ("expert",))]
    if plan.anti:
        readers.append(Reader(load(plan.anti, dtype, place, progress), ("anti",)))
    return readers


def load_proxy(
    config: Proxy, progress: Progress | None = None, *, free: Callable[[str], int] = free_memory
) -> LocalChat:
    """The chat model of these settings, ready to write. Raises ResponderError with what to do."""
    plan, place = _plan(config), choose_place(config.device)
    files = {"base": plan.base, "expert": plan.expert, "anti": plan.anti}
    if any(form_of(f.adapter or f.folder) == "tokens" for f in plan.wanted):
        raise ResponderError(
            "A model that learned tokens of its own for feeling and intent cannot be mixed with others: "
            "train the expert with --set conditions=text."
        )
    tokenizers = {voice: (load_tokenizer(f), f.name) for voice, f in files.items() if f}
    known_to_all(list(tokenizers.values()), [])  # before gigabytes are read for nothing
    room = free(place)
    dtype = choose_numbers(config.dtype, place, plan.wanted, room)
    require_memory(plan.wanted, dtype, place, room)
    base = load(plan.base, dtype, place, progress)
    readers = _readers(plan, dtype, place, progress)
    width = known_to_all(list(tokenizers.values()), [base.width, *(r.loaded.width for r in readers)])
    # Whose template it is decides what ends a turn; the tokens mean the same to all.
    ends = [end for one in (base, *(r.loaded for r in readers)) for end in one.ends if end < width]
    base.ends = tuple(dict.fromkeys(ends))
    engine = ProxyEngine(base, readers, tokenizers, width, config.alpha, config.own_templates, Caches())
    chat = LocalChat(engine=engine, asked=asked(config))
    warm(chat, progress)
    return chat
