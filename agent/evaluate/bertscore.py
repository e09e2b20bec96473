"""BERTScore (Zhang et al., ICLR 2020): how near the words said are to those wanted, as an encoder sees them.

With x_i the unit vectors of the wanted text's tokens and y_j those of the text said, at one layer of the
encoder,

    recall    R = mean over i of max over j of x_i . y_j
    precision P = mean over j of max over i of x_i . y_j
    F1          = 2 P R / (P + R)

where the marks that the tokenizer puts at both ends may be matched and are left out of the means. No idf
weights and no rescaling; an empty text scores 0. These are bert-score 0.3.13's own figures for the same
weights and layer: that package is not used because it was last released in 2023 and needs matplotlib to be
imported at all. Values of different encoders or layers do not compare. Nothing is fetched.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.errors import DataError

__all__ = ["load_bertscore", "matched"]

BATCH = 16


def load_bertscore(
    folder: Path, layer: int | None = None
) -> Callable[[Sequence[str], Sequence[str]], list[float]]:
    """F1 of pairs (said, wanted), by the encoder in `folder`, at its last layer if none is named."""
    if not (folder / "config.json").is_file():
        raise DataError(f"{folder} holds no encoder: name a folder with config.json, weights and tokenizer.")
    from transformers import AutoModel, AutoTokenizer  # noqa: PLC0415

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
        model = AutoModel.from_pretrained(folder, local_files_only=True).eval()
    except (OSError, ValueError) as error:
        raise DataError(f"{folder} cannot be loaded as an encoder; get its files again.") from error
    layers = int(model.config.num_hidden_layers)
    if layer is not None and not 0 <= layer <= layers:
        raise DataError(f"{folder} has layers 0 to {layers}; {layer} is none of them.")
    at = layers if layer is None else layer

    def scores(said: Sequence[str], wanted: Sequence[str]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(said), BATCH):
            ours = _vectors(model, tokenizer, said[start : start + BATCH], at)
            theirs = _vectors(model, tokenizer, wanted[start : start + BATCH], at)
            found += [matched(*one, *other)[2] for one, other in zip(ours, theirs, strict=True)]
        return found

    return scores


def _vectors(model: Any, tokenizer: Any, texts: Sequence[str], layer: int) -> list[tuple[Any, Any]]:
    """Of each text its tokens' unit vectors, and which of them are the tokenizer's own marks."""
    import torch  # noqa: PLC0415

    longest = min(int(tokenizer.model_max_length), int(model.config.max_position_embeddings))
    told = tokenizer(
        [text.strip() for text in texts],
        padding=True,
        truncation=True,
        max_length=longest,
        return_special_tokens_mask=True,
        return_tensors="pt",
    )
    marks, mask = told.pop("special_tokens_mask").bool(), told["attention_mask"].bool()
    with torch.inference_mode():
        states = model(**told, output_hidden_states=True).hidden_states[layer].float()
    unit = torch.nn.functional.normalize(states, dim=-1)
    return [(unit[row][mask[row]], marks[row][mask[row]]) for row in range(len(texts))]


def matched(ours: Any, our_marks: Any, theirs: Any, their_marks: Any) -> tuple[float, float, float]:
    """Precision, recall and F1 of unit vectors (tokens, width) of the text said and the one wanted."""
    if our_marks.all() or their_marks.all():
        return 0.0, 0.0, 0.0
    near = ours @ theirs.T
    precision = float(near.max(dim=1).values[~our_marks].mean())
    recall = float(near.max(dim=0).values[~their_marks].mean())
    total = precision + recall
    return precision, recall, 2 * precision * recall / total if total else 0.0
