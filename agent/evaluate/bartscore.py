"""BARTScore as MentalLLaMA computes it: how well BART foresees the wanted text from the one that was said.

score = the mean log probability (nats) of a token of the wanted text, its marks of beginning and end
counted, read from the text said. Needs bart-large-cnn's weights; with ParaBank2's on top (a .pth of tensors)
the values are other ones. Nothing is fetched. Knows nothing of replies.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.errors import DataError

__all__ = ["load_bartscore", "scores"]

LONGEST, BATCH = 1024, 4


def load_bartscore(
    folder: Path, weights: Path | None = None
) -> Callable[[Sequence[str], Sequence[str]], list[float]]:
    """The score of pairs (said, wanted), by a model in `folder`. Raises DataError without one."""
    if not (folder / "config.json").is_file() or (weights and not weights.is_file()):
        raise DataError(f"{weights or folder} is no BART on this machine: get facebook/bart-large-cnn first.")
    import torch  # noqa: PLC0415
    from transformers import AutoTokenizer, BartForConditionalGeneration  # noqa: PLC0415

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = BartForConditionalGeneration.from_pretrained(folder, local_files_only=True).eval()
    if weights:
        model.load_state_dict(torch.load(weights, map_location="cpu", weights_only=True))
    return lambda said, wanted: scores(model, tokenizer, said, wanted)


def scores(model: Any, tokenizer: Any, said: Sequence[str], wanted: Sequence[str]) -> list[float]:
    """One score a pair; padding does not change it."""
    import torch  # noqa: PLC0415

    out: list[float] = []
    options = {"max_length": LONGEST, "truncation": True, "padding": True, "return_tensors": "pt"}
    with torch.inference_mode():
        for at in range(0, len(said), BATCH):
            source = tokenizer(list(said[at : at + BATCH]), **options)
            target = tokenizer(list(wanted[at : at + BATCH]), **options)
            ids, mask = target["input_ids"], target["attention_mask"]
            logits = model(
                input_ids=source["input_ids"], attention_mask=source["attention_mask"], labels=ids
            ).logits
            each = logits.log_softmax(-1).gather(-1, ids[..., None])[..., 0]
            out += ((each * mask).sum(-1) / mask.sum(-1)).tolist()
    return out
