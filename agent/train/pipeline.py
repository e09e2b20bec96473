"""`hearken train encoder`: train, export, calibrate, measure and write the card, in one command.

Each part can be cut off and goes on where it was. Knows nothing of how any of them is done.
"""

import json
from pathlib import Path

from agent.train import card, danger, encoder, probe, refit, ship
from agent.train.calm import alarming, with_calm
from agent.train.data import examples
from agent.train.model import Layout, say
from agent.train.recipe import default_recipe, further_recipes, permissive_recipe

__all__ = ["run"]


def run(  # noqa: PLR0913 - the options of the command
    data: Path,
    work: Path,
    out: Path,
    *,
    permissive: bool = False,
    further: bool = False,
    beside: Path | None = None,
) -> None:
    """Write a reading model made from `data` into `out`; `work` holds the run.

    With the probe and the second encoder. further: three more runs after the default one, in folders of
    their own under `work`. beside: the folder of a permissive model, whose figures the card then shows
    beside these. Where finished weights already stand in `work` that run is not made again. Raises
    DataError before any training when a data file is missing or malformed.
    """
    weights = work / "weights.safetensors"
    recipe = permissive_recipe() if permissive else default_recipe()
    if not weights.exists():
        encoder.train(data, work, recipe, permissive=permissive)
    for number, recipe in enumerate(further_recipes() if further else ()):
        folder, before = work / f"further-{number + 1}", weights
        weights = folder / "weights.safetensors"
        if not weights.exists():
            encoder.train(data, folder, recipe, after=before)
    heads = json.loads(weights.with_name("layout.json").read_text("utf-8"))["heads"]
    found = with_calm(examples(data, permissive=permissive), alarming)
    training = [e for e in found if e.part == "train"]
    layout = Layout({name: tuple(labels) for name, labels in heads.items()})
    ship.ship(refit.refit(weights, training, layout, recipe.tokens), data, out, permissive=permissive)
    probe.add(data, out, permissive=permissive)
    told = danger.add(data, work / "danger", out, permissive=permissive)
    if permissive:
        say(f"To set these figures beside the default's, name {out} with --beside in the default run.")
    elif beside:
        other = json.loads((beside / "labels.json").read_text("utf-8"))
        told |= {"permissive": other["report"], "permissive_probe": "probe" in other}
        ship.write(told, out)
    (out / "MODEL_CARD.md").write_text(card.render(told), "utf-8")
    say(card.summary(told))
