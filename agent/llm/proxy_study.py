"""Looking into a proxy: what each of its models wanted at every token, and whether mixing them pays.

    trace(chat, messages, Path("tokens.parquet"))       # a row a token; ids only, unless pieces=True
    traced(chat, Path("tokens.parquet"))                # the same as a source of text, for agent.llm.chat
    losses = self_check(chat, [(messages, reply), ...])  # mean loss a token of base, expert and mixture

For researchers, on conversations that are theirs to look at: a trace tells what was said, token by
token. Steers nothing.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from langchain_core.messages import BaseMessage, convert_to_messages

from agent.errors import ResponderError
from agent.llm.chat import Stream
from agent.llm.local import LocalChat
from agent.llm.opinions import Reader
from agent.llm.proxy import ProxyEngine
from agent.llm.tracks import Caches
from agent.llm.weights import Loaded
from agent.prompt import Message

__all__ = ["Losses", "Watch", "foreseen", "losses_at", "self_check", "trace", "traced"]

log = logging.getLogger("hearken")

_VOICES = ("base", "expert", "anti", "mixed")


class Watch:
    """Hears what was wanted (`see`) and then what was taken (`chose`); `rows` has one row a token."""

    def __init__(self, tokenizer: Any, top: int = 5, *, pieces: bool = False) -> None:
        self.rows: list[dict[str, Any]] = []
        self._tokenizer, self._top, self._pieces = tokenizer, top, pieces
        self._seen: dict[str, Any] = {}

    def see(self, base: Any, expert: Any, anti: Any, mixed: Any) -> None:
        """The logits of one step, (1, ids)."""
        parts = zip(_VOICES, (base, expert, anti, mixed), strict=True)
        self._seen = {voice: part[0].log_softmax(-1) for voice, part in parts}

    def chose(self, row: int, token: int) -> None:
        """The token that was taken at that step."""
        if row or not self._seen:
            return
        told: dict[str, Any] = {"position": len(self.rows), "token": token}
        if self._pieces:
            told["piece"] = self._tokenizer.decode([token])
        for voice, logs in self._seen.items():
            best = logs.topk(min(self._top, logs.shape[-1]))
            told[f"{voice}_logp"] = float(logs[token])
            told[f"{voice}_top"] = best.indices.tolist()
            told[f"{voice}_top_logp"] = best.values.tolist()
            if self._pieces:
                told[f"{voice}_top_pieces"] = [self._tokenizer.decode([i]) for i in told[f"{voice}_top"]]
        self.rows.append(told)


def _engine(chat: LocalChat) -> ProxyEngine:
    if not isinstance(chat.engine, ProxyEngine):
        raise ResponderError("This model is no proxy: load one with the backend `proxy`.")
    return chat.engine


def trace(
    chat: LocalChat,
    messages: Sequence[BaseMessage],
    path: Path,
    *,
    top: int = 5,
    pieces: bool = False,
    **options: Any,
) -> str:
    """Write a reply, and to `path` what base, expert and anti-expert wanted at each of its tokens.

    Log probabilities are before temperature and repetition penalty. pieces: write the text of tokens too.
    """
    watch = Watch(_engine(chat).base.tokenizer, top, pieces=pieces)
    (written,) = chat.write_all([messages], watch=watch, **options)
    try:
        pq.write_table(pa.Table.from_pylist(watch.rows), path)
    except OSError as error:
        raise ResponderError(f"{path} cannot be written: choose another file.") from error
    return written.text


def traced(chat: LocalChat, path: Path, *, pieces: bool = False) -> Stream:
    """The proxy as a source of text that leaves a trace of each reply in `path`, the last one's in the end.

    A reply comes at once, not word by word.
    """

    def stream(messages: Sequence[Message], **options: Any) -> Iterator[str]:
        asked = convert_to_messages([dict(message) for message in messages])
        yield trace(chat, asked, path, pieces=pieces, **options)

    return stream


@dataclass(frozen=True, slots=True)
class Losses:
    """Mean negative log-likelihood of a reply's token, in nats, over `tokens` of them."""

    base: float
    expert: float
    anti: float
    mixed: float
    tokens: int

    @property
    def better_parts(self) -> tuple[str, ...]:
        """The parts that do better alone than the mixture: with any of them, mixing does not pay."""
        return tuple(part for part in ("base", "expert") if getattr(self, part) < self.mixed)


