"""The texts of a task before it is measured, for what reads them all beforehand. Knows no model."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.evaluate import imhi, risk
from agent.evaluate.sources import EMOTION_FORMATS, INTENT_FORMATS, even, found
from agent.evaluate.tasks import Look

__all__ = ["known", "texts"]

FORMATS = {
    "emotions": EMOTION_FORMATS, "intents": INTENT_FORMATS, "imhi": imhi.FORMATS, "risk": risk.FORMATS,
}  # fmt: skip


def texts(task: str, data: Path, limit: int | None) -> list[str]:
    """Every text that the task reads, once; sets that it only names are not read."""
    sources, _ = found(data, FORMATS[task])
    read = [source for source in sources if task != "imhi" or source.view not in imhi.NO_HEAD]
    return list(dict.fromkeys(line.text for source in read for line in even(source.lines, limit)))


def known(table: Mapping[str, Any], look: Look) -> Look:
    """`look`, asked only for texts that are not in the table."""

    def looked(text: str) -> Mapping[str, Mapping[str, float]]:
        there: Mapping[str, Mapping[str, float]] | None = table.get(text)
        return look(text) if there is None else there

    return looked
