"""A language model in this process as a LangChain chat model: a hub id, a folder, or a LoRA adapter.

    chat = load_local(HuggingFace(model="./my-adapter"))
    for piece in chat.stream(messages, stop=["\\nUser:"], seconds=30): ...

Why not langchain-huggingface's ChatHuggingFace: over a pipeline it ignores what a call asks for,
stops at single tokens only, keeps no keys and values from turn to turn, cannot be cut by a deadline or by
a listener who leaves, and has no async. It stays the way to embeddings. Per call: `stop`, `max_tokens`,
`temperature` (0: the likeliest token), `top_p`, `repetition_penalty`, `seed`, `seconds`; what other chat
models take is ignored. Knows nothing of plans, guards and what the messages say.
"""

import queue
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

from langchain_core.callbacks import CallbackManagerForLLMRun
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from pydantic import Field

from agent.backends import HuggingFace
from agent.llm.decoding import Job, Wishes, Written, decode
from agent.llm.model_files import find
from agent.llm.templates import render
from agent.llm.tracks import Budget, Caches
from agent.llm.weights import (
    Loaded,
    Progress,
    choose_numbers,
    choose_place,
    free_memory,
    load,
    require_memory,
)

__all__ = ["Engine", "LocalChat", "load_local", "warm"]


class Engine(Protocol):
    """What writes: one loaded model, or several together. reads: the tokens that all of them can take in."""

    base: Loaded

    @property
    def reads(self) -> int: ...

    def write(
        self,
        talks: Sequence[Sequence[BaseMessage]],
        wishes: Wishes,
        budget: Budget,
        hear: Callable[[int, str], object],
        options: Mapping[str, Any],
    ) -> list[Written]:
        """One reply to each conversation, `hear` being told of (conversation, text) as it comes."""


@dataclass(slots=True)
class _Alone:
    """One model that writes by itself."""

    base: Loaded
    caches: Caches = field(default_factory=Caches)

    @property
    def reads(self) -> int:
        """See Engine."""
        return self.base.reads

    def write(
        self,
        talks: Sequence[Sequence[BaseMessage]],
        wishes: Wishes,
        budget: Budget,
        hear: Callable[[int, str], object],
        options: Mapping[str, Any],
    ) -> list[Written]:
        """See Engine."""
        del options
        prompts = [render(self.base.tokenizer, self.base.name, talk) for talk in talks]
        return decode(self.base, Job(prompts, wishes, budget, hear), self.caches)


def _about(written: Written, name: str) -> dict[str, Any]:
    used = UsageMetadata(
        input_tokens=written.prompt_tokens,
        output_tokens=len(written.tokens),
        total_tokens=written.prompt_tokens + len(written.tokens),
    )
    return {
        "usage_metadata": used,
        "response_metadata": {"finish_reason": written.finish, "model_name": name},
    }


class LocalChat(BaseChatModel):
    """The chat model. engine: what writes. asked: what is asked for when a call does not say."""

    engine: Any = Field(repr=False)
    asked: Wishes

    @property
    def _llm_type(self) -> str:
        return "hearken-local"

    @property
    def _identifying_params(self) -> dict[str, Any]:
        return {"model": self.name_of_model}

    @property
    def name_of_model(self) -> str:
        """What the model is called in settings."""
        return str(self.engine.base.name)

    def get_token_ids(self, text: str) -> list[int]:
        """This model's own tokens, by which a conversation is trimmed."""
        return list(self.engine.base.tokenizer(text, add_special_tokens=False)["input_ids"])

    def get_num_tokens_from_messages(self, messages: list[BaseMessage], tools: Any = None) -> int:
        """Tokens of the whole prompt, template included."""
        del tools
        return len(render(self.engine.base.tokenizer, self.engine.base.name, messages))

    def _wishes(self, stop: Sequence[str] | None, options: Mapping[str, Any]) -> Wishes:
        told = {n: options[n] for n in Wishes.__dataclass_fields__ if options.get(n) is not None}
        default = {n: getattr(self.asked, n) for n in Wishes.__dataclass_fields__}
        return Wishes(**{**default, **told, **({"stop": tuple(stop)} if stop else {})})

    def _generate(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> ChatResult:
        del run_manager
        (written,) = self.write_all([messages], stop=stop, **kwargs)
        message = AIMessage(content=written.text, **_about(written, self.name_of_model))
        return ChatResult(generations=[ChatGeneration(message=message)])

    def write_all(
        self, talks: Sequence[Sequence[BaseMessage]], stop: Sequence[str] | None = None, **options: Any
    ) -> list[Written]:
        """Replies to several conversations in one batch."""
        wishes = self._wishes(stop, options)
        return list(self.engine.write(talks, wishes, Budget(wishes.seconds), _unheard, options))

    def _stream(
        self,
        messages: list[BaseMessage],
        stop: list[str] | None = None,
        run_manager: CallbackManagerForLLMRun | None = None,
        **kwargs: Any,
    ) -> Iterator[ChatGenerationChunk]:
        wishes = self._wishes(stop, kwargs)
        budget, said = Budget(wishes.seconds), queue.SimpleQueue[str | None]()

        def work() -> list[Written]:
            try:
                return list(self.engine.write([messages], wishes, budget, lambda _, t: said.put(t), kwargs))
            finally:
                said.put(None)

        with ThreadPoolExecutor(1, "hearken-writes") as pool:
            writing = pool.submit(work)
            try:
                while (text := said.get()) is not None:
                    chunk = ChatGenerationChunk(message=AIMessageChunk(content=text))
                    if run_manager:
                        run_manager.on_llm_new_token(text, chunk=chunk)
                    yield chunk
            finally:
                budget.cancel()  # a listener who leaves waits for one token, not for the reply
        about = _about(writing.result()[0], self.name_of_model)
        yield ChatGenerationChunk(message=AIMessageChunk(content="", chunk_position="last", **about))


def _unheard(row: int, text: str) -> None:
    del row, text


def asked(config: Any) -> Wishes:
    """What the settings ask of every reply."""
    return Wishes(
        config.max_tokens, config.temperature, config.top_p, config.repetition_penalty, seed=config.seed
    )


def warm(chat: LocalChat, progress: Progress | None = None) -> None:
    """Write two tokens, so that the first person does not wait for what is made once."""
    stage = f"warming {chat.name_of_model}"
    if progress:
        progress(stage, 0.0)
    chat.invoke("a", max_tokens=2, temperature=0)
    if progress:
        progress(stage, 1.0)


def load_local(
    config: HuggingFace, progress: Progress | None = None, *, free: Callable[[str], int] = free_memory
) -> LocalChat:
    """The chat model of these settings, ready to write. Raises ResponderError with what to do."""
    files, place = find(config.model), choose_place(config.device)
    room = free(place)
    dtype = choose_numbers(config.dtype, place, [files], room)
    require_memory([files], dtype, place, room)
    chat = LocalChat(engine=_Alone(load(files, dtype, place, progress)), asked=asked(config))
    warm(chat, progress)
    return chat
