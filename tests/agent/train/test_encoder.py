"""A whole run on a tiny model and a made-up folder: it learns, resumes, ships, and refuses plainly."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="hearken[train] is not installed")

import torch
from safetensors.numpy import load_file

from agent.errors import DataError
from agent.reading import forward_pass
from agent.reading.encoder import load_encoder
from agent.train import card, danger, encoder, export, ship
from agent.train.data import Example
from agent.train.encoder import train
from agent.train.labels import HEADS
from agent.train.model import Layout, balanced, loss_of, tokenised
from agent.train.recipe import Recipe, danger_recipe, schedule
from tests.agent.train.public import public_data
from tests.agent.train.tiny import tiny_model

RECIPE = Recipe(
    passes={"situations": 1.0, "irf": 2.0, "sad": 1.0, "wants": 0.05}, rounds=2, frozen=1, rate=1e-3
)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return public_data(tmp_path / "data")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return tiny_model(tmp_path / "tiny")


def example(targets: dict[str, dict[str, float]]) -> Example:
    return Example("a text", "train", "wants", targets)


def weights_of(path: Path) -> dict[str, Any]:
    return dict(encoder.load_file(path))


def test_every_text_is_read_as_often_as_the_recipe_says_and_once_a_batch() -> None:
    sources = ["a"] * 40 + ["b"] * 10
    rounds = schedule(
        [5 + i % 7 for i in range(50)], sources, dataclasses.replace(RECIPE, passes={"a": 1.5, "b": 3.0})
    )
    read = [i for batches in rounds for batch in batches for i in batch]
    assert len(rounds) == 2
    assert sum(sources[i] == "a" for i in read) == 60
    assert [read.count(i) for i in range(40, 50)] == [3] * 10
    assert {read.count(i) for i in range(40)} == {1, 2}


def test_batches_keep_to_their_size_with_padding() -> None:
    sizes = [3, 90, 4, 100, 5, 60, 7] * 30
    recipe = dataclasses.replace(RECIPE, passes={"a": 1.0}, batch=8, batch_tokens=300)
    for batches in schedule(sizes, ["a"] * len(sizes), recipe):
        for batch in batches:
            assert len(batch) <= 8
            assert len(batch) * max(sizes[i] for i in batch) <= 300 or len(batch) == 1


def test_the_same_seed_gives_the_same_run_and_another_seed_another() -> None:
    sizes, sources = list(range(5, 65)), ["situations"] * 60
    assert schedule(sizes, sources, RECIPE) == schedule(sizes, sources, RECIPE)
    assert schedule(sizes, sources, RECIPE) != schedule(sizes, sources, dataclasses.replace(RECIPE, seed=1))


def test_a_head_that_is_not_told_of_adds_nothing_to_the_loss() -> None:
    layout = Layout({"want": ("vent", "advice"), "facets": ("stress", "low"), "danger": HEADS["danger"]})
    ones = dict.fromkeys(layout.heads, 1.0)
    target, known = layout.targets([example({"want": {"vent": 1.0}})])
    logits = torch.zeros(1, layout.outputs)
    moved = logits.clone()
    moved[0, 2:] = 5.0  # other heads
    assert torch.equal(
        loss_of(logits, target, known, layout, {}, ones), loss_of(moved, target, known, layout, {}, ones)
    )
    moved[0, 0] = 5.0
    assert loss_of(moved, target, known, layout, {}, ones) < loss_of(logits, target, known, layout, {}, ones)


def test_a_facet_nobody_judged_is_left_alone() -> None:
    layout = Layout({"facets": ("stress", "low")})
    target, known = layout.targets([example({"facets": {"stress": 0.0}})])
    assert known.tolist() == [[1.0, 0.0]]
    logits = torch.zeros(1, 2, requires_grad=True)
    loss_of(logits, target, known, layout, {}, {"facets": 1.0}).backward()
    assert logits.grad is not None
    assert logits.grad[0, 0] > 0
    assert logits.grad[0, 1] == 0


def test_rare_labels_weigh_more_and_the_mean_weight_is_one() -> None:
    texts = [example({"next_intent": {"neutral": 1.0}})] * 9 + [example({"next_intent": {"wishing": 1.0}})]
    labels = HEADS["next_intent"]
    weights = balanced(texts, labels, "next_intent")
    often, rare = float(weights[labels.index("neutral")]), float(weights[labels.index("wishing")])
    assert rare == pytest.approx(3 * often, rel=1e-4)
    assert 0.9 * often + 0.1 * rare == pytest.approx(1.0, rel=1e-4)


def test_a_long_text_keeps_its_beginning_and_its_end(source: Path) -> None:
    (short,), (long,) = (tokenised([text], source, 12) for text in ("well is", "film " * 40 + "cause"))
    assert (short[0], short[-1], len(short)) == (101, 102, 4)
    assert len(long) == 12
    assert long[1] != long[-2]  # "film" and "cause"


def test_a_run_learns_and_ends_with_its_weights_and_layout(
    data: Path, source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = dataclasses.replace(RECIPE, passes={"situations": 6.0}, rounds=3)
    weights = train(data, tmp_path / "run", recipe, source=source)
    told = capsys.readouterr().out
    assert "round 3  expressed, situations" in told
    assert "thing" not in told  # no text is printed
    layout = json.loads((tmp_path / "run" / "layout.json").read_text("utf-8"))
    assert layout["heads"]["want"] == list(HEADS["want"])
    assert weights_of(weights)["head.weight"].shape[0] == sum(map(len, layout["heads"].values()))


def test_frozen_parts_stay_as_published(data: Path, source: Path, tmp_path: Path) -> None:
    before = weights_of(source / "model.safetensors")
    after = weights_of(train(data, tmp_path / "run", RECIPE, source=source))
    for name, value in before.items():
        if name.startswith(("embeddings.", "encoder.layer.0.")):
            assert torch.equal(after[f"body.{name}"], value), name
    assert not torch.equal(
        after["body.encoder.layer.1.output.dense.weight"], before["encoder.layer.1.output.dense.weight"]
    )


def test_a_run_that_is_cut_off_goes_on_to_the_same_weights(
    data: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = weights_of(train(data, tmp_path / "whole", RECIPE, source=source))
    monkeypatch.setattr(encoder, "SAVE_EVERY", 2)
    steps = 0

    def cut_off(share: float) -> float:
        nonlocal steps
        steps += 1
        if steps == 4:
            raise KeyboardInterrupt
        return real(share)

    real = encoder._warm
    monkeypatch.setattr(encoder, "_warm", cut_off)
    with pytest.raises(KeyboardInterrupt):
        train(data, tmp_path / "cut", RECIPE, source=source)
    monkeypatch.setattr(encoder, "_warm", real)
    resumed = weights_of(train(data, tmp_path / "cut", RECIPE, source=source))
    for name, value in whole.items():
        assert torch.allclose(resumed[name], value, atol=1e-6), name


def test_a_folder_with_another_run_is_refused_with_the_fix(data: Path, source: Path, tmp_path: Path) -> None:
    train(data, tmp_path / "run", RECIPE, source=source)
    with pytest.raises(DataError, match="another --work folder"):
        train(data, tmp_path / "run", dataclasses.replace(RECIPE, seed=7), source=source)


def test_a_missing_file_ends_it_before_training(data: Path, source: Path, tmp_path: Path) -> None:
    (data / "edos" / "groundtruth.csv").unlink()
    with pytest.raises(DataError, match=r"groundtruth\.csv"):
        train(data, tmp_path / "run", RECIPE, source=source)
    assert not (tmp_path / "run").exists()


def test_what_is_shipped_loads_reads_and_fills_its_card(
    data: Path, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ship, "against_people", lambda data, encoder: {})
    out = tmp_path / "model"
    out.mkdir()
    (out / "tokenizer.json").write_bytes((source / "tokenizer.json").read_bytes())
    (out / "words.npz").write_bytes(forward_pass.dump(export.words(load_file(source / "model.safetensors"))))
    weights = train(data, tmp_path / "run", RECIPE, source=source)
    told = ship.ship(weights, data, out, source=source)
    read = load_encoder(out).read("train thing 0 is sad")
    assert len(read["emotions"]) == 5
    assert {s["label"] for s in read["heads"]["facets"]} == set(HEADS["facets"])
    assert told["report"]["want"]["wants"]["n"] >= 100
    assert all(row["agree"] > 0.8 for row in told["fidelity"].values())
    taught = dataclasses.replace(danger_recipe(), passes={"wants": 0.05, "dangers": 0.02, "cssrs": 1.0})
    both = danger.add(data, tmp_path / "danger", out, recipe=taught, source=source)
    again = load_encoder(out).read("train thing 0 is sad")
    assert again["emotions"] == read["emotions"]
    assert set(both["second"]) == {"cssrs", "danger", "danger_kind", "danger_subject", "telling"}
    assert set(both["sha256"]) == {*told["sha256"], "danger.onnx"}
    assert {s["label"] for s in again["heads"]["telling"]} <= set(HEADS["telling"])
    assert "telling" not in read["heads"]
    page = card.render(both)
    assert "$" not in page
    assert "reviewed_by: null" in page
    assert "want, wants" in card.summary(told)


def test_a_further_run_begins_where_the_one_before_ended_and_says_so(
    data: Path, source: Path, tmp_path: Path
) -> None:
    first = train(data, tmp_path / "first", RECIPE, source=source)
    still = dataclasses.replace(RECIPE, rate=0.0, head_rate=0.0, average=0.0)
    second = train(data, tmp_path / "second", still, source=source, after=first)
    for name, value in weights_of(first).items():
        assert torch.allclose(weights_of(second)[name], value, atol=1e-6), name
    (before,) = json.loads((tmp_path / "second" / "layout.json").read_text("utf-8"))["after"]
    assert before["recipe"]["rate"] == RECIPE.rate
    assert len(before["sha256"]) == 64


def test_a_further_run_on_other_labels_is_refused(data: Path, source: Path, tmp_path: Path) -> None:
    first = train(data, tmp_path / "first", RECIPE, source=source)
    layout = tmp_path / "first" / "layout.json"
    layout.write_text(layout.read_text("utf-8").replace('"vent"', '"moan"'), "utf-8")
    with pytest.raises(DataError, match="other labels of a head"):
        train(data, tmp_path / "second", RECIPE, source=source, after=first)
