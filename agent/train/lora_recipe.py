"""How a language model is tuned: one YAML file holds a run. Presets lie in recipes/.

Knows nothing of data and of how a run goes.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from agent.errors import SettingsError
from agent.steering import Form

__all__ = ["Recipe", "load_recipe", "presets"]

FOLDER = Path(__file__).parent / "recipes"


class Recipe(BaseModel):
    """A run. model: hub id or folder of what is tuned, where the command does not say.

    objective: to write the replies of the data, or to prefer one reply to another (DPO), and then beta, how
    much that may take it away from what it was. conditions: whether feeling and intent are told in a
    sentence, or with the strengths of EPITOME as tokens that are learned (agent/steering.py). method: a
    low-rank adapter, one on a 4-bit model, or every weight. targets: the layers that get an adapter;
    `default` are peft's own for the kind of model. steps: in all, 0 for as many as the epochs take. warmup:
    steps, or below 1 a share of them. length: tokens of an example at most; one too long ends the run
    before it begins, or is left out. save_every: steps; a run cut off goes on from there. patience: epochs
    without less validation loss after which it ends, 0 for never. samples: replies written to as many
    validation examples each epoch. best: keep the epoch of least validation loss.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    about: str
    model: str = ""
    objective: Literal["replies", "preferences"] = "replies"
    beta: Annotated[float, Field(gt=0, le=5)] = 0.1
    conditions: Form = "text"
    method: Literal["lora", "qlora", "full"]
    rank: Annotated[int, Field(ge=1, le=512)] = 16
    alpha: Annotated[float, Field(gt=0)] = 32
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    targets: Literal["default", "all-linear"] | Annotated[list[str], Field(min_length=1)] = "all-linear"
    epochs: Annotated[float, Field(gt=0)] = 3
    steps: Annotated[int, Field(ge=0)] = 0
    batch: Annotated[int, Field(ge=1)] = 4
    accumulate: Annotated[int, Field(ge=1)] = 1
    rate: Annotated[float, Field(gt=0, lt=1)] = 1e-4
    schedule: Literal["linear", "cosine", "constant", "constant_with_warmup"] = "cosine"
    warmup: Annotated[float, Field(ge=0)] = 0.0
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    clip: Annotated[float, Field(gt=0)] = 1.0
    optimiser: Literal["adamw_torch", "adamw_8bit", "paged_adamw_8bit"] = "adamw_torch"
    length: Annotated[int, Field(ge=16)] = 2048
    too_long: Literal["refuse", "drop"] = "refuse"
    packing: bool = False
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    checkpointing: bool = False
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 20261126
    save_every: Annotated[int, Field(ge=1)] = 200
    patience: Annotated[int, Field(ge=0)] = 0
    best: bool = True
    samples: Annotated[int, Field(ge=0, le=64)] = 4
    sample_tokens: Annotated[int, Field(ge=1)] = 120
    tensorboard: bool = False

    @model_validator(mode="after")
    def _fits(self) -> Self:
        """What DPO cannot do."""
        if self.objective == "preferences" and self.conditions == "tokens":
            raise ValueError("tokens are learned from replies: do that first, merge, and go on from there")
        if self.objective == "preferences" and self.packing:
            raise ValueError("preferences cannot be packed: leave packing out")
        return self


def presets() -> tuple[str, ...]:
    """Names of the recipes that come along."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def load_recipe(name: str, changes: Sequence[str] = ()) -> Recipe:
    """A preset, or a YAML file; changes: `key=value` pairs that go before what it says.

    Raises SettingsError, which names the key.
    """
    path = FOLDER / f"{name}.yaml" if name in presets() else Path(name)
    try:
        told: Any = yaml.safe_load(path.read_text("utf-8"))
        for change in changes:
            key, _, value = change.partition("=")
            told[key.strip()] = yaml.safe_load(value)
        return Recipe.model_validate(told)
    except OSError as error:
        raise SettingsError(
            f"{name} is no recipe file and none of the presets {', '.join(presets())}."
        ) from error
    except (yaml.YAMLError, UnicodeDecodeError, TypeError) as error:
        raise SettingsError(f"The recipe {name} is not YAML of the form `key: value`.") from error
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "objective"
        raise SettingsError(f"The recipe {name} is wrong at {where}: {first['msg']}.") from error
