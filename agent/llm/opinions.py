"""What the small models of a proxy would say next, and its mixture with what the base says.

Each small model reads along with its own keys and values. Knows nothing of text, templates and
samplers, nor of where the models come from.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from agent.llm.tracks import Budget, Caches, Track, read
from agent.llm.weights import Loaded

__all__ = ["ProxyLogits", "Reader"]

Watch = Callable[[Any, Any, Any, Any], object]


@dataclass(slots=True)
class Reader:
    """A model in memory and whom it speaks for: `expert`, `anti`, or both, each with its rows of a batch."""

    loaded: Loaded
    voices: tuple[str, ...]
    caches: Caches = field(default_factory=Caches)


class _Reading:
    """One reader at one reply: reads the prompts at once, then token by token."""

    def __init__(
        self, reader: Reader, prompts: Mapping[str, Sequence[Sequence[int]]], budget: Budget
    ) -> None:
        rows = [prompt for voice in reader.voices for prompt in prompts[voice]]
        self.reader, self.model = reader, reader.loaded.model
        self.alone = len(rows) == len(reader.voices)
        self.track: Track = (reader.caches if self.alone else Caches(0)).track(self.model, rows)
        self.logits = read(self.model, self.track, reader.loaded.pad, budget)
        self.said: list[Any] = []
        if self.track.holes:
            _, self.mask = self.track.tensors(self.model.device, reader.loaded.pad)
            self.at = self.mask.sum(-1, keepdim=True)

    def step(self, tokens: Any) -> None:
        """Read the next token of every row."""
        self.said.append(tokens)
        every = tokens[:, None].repeat(len(self.reader.voices), 1)
        aligned: dict[str, Any] = {}
        if self.track.holes:
            import torch  # noqa: PLC0415

            self.mask = torch.cat([self.mask, torch.ones_like(every)], dim=-1)
            aligned = {"attention_mask": self.mask, "position_ids": self.at}
            self.at = self.at + 1
        out = self.model(input_ids=every, past_key_values=self.track.cache, use_cache=True, **aligned)
        self.logits = out.logits[:, -1]

    def opinions(self, width: int) -> dict[str, Any]:
        """Each voice's logits, (conversations, width)."""
        parts = self.logits[:, :width].float().chunk(len(self.reader.voices))
        return dict(zip(self.reader.voices, parts, strict=True))

    def keep(self) -> None:
        """Remember what was read for the next turn."""
        if self.alone:
            tokens = [int(token[0]) for token in self.said]
            self.track.rows = [row + tokens for row in self.track.rows]
            self.reader.caches.keep(self.track)


class ProxyLogits:
    """A logits processor for one call of `generate`, to stand before all others.

    prompts: by voice, the base's under `base`. alpha 0 asks nobody. width: ids that all models know; what
    comes back is no wider, so that the rest cannot be chosen. Raises ValueError when it is carried over to
    another text.
    """

    def __init__(
        self,
        readers: Sequence[Reader],
        prompts: Mapping[str, Sequence[Sequence[int]]],
        alpha: float,
        width: int,
        budget: Budget | None = None,
    ) -> None:
        self.alpha, self.width = alpha, width
        self.watch: Watch | None = None
        self.prompts = prompts["base"]
        self.readings = [_Reading(r, prompts, budget or Budget()) for r in readers] if alpha else []
        self.seen: Any = None

    def _follow(self, input_ids: Any) -> None:
        if self.seen is None:
            tails = [row[-len(p) :] for row, p in zip(input_ids.tolist(), self.prompts, strict=True)]
            if any(tail != list(prompt) for tail, prompt in zip(tails, self.prompts, strict=True)):
                raise ValueError("these are the opinions on another prompt")
        elif input_ids.shape[1] != self.seen.shape[1] + 1 or not input_ids[:, :-1].equal(self.seen):
            raise ValueError("these are the opinions on another text")
        else:
            for reading in self.readings:
                reading.step(input_ids[:, -1])
        self.seen = input_ids

    def __call__(self, input_ids: Any, scores: Any) -> Any:
        """The mixture, in the place of the base's own scores."""
        self._follow(input_ids)
        base = scores[:, : self.width]
        if not self.readings:
            return base
        said = {voice: part for r in self.readings for voice, part in r.opinions(self.width).items()}
        expert, anti = said["expert"], said.get("anti", base)
        before = base.clone() if self.watch else base
        mixed = base.add_(expert - anti, alpha=self.alpha)
        if self.watch:
            self.watch(before, expert, before if "anti" not in said else anti, mixed)
        return mixed

    def keep(self) -> None:
        """Let the readers remember what they read."""
        for reading in self.readings:
            reading.keep()
