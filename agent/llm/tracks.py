"""What a model has read so far, kept from one turn of a conversation to the next.

A prompt is read in pieces, so that a deadline or a leaving listener is noticed; keys and values outlive
the call, so that the next turn reads only what is new. Knows nothing of text and of how tokens are chosen.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["HOLE", "Budget", "Caches", "OutOfTime", "Track", "read"]

HOLE = -1
_PIECE = 128  # tokens of a prompt read at once: how long a cancelled call may still take


class OutOfTime(Exception):
    """The deadline passed, or nobody listens any more."""


class Budget:
    """How long a reply may still take. `cancel` ends it at the next token."""

    def __init__(self, seconds: float | None = None) -> None:
        self.ends = None if seconds is None else time.monotonic() + seconds
        self._cancelled = threading.Event()

    def cancel(self) -> None:
        """Nobody listens any more."""
        self._cancelled.set()

    @property
    def left(self) -> float | None:
        """Seconds left, or None when there is no end."""
        return None if self.ends is None else max(0.0, self.ends - time.monotonic())

    @property
    def spent(self) -> bool:
        """Whether to stop."""
        return self._cancelled.is_set() or self.left == 0.0


@dataclass(slots=True)
class Track:
    """What a model has read or is to read: ids by row and column, and the keys and values so far.

    A column may be a hole in a row, so that rows of different prompts stay aligned at their ends.
    """

    rows: list[list[int]]
    cache: Any
    holes: bool = field(init=False)

    def __post_init__(self) -> None:
        self.holes = any(HOLE in row for row in self.rows)

    @property
    def length(self) -> int:
        """Columns, read or not."""
        return len(self.rows[0])

    def tensors(self, device: Any, pad: int) -> tuple[Any, Any]:
        """ids (holes filled with `pad`) and attention mask, both (rows, columns)."""
        import torch  # noqa: PLC0415

        ids = torch.tensor(self.rows, device=device)
        mask = (ids != HOLE).long()
        return torch.where(mask.bool(), ids, pad), mask


def _empty_cache(model: Any) -> Any:
    from transformers import DynamicCache  # noqa: PLC0415
    from transformers.cache_utils import DynamicLayer, DynamicSlidingWindowLayer  # noqa: PLC0415

    its_own = DynamicCache(config=model.config)
    # A layer with a sliding window may keep everything as well, and can then be cut back to any beginning.
    attends = all(type(layer) in {DynamicLayer, DynamicSlidingWindowLayer} for layer in its_own.layers)
    return DynamicCache() if attends else its_own


def _can_be_cut(cache: Any) -> bool:
    """Whether all that was read is a list of keys and values; a state that sums it up never goes back."""
    from transformers.cache_utils import DynamicLayer  # noqa: PLC0415

    return all(type(layer) is DynamicLayer for layer in cache.layers)


def _shared(kept: list[list[int]], prompts: Sequence[Sequence[int]]) -> tuple[int, list[int]]:
    """Columns of `kept` that begin these prompts, and how much of each prompt they hold; never all of it."""
    if len(kept) != len(prompts):
        return 0, [0] * len(prompts)
    done = [0] * len(prompts)
    for column in range(len(kept[0])):
        here = [row[column] for row in kept]
        for index, token in enumerate(here):
            if token != HOLE and (
                done[index] + 1 >= len(prompts[index]) or prompts[index][done[index]] != token
            ):
                return column, done
        done = [n + (token != HOLE) for n, token in zip(done, here, strict=True)]
    return len(kept[0]), done


class Caches:
    """Keys and values of the last calls of one model, at most `most` of them, the latest first."""

    def __init__(self, most: int = 4) -> None:
        self.most = most
        self.reused = 0  # columns the last call did not have to read
        self._kept: list[Track] = []

    def track(self, model: Any, prompts: Sequence[Sequence[int]]) -> Track:
        """A track that ends with these prompts; what an earlier call read of them is not read again."""
        best = max(self._kept, key=lambda t: _shared(t.rows, prompts)[0], default=None)
        columns, done = _shared(best.rows, prompts) if best else (0, [0] * len(prompts))
        cache = _empty_cache(model)
        start: list[list[int]] = [[] for _ in prompts]
        if best is not None and columns:
            start = [row[:columns] for row in best.rows]
            cache = self._take(best, columns)
        else:
            columns, done = 0, [0] * len(prompts)
        self.reused = columns
        new = [list(prompt[n:]) for prompt, n in zip(prompts, done, strict=True)]
        wide = max(len(row) for row in new)
        rows = [s + [HOLE] * (wide - len(row)) + row for s, row in zip(start, new, strict=True)]
        return Track(rows, cache)

    def _take(self, best: Track, columns: int) -> Any:
        """The cache cut back to `columns`; a copy where most of it would be lost to its own conversation."""
        from transformers import DynamicCache  # noqa: PLC0415

        if 2 * columns >= best.length:
            self._kept.remove(best)
            best.cache.crop(columns - best.cache.get_seq_length())
            return best.cache
        copy = DynamicCache()
        for number, layer in enumerate(best.cache.layers):
            copy.update(layer.keys[..., :columns, :].clone(), layer.values[..., :columns, :].clone(), number)
        return copy

    def keep(self, track: Track) -> None:
        """Remember what was read; the oldest is forgotten."""
        read_so_far = track.cache.get_seq_length()
        track.rows = [row[:read_so_far] for row in track.rows]
        if not (read_so_far and self.most and _can_be_cut(track.cache)):
            return
        # A call that was broken off within a step leaves layers of unequal lengths.
        if len({layer.get_seq_length() for layer in track.cache.layers}) == 1:
            self._kept = [track, *self._kept][: self.most]

    def clear(self) -> None:
        """Forget everything."""
        self._kept = []


def read(model: Any, track: Track, pad: int, budget: Budget, *, leave: int = 0) -> Any:
    """Read the unread columns but the last `leave`; the last column's logits, or None if none was read."""
    start, end = track.cache.get_seq_length(), track.length - leave
    if start >= end:
        return None
    ids, mask = track.tensors(model.device, pad)
    positions = (mask.cumsum(-1) - 1).clamp(min=0)
    for first in range(start, end, _PIECE):
        if budget.spent:
            raise OutOfTime
        last = min(first + _PIECE, end)
        # Rows without holes need no mask and no positions: the cache's length says both.
        aligned = {"attention_mask": mask[:, :last], "position_ids": positions[:, first:last]}
        out = model(
            input_ids=ids[:, first:last],
            past_key_values=track.cache,
            use_cache=True,
            logits_to_keep=1,
            **(aligned if track.holes else {}),
        )
    return out.logits[:, -1]
