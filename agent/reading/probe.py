"""What a linear layer hears in the published vector: a third voice beside the encoder and the words.

A probe in the sense of Alain and Bengio (2017). The fine-tuned encoder and the published one fail on
different texts, and a turn that searches computes the published vector anyway. It speaks of feelings,
intents, wants and facets, never of danger, whose stretches are read one by one (agent.train.probe).
Knows nothing of texts or ONNX.
"""

import io
from dataclasses import dataclass
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

__all__ = ["Probe", "dump", "load"]

Vector = NDArray[np.float32]


@dataclass(frozen=True)
class Probe:
    """weight: (outputs, dimension). bias, share: (outputs,), the latter its part of a logit."""

    weight: Vector
    bias: Vector
    share: Vector

    def logits(self, vectors: Vector) -> Vector:
        """What it says alone (..., outputs) of unit vectors (..., dimension)."""
        found: Vector = vectors @ self.weight.T + self.bias
        return found

    def mixed(self, logits: Vector, vectors: Vector) -> Vector:
        """The logits (..., outputs or more) of the other two with the probe's share in those it knows."""
        known = len(self.share)
        ours = logits[..., :known] * (1 - self.share) + self.logits(vectors) * self.share
        return np.concatenate([ours, logits[..., known:]], axis=-1)


def dump(probe: Probe) -> bytes:
    """The file of a probe: half precision, the same bytes for the same probe."""
    raw = io.BytesIO()
    np.savez_compressed(
        raw,
        allow_pickle=False,
        weight=probe.weight.astype(np.float16),
        bias=probe.bias,
        share=probe.share,
    )
    return raw.getvalue()


def load(raw: bytes) -> Probe:
    """What `dump` wrote. Raises KeyError or ValueError when it is something else."""
    try:
        with np.load(io.BytesIO(raw), allow_pickle=False) as arrays:
            weight, bias, share = (arrays[name].astype(np.float32) for name in ("weight", "bias", "share"))
    except (BadZipFile, EOFError) as error:
        raise ValueError("not a file of arrays") from error
    if weight.ndim != 2 or bias.shape != share.shape or bias.shape != weight.shape[:1]:
        raise ValueError("the arrays of a probe do not fit one another")
    return Probe(weight, bias, share)
