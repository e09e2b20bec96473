"""A LoRA adapter switched on for the first half of a batch and off for the second, in one pass.

peft can mix adapters in a batch (`adapter_names`), but hooks every layer anew at every step and
gathers rows by index; at one token a step that costs more than the small model itself on a GPU. Here
the low-rank part is added to the first rows in place, by a hook set once. A test holds the two equal.
Knows nothing of what the rows are.
"""

from collections.abc import Callable
from typing import Any

__all__ = ["split_rows"]


def _plain(layer: Any, adapter: str) -> bool:
    """Whether this layer only adds B(A(x)) to a linear layer, and nothing else."""
    import torch  # noqa: PLC0415

    low, high = layer.lora_A[adapter], layer.lora_B[adapter]
    linear = all(type(part) is torch.nn.Linear for part in (low, high))
    return linear and low.bias is None and high.bias is None and adapter not in layer.lora_variant


def _changes_the_base(config: Any) -> bool:
    """Whether the model under the adapter is no longer the one it was made on, once the adapter is loaded.

    Some ways to begin one (PiSSA, OLoRA, ...) take out of the weights what they put into the adapter; and
    layers may be repeated, or adapted in what is no layer of its own.
    """
    begins_beside = config.init_lora_weights in {True, False, "gaussian", "eva", "orthogonal"}
    more = (getattr(config, name, None) for name in ("layer_replication", "target_parameters"))
    return not begins_beside or any(more)


def _hook(low: Any, high: Any, scale: float) -> Callable[[Any, Any, Any], None]:
    low, high = low.detach().t().contiguous(), high.detach().t().contiguous()

    def add(module: Any, inputs: Any, output: Any) -> None:
        del module
        (x,) = inputs
        if x.dim() != 3:
            raise RuntimeError("a layer that does not see whole rows cannot be split by rows")
        half = x.shape[0] // 2
        tuned = x[:half].reshape(-1, x.shape[-1])
        # The first rows of a contiguous output are a view, so this writes where the next layer reads.
        output[:half].view(-1, output.shape[-1]).addmm_(tuned @ low, high, alpha=scale)

    return add


def split_rows(tuned: Any) -> tuple[bool, Any]:
    """Whether it could be done, and the model under the adapter: split if so, untouched if not."""
    from peft.tuners.lora import LoraLayer  # noqa: PLC0415
    from peft.utils import AuxiliaryTrainingWrapper  # noqa: PLC0415

    adapter, (config,) = tuned.active_adapter, tuned.peft_config.values()
    layers = [m for m in tuned.modules() if isinstance(m, LoraLayer)]
    others = any(isinstance(m, AuxiliaryTrainingWrapper) for m in tuned.modules())
    if (
        config.bias != "none"
        or _changes_the_base(config)
        or others
        or not all(adapter in la.lora_A and _plain(la, adapter) for la in layers)
    ):
        return False, tuned
    added = []
    for layer in layers:
        under = layer.get_base_layer()
        kind = under.weight.dtype if under.weight.dtype.is_floating_point else tuned.dtype
        low, high = (part[adapter].weight.to(kind) for part in (layer.lora_A, layer.lora_B))
        added.append((under, _hook(low, high, float(layer.scaling[adapter]))))
    model = tuned.unload()
    for under, hook in added:
        under.register_forward_hook(hook)
    return True, model.eval().requires_grad_(requires_grad=False)
