"""Texts as people type them in a hurry: stops left out, apostrophes lost, letters dropped or swapped.

A message of danger is rarely typed with care, and ours were. Changes a text at random, by the generator it is
given; knows nothing of labels.
"""

import random
import re

__all__ = ["typed"]


def typed(text: str, share: float, rng: random.Random) -> str:
    """`text` with, each at its own chance, no stops (share / 2), no apostrophes, and one slip of the keys."""
    if rng.random() < share / 2:
        text = re.sub(r"[.,;:!?]", "", text)
    if rng.random() < share * 0.4:
        text = text.replace("'", "").replace("\u2019", "")
    if rng.random() < share * 0.3 and len(text) > 8:
        at = rng.randrange(1, len(text) - 2)
        swapped = text[at + 1] + text[at] if rng.random() < 0.5 else text[at + 1]
        text = text[:at] + swapped + text[at + 2 :]
    return text
