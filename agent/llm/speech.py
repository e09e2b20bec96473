"""Text out of tokens as they come, ending before a stop string.

Whole characters only, and nothing that may yet turn out to be the beginning of a stop string.
Knows nothing of models.
"""

from collections.abc import Sequence
from typing import Any

__all__ = ["Speech"]

_UNFINISHED = "\ufffd"  # half a character of several bytes


class Speech:
    """One reply's text. `text` is what was said so far, `stopped` whether a stop string came."""

    def __init__(self, tokenizer: Any, stop: Sequence[str] = ()) -> None:
        self.text = ""
        self.stopped = False
        self._tokenizer = tokenizer
        self._stop = tuple(s for s in stop if s)
        self._ids: list[int] = []
        self._from = 0  # tokens before this one are no longer needed to decode the next
        self._told = 0  # tokens before this one are in `_held` or said
        self._held = ""

    def _decode(self, ids: list[int]) -> str:
        return str(self._tokenizer.decode(ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))

    def add(self, token: int) -> str:
        """The text that can now be said."""
        if self.stopped:
            return ""
        self._ids.append(token)
        # A token's text depends on the one before it (a space at the start, a character over several).
        before = self._decode(self._ids[self._from : self._told])
        now = self._decode(self._ids[self._from :])
        if now.endswith(_UNFINISHED) or len(now) <= len(before):
            return ""
        self._held += now[len(before) :]
        self._from, self._told = self._told, len(self._ids)
        return self._say()

    def _say(self) -> str:
        found = [at for stop in self._stop if (at := self._held.find(stop)) >= 0]
        if found:
            self.stopped = True
            said, self._held = self._held[: min(found)], ""
        else:
            kept = max((self._may_begin(stop) for stop in self._stop), default=0)
            cut = len(self._held) - kept
            said, self._held = self._held[:cut], self._held[cut:]
        self.text += said
        return said

    def _may_begin(self, stop: str) -> int:
        """How many characters at the end may be the beginning of this stop string."""
        longest = min(len(stop) - 1, len(self._held))
        return next((n for n in range(longest, 0, -1) if stop.startswith(self._held[-n:])), 0)

    def end(self) -> str:
        """What was held back and turned out to be nothing else; empty after a stop string."""
        rest, self._held = ("" if self.stopped else self._held), ""
        self.text += rest
        return rest
