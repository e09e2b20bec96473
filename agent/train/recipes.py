"""`hearken train encoder`: train, export, calibrate, measure and write the card, in one command.

Each part can be cut off and goes on where it was. Knows nothing of how any of them is done.
"""

from pathlib import Path

from agent.train import card, encoder, ship

__all__ = ["run"]


def run(data: Path, work: Path, out: Path, *, permissive: bool = False) -> None:
    """Write a reading model made from `data` into `out`; `work` holds the run.

    Where the finished weights already stand in `work` only the files are made anew. Raises DataError
    before any training when a data file is missing or malformed.
    """
    recipe = encoder.permissive_recipe() if permissive else encoder.default_recipe()
    weights = work / "weights.safetensors"
    if not weights.exists():
        weights = encoder.train(data, work, recipe, permissive=permissive)
    told = ship.ship(weights, data, out, permissive=permissive)
    (out / "MODEL_CARD.md").write_text(card.render(told), "utf-8")
    encoder.say(card.summary(told))
