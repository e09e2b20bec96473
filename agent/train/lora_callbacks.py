"""What a run tells and writes while it goes: progress, checkpoints in between, sample replies each epoch.

Knows nothing of data and of what is done with either.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from agent.llm.weights import Loaded
from agent.train.dialogue_sources import Example
from agent.train.lora_recipe import Recipe
from agent.train.lora_samples import sampled
from agent.train.preferences import Preference

__all__ = ["Progress", "reporter", "sampler", "samples"]

Progress = Callable[[dict[str, float]], object]
"""Told of `step`, `steps` and whatever was just measured (`loss`, `eval_loss`)."""


def reporter(recipe: Recipe, progress: Progress | None) -> Any:
    """Saves every so many steps and tells how far it is."""
    from transformers import TrainerCallback  # noqa: PLC0415

    class Reporter(TrainerCallback):  # type: ignore[misc]  # the only way a trainer tells anything
        """See reporter."""

        def on_step_end(self, _args: Any, state: Any, control: Any, **_: Any) -> Any:
            if state.global_step % recipe.save_every == 0:
                control.should_save = True
            if progress:
                progress({"step": state.global_step, "steps": state.max_steps})
            return control

        def on_log(self, _args: Any, state: Any, _control: Any, logs: Any = None, **_: Any) -> None:
            if progress and logs:
                told = {name: logs[name] for name in ("loss", "eval_loss") if name in logs}
                progress({"step": state.global_step, "steps": state.max_steps, **told})

    return Reporter()


def sampler(
    recipe: Recipe, loaded: Loaded, model: Any, valid: Sequence[Example | Preference], path: Path
) -> Any:
    """Writes replies to the first validation examples into `path` after each validation."""
    from transformers import TrainerCallback  # noqa: PLC0415

    class Sampler(TrainerCallback):  # type: ignore[misc]  # see Reporter
        """See sampler."""

        def on_evaluate(self, _args: Any, state: Any, _control: Any, **_: Any) -> None:
            if not (recipe.samples and state.is_world_process_zero):
                return
            with path.open("a", encoding="utf-8") as file:
                file.write("\n")  # a run that was killed may have left half a line
                for told in sampled(loaded, model, valid[: recipe.samples], recipe):
                    file.write(json.dumps({"step": state.global_step, **told}, ensure_ascii=False) + "\n")

    return Sampler()


def samples(path: Path) -> list[dict[str, Any]]:
    """What a sampler wrote, each reply once: a run that was cut off wrote some twice, and half of one."""
    told: dict[tuple[int, int], dict[str, Any]] = {}
    for line in path.read_text("utf-8", "replace").splitlines() if path.is_file() else ():
        try:
            one = json.loads(line)
            told[one["step"], one["example"]] = one
        except (ValueError, TypeError, KeyError):
            continue
    return list(told.values())
