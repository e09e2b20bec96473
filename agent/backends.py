"""Who may word a reply: the four backends as settings, told apart by `kind`.

Plain frozen data, read from the environment by `agent.settings`; loads nothing and imports no
model library. What each one does is told in `agent.responders`.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

__all__ = ["Backend", "Endpoint", "Guided", "HuggingFace", "Proxy"]


class _Backend(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Guided(_Backend):
    """The offline responder: authored sentences, no language model."""

    kind: Literal["guided"] = "guided"


class _Writes(_Backend):
    """What every language model is asked for. Seconds and tokens are those of one reply."""

    temperature: Annotated[float, Field(ge=0, le=2)] = 0.7
    top_p: Annotated[float, Field(gt=0, le=1)] = 0.9
    repetition_penalty: Annotated[float, Field(ge=1, le=2)] = 1.1
    max_tokens: Annotated[int, Field(ge=8, le=2048)] = 220
    seed: int | None = None


class _Runs(_Writes):
    """A model in this process: where and in which numbers it is held."""

    device: Literal["auto", "cpu", "cuda", "mps"] = "auto"
    dtype: Literal["auto", "float32", "bfloat16", "float16", "4bit"] = "auto"


class HuggingFace(_Runs):
    """A model by hub id or folder; `model` may also be a LoRA adapter's folder, which names its base."""

    kind: Literal["huggingface"] = "huggingface"
    model: Annotated[str, Field(min_length=1)]


class Proxy(_Runs):
    """base + alpha * (expert - anti-expert) on the logits (Liu et al. 2024, arXiv 2401.08565).

    expert: a model, or a LoRA adapter whose base is `anti_expert`; then one small model in memory
    serves both. Each is a hub id or a folder. own_templates: prompt each in its own chat template.
    """

    kind: Literal["proxy"] = "proxy"
    base: Annotated[str, Field(min_length=1)]
    expert: Annotated[str, Field(min_length=1)]
    anti_expert: Annotated[str, Field(min_length=1)]
    alpha: Annotated[float, Field(ge=-5, le=5)] = 1.0
    own_templates: bool = False


class Endpoint(_Writes):
    """An OpenAI-compatible server. The key is read from the environment only."""

    kind: Literal["endpoint"] = "endpoint"
    url: Annotated[str, Field(min_length=1)]
    model: Annotated[str, Field(min_length=1)]
    key: SecretStr | None = None
    first_seconds: Annotated[float, Field(gt=0)] = 15.0


Backend = Annotated[Guided | HuggingFace | Proxy | Endpoint, Field(discriminator="kind")]