def _after(loaded: Loaded, rows: Sequence[Sequence[int]], tokens: int) -> Any:
    """Logits for the last `tokens` tokens of every row."""
    track = Caches(0).track(loaded.model, rows)
    ids, mask = track.tensors(loaded.model.device, loaded.pad)
    at = (mask.cumsum(-1) - 1).clamp(min=0)
    out = loaded.model(input_ids=ids, attention_mask=mask, position_ids=at, logits_to_keep=tokens + 1)
    return out.logits[:, :-1].float()


def _opinions(engine: ProxyEngine, talk: Sequence[BaseMessage], reply: Sequence[int]) -> dict[str, Any]:
    prompts = {voice: rows[0] for voice, rows in engine.prompts([talk]).items()}
    readers = [Reader(engine.base, ("base",)), *engine.readers]
    return {
        voice: logits[:, : engine.width]
        for reader in readers
        for voice, logits in zip(
            reader.voices,
            _after(reader.loaded, [[*prompts[voice], *reply] for voice in reader.voices], len(reply)),
            strict=True,
        )
    }


def self_check(
    chat: LocalChat, examples: Sequence[tuple[Sequence[BaseMessage], str]], *, alpha: float | None = None
) -> Losses:
    """How well each part and the mixture foresee these replies; warns when a part does better alone."""
    (losses,) = losses_at(chat, examples, [_engine(chat).alpha if alpha is None else alpha])
    if losses.better_parts:
        log.warning(
            "the proxy foresees replies worse (%.3f nats) than alone %s: use that, or another alpha",
            losses.mixed,
            ", ".join(f"{part} ({getattr(losses, part):.3f})" for part in losses.better_parts),
        )
    return losses


def losses_at(
    chat: LocalChat, examples: Sequence[tuple[Sequence[BaseMessage], str]], alphas: Sequence[float]
) -> list[Losses]:
    """The same at each alpha, with each reply read once."""
    import torch  # noqa: PLC0415

    engine = _engine(chat)
    total, mixed, tokens = dict.fromkeys(_VOICES, 0.0), [0.0] * len(alphas), 0
    with torch.inference_mode():
        for talk, reply in examples:
            ids = [*chat.get_token_ids(reply), *engine.base.ends[:1]]
            said = _opinions(engine, talk, ids)
            said.setdefault("anti", said["base"])
            taken = torch.tensor(ids, device=said["base"].device)

            def cost(logits: Any, taken: Any = taken) -> float:
                return float(torch.nn.functional.cross_entropy(logits, taken, reduction="sum"))

            for voice in said:
                total[voice] += cost(said[voice])
            for place, alpha in enumerate(alphas):
                mixed[place] += cost(said["base"] + alpha * (said["expert"] - said["anti"]))
            tokens += len(ids)
    if not tokens:
        raise ResponderError("A self-check needs at least one conversation with a reply.")
    return [
        Losses(**{voice: sum_ / tokens for voice, sum_ in {**total, "mixed": one}.items()}, tokens=tokens)
        for one in mixed
    ]


def foreseen(
    chat: LocalChat, exchanges: Sequence[tuple[Sequence[Message], str]], *, alpha: float
) -> dict[str, Any]:
    """A self-check as plain data, in nats a token, less being better; worse_than: the parts better alone."""
    asked = [(convert_to_messages([dict(one) for one in told]), reply) for told, reply in exchanges]
    losses = self_check(chat, asked, alpha=alpha)
    told = {voice: round(getattr(losses, voice), 3) for voice in _VOICES}
    return {**told, "worse_than": list(losses.better_parts), "replies": len(asked)}
